/*
 * One form for each character.
 *
 * A value is decoded once into symbols of 16 bits by one look-up a character. The look-up tables are made by
 * share/tables.py when Azukari is built: compatibility forms (NFKC), case, accents, dashes, blanks; for addresses,
 * besides, hiragana as katakana and the letters that look alike. The tables of the packages (tables.c) are the same
 * with the classes of kanji. What becomes of several characters (㍿) is a symbol among the surrogates, which are no
 * characters, and is expanded here.
 *
 * Half-width kana and decomposed ones carry their voicing as a character of its own; it is put together before the
 * look-up. Variation selectors and what has no width are dropped; the raw value keeps them as evidence.
 */
#include <string.h>

#include "match/match_internal.h"
#include "match_base.h"

#define MARK_VOICED      0x3099u
#define MARK_SEMI_VOICED 0x309au
#define HALF_FIRST       0xff66u
#define HALF_LAST        0xff9du
#define HALF_VOICED      0xff9eu
#define HALF_SEMI_VOICED 0xff9fu

static struct fold_tables active = {
    .symbols = {base_name, base_place}, .beyond = base_beyond, .beyond_count = BASE_BEYOND};

void
fold_use(const struct fold_tables *tables)
{
	active = *tables;
}

void
fold_use_base(void)
{
	active = (struct fold_tables){
	    .symbols = {base_name, base_place}, .beyond = base_beyond, .beyond_count = BASE_BEYOND};
}

uint32_t
fold_base_sum(void)
{
	return BASE_SUM;
}

/* The code point at *at, which moves behind it. Bytes that are no UTF-8 give U+FFFD, one by one. */
static uint32_t
decode(struct bytes text, size_t *at)
{
	const uint8_t *data = text.data + *at;
	size_t left = text.size - *at;
	uint32_t point;
	size_t size;

	if (data[0] < 0x80) {
		*at += 1;
		return data[0];
	}
	size = data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
	if (data[0] < 0xc2 || data[0] > 0xf4 || size > left) {
		*at += 1;
		return 0xfffd;
	}
	point = data[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((data[i] & 0xc0) != 0x80) {
			*at += 1;
			return 0xfffd;
		}
		point = point << 6 | (data[i] & 0x3fu);
	}
	*at += size;
	return point;
}

static bool
is_kana(uint32_t point)
{
	return (point >= 0x3041 && point <= 0x30fe) || (point >= HALF_FIRST && point <= HALF_LAST);
}

/* The full-width form of a half-width kana; others as they are. */
static uint32_t
full_width(uint32_t point)
{
	return point >= HALF_FIRST && point <= HALF_LAST ? base_name[point] : point;
}

/* The voiced form, or 0 if there is none: か to と, は to ほ, ウ, and the marks of iteration. */
static uint32_t
voiced(uint32_t point, bool semi)
{
	uint32_t in_row = point >= 0x30a0 ? point - 0x60 : point;
	bool ha = in_row >= 0x306f && in_row <= 0x307b && (in_row - 0x306f) % 3 == 0;

	if (semi)
		return ha ? point + 2 : 0;
	if (in_row == 0x3046)
		return point + (0x3094 - 0x3046);
	if (ha || in_row == 0x309d)
		return point + 1;
	if ((in_row >= 0x304b && in_row <= 0x3061 && (in_row - 0x304b) % 2 == 0) ||
	    (in_row >= 0x3064 && in_row <= 0x3068 && in_row % 2 == 0))
		return point + 1;
	return 0;
}

/* If a mark of voicing follows, takes it and gives the kana with it. */
static uint32_t
compose(uint32_t point, struct bytes text, size_t *at)
{
	size_t behind = *at;
	uint32_t mark;
	uint32_t whole;
	bool semi;

	point = full_width(point);
	if (behind == text.size)
		return point;
	mark = decode(text, &behind);
	semi = mark == MARK_SEMI_VOICED || mark == HALF_SEMI_VOICED || mark == 0x309c;
	if (!semi && mark != MARK_VOICED && mark != HALF_VOICED && mark != 0x309b)
		return point;
	whole = voiced(point, semi);
	if (whole == 0)
		return point;
	*at = behind;
	return whole;
}

static void
put(struct text *text, uint32_t symbol)
{
	if (text->count == TEXT_MAX)
		text->too_long = true;
	else
		text->symbols[text->count++] = (uint16_t)symbol;
}

static void
put_expanded(struct text *text, uint32_t index)
{
	if (index >= BASE_EXPANSIONS)
		return;
	for (uint32_t i = base_starts[index]; i < base_starts[index + 1]; i++)
		put(text, base_expanded[i]);
}

/* A character beyond the first plane: its class in there, or a pair of surrogates. */
static void
put_beyond(struct text *text, uint32_t point)
{
	size_t low = 0;
	size_t high = active.beyond_count;

	if (point >= 0xe0000) /* selectors and tags */
		return;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (active.beyond[2 * middle] < point)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < active.beyond_count && active.beyond[2 * low] == point) {
		put(text, active.beyond[2 * low + 1]);
		return;
	}
	put(text, 0xd800u + ((point - 0x10000u) >> 10));
	put(text, 0xdc00u + ((point - 0x10000u) & 0x3ffu));
}

void
fold(struct bytes value, enum fold_form form, struct text *ret_text)
{
	ret_text->count = 0;
	ret_text->too_long = false;
	fold_more(value, form, ret_text);
}

/* Whether what stands at the place may begin with a mark of voicing. */
static bool
may_be_mark(struct bytes value, size_t at)
{
	const uint8_t *data = value.data + at;

	if (at == value.size || data[0] < 0xe3)
		return false;
	/* U+3099 to U+309C; the half-width ones are among U+FFxx. */
	return data[0] == 0xef ||
	    (data[0] == 0xe3 && value.size - at >= 3 && data[1] == 0x82 && data[2] >= 0x99);
}

/*
 * Plain ASCII, kanji, and kana that no mark follows: what nearly all text is. Ends where something else begins, or
 * where a symbol stands for several.
 */
static size_t
fold_plain(struct bytes value, size_t at, const uint16_t *symbols, struct text *text)
{
	size_t count = text->count;

	while (at < value.size && count < TEXT_MAX) {
		const uint8_t *data = value.data + at;
		uint32_t symbol;
		size_t size = 1;

		if (data[0] < 0x80) {
			symbol = symbols[data[0]];
		} else if (data[0] >= 0xe3 && data[0] <= 0xe9 && value.size - at >= 3 &&
		    ((data[1] ^ 0x80u) | (data[2] ^ 0x80u)) < 0x40 &&
		    (data[0] != 0xe3 || !may_be_mark(value, at + 3))) {
			symbol = symbols[(data[0] & 0x0fu) << 12 | (data[1] & 0x3fu) << 6 |
			    (data[2] & 0x3fu)];
			size = 3;
		} else {
			break;
		}
		if (symbol >= BASE_EXPANSION && symbol < BASE_EXPANSION + BASE_EXPANSIONS)
			break;
		text->symbols[count] = (uint16_t)symbol;
		count += symbol != 0 ? 1 : 0;
		at += size;
	}
	text->count = count;
	return at;
}

const uint16_t *
fold_symbols(enum fold_form form)
{
	return active.symbols[form];
}

void
fold_more(struct bytes value, enum fold_form form, struct text *text)
{
	const uint16_t *symbols = active.symbols[form];

	for (size_t at = 0; at < value.size;) {
		uint32_t point;
		uint32_t symbol;

		at = fold_plain(value, at, symbols, text);
		if (at == value.size)
			break;
		point = decode(value, &at);
		if (is_kana(point))
			point = compose(point, value, &at);
		if (point > 0xffff) {
			put_beyond(text, point);
			continue;
		}
		symbol = symbols[point];
		if (symbol >= BASE_EXPANSION && symbol < BASE_EXPANSION + BASE_EXPANSIONS)
			put_expanded(text, symbol - BASE_EXPANSION);
		else if (symbol != 0)
			put(text, symbol);
	}
}

size_t
fold_utf8(const uint16_t *symbols, size_t count, size_t *at, uint8_t utf8[4])
{
	uint32_t point = symbols[(*at)++];

	if (point < 0x80) {
		utf8[0] = (uint8_t)point;
		return 1;
	}
	if (point < 0x800) {
		utf8[0] = (uint8_t)(0xc0 | point >> 6);
		utf8[1] = (uint8_t)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point >= 0xd800 && point < 0xdc00 && *at < count && symbols[*at] >= 0xdc00 &&
	    symbols[*at] < 0xe000) {
		point = 0x10000u + ((point - 0xd800u) << 10) + (symbols[(*at)++] - 0xdc00u);
		utf8[0] = (uint8_t)(0xf0 | point >> 18);
		utf8[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
		utf8[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		utf8[3] = (uint8_t)(0x80 | (point & 0x3f));
		return 4;
	}
	utf8[0] = (uint8_t)(0xe0 | point >> 12);
	utf8[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
	utf8[2] = (uint8_t)(0x80 | (point & 0x3f));
	return 3;
}
