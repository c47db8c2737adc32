/*
 * The keeper process: sockets, channels and signals around src/custody, which decides.
 *
 *	parent ── secrets, children ──┐
 *	fronts ── channel ────────────┼── one loop ── custody ── ledger, catalogue, keys
 *	vault ─── ciphertext ─────────┘
 *
 * A malformed message of the parent or the vault ends the process; one of a front ends that front.
 */
#ifndef AZ_KEEPER_H
#define AZ_KEEPER_H

#include <stdbool.h>

#include "base/status.h"

/*
 * The whole life of the keeper, over the descriptors of proto/parent.h, which are open. sealed: memory that cannot
 * be locked is refused. Returns the exit
 * code.
 */
int keeper_run(bool sealed);

/* The life of the child that verifies the ledger. */
int keeper_verify(void);

#endif
