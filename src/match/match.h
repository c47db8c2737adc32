/*
 * Match keys: what people write, brought to one spelling, so that the same person is found again
 * (docs/format/match.md). Pure functions; nothing is stored and no key is secret here (the keeper turns them into
 * tokens and fingerprints). The raw value stays what was delivered.
 *
 * Promises  a row and a question that mean the same value give the same key; a value that is nobody's (fillers,
 *           impossible dates, numbers with lost digits) gives none; the same key in every process that uses the same
 *           tables.
 * Not       it guesses no reading of a name and joins no two letters but those of one class.
 * Threads   the tables are set once, before any other thread; everything else is pure.
 */
#ifndef AZ_MATCH_H
#define AZ_MATCH_H

#include "base/bytes.h"
#include "proto/proto.h"

#define MATCH_VERSION  2u
#define MATCH_KEY_MAX  512u
#define MATCH_KEYS_MAX 16u

/* --- tables ----------------------------------------------------------------------------------- */

#define MATCH_TABLES_FILE "match.tables" /* in share/azukari */

/*
 * Uses the classes of kanji and the towns of a table file, which must stay where it is for ever. Without, keys of
 * names are looser in nothing and find fewer spellings, and an address needs its municipality as written.
 * AZ_CORRUPT: it is none, damaged, or of another release; then none is used.
 */
AZ_CHECKED enum az_status match_tables_use(struct bytes tables, struct az_err *reterr);
/*
 * The same, mapped from a descriptor, which stays the caller's. That of a device (/dev/null) means that there are none:
 * AZ_OK. AZ_IO.
 */
AZ_CHECKED enum az_status match_tables_map(int fd, struct az_err *reterr);
/* Back to none. */
void match_tables_drop(void);
/* Which tables are used: a sum over them, 0 without. Keys made with others may differ. */
uint32_t match_tables_sum(void);

/* --- keys ------------------------------------------------------------------------------------- */

struct match_key {
	enum match_kind kind;
	uint16_t size;
	uint8_t key[MATCH_KEY_MAX]; /* begins with the byte MATCH_VERSION */
};

/* The key for people: UTF-8 without the version, parts separated by "|". Borrowed from the key. */
struct bytes match_key_text(const struct match_key *key);

/*
 * All keys of a row: the number first, if it has one; then at most two phones (phone and mobile, never
 * the same twice), e-mail, name and birth, name and place; then the kinds from MATCH_ASKED on, which are for
 * fingerprints only. Where a number may be a room, name and place and place and building come twice. A value that
 * gives no identity gives no key. Returns how many. *ret_birth_is_bad: there is a birth date and it is no
 * real date.
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

/* The key of a person's number; false if it gives none. */
bool match_number(struct bytes value, struct match_key *ret_key);

/*
 * The key of a telephone or an e-mail address that was found by itself, as a row with nothing else would have it. kind:
 * MATCH_PHONE or MATCH_EMAIL. False: it is nobody's.
 */
bool match_token(enum match_kind kind, struct bytes text, struct match_key *ret_key) AZ_CHECKED;

/* Whether a row has this key. Compares in constant time. */
bool match_agrees(const struct row *row, const struct match_key *key);

/*
 * Whether two values of a field mean the same: as match keys read them where they do (numbers, telephones, e-mail, names,
 * birth dates, addresses), else letter by letter, but for case, width and blanks. field: a built-in one, or another. Never of an
 * empty value, of a date that is typed where none is known, or of more than a key holds. Compares in constant time.
 */
bool match_same(unsigned int field, struct bytes a, struct bytes b);

/* --- dates ------------------------------------------------------------------------------------ */

/*
 * A date as people write it: 1980-03-04, 1980/3/4, 19800304, 昭和55年3月4日, S55.3.4, 令和元年5月1日, and five digits as a
 * workbook's serial number. Days since 1970-01-01. False for anything less than certain.
 */
bool match_date(struct bytes text, int32_t *ret_days) AZ_CHECKED;
/* The day of a workbook's serial number, counted from 1899-12-30; from 61 (1900-03-01) to the end of 2099. */
bool match_date_serial(uint32_t serial, int32_t *ret_days) AZ_CHECKED;
/* Whether the date is one that is typed where none is known (1900-01-01, 9999-12-31). */
bool match_date_is_filler(int32_t days);

#endif
