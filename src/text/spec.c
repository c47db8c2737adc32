/*
 * The map of columns, as it is written: FIELD=ITEM[+ITEM…],… where an item is a header's name, #N, or @FROM-TO; and for
 * fixed widths @N alone, the cells of a record.
 *
 * Errors name parts of the map by their place: a name in it may be a person's, where a list has no header.
 */
#include "text/spec.h"

#include <string.h>

/* Cuts text at the first byte `at`; returns what is before it and leaves what is behind it. */
static struct bytes
cut_at(struct bytes *text, char at, bool *ret_cut)
{
	const uint8_t *found = text->size == 0 ? NULL : memchr(text->data, at, text->size);
	struct bytes before = *text;

	*ret_cut = found != NULL;
	if (found == NULL) {
		*text = bytes_make(NULL, 0);
		return before;
	}
	before.size = (size_t)(found - text->data);
	text->data = found + 1;
	text->size -= before.size + 1;
	return before;
}

static uint8_t
lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

bool
spec_read_field(struct bytes text, char name[FIELD_NAME_MAX], unsigned int *ret_field)
{
	text = text_trim(text);
	if (text.size == 0 || text.size >= FIELD_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++)
		name[i] = (char)lower(text.data[i]);
	name[text.size] = '\0';
	if (strlen(name) != text.size)
		return false;
	if (field_parse(name, ret_field))
		return true;
	*ret_field = FIELD_X_FIRST;
	return field_is_x_name(name);
}

bool
spec_same_name(struct bytes a, struct bytes b)
{
	a = text_trim(a);
	b = text_trim(b);
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	}
	return true;
}

/* Digits and nothing else, at most so much; false for nothing. */
static bool
read_number(struct bytes text, uint32_t most, uint32_t *ret_number)
{
	uint32_t number = 0;

	if (text.size == 0 || text.size > 7)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (text.data[i] - '0');
	}
	*ret_number = number;
	return number > 0 && number <= most;
}

static bool
read_item(struct bytes text, struct spec_item *item)
{
	text = text_trim(text);
	*item = (struct spec_item){.kind = SPEC_NAME, .name = text};
	if (text.size == 0)
		return false;
	if (text.data[0] == '#') {
		item->kind = SPEC_COLUMN;
		return read_number(
		    bytes_make(text.data + 1, text.size - 1), LIST_COLUMNS_MAX, &item->from);
	}
	if (text.data[0] == '@') {
		struct bytes to = bytes_make(text.data + 1, text.size - 1);
		bool cut;
		struct bytes from = cut_at(&to, '-', &cut);

		item->kind = SPEC_CELLS;
		if (!read_number(from, LIST_RECORD_MAX / 4, &item->from))
			return false;
		item->to = item->from;
		return !cut ||
		    (read_number(to, LIST_RECORD_MAX / 4, &item->to) && item->to >= item->from);
	}
	return true;
}

/* FIELD=ITEM[+ITEM…] */
static enum az_status
read_part(struct bytes text, size_t number, struct spec_part *part, struct az_err *reterr)
{
	bool more = false;
	struct bytes left = cut_at(&text, '=', &more);

	*part = (struct spec_part){.number = number};
	if (!more && text_trim(left).size > 0 && text_trim(left).data[0] == '@') {
		struct bytes size = text_trim(left);

		if (read_number(bytes_make(size.data + 1, size.size - 1), LIST_RECORD_MAX / 4,
			&part->record_size))
			return AZ_OK;
	}
	if (!more || !spec_read_field(left, part->name, &part->field))
		return az_fail(
		    reterr, AZ_INVALID, "part %zu of --columns is not FIELD=HEADER", number);
	while (more) {
		if (part->count == COLUMNS_JOINED_MAX)
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns joins more than %u columns", number,
			    COLUMNS_JOINED_MAX);
		if (!read_item(cut_at(&text, '+', &more), &part->items[part->count]))
			return az_fail(
			    reterr, AZ_INVALID, "part %zu of --columns names no column", number);
		part->count++;
	}
	return AZ_OK;
}

enum az_status
spec_next(struct spec_reader *reader, struct spec_part *ret_part, struct az_err *reterr)
{
	if (!reader->more)
		return AZ_NOT_FOUND;
	return read_part(
	    cut_at(&reader->rest, ',', &reader->more), ++reader->count, ret_part, reterr);
}

void
spec_begin(struct spec_reader *reader, const char *spec)
{
	*reader = (struct spec_reader){.rest = bytes_of(spec), .more = spec[0] != '\0'};
}

static enum az_status
add_cells(struct fixed_layout *layout, const struct spec_part *part, struct az_err *reterr)
{
	for (size_t i = 0; i < part->count; i++) {
		if (part->items[i].kind != SPEC_CELLS)
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns is no place (@FROM-TO), and others are",
			    part->number);
		if (layout->count == LIST_COLUMNS_MAX)
			return az_fail(reterr, AZ_INVALID, "--columns names too many places");
		layout->parts[layout->count++] =
		    (struct fixed_part){.from = part->items[i].from, .to = part->items[i].to};
	}
	return AZ_OK;
}

enum az_status
spec_fixed(
    const char *spec, struct fixed_layout *ret_layout, bool *ret_is_fixed, struct az_err *reterr)
{
	struct fixed_layout layout = {0};
	struct spec_reader reader;
	struct spec_part part;
	enum az_status status;

	*ret_is_fixed = false;
	spec_begin(&reader, spec);
	while ((status = spec_next(&reader, &part, reterr)) == AZ_OK) {
		bool cells =
		    part.record_size > 0 || (part.count > 0 && part.items[0].kind == SPEC_CELLS);

		if (part.number > 1 && cells != *ret_is_fixed)
			return az_fail(reterr, AZ_INVALID,
			    "part %zu of --columns does not fit the others: places (@FROM-TO) "
			    "and names cannot be mixed",
			    part.number);
		*ret_is_fixed = cells;
		if (part.record_size > 0)
			layout.size = part.record_size;
		else if (cells)
			status = add_cells(&layout, &part, reterr);
		if (status != AZ_OK)
			return status;
	}
	*ret_layout = layout;
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}
