/*
 * Rows of a list, as the workers take them. For each frame of intake's:
 *
 *	decide   every row by itself: is it well formed, which record and version is it      side by side
 *	number   refuse what repeats a number, give new records theirs, count                in turn
 *	seal     seal each row for its place, hash it, make its tokens and fingerprints      side by side
 *	pass on  leaves into the tree, rows into the run, the frame to the vault             in turn
 *
 * Intake has parsed hostile bytes and is believed in nothing that can be checked: the form of a row, that its fields are
 * those of the columns, its number, and, of one row in CHECK_ONE_IN taken at random, every match key.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "custody/bulk.h"

#define PREPARE_AHEAD 8u  /* numbers */
#define CHECK_ONE_IN  64u /* rows whose match keys are made again, on average */
#define REFUSED_SIZE  5u

/* --- decide ----------------------------------------------------------------------------------- */

static enum az_status
malformed(const struct bulk_row *row, const char *what, struct az_err *reterr)
{
	return az_fail(reterr, AZ_FORGED, "intake: row %u %s", row->in.row, what);
}

/* The first value of an encoded row that has a number. */
static struct bytes
number_of(struct bytes encoded)
{
	return bytes_make(encoded.data + 5, wire_load_u16(encoded.data + 3));
}

static bool
is_key(const struct intake_key *key, const struct match_key *made)
{
	return key->kind == made->kind && bytes_equal(key->key, bytes_make(made->key, made->size));
}

/* Another number than the row's would put it under another person. */
static bool
number_is_true(const struct bulk_row *row)
{
	AZ_UNCLEARED struct match_key made;

	return match_number(number_of(row->in.encoded), &made) && is_key(&row->in.keys[0], &made);
}

static enum az_status
check_keys(struct bulk_worker *worker, const struct bulk_row *row, struct az_err *reterr)
{
	bool all = worker->checks == 0;

	if (all) {
		random_bytes(&worker->checks, sizeof(worker->checks));
		worker->checks %= 2 * CHECK_ONE_IN;
	} else {
		worker->checks--;
	}
	/* Who has no number is known by the keys: then all are made again. */
	if ((worker->bulk->join == 0 && !number_is_true(row)) ||
	    ((all || worker->bulk->join != 0) && !reading_keys_are_true(&row->in)))
		return malformed(row, "has match keys that are not its own", reterr);
	return AZ_OK;
}

/* The row in the client's numbering of "x:" fields, in worker->plain. */
static enum az_status
renumber(struct bulk_worker *worker, const struct bulk_row *row, struct az_err *reterr)
{
	const struct bulk *bulk = worker->bulk;
	struct row decoded;
	struct row moved = {0};
	enum az_status status = row_decode(row->in.encoded, &decoded);

	for (unsigned int field = 0; status == AZ_OK && field < FIELD_COUNT; field++) {
		if (decoded.values[field].size > 0)
			moved.values[bulk->x_bits[field]] = decoded.values[field];
	}
	buffer_clear(&worker->plain);
	if (status == AZ_OK)
		status = row_encode(&moved, &worker->plain);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: it is too large", row->in.row);
	return AZ_OK;
}

/* What is sealed: as intake made it, if its numbering is the client's. */
static enum az_status
translate(struct bulk_worker *worker, const struct bulk_row *row, struct bytes *ret_plain,
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (worker->bulk->x_are_moved)
		status = renumber(worker, row, reterr);
	*ret_plain = worker->bulk->x_are_moved ? buffer_peek(&worker->plain) : row->in.encoded;
	return status;
}

static enum az_status
decide_row(struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr)
{
	const struct bulk *bulk = worker->bulk;
	uint64_t fields = 0;
	struct bytes plain;
	enum az_status status;

	if (row->in.key_count == 0 || (row->in.keys[0].kind == MATCH_NUMBER) != (bulk->join == 0))
		return malformed(row, "has no number, or one too many", reterr);
	if (row_fields(row->in.encoded, &fields) != AZ_OK ||
	    ((fields & FIELD_BIT(FIELD_NUMBER)) == 0) != (bulk->join != 0))
		return malformed(row, "is malformed", reterr);
	if ((fields & ~bulk->columns_seen) != 0)
		return malformed(row, "has a field of no column", reterr);
	status = check_keys(worker, row, reterr);
	if (status == AZ_OK)
		status = translate(worker, row, &plain, reterr);
	if (status != AZ_OK)
		return status;
	row->placed = (struct catalogue_row){0};
	row->refusal = REFUSAL_NONE;
	row->doubtful = false;
	if (bulk->join == 0) {
		number_digest(&bulk->client_keys, row->in.keys[0].key, row->placed.number);
		memcpy(row->once, row->placed.number, sizeof(row->once));
	}
	content_digest(&bulk->client_keys, plain, row->placed.digest);
	return place_row(worker, row, reterr);
}

/* Room for so many rows in the worker's hands. */
static enum az_status
reserve(struct bulk_worker *worker, size_t count, struct az_err *reterr)
{
	struct bulk_row *rows;

	if (count <= worker->room)
		return AZ_OK;
	rows = reallocarray(worker->rows, count, sizeof(*rows));
	if (rows == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
	worker->rows = rows;
	worker->room = count;
	return AZ_OK;
}

static enum az_status
decide(struct bulk_worker *worker, struct az_err *reterr)
{
	struct wire_reader reader;
	enum az_status status;

	wire_reader_init(&reader, buffer_peek(&worker->frame));
	worker->count = wire_get_count(&reader, INTAKE_ROWS_MAX, 10);
	status = reserve(worker, worker->count, reterr);
	for (size_t i = 0; i < worker->count && status == AZ_OK; i++) {
		struct bulk_row *row = &worker->rows[i];

		intake_row_get(&reader, &row->in);
		if (reader.failed)
			break;
		status = decide_row(worker, row, reterr);
	}
	if (status == AZ_OK && !wire_end(&reader))
		status = az_fail(reterr, AZ_FORGED, "intake: a malformed frame of rows");
	return status;
}

/* --- number ----------------------------------------------------------------------------------- */

static enum az_status
refuse(struct bulk *bulk, uint32_t row, enum refusal reason, struct az_err *reterr)
{
	if (refusal_text(reason) == NULL)
		return az_fail(reterr, AZ_FORGED, "intake: a refusal without a reason");
	if (bulk->refusal_count < BULK_REFUSALS_MAX)
		bulk->refusals[bulk->refusal_count++] =
		    (struct bulk_refusal){.row = row, .reason = reason};
	bulk->consignment.refused++;
	bulk->consignment.rows++;
	return AZ_OK;
}

static enum az_status
refuse_row(struct bulk *bulk, struct bulk_row *row, enum refusal reason, struct az_err *reterr)
{
	row->fate = FATE_REFUSED;
	if (reason == REFUSAL_JOIN_UNKNOWN) {
		bulk->consignment.unknown++;
		bulk->refused_unknown++;
	}
	return refuse(bulk, row->in.row, reason, reterr);
}

static void
count_withdrawal(struct consignment *counts, const struct bulk_row *row)
{
	counts->withdrawn += row->withdrawal == WITHDRAWAL_DONE ? 1 : 0;
	counts->kept += row->withdrawal == WITHDRAWAL_KEPT ? 1 : 0;
	counts->unknown += row->withdrawal == WITHDRAWAL_UNKNOWN ? 1 : 0;
}

/* The next record. A withdrawal makes one as well, so that it holds for lists that come later. */
static enum az_status
number_record(struct bulk *bulk, struct bulk_row *row, struct az_err *reterr)
{
	if (bulk->next_record == UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "the house has used up its record numbers");
	row->placed.record = bulk->next_record++;
	bulk->consignment.new_records++;
	return AZ_OK;
}

static enum az_status
number_row(struct bulk *bulk, struct bulk_row *row, struct az_err *reterr)
{
	struct consignment *counts = &bulk->consignment;
	enum az_status status;

	if (row->refusal != REFUSAL_NONE)
		return refuse_row(bulk, row, row->refusal, reterr);
	status = number_set_add(&bulk->numbers, row->once);
	if (status == AZ_CONFLICT)
		return refuse_row(
		    bulk, row, bulk->join == 0 ? REFUSAL_DUPLICATE : REFUSAL_JOIN_TWICE, reterr);
	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: out of memory", row->in.row);
	if (row->placed.record == 0)
		status = number_record(bulk, row, reterr);
	if (status != AZ_OK)
		return status;
	counts->new_versions += row->fate == FATE_CHANGED ? 1 : 0;
	counts->unchanged += row->fate == FATE_UNCHANGED ? 1 : 0;
	if (row->fate == FATE_WITHDRAWN)
		count_withdrawal(counts, row);
	if (row->doubtful && bulk->doubt_count < BULK_REFUSALS_MAX)
		bulk->doubts[bulk->doubt_count++] = row->in.row;
	counts->doubtful += row->doubtful ? 1 : 0;
	counts->rows++;
	counts->accepted++;
	if ((row->in.flags & INTAKE_FLAG_BIRTH) != 0)
		counts->bad_births++;
	return AZ_OK;
}

/* Rows come in the order of the list, and so do refusals; each once. */
static enum az_status
ascends(uint32_t *last, uint32_t row, struct az_err *reterr)
{
	if (row <= *last)
		return az_fail(reterr, AZ_FORGED, "intake: row %u after row %u", row, *last);
	*last = row;
	return AZ_OK;
}

static enum az_status
number(struct bulk_worker *worker, uint64_t sequence, struct az_err *reterr)
{
	struct bulk *bulk = worker->bulk;
	enum az_status status = bulk_turn_wait(bulk, &bulk->placing, sequence, reterr);

	if (status != AZ_OK)
		return status;
	for (size_t i = 0; i < worker->count && status == AZ_OK; i++) {
		status = ascends(&bulk->last_row, worker->rows[i].in.row, reterr);
		if (status != AZ_OK)
			return status;
		/* The set is larger than the processor's caches: fetched ahead, it does not wait. */
		if (i + PREPARE_AHEAD < worker->count)
			number_set_prepare(&bulk->numbers, worker->rows[i + PREPARE_AHEAD].once);
		status = number_row(bulk, &worker->rows[i], reterr);
	}
	atomic_store(&bulk->rows_read, bulk->consignment.rows);
	if (status == AZ_OK)
		bulk_turn_pass(bulk, &bulk->placing);
	return status;
}

/* --- seal ------------------------------------------------------------------------------------- */

/* Seals a row behind what the frame has, and hashes its leaf: over record, version and sealed bytes. */
static enum az_status
seal_row(struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr)
{
	const struct bulk *bulk = worker->bulk;
	const struct catalogue_row *placed = &row->placed;
	uint8_t head[8];
	struct bytes plain;
	struct row_place place;
	struct wire_writer writer;
	size_t size;
	uint8_t *sealed;
	enum az_status status = translate(worker, row, &plain, reterr);

	if (status != AZ_OK)
		return status;
	size = plain.size + SEAL_OVERHEAD;
	wire_writer_init(&writer, &worker->out);
	wire_put_u32(&writer, placed->record);
	wire_put_u32(&writer, (uint32_t)size);
	status = writer.status == AZ_OK ? buffer_reserve(&worker->out, size) : writer.status;
	if (status != AZ_OK)
		return az_fail(reterr, status, "record %u: out of memory", placed->record);
	sealed = worker->out.data + worker->out.size;
	row_place(bulk->custody->config.house, bulk->consignment.client, bulk->consignment.id,
	    placed->record, placed->version, &place);
	status = seal(
	    worker->row_key, bytes_make(place.bytes, sizeof(place.bytes)), plain, sealed, reterr);
	if (status != AZ_OK)
		return status;
	worker->out.size += size;
	wire_store_u32(head, placed->record);
	wire_store_u32(head + 4, placed->version);
	tree_leaf_of(bytes_make(head, sizeof(head)), bytes_make(sealed, size), row->leaf);
	return AZ_OK;
}

static enum az_status
seal_rows(struct bulk_worker *worker, struct az_err *reterr)
{
	struct wire_writer writer;
	uint32_t sealed = 0;
	enum az_status status;

	buffer_clear(&worker->out);
	wire_writer_init(&writer, &worker->out);
	wire_put_u64(&writer, worker->bulk->consignment.id);
	wire_put_u32(&writer, 0);
	status = writer.status;
	if (status != AZ_OK)
		return az_fail(reterr, status, "the list: out of memory");
	for (size_t i = 0; i < worker->count && status == AZ_OK; i++) {
		struct bulk_row *row = &worker->rows[i];

		if (row->fate == FATE_REFUSED)
			continue;
		status = seal_row(worker, row, reterr);
		if (status == AZ_OK)
			status = finish_note(worker, row, reterr);
		sealed++;
	}
	wire_store_u32(worker->out.data + 8, sealed);
	worker->sealed = sealed;
	return status;
}

/* --- pass on ---------------------------------------------------------------------------------- */

static enum az_status
pass_on(struct bulk_worker *worker, uint64_t sequence, struct az_err *reterr)
{
	struct bulk *bulk = worker->bulk;
	enum az_status status = bulk_turn_wait(bulk, &bulk->passing, sequence, reterr);

	for (size_t i = 0; i < worker->count && status == AZ_OK; i++) {
		const struct bulk_row *row = &worker->rows[i];

		if (row->fate == FATE_REFUSED)
			continue;
		tree_append(&bulk->tree, row->leaf);
		absent_note(bulk, row->placed.record);
		status = catalogue_run_add(bulk->run, &row->placed, reterr);
	}
	/* A frame whose rows were all refused has nothing for the vault. */
	if (status == AZ_OK && worker->sealed > 0)
		status = bulk_send(bulk, VAULT_PUT_ROWS, &worker->out, reterr);
	if (status == AZ_OK)
		bulk_turn_pass(bulk, &bulk->passing);
	worker->count = 0;
	worker->sealed = 0;
	return status;
}

/* --- frames ----------------------------------------------------------------------------------- */

enum az_status
rows_take(struct bulk_worker *worker, uint64_t sequence, struct az_err *reterr)
{
	enum az_status status = decide(worker, reterr);

	if (status == AZ_OK)
		status = number(worker, sequence, reterr);
	if (status == AZ_OK)
		status = seal_rows(worker, reterr);
	return status == AZ_OK ? pass_on(worker, sequence, reterr) : status;
}

/* Rows that intake itself has refused. */
enum az_status
rows_take_refused(struct bulk_worker *worker, uint64_t sequence, struct az_err *reterr)
{
	struct bulk *bulk = worker->bulk;
	struct wire_reader reader;
	uint32_t count;
	enum az_status status = bulk_turn_wait(bulk, &bulk->placing, sequence, reterr);

	wire_reader_init(&reader, buffer_peek(&worker->frame));
	count = wire_get_count(&reader, INTAKE_BODY_MAX, REFUSED_SIZE);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		uint32_t row = wire_get_u32(&reader);
		uint8_t reason = wire_get_u8(&reader);

		if (reader.failed)
			break;
		status = ascends(&bulk->last_refused, row, reterr);
		if (status == AZ_OK)
			status = refuse(bulk, row, (enum refusal)reason, reterr);
	}
	if (status == AZ_OK && !wire_end(&reader))
		status = az_fail(reterr, AZ_FORGED, "intake: a malformed frame of refusals");
	if (status == AZ_OK)
		bulk_turn_pass(bulk, &bulk->placing);
	worker->count = 0;
	return status == AZ_OK ? pass_on(worker, sequence, reterr) : status;
}
