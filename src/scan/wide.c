/*
 * Tokens in full-width characters, and in UTF-16.
 *
 * Around a place where the pass over the bytes saw such a character, what can belong to a token is folded to ASCII,
 * each character with the place it came from, and recognised there like anything else. Dashes are folded too:
 * Japanese numbers are written with half a dozen of them, the long-vowel mark among them.
 *
 *	UTF-8   EF BC 81 – EF BD 9E  full-width ASCII        CP932  81 xx, 82 xx
 *	        E3 80 80             blank                   EUC    A1 xx, A3 xx, 8E B0
 *	        E2 80 90 – 95, E2 88 92, E2 94 80, E3 83 BC, EF BD B0   dashes
 */
#include <string.h>

#include "scan/scan_internal.h"

#define FOLDED_MAX 640u
#define BACK_MAX   96u /* characters before the place */

/* One character as it stands in the file. */
struct folded_char {
	uint8_t ascii; /* 0: nothing that can be in a token */
	uint8_t size;  /* 0: the bytes have ended */
	bool wide;
};

/* --- one character ---------------------------------------------------------------------------- */

static bool
between(uint8_t byte, uint8_t first, uint8_t last)
{
	return byte >= first && byte <= last;
}

static uint8_t
fold_code(uint32_t code)
{
	if (code > 0x20 && code < 0x7f)
		return (uint8_t)code;
	if (code >= 0xff01 && code <= 0xff5e)
		return (uint8_t)(code - 0xfee0);
	if (code == 0x20 || code == 0x3000)
		return ' ';
	if ((code >= 0x2010 && code <= 0x2015) || code == 0x2212 || code == 0x2500 ||
	    code == 0x30fc || code == 0xff70)
		return '-';
	return 0;
}

static struct folded_char
char_utf8(const uint8_t *data, size_t size)
{
	uint32_t code;

	if (size < 3 || data[0] < 0xe0 || data[0] > 0xef || (data[1] & 0xc0) != 0x80 ||
	    (data[2] & 0xc0) != 0x80)
		return (struct folded_char){.size = 1};
	code =
	    (uint32_t)(data[0] & 0x0f) << 12 | (uint32_t)(data[1] & 0x3f) << 6 | (data[2] & 0x3fu);
	return (struct folded_char){.ascii = fold_code(code), .size = 3, .wide = true};
}

/* The row and cell of JIS X 0208, from 1, that both two-byte encodings are made of. */
static uint8_t
fold_jis(unsigned row, unsigned cell)
{
	if (row == 3) /* digits and letters lie as in ASCII */
		return (cell >= 16 && cell <= 25) || (cell >= 33 && cell <= 58) ||
			(cell >= 65 && cell <= 90)
		    ? (uint8_t)(cell + 0x20)
		    : 0;
	if (row != 1)
		return 0;
	switch (cell) {
	case 1: return ' ';
	case 4: return ',';
	case 5: return '.';
	case 18: return '_';
	case 28: /* ー */
	case 29: /* ― */
	case 30: /* ‐ */
	case 61: /* － */ return '-';
	case 42: return '(';
	case 43: return ')';
	case 60: return '+';
	case 87: return '@';
	default: return 0;
	}
}

static struct folded_char
char_cp932(const uint8_t *data, size_t size)
{
	unsigned lead = data[0];
	unsigned trail = size > 1 ? data[1] : 0;
	unsigned row, cell;

	if (lead == 0xb0)
		return (struct folded_char){.ascii = '-', .size = 1, .wide = true};
	if ((lead >= 0xa0 && lead <= 0xdf) || lead == 0x80 || lead > 0xfc || trail < 0x40 ||
	    trail == 0x7f || trail > 0xfc)
		return (struct folded_char){.size = 1};
	row = (lead - (lead > 0xdf ? 0xc1 : 0x81)) * 2 + 1;
	cell = trail - (trail > 0x7f ? 0x40 : 0x3f);
	if (cell > 94) {
		row++;
		cell -= 94;
	}
	return (struct folded_char){.ascii = fold_jis(row, cell), .size = 2, .wide = true};
}

static struct folded_char
char_euc(const uint8_t *data, size_t size)
{
	if (size > 1 && data[0] == 0x8e)
		return (struct folded_char){
		    .ascii = data[1] == 0xb0 ? '-' : 0, .size = 2, .wide = true};
	if (size < 2 || data[0] < 0xa1 || data[1] < 0xa1)
		return (struct folded_char){.size = 1};
	return (struct folded_char){
	    .ascii = fold_jis(data[0] - 0xa0u, data[1] - 0xa0u), .size = 2, .wide = true};
}

static struct folded_char
char_at(const uint8_t *data, size_t size, enum scan_script script)
{
	if (script == SCRIPT_UTF16LE || script == SCRIPT_UTF16BE) {
		if (size < 2)
			return (struct folded_char){0};
		return (struct folded_char){.size = 2,
		    .wide = true,
		    .ascii =
			fold_code(script == SCRIPT_UTF16LE ? data[0] | (uint32_t)data[1] << 8
							   : data[1] | (uint32_t)data[0] << 8)};
	}
	if (size == 0)
		return (struct folded_char){0};
	if (data[0] < 0x80)
		return (struct folded_char){.ascii = fold_code(data[0]), .size = 1};
	switch (script) {
	case SCRIPT_UTF8: return char_utf8(data, size);
	case SCRIPT_CP932: return char_cp932(data, size);
	case SCRIPT_EUC: return char_euc(data, size);
	case SCRIPT_UTF16LE:
	case SCRIPT_UTF16BE:
	case SCRIPT_NONE: break;
	}
	return (struct folded_char){.size = 1};
}

/* The character that ends before data[at], or one of size 0. A wide one is preferred where both readings are. */
static struct folded_char
char_before(const uint8_t *data, size_t at, enum scan_script script)
{
	bool pairs = script == SCRIPT_UTF16LE || script == SCRIPT_UTF16BE;
	size_t wide = script == SCRIPT_UTF8 ? 3 : 2;

	if (at >= wide) {
		struct folded_char before = char_at(data + at - wide, wide, script);

		if (before.size == wide && before.ascii != 0)
			return before;
	}
	/* An ASCII byte behind the first byte of a pair of CP932 is the second one. */
	if (script == SCRIPT_CP932 && at >= 2 && data[at - 1] >= 0x40 &&
	    (between(data[at - 2], 0x81, 0x9f) || between(data[at - 2], 0xe0, 0xfc)))
		return (struct folded_char){0};
	if (!pairs && at >= 1) {
		struct folded_char before = char_at(data + at - 1, 1, script);

		if (before.size == 1 && before.ascii != 0)
			return before;
	}
	return (struct folded_char){0};
}

/* --- which script ----------------------------------------------------------------------------- */

/* Most of what follows a digit does not: 月, 丁, 番. */
static bool
may_begin_dash(uint8_t byte)
{
	return byte == 0xe2 || byte == 0xe3 || byte == 0xef || byte == 0x81 || byte == 0xa1 ||
	    byte == 0x8e || byte == 0xb0;
}

/* A dash that is not ASCII begins at data[at]. */
static enum scan_script
dash_script(const uint8_t *data, size_t at, size_t end)
{
	static const enum scan_script scripts[] = {SCRIPT_UTF8, SCRIPT_CP932, SCRIPT_EUC};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(scripts); i++) {
		struct folded_char dash = char_at(data + at, end - at, scripts[i]);

		if (dash.wide && dash.ascii == '-')
			return scripts[i];
	}
	return SCRIPT_NONE;
}

#define AROUND_MAX 32u

/* How many foldable characters stand around data[at], the first byte of one; 0 if that is none. */
static size_t
count_around(const uint8_t *data, size_t at, size_t end, enum scan_script script)
{
	size_t count = 0;
	size_t before = at;

	for (size_t next = at; count < AROUND_MAX; count++) {
		struct folded_char folded = char_at(data + next, end - next, script);

		if (folded.size == 0 || folded.ascii == 0)
			break;
		next += folded.size;
	}
	for (size_t i = 0; count > 0 && i < AROUND_MAX; i++) {
		struct folded_char folded = char_before(data, before, script);

		if (folded.size == 0)
			break;
		before -= folded.size;
		count++;
	}
	return count;
}

/*
 * In which order UTF-16 is written, where a character begins at data[little] or else at data[big]. Read from the wrong
 * byte, a run has one character less, but for what happens to stand around it; where both are as long, characters begin
 * at even places, as they do in files that hold nothing else.
 */
static enum scan_script
order_of(const uint8_t *data, size_t little, size_t big, size_t end)
{
	size_t as_little = count_around(data, little, end, SCRIPT_UTF16LE);
	size_t as_big = count_around(data, big, end, SCRIPT_UTF16BE);

	if (as_little == as_big)
		return little % 2 == 0 ? SCRIPT_UTF16LE : SCRIPT_UTF16BE;
	return as_little > as_big ? SCRIPT_UTF16LE : SCRIPT_UTF16BE;
}

enum scan_script
scan_script_at(const uint8_t *data, size_t at, size_t end)
{
	uint8_t a = data[at];
	uint8_t b = at + 1 < end ? data[at + 1] : 0;
	uint8_t c = at + 2 < end ? data[at + 2] : 0;

	if (a == 0x20 && b == 0xff)
		return SCRIPT_UTF16LE;
	if (a < 0x80) {
		if (b == 0)
			return at == 0 ? SCRIPT_UTF16LE : order_of(data, at, at - 1, end);
		return may_begin_dash(b) ? dash_script(data, at + 1, end) : SCRIPT_NONE;
	}
	if (a == 0xef && b == 0xbc && (between(c, 0x90, 0x99) || c == 0xa0))
		return SCRIPT_UTF8;
	if ((a == 0x82 && between(b, 0x4f, 0x58)) || (a == 0x81 && b == 0x97))
		return SCRIPT_CP932;
	if ((a == 0xa3 && between(b, 0xb0, 0xb9)) || (a == 0xa1 && b == 0xf7))
		return SCRIPT_EUC;
	if (a == 0xff && (b == 0x20 || (between(b, 0x10, 0x19) && c == 0xff)))
		return at == 0 ? SCRIPT_UTF16BE : order_of(data, at - 1, at, end);
	return SCRIPT_NONE;
}

/* --- folding ---------------------------------------------------------------------------------- */

/* Characters of a token and what they came from. */
struct folded {
	uint8_t text[FOLDED_MAX];
	size_t places[FOLDED_MAX + 1];
	uint16_t wides[FOLDED_MAX + 1]; /* how many of the characters before are wide */
	size_t count;
	size_t from;
	const struct scan_sink *sink;
};

/* A token of the folded text: told where it came from, if any of it is wide. */
static void
take_folded(void *arg, enum scan_kind kind, size_t at, size_t size)
{
	struct folded *folded = arg;
	size_t begin = folded->places[at];

	if (folded->wides[at + size] != folded->wides[at] && begin >= folded->from)
		folded->sink->take(
		    folded->sink->arg, kind, begin, folded->places[at + size] - begin);
}

/* Folds from data[at] until something that cannot be in a token, or until it is full. Returns where it stopped. */
static size_t
fold(const uint8_t *data, size_t at, size_t end, enum scan_script script, struct folded *folded)
{
	folded->count = 0;
	folded->wides[0] = 0;
	folded->places[0] = at;
	while (folded->count < FOLDED_MAX) {
		struct folded_char next = char_at(data + at, end - at, script);
		size_t i = folded->count;

		if (next.size == 0 || next.ascii == 0)
			break;
		folded->text[i] = next.ascii;
		at += next.size;
		folded->places[i + 1] = at;
		folded->wides[i + 1] = (uint16_t)(folded->wides[i] + (next.wide ? 1 : 0));
		folded->count++;
	}
	return at;
}

static void
recognise(struct folded *folded, size_t limit)
{
	struct scan_sink sink = {.take = take_folded, .arg = folded};
	size_t digits = 0;

	for (size_t i = 0; i < limit; i++) {
		if (i >= digits && scan_is(folded->text[i], CLASS_DIGIT))
			digits = scan_numbers(folded->text, i, limit, folded->count, &sink);
		else if (folded->text[i] == '@')
			(void)scan_email(folded->text, i, folded->count, &sink);
	}
}

size_t
scan_wide(const uint8_t *data, size_t at, size_t from, size_t end, enum scan_script script,
    const struct scan_sink *sink)
{
	struct folded folded;
	size_t begin = at;
	size_t stop;

	/* The place may be the second byte of a unit. */
	if (script == (data[at] < 0x80 ? SCRIPT_UTF16BE : SCRIPT_UTF16LE))
		begin--;
	for (size_t i = 0; i < BACK_MAX; i++) {
		struct folded_char before = char_before(data, begin, script);

		if (before.size == 0)
			break;
		begin -= before.size;
	}
	folded.from = from;
	folded.sink = sink;
	stop = fold(data, begin, end, script, &folded);
	if (folded.count < FOLDED_MAX) {
		recognise(&folded, folded.count);
		return stop > at ? stop : at + 1;
	}
	/* More follows: tokens that begin in the second half are left to the next window. */
	recognise(&folded, FOLDED_MAX / 2);
	return folded.places[FOLDED_MAX / 2];
}
