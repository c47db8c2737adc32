/*
 * The vault's loop: frames in, to the thread that answers them; answers out.
 */
#include "vault/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "vault/vault_internal.h"

#define OUT_MAX     (64u * 1024u * 1024u)
#define IN_HAND_MAX 4096u /* messages that threads have before reading pauses */
#define HOUR_US     (3600 * AZ_US_PER_S)

_Noreturn void
vault_fatal(const char *what, const struct az_err *err)
{
	(void)fprintf(stderr, "azukari-vault: %s: %s\n", what, err->text);
	_exit(az_exit_code(err->status));
}

/* --- messages --------------------------------------------------------------------------------- */

void
message_list_init(struct message_list *list)
{
	list->first = NULL;
	list->end = &list->first;
	list->count = 0;
}

void
message_list_add(struct message_list *list, struct message *message)
{
	message->next = NULL;
	*list->end = message;
	list->end = &message->next;
	list->count++;
}

void
message_list_move(struct message_list *to, struct message_list *from)
{
	if (from->count > 0) {
		*to->end = from->first;
		to->end = from->end;
		to->count += from->count;
	}
	message_list_init(from);
}

struct message *
message_new(uint16_t type, uint32_t id, size_t max)
{
	struct message *message = calloc(1, sizeof(*message));
	struct az_err err = {0};

	if (message == NULL) {
		(void)az_fail(&err, AZ_NO_MEMORY, "out of memory");
		vault_fatal("message", &err);
	}
	message->type = type;
	message->id = id;
	buffer_init(&message->body, max, false);
	return message;
}

void
message_free(struct message *message)
{
	buffer_fini(&message->body);
	free(message);
}

struct message *
message_failed(uint32_t id, const struct az_err *err)
{
	struct message *message = message_new(VAULT_FAILED, id, AZ_ERR_TEXT_SIZE + 16);
	struct wire_writer writer;

	wire_writer_init(&writer, &message->body);
	wire_put_u8(&writer, (uint8_t)err->status);
	wire_put_text(&writer, err->text);
	if (writer.status != AZ_OK)
		vault_fatal("message", err);
	return message;
}

void
vault_answer(struct vault *vault, struct message_list *answers)
{
	bool first;

	(void)pthread_mutex_lock(&vault->lock);
	first = vault->answers.count == 0 && vault->done == 0;
	/* A write that succeeded has no answer, and is done all the same. */
	vault->done += answers->count > 0 ? answers->count : 1;
	message_list_move(&vault->answers, answers);
	(void)pthread_mutex_unlock(&vault->lock);
	if (first)
		loop_wake(vault->loop);
}

/* --- out -------------------------------------------------------------------------------------- */

static void
send_one(struct vault *vault, const struct message *answer)
{
	struct az_err err = {0};
	enum az_status status =
	    link_queue(&vault->link, answer->type, answer->id, buffer_peek(&answer->body));

	if (status != AZ_OK) {
		(void)az_fail(&err, status, "too much waits to be sent");
		vault_fatal("answer", &err);
	}
	vault->rows += answer->rows;
	vault->window_rows += answer->rows;
}

static void
on_wake(void *arg)
{
	struct vault *vault = arg;
	struct message_list answers;
	struct message *next;

	message_list_init(&answers);
	(void)pthread_mutex_lock(&vault->lock);
	message_list_move(&answers, &vault->answers);
	vault->in_hand -= vault->done;
	vault->done = 0;
	(void)pthread_mutex_unlock(&vault->lock);
	for (struct message *answer = answers.first; answer != NULL; answer = next) {
		next = answer->next;
		send_one(vault, answer);
		message_free(answer);
	}
}

/* Hands the round's questions to the readers, and sends what is answered. */
static void
on_round(void *arg)
{
	struct vault *vault = arg;
	size_t batches = (vault->batch.count + BATCH_LOOKUPS - 1) / BATCH_LOOKUPS;
	enum az_status status;

	if (batches > 0) {
		(void)pthread_mutex_lock(&vault->lock);
		message_list_move(&vault->questions, &vault->batch);
		/* As many readers as find something: one that is woken for nothing costs as much as a lookup. */
		for (size_t i = 0; i < batches && i < READERS; i++)
			(void)pthread_cond_signal(&vault->asked);
		(void)pthread_mutex_unlock(&vault->lock);
	}
	status = link_flush(&vault->link, NULL);
	if (status != AZ_OK && status != AZ_BUSY)
		vault->ended = true;
	if (vault->ended) {
		loop_stop(vault->loop);
		return;
	}
	loop_watch_for(vault->watch,
	    vault->in_hand < IN_HAND_MAX &&
		vault->link.out.size - vault->link.out_used < OUT_MAX / 2,
	    status == AZ_BUSY);
}

/* --- in --------------------------------------------------------------------------------------- */

static _Noreturn void
malformed(void)
{
	struct az_err err = {0};

	(void)az_fail(&err, AZ_INVALID, "the keeper sent a message that cannot be");
	vault_fatal("read", &err);
}

static void
start_threads(struct vault *vault)
{
	struct az_err err = {0};
	bool started = pthread_create(&vault->writer, NULL, writer_run, vault) == 0;

	for (unsigned int i = 0; i < READERS && started; i++)
		started = pthread_create(&vault->readers[i], NULL, reader_run, vault) == 0;
	if (!started) {
		(void)az_fail(&err, AZ_NO_MEMORY, "a thread cannot be started");
		vault_fatal("start", &err);
	}
	vault->has_threads = true;
}

static void
take_hello(struct vault *vault, const struct frame *frame)
{
	struct az_err err = {0};
	struct message *answer;
	enum az_status status;

	if (vault->store != NULL || frame->body.size != HOUSE_ID_SIZE + 8)
		malformed();
	vault->ceiling = wire_load_u64(frame->body.data + HOUSE_ID_SIZE);
	status = store_open(vault->dirfd, frame->body.data, &vault->store, &err);
	if (status == AZ_OK) {
		start_threads(vault);
		answer = message_new(VAULT_READY, frame->id, 1);
	} else {
		err.status = status;
		answer = message_failed(frame->id, &err);
	}
	send_one(vault, answer);
	message_free(answer);
}

static void
answer_count(struct vault *vault, const struct frame *frame)
{
	struct message *answer = message_new(VAULT_COUNTED, frame->id, 16);
	struct wire_writer writer;

	if (frame->body.size != 0)
		malformed();
	wire_writer_init(&writer, &answer->body);
	wire_put_u64(&writer, vault->rows);
	wire_put_u64(&writer, vault->requests);
	if (writer.status != AZ_OK)
		malformed();
	send_one(vault, answer);
	message_free(answer);
}

/* Whether the ceiling of this hour is reached; says so once an hour. */
static bool
is_over_ceiling(struct vault *vault)
{
	int64_t now = clock_monotonic_us();

	if (vault->ceiling == 0)
		return false;
	if (now - vault->window_us >= HOUR_US) {
		vault->window_us = now;
		vault->window_rows = 0;
		vault->window_told = false;
	}
	if (vault->window_rows < vault->ceiling)
		return false;
	if (!vault->window_told)
		(void)fprintf(stderr, "azukari-vault: the ceiling of rows an hour is reached\n");
	vault->window_told = true;
	return true;
}

static struct message *
copy_of(const struct frame *frame)
{
	struct message *message = message_new(frame->type, frame->id, VAULT_BODY_MAX);
	struct az_err err = {0};

	if (buffer_append(&message->body, frame->body) != AZ_OK) {
		(void)az_fail(&err, AZ_NO_MEMORY, "out of memory");
		vault_fatal("read", &err);
	}
	return message;
}

static void
take_question(struct vault *vault, const struct frame *frame)
{
	struct az_err err = {0};
	struct message *answer;

	if (frame->type != VAULT_LIST && is_over_ceiling(vault)) {
		(void)az_fail(&err, AZ_LIMIT, "the ceiling of rows an hour is reached");
		answer = message_failed(frame->id, &err);
		send_one(vault, answer);
		message_free(answer);
		return;
	}
	vault->requests += frame->type != VAULT_LIST ? 1 : 0;
	vault->in_hand++;
	message_list_add(&vault->batch, copy_of(frame));
}

static void
take_write(struct vault *vault, const struct frame *frame)
{
	struct message *message = copy_of(frame);

	vault->in_hand++;
	(void)pthread_mutex_lock(&vault->lock);
	message_list_add(&vault->writes, message);
	(void)pthread_cond_signal(&vault->written);
	(void)pthread_mutex_unlock(&vault->lock);
}

static void
take_frame(struct vault *vault, const struct frame *frame)
{
	if (vault->store == NULL && frame->type != VAULT_HELLO)
		malformed();
	switch (frame->type) {
	case VAULT_HELLO: take_hello(vault, frame); break;
	case VAULT_PUT_ROWS:
	case VAULT_PUT_TOKENS:
	case VAULT_SYNC:
	case VAULT_DROP: take_write(vault, frame); break;
	case VAULT_LIST:
	case VAULT_BLOCKS:
	case VAULT_LOOKUP:
	case VAULT_FETCH: take_question(vault, frame); break;
	case VAULT_COUNT: answer_count(vault, frame); break;
	default: malformed();
	}
}

static void
keeper_is_ready(void *arg, bool readable, bool writable)
{
	struct vault *vault = arg;
	struct az_err err = {0};
	enum az_status status;

	(void)writable; /* the round flushes */
	if (!readable)
		return;
	status = link_fill(&vault->link, &err);
	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&vault->link, &frame, &err);
		if (status == AZ_OK)
			take_frame(vault, &frame);
	}
	if (status == AZ_GONE)
		vault->ended = true;
	else if (status != AZ_BUSY)
		vault_fatal("read", &err);
}

/* --- life ------------------------------------------------------------------------------------- */

static void
stop_threads(struct vault *vault)
{
	(void)pthread_mutex_lock(&vault->lock);
	vault->stopping = true;
	(void)pthread_cond_broadcast(&vault->asked);
	(void)pthread_cond_broadcast(&vault->written);
	(void)pthread_mutex_unlock(&vault->lock);
	if (!vault->has_threads)
		return;
	for (unsigned int i = 0; i < READERS; i++)
		(void)pthread_join(vault->readers[i], NULL);
	(void)pthread_join(vault->writer, NULL);
}

static void
free_messages(struct message_list *list)
{
	struct message *next;

	for (struct message *message = list->first; message != NULL; message = next) {
		next = message->next;
		message_free(message);
	}
	message_list_init(list);
}

int
vault_run(int fd, int dirfd)
{
	struct vault vault = {.dirfd = dirfd, .window_us = clock_monotonic_us()};
	struct az_err err = {0};
	enum az_status status;

	message_list_init(&vault.batch);
	message_list_init(&vault.questions);
	message_list_init(&vault.writes);
	message_list_init(&vault.answers);
	(void)pthread_mutex_init(&vault.lock, NULL);
	(void)pthread_cond_init(&vault.asked, NULL);
	(void)pthread_cond_init(&vault.written, NULL);
	link_init(&vault.link, fd, LINK_NONBLOCKING, VAULT_BODY_MAX, OUT_MAX, false);
	status = loop_new(&vault.loop, &err);
	if (status == AZ_OK)
		status = loop_watch(vault.loop, fd, keeper_is_ready, &vault, &vault.watch, &err);
	if (status != AZ_OK)
		vault_fatal("start", &err);
	loop_on_wake(vault.loop, on_wake, &vault);
	loop_on_round(vault.loop, on_round, &vault);
	status = loop_run(vault.loop, &err);
	if (status != AZ_OK)
		vault_fatal("run", &err);
	stop_threads(&vault);
	free_messages(&vault.batch);
	free_messages(&vault.questions);
	free_messages(&vault.writes);
	free_messages(&vault.answers);
	store_close(&vault.store);
	loop_unwatch(vault.loop, &vault.watch);
	link_fini(&vault.link);
	loop_free(&vault.loop);
	return 0;
}
