/*
 * Characters, and names of columns brought to one spelling.
 *
 * "ﾃﾞﾝﾜ ﾊﾞﾝｺﾞｳ（必須）", "電話番号" and "TEL." mean what they mean however they are typed. Folding takes width, case, kana
 * script, blanks and punctuation away and nothing else, so that the dictionary can be short.
 */
#include <string.h>

#include "text/text_internal.h"

uint32_t
text_point(struct bytes text, size_t *at)
{
	const uint8_t *data = text.data + *at;
	size_t left = text.size - *at;
	size_t size;
	uint32_t point;

	if (left == 0)
		return 0;
	if (data[0] < 0x80) {
		(*at)++;
		return data[0];
	}
	size = data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
	if (size > left || data[0] < 0xc0) {
		(*at)++;
		return 0;
	}
	point = data[0] & (size == 2 ? 0x1fu : size == 3 ? 0x0fu : 0x07u);
	for (size_t i = 1; i < size; i++)
		point = point << 6 | (data[i] & 0x3fu);
	*at += size;
	return point;
}

static bool
is_blank_at(struct bytes text, size_t at, size_t *ret_size)
{
	const uint8_t *data = text.data + at;

	*ret_size = 1;
	if (data[0] == ' ' || data[0] == '\t')
		return true;
	*ret_size = 3;
	return text.size - at >= 3 && data[0] == 0xe3 && data[1] == 0x80 && data[2] == 0x80;
}

struct bytes
text_trim(struct bytes text)
{
	size_t size;

	while (text.size > 0 && is_blank_at(text, 0, &size)) {
		text.data += size;
		text.size -= size;
	}
	while (text.size > 0) {
		if (is_blank_at(text, text.size - 1, &size))
			text.size--;
		else if (text.size >= 3 && is_blank_at(text, text.size - 3, &size) && size == 3)
			text.size -= 3;
		else
			break;
	}
	return text;
}

/* --- folding ---------------------------------------------------------------------------------- */

/* U+FF66 to U+FF9D as full-width katakana. */
static const uint16_t wide_kana[] = {0x30f2, 0x30a1, 0x30a3, 0x30a5, 0x30a7, 0x30a9, 0x30e3, 0x30e5,
    0x30e7, 0x30c3, 0x30fc, 0x30a2, 0x30a4, 0x30a6, 0x30a8, 0x30aa, 0x30ab, 0x30ad, 0x30af, 0x30b1,
    0x30b3, 0x30b5, 0x30b7, 0x30b9, 0x30bb, 0x30bd, 0x30bf, 0x30c1, 0x30c4, 0x30c6, 0x30c8, 0x30ca,
    0x30cb, 0x30cc, 0x30cd, 0x30ce, 0x30cf, 0x30d2, 0x30d5, 0x30d8, 0x30db, 0x30de, 0x30df, 0x30e0,
    0x30e1, 0x30e2, 0x30e4, 0x30e6, 0x30e8, 0x30e9, 0x30ea, 0x30eb, 0x30ec, 0x30ed, 0x30ef, 0x30f3};

/* Width, script and case taken away. */
static uint32_t
plain(uint32_t point)
{
	if (point >= 0xff01 && point <= 0xff5e)
		point -= 0xfee0;
	if (point >= 0xff66 && point <= 0xff9d)
		return wide_kana[point - 0xff66];
	if (point >= 0x3041 && point <= 0x3096)
		return point + 0x60;
	if (point >= 0x2460 && point <= 0x2468)
		return '1' + (point - 0x2460);
	if (point >= 'A' && point <= 'Z')
		return point - 'A' + 'a';
	return point;
}

static bool
is_dropped(uint32_t point)
{
	if (point < 0x80)
		return !((point >= 'a' && point <= 'z') || (point >= '0' && point <= '9'));
	return (point >= 0x2010 && point <= 0x206f) || (point >= 0x25a0 && point <= 0x2606) ||
	    (point >= 0x3000 && point <= 0x3003) || (point >= 0x3008 && point <= 0x3011) ||
	    (point >= 0x3014 && point <= 0x301f) || point == 0x30fb || point == 0xff65 ||
	    point == 0x2212 || point == 0xfeff || point == 0xa0;
}

/* Voices the kana before a mark: the voiced form is the next character, the half-voiced one behind it. */
static bool
voice(uint32_t *before, uint32_t mark)
{
	bool half = mark == 0xff9f || mark == 0x309a || mark == 0x309c;

	if (!half && mark != 0xff9e && mark != 0x3099 && mark != 0x309b)
		return false;
	if (half && *before >= 0x30cf && *before <= 0x30db)
		*before += 2;
	else if (!half && *before >= 0x30ab && *before <= 0x30db)
		*before += 1;
	return true;
}

struct folding {
	char *text;
	size_t size;
	bool full;
};

static void
put(struct folding *folding, uint32_t point)
{
	uint8_t bytes[4];
	size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	if (point == 0)
		return;
	for (size_t i = size; i > 1; i--) {
		bytes[i - 1] = (uint8_t)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	bytes[0] = (uint8_t)(size == 1 ? point : (0xf00u >> size & 0xf0u) | point);
	if (folding->size + size >= FOLD_MAX) {
		folding->full = true;
		return;
	}
	memcpy(folding->text + folding->size, bytes, size);
	folding->size += size;
}

bool
fold_name(struct bytes name, char folded[FOLD_MAX])
{
	struct folding folding = {.text = folded};
	uint32_t before = 0;
	size_t at = 0;

	while (at < name.size) {
		uint32_t raw = text_point(name, &at);
		uint32_t point = plain(raw);

		if (voice(&before, raw))
			continue;
		if (is_dropped(point))
			continue;
		put(&folding, before);
		before = point;
		/* № and ℡ are two and three letters. */
		if (point == 0x2116) {
			put(&folding, 'n');
			before = 'o';
		} else if (point == 0x2121) {
			put(&folding, 't');
			put(&folding, 'e');
			before = 'l';
		}
	}
	put(&folding, before);
	folded[folding.size] = '\0';
	return !folding.full;
}
