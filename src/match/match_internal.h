/*
 * What the files of this folder share: text on its way to a key.
 */
#ifndef AZ_MATCH_INTERNAL_H
#define AZ_MATCH_INTERNAL_H

#include "match/match.h"

/* --- one form for each character (fold.c) ----------------------------------------------------- */

#define TEXT_MAX 480u

/* UTF-16, folded. Never initialised as a whole: only the first count symbols mean anything. */
struct text {
	size_t count;
	bool too_long; /* then what is here is a beginning and makes no key */
	uint16_t symbols[TEXT_MAX];
};

enum fold_form { FOLD_NAME = 0, FOLD_PLACE = 1 };

struct fold_tables {
	const uint16_t *symbols[2]; /* by form; 65,536 each */
	const uint32_t *beyond; /* pairs: a code point beyond the first plane, its class; sorted */
	size_t beyond_count;
};

/* The tables to fold with, which must outlive their use; or those that are built in. */
void fold_use(const struct fold_tables *tables);
void fold_use_base(void);
/* A sum over what is built in that tables from elsewhere must agree with. */
uint32_t fold_base_sum(void);

void fold(struct bytes value, enum fold_form form, struct text *ret_text);
/* What each of the first 65,536 code points is folded to; 0: nothing. */
const uint16_t *fold_symbols(enum fold_form form);
/* Appends; text must have been folded into. */
void fold_more(struct bytes value, enum fold_form form, struct text *text);
/* The character at *at, which moves behind it, in UTF-8; returns its size. */
size_t fold_utf8(const uint16_t *symbols, size_t count, size_t *at, uint8_t utf8[4]);

static inline bool
is_digit(uint32_t symbol)
{
	return symbol >= '0' && symbol <= '9';
}

static inline bool
is_latin_letter(uint32_t symbol)
{
	return symbol >= 'a' && symbol <= 'z'; /* folded text has no capitals */
}

static inline bool
is_katakana(uint32_t symbol)
{
	return symbol >= 0x30a1 && symbol <= 0x30fc && symbol != 0x30fb;
}

/* --- a key being put together (spell.c) ------------------------------------------------------- */

/* Once it is too long it stays so, and is no key. */
struct spelling {
	struct match_key *key;
	bool too_long;
};

/* Begins a key of that kind with the version. */
void spelling_begin(struct spelling *spelling, struct match_key *key, enum match_kind kind);
void spelling_put(struct spelling *spelling, uint8_t byte);
void spelling_put_bytes(struct spelling *spelling, struct bytes bytes);
/* Symbols from count on, as UTF-8. */
void spelling_put_symbols(struct spelling *spelling, const uint16_t *symbols, size_t count);
/* Days since 1970-01-01 as 1980-03-04. */
#define DATE_SIZE 10u
void date_text(int32_t days, uint8_t text[DATE_SIZE]);
/* Between two parts of a key; no folded name or place holds it. */
void spelling_separate(struct spelling *spelling);
/* Whether there is a key: something beyond the version, and not too long. */
bool spelling_end(const struct spelling *spelling);

/* Each appends its form of a value; false if it gives none. */
bool spell_number(struct spelling *spelling, struct bytes value);
bool spell_email(struct spelling *spelling, struct bytes value);
bool spell_phone(struct spelling *spelling, struct bytes value); /* phone.c */
/* The same of digits, "+", "-", ".", brackets and blanks alone. */
bool spell_plain_phone(struct spelling *spelling, struct bytes value);

/* --- names (name.c, kana.c) ------------------------------------------------------------------- */

/* A person's name: folded, without honorifics and blanks. count is 0 if there is none. */
void name_read(const struct row *row, struct text *ret_name);
/* Whether a Latin word, folded, is a title such as "mr". */
bool name_is_title(const uint16_t *symbols, size_t size);
/*
 * How the name sounds, loosely: katakana without voicing, small forms and long vowels. From the kana, else
 * from a name that is written in kana or in Latin letters; false if nothing says it.
 */
bool kana_read(const struct row *row, struct text *ret_kana);
/* Appends how a Latin word is read to kana; false if it is no Japanese. */
bool romaji_read(const uint16_t *symbols, size_t count, struct text *kana);

/* --- places (place.c, town.c, latin.c) -------------------------------------------------------- */

#define PLACE_ITEMS_MAX 8u

struct place_item {
	size_t from, to; /* in the text */
	bool is_value;   /* it is written in kanji, and this its value */
	uint32_t value;
};

/* An address taken apart. Borrows the tables' texts. */
struct place {
	const char *city; /* of the dictionary, with its prefecture; NULL if none was found */
	const char *town; /* of the dictionary; NULL */
	struct text text; /* the rest of it, to which what follows points */
	size_t extra_from, extra_to; /* what belongs to the town besides */
	struct place_item items[PLACE_ITEMS_MAX];
	size_t item_count;
	size_t building_from; /* to the end of text */
	bool room_by_dash;    /* the last number may be a room */
};

/* latin.c: whether it is an address in Latin letters; then it is read. */
bool latin_read(const struct text *folded, struct place *ret_place);
/* False if the address says nothing. */
bool place_read(struct bytes address, struct place *ret_place);
/* Town and numbers, the last of them left out if without_room. */
void place_spell(const struct place *place, bool without_room, struct spelling *spelling);
/* What stands behind the numbers, and the room; with_room: the last number is the room. */
void place_spell_building(const struct place *place, bool with_room, struct spelling *spelling);

/* --- the dictionary of towns (tables.c) ------------------------------------------------------- */

struct city {
	const char *name;
	uint32_t number;
	bool is_kyoto;
};

bool tables_are_there(void);
/*
 * Finds municipality and town at the beginning of symbols; ret_size: how many of them both take. Where the
 * name of a municipality is several ones', the one that has the town is meant. *ret_town may be NULL.
 */
bool tables_find(const uint16_t *symbols, size_t count, struct city *ret_city,
    const char **ret_town, size_t *ret_size);
/* The longest town of city at the beginning of symbols; 0 if there is none. */
size_t tables_find_town(
    const struct city *city, const uint16_t *symbols, size_t count, const char **ret_town);

/* --- numerals (numeral.c) --------------------------------------------------------------------- */

/* A numeral in kanji and its value (10, 100, 1000 for 十百千); -1 for anything else. */
int numeral_value(uint32_t symbol);
/* The value of count numerals in kanji; false if they make none. */
/* How many symbols at the beginning are numerals in kanji. */
size_t numeral_run(const uint16_t *symbols, size_t count);
bool numeral_read(const uint16_t *symbols, size_t count, uint32_t *ret_value);

/* --- damaged rows (damaged.c) ----------------------------------------------------------------- */

/* The keys of kinds MATCH_NAME to MATCH_POSTCODE_NUMBER, as many as the row gives. birth: DATE_SIZE bytes, or NULL. */
#define DAMAGED_KEYS_MAX 3u
size_t damaged_keys(const struct row *row, const struct text *name, const uint8_t *birth,
    struct match_key keys[DAMAGED_KEYS_MAX]);

#endif
