/*
 * Finding the header: below titles, of one record or two, or none.
 *
 * A header is the first record in which at least two values are names that are known, or one, if there is one column. Two records make one header where
 * the first groups columns and the second names them ("氏名" over "姓" and "名"): the second then has known names
 * too, and the two fill each other's gaps. With a map that names columns, the header is the record that has those
 * names. Where no record is a header by that, a first record without anything that looks like a person's data, over
 * records that have it, is one with unknown names.
 */
#include <stdlib.h>
#include <string.h>

#include "text/spec.h"

#define KNOWN_LEAST 2u

static bool
is_known(struct bytes value)
{
	char name[FIELD_NAME_MAX];
	unsigned int field;
	struct word word;

	if (text_trim(value).size == 0)
		return false;
	if (spec_read_field(value, name, &field))
		return true;
	word = word_find(value);
	return word.kind == WORD_FIELD || word.kind == WORD_PART;
}

struct tally {
	size_t filled, known, data;
};

static struct tally
tally_of(const struct sample_record *record)
{
	struct tally tally = {0};

	for (size_t i = 0; i < record->count; i++) {
		if (text_trim(record->values[i]).size == 0)
			continue;
		tally.filled++;
		tally.known += is_known(record->values[i]) ? 1 : 0;
		tally.data += content_is_data(record->values[i]) ? 1 : 0;
	}
	return tally;
}

/* The number of values that most records have. */
static size_t
usual_width(const struct sample *sample)
{
	uint16_t tally[LIST_COLUMNS_MAX + 1] = {0};
	size_t width = 1;

	for (size_t i = 0; i < sample->count; i++)
		tally[sample->records[i].count]++;
	for (size_t i = 1; i <= LIST_COLUMNS_MAX; i++)
		width = tally[i] > tally[width] ? i : width;
	return width;
}

static bool
is_header(const struct sample_record *record, size_t least)
{
	struct tally tally = tally_of(record);

	return tally.known >= least && 2 * tally.data <= tally.known;
}

/* Whether the record has every name that the map asks for. False for a map without names. */
static bool
has_names(const struct sample_record *record, const char *spec)
{
	struct spec_reader reader;
	struct spec_part part;
	size_t names = 0;

	spec_begin(&reader, spec);
	while (spec_next(&reader, &part, NULL) == AZ_OK) {
		for (size_t i = 0; i < part.count; i++) {
			bool found = part.items[i].kind != SPEC_NAME;

			names += found ? 0 : 1;
			for (size_t c = 0; c < record->count && !found; c++)
				found = spec_same_name(record->values[c], part.items[i].name);
			if (!found)
				return false;
		}
	}
	return names > 0;
}

/* A first record of words over records of data. */
static bool
is_unknown_header(const struct sample *sample)
{
	const struct sample_record *first = &sample->records[0];
	const struct sample_record *second = &sample->records[1];
	struct tally tally;

	if (sample->count < 2 || first->count < 2)
		return false;
	tally = tally_of(first);
	/* Each column has a name, and none of the names is a value. */
	return tally.filled == first->count && tally.data == 0 && tally_of(second).data > 0;
}

/* Whether below is the second record of a header. */
static bool
continues(const struct sample_record *above, const struct sample_record *below)
{
	struct tally tally = tally_of(below);
	bool gap = false;

	for (size_t i = 0; i < below->count || i < above->count; i++) {
		bool over = i < above->count && text_trim(above->values[i]).size > 0;
		bool under = i < below->count && text_trim(below->values[i]).size > 0;

		gap = gap || over != under;
	}
	return gap && tally.known > 0 && tally.data == 0 && 2 * tally.known >= tally.filled;
}

static size_t
find_named(const struct sample *sample, const char *spec, size_t most)
{
	for (size_t i = 0; i < most; i++) {
		if (sample->records[i].refusal == REFUSAL_NONE &&
		    has_names(&sample->records[i], spec))
			return i;
	}
	return SIZE_MAX;
}

static size_t
find_known(const struct sample *sample, size_t most)
{
	/* A list of one column has no two names. */
	size_t least = usual_width(sample) == 1 ? 1 : KNOWN_LEAST;

	for (size_t i = 0; i < most; i++) {
		if (sample->records[i].refusal == REFUSAL_NONE &&
		    is_header(&sample->records[i], least))
			return i;
	}
	return SIZE_MAX;
}

/* --- names ------------------------------------------------------------------------------------ */

static struct bytes
value_at(const struct sample_record *record, size_t column)
{
	return column < record->count ? text_trim(record->values[column]) : bytes_make(NULL, 0);
}

/* The group above a column: the nearest name to the left, where cells were merged. */
static struct bytes
group_above(const struct sample_record *above, size_t column)
{
	for (size_t i = column + 1; i > 0; i--) {
		struct bytes group = value_at(above, i - 1);

		if (group.size > 0)
			return group;
	}
	return bytes_make(NULL, 0);
}

/*
 * The name of a column below a group: its own if that is known and the group is not about somebody else; else both
 * together.
 */
static enum az_status
put_name(struct header *header, const struct sample_record *above,
    const struct sample_record *below, size_t column)
{
	struct bytes own = value_at(below, column);
	struct bytes group = group_above(above, column);
	enum az_status status = AZ_OK;

	if (own.size == 0)
		return buffer_append(&header->text, value_at(above, column));
	if (group.size > 0 && (!is_known(own) || word_find(group).kind == WORD_SOMEBODY))
		status = buffer_append(&header->text, group);
	return status == AZ_OK ? buffer_append(&header->text, own) : status;
}

static enum az_status
take_names(struct header *header, const struct sample_record *records, struct az_err *reterr)
{
	size_t ends[LIST_COLUMNS_MAX];
	size_t start = 0;

	for (size_t i = 0; i < header->width; i++) {
		enum az_status status = header->count == 2
		    ? put_name(header, &records[0], &records[1], i)
		    : buffer_append(&header->text, value_at(&records[0], i));

		if (status != AZ_OK)
			return az_fail(reterr, status, "the header is too long");
		ends[i] = header->text.size;
	}
	/* The buffer no longer moves. */
	for (size_t i = 0; i < header->width; i++) {
		header->names[i] = bytes_make(header->text.data + start, ends[i] - start);
		start = ends[i];
	}
	return AZ_OK;
}

/* The last column that has a name, or a value below; writers of workbooks leave empty ones behind. */
static size_t
header_width(const struct sample *sample, size_t first, size_t count)
{
	size_t width = 0;

	for (size_t i = first; i < first + count; i++)
		width = sample->records[i].count > width ? sample->records[i].count : width;
	return width;
}

enum az_status
header_find(
    const struct sample *sample, const char *spec, struct header *ret_header, struct az_err *reterr)
{
	size_t most = sample->count < LIST_TITLES_MAX + 1 ? sample->count : LIST_TITLES_MAX + 1;
	size_t found = find_named(sample, spec, most);

	*ret_header = (struct header){0};
	buffer_init(&ret_header->text, LIST_RECORD_MAX, false);
	if (found == SIZE_MAX)
		found = find_known(sample, most);
	if (found == SIZE_MAX && is_unknown_header(sample))
		found = 0;
	if (found == SIZE_MAX) {
		ret_header->width = usual_width(sample);
		return AZ_OK;
	}
	ret_header->titles = found;
	ret_header->count = 1;
	if (found + 1 < sample->count && sample->records[found + 1].refusal == REFUSAL_NONE &&
	    !has_names(&sample->records[found], spec) &&
	    continues(&sample->records[found], &sample->records[found + 1]))
		ret_header->count = 2;
	ret_header->width = header_width(sample, found, ret_header->count);
	return take_names(ret_header, &sample->records[found], reterr);
}

void
header_fini(struct header *header)
{
	buffer_fini(&header->text);
}
