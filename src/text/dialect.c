/*
 * Finding the separator: the one that cuts most lines into the same number of parts.
 *
 * Titles and totals have none or few, so it is not the average that counts but how many lines agree. Separators
 * between quotes are text.
 */
#include "text/text_internal.h"

#define LINES_MAX 200u

static const struct {
	uint8_t delimiter;
	const char *name;
} dialects[] = {{',', "comma"}, {'\t', "tab"}, {';', "semicolon"}, {'|', "pipe"}};

const char *
dialect_name(uint8_t delimiter)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(dialects); i++) {
		if (dialects[i].delimiter == delimiter)
			return dialects[i].name;
	}
	return "none";
}

/* How many separators each line has. */
static size_t
count_lines(struct bytes text, bool at_end, uint8_t delimiter, uint16_t counts[LINES_MAX])
{
	size_t lines = 0;
	uint16_t count = 0;
	bool quoted = false;
	bool empty = true;

	for (size_t i = 0; i < text.size && lines < LINES_MAX; i++) {
		uint8_t byte = text.data[i];

		if (byte == '"')
			quoted = !quoted;
		if (!quoted && (byte == '\n' || byte == '\r')) {
			if (!empty)
				counts[lines++] = count;
			count = 0;
			empty = true;
			continue;
		}
		empty = false;
		if (!quoted && byte == delimiter && count < LIST_COLUMNS_MAX)
			count++;
	}
	if (at_end && !empty && lines < LINES_MAX)
		counts[lines++] = count;
	return lines;
}

/* How many lines agree on some number of separators above none. */
static size_t
agreeing(const uint16_t *counts, size_t lines)
{
	uint16_t tally[LIST_COLUMNS_MAX + 1] = {0};
	size_t most = 0;

	for (size_t i = 0; i < lines; i++)
		tally[counts[i]]++;
	for (size_t i = 1; i <= LIST_COLUMNS_MAX; i++)
		most = tally[i] > most ? tally[i] : most;
	return most;
}

uint8_t
dialect_find(struct bytes text, bool at_end)
{
	uint8_t best = ',';
	size_t most = 0;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(dialects); i++) {
		uint16_t counts[LINES_MAX];
		size_t lines = count_lines(text, at_end, dialects[i].delimiter, counts);
		size_t agree = agreeing(counts, lines);

		if (agree > most) {
			best = dialects[i].delimiter;
			most = agree;
		}
	}
	return best;
}
