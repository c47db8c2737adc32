/*
 * The commands of azukari-verify: each gets its options parsed, checks one thing, prints, and returns the exit code.
 */
#ifndef AZ_VERIFY_COMMANDS_H
#define AZ_VERIFY_COMMANDS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "ledger/evidence.h"
#include "verify/verify.h"

#define VERIFY_EXIT_USAGE 2

/* What was given on the command line; NULL or false: it was not. */
struct verify_options {
	bool json;
	const char *vkey;
	const char *house_vkey;
	const char *witness;
	const char *newest;
	const char *log;
	const char *other;
	const char *other_vkey;
	const char *proof;
	const char *list;
	bool story;
	const char *init;
	const char *listen;
	const char *const *arguments;
};

int verify_checkpoint(const struct verify_options *options);
int verify_consistency(const struct verify_options *options);
int verify_receipt(const struct verify_options *options);
int verify_inclusion(const struct verify_options *options);
int verify_bundle(const struct verify_options *options);
int verify_log(const struct verify_options *options);
int verify_witness(const struct verify_options *options);

/* --- other.c: the other log of a pair, which commit to each other ---------------------------------- */

struct other {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	bool key_known;
	struct log_commitments about_other, about_this;
};
/* Checks the log in --other, and what both say about each other. */
AZ_CHECKED enum az_status other_check(const struct verify_options *options,
    const struct published_log *source, const struct log_check *check, struct other *ret_other,
    struct az_err *reterr);
json_t *other_describe(const struct other *other);
void other_print(const struct other *other);

/* --- whole.c: what checking a log takes ------------------------------------------------------------- */

/* The key in a file, or with NULL the one that lies in the folder, which people know by name. */
AZ_CHECKED enum az_status log_find_key(
    const char *vkey, const char *name, int dirfd, struct note_key *ret_key, struct az_err *reterr);
/* log_check with all processors, and progress on a terminal. */
AZ_CHECKED enum az_status log_check_shown(
    const struct published_log *source, struct log_check *check, struct az_err *reterr);

/* --- print.c: what they share --------------------------------------------------------------------- */

/* The whole of a file, for people's errors under its own name. "-" is standard input. */
AZ_CHECKED enum az_status input_read(
    const char *path, struct buffer *buffer, struct az_err *reterr);
/*
 * The checkpoint in a file: the file itself, or what an offline proof or a receipt has in it. Nothing is checked of
 * it, which its own signature is for. Fails as input_read; AZ_CORRUPT.
 */
AZ_CHECKED enum az_status input_checkpoint(
    const char *path, struct buffer *note, struct az_err *reterr);
/* A verification key out of a file; of a log, or of a witness. */
AZ_CHECKED enum az_status input_key(
    const char *path, enum note_key_type type, struct note_key *ret_key, struct az_err *reterr);

/* Text whose control characters are escaped. */
void say_text(FILE *file, const char *text);
/* {"ok": true} and what is in object, which it takes; with people, nothing. Returns 0. */
int say_good(const struct verify_options *options, json_t *object);
/* What is wrong; returns the exit code. */
int say_bad(const struct verify_options *options, enum az_status status, const struct az_err *err);
/* A hash in hexadecimal, borrowed until the next call. */
const char *hash_text(const uint8_t hash[TREE_HASH_SIZE]);

#endif
