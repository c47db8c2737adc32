/*
 * Numbers in ASCII.
 *
 * A run is digits in groups with one or two separators between two groups. The groups are read one after the other, and
 * at each of them it is asked, longest first, whether a number begins there; if so its groups are used up, else one is.
 * So the work is linear, and "03-1234-5678 090-1111-2222" gives two.
 */
#include "scan/place_internal.h"

#define GROUPS_MAX 12u /* read ahead */

/* Reads groups from data[at], a digit or a separator of the run. Returns where it stopped: the run's end, or at a digit. */
static size_t
groups_read(const uint8_t *data, size_t at, size_t end, struct group *groups, size_t *count)
{
	while (*count < GROUPS_MAX) {
		struct group *group = &groups[*count];
		size_t digits = at;
		size_t next;

		while (digits < end && scan_is(data[digits], CLASS_DIGIT))
			digits++;
		group->at = at;
		group->size = (uint32_t)(digits - at < UINT32_MAX ? digits - at : UINT32_MAX);
		(*count)++;
		next = digits;
		while (next < end && next - digits < 2 && scan_is(data[next], CLASS_SEPARATOR))
			next++;
		if (next == digits || next == end || !scan_is(data[next], CLASS_DIGIT))
			return digits;
		at = next;
		if (*count < GROUPS_MAX) {
			groups[*count].before[0] = data[digits];
			groups[*count].before[1] = next - digits == 2 ? data[digits + 1] : 0;
		}
	}
	return at;
}

/* The separators between data[start] and a group before it, if the run began earlier. */
static void
separators_before(const uint8_t *data, size_t start, uint8_t before[2])
{
	before[0] = before[1] = 0;
	if (start < 2 || !scan_is(data[start - 1], CLASS_SEPARATOR))
		return;
	if (scan_is(data[start - 2], CLASS_DIGIT)) {
		before[0] = data[start - 1];
	} else if (start > 2 && scan_is(data[start - 2], CLASS_SEPARATOR) &&
	    scan_is(data[start - 3], CLASS_DIGIT)) {
		before[0] = data[start - 2];
		before[1] = data[start - 1];
	}
}

size_t
scan_numbers(
    const uint8_t *data, size_t start, size_t limit, size_t end, const struct scan_sink *sink)
{
	struct group groups[GROUPS_MAX];
	size_t count = 0;
	size_t first = 0;
	size_t next = start;
	bool more = true;

	separators_before(data, start, groups[0].before);
	for (;;) {
		struct place place;
		size_t used;

		if (more && count - first <= GROUPS_MATCH) {
			count -= first;
			for (size_t i = 0; i < count; i++)
				groups[i] = groups[first + i];
			first = 0;
			if (count > 0) {
				groups[count].before[0] = data[group_end(&groups[count - 1])];
				groups[count].before[1] =
				    next - group_end(&groups[count - 1]) == 2 ? data[next - 1] : 0;
			}
			next = groups_read(data, next, end, groups, &count);
			more = next == end ? false : scan_is(data[next], CLASS_DIGIT);
		}
		if (first == count)
			return next;
		if (groups[first].at >= limit)
			return groups[first].at;
		place = (struct place){
		    .data = data, .end = end, .groups = groups + first, .count = count - first};
		used = scan_match_checked(&place, sink);
		if (used == 0)
			used = scan_match_phone(&place, sink);
		first += used > 0 ? used : 1;
	}
}
