/*
 * azukari-keeper: decides, seals, opens. Started by azukari serve, with the descriptors of proto/parent.h.
 */
#include <string.h>

#include "base/proc.h"
#include "keeper/keeper.h"

int
main(int argc, char **argv)
{
	proc_name("azukari-keeper");
	proc_keep_memory();
	if (argc == 2 && strcmp(argv[1], "verify") == 0)
		return keeper_verify();
	return keeper_run(argc == 2 && strcmp(argv[1], "sealed") == 0);
}
