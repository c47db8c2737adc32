/*
 * Tokens and fingerprints of a list, which must be sorted over the whole of it.
 *
 * While rows are sealed, each worker throws what it makes into buckets by kind and first bits; they lie sealed on the
 * disk (crypto/spill.h), so that memory does not grow with the list. Afterwards the workers take pieces of the order,
 * sort them, and pass them on in order: token blocks to the vault, fingerprints into the run file. A piece is some
 * buckets of one kind, side by side, of all workers.
 *
 *	tokens:  kind 2 [0 … 31] kind 3 [0 … 31] …   ─► blocks  ─► vault
 *	prints:  kind 2 [0 … 31] kind 3 [0 … 31] …   ─► run file
 */
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "custody/bulk.h"

#define BUCKET_BITS 5u
#define BUCKETS     (1u << BUCKET_BITS) /* of a kind */
#define KIND_FIRST  (MATCH_NUMBER + 1u)
#define TOKEN_KINDS (MATCH_ASKED - KIND_FIRST)
#define PRINT_KINDS (MATCH_KINDS - KIND_FIRST)
#define PIECE_USUAL (1024u * 1024u)                  /* bytes: small buckets are taken together */
#define PIECE_MAX   ((size_t)4 * 1024 * 1024 * 1024) /* a bucket of any list is smaller */

/* --- noting ----------------------------------------------------------------------------------- */

enum az_status
finish_new(struct bulk_worker *worker, struct az_err *reterr)
{
	int dirfd = worker->bulk->custody->trace_dirfd;
	enum az_status status =
	    spill_new(dirfd, (size_t)TOKEN_KINDS * BUCKETS, &worker->tokens, reterr);

	return status == AZ_OK
	    ? spill_new(dirfd, (size_t)PRINT_KINDS * BUCKETS, &worker->prints, reterr)
	    : status;
}

static size_t
bucket_of(unsigned int nth_kind, const uint8_t *entry)
{
	return (size_t)nth_kind * BUCKETS + (entry[0] >> (8 - BUCKET_BITS));
}

static enum az_status
note_token(struct bulk_worker *worker, enum match_kind kind, struct bytes key, uint32_t record,
    struct az_err *reterr)
{
	uint8_t entry[TOKEN_SORTED_SIZE];

	token_make(worker->bulk->keys, kind, key, entry);
	wire_store_u32be(entry + TOKEN_SIZE, record);
	return spill_add(worker->tokens, bucket_of(kind - KIND_FIRST, entry),
	    bytes_make(entry, sizeof(entry)), reterr);
}

static enum az_status
note_print(struct bulk_worker *worker, enum match_kind kind, struct bytes key,
    const struct catalogue_row *placed, struct az_err *reterr)
{
	struct trace_print print;

	trace_print_make(
	    worker->bulk->custody->trace_keys, kind, key, placed->record, placed->version, &print);
	return spill_add(worker->prints, bucket_of(kind - KIND_FIRST, print.bytes),
	    bytes_make(print.bytes, sizeof(print.bytes)), reterr);
}

enum az_status
finish_note(struct bulk_worker *worker, const struct bulk_row *row, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	/* Nobody is found by a withdrawal. */
	if (row->fate == FATE_WITHDRAWN)
		return AZ_OK;
	for (uint8_t i = 0; i < row->in.key_count && status == AZ_OK; i++) {
		const struct intake_key *key = &row->in.keys[i];

		/* By number the catalogue finds. */
		if (key->kind == MATCH_NUMBER)
			continue;
		/* Those from MATCH_ASKED on nobody asks by. */
		if (key->kind < MATCH_ASKED)
			status =
			    note_token(worker, key->kind, key->key, row->placed.record, reterr);
		if (status == AZ_OK && trace_has_kind(key->kind))
			status = note_print(worker, key->kind, key->key, &row->placed, reterr);
	}
	return status;
}

/* --- pieces ----------------------------------------------------------------------------------- */

struct piece {
	bool prints;
	uint64_t number; /* its turn, among tokens or prints */
	enum match_kind kind;
	size_t first, end; /* buckets of the kind */
};

/* Bytes of a bucket, of all workers. */
static size_t
bucket_size(const struct bulk *bulk, bool prints, size_t bucket)
{
	size_t size = 0;

	for (unsigned int i = 0; i < bulk->worker_count; i++)
		size +=
		    spill_size(prints ? bulk->workers[i].prints : bulk->workers[i].tokens, bucket);
	return size;
}

/* The next piece of a kind, from bucket first on. */
static size_t
piece_end(const struct bulk *bulk, bool prints, size_t kind_at, size_t first)
{
	size_t end = first + 1;
	size_t size = bucket_size(bulk, prints, kind_at + first);

	while (end < BUCKETS) {
		size += bucket_size(bulk, prints, kind_at + end);
		if (size > PIECE_USUAL)
			break;
		end++;
	}
	return end;
}

/* All pieces of tokens, or of fingerprints, in order. */
static size_t
list_pieces(const struct bulk *bulk, bool prints, struct piece *pieces)
{
	size_t count = 0;
	unsigned int kinds = prints ? PRINT_KINDS : TOKEN_KINDS;
	uint64_t number = 0;

	for (unsigned int kind = 0; kind < kinds; kind++) {
		for (size_t first = 0; first < BUCKETS;) {
			size_t end = piece_end(bulk, prints, (size_t)kind * BUCKETS, first);

			pieces[count++] = (struct piece){.prints = prints,
			    .number = number++,
			    .kind = (enum match_kind)(KIND_FIRST + kind),
			    .first = first,
			    .end = end};
			first = end;
		}
	}
	return count;
}

/* --- sorting ---------------------------------------------------------------------------------- */

/* What a worker needs for a piece; kept from one to the next. */
struct sorting {
	struct bulk_worker *worker;
	struct buffer entries, scratch;
	struct bulk_frame *frames, **frames_end; /* made of a piece, not yet passed on */
	struct bulk_frame *frame;                /* being filled */
	uint32_t blocks;                         /* in it */
};

/* Appends a bucket of all workers, sorted. */
static enum az_status
take_bucket(struct sorting *sorting, const struct piece *piece, size_t bucket, size_t size,
    struct az_err *reterr)
{
	const struct bulk *bulk = sorting->worker->bulk;
	size_t nth = (size_t)(piece->kind - KIND_FIRST) * BUCKETS + bucket;
	size_t start = sorting->entries.size;
	enum az_status status = AZ_OK;

	for (unsigned int i = 0; i < bulk->worker_count && status == AZ_OK; i++)
		status =
		    spill_take(piece->prints ? bulk->workers[i].prints : bulk->workers[i].tokens,
			nth, &sorting->entries, reterr);
	if (status != AZ_OK || sorting->entries.size == start)
		return status;
	if (buffer_reserve(&sorting->scratch, sorting->entries.size - start) != AZ_OK)
		return az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	/* Those of one bucket share their first bits. */
	sort_entries(sorting->entries.data + start, sorting->scratch.data,
	    (sorting->entries.size - start) / size, size, BUCKET_BITS);
	return AZ_OK;
}

static enum az_status
take_sorted(struct sorting *sorting, const struct piece *piece, size_t size, size_t *ret_count,
    struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	buffer_clear(&sorting->entries);
	for (size_t bucket = piece->first; bucket < piece->end && status == AZ_OK; bucket++)
		status = take_bucket(sorting, piece, bucket, size, reterr);
	*ret_count = sorting->entries.size / size;
	return status;
}

/* --- token blocks ----------------------------------------------------------------------------- */

static void
end_frame(struct sorting *sorting)
{
	if (sorting->frame == NULL)
		return;
	wire_store_u32(sorting->frame->body.data, sorting->blocks);
	*sorting->frames_end = sorting->frame;
	sorting->frames_end = &sorting->frame->next;
	sorting->frame = NULL;
}

static enum az_status
add_block(void *arg, struct bytes block, struct az_err *reterr)
{
	struct sorting *sorting = arg;
	struct wire_writer writer;

	if (sorting->frame == NULL) {
		sorting->frame = calloc(1, sizeof(*sorting->frame));
		if (sorting->frame == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "tokens: out of memory");
		buffer_init(&sorting->frame->body, VAULT_BODY_MAX, false);
		sorting->blocks = 0;
		wire_writer_init(&writer, &sorting->frame->body);
		wire_put_u32(&writer, 0);
	} else {
		wire_writer_init(&writer, &sorting->frame->body);
	}
	wire_put_bytes(&writer, block);
	if (writer.status != AZ_OK)
		return az_fail(reterr, writer.status, "tokens: out of memory");
	sorting->blocks++;
	if (sorting->frame->body.size >= BULK_FRAME_USUAL)
		end_frame(sorting);
	return AZ_OK;
}

/* The first token of a bucket: the bounds of spans. */
static void
first_token(size_t bucket, uint8_t token[TOKEN_SIZE])
{
	memset(token, 0, TOKEN_SIZE);
	if (bucket < BUCKETS)
		token[0] = (uint8_t)(bucket << (8 - BUCKET_BITS));
}

static enum az_status
make_blocks(struct sorting *sorting, const struct piece *piece, size_t count, struct az_err *reterr)
{
	struct bulk *bulk = sorting->worker->bulk;
	struct token_span span = {.consignment = bulk->consignment.id,
	    .kind = piece->kind,
	    .last = piece->end == BUCKETS};
	enum az_status status;

	first_token(piece->first, span.lower);
	first_token(piece->end, span.upper);
	status = token_blocks(
	    &span, sorting->entries.data, count, bulk->keys, add_block, sorting, reterr);
	end_frame(sorting);
	return status;
}

static enum az_status
pass_blocks(struct sorting *sorting, const struct piece *piece, struct az_err *reterr)
{
	struct bulk *bulk = sorting->worker->bulk;
	enum az_status status = bulk_turn_wait(bulk, &bulk->blocks, piece->number, reterr);

	while (status == AZ_OK && sorting->frames != NULL) {
		struct bulk_frame *frame = sorting->frames;

		status = bulk_send(bulk, VAULT_PUT_TOKENS, &frame->body, reterr);
		sorting->frames = frame->next;
		buffer_fini(&frame->body);
		free(frame);
	}
	if (status == AZ_OK) {
		sorting->frames_end = &sorting->frames;
		bulk_turn_pass(bulk, &bulk->blocks);
	}
	return status;
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static enum az_status
pass_prints(struct sorting *sorting, const struct piece *piece, size_t count, struct az_err *reterr)
{
	struct bulk *bulk = sorting->worker->bulk;
	enum az_status status = bulk_turn_wait(bulk, &bulk->printing, piece->number, reterr);

	if (status == AZ_OK && count > 0)
		status = trace_run_add(bulk->prints, piece->kind,
		    (const struct trace_print *)(const void *)sorting->entries.data, count, reterr);
	if (status == AZ_OK)
		bulk_turn_pass(bulk, &bulk->printing);
	return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* What a worker does: every worker lists the same pieces, so that the nth is the same to all. */
struct pieces {
	size_t tokens, prints;
	struct piece of_tokens[TOKEN_KINDS * BUCKETS];
	struct piece of_prints[PRINT_KINDS * BUCKETS];
};

/* By turns, so that the vault writes blocks while fingerprints are sorted. NULL behind the last one. */
static const struct piece *
nth_piece(const struct pieces *pieces, size_t n)
{
	size_t paired = pieces->tokens < pieces->prints ? pieces->tokens : pieces->prints;

	if (n < 2 * paired)
		return n % 2 == 0 ? &pieces->of_tokens[n / 2] : &pieces->of_prints[n / 2];
	if (n >= pieces->tokens + pieces->prints)
		return NULL;
	return paired < pieces->tokens ? &pieces->of_tokens[n - paired]
				       : &pieces->of_prints[n - paired];
}

static enum az_status
do_piece(struct sorting *sorting, const struct piece *piece, struct az_err *reterr)
{
	size_t size = piece->prints ? TRACE_PRINT_SIZE : TOKEN_SORTED_SIZE;
	size_t count = 0;
	enum az_status status = take_sorted(sorting, piece, size, &count, reterr);

	if (status != AZ_OK)
		return status;
	if (piece->prints)
		return pass_prints(sorting, piece, count, reterr);
	status = make_blocks(sorting, piece, count, reterr);
	return status == AZ_OK ? pass_blocks(sorting, piece, reterr) : status;
}

static void
sorting_fini(struct sorting *sorting)
{
	end_frame(sorting);
	while (sorting->frames != NULL) {
		struct bulk_frame *frame = sorting->frames;

		sorting->frames = frame->next;
		buffer_fini(&frame->body);
		free(frame);
	}
	buffer_fini(&sorting->entries);
	buffer_fini(&sorting->scratch);
}

enum az_status
finish_work(struct bulk_worker *worker, struct az_err *reterr)
{
	struct bulk *bulk = worker->bulk;
	struct sorting sorting = {.worker = worker};
	struct pieces *pieces = calloc(1, sizeof(*pieces));
	const struct piece *piece;
	enum az_status status = AZ_OK;

	if (pieces == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sorting: out of memory");
	sorting.frames_end = &sorting.frames;
	buffer_init(&sorting.entries, PIECE_MAX, true);
	buffer_init(&sorting.scratch, PIECE_MAX, true);
	pieces->tokens = list_pieces(bulk, false, pieces->of_tokens);
	pieces->prints = list_pieces(bulk, true, pieces->of_prints);
	while (status == AZ_OK &&
	    (piece = nth_piece(pieces, atomic_fetch_add(&bulk->pieces_taken, 1))) != NULL)
		status = do_piece(&sorting, piece, reterr);
	sorting_fini(&sorting);
	free(pieces);
	return status;
}
