/*
 * Folding, and the distance of two texts by bits.
 *
 * The distance is that of optimal string alignment, computed for a whole column of its table at a time (Hyyrö, "A
 * bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003): bit i of vp and vn says whether
 * the table grows or shrinks from row i to row i + 1. One word holds a pattern of up to 64 letters, which is why a
 * fold is cut there.
 */
#include "trace/fold.h"

#define KATAKANA_FROM_HIRAGANA 0x60u

/* The next code point of text at *at, which moves on; malformed bytes come one by one. */
static uint32_t
next_letter(struct bytes text, size_t *at)
{
	const uint8_t *data = text.data + *at;
	size_t left = text.size - *at;
	uint32_t letter = data[0];
	size_t size = letter < 0xc0 ? 1 : letter < 0xe0 ? 2 : letter < 0xf0 ? 3 : 4;

	if (size == 1 || size > left) {
		*at += 1;
		return letter;
	}
	letter &= 0xffu >> (size + 1);
	for (size_t i = 1; i < size; i++)
		letter = letter << 6 | (data[i] & 0x3fu);
	*at += size;
	return letter;
}

static bool
is_dash(uint32_t letter)
{
	return letter == '-' || (letter >= 0x2010 && letter <= 0x2015) || letter == 0x2212;
}

/* 0 for what separates words, UINT32_MAX for what is dropped. */
static uint32_t
fold_letter(uint32_t letter, bool kana)
{
	if (letter >= 0xff01 && letter <= 0xff5e)
		letter -= 0xff01 - 0x21;
	if (letter <= ' ' || letter == 0x3000 || letter == 0xa0 || letter == 0x30fb)
		return 0;
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A' + 'a';
	if (letter < 0x80 && !(letter >= 'a' && letter <= 'z') && !(letter >= '0' && letter <= '9'))
		return UINT32_MAX;
	if (is_dash(letter) || letter == 0x3001 || letter == 0x3002)
		return UINT32_MAX;
	if (kana && letter >= 0x3041 && letter <= 0x3096)
		return letter + KATAKANA_FROM_HIRAGANA;
	return letter;
}

static void
add(struct fold *fold, struct bytes text, bool kana)
{
	bool begins = true;

	for (size_t at = 0; at < text.size && fold->count < FOLD_MAX;) {
		uint32_t letter = fold_letter(next_letter(text, &at), kana);

		if (letter == 0) {
			begins = true;
			continue;
		}
		if (letter == UINT32_MAX)
			continue;
		/* Words beyond the last that is counted belong to it. */
		if (begins && fold->word_count < FOLD_WORDS_MAX)
			fold->words[fold->word_count++] = fold->count;
		begins = false;
		fold->letters[fold->count++] = letter;
	}
}

void
fold_add(struct fold *fold, struct bytes text)
{
	add(fold, text, false);
}

void
fold_add_kana(struct fold *fold, struct bytes text)
{
	add(fold, text, true);
}

const uint32_t *
fold_word(const struct fold *fold, size_t word, size_t *ret_count)
{
	size_t end = word + 1 < fold->word_count ? fold->words[word + 1] : fold->count;

	*ret_count = end - fold->words[word];
	return fold->letters + fold->words[word];
}

bool
fold_equal(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

/* The places of a letter in the pattern, a bit each. */
static uint64_t
places_of(const uint32_t *pattern, size_t count, uint32_t letter)
{
	uint64_t places = 0;

	for (size_t i = 0; i < count; i++)
		places |= (uint64_t)(pattern[i] == letter) << i;
	return places;
}

size_t
fold_distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	uint64_t vp = UINT64_MAX, vn = 0, d0 = 0, before = 0, last;
	size_t distance = a_count;

	if (a_count == 0 || b_count == 0)
		return a_count + b_count;
	last = UINT64_C(1) << (a_count - 1);
	for (size_t i = 0; i < b_count; i++) {
		uint64_t places = places_of(a, a_count, b[i]);
		uint64_t swapped = ((~d0 & places) << 1) & before;
		uint64_t hp, hn;

		d0 = ((((places & vp) + vp) ^ vp) | places | vn) | swapped;
		hp = vn | ~(d0 | vp);
		hn = d0 & vp;
		if ((hp & last) != 0)
			distance++;
		if ((hn & last) != 0)
			distance--;
		hp = hp << 1 | 1;
		hn <<= 1;
		vp = hn | ~(d0 | hp);
		vn = hp & d0;
		before = places;
	}
	return distance;
}

size_t
fold_numbers(struct bytes text, uint32_t *numbers, size_t max)
{
	size_t count = 0;
	bool inside = false;

	for (size_t at = 0; at < text.size;) {
		uint32_t letter = fold_letter(next_letter(text, &at), false);

		if (letter < '0' || letter > '9') {
			inside = false;
			continue;
		}
		if (!inside) {
			if (count == max)
				return count;
			numbers[count++] = 0;
			inside = true;
		}
		numbers[count - 1] = numbers[count - 1] * 10 + (letter - '0');
	}
	return count;
}
