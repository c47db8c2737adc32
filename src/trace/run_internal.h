/*
 * The form of a run file, which writer and reader share (docs/format/trace.md).
 *
 *   file header "AZPRINTS", format 2
 *   data:   sealed blocks, as many as there are:  u8 kind, u8 form, u16 n, u32 version, entries
 *   index:  sealed parts of at most INDEX_PART_MAX:  for each block u64be its first fingerprint, u8 kind, u8 form, u16 n
 *   end:    one sealed block of END_SIZE
 *
 *   form 1: fingerprint u64be, record u32be                   12 bytes, all of that version
 *   form 2: fingerprint u64be, record u32be, version u32be    16 bytes; the version of the block is zero
 *
 * Associated data: house id ‖ number u64 ‖ the file's random id ‖ part u8 ‖ nth of the part u64. So a block opens in its
 * own place of the one file that it was written for, and may be opened alone. The end is sealed with an id of zeros, and
 * names the file's: whoever has the SHA-256 of its sealed bytes has committed to all.
 *
 * In a list that is new every row has the same version, so form 1 is the usual one; a re-delivery has unchanged and
 * changed rows side by side.
 */
#ifndef AZ_TRACE_RUN_INTERNAL_H
#define AZ_TRACE_RUN_INTERNAL_H

#include "base/wire.h"
#include "crypto/seal.h"
#include "trace/trace.h"

#define RUN_FORMAT      2u
#define RUN_ID_SIZE     16u
#define RUN_NAME_SIZE   32u
#define HEAD_SIZE       8u
#define SAME_SIZE       12u
#define BLOCK_PRINTS    1000u
#define BLOCK_MAX       (HEAD_SIZE + BLOCK_PRINTS * TRACE_PRINT_SIZE)
#define INDEX_ITEM_SIZE 12u
#define INDEX_PART_MAX  4000u /* items */
#define END_SIZE        (RUN_ID_SIZE + 16u)
#define PLACE_SIZE      (HOUSE_ID_SIZE + 8u + RUN_ID_SIZE + 9u)

enum run_form {
	FORM_SAME = 1,
	FORM_OWN = 2,
};

enum run_part {
	PART_DATA = 1,
	PART_INDEX = 2,
	PART_END = 3,
};

/* Which file it is. */
struct run_file {
	char name[RUN_NAME_SIZE];
	struct file_header header;
	uint64_t number;
	uint8_t id[RUN_ID_SIZE]; /* zeros, until it is known */
};

void run_file_init(const uint8_t house[HOUSE_ID_SIZE], uint64_t number, struct run_file *ret_file);
/* The associated data of a part. */
void run_place(
    const struct run_file *file, enum run_part part, uint64_t nth, uint8_t ret_place[PLACE_SIZE]);

/* Bytes of a block of that form. */
static inline size_t
run_block_size(unsigned int form, size_t count)
{
	return HEAD_SIZE + count * (form == FORM_SAME ? SAME_SIZE : TRACE_PRINT_SIZE);
}

#endif
