/*
 * Reading a list that is to be traced: each frame of intake's becomes a chunk of rows and of what they are looked for by.
 *
 * Intake has parsed hostile bytes. What it could do here is to give a row another one's match keys, and so make it
 * somebody's; so the keys of one row in CHECK_ONE_IN, taken at random, are made again, as for a list that is entrusted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "custody/tracing.h"

#define CHECK_ONE_IN 64u
#define SAMPLE_MAX   ((size_t)1 << 20) /* values looked at for whether a list is made up */
#define MADE_UP_MIN  20u               /* telephones from which on a list can look so */
#define MADE_UP_GAP  100u              /* steps up to which numbers are one behind the other */
#define NAMES_MIN    50u
#define NAMES_FEW    5u /* up to which many rows have names that were tried out */

void *
tracing_feed(void *arg)
{
	struct tracing *tracing = arg;
	struct reading_end end = tracing_end(tracing);
	uint8_t digest[SHA256_SIZE] = {0};
	struct az_err err = {0};
	enum az_status status;

	proc_give_way();
	status = reading_feed(&end, tracing->list_fd, tracing->pipe_fd,
	    tracing->custody->intake_identity, digest, &err);
	(void)pthread_mutex_lock(&tracing->lock);
	tracing->list_has_ended = true;
	tracing->list_status = status;
	tracing->list_err = err;
	memcpy(tracing->list_sha256, digest, sizeof(digest));
	(void)pthread_cond_broadcast(&tracing->changed);
	(void)pthread_mutex_unlock(&tracing->lock);
	/* Its end is the end of the list: the hash is there before intake can be done. */
	fd_close(&tracing->pipe_fd);
	loop_wake(tracing->custody->config.loop);
	return NULL;
}

/* --- chunks ----------------------------------------------------------------------------------- */

struct sizes {
	size_t rows, prints, bytes;
};

static enum az_status
malformed(struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "intake: a malformed frame of rows");
}

/* What a frame holds; checks its form. */
static enum az_status
measure(struct bytes frame, struct sizes *sizes, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;

	wire_reader_init(&reader, frame);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 10);
	for (uint32_t i = 0; i < count && !reader.failed; i++) {
		struct intake_row row;
		uint64_t fields;

		intake_row_get(&reader, &row);
		if (reader.failed || row_fields(row.encoded, &fields) != AZ_OK)
			return malformed(reterr);
		for (uint8_t k = 0; k < row.key_count; k++)
			sizes->prints += trace_has_kind(row.keys[k].kind);
		sizes->bytes += row.encoded.size;
		sizes->rows++;
	}
	return wire_end(&reader) ? AZ_OK : malformed(reterr);
}

static struct tracing_chunk *
chunk_new(const struct sizes *sizes)
{
	struct tracing_chunk *chunk = calloc(1, sizeof(*chunk));
	size_t size = sizes->prints * (sizeof(uint64_t) + 1) +
	    sizes->rows * (2 * sizeof(uint32_t) + 1) + sizeof(uint32_t) + sizes->bytes;
	uint8_t *at;

	if (chunk == NULL)
		return NULL;
	chunk->verdicts = calloc(sizes->rows, sizeof(*chunk->verdicts));
	if (chunk->verdicts == NULL || !pages_new(size, &chunk->pages)) {
		free(chunk->verdicts);
		free(chunk);
		return NULL;
	}
	/* By falling alignment. */
	chunk->prints = chunk->pages.data;
	chunk->rows = (uint32_t *)(void *)(chunk->prints + sizes->prints);
	chunk->offsets = chunk->rows + sizes->rows;
	at = (uint8_t *)(chunk->offsets + sizes->rows + 1);
	chunk->kinds = at;
	chunk->counts = at + sizes->prints;
	chunk->encoded = chunk->counts + sizes->rows;
	return chunk;
}

static void
add_row(const struct tracing *tracing, struct tracing_chunk *chunk, const struct intake_row *row)
{
	const struct trace_keys *keys = tracing->custody->trace_keys;
	uint32_t offset = chunk->offsets[chunk->count];

	memcpy(chunk->encoded + offset, row->encoded.data, row->encoded.size);
	chunk->rows[chunk->count] = row->row;
	for (uint8_t k = 0; k < row->key_count; k++) {
		enum match_kind kind = row->keys[k].kind;

		if (!trace_has_kind(kind))
			continue;
		chunk->prints[chunk->print_count] =
		    trace_print_number(keys, kind, row->keys[k].key);
		chunk->kinds[chunk->print_count++] = (uint8_t)kind;
		chunk->counts[chunk->count]++;
	}
	chunk->offsets[++chunk->count] = offset + (uint32_t)row->encoded.size;
}

/* The digits of a telephone's key. */
static uint64_t
digits_of(struct bytes key)
{
	uint64_t number = 0;

	for (size_t i = 1; i < key.size; i++) {
		if (key.data[i] >= '0' && key.data[i] <= '9')
			number = number * 10 + (key.data[i] - '0');
	}
	return number;
}

/* Notes what shows that a list is made up. Under the lock. */
static void
sample(struct tracing *tracing, const struct intake_row *row)
{
	for (uint8_t k = 0; k < row->key_count; k++) {
		if (row->keys[k].kind == MATCH_PHONE && tracing->phone_count < SAMPLE_MAX) {
			tracing->phones[tracing->phone_count++] = digits_of(row->keys[k].key);
			break;
		}
	}
	for (uint8_t k = 0; k < row->key_count; k++) {
		if (row->keys[k].kind == MATCH_NAME && tracing->name_count < SAMPLE_MAX)
			tracing->names[tracing->name_count++] = trace_print_number(
			    tracing->custody->trace_keys, MATCH_NAME, row->keys[k].key);
	}
}

static enum az_status
fill_chunk(
    struct tracing *tracing, struct tracing_chunk *chunk, struct bytes frame, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	uint32_t checks;

	random_bytes(&checks, sizeof(checks));
	checks %= CHECK_ONE_IN;
	wire_reader_init(&reader, frame);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 10);
	for (uint32_t i = 0; i < count; i++) {
		struct intake_row row;

		intake_row_get(&reader, &row);
		if (i % CHECK_ONE_IN == checks && !reading_keys_are_true(&row))
			return az_fail(reterr, AZ_FORGED,
			    "intake: row %u has match keys that are not its own", row.row);
		add_row(tracing, chunk, &row);
	}
	(void)pthread_mutex_lock(&tracing->lock);
	wire_reader_init(&reader, frame);
	(void)wire_get_count(&reader, INTAKE_ROWS_MAX, 10);
	for (uint32_t i = 0; i < count; i++) {
		struct intake_row row;

		intake_row_get(&reader, &row);
		sample(tracing, &row);
	}
	(void)pthread_mutex_unlock(&tracing->lock);
	return AZ_OK;
}

/* Puts the chunk of a frame into its place. */
static enum az_status
place_chunk(
    struct tracing *tracing, size_t sequence, struct tracing_chunk *chunk, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	(void)pthread_mutex_lock(&tracing->lock);
	while (status == AZ_OK && sequence >= tracing->chunk_room) {
		size_t before = tracing->chunk_room;

		status = tracing_grow(&tracing->chunks, before, &tracing->chunk_room,
		    sizeof(struct tracing_chunk *), reterr);
		if (status == AZ_OK)
			memset(tracing->chunks + before, 0,
			    (tracing->chunk_room - before) * sizeof(struct tracing_chunk *));
	}
	if (status == AZ_OK) {
		tracing->chunks[sequence] = chunk;
		if (sequence >= tracing->chunk_count)
			tracing->chunk_count = sequence + 1;
		tracing->bytes += chunk->pages.size;
		if (tracing->bytes > TRACING_BYTES_MAX)
			status = az_fail(reterr, AZ_LIMIT,
			    "trace: the lists need more than %zu MiB in memory",
			    TRACING_BYTES_MAX >> 20);
	} else {
		pages_free(&chunk->pages);
		free(chunk->verdicts);
		free(chunk);
	}
	(void)pthread_mutex_unlock(&tracing->lock);
	return status;
}

static enum az_status
count_rows(struct tracing *tracing, size_t accepted, size_t refused, struct az_err *reterr)
{
	struct tracing_list *list = &tracing->lists[tracing->list_count];
	uint64_t rows;

	(void)pthread_mutex_lock(&tracing->lock);
	list->accepted += (uint32_t)accepted;
	list->refused += (uint32_t)refused;
	list->rows = list->accepted + list->refused;
	rows = list->before + list->rows;
	(void)pthread_mutex_unlock(&tracing->lock);
	atomic_store(&tracing->done_of, rows);
	if (rows > tracing->rows_left)
		return az_fail(reterr, AZ_LIMIT,
		    "case %u: it allows %llu rows more, and the list has more", tracing->id,
		    (unsigned long long)tracing->rows_left);
	return AZ_OK;
}

static enum az_status
take_rows(struct tracing *tracing, size_t sequence, struct bytes frame, struct az_err *reterr)
{
	struct sizes sizes = {0};
	struct tracing_chunk *chunk;
	enum az_status status = measure(frame, &sizes, reterr);

	if (status == AZ_OK)
		status = count_rows(tracing, sizes.rows, 0, reterr);
	if (status != AZ_OK || sizes.rows == 0)
		return status;
	chunk = chunk_new(&sizes);
	if (chunk == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	chunk->list = (uint32_t)tracing->list_count;
	status = fill_chunk(tracing, chunk, frame, reterr);
	if (status == AZ_OK)
		return place_chunk(tracing, sequence, chunk, reterr);
	pages_free(&chunk->pages);
	free(chunk->verdicts);
	free(chunk);
	return status;
}

/* --- frames ----------------------------------------------------------------------------------- */

static enum az_status
take_columns(struct tracing *tracing, struct bytes body, struct az_err *reterr)
{
	struct tracing_list *list = &tracing->lists[tracing->list_count];
	struct wire_reader reader;
	uint32_t count;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, FIELD_COUNT, 5);
	for (uint32_t i = 0; i < count && !reader.failed; i++) {
		uint8_t field = wire_get_u8(&reader);
		char name[FIELD_NAME_MAX];
		unsigned int known;

		wire_get_text(&reader, name, sizeof(name));
		if (reader.failed || field >= FIELD_COUNT ||
		    (field_parse(name, &known) ? known != field
					       : !field_is_x_name(name) || field < FIELD_X_FIRST))
			return az_fail(reterr, AZ_FORGED, "intake: its columns are malformed");
		list->fields |= FIELD_BIT(field);
		if (field >= FIELD_X_FIRST)
			memcpy(list->x_names[field], name, sizeof(name));
	}
	(void)wire_get_u32(&reader);
	if (!wire_end(&reader) || tracing->has_columns)
		return az_fail(reterr, AZ_FORGED, "intake: its columns are malformed");
	tracing->has_columns = true;
	return AZ_OK;
}

static enum az_status
take_refused(struct tracing *tracing, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, INTAKE_BODY_MAX, 5);
	return count_rows(tracing, 0, count, reterr);
}

static enum az_status
take_done(struct tracing *tracing, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;

	wire_reader_init(&reader, body);
	tracing->told_rows = wire_get_u64(&reader);
	tracing->told_accepted = wire_get_u64(&reader);
	tracing->told_refused = wire_get_u64(&reader);
	if (!wire_end(&reader) || !tracing->has_columns)
		return az_fail(reterr, AZ_FORGED, "intake: its end is malformed");
	tracing->intake_is_done = true;
	return AZ_OK;
}

static enum az_status
take_frame(
    struct tracing *tracing, const struct frame *frame, struct buffer *rows, struct az_err *reterr)
{
	switch (frame->type) {
	case INTAKE_COLUMNS: return take_columns(tracing, frame->body, reterr);
	case INTAKE_REFUSED: return take_refused(tracing, frame->body, reterr);
	case INTAKE_DONE: return take_done(tracing, frame->body, reterr);
	case INTAKE_ERROR: return reading_failed(frame->body, reterr);
	case INTAKE_ROWS:
		buffer_clear(rows);
		if (!tracing->has_columns)
			return az_fail(reterr, AZ_FORGED, "intake: rows before columns");
		if (buffer_append(rows, frame->body) != AZ_OK)
			return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
		return AZ_OK;
	default: return az_fail(reterr, AZ_FORGED, "intake: a frame of no known type");
	}
}

/* The next frame of rows, copied; empty when there is none any more. */
static enum az_status
next_rows(struct tracing *tracing, struct buffer *rows, size_t *ret_sequence, struct az_err *reterr)
{
	struct reading_end end = tracing_end(tracing);
	enum az_status status = AZ_OK;

	buffer_clear(rows);
	(void)pthread_mutex_lock(&tracing->reading);
	while (status == AZ_OK && !tracing->intake_is_done && rows->size == 0) {
		struct frame frame;

		status = reading_receive(&end, &tracing->intake, &frame, reterr);
		if (status == AZ_OK)
			status = take_frame(tracing, &frame, rows, reterr);
	}
	if (status == AZ_OK && rows->size > 0)
		*ret_sequence = tracing->sequence++;
	if (status != AZ_OK)
		tracing->intake_is_done = true;
	(void)pthread_mutex_unlock(&tracing->reading);
	return status;
}

static enum az_status
read_rows(struct tracing_worker *worker, struct az_err *reterr)
{
	struct tracing *tracing = worker->tracing;
	struct buffer rows;
	enum az_status status;

	buffer_init(&rows, INTAKE_BODY_MAX, true);
	do {
		size_t sequence = 0;

		status = next_rows(tracing, &rows, &sequence, reterr);
		if (status == AZ_OK && rows.size > 0)
			status = take_rows(tracing, sequence, buffer_peek(&rows), reterr);
	} while (status == AZ_OK && rows.size > 0);
	buffer_fini(&rows);
	return status;
}

/* --- made up? --------------------------------------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *one = a;
	const uint64_t *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* Even where a list has a third of a town's telephones, the steps between them differ. */
bool
tracing_are_counted(uint64_t *numbers, size_t count)
{
	size_t steps[MADE_UP_GAP + 1] = {0};
	size_t distinct = 0;
	size_t most = 0;

	if (count < MADE_UP_MIN)
		return false;
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (size_t i = 1; i < count; i++) {
		uint64_t step = numbers[i] - numbers[i - 1];

		if (step == 0)
			continue;
		distinct++;
		if (step <= MADE_UP_GAP && ++steps[step] > most)
			most = steps[step];
	}
	return distinct + 1 >= MADE_UP_MIN && most * 10 >= distinct * 7;
}

/* Whether there is no more than a few names. */
static bool
are_few(uint64_t *names, size_t count)
{
	size_t distinct = 0;

	if (count > 1)
		qsort(names, count, sizeof(*names), compare_numbers);
	for (size_t i = 0; i < count && distinct <= NAMES_FEW; i++)
		distinct += i == 0 || names[i] != names[i - 1];
	return distinct <= NAMES_FEW;
}

/*
 * Whether somebody tries out who is here: telephones that were counted up, with no names of their own beside them; or a few
 * names with everything else.
 */
static bool
is_made_up(struct tracing *tracing)
{
	bool few = are_few(tracing->names, tracing->name_count);

	return few &&
	    (tracing->name_count >= NAMES_MIN ||
		tracing_are_counted(tracing->phones, tracing->phone_count));
}

/* --- the list --------------------------------------------------------------------------------- */

static enum az_status
wait_fed(struct tracing *tracing, enum az_status status, struct az_err *reterr)
{
	struct tracing_list *list = &tracing->lists[tracing->list_count];

	(void)pthread_mutex_lock(&tracing->lock);
	while (status == AZ_OK && !tracing->list_has_ended)
		(void)pthread_cond_wait(&tracing->changed, &tracing->lock);
	/* Where the file itself was at fault, what intake made of a part of it explains nothing. */
	if (tracing->list_has_ended && tracing->list_status != AZ_OK &&
	    (status == AZ_OK || tracing->list_status != AZ_GONE)) {
		status = tracing->list_status;
		*reterr = tracing->list_err;
	}
	memcpy(list->sha256, tracing->list_sha256, sizeof(list->sha256));
	(void)pthread_mutex_unlock(&tracing->lock);
	return status;
}

static enum az_status
check_counts(const struct tracing *tracing, struct az_err *reterr)
{
	const struct tracing_list *list = &tracing->lists[tracing->list_count];

	if (tracing->told_rows != list->rows || tracing->told_accepted != list->accepted ||
	    tracing->told_refused != list->refused)
		return az_fail(reterr, AZ_FORGED, "intake: its counts are not those of its rows");
	if (list->accepted == 0)
		return az_fail(reterr, AZ_INVALID, "the list has no row that can be read");
	for (size_t i = 0; i < tracing->chunk_count; i++) {
		if (tracing->chunks[i] != NULL && tracing->chunks[i]->list == tracing->list_count &&
		    tracing->chunks[i]->print_count > 0)
			return AZ_OK;
	}
	return az_fail(reterr, AZ_INVALID,
	    "the list has nothing that people are recognised by; say what its columns are with "
	    "--columns");
}

enum az_status
tracing_read(struct tracing *tracing, struct az_err *reterr)
{
	struct tracing_list *list = &tracing->lists[tracing->list_count];
	struct intake_start start = {.mode = INTAKE_TRACES};
	enum az_status status;

	memcpy(start.columns, tracing->columns, sizeof(start.columns));
	memcpy(start.password, tracing->password, sizeof(start.password));
	az_wipe(tracing->password, sizeof(tracing->password));
	tracing->phones = calloc(SAMPLE_MAX, sizeof(*tracing->phones));
	tracing->names = calloc(SAMPLE_MAX, sizeof(*tracing->names));
	link_init(&tracing->intake, tracing->intake_fd, LINK_NONBLOCKING, INTAKE_BODY_MAX,
	    INTAKE_START_MAX, true);
	tracing->intake_fd = -1;
	status = tracing->phones == NULL || tracing->names == NULL
	    ? az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory")
	    : reading_start(&tracing->intake, &start, reterr);
	az_wipe(&start, sizeof(start));
	if (status == AZ_OK)
		status = tracing_together(tracing, read_rows, reterr);
	status = wait_fed(tracing, status, reterr);
	if (status == AZ_OK)
		status = check_counts(tracing, reterr);
	/* Its end of the socket gone, intake ends too, whatever it is doing. */
	link_fini(&tracing->intake);
	if (status == AZ_OK)
		list->is_made_up = is_made_up(tracing);
	if (tracing->phones != NULL)
		az_wipe(tracing->phones, tracing->phone_count * sizeof(*tracing->phones));
	free(tracing->phones);
	free(tracing->names);
	tracing->phones = NULL;
	tracing->names = NULL;
	return status;
}
