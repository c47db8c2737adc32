/*
 * A reader: takes a few questions at a time and answers them from one view of the store.
 */
#include "vault/vault_internal.h"

/* The rows of an answer, each record once: in the first consignment asked that has it. */
struct found {
	uint32_t count;
	uint64_t consignments[VAULT_ROWS_MAX];
	uint32_t records[VAULT_ROWS_MAX];
};

static bool
found_has(const struct found *found, uint32_t record)
{
	for (uint32_t i = 0; i < found->count; i++) {
		if (found->records[i] == record)
			return true;
	}
	return false;
}

/* Notes the records that a block has under a token. */
static void
note_records(struct found *found, struct bytes bytes, const uint8_t token[TOKEN_SIZE])
{
	/* Its layout was checked when it was put; offsets are those of proto/vault.h. */
	uint16_t count = wire_load_u16(bytes.data + 10);

	for (uint16_t i = 0; i < count && found->count < VAULT_ROWS_MAX; i++) {
		const uint8_t *entry = bytes.data + 44 + 20u * i;
		uint32_t record = wire_load_u32(entry + TOKEN_SIZE);

		if (!bytes_equal(bytes_make(entry, TOKEN_SIZE), bytes_make(token, TOKEN_SIZE)) ||
		    found_has(found, record))
			continue;
		found->consignments[found->count] = wire_load_u64(bytes.data);
		found->records[found->count++] = record;
	}
}

/* Appends those rows that are there; returns how many. */
static uint32_t
put_rows(struct store_reader *reader, const struct found *found, struct wire_writer *writer)
{
	size_t count_at = writer->buffer->size;
	uint32_t count = 0;

	wire_put_u32(writer, 0);
	for (uint32_t i = 0; i < found->count; i++) {
		struct bytes sealed;
		struct az_err err = {0};
		enum az_status status = store_find_row(
		    reader, found->consignments[i], found->records[i], &sealed, NULL);

		if (status == AZ_NOT_FOUND)
			continue;
		if (status != AZ_OK) {
			(void)az_fail(&err, status, "a row cannot be read");
			vault_fatal("read", &err);
		}
		wire_put_u64(writer, found->consignments[i]);
		wire_put_u32(writer, found->records[i]);
		wire_put_bytes(writer, sealed);
		count++;
	}
	if (writer->status == AZ_OK)
		wire_store_u32(writer->buffer->data + count_at, count);
	return count;
}

static _Noreturn void
malformed(const char *what)
{
	struct az_err err = {0};

	(void)az_fail(&err, AZ_INVALID, "the keeper sent a malformed message");
	vault_fatal(what, &err);
}

static void
answer_lookup(struct store_reader *reader, const struct message *question, struct message *answer)
{
	struct wire_reader asked;
	struct wire_writer writer;
	struct found found = {0};
	uint64_t request;
	uint32_t count;
	enum match_kind kind;

	wire_reader_init(&asked, buffer_peek(&question->body));
	wire_writer_init(&writer, &answer->body);
	request = wire_get_u64(&asked);
	kind = (enum match_kind)wire_get_u8(&asked);
	count = wire_get_count(&asked, VAULT_LOOKUPS_MAX, 8 + TOKEN_SIZE);
	wire_put_u64(&writer, request);
	wire_put_u32(&writer, count);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t token[TOKEN_SIZE];
		uint64_t consignment = wire_get_u64(&asked);
		struct bytes block = {0};
		enum az_status status;

		wire_get_raw(&asked, token, sizeof(token));
		status = store_find_block(reader, consignment, kind, token, &block, NULL);
		if (status != AZ_OK && status != AZ_NOT_FOUND)
			malformed("lookup");
		wire_put_bytes(&writer, block);
		if (block.size > 0)
			note_records(&found, block, token);
	}
	if (!wire_end(&asked))
		malformed("lookup");
	answer->type = VAULT_FOUND;
	answer->rows = put_rows(reader, &found, &writer);
	if (writer.status != AZ_OK)
		malformed("lookup");
}

static void
answer_fetch(struct store_reader *reader, const struct message *question, struct message *answer)
{
	struct wire_reader asked;
	struct wire_writer writer;
	struct found found = {0};
	uint64_t request;

	wire_reader_init(&asked, buffer_peek(&question->body));
	wire_writer_init(&writer, &answer->body);
	request = wire_get_u64(&asked);
	found.count = wire_get_count(&asked, VAULT_ROWS_MAX, 12);
	for (uint32_t i = 0; i < found.count; i++) {
		found.consignments[i] = wire_get_u64(&asked);
		found.records[i] = wire_get_u32(&asked);
	}
	if (!wire_end(&asked))
		malformed("fetch");
	wire_put_u64(&writer, request);
	answer->type = VAULT_ROWS;
	answer->rows = put_rows(reader, &found, &writer);
	if (writer.status != AZ_OK)
		malformed("fetch");
}

/* Blocks are put until the frame is large enough: the keeper asks for the next ones by where these end. */
#define BLOCKS_USUAL (256u * 1024u)

struct blocks {
	struct wire_writer writer;
	uint32_t count;
};

static bool
put_block(void *arg, struct bytes block)
{
	struct blocks *blocks = arg;

	wire_put_bytes(&blocks->writer, block);
	blocks->count++;
	return blocks->writer.buffer->size < BLOCKS_USUAL;
}

static void
answer_blocks(struct store_reader *reader, const struct message *question, struct message *answer)
{
	struct wire_reader asked;
	struct blocks blocks = {0};
	uint8_t token[TOKEN_SIZE];
	uint64_t consignment;
	enum match_kind kind;
	enum az_status status;

	wire_reader_init(&asked, buffer_peek(&question->body));
	wire_writer_init(&blocks.writer, &answer->body);
	consignment = wire_get_u64(&asked);
	kind = (enum match_kind)wire_get_u8(&asked);
	wire_get_raw(&asked, token, sizeof(token));
	if (!wire_end(&asked))
		malformed("blocks");
	wire_put_u32(&blocks.writer, 0);
	status = store_blocks(reader, consignment, kind, token, put_block, &blocks, NULL);
	if ((status != AZ_OK && status != AZ_NOT_FOUND) || blocks.writer.status != AZ_OK)
		malformed("blocks");
	wire_store_u32(answer->body.data, blocks.count);
	answer->type = VAULT_BLOCKS_ARE;
}

struct listing {
	struct wire_writer writer;
	uint32_t count;
};

static void
list_one(void *arg, uint64_t consignment)
{
	struct listing *listing = arg;

	wire_put_u64(&listing->writer, consignment);
	listing->count++;
}

static void
answer_list(struct store_reader *reader, const struct message *question, struct message *answer)
{
	struct listing listing = {0};
	struct az_err err = {0};

	if (question->body.size != 0)
		malformed("list");
	wire_writer_init(&listing.writer, &answer->body);
	wire_put_u32(&listing.writer, 0);
	if (store_list(reader, list_one, &listing, &err) != AZ_OK)
		vault_fatal("list", &err);
	if (listing.writer.status != AZ_OK)
		malformed("list");
	wire_store_u32(answer->body.data, listing.count);
	answer->type = VAULT_LISTED;
}

/* Takes up to a batch of questions; false when the vault stops. */
static bool
take(struct vault *vault, struct message_list *ret_batch)
{
	message_list_init(ret_batch);
	(void)pthread_mutex_lock(&vault->lock);
	while (vault->questions.count == 0 && !vault->stopping)
		(void)pthread_cond_wait(&vault->asked, &vault->lock);
	while (vault->questions.count > 0 && ret_batch->count < BATCH_LOOKUPS) {
		struct message *message = vault->questions.first;

		vault->questions.first = message->next;
		vault->questions.count--;
		if (vault->questions.first == NULL)
			vault->questions.end = &vault->questions.first;
		message->next = NULL;
		message_list_add(ret_batch, message);
	}
	(void)pthread_mutex_unlock(&vault->lock);
	return ret_batch->count > 0;
}

void *
reader_run(void *arg)
{
	struct vault *vault = arg;
	struct store_reader *reader = NULL;
	struct message_list batch;
	struct az_err err = {0};

	if (store_reader_new(vault->store, &reader, &err) != AZ_OK)
		vault_fatal("read", &err);
	while (take(vault, &batch)) {
		struct message_list answers;
		struct message *next;

		message_list_init(&answers);
		if (store_reader_renew(reader, &err) != AZ_OK)
			vault_fatal("read", &err);
		for (struct message *question = batch.first; question != NULL; question = next) {
			struct message *answer = message_new(0, question->id, VAULT_BODY_MAX);

			next = question->next;
			if (question->type == VAULT_LOOKUP)
				answer_lookup(reader, question, answer);
			else if (question->type == VAULT_FETCH)
				answer_fetch(reader, question, answer);
			else if (question->type == VAULT_BLOCKS)
				answer_blocks(reader, question, answer);
			else
				answer_list(reader, question, answer);
			message_list_add(&answers, answer);
			message_free(question);
		}
		store_reader_rest(reader);
		vault_answer(vault, &answers);
	}
	store_reader_free(&reader);
	return NULL;
}
