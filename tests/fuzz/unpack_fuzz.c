/*
 * Files of any kind: whatever they say of themselves, they are read within the limits, and members have names that can be
 * shown.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_found(void *arg, const char *member, const struct scan_hit *hit)
{
	assert(hit->kind < SCAN_KINDS && strlen(member) < SCAN_MEMBER_MAX);
	assert(bytes_are_utf8(bytes_of(member)));
}

static void
on_unread(void *arg, const char *member, enum scan_unread reason)
{
	assert(reason != SCAN_UNREAD_NONE && reason < SCAN_UNREADS);
	assert(strlen(member) < SCAN_MEMBER_MAX && bytes_are_utf8(bytes_of(member)));
}

static void
on_progress(void *arg, uint64_t bytes)
{
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_limits limits = {.bytes_max = 8u << 20, .time_max_us = 5000000};
	struct scan_report report = {
	    .found = on_found, .unread = on_unread, .progress = on_progress};
	int fd = memfd_create("file", MFD_CLOEXEC);
	static bool prepared;

	if (!prepared)
		scan_unpack_prepare();
	prepared = true;
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	limits.is_image = size > 0 && data[size - 1] == 0x49;
	limits.is_strict = size > 1 && data[size - 2] == 0x53;
	if (scan_file(fd, &limits, &report, NULL) != AZ_OK)
		abort();
	(void)close(fd);
	return 0;
}
