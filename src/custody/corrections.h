/*
 * Corrections: what somebody here put right in one person's row, beside the rows as they were delivered.
 *
 * A delivered row is never changed. A correction says of each field: where the row says one of these (what was
 * delivered before, or corrected before), it is this. So the older value, delivered again, does not come back, and a
 * value that is really new is shown.
 *
 * Promises  it is sealed under the keys of lists that have the person, and of no other: when the last of them is
 *           destroyed, so is it. It makes a version of its own, with a number that no delivery has.
 * Not       a list that is entrusted after it does not carry it in its rows: who opens a row must patch it, and
 *           row_open does.
 */
#ifndef AZ_CUSTODY_CORRECTIONS_H
#define AZ_CUSTODY_CORRECTIONS_H

#include "custody/custody_internal.h"

#define CORRECTION_COPIES_MAX 4u
#define CORRECTION_OLD_MAX    4u
#define CORRECTION_BODY_MAX   12000u
#define CORRECTION_KEY_SIZE   16u

struct correction {
	uint32_t client, purpose, record;
	uint32_t version;      /* that it made */
	uint32_t base_version; /* of the row that it was made on */
	int64_t time_us;
	uint64_t fields;
	uint8_t copy_count;
	struct correction_copy {
		uint64_t consignment;
		size_t size;
		uint8_t *sealed; /* the body, under that list's key */
	} copies[CORRECTION_COPIES_MAX];
	/* Below here it is not stored, but opened from a copy. */
	bool is_open;
	uint8_t key_count;
	uint8_t keys[MATCH_KEYS_MAX]
		    [CORRECTION_KEY_SIZE]; /* digests of the match keys of its version */
};

/* One field's part of a body. Borrowed from it. */
struct correction_field {
	uint8_t field;
	uint8_t old_count;
	struct bytes value;
	struct bytes old[CORRECTION_OLD_MAX];
};
struct correction_body {
	size_t count;
	struct correction_field fields[FIELD_COUNT];
};

void corrections_free(struct custody *custody);
/* NULL: none, or none that can be opened any more. */
const struct correction *correction_of(
    const struct custody *custody, uint32_t purpose, uint32_t record);
/* The version that a current row is told as. */
uint32_t correction_version(
    const struct custody *custody, uint32_t purpose, uint32_t record, uint32_t version);

/* The digest of a match key, as corrections keep it. */
AZ_CHECKED enum az_status correction_key(struct custody *custody, uint32_t client,
    const struct match_key *key, uint8_t ret_digest[CORRECTION_KEY_SIZE], struct az_err *reterr);
bool correction_has_key(
    const struct correction *correction, const uint8_t digest[CORRECTION_KEY_SIZE]);
/* Calls visit for each record of the purpose whose corrected version has the key. */
AZ_CHECKED enum az_status corrections_with_key(const struct custody *custody, uint32_t purpose,
    const uint8_t digest[CORRECTION_KEY_SIZE],
    enum az_status (*visit)(void *arg, uint32_t record, struct az_err *reterr), void *arg,
    struct az_err *reterr);

/* The body, opened into arena. AZ_FORGED, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status correction_open(struct custody *custody,
    const struct correction *correction, struct arena *arena, struct correction_body *ret_body,
    struct az_err *reterr);
/* Patches row, which borrows from the body then; the bits of what was changed. */
uint64_t correction_patch(const struct correction_body *body, struct row *row);
/* Whether two values of a field say the same: telephones and addresses of mail however they are spelt. */
bool correction_same(unsigned int field, struct bytes one, struct bytes other);

/*
 * Seals a body for each of the lists given, newest first, at most CORRECTION_COPIES_MAX of them. AZ_LIMIT: it is too
 * large. The copies are the caller's, to be freed with correction_fini.
 */
AZ_CHECKED enum az_status correction_seal(struct custody *custody, struct correction *correction,
    struct bytes body, const uint64_t *lists, size_t count, struct az_err *reterr);
void correction_fini(struct correction *correction);
/* Appends a body to buffer: the digests of its version's keys, and its fields. */
AZ_CHECKED enum az_status correction_body_encode(
    const struct correction *correction, const struct correction_body *body, struct buffer *buffer);

AZ_CHECKED enum az_status payload_put_correction(
    struct payload *payload, const struct correction *correction);
/* As it was committed. At start, before the ring's keys are known, nothing is opened: corrections_open does. */
AZ_CHECKED enum az_status correction_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
/* At start, the lists being there. */
AZ_CHECKED enum az_status corrections_open(struct custody *custody, struct az_err *reterr);

/* Those that lie under no list any more are no more: nothing of them is in memory. */
void corrections_forget(struct custody *custody, uint32_t purpose);

/* The live lists of the purpose that have the record, newest first. */
AZ_CHECKED enum az_status correction_lists(struct custody *custody, uint32_t purpose,
    uint32_t record, uint64_t ret_lists[CORRECTION_COPIES_MAX], size_t *ret_count,
    struct az_err *reterr);

/*
 * Lists of a purpose that came after a correction and have its person get a copy of it, in the background, so
 * that it is not lost with the older list. A round does some of it; busy while an entry of it is on its way.
 */
void corrections_carry_soon(struct custody *custody);
void corrections_round(struct custody *custody);

/* Record and version of each correction of a purpose, by record; for a list that is being placed. */
struct correction_seen {
	uint32_t record, version;
};
AZ_CHECKED enum az_status corrections_seen(const struct custody *custody, uint32_t purpose,
    struct correction_seen **ret_seen, size_t *ret_count);
/* The version of a record's correction; 0 if it has none. */
uint32_t correction_seen_version(const struct correction_seen *seen, size_t count, uint32_t record);

#endif
