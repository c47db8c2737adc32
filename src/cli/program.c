/*
 * Where the programs lie that commands start.
 */
#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/proc.h"
#include "match/match.h"

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

enum az_status
program_open_data(const char *name, int *ret_fd, struct az_err *reterr)
{
	static const char *const places[] = {"../share/azukari", "../../share"};
	char own[PATH_MAX / 2];
	char path[PATH_MAX];
	int fd = -1;
	enum az_status status = proc_own_folder(own, sizeof(own), reterr);

	if (status != AZ_OK)
		return status;
	for (size_t i = 0; fd < 0 && i < AZ_ARRAY_SIZE(places); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/%s", own, places[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
			return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	}
	if (fd < 0)
		return az_fail(reterr, AZ_NOT_FOUND, "%s is not installed", name);
	*ret_fd = fd;
	return AZ_OK;
}

enum az_status
program_open_tables(int *ret_fd, bool *ret_there, struct az_err *reterr)
{
	int fd = -1;
	/* Tables that are there and cannot be read would make other keys than before. */
	enum az_status status = program_open_data(MATCH_TABLES_FILE, &fd, reterr);

	*ret_there = status == AZ_OK;
	if (status == AZ_NOT_FOUND) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		status = fd >= 0 ? AZ_OK : az_fail_errno(reterr, AZ_IO, errno, "/dev/null");
	}
	if (status == AZ_OK)
		*ret_fd = fd;
	return status;
}
