/*
 * Where the programs lie that commands start.
 */
#include "cli/program.h"

#include <stdio.h>
#include <unistd.h>

#include "base/proc.h"

enum az_status
program_find(const char *name, const char *folder, char path[PATH_MAX], struct az_err *reterr)
{
	const char *const places[] = {"../libexec/azukari", ".", folder};
	char own[PATH_MAX / 2];
	enum az_status status = proc_own_folder(own, sizeof(own), reterr);

	for (size_t i = 0; status == AZ_OK && i < AZ_ARRAY_SIZE(places); i++) {
		(void)snprintf(path, PATH_MAX, "%s/%s/%s", own, places[i], name);
		if (access(path, X_OK) == 0)
			return AZ_OK;
	}
	if (status == AZ_OK)
		status = az_fail(reterr, AZ_NOT_FOUND, "the program %s is not installed", name);
	return status;
}
