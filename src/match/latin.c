/*
 * Addresses in Latin letters: letters and digits of all words one behind the other, with the usual abbreviations of
 * streets written out. Nothing is known of towns; the order of the words counts.
 */
#include "match/match_internal.h"

static const struct {
	const char *brief, *whole;
} words[] = {{"st", "street"}, {"str", "street"}, {"rd", "road"}, {"ave", "avenue"},
    {"av", "avenue"}, {"dr", "drive"}, {"pl", "place"}, {"ct", "court"}, {"crt", "court"},
    {"cl", "close"}, {"cct", "circuit"}, {"cres", "crescent"}, {"cr", "crescent"},
    {"tce", "terrace"}, {"ter", "terrace"}, {"pde", "parade"}, {"hwy", "highway"}, {"ln", "lane"},
    {"blvd", "boulevard"}, {"sq", "square"}, {"apt", "apartment"}, {"mt", "mount"}};

static bool
is_part(uint16_t symbol)
{
	return is_digit(symbol) || is_latin_letter(symbol) || (symbol > 0x7f && symbol != 0x30fb);
}

static void
put_word(struct text *text, const uint16_t *symbols, size_t size)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(words); i++) {
		size_t at = 0;

		while (at < size && words[i].brief[at] != '\0' &&
		    symbols[at] == (uint16_t)words[i].brief[at])
			at++;
		/* "St Kilda" begins with a saint: the first word is no street. */
		if (at == size && words[i].brief[at] == '\0' && text->count > 0) {
			for (const char *c = words[i].whole; *c != '\0' && text->count < TEXT_MAX;
			     c++)
				text->symbols[text->count++] = (uint16_t)*c;
			return;
		}
	}
	for (size_t i = 0; i < size && text->count < TEXT_MAX; i++)
		text->symbols[text->count++] = symbols[i];
}

bool
latin_read(const struct text *folded, struct place *ret_place)
{
	struct text *text = &ret_place->text;

	for (size_t i = 0; i < folded->count; i++) {
		if (folded->symbols[i] >= 0x2e80)
			return false;
	}
	text->count = 0;
	text->too_long = folded->too_long;
	for (size_t from = 0; from < folded->count;) {
		size_t end = from;

		while (end < folded->count && is_part(folded->symbols[end]))
			end++;
		if (end > from)
			put_word(text, folded->symbols + from, end - from);
		from = end + 1;
	}
	text->too_long |= text->count == TEXT_MAX;
	ret_place->city = NULL;
	ret_place->town = NULL;
	ret_place->extra_from = 0;
	ret_place->extra_to = text->count;
	ret_place->building_from = text->count;
	return true;
}
