/*
 * The names of tiles and entry bundles (C2SP tlog-tiles):
 *
 *   tile/<level>/<number>[.p/<width>]        hashes; level 0 are the leaves
 *   tile/entries/<number>[.p/<width>]        entries, each behind its size as u16 big-endian
 *
 * The number is in groups of three digits, all but the last behind an x: 1234067 is x001/x234/067.
 */
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "ledger/evidence.h"

#define GROUPS_MAX 7u /* of three digits: 2^63 has 19 */

void
tile_path(unsigned int level, uint64_t number, unsigned int width, char path[TILE_PATH_MAX])
{
	unsigned int groups[GROUPS_MAX];
	unsigned int count = 0;
	size_t used;
	int size = level == TILE_ENTRIES ? snprintf(path, TILE_PATH_MAX, "tile/entries/")
					 : snprintf(path, TILE_PATH_MAX, "tile/%u/", level % 64u);

	do {
		groups[count++] = (unsigned int)(number % 1000);
		number /= 1000;
	} while (number > 0 && count < GROUPS_MAX);
	used = size > 0 ? (size_t)size : 0;
	while (count-- > 0) {
		size = snprintf(path + used, TILE_PATH_MAX - used, count > 0 ? "x%03u/" : "%03u",
		    groups[count]);
		used += size > 0 ? (size_t)size : 0;
	}
	if (width < TILE_WIDTH)
		(void)snprintf(path + used, TILE_PATH_MAX - used, ".p/%u", width);
}

/* Digits from *text on, at most max of them, as a number. */
static bool
take_digits(const char **text, unsigned int max, uint64_t *ret_number)
{
	uint64_t number = 0;
	unsigned int count = 0;

	while (count < max && **text >= '0' && **text <= '9') {
		number = number * 10 + (uint64_t)(**text - '0');
		(*text)++;
		count++;
	}
	*ret_number = number;
	return count > 0;
}

static bool
take_text(const char **text, const char *expected)
{
	size_t size = strlen(expected);

	if (strncmp(*text, expected, size) != 0)
		return false;
	*text += size;
	return true;
}

bool
tile_path_parse(
    const char *path, unsigned int *ret_level, uint64_t *ret_number, unsigned int *ret_width)
{
	const char *rest = path;
	uint64_t level = TILE_ENTRIES;
	uint64_t width = TILE_WIDTH;
	uint64_t number = 0;
	uint64_t group;
	char again[TILE_PATH_MAX];
	bool more = true;

	if (!take_text(&rest, "tile/"))
		return false;
	if (!take_text(&rest, "entries/") &&
	    (!take_digits(&rest, 1, &level) || level >= TILE_LEVELS || !take_text(&rest, "/")))
		return false;
	for (unsigned int i = 0; more; i++) {
		more = take_text(&rest, "x");
		if (i == GROUPS_MAX - 1 || !take_digits(&rest, 3, &group) ||
		    (more && !take_text(&rest, "/")))
			return false;
		number = number * 1000 + group;
	}
	if (take_text(&rest, ".p/") && !take_digits(&rest, 3, &width))
		return false;
	if (*rest != '\0' || width == 0 || width > TILE_WIDTH)
		return false;
	/* One spelling only: no other zeros, no ".p/256". */
	tile_path((unsigned int)level, number, (unsigned int)width, again);
	if (strcmp(again, path) != 0)
		return false;
	*ret_level = (unsigned int)level;
	*ret_number = number;
	*ret_width = (unsigned int)width;
	return true;
}

uint64_t
tile_count(unsigned int level, uint64_t size)
{
	return level == TILE_ENTRIES ? size : level < TILE_LEVELS ? size >> (8 * level) : 0;
}

bool
bundle_next(struct bytes *bundle, struct bytes *ret_entry)
{
	size_t size;

	if (bundle->size < 2)
		return false;
	size = wire_load_u16be(bundle->data);
	if (bundle->size - 2 < size)
		return false;
	*ret_entry = bytes_make(bundle->data + 2, size);
	*bundle = bytes_make(bundle->data + 2 + size, bundle->size - 2 - size);
	return true;
}
