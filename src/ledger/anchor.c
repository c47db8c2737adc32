/*
 * The anchor: the newest signed checkpoint of each log in a folder that is meant to lie on another machine, so that a house
 * which was put back as a whole, front ends' heads and all, is found to be older than it was.
 *
 *	signing: log-XXXXXXXX/checkpoint, then ANCHOR/<origin with - for />.checkpoint
 *	opening: every checkpoint of this house in the anchor is continued by its log, or the ledger is refused
 *
 * A log is never behind its anchor after a crash: a checkpoint is signed over what was synced. An anchor of
 * another generation names other origins; those files stay as they are, as evidence.
 *
 * An anchor that cannot be written ends the process, like a disk that cannot: what nobody outside knows
 * of could be taken back unseen.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger_internal.h"

#define ANCHOR_NAME_SIZE (LEDGER_NAME_SIZE + 16u)

static const char suffix[] = ".checkpoint";

static void
anchor_name(const struct ledger *ledger, uint32_t number, char name[ANCHOR_NAME_SIZE])
{
	char origin[LEDGER_NAME_SIZE];

	ledger_origin(ledger->config.house, ledger->generation, number, origin);
	for (char *at = origin; *at != '\0'; at++) {
		if (*at == '/')
			*at = '-';
	}
	(void)snprintf(name, ANCHOR_NAME_SIZE, "%s%s", origin, suffix);
}

/* Whether a file of the anchor is of a log of this house and generation, and of which. */
static bool
is_of_ours(const struct ledger *ledger, const char *name, uint32_t *ret_number)
{
	char own[ANCHOR_NAME_SIZE];
	size_t size = strlen(name);
	size_t prefix;
	uint64_t number;

	/* The house's log says how the names of all of them begin. */
	anchor_name(ledger, LEDGER_HOUSE_LOG, own);
	if (strcmp(name, own) == 0) {
		*ret_number = LEDGER_HOUSE_LOG;
		return true;
	}
	prefix = (size_t)(strrchr(own, '-') - own) + 1;
	if (size <= prefix + sizeof(suffix) - 1 || strncmp(name, own, prefix) != 0 ||
	    strcmp(name + size - (sizeof(suffix) - 1), suffix) != 0 ||
	    !evidence_number(
		bytes_make(name + prefix, size - prefix - (sizeof(suffix) - 1)), &number) ||
	    number == 0 || number >= LEDGER_LOGS_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

/* No log that the anchor knows may have gone. */
static enum az_status
check_gone(const struct ledger *ledger, struct az_err *reterr)
{
	int fd = openat(ledger->config.anchor_dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	enum az_status status = AZ_OK;
	struct dirent *item;

	if (dir == NULL) {
		fd_close(&fd);
		return az_fail_errno(reterr, AZ_IO, errno, "anchor: it cannot be listed");
	}
	errno = 0;
	while (status == AZ_OK && (item = readdir(dir)) != NULL) {
		uint32_t number;

		if (is_of_ours(ledger, item->d_name, &number) && ledger->logs[number] == NULL)
			status = az_fail(reterr, AZ_FORGED,
			    "anchor: it has a checkpoint of log %u, whose entries are gone",
			    number);
	}
	if (status == AZ_OK && errno != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "anchor: it cannot be listed");
	(void)closedir(dir);
	return status;
}

enum az_status
anchor_check(struct ledger *ledger, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (!ledger->config.has_anchor)
		return AZ_OK;
	if (faccessat(ledger->config.anchor_dirfd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "anchor: the keeper cannot write there");
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		char name[ANCHOR_NAME_SIZE];

		if (ledger->logs[i] == NULL)
			continue;
		anchor_name(ledger, i, name);
		status = ledger_check_signed(
		    ledger, i, ledger->config.anchor_dirfd, name, "anchor", false, reterr);
		/* One that is new here is written with the next signing. */
		if (status == AZ_NOT_FOUND) {
			ledger->unsigned_logs[i] = true;
			status = AZ_OK;
		}
	}
	return status == AZ_OK ? check_gone(ledger, reterr) : status;
}

enum az_status
anchor_write(const struct ledger *ledger, uint32_t number, struct bytes note, struct az_err *reterr)
{
	char name[ANCHOR_NAME_SIZE];
	struct az_err err = {0};
	enum az_status status;

	if (!ledger->config.has_anchor)
		return AZ_OK;
	anchor_name(ledger, number, name);
	status = file_replace(ledger->config.anchor_dirfd, name, note, 0644, &err);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "anchor: %s", err.text);
}
