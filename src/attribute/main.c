/*
 * azukari-attribute: dates a list and weighs who copied it. Started by azukari serve with a socket to the keeper and
 * nothing else; after shutting itself in it can open nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "attribute/attribute.h"
#include "base/proc.h"

#define FD_KEEPER 3

static char zone[] = "TZ=UTC0";
static char *environment[] = {zone, NULL};

int
main(void)
{
	struct sandbox sandbox = {.profile = SANDBOX_INTAKE};
	struct az_err err = {0};

	environ = environment;
	proc_name("azukari-attribute");
	(void)signal(SIGPIPE, SIG_IGN);
	proc_give_way();
	err.status = sandbox_enter(&sandbox, &err);
	if (err.status != AZ_OK) {
		(void)fprintf(stderr, "azukari-attribute: %s\n", err.text);
		return az_exit_code(err.status);
	}
	return attribute_run(FD_KEEPER);
}
