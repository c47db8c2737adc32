/*
 * Reading a list that is to be traced: each frame of intake's becomes a chunk of rows and of what they are looked for by.
 *
 * Intake has parsed hostile bytes, and could give a row another one's match keys, and so make it somebody's. So it sends none
 * here: they are made of the values by the threads, which have more hands than intake and the time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "custody/tracing.h"

#define SAMPLE_MAX  ((size_t)1 << 20) /* values looked at for whether a list is made up */
#define MADE_UP_MIN 20u               /* telephones from which on a list can look so */
#define MADE_UP_GAP 100u              /* steps up to which numbers are one behind the other */
#define NAMES_MIN   50u
#define NAMES_FEW   5u /* up to which many rows have names that were tried out */

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

/* What a frame's rows are looked for by, until it is known how much room they need. A thread's own. */
struct scratch {
	size_t rows, bytes, prints, phones, names;
	uint64_t phone_digits[INTAKE_ROWS_MAX]; /* what shows that a list is made up */
	uint64_t name_prints[INTAKE_ROWS_MAX];
	uint32_t row[INTAKE_ROWS_MAX];
	struct bytes encoded[INTAKE_ROWS_MAX]; /* in the frame */
	uint8_t count[INTAKE_ROWS_MAX];
	uint64_t print[INTAKE_ROWS_MAX * MATCH_KEYS_MAX];
	uint8_t kind[INTAKE_ROWS_MAX * MATCH_KEYS_MAX];
};

static enum az_status
malformed(struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "intake: a malformed frame of rows");
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

/* Makes what a row is looked for by. */
static void
make_prints(const struct trace_keys *trace_keys, const struct row *row, struct scratch *scratch)
{
	AZ_UNCLEARED struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth = false;
	bool has_phone = false;
	bool has_name = false;
	size_t count = match_row(row, keys, &bad_birth);
	size_t before = scratch->prints;

	for (size_t i = 0; i < count; i++) {
		struct bytes key = bytes_make(keys[i].key, keys[i].size);
		uint64_t print;

		if (!trace_has_kind(keys[i].kind))
			continue;
		print = trace_print_number(trace_keys, keys[i].kind, key);
		scratch->print[scratch->prints] = print;
		scratch->kind[scratch->prints++] = (uint8_t)keys[i].kind;
		if (keys[i].kind == MATCH_PHONE && !has_phone)
			scratch->phone_digits[scratch->phones++] = digits_of(key);
		if (keys[i].kind == MATCH_NAME && !has_name)
			scratch->name_prints[scratch->names++] = print;
		has_phone |= keys[i].kind == MATCH_PHONE;
		has_name |= keys[i].kind == MATCH_NAME;
		az_wipe(&keys[i], sizeof(keys[i]) - sizeof(keys[i].key) + keys[i].size);
	}
	scratch->count[scratch->rows] = (uint8_t)(scratch->prints - before);
}

/* Takes a frame apart. Whose rows they are is not intake's to say: it sends them without match keys. */
static enum az_status
read_frame(const struct trace_keys *trace_keys, struct bytes frame, struct scratch *scratch,
    struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;

	scratch->rows = 0;
	scratch->bytes = 0;
	scratch->prints = 0;
	scratch->phones = 0;
	scratch->names = 0;
	wire_reader_init(&reader, frame);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 10);
	for (uint32_t i = 0; i < count && !reader.failed; i++) {
		AZ_UNCLEARED struct intake_row row;
		AZ_UNCLEARED struct row values;

		intake_row_get(&reader, &row);
		if (reader.failed || row.key_count > 0 || row_decode(row.encoded, &values) != AZ_OK)
			return malformed(reterr);
		scratch->row[scratch->rows] = row.row;
		scratch->encoded[scratch->rows] = row.encoded;
		make_prints(trace_keys, &values, scratch);
		scratch->bytes += row.encoded.size;
		scratch->rows++;
	}
	return wire_end(&reader) ? AZ_OK : malformed(reterr);
}

static struct tracing_chunk *
chunk_new(const struct scratch *scratch)
{
	struct tracing_chunk *chunk = calloc(1, sizeof(*chunk));
	size_t rows = scratch->rows;
	size_t size = scratch->prints * (sizeof(uint64_t) + 1) + rows * (2 * sizeof(uint32_t) + 1) +
	    sizeof(uint32_t) + scratch->bytes;
	uint8_t *at;

	if (chunk == NULL)
		return NULL;
	chunk->verdicts = calloc(rows, sizeof(*chunk->verdicts));
	if (chunk->verdicts == NULL || !pages_new(size, &chunk->pages)) {
		free(chunk->verdicts);
		free(chunk);
		return NULL;
	}
	/* By falling alignment. */
	chunk->prints = chunk->pages.data;
	chunk->rows = (uint32_t *)(void *)(chunk->prints + scratch->prints);
	chunk->offsets = chunk->rows + rows;
	at = (uint8_t *)(chunk->offsets + rows + 1);
	chunk->kinds = at;
	chunk->counts = at + scratch->prints;
	chunk->encoded = chunk->counts + rows;
	chunk->count = rows;
	chunk->print_count = scratch->prints;
	memcpy(chunk->prints, scratch->print, scratch->prints * sizeof(*chunk->prints));
	memcpy(chunk->kinds, scratch->kind, scratch->prints);
	memcpy(chunk->rows, scratch->row, rows * sizeof(*chunk->rows));
	memcpy(chunk->counts, scratch->count, rows);
	chunk->offsets[0] = 0;
	for (size_t i = 0; i < rows; i++) {
		memcpy(chunk->encoded + chunk->offsets[i], scratch->encoded[i].data,
		    scratch->encoded[i].size);
		chunk->offsets[i + 1] = chunk->offsets[i] + (uint32_t)scratch->encoded[i].size;
	}
	return chunk;
}

/* Notes what shows that a list is made up. */
static void
sample(struct tracing *tracing, const struct scratch *scratch)
{
	(void)pthread_mutex_lock(&tracing->lock);
	for (size_t i = 0; i < scratch->phones && tracing->phone_count < SAMPLE_MAX; i++)
		tracing->phones[tracing->phone_count++] = scratch->phone_digits[i];
	for (size_t i = 0; i < scratch->names && tracing->name_count < SAMPLE_MAX; i++)
		tracing->names[tracing->name_count++] = scratch->name_prints[i];
	(void)pthread_mutex_unlock(&tracing->lock);
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
take_rows(struct tracing *tracing, size_t sequence, struct bytes frame, struct scratch *scratch,
    struct az_err *reterr)
{
	struct tracing_chunk *chunk;
	enum az_status status = read_frame(tracing->custody->trace_keys, frame, scratch, reterr);

	if (status == AZ_OK)
		status = count_rows(tracing, scratch->rows, 0, reterr);
	if (status != AZ_OK || scratch->rows == 0)
		return status;
	chunk = chunk_new(scratch);
	if (chunk == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	chunk->list = (uint32_t)tracing->list_count;
	sample(tracing, scratch);
	return place_chunk(tracing, sequence, chunk, reterr);
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
	struct pages scratch = {0};
	struct buffer rows;
	enum az_status status;

	if (!pages_new(sizeof(struct scratch), &scratch))
		return az_fail(reterr, AZ_NO_MEMORY, "trace: out of memory");
	buffer_init(&rows, INTAKE_BODY_MAX, true);
	do {
		size_t sequence = 0;

		status = next_rows(tracing, &rows, &sequence, reterr);
		if (status == AZ_OK && rows.size > 0)
			status =
			    take_rows(tracing, sequence, buffer_peek(&rows), scratch.data, reterr);
	} while (status == AZ_OK && rows.size > 0);
	buffer_fini(&rows);
	pages_free(&scratch);
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
are_few(const uint64_t *names, size_t count)
{
	uint64_t seen[NAMES_FEW];
	size_t distinct = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < distinct && seen[at] != names[i])
			at++;
		if (at < distinct)
			continue;
		if (distinct == NAMES_FEW)
			return false;
		seen[distinct++] = names[i];
	}
	return true;
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
