/*
 * The vault process: alone opens the record store, holds no key, and answers the keeper over one socket
 * (proto/vault.h).
 *
 *	            ┌─ lookups ─► readers (several threads) ─┐
 *	keeper ─► loop                                       ├─► answers ─► loop ─► keeper
 *	            └─ writes ──► writer (one thread) ───────┘
 *
 * Readers are several because a page that is not in memory makes its reader wait, and must not make the
 * others wait too. A malformed message of the keeper ends the process.
 */
#ifndef AZ_VAULT_H
#define AZ_VAULT_H

/*
 * Serves the socket until the keeper closes it, with the store in dirfd. Returns the exit code; a message
 * that cannot be is logged to stderr, and ends the process.
 */
int vault_run(int fd, int dirfd);

#endif
