/*
 * Run files: what a consignment adds to the catalogue, sealed (docs/format/catalogue.md).
 *
 *   file header, magic "AZRUN"
 *   for each block: u32 size, sealed rows
 *
 * Associated data of a block: house id ‖ consignment u64 ‖ number of the block u64 ‖ u8 last. So a block opens
 * in its own place of its own run only, and since each run has exactly one last block, always written, a cut
 * is found. A row: number 16, record u32, version u32, flags u32, digest 16.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "catalogue/catalogue_internal.h"

#define PLACE_SIZE (HOUSE_ID_SIZE + 17)

struct catalogue_run {
	struct catalogue *catalogue;
	uint64_t consignment;
	char name[RUN_NAME_SIZE];
	int fd;
	uint64_t block;
	bool failed;
	struct seal_key *key;
	struct sha256 hash;
	size_t count; /* rows of the block in plain */
	uint8_t plain[RUN_BLOCK_SIZE];
	uint8_t out[4 + RUN_BLOCK_SIZE + SEAL_OVERHEAD];
};

void
run_name(uint64_t consignment, char name[RUN_NAME_SIZE])
{
	(void)snprintf(name, RUN_NAME_SIZE, "run-%016llx", (unsigned long long)consignment);
}

bool
run_name_read(const char *name, uint64_t *ret_consignment)
{
	uint8_t digits[8];
	char again[RUN_NAME_SIZE];

	if (strlen(name) != 20 || strncmp(name, "run-", 4) != 0 ||
	    !hex_decode(name + 4, digits, sizeof(digits)))
		return false;
	/* Digits of one case only: a consignment has one name. */
	run_name(wire_load_u64be(digits), again);
	if (strcmp(name, again) != 0)
		return false;
	*ret_consignment = wire_load_u64be(digits);
	return true;
}

static struct file_header
run_header(const uint8_t house[HOUSE_ID_SIZE])
{
	struct file_header header = {.magic = "AZRUN\0\0", .format = 1};

	memcpy(header.house, house, HOUSE_ID_SIZE);
	return header;
}

static void
block_place(const uint8_t house[HOUSE_ID_SIZE], uint64_t consignment, uint64_t block, bool last,
    uint8_t place[PLACE_SIZE])
{
	memcpy(place, house, HOUSE_ID_SIZE);
	wire_store_u64(place + HOUSE_ID_SIZE, consignment);
	wire_store_u64(place + HOUSE_ID_SIZE + 8, block);
	place[HOUSE_ID_SIZE + 16] = last ? 1 : 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static void
run_free(struct catalogue_run **run)
{
	if (*run == NULL)
		return;
	fd_close(&(*run)->fd);
	seal_key_free(&(*run)->key);
	az_wipe((*run)->plain, sizeof((*run)->plain));
	free(*run);
	*run = NULL;
}

static enum az_status
run_write(struct catalogue_run *run, struct bytes bytes, struct az_err *reterr)
{
	sha256_update(&run->hash, bytes.data, bytes.size);
	return file_write(run->fd, bytes, reterr);
}

static enum az_status
run_write_block(struct catalogue_run *run, bool last, struct az_err *reterr)
{
	size_t size = run->count * RUN_ROW_SIZE;
	uint8_t place[PLACE_SIZE];
	enum az_status status;

	block_place(run->catalogue->house, run->consignment, run->block, last, place);
	status = seal(run->key, bytes_make(place, sizeof(place)), bytes_make(run->plain, size),
	    run->out + 4, reterr);
	if (status != AZ_OK)
		return status;
	wire_store_u32(run->out, (uint32_t)(size + SEAL_OVERHEAD));
	status = run_write(run, bytes_make(run->out, 4 + size + SEAL_OVERHEAD), reterr);
	run->block++;
	run->count = 0;
	return status;
}

enum az_status
catalogue_run_new(struct catalogue *catalogue, uint64_t consignment, const struct secret *key,
    struct catalogue_run **ret_run, struct az_err *reterr)
{
	struct file_header header = run_header(catalogue->house);
	uint8_t head[FILE_HEADER_SIZE];
	struct catalogue_run *run;
	enum az_status status;

	if (catalogue_is_loaded(catalogue, consignment))
		return az_fail(reterr, AZ_CONFLICT, "catalogue: consignment %llu is loaded",
		    (unsigned long long)consignment);
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	run->catalogue = catalogue;
	run->consignment = consignment;
	run->fd = -1;
	run_name(consignment, run->name);
	sha256_init(&run->hash);
	status = seal_key_new(secret_peek(key), &run->key, reterr);
	if (status != AZ_OK)
		goto out;
	/* A file of its own, not the old one's blocks under another's descriptor. */
	if (unlinkat(catalogue->dirfd, run->name, 0) != 0 && errno != ENOENT) {
		status =
		    az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot replace %s", run->name);
		goto out;
	}
	run->fd = openat(catalogue->dirfd, run->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (run->fd < 0) {
		status =
		    az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot make %s", run->name);
		goto out;
	}
	file_header_encode(&header, head);
	status = run_write(run, bytes_make(head, sizeof(head)), reterr);
	if (status != AZ_OK) {
		catalogue_run_discard(&run);
		goto out;
	}
	*ret_run = run;
	run = NULL;
out:
	run_free(&run);
	return status;
}

enum az_status
catalogue_run_add(struct catalogue_run *run, const struct catalogue_row *row, struct az_err *reterr)
{
	uint8_t *at;

	if (run->failed)
		return az_fail(reterr, AZ_IO, "catalogue: %s is not whole", run->name);
	/* A full block waits for the next row, which tells that it is not the last. */
	if (run->count == RUN_BLOCK_ROWS) {
		enum az_status status = run_write_block(run, false, reterr);

		if (status != AZ_OK) {
			run->failed = true;
			return status;
		}
	}
	at = run->plain + run->count++ * RUN_ROW_SIZE;
	memcpy(at, row->number, CATALOGUE_DIGEST_SIZE);
	wire_store_u32(at + 16, row->record);
	wire_store_u32(at + 20, row->version);
	wire_store_u32(at + 24, row->flags);
	memcpy(at + 28, row->digest, CATALOGUE_DIGEST_SIZE);
	return AZ_OK;
}

enum az_status
catalogue_run_finish(struct catalogue_run **run, uint8_t ret_sha256[32], struct az_err *reterr)
{
	struct catalogue_run *ending = *run;
	enum az_status status;

	if (ending->failed)
		status = az_fail(reterr, AZ_IO, "catalogue: %s is not whole", ending->name);
	else
		status = run_write_block(ending, true, reterr);
	if (status == AZ_OK && (fsync(ending->fd) != 0 || fsync(ending->catalogue->dirfd) != 0))
		status =
		    az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot flush %s", ending->name);
	if (status != AZ_OK) {
		catalogue_run_discard(run);
		return status;
	}
	sha256_final(&ending->hash, ret_sha256);
	run_free(run);
	return AZ_OK;
}

void
catalogue_run_discard(struct catalogue_run **run)
{
	if (*run == NULL)
		return;
	/* Best effort: one that stays has no committed consignment and is dropped at the next start. */
	(void)unlinkat((*run)->catalogue->dirfd, (*run)->name, 0);
	run_free(run);
}

/* --- reading --------------------------------------------------------------------------------- */

static enum az_status
forged(const struct run_reader *reader, const char *what, struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "catalogue: block %llu of the run of consignment %llu %s",
	    (unsigned long long)reader->block, (unsigned long long)reader->consignment, what);
}

/* Reads on. An early end is a cut file, and so not the one that was committed. */
static enum az_status
read_on(struct run_reader *reader, void *data, size_t size, struct az_err *reterr)
{
	enum az_status status = file_read_at(reader->fd, data, size, reader->offset, reterr);

	if (status == AZ_CORRUPT)
		return forged(reader, "is cut short", reterr);
	if (status != AZ_OK)
		return status;
	reader->offset += size;
	sha256_update(&reader->hash, data, size);
	return AZ_OK;
}

enum az_status
run_reader_new(const struct catalogue *catalogue, uint64_t consignment, const struct secret *key,
    struct run_reader **ret_reader, struct az_err *reterr)
{
	struct run_reader *reader = calloc(1, sizeof(*reader));
	char name[RUN_NAME_SIZE];
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	run_name(consignment, name);
	reader->house = catalogue->house;
	reader->consignment = consignment;
	reader->fd = openat(catalogue->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (reader->fd < 0) {
		status = az_fail_errno(reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno,
		    "catalogue: cannot open %s", name);
		goto out;
	}
	status = seal_key_new(secret_peek(key), &reader->key, reterr);
	if (status == AZ_OK)
		status = run_reader_rewind(reader, reterr);
	if (status != AZ_OK)
		goto out;
	*ret_reader = reader;
	reader = NULL;
out:
	run_reader_free(&reader);
	return status;
}

void
run_reader_free(struct run_reader **reader)
{
	if (*reader == NULL)
		return;
	fd_close(&(*reader)->fd);
	seal_key_free(&(*reader)->key);
	az_wipe((*reader)->plain, sizeof((*reader)->plain));
	free(*reader);
	*reader = NULL;
}

enum az_status
run_reader_rewind(struct run_reader *reader, struct az_err *reterr)
{
	struct file_header header = run_header(reader->house);
	uint8_t head[FILE_HEADER_SIZE];
	enum az_status status;

	reader->offset = 0;
	reader->block = 0;
	reader->count = 0;
	reader->ended = false;
	sha256_init(&reader->hash);
	status = read_on(reader, head, sizeof(head), reterr);
	if (status == AZ_OK && file_header_check(head, &header, "run", NULL) != AZ_OK)
		status = az_fail(reterr, AZ_FORGED,
		    "catalogue: the run of consignment %llu is not one of this house",
		    (unsigned long long)reader->consignment);
	return status;
}

/* Whether nothing stands behind what was read. */
static enum az_status
at_end(const struct run_reader *reader, bool *ret_end, struct az_err *reterr)
{
	struct stat info;

	if (fstat(reader->fd, &info) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "catalogue: cannot look at a run");
	*ret_end = (uint64_t)info.st_size == reader->offset;
	return AZ_OK;
}

enum az_status
run_reader_next(struct run_reader *reader, struct az_err *reterr)
{
	uint8_t place[PLACE_SIZE];
	uint8_t head[4];
	uint32_t size;
	bool last = false;
	enum az_status status = read_on(reader, head, sizeof(head), reterr);

	if (status != AZ_OK)
		return status;
	size = wire_load_u32(head);
	if (size < SEAL_OVERHEAD || size > sizeof(reader->sealed) ||
	    (size - SEAL_OVERHEAD) % RUN_ROW_SIZE != 0)
		return forged(reader, "has a wrong size", reterr);
	status = read_on(reader, reader->sealed, size, reterr);
	if (status == AZ_OK)
		status = at_end(reader, &last, reterr);
	if (status != AZ_OK)
		return status;
	/* The block at the end must be sealed as the last one, every other as not the last. */
	block_place(reader->house, reader->consignment, reader->block, last, place);
	status = seal_open(reader->key, bytes_make(place, sizeof(place)),
	    bytes_make(reader->sealed, size), reader->plain, reterr);
	if (status == AZ_FORGED)
		return forged(reader, "is not the one that was sealed there", reterr);
	if (status != AZ_OK)
		return status;
	reader->count = (size - SEAL_OVERHEAD) / RUN_ROW_SIZE;
	reader->ended = last;
	reader->block++;
	return AZ_OK;
}

void
run_reader_row(const struct run_reader *reader, size_t at, struct catalogue_row *ret_row)
{
	const uint8_t *row = reader->plain + at * RUN_ROW_SIZE;

	memcpy(ret_row->number, row, CATALOGUE_DIGEST_SIZE);
	ret_row->record = wire_load_u32(row + 16);
	ret_row->version = wire_load_u32(row + 20);
	ret_row->flags = wire_load_u32(row + 24);
	memcpy(ret_row->digest, row + 28, CATALOGUE_DIGEST_SIZE);
}

enum az_status
run_reader_check(
    const struct run_reader *reader, const uint8_t expected[SHA256_SIZE], struct az_err *reterr)
{
	struct sha256 copy = reader->hash;
	uint8_t digest[SHA256_SIZE];

	sha256_final(&copy, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)), bytes_make(expected, SHA256_SIZE)))
		return az_fail(reterr, AZ_FORGED,
		    "catalogue: the run of consignment %llu is not the one that was committed",
		    (unsigned long long)reader->consignment);
	return AZ_OK;
}
