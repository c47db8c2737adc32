/*
 * Run files of fingerprints (docs/format/trace.md), as sealed blocks (crypto/blocks.h), magic "AZPRINTS".
 *
 *   block:  u8 kind, u8 form, u16 zero, u32 count, u32 version, entries
 *   form 1: fingerprint u64be, record u32be                   12 bytes, all of that version
 *   form 2: fingerprint u64be, record u32be, version u32be    16 bytes; the version of the block is zero
 *
 * In a list that is new every row has the same version, so form 1 is the usual one; a re-delivery has unchanged and
 * changed rows side by side. The last block is an empty one of no kind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "crypto/blocks.h"
#include "trace/trace.h"

#define HEAD_SIZE    12u
#define SAME_SIZE    12u
#define BLOCK_PRINTS 4000u
#define FORM_SAME    1
#define FORM_OWN     2

struct trace_run {
	struct blocks_writer *writer;
	enum match_kind kind; /* of the prints at hand */
	size_t count;
	struct trace_print prints[BLOCK_PRINTS];
	uint8_t block[HEAD_SIZE + BLOCK_PRINTS * TRACE_PRINT_SIZE];
};

static struct blocks_file
run_file(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint64_t consignment)
{
	struct blocks_file file = {.dirfd = dirfd,
	    .header = {.magic = {'A', 'Z', 'P', 'R', 'I', 'N', 'T', 'S'}, .format = 1},
	    .number = consignment};

	memcpy(file.header.house, house, HOUSE_ID_SIZE);
	(void)snprintf(
	    file.name, sizeof(file.name), "prints-%016llx", (unsigned long long)consignment);
	return file;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
run_free(struct trace_run **run)
{
	if (*run == NULL)
		return;
	az_wipe(*run, sizeof(**run));
	free(*run);
	*run = NULL;
}

enum az_status
trace_run_new(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint64_t consignment,
    const struct secret *key, struct trace_run **ret_run, struct az_err *reterr)
{
	struct blocks_file file = run_file(dirfd, house, consignment);
	struct trace_run *run = calloc(1, sizeof(*run));
	enum az_status status;

	if (run == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	status = blocks_writer_new(&file, key, &run->writer, reterr);
	if (status == AZ_OK)
		*ret_run = run;
	else
		run_free(&run);
	return status;
}

static const uint8_t *
version_of(const struct trace_print *print)
{
	return print->bytes + SAME_SIZE;
}

/* Whether all prints at hand are of one version. */
static bool
are_same(const struct trace_run *run)
{
	for (size_t i = 1; i < run->count; i++) {
		if (wire_load_u32be(version_of(&run->prints[i])) !=
		    wire_load_u32be(version_of(&run->prints[0])))
			return false;
	}
	return true;
}

static enum az_status
write_block(struct trace_run *run, struct az_err *reterr)
{
	bool same = are_same(run);
	size_t size = same ? SAME_SIZE : TRACE_PRINT_SIZE;
	enum az_status status;

	if (run->count == 0)
		return AZ_OK;
	memset(run->block, 0, HEAD_SIZE);
	run->block[0] = (uint8_t)run->kind;
	run->block[1] = same ? FORM_SAME : FORM_OWN;
	wire_store_u32(run->block + 4, (uint32_t)run->count);
	if (same)
		wire_store_u32(run->block + 8, wire_load_u32be(version_of(&run->prints[0])));
	for (size_t i = 0; i < run->count; i++)
		memcpy(run->block + HEAD_SIZE + i * size, run->prints[i].bytes, size);
	status = blocks_writer_put(
	    run->writer, bytes_make(run->block, HEAD_SIZE + run->count * size), false, reterr);
	run->count = 0;
	return status;
}

/* Fingerprint and record as numbers; there are as many prints as rows of a list times kinds. */
static int
compare(const struct trace_print *a, const struct trace_print *b)
{
	uint64_t a_head = wire_load_u64be(a->bytes);
	uint64_t b_head = wire_load_u64be(b->bytes);
	uint64_t a_rest = wire_load_u64be(a->bytes + 8);
	uint64_t b_rest = wire_load_u64be(b->bytes + 8);

	if (a_head != b_head)
		return a_head < b_head ? -1 : 1;
	return (a_rest > b_rest) - (a_rest < b_rest);
}

enum az_status
trace_run_add(struct trace_run *run, enum match_kind kind, const struct trace_print *prints,
    size_t count, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (kind < run->kind || !trace_has_kind(kind))
		return az_fail(reterr, AZ_INTERNAL, "fingerprints: not in order");
	if (kind > run->kind)
		status = write_block(run, reterr);
	run->kind = kind;
	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		int order = run->count == 0 ? 1 : compare(&prints[i], &run->prints[run->count - 1]);

		if (order == 0)
			continue;
		if (order < 0)
			return az_fail(reterr, AZ_INTERNAL, "fingerprints: not in order");
		if (run->count == BLOCK_PRINTS)
			status = write_block(run, reterr);
		if (status == AZ_OK)
			run->prints[run->count++] = prints[i];
	}
	return status;
}

enum az_status
trace_run_finish(struct trace_run **run, uint8_t ret_sha256[32], struct az_err *reterr)
{
	struct trace_run *ending = *run;
	enum az_status status = write_block(ending, reterr);

	if (status == AZ_OK)
		status = blocks_writer_put(ending->writer, bytes_make(NULL, 0), true, reterr);
	if (status == AZ_OK)
		status = blocks_writer_finish(&ending->writer, ret_sha256, reterr);
	if (status != AZ_OK)
		trace_run_discard(run);
	else
		run_free(run);
	return status;
}

void
trace_run_discard(struct trace_run **run)
{
	if (*run == NULL)
		return;
	blocks_writer_discard(&(*run)->writer);
	run_free(run);
}

enum az_status
trace_run_remove(int dirfd, uint64_t consignment, struct az_err *reterr)
{
	uint8_t house[HOUSE_ID_SIZE] = {0};
	struct blocks_file file = run_file(dirfd, house, consignment);

	if (unlinkat(dirfd, file.name, 0) != 0) {
		if (errno == ENOENT)
			return AZ_OK;
		return az_fail_errno(reterr, AZ_IO, errno, "cannot remove %s", file.name);
	}
	if (fsync(dirfd) != 0)
		return az_fail_errno(
		    reterr, AZ_IO, errno, "cannot flush the removal of %s", file.name);
	return AZ_OK;
}

/* The consignment of a file's name; false if it is not a run's. */
static bool
read_name(const char *name, uint64_t *ret_consignment)
{
	static const uint8_t house[HOUSE_ID_SIZE];
	struct blocks_file file;
	uint8_t digits[8];

	if (strlen(name) != 23 || strncmp(name, "prints-", 7) != 0 ||
	    !hex_decode(name + 7, digits, sizeof(digits)))
		return false;
	file = run_file(-1, house, wire_load_u64be(digits));
	*ret_consignment = file.number;
	return strcmp(name, file.name) == 0;
}

enum az_status
trace_runs(
    int dirfd, void (*visit)(void *arg, uint64_t consignment), void *arg, struct az_err *reterr)
{
	const struct dirent *item;
	uint64_t consignment;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		enum az_status status =
		    az_fail_errno(reterr, AZ_IO, errno, "fingerprints: cannot list");

		if (fd >= 0)
			(void)close(fd);
		return status;
	}
	while ((item = readdir(dir)) != NULL) {
		if (read_name(item->d_name, &consignment))
			visit(arg, consignment);
	}
	(void)closedir(dir);
	return AZ_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Takes a block apart; false if it is malformed. */
static bool
decode(struct bytes block, struct trace_print *prints, enum match_kind *ret_kind, size_t *ret_count)
{
	struct wire_reader reader;
	uint8_t kind, form;
	uint16_t zero;
	uint32_t count, version;
	size_t size;

	wire_reader_init(&reader, block);
	kind = wire_get_u8(&reader);
	form = wire_get_u8(&reader);
	zero = wire_get_u16(&reader);
	count = wire_get_u32(&reader);
	version = wire_get_u32(&reader);
	size = form == FORM_SAME ? SAME_SIZE : TRACE_PRINT_SIZE;
	if (reader.failed || !trace_has_kind((enum match_kind)kind) || zero != 0 || count == 0 ||
	    count > BLOCK_PRINTS || (form != FORM_SAME && form != FORM_OWN) ||
	    block.size != HEAD_SIZE + count * size)
		return false;
	for (size_t i = 0; i < count; i++) {
		memcpy(prints[i].bytes, block.data + HEAD_SIZE + i * size, size);
		if (form == FORM_SAME)
			wire_store_u32be(prints[i].bytes + SAME_SIZE, version);
	}
	*ret_kind = (enum match_kind)kind;
	*ret_count = count;
	return true;
}

enum az_status
trace_run_read(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint64_t consignment,
    const struct secret *key, const uint8_t sha256[32],
    enum az_status (*visit)(void *arg, enum match_kind kind, const struct trace_print *prints,
	size_t count, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct blocks_file file = run_file(dirfd, house, consignment);
	struct trace_print *prints = calloc(BLOCK_PRINTS, sizeof(*prints));
	struct blocks_reader *reader = NULL;
	enum az_status status = prints == NULL
	    ? az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory")
	    : blocks_reader_new(&file, key, &reader, reterr);

	while (status == AZ_OK && !blocks_reader_ended(reader)) {
		enum match_kind kind = MATCH_NONE;
		struct bytes block = {0};
		size_t count = 0;

		status = blocks_reader_next(reader, &block, reterr);
		if (status != AZ_OK || (blocks_reader_ended(reader) && block.size == 0))
			break;
		if (!decode(block, prints, &kind, &count))
			status = az_fail(reterr, AZ_CORRUPT, "%s is not in its format", file.name);
		else
			status = visit(arg, kind, prints, count, reterr);
	}
	if (status == AZ_OK)
		status = blocks_reader_check(reader, sha256, reterr);
	blocks_reader_free(&reader);
	if (prints != NULL)
		az_wipe(prints, BLOCK_PRINTS * sizeof(*prints));
	free(prints);
	return status;
}
