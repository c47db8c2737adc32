/*
 * Match keys: what people write, brought to one spelling, so that the same person is found again. Pure
 * functions; nothing is stored and no key is secret here (the keeper turns them into tokens).
 *
 * Keys carry the version of the rules that made them. This release has simple rules: white space,
 * letter case of ASCII, digits in ASCII and full width, punctuation of numbers.
 */
#ifndef AZ_MATCH_H
#define AZ_MATCH_H

#include "base/bytes.h"
#include "proto/proto.h"

#define MATCH_VERSION  1u
#define MATCH_KEY_MAX  512u
#define MATCH_KEYS_MAX 16u

struct match_key {
	enum match_kind kind;
	uint16_t size;
	uint8_t key[MATCH_KEY_MAX]; /* begins with the byte MATCH_VERSION */
};

/*
 * All keys of a row: the number first, if it has one; then at most two phones (phone and mobile, never
 * the same twice), e-mail, name and birth, name and place; then the kinds from MATCH_ASKED on, which are for
 * fingerprints only. A value that gives no identity (no digits, an impossible birth date) gives no key.
 * Returns how many. *ret_birth_is_bad: there is a birth date and it is no real date.
 */
size_t match_row(
    const struct row *row, struct match_key keys[MATCH_KEYS_MAX], bool *ret_birth_is_bad);

/*
 * The key that somebody asks by: the fields of what holds the given values and nothing else. They must be
 * exactly number; phone or mobile; email; name and birth; or name and address. AZ_INVALID with a reason
 * that names the fields, never values, also for a value that gives no key.
 */
AZ_CHECKED enum az_status match_query(
    const struct row *what, struct match_key *ret_key, struct az_err *reterr);

/* Whether a row has this key. Compares in constant time. */
bool match_agrees(const struct row *row, const struct match_key *key);

/* A date as people write it: 1980-03-04, 1980/3/4, 19800304, 1980.3.4. Days since 1970-01-01. */
bool match_date(struct bytes text, int32_t *ret_days) AZ_CHECKED;

#endif
