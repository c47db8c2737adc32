/*
 * A place in a run of digits, where it is asked whether a number begins: what cards.c, phones.c and numbers.c share.
 */
#ifndef AZ_SCAN_PLACE_INTERNAL_H
#define AZ_SCAN_PLACE_INTERNAL_H

#include "scan/scan_internal.h"

#define GROUPS_MATCH 6u /* no number has more */
#define DIGITS_MAX   20u

struct group {
	size_t at;
	uint32_t size;
	uint8_t before[2]; /* the separators before it; zeros at the start of a run */
};

/* Where it is asked whether a number begins: groups[0] and what follows. */
struct place {
	const uint8_t *data;
	size_t end;
	const struct group *groups;
	size_t count; /* at most GROUPS_MATCH are of interest */
};

/* The digits of the first groups, as values. */
struct digits {
	uint8_t values[DIGITS_MAX];
	size_t count;
};

/* A number at the place: how many groups it takes, after telling the sink of it; 0 if there is none. */
size_t scan_match_checked(const struct place *place, const struct scan_sink *sink);
size_t scan_match_phone(const struct place *place, const struct scan_sink *sink);

/* --- groups ----------------------------------------------------------------------------------- */

static inline size_t
group_end(const struct group *group)
{
	return group->at + group->size;
}

/* The first k groups, if they fit. */
static inline bool
digits_of(const struct place *place, size_t k, struct digits *ret_digits)
{
	ret_digits->count = 0;
	for (size_t i = 0; i < k; i++) {
		if (place->groups[i].size > DIGITS_MAX - ret_digits->count)
			return false;
		for (uint32_t j = 0; j < place->groups[i].size; j++)
			ret_digits->values[ret_digits->count++] =
			    (uint8_t)(place->data[place->groups[i].at + j] - '0');
	}
	return true;
}

static inline size_t
count_of(const struct place *place, size_t k)
{
	size_t count = 0;

	for (size_t i = 0; i < k; i++)
		count += place->groups[i].size;
	return count;
}

static inline bool
sizes_are(const struct place *place, const uint8_t *sizes, size_t k)
{
	if (place->count < k)
		return false;
	for (size_t i = 0; i < k; i++) {
		if (place->groups[i].size != sizes[i])
			return false;
	}
	return true;
}

static inline bool
has_parenthesis(const struct group *group)
{
	return group->before[0] == '(' || group->before[0] == ')' || group->before[1] == '(' ||
	    group->before[1] == ')';
}

/* The separators between the first k groups are one and the same character, or parentheses. 0 if not. */
static inline uint8_t
separator_of(const struct place *place, size_t k)
{
	uint8_t separator = 0;

	for (size_t i = 1; i < k; i++) {
		const struct group *group = &place->groups[i];

		if (has_parenthesis(group))
			continue;
		if (group->before[1] != 0 || (separator != 0 && group->before[0] != separator))
			return 0;
		separator = group->before[0];
	}
	return separator != 0 ? separator : '(';
}

/* --- what stands beside it -------------------------------------------------------------------- */

#define NO_ASCII 0x80

/*
 * The byte before the first group, where the run begins with it; else 0. The second byte of a CP932 character is no
 * ASCII, though it may look so: the one of ド is an 'h'.
 */
static inline uint8_t
byte_before(const struct place *place)
{
	size_t at = place->groups[0].at;
	uint8_t lead;

	if (place->groups[0].before[0] != 0 || at == 0)
		return 0;
	lead = at > 1 && place->data[at - 1] >= 0x40 ? place->data[at - 2] : 0;
	return (lead > 0x80 && lead < 0xa0) || (lead >= 0xe0 && lead < 0xfd) ? NO_ASCII
									     : place->data[at - 1];
}

static inline uint8_t
byte_behind(const struct place *place, size_t k)
{
	size_t end = group_end(&place->groups[k - 1]);

	return end < place->end ? place->data[end] : 0;
}

/* Not joined to a group before it by a dash or point. */
static inline bool
is_free_of_groups_before(const struct place *place)
{
	uint8_t before = place->groups[0].before[0];

	return before != '-' && before != '.';
}

static inline bool
is_free_behind(const struct place *place, size_t k)
{
	uint8_t behind = byte_behind(place, k);

	if (scan_is(behind, CLASS_LETTER) || behind == '_' || behind == '@')
		return false;
	/* A dash or point counts only with digits behind it, which the next group is. */
	return place->count == k || (behind != '-' && behind != '.');
}

static inline bool
is_free(const struct place *place, size_t k)
{
	uint8_t before = byte_before(place);

	return is_free_of_groups_before(place) && !scan_is(before, CLASS_LETTER) && before != '_' &&
	    before != '+' && before != '.' && is_free_behind(place, k);
}

static inline void
report(const struct place *place, size_t k, enum scan_kind kind, const struct scan_sink *sink)
{
	size_t at = place->groups[0].at;

	sink->take(sink->arg, kind, at, group_end(&place->groups[k - 1]) - at);
}

#endif
