/*
 * Writing and removing run files; run_read.c reads them, run_internal.h has their form.
 *
 * Blocks are written as they fill, and what the index will say of them is kept until the end: 12 bytes for each thousand
 * fingerprints.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "trace/run_internal.h"

#define OUT_ROOM ((size_t)256 * 1024)

struct trace_run {
	struct run_file file;
	int dirfd; /* the caller's */
	int fd;
	bool failed;
	struct seal_key *key;
	uint64_t blocks, prints_total;
	uint8_t *index;
	size_t index_room; /* items */
	size_t out_size;
	enum match_kind kind; /* of the prints at hand */
	size_t count;
	struct trace_print prints[BLOCK_PRINTS];
	uint8_t block[INDEX_PART_MAX * INDEX_ITEM_SIZE];
	uint8_t out[OUT_ROOM]; /* sealed */
};

_Static_assert(BLOCK_MAX <= INDEX_PART_MAX * INDEX_ITEM_SIZE, "a block fits where it is made");

void
run_file_init(const uint8_t house[HOUSE_ID_SIZE], uint64_t number, struct run_file *ret_file)
{
	*ret_file = (struct run_file){
	    .header = {.magic = {'A', 'Z', 'P', 'R', 'I', 'N', 'T', 'S'}, .format = RUN_FORMAT},
	    .number = number};
	memcpy(ret_file->header.house, house, HOUSE_ID_SIZE);
	(void)snprintf(
	    ret_file->name, sizeof(ret_file->name), "prints-%016llx", (unsigned long long)number);
}

void
run_place(
    const struct run_file *file, enum run_part part, uint64_t nth, uint8_t ret_place[PLACE_SIZE])
{
	static const uint8_t no_id[RUN_ID_SIZE];

	memcpy(ret_place, file->header.house, HOUSE_ID_SIZE);
	wire_store_u64(ret_place + HOUSE_ID_SIZE, file->number);
	memcpy(ret_place + HOUSE_ID_SIZE + 8, part == PART_END ? no_id : file->id, RUN_ID_SIZE);
	ret_place[HOUSE_ID_SIZE + 8 + RUN_ID_SIZE] = (uint8_t)part;
	wire_store_u64(ret_place + PLACE_SIZE - 8, nth);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
run_free(struct trace_run **run)
{
	struct trace_run *freed = *run;

	if (freed == NULL)
		return;
	fd_close(&freed->fd);
	seal_key_free(&freed->key);
	if (freed->index != NULL)
		az_wipe(freed->index, freed->index_room * INDEX_ITEM_SIZE);
	free(freed->index);
	az_wipe(freed, sizeof(*freed));
	free(freed);
	*run = NULL;
}

static enum az_status
flush(struct trace_run *run, struct az_err *reterr)
{
	enum az_status status = file_write(run->fd, bytes_make(run->out, run->out_size), reterr);

	run->out_size = 0;
	return status;
}

/* Seals a part behind what is waiting to be written; where it lies there. */
static enum az_status
put_part(struct trace_run *run, enum run_part part, uint64_t nth, struct bytes plain,
    struct bytes *ret_sealed, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	enum az_status status = AZ_OK;

	if (run->failed)
		return az_fail(reterr, AZ_IO, "%s is not whole", run->file.name);
	if (run->out_size + plain.size + SEAL_OVERHEAD > OUT_ROOM)
		status = flush(run, reterr);
	run_place(&run->file, part, nth, place);
	if (status == AZ_OK)
		status = seal(run->key, bytes_make(place, sizeof(place)), plain,
		    run->out + run->out_size, reterr);
	run->failed = status != AZ_OK;
	if (status != AZ_OK)
		return status;
	*ret_sealed = bytes_make(run->out + run->out_size, plain.size + SEAL_OVERHEAD);
	run->out_size += ret_sealed->size;
	return AZ_OK;
}

static enum az_status
make_file(struct trace_run *run, struct az_err *reterr)
{
	/* A file of its own, not the old one's blocks under another's descriptor. */
	if (unlinkat(run->dirfd, run->file.name, 0) != 0 && errno != ENOENT)
		return az_fail_errno(reterr, AZ_IO, errno, "cannot replace %s", run->file.name);
	run->fd = openat(
	    run->dirfd, run->file.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (run->fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "cannot make %s", run->file.name);
	file_header_encode(&run->file.header, run->out);
	run->out_size = FILE_HEADER_SIZE;
	return AZ_OK;
}

enum az_status
trace_run_new(int dirfd, const uint8_t house[HOUSE_ID_SIZE], uint64_t number,
    const struct secret *key, struct trace_run **ret_run, struct az_err *reterr)
{
	struct trace_run *run = calloc(1, sizeof(*run));
	enum az_status status;

	if (run == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	run_file_init(house, number, &run->file);
	random_bytes(run->file.id, sizeof(run->file.id));
	run->dirfd = dirfd;
	run->fd = -1;
	status = seal_key_new(secret_peek(key), &run->key, reterr);
	if (status == AZ_OK)
		status = make_file(run, reterr);
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

/* Notes the block at hand in the index. */
static enum az_status
note_block(struct trace_run *run, enum run_form form, struct az_err *reterr)
{
	uint8_t *item;

	if (run->blocks == run->index_room) {
		size_t room = run->index_room == 0 ? 256 : 2 * run->index_room;
		uint8_t *grown = calloc(room, INDEX_ITEM_SIZE);

		if (grown == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
		if (run->index != NULL) {
			memcpy(grown, run->index, run->index_room * INDEX_ITEM_SIZE);
			az_wipe(run->index, run->index_room * INDEX_ITEM_SIZE);
		}
		free(run->index);
		run->index = grown;
		run->index_room = room;
	}
	item = run->index + run->blocks * INDEX_ITEM_SIZE;
	memcpy(item, run->prints[0].bytes, 8);
	item[8] = (uint8_t)run->kind;
	item[9] = (uint8_t)form;
	wire_store_u16(item + 10, (uint16_t)run->count);
	return AZ_OK;
}

static enum az_status
write_block(struct trace_run *run, struct az_err *reterr)
{
	enum run_form form = are_same(run) ? FORM_SAME : FORM_OWN;
	size_t size = form == FORM_SAME ? SAME_SIZE : TRACE_PRINT_SIZE;
	struct bytes sealed;
	enum az_status status;

	if (run->count == 0)
		return AZ_OK;
	status = note_block(run, form, reterr);
	memset(run->block, 0, HEAD_SIZE);
	run->block[0] = (uint8_t)run->kind;
	run->block[1] = (uint8_t)form;
	wire_store_u16(run->block + 2, (uint16_t)run->count);
	if (form == FORM_SAME)
		wire_store_u32(run->block + 4, wire_load_u32be(version_of(&run->prints[0])));
	for (size_t i = 0; i < run->count; i++)
		memcpy(run->block + HEAD_SIZE + i * size, run->prints[i].bytes, size);
	if (status == AZ_OK)
		status = put_part(run, PART_DATA, run->blocks,
		    bytes_make(run->block, run_block_size(form, run->count)), &sealed, reterr);
	run->blocks++;
	run->prints_total += run->count;
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
		/* Written only when there is one more, so that the last one is at hand to compare with. */
		if (run->count == BLOCK_PRINTS)
			status = write_block(run, reterr);
		if (status == AZ_OK)
			run->prints[run->count++] = prints[i];
	}
	return status;
}

static enum az_status
write_index(struct trace_run *run, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (uint64_t from = 0, nth = 0; from < run->blocks && status == AZ_OK; nth++) {
		uint64_t rest = run->blocks - from;
		size_t count = rest < INDEX_PART_MAX ? (size_t)rest : INDEX_PART_MAX;
		struct bytes sealed;

		status = put_part(run, PART_INDEX, nth,
		    bytes_make(run->index + from * INDEX_ITEM_SIZE, count * INDEX_ITEM_SIZE),
		    &sealed, reterr);
		from += count;
	}
	return status;
}

static enum az_status
write_end(struct trace_run *run, uint8_t ret_sha256[32], struct az_err *reterr)
{
	uint8_t end[END_SIZE];
	struct bytes sealed = {0};
	struct sha256 hash;
	enum az_status status;

	memcpy(end, run->file.id, RUN_ID_SIZE);
	wire_store_u64(end + RUN_ID_SIZE, run->blocks);
	wire_store_u64(end + RUN_ID_SIZE + 8, run->prints_total);
	status = put_part(run, PART_END, 0, bytes_make(end, sizeof(end)), &sealed, reterr);
	if (status != AZ_OK)
		return status;
	sha256_init(&hash);
	sha256_update(&hash, sealed.data, sealed.size);
	sha256_final(&hash, ret_sha256);
	return flush(run, reterr);
}

enum az_status
trace_run_finish(struct trace_run **run, uint8_t ret_sha256[32], struct az_err *reterr)
{
	struct trace_run *ending = *run;
	uint8_t sha256[SHA256_SIZE];
	enum az_status status = write_block(ending, reterr);

	if (status == AZ_OK)
		status = write_index(ending, reterr);
	if (status == AZ_OK)
		status = write_end(ending, sha256, reterr);
	if (status == AZ_OK && (fsync(ending->fd) != 0 || fsync(ending->dirfd) != 0))
		status = az_fail_errno(reterr, AZ_IO, errno, "cannot flush %s", ending->file.name);
	if (status != AZ_OK) {
		trace_run_discard(run);
		return status;
	}
	memcpy(ret_sha256, sha256, sizeof(sha256));
	run_free(run);
	return AZ_OK;
}

void
trace_run_discard(struct trace_run **run)
{
	if (*run == NULL)
		return;
	/* Best effort: one that stays is nobody's, and is dropped at the next start. */
	(void)unlinkat((*run)->dirfd, (*run)->file.name, 0);
	run_free(run);
}

/* --- files ------------------------------------------------------------------------------------ */

enum az_status
trace_run_remove(int dirfd, uint64_t number, struct az_err *reterr)
{
	static const uint8_t house[HOUSE_ID_SIZE];
	struct run_file file;

	run_file_init(house, number, &file);
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

/* The number of a file's name; false if it is not a run's. */
static bool
read_name(const char *name, uint64_t *ret_number)
{
	static const uint8_t house[HOUSE_ID_SIZE];
	struct run_file file;
	uint8_t digits[8];

	if (strlen(name) != 23 || strncmp(name, "prints-", 7) != 0 ||
	    !hex_decode(name + 7, digits, sizeof(digits)))
		return false;
	run_file_init(house, wire_load_u64be(digits), &file);
	*ret_number = file.number;
	return strcmp(name, file.name) == 0;
}

enum az_status
trace_runs(int dirfd, void (*visit)(void *arg, uint64_t number), void *arg, struct az_err *reterr)
{
	const struct dirent *item;
	uint64_t number;
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
		if (read_name(item->d_name, &number))
			visit(arg, number);
	}
	(void)closedir(dir);
	return AZ_OK;
}
