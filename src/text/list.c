/*
 * A list: the readers put together, its header found, and its records given one by one.
 *
 * The first records are copied into a sample, in which the header and the columns are looked for; then they are given
 * again, without what is above them, and reading goes on behind them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/text_internal.h"

#define SAMPLE_BYTES (4u * 1024u * 1024u)

struct list {
	struct list_facts facts;
	struct columns columns;

	struct source *source; /* NULL: opened over a stream */
	struct decoder decoder;
	struct csv *csv;
	struct fixed *fixed;
	struct record_reader *reader;

	struct sample sample;
	struct buffer text;             /* what the sample's values point into */
	struct bytes *values;           /* of all sample's records */
	bool sampled_all;               /* the list ended within the sample */
	size_t given;                   /* of the sample */
	uint8_t first[COLUMN_NAME_MAX]; /* the header's first name, to find it repeated */
	size_t first_size;
	uint64_t number;
	struct list_record record;
};

/* --- the sample ------------------------------------------------------------------------------- */

static bool
is_empty(const struct list_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		if (record->values[i].size > 0)
			return false;
	}
	return record->refusal == REFUSAL_NONE;
}

/* The next record that is not empty. */
static enum az_status
read_record(struct list *list, const struct list_record **ret_record, struct az_err *reterr)
{
	enum az_status status;

	do {
		status = list->reader->next(list->reader, ret_record, reterr);
	} while (status == AZ_OK && is_empty(*ret_record));
	return status;
}

/* Copies a record; its values are offsets until the text no longer moves. */
static enum az_status
sample_add(struct list *list, const struct list_record *record)
{
	struct sample_record *to = &list->sample.records[list->sample.count++];

	to->refusal = record->refusal;
	to->repaired = record->repaired;
	to->place = record->place;
	to->count = record->count;
	for (size_t i = 0; i < record->count; i++) {
		enum az_status status = buffer_append(&list->text, record->values[i]);

		if (status != AZ_OK)
			return status;
	}
	return AZ_OK;
}

/* Sizes of the sample's values, in the order they were read. */
static enum az_status
read_sample(struct list *list, size_t (*sizes)[LIST_COLUMNS_MAX], struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (status == AZ_OK && list->sample.count < SAMPLE_RECORDS &&
	    list->text.size + LIST_RECORD_MAX < SAMPLE_BYTES) {
		const struct list_record *record = NULL;
		size_t index = list->sample.count;

		status = read_record(list, &record, reterr);
		if (status != AZ_OK)
			break;
		for (size_t i = 0; i < record->count; i++)
			sizes[index][i] = record->values[i].size;
		status = sample_add(list, record);
		if (status != AZ_OK)
			return az_fail(reterr, status, "the list: out of memory");
	}
	list->sampled_all = status == AZ_NOT_FOUND;
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static enum az_status
take_sample(struct list *list, struct az_err *reterr)
{
	size_t(*sizes)[LIST_COLUMNS_MAX] = calloc(SAMPLE_RECORDS, sizeof(*sizes));
	enum az_status status = AZ_NO_MEMORY;
	size_t total = 0;
	size_t at = 0;
	size_t next = 0;

	if (sizes == NULL)
		return az_fail(reterr, status, "the list: out of memory");
	status = read_sample(list, sizes, reterr);
	for (size_t r = 0; status == AZ_OK && r < list->sample.count; r++)
		total += list->sample.records[r].count;
	if (status == AZ_OK) {
		list->values = calloc(total + 1, sizeof(*list->values));
		if (list->values == NULL)
			status = az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	}
	for (size_t r = 0; status == AZ_OK && r < list->sample.count; r++) {
		struct sample_record *record = &list->sample.records[r];

		record->values = list->values + next;
		for (size_t i = 0; i < record->count; i++) {
			record->values[i] = bytes_make(list->text.data + at, sizes[r][i]);
			at += sizes[r][i];
		}
		next += record->count;
	}
	free(sizes);
	return status;
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum az_status
open_reader(struct list *list, const struct list_options *options, struct az_err *reterr)
{
	struct fixed_layout layout;
	bool is_fixed;
	enum az_status status = spec_fixed(options->spec, &layout, &is_fixed, reterr);

	if (status != AZ_OK)
		return status;
	if (list->reader != NULL)
		return is_fixed
		    ? az_fail(reterr, AZ_INVALID,
			  "--columns has places of fixed widths, and the list is a workbook")
		    : AZ_OK;
	if (is_fixed) {
		status = fixed_new(&list->decoder.stream, &layout, &list->fixed, reterr);
		if (status == AZ_OK)
			list->reader = fixed_reader(list->fixed);
		return status;
	}
	status = csv_new(&list->decoder.stream, 0, &list->csv, reterr);
	if (status == AZ_OK)
		list->reader = csv_reader(list->csv);
	return status;
}

static void
tell_wrapping(struct list_facts *facts, const struct unpack *unpack)
{
	enum wrapping wrappings[3];
	size_t count = unpack_wrappings(unpack, wrappings);
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = wrapping_name(wrappings[i]);

		if (name != NULL && used + 16 < sizeof(facts->wrapping))
			used += (size_t)snprintf(facts->wrapping + used,
			    sizeof(facts->wrapping) - used, "%s%s", used > 0 ? ", " : "", name);
	}
	facts->sheets = unpack_sheets(unpack);
}

/* A workbook says itself what its characters are. */
static const char *
encoding_of(const struct list *list)
{
	return list->csv == NULL && list->fixed == NULL ? encoding_name(ENCODING_UTF8)
							: encoding_name(list->decoder.encoding);
}

static const char *
dialect_of(const struct list *list)
{
	if (list->fixed != NULL)
		return "fixed width";
	return list->csv == NULL ? "workbook" : dialect_name(csv_delimiter(list->csv));
}

static void
tell_facts(struct list *list, const struct header *header)
{
	struct list_facts *facts = &list->facts;

	facts->bom = list->decoder.bom;
	facts->encoding = encoding_of(list);
	facts->dialect = dialect_of(list);
	if (list->source != NULL && source_unpack(list->source) != NULL)
		tell_wrapping(facts, source_unpack(list->source));
	facts->headers = (unsigned int)header->count;
	facts->titles = (unsigned int)header->titles;
	if (header->count > 0)
		facts->header = list->sample.records[header->titles].place;
}

static enum az_status
find_columns(struct list *list, const struct list_options *options, struct az_err *reterr)
{
	struct header header = {0};
	enum az_status status = header_find(&list->sample, options->spec, &header, reterr);

	if (status == AZ_OK)
		status =
		    columns_resolve(options->spec, &header, &list->sample, &list->columns, reterr);
	if (status == AZ_OK) {
		list->columns.pads = list->reader->pads;
		list->given = header.titles + header.count;
		if (header.count == 1 && header.width > 0) {
			list->first_size = strlen(list->columns.columns[0].name);
			memcpy(list->first, list->columns.columns[0].name, list->first_size);
		}
		tell_facts(list, &header);
	}
	header_fini(&header);
	return status;
}

/* NULL if there is no memory. */
static struct list *
list_new(struct az_err *reterr)
{
	struct list *list = calloc(1, sizeof(*list));

	if (list == NULL) {
		(void)az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
		return NULL;
	}
	buffer_init(&list->text, SAMPLE_BYTES, true);
	return list;
}

static enum az_status
open_text(struct list *list, struct stream *stream, const struct list_options *options,
    struct az_err *reterr)
{
	enum az_status status;

	decoder_init(&list->decoder, stream);
	status = open_reader(list, options, reterr);
	if (status == AZ_OK)
		status = take_sample(list, reterr);
	if (status == AZ_OK && list->sample.count == 0)
		status = az_fail(reterr, AZ_NOT_FOUND, "the list is empty");
	if (status == AZ_OK)
		status = find_columns(list, options, reterr);
	return status;
}

enum az_status
list_open_stream(struct stream *stream, const struct list_options *options, struct list **ret_list,
    struct az_err *reterr)
{
	struct list *list = list_new(reterr);
	enum az_status status;

	if (list == NULL)
		return AZ_NO_MEMORY;
	status = open_text(list, stream, options, reterr);
	if (status == AZ_OK)
		*ret_list = list;
	else
		list_close(&list);
	return status;
}

enum az_status
list_open(int fd, const struct list_options *options, struct list **ret_list, struct az_err *reterr)
{
	struct list *list = list_new(reterr);
	enum az_status status;

	if (list == NULL)
		return AZ_NO_MEMORY;
	status = source_open(fd, options->password, &list->source, reterr);
	if (status == AZ_OK) {
		list->reader = source_records(list->source);
		status = open_text(list, source_stream(list->source), options, reterr);
	}
	if (status == AZ_OK)
		*ret_list = list;
	else
		list_close(&list);
	return status;
}

void
list_close(struct list **list)
{
	if (*list == NULL)
		return;
	source_free(&(*list)->source);
	csv_free(&(*list)->csv);
	fixed_free(&(*list)->fixed);
	decoder_fini(&(*list)->decoder);
	buffer_fini(&(*list)->text);
	free((*list)->values);
	az_wipe(*list, sizeof(**list));
	free(*list);
	*list = NULL;
}

const struct list_facts *
list_facts_peek(const struct list *list)
{
	return &list->facts;
}

const struct columns *
list_columns_peek(const struct list *list)
{
	return &list->columns;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Files that were put one behind the other have their header again. */
static bool
is_header_again(const struct list *list, const struct list_record *record)
{
	if (list->first_size == 0 || record->count == 0 ||
	    record->values[0].size < list->first_size ||
	    !bytes_equal(text_trim(record->values[0]), bytes_make(list->first, list->first_size)))
		return false;
	for (size_t i = 1; i < record->count && i < list->columns.width; i++) {
		const char *name = list->columns.columns[i].name;

		/* A name may have been cut short. */
		if (strlen(name) + 4 < sizeof(list->columns.columns[i].name) &&
		    !bytes_equal(text_trim(record->values[i]), bytes_of(name)))
			return false;
	}
	return true;
}

enum az_status
list_next(struct list *list, const struct list_record **ret_record, struct az_err *reterr)
{
	struct list_record *record = &list->record;
	enum az_status status = AZ_OK;

	if (list->given < list->sample.count) {
		const struct sample_record *from = &list->sample.records[list->given++];

		record->refusal = from->refusal;
		record->repaired = from->repaired;
		record->place = from->place;
		record->count = from->count;
		for (size_t i = 0; i < from->count; i++)
			record->values[i] = from->values[i];
		*ret_record = record;
	} else if (list->sampled_all) {
		return AZ_NOT_FOUND;
	} else {
		status = read_record(list, ret_record, reterr);
		if (status != AZ_OK)
			return status;
	}
	list->facts.repaired += (*ret_record)->repaired ? 1 : 0;
	list->facts.encoding = encoding_of(list);
	list->number++;
	return status;
}

/* --- totals ----------------------------------------------------------------------------------- */

static bool
is_total_word(struct bytes value)
{
	static const char *const words[] = {"合計", "総計", "小計", "計", "総合計", "件数",
	    "総件数", "合計件数", "全件数", "全", "合計人数", "人数", "総人数", "以上", "total",
	    "subtotal", "grandtotal", "totalcount", "totalrecords", "records", "count", "sum",
	    "end", "eof"};
	static const char *const counters[] = {"件", "名", "人", "デス"};
	char folded[FOLD_MAX];
	size_t size;

	if (value.size > 64 || !fold_name(value, folded))
		return false;
	size = strlen(folded);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(counters); i++) {
		size_t length = strlen(counters[i]);

		if (size > length && strcmp(folded + size - length, counters[i]) == 0)
			folded[size -= length] = '\0';
	}
	while (size > 0 && folded[size - 1] >= '0' && folded[size - 1] <= '9')
		folded[--size] = '\0';
	for (size_t i = 0; i < AZ_ARRAY_SIZE(words); i++) {
		if (strcmp(folded, words[i]) == 0)
			return true;
	}
	return false;
}

/* Most rows begin with a digit, or have a value in most columns: neither is a total. */
static bool
is_total(const struct columns *columns, const struct list_record *record)
{
	size_t filled = 0;
	const struct bytes *first = NULL;

	for (size_t i = 0; i < record->count && filled <= 3; i++) {
		if (record->values[i].size == 0)
			continue;
		filled++;
		first = first == NULL ? &record->values[i] : first;
	}
	return first != NULL && filled <= 3 && (filled == 1 || 2 * filled <= columns->width + 1) &&
	    (first->data[0] < '0' || first->data[0] > '9') && is_total_word(*first);
}

bool
list_is_no_person(const struct list *list, const struct list_record *record)
{
	return record->refusal == REFUSAL_NONE &&
	    (is_total(&list->columns, record) || is_header_again(list, record));
}
