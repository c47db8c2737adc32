/*
 * azukari-vault: keeps ciphertext, holds no key. Started by azukari serve with a socket to the keeper and its
 * folder; can open nothing else.
 */
#include <signal.h>
#include <stdio.h>

#include "base/proc.h"
#include "vault/vault.h"

#define FD_KEEPER 3
#define FD_FOLDER 4

int
main(void)
{
	int folder = FD_FOLDER;
	struct sandbox sandbox = {
	    .profile = SANDBOX_VAULT, .writable_dirs = &folder, .writable_count = 1};
	struct az_err err = {0};

	proc_name("azukari-vault");
	proc_keep_memory();
	(void)signal(SIGPIPE, SIG_IGN);
	if (sandbox_enter(&sandbox, &err) != AZ_OK) {
		(void)fprintf(stderr, "azukari-vault: %s\n", err.text);
		return az_exit_code(err.status);
	}
	return vault_run(FD_KEEPER, FD_FOLDER);
}
