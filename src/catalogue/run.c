/*
 * Run files: what a consignment adds to the catalogue, as sealed blocks (crypto/blocks.h,
 * docs/format/catalogue.md). Magic "AZRUN", number the consignment's.
 *
 * A row: number 16, record u32, version u32, flags u32, digest 16.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "catalogue/catalogue_internal.h"

struct catalogue_run {
	struct blocks_writer *writer;
	size_t count; /* rows of the block in plain */
	uint8_t plain[RUN_BLOCK_SIZE];
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

static struct blocks_file
run_file(const struct catalogue *catalogue, uint64_t consignment)
{
	struct blocks_file file = {.dirfd = catalogue->dirfd,
	    .header = {.magic = "AZRUN\0\0", .format = 1},
	    .number = consignment};

	memcpy(file.header.house, catalogue->house, HOUSE_ID_SIZE);
	run_name(consignment, file.name);
	return file;
}

/* --- writing --------------------------------------------------------------------------------- */

static void
run_free(struct catalogue_run **run)
{
	if (*run == NULL)
		return;
	az_wipe((*run)->plain, sizeof((*run)->plain));
	free(*run);
	*run = NULL;
}

static enum az_status
run_write_block(struct catalogue_run *run, bool last, struct az_err *reterr)
{
	enum az_status status = blocks_writer_put(
	    run->writer, bytes_make(run->plain, run->count * RUN_ROW_SIZE), last, reterr);

	run->count = 0;
	return status;
}

enum az_status
catalogue_run_new(struct catalogue *catalogue, uint64_t consignment, const struct secret *key,
    struct catalogue_run **ret_run, struct az_err *reterr)
{
	struct blocks_file file = run_file(catalogue, consignment);
	struct catalogue_run *run;
	enum az_status status;

	if (catalogue_is_loaded(catalogue, consignment))
		return az_fail(reterr, AZ_CONFLICT, "catalogue: consignment %llu is loaded",
		    (unsigned long long)consignment);
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	status = blocks_writer_new(&file, key, &run->writer, reterr);
	if (status == AZ_OK)
		*ret_run = run;
	else
		run_free(&run);
	return status;
}

enum az_status
catalogue_run_add(struct catalogue_run *run, const struct catalogue_row *row, struct az_err *reterr)
{
	uint8_t *at;

	/* A full block waits for the next row, which tells that it is not the last. */
	if (run->count == RUN_BLOCK_ROWS) {
		enum az_status status = run_write_block(run, false, reterr);

		if (status != AZ_OK)
			return status;
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
	enum az_status status = run_write_block(ending, true, reterr);

	if (status == AZ_OK)
		status = blocks_writer_finish(&ending->writer, ret_sha256, reterr);
	if (status != AZ_OK)
		catalogue_run_discard(run);
	else
		run_free(run);
	return status;
}

void
catalogue_run_discard(struct catalogue_run **run)
{
	if (*run == NULL)
		return;
	blocks_writer_discard(&(*run)->writer);
	run_free(run);
}

/* --- reading --------------------------------------------------------------------------------- */

enum az_status
run_reader_new(const struct catalogue *catalogue, uint64_t consignment, const struct secret *key,
    struct run_reader **ret_reader, struct az_err *reterr)
{
	struct blocks_file file = run_file(catalogue, consignment);
	struct run_reader *reader = calloc(1, sizeof(*reader));
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "catalogue: out of memory");
	status = blocks_reader_new(&file, key, &reader->blocks, reterr);
	if (status == AZ_OK)
		*ret_reader = reader;
	else
		run_reader_free(&reader);
	return status;
}

void
run_reader_free(struct run_reader **reader)
{
	if (*reader == NULL)
		return;
	blocks_reader_free(&(*reader)->blocks);
	free(*reader);
	*reader = NULL;
}

enum az_status
run_reader_rewind(struct run_reader *reader, struct az_err *reterr)
{
	reader->count = 0;
	return blocks_reader_rewind(reader->blocks, reterr);
}

enum az_status
run_reader_next(struct run_reader *reader, struct az_err *reterr)
{
	enum az_status status = blocks_reader_next(reader->blocks, &reader->plain, reterr);

	if (status != AZ_OK)
		return status;
	if (reader->plain.size > RUN_BLOCK_SIZE || reader->plain.size % RUN_ROW_SIZE != 0)
		return az_fail(reterr, AZ_FORGED, "catalogue: a block of a run has a wrong size");
	reader->count = reader->plain.size / RUN_ROW_SIZE;
	return AZ_OK;
}

bool
run_reader_ended(const struct run_reader *reader)
{
	return blocks_reader_ended(reader->blocks);
}

void
run_reader_row(const struct run_reader *reader, size_t at, struct catalogue_row *ret_row)
{
	const uint8_t *row = reader->plain.data + at * RUN_ROW_SIZE;

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
	return blocks_reader_check(reader->blocks, expected, reterr);
}

enum az_status
catalogue_run_each(struct catalogue *catalogue, uint64_t consignment, const struct secret *key,
    const uint8_t sha256[32], void (*visit)(void *arg, const struct catalogue_row *row), void *arg,
    struct az_err *reterr)
{
	struct run_reader *reader = NULL;
	struct catalogue_row row;
	enum az_status status = run_reader_new(catalogue, consignment, key, &reader, reterr);

	while (status == AZ_OK && !run_reader_ended(reader)) {
		status = run_reader_next(reader, reterr);
		for (size_t i = 0; status == AZ_OK && i < reader->count; i++) {
			run_reader_row(reader, i, &row);
			visit(arg, &row);
		}
	}
	if (status == AZ_OK)
		status = run_reader_check(reader, sha256, reterr);
	run_reader_free(&reader);
	return status;
}
