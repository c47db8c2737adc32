/*
 * Names of people: kanji of one class are one, blanks and honorifics are none, and 々 repeats what stands before it.
 * No reading is guessed.
 */
#include <string.h>

#include "match/match_internal.h"

#define REPEAT 0x3005u /* 々 */
#define SAMA   0x69d8u /* 様 */
#define DONO   0x6bbfu /* 殿 */
#define MIDDLE 0x30fbu /* ・ */
#define ON     0x5fa1u /* 御中 */
#define CHU    0x4e2du

/* Before a Latin name. */
static const char *const titles[] = {"mr", "mrs", "ms", "miss", "dr", "prof"};

bool
name_is_title(const uint16_t *symbols, size_t size)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(titles); i++) {
		size_t at = 0;

		while (at < size && titles[i][at] != '\0' && symbols[at] == (uint16_t)titles[i][at])
			at++;
		if (at == size && titles[i][at] == '\0')
			return true;
	}
	return false;
}

/* Where the name begins behind a title, which is a word with another behind it. */
static size_t
behind_title(const struct text *text)
{
	size_t end = 0;
	size_t next;

	while (end < text->count && end < 5 && is_latin_letter(text->symbols[end]))
		end++;
	next = end;
	while (next < text->count && (text->symbols[next] == ' ' || text->symbols[next] == '.'))
		next++;
	return next > end && next < text->count && name_is_title(text->symbols, end) ? next : 0;
}

static size_t
before_honorific(const struct text *text, size_t from, size_t to)
{
	while (to > from && text->symbols[to - 1] == ' ')
		to--;
	if (to - from >= 3 && text->symbols[to - 2] == ON && text->symbols[to - 1] == CHU)
		to -= 2;
	else if (to - from >= 3 && (text->symbols[to - 1] == SAMA || text->symbols[to - 1] == DONO))
		to--;
	return to;
}

/* Whether a symbol of ASCII is one of a name. */
static bool
is_kept(uint16_t symbol)
{
	return symbol > 0x7f ? symbol != MIDDLE : is_digit(symbol) || is_latin_letter(symbol);
}

void
name_read(const struct row *row, struct text *ret_name)
{
	size_t from;
	size_t to;
	size_t count = 0;

	fold(row->values[FIELD_NAME], FOLD_NAME, ret_name);
	if (row->values[FIELD_NAME].size == 0) {
		fold_more(row->values[FIELD_SURNAME], FOLD_NAME, ret_name);
		fold_more(row->values[FIELD_GIVEN], FOLD_NAME, ret_name);
	}
	from = behind_title(ret_name);
	to = before_honorific(ret_name, from, ret_name->count);
	for (; from < to; from++) {
		uint16_t symbol = ret_name->symbols[from];

		if (!is_kept(symbol))
			continue;
		if (symbol == REPEAT && count > 0)
			symbol = ret_name->symbols[count - 1];
		ret_name->symbols[count++] = symbol;
	}
	ret_name->count = count;
}
