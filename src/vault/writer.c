/*
 * The writer: rows and blocks in the order they came, in transactions that grow until somebody asks for a
 * flush or they are large.
 *
 * After a put that failed every later one is dropped until the next flush, which then fails as well: whoever asks
 * for it must not believe in a list with a hole.
 */
#include "base/proc.h"
#include "vault/vault_internal.h"

#define TRANSACTION_PUTS 50000u

struct writing {
	struct vault *vault;
	size_t puts;          /* in the transaction that is open; 0: none is */
	struct az_err failed; /* status AZ_INTERNAL: nothing has */
	bool has_failed;
};

static _Noreturn void
malformed(const char *what)
{
	struct az_err err = {0};

	(void)az_fail(&err, AZ_INVALID, "the keeper sent a malformed message");
	vault_fatal(what, &err);
}

static enum az_status
end(struct writing *writing, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (writing->puts > 0)
		status = store_end(writing->vault->store, reterr);
	writing->puts = 0;
	return status;
}

static enum az_status
begin(struct writing *writing, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (writing->puts >= TRANSACTION_PUTS)
		status = end(writing, reterr);
	if (status == AZ_OK && writing->puts == 0)
		status = store_begin(writing->vault->store, reterr);
	return status;
}

static enum az_status
put_rows(struct writing *writing, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint64_t consignment;
	uint32_t count;
	enum az_status status = begin(writing, reterr);

	wire_reader_init(&reader, body);
	consignment = wire_get_u64(&reader);
	count = wire_get_count(&reader, VAULT_BODY_MAX, 8);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		uint32_t record = wire_get_u32(&reader);
		struct bytes sealed = wire_get_bytes(&reader, VAULT_SEALED_MAX);

		if (reader.failed)
			break;
		status = store_put_row(writing->vault->store, consignment, record, sealed, reterr);
		writing->puts++;
	}
	if (status == AZ_OK && !wire_end(&reader))
		malformed("rows");
	return status;
}

static enum az_status
put_blocks(struct writing *writing, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	enum az_status status = begin(writing, reterr);

	wire_reader_init(&reader, body);
	count = wire_get_count(&reader, VAULT_BODY_MAX, 4);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++) {
		struct bytes block = wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);

		if (reader.failed)
			break;
		status = store_put_block(writing->vault->store, block, reterr);
		if (status == AZ_INVALID)
			malformed("tokens");
		writing->puts++;
	}
	if (status == AZ_OK && !wire_end(&reader))
		malformed("tokens");
	return status;
}

static struct message *
put(struct writing *writing, const struct message *message)
{
	struct az_err err = {0};
	enum az_status status;

	if (writing->has_failed)
		return message_failed(message->id, &writing->failed);
	if (message->type == VAULT_PUT_ROWS)
		status = put_rows(writing, buffer_peek(&message->body), &err);
	else
		status = put_blocks(writing, buffer_peek(&message->body), &err);
	if (status == AZ_OK)
		return message_new(VAULT_DONE, message->id, 1);
	store_cancel(writing->vault->store);
	writing->puts = 0;
	writing->has_failed = true;
	err.status = status;
	writing->failed = err;
	return message_failed(message->id, &err);
}

static struct message *
sync(struct writing *writing, uint32_t id)
{
	struct az_err err = {0};
	enum az_status status = end(writing, &err);

	if (status == AZ_OK)
		status = store_sync(writing->vault->store, &err);
	if (writing->has_failed) {
		writing->has_failed = false;
		return message_failed(id, &writing->failed);
	}
	err.status = status;
	return status == AZ_OK ? message_new(VAULT_DONE, id, 1) : message_failed(id, &err);
}

static struct message *
drop(struct writing *writing, const struct message *message)
{
	struct az_err err = {0};
	enum az_status status = end(writing, &err);

	writing->has_failed = false;
	if (message->body.size != 8)
		malformed("drop");
	if (status == AZ_OK)
		status = store_drop(writing->vault->store, wire_load_u64(message->body.data), &err);
	err.status = status;
	return status == AZ_OK ? message_new(VAULT_DONE, message->id, 1)
			       : message_failed(message->id, &err);
}

static struct message *
write_one(struct writing *writing, const struct message *message)
{
	if (message->type == VAULT_SYNC) {
		if (message->body.size != 0)
			malformed("sync");
		return sync(writing, message->id);
	}
	return message->type == VAULT_DROP ? drop(writing, message) : put(writing, message);
}

/* Takes everything that waits; false when the vault stops and nothing does. */
static bool
take(struct vault *vault, struct message_list *ret_writes)
{
	message_list_init(ret_writes);
	(void)pthread_mutex_lock(&vault->lock);
	while (vault->writes.count == 0 && !vault->stopping)
		(void)pthread_cond_wait(&vault->written, &vault->lock);
	message_list_move(ret_writes, &vault->writes);
	(void)pthread_mutex_unlock(&vault->lock);
	return ret_writes->count > 0;
}

void *
writer_run(void *arg)
{
	struct vault *vault = arg;
	struct writing writing = {.vault = vault};
	struct message_list writes;

	proc_give_way();
	while (take(vault, &writes)) {
		struct message *next;

		for (struct message *message = writes.first; message != NULL; message = next) {
			struct message_list answers;
			struct message *answer = write_one(&writing, message);

			next = message->next;
			message_free(message);
			message_list_init(&answers);
			message_list_add(&answers, answer);
			vault_answer(vault, &answers);
		}
	}
	/* Nobody was told that these are durable: they are kept if they can be. */
	az_ignore(end(&writing, NULL));
	store_cancel(vault->store);
	return NULL;
}
