/*
 * azukari-intake: parses one list. Started by azukari serve with a socket to the keeper and the pipe that the
 * list comes through; after shutting itself in it can open nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/proc.h"
#include "intake/intake.h"
#include "match/match.h"
#include "text/unpack.h"

#define FD_KEEPER 3
#define FD_LIST   4
#define FD_TABLES 5

static char zone[] = "TZ=UTC0";
static char *environment[] = {zone, NULL};

int
main(void)
{
	struct sandbox sandbox = {.profile = SANDBOX_INTAKE};
	struct az_err err = {0};

	/* Libraries that meet a time look for the zone's file at each use, unless the zone is said. */
	environ = environment;
	proc_name("azukari-intake");
	(void)signal(SIGPIPE, SIG_IGN);
	proc_give_way();
	/* Converters and modules are opened by name, which is over once the process is shut in. */
	unpack_prepare();
	err.status = text_prepare(&err);
	if (err.status == AZ_OK)
		err.status = match_tables_map(FD_TABLES, &err);
	if (err.status == AZ_OK)
		err.status = sandbox_enter(&sandbox, &err);
	if (err.status != AZ_OK) {
		(void)fprintf(stderr, "azukari-intake: %s\n", err.text);
		return az_exit_code(err.status);
	}
	return intake_run(FD_KEEPER, FD_LIST);
}
