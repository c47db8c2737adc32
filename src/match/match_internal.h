/*
 * What the files of this folder share: text on its way to a key.
 */
#ifndef AZ_MATCH_INTERNAL_H
#define AZ_MATCH_INTERNAL_H

#include "match/match.h"

/* A key being put together. Once it is too long it stays so, and is no key. */
struct spelling {
	struct match_key *key;
	bool too_long;
};

/* Begins a key of that kind with the version. */
void spelling_begin(struct spelling *spelling, struct match_key *key, enum match_kind kind);
void spelling_put(struct spelling *spelling, uint8_t byte);
/* Between two parts of a key; no value holds it. */
void spelling_separate(struct spelling *spelling);
/* Whether there is a key: something beyond the version, and not too long. */
bool spelling_end(const struct spelling *spelling);

/*
 * The next character of text as ASCII, where it is ASCII or a full-width form of it, else 0 and its bytes
 * in ret_raw. Moves *at behind it.
 */
uint8_t text_next(struct bytes text, size_t *at, struct bytes *ret_raw);

/* Each appends its form of a value; false if it gives none. */
bool spell_number(struct spelling *spelling, struct bytes value);
bool spell_phone(struct spelling *spelling, struct bytes value);
bool spell_email(struct spelling *spelling, struct bytes value);
/* Of name, or else of surname and given. */
bool spell_name(struct spelling *spelling, const struct row *row);
bool spell_place(struct spelling *spelling, struct bytes value);

/* damaged.c: the keys of kinds MATCH_NAME to MATCH_POSTCODE_NUMBER, as many as the row gives. */
#define DAMAGED_KEYS_MAX 3u
size_t damaged_keys(const struct row *row, struct match_key keys[DAMAGED_KEYS_MAX]);

#endif
