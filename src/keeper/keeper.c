/*
 * The keeper's life:
 *
 *	wait for START on the parent's socket      secrets into locked memory
 *	load what libraries load lazily
 *	shut itself in: HOUSE/keeper and nothing else
 *	open or found the house                    FAILED to the parent if that cannot be
 *	loop: parent, vault, listening socket, fronts
 *	STOP: the house settles, then exit 0
 *
 * What becomes ready together is answered together: one flush of the ledger's queue, one write to the vault
 * and one to each front at the end of a round.
 */
#include "keeper/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "keeper/keeper_internal.h"

#define VAULT_OUT_MAX  (16u * 1024u * 1024u)
#define PARENT_OUT_MAX (64u * 1024u)
#define TICK_US        AZ_US_PER_S

_Noreturn void
keeper_fatal(const struct az_err *err)
{
	(void)fprintf(stderr, "azukari-keeper: %s\n", err->text);
	_exit(az_exit_code(err->status));
}

static void
fatal(void *arg, const struct az_err *err)
{
	(void)arg;
	keeper_fatal(err);
}

/* --- to the parent ---------------------------------------------------------------------------- */

static void
tell_parent(struct keeper *keeper, enum parent_message type, uint32_t id, struct bytes body)
{
	struct az_err err = {0};
	enum az_status status = link_queue(&keeper->parent, (uint16_t)type, id, body);

	if (status == AZ_OK)
		status = link_flush(&keeper->parent, &err);
	if (status == AZ_BUSY) {
		loop_watch_for(keeper->parent_watch, true, true);
	} else if (status != AZ_OK) {
		(void)az_fail(&err, status, "the parent has gone");
		keeper_fatal(&err);
	}
}

static void
spawn(void *arg, enum parent_child child, uint32_t id)
{
	uint8_t body = (uint8_t)child;

	tell_parent(arg, KEEPER_SPAWN, id, bytes_make(&body, 1));
}

static void
slots(void *arg, struct bytes body)
{
	tell_parent(arg, KEEPER_SLOTS, 0, body);
}

static void
ring(void *arg, struct bytes secret)
{
	tell_parent(arg, KEEPER_RING, 0, secret);
}

static void
ready(void *arg)
{
	struct keeper *keeper = arg;

	tell_parent(keeper, KEEPER_READY, 0, bytes_make(NULL, 0));
	loop_watch_for(keeper->listen_watch, true, false);
}

void
keeper_tell_fronts(struct keeper *keeper)
{
	uint8_t body[4];
	bool any = keeper->front_count > 0;

	if (any == keeper->told_fronts)
		return;
	keeper->told_fronts = any;
	wire_store_u32(body, (uint32_t)keeper->front_count);
	tell_parent(keeper, KEEPER_FRONTS, 0, bytes_make(body, sizeof(body)));
}

/* --- from the parent -------------------------------------------------------------------------- */

static void
stopped(void *arg)
{
	struct keeper *keeper = arg;

	keeper->exit_code = 0;
	loop_stop(keeper->loop);
}

static void
stop(struct keeper *keeper)
{
	if (keeper->stopping)
		return;
	keeper->stopping = true;
	loop_watch_for(keeper->listen_watch, false, false);
	custody_stop(keeper->custody, stopped, keeper);
}

/* Ended without being told to, we are started anew. */
static void
restart(void *arg)
{
	stop(arg);
}

/* A child's socket, or the pipe that belongs to the socket before it. */
static enum az_status
take_child(struct keeper *keeper, struct frame *frame, struct az_err *reterr)
{
	int fd = frame->fd;
	uint8_t which;

	frame->fd = -1;
	if (frame->body.size != 1 || fd < 0 || frame->body.data[0] > 1) {
		fd_close(&fd);
		return az_fail(reterr, AZ_INVALID, "the parent: a malformed child");
	}
	which = frame->body.data[0];
	if (which == 1) {
		if (keeper->child_id != frame->id) {
			fd_close(&fd);
			return az_fail(reterr, AZ_INVALID, "the parent: a pipe without a child");
		}
		custody_child(keeper->custody, frame->id, keeper->child_socket, fd);
		keeper->child_id = 0;
		keeper->child_socket = -1;
	} else if (custody_child_has_pipe(keeper->custody, frame->id)) {
		keeper->child_id = frame->id;
		keeper->child_socket = fd;
	} else {
		custody_child(keeper->custody, frame->id, fd, -1);
	}
	return AZ_OK;
}

static enum az_status
take_child_failed(struct keeper *keeper, const struct frame *frame, struct az_err *reterr)
{
	struct wire_reader reader;
	struct az_err err = {0};
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, frame->body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (!wire_end(&reader) || status <= AZ_OK || status > AZ_GONE)
		return az_fail(reterr, AZ_INVALID, "the parent: a malformed failure");
	(void)az_fail(&err, (enum az_status)status, "%s", text);
	custody_child_failed(keeper->custody, frame->id, &err);
	return AZ_OK;
}

/* What came of a new host secret, with new slots or without. */
static enum az_status
take_renewed(struct keeper *keeper, const struct frame *frame, struct az_err *reterr)
{
	struct wire_reader reader;
	struct az_err err = {0};
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, frame->body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (!wire_end(&reader) || status < AZ_OK || status > AZ_GONE)
		return az_fail(
		    reterr, AZ_INVALID, "the parent: a malformed answer about its secret");
	if (status != AZ_OK)
		(void)az_fail(&err, (enum az_status)status, "%s", text);
	err.status = (enum az_status)status;
	custody_renewed(keeper->custody, frame->type == PARENT_SLOTS, &err);
	return AZ_OK;
}

static enum az_status
take_parent_frame(struct keeper *keeper, struct frame *frame, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	switch (frame->type) {
	case PARENT_CHILD: status = take_child(keeper, frame, reterr); break;
	case PARENT_FAILED: status = take_child_failed(keeper, frame, reterr); break;
	case PARENT_SLOTS:
	case PARENT_RING: status = take_renewed(keeper, frame, reterr); break;
	case PARENT_STOP: stop(keeper); break;
	default: status = az_fail(reterr, AZ_INVALID, "the parent: a frame of no known type");
	}
	fd_close(&frame->fd);
	return status;
}

static void
parent_is_ready(void *arg, bool readable, bool writable)
{
	struct keeper *keeper = arg;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (writable) {
		status = link_flush(&keeper->parent, &err);
		if (status == AZ_OK)
			loop_watch_for(keeper->parent_watch, true, false);
		else if (status != AZ_BUSY)
			keeper_fatal(&err);
	}
	if (!readable)
		return;
	status = link_fill(&keeper->parent, &err);
	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&keeper->parent, &frame, &err);
		if (status == AZ_OK)
			status = take_parent_frame(keeper, &frame, &err);
	}
	if (status == AZ_GONE)
		(void)az_fail(&err, AZ_GONE, "the parent has gone");
	if (status != AZ_BUSY) {
		err.status = status;
		keeper_fatal(&err);
	}
}

/* --- vault and listening socket --------------------------------------------------------------- */

static void
vault_is_ready(void *arg, bool readable, bool writable)
{
	struct keeper *keeper = arg;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (writable)
		loop_watch_for(keeper->vault_watch, true, false);
	if (!readable)
		return;
	status = link_fill(&keeper->vault, &err);
	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&keeper->vault, &frame, &err);
		if (status == AZ_OK)
			status = custody_vault_frame(keeper->custody, &frame, &err);
	}
	if (status == AZ_GONE)
		(void)az_fail(&err, AZ_GONE, "the vault has gone");
	if (status != AZ_BUSY) {
		err.status = status;
		keeper_fatal(&err);
	}
}

static void
flush_vault(struct keeper *keeper)
{
	struct az_err err = {0};
	enum az_status status = link_flush(&keeper->vault, &err);

	if (status == AZ_BUSY)
		loop_watch_for(keeper->vault_watch, true, true);
	else if (status != AZ_OK)
		keeper_fatal(&err);
}

static void
listen_is_ready(void *arg, bool readable, bool writable)
{
	(void)writable;
	if (readable)
		fronts_accept(arg);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void
on_round(void *arg)
{
	struct keeper *keeper = arg;

	custody_round(keeper->custody);
	flush_vault(keeper);
	fronts_round(keeper);
}

static void
on_wake(void *arg)
{
	struct keeper *keeper = arg;

	custody_woken(keeper->custody);
}

static void
on_tick(void *arg)
{
	struct keeper *keeper = arg;

	fronts_tick(keeper);
	custody_tick(keeper->custody);
}

static enum az_status
watch_all(struct keeper *keeper, struct az_err *reterr)
{
	enum az_status status;

	loop_on_round(keeper->loop, on_round, keeper);
	loop_on_wake(keeper->loop, on_wake, keeper);
	loop_on_tick(keeper->loop, TICK_US, on_tick, keeper);
	status = loop_watch(keeper->loop, keeper->parent.fd, parent_is_ready, keeper,
	    &keeper->parent_watch, reterr);
	if (status == AZ_OK)
		status = loop_watch(keeper->loop, keeper->vault.fd, vault_is_ready, keeper,
		    &keeper->vault_watch, reterr);
	if (status == AZ_OK)
		status = loop_watch(keeper->loop, keeper->listen_fd, listen_is_ready, keeper,
		    &keeper->listen_watch, reterr);
	/* Nobody is served before the house is ready. */
	if (status == AZ_OK)
		loop_watch_for(keeper->listen_watch, false, false);
	return status;
}

/* --- start ------------------------------------------------------------------------------------ */

/* START, as the first frame of a socket that still blocks. */
static enum az_status
receive_start(struct link *parent, struct parent_start *ret_start, struct az_err *reterr)
{
	struct frame frame;
	enum az_status status = link_receive(parent, &frame, reterr);

	if (status != AZ_OK)
		return status;
	fd_close(&frame.fd);
	if (frame.type != PARENT_START || parent_start_decode(frame.body, ret_start) != AZ_OK)
		return az_fail(reterr, AZ_INVALID, "the parent: a malformed start");
	return AZ_OK;
}

static enum az_status
secret_from(const uint8_t *data, size_t size, struct secret **ret_secret, struct az_err *reterr)
{
	enum az_status status = secret_new(size, ret_secret, reterr);

	if (status == AZ_OK)
		memcpy(secret_data(*ret_secret), data, size);
	return status;
}

/* The parent passes the anchor's folder, or /dev/null. */
static bool
has_anchor(void)
{
	struct stat info;

	return fstat(KEEPER_FD_ANCHOR, &info) == 0 && S_ISDIR(info.st_mode);
}

static enum az_status
shut_in(struct az_err *reterr)
{
	int folders[] = {KEEPER_FD_FOLDER, KEEPER_FD_ANCHOR};
	struct sandbox sandbox = {.profile = SANDBOX_KEEPER,
	    .writable_dirs = folders,
	    .writable_count = has_anchor() ? 2 : 1};

	return sandbox_enter(&sandbox, reterr);
}

static enum az_status
open_house(struct keeper *keeper, const struct parent_start *start, const struct secret *root,
    const struct secret *host, struct az_err *reterr)
{
	struct custody_config config = {.dirfd = KEEPER_FD_FOLDER,
	    .has_anchor = has_anchor(),
	    .anchor_dirfd = KEEPER_FD_ANCHOR,
	    .root = root,
	    .host = host,
	    .founding = start->found ? &start->founding : NULL,
	    .loop = keeper->loop,
	    .vault = &keeper->vault,
	    .spawn = spawn,
	    .slots = slots,
	    .ring = ring,
	    .ready = ready,
	    .reply = front_reply,
	    .hang_up = front_hang_up,
	    .restart = restart,
	    .fatal = fatal,
	    .arg = keeper};

	memcpy(config.house, start->house, HOUSE_ID_SIZE);
	return custody_open(&config, &keeper->custody, reterr);
}

/* Everything up to the loop. */
static enum az_status
begin(struct keeper *keeper, struct parent_start *start, struct az_err *reterr)
{
	struct secret *root = NULL;
	struct secret *host = NULL;
	enum az_status status = secret_from(start->root, sizeof(start->root), &root, reterr);

	if (status == AZ_OK)
		status = secret_from(start->host, sizeof(start->host), &host, reterr);
	az_wipe(start->root, sizeof(start->root));
	az_wipe(start->host, sizeof(start->host));
	memcpy(keeper->house, start->house, HOUSE_ID_SIZE);
	if (status == AZ_OK)
		status =
		    kdf_derive(root, keeper->house, "channel", 0, &keeper->channel_key, reterr);
	if (status == AZ_OK)
		status = loop_new(&keeper->loop, reterr);
	if (status == AZ_OK)
		status = watch_all(keeper, reterr);
	if (status == AZ_OK)
		status = open_house(keeper, start, root, host, reterr);
	secret_free(&root);
	secret_free(&host);
	return status;
}

/* The parent learns why, and does not start us again. */
static int
refuse_to_start(struct keeper *keeper, const struct az_err *err)
{
	struct buffer body;
	struct wire_writer writer;

	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, (uint8_t)err->status);
	wire_put_text(&writer, err->text);
	if (writer.status == AZ_OK)
		az_ignore(link_queue(&keeper->parent, KEEPER_FAILED, 0, buffer_peek(&body)));
	az_ignore(link_flush(&keeper->parent, NULL));
	buffer_fini(&body);
	return az_exit_code(err->status);
}

static void
end(struct keeper *keeper)
{
	if (keeper->custody != NULL)
		fronts_close(keeper);
	custody_close(&keeper->custody);
	if (keeper->loop != NULL) {
		if (keeper->parent_watch != NULL)
			loop_unwatch(keeper->loop, &keeper->parent_watch);
		if (keeper->vault_watch != NULL)
			loop_unwatch(keeper->loop, &keeper->vault_watch);
		if (keeper->listen_watch != NULL)
			loop_unwatch(keeper->loop, &keeper->listen_watch);
		loop_free(&keeper->loop);
	}
	secret_free(&keeper->channel_key);
	link_fini(&keeper->vault);
	link_fini(&keeper->parent);
	fd_close(&keeper->child_socket);
	fd_close(&keeper->listen_fd);
}

/*
 * How many fronts there may be at once. The rest of the descriptors is for the house's own files: a ledger that cannot
 * open its state ends the process, so strangers must not be able to take them all.
 */
static size_t
room_for_fronts(void)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur / FRONTS_PART < FRONTS_MAX ? limit.rlim_cur / FRONTS_PART
							 : FRONTS_MAX;
}

int
keeper_run(bool sealed)
{
	struct keeper keeper = {.listen_fd = KEEPER_FD_LISTEN, .child_socket = -1, .exit_code = 1};
	struct parent_start start = {0};
	struct link first;
	struct az_err err = {0};
	enum az_status status;

	(void)signal(SIGPIPE, SIG_IGN);
	secret_raise_lock_limit();
	keeper.fronts_max = room_for_fronts();
	if (sealed)
		secret_require_lock();
	custody_prepare();
	status = custody_use_tables(KEEPER_FD_TABLES, &err);
	if (status == AZ_OK)
		status = shut_in(&err);
	if (status != AZ_OK)
		keeper_fatal(&err);
	link_init(&first, KEEPER_FD_PARENT, LINK_BLOCKING, PARENT_BODY_MAX, PARENT_OUT_MAX, true);
	status = receive_start(&first, &start, &err);
	/* Who says otherwise than the house's id would have secrets in memory that is not locked. */
	if (status == AZ_OK && sealed == house_is_unsealed(start.house))
		status = az_fail(&err, AZ_INVALID, "keeper: started for another kind of house");
	if (status != AZ_OK)
		keeper_fatal(&err);
	/* The parent waits for our word now, so nothing of a second frame can be lost here. */
	first.fd = -1;
	link_fini(&first);
	/* Passphrases go through it. */
	link_init(&keeper.parent, KEEPER_FD_PARENT, LINK_NONBLOCKING, PARENT_BODY_MAX,
	    PARENT_OUT_MAX, true);
	keeper.parent.accepts_fds = true;
	link_init(&keeper.vault, KEEPER_FD_VAULT, LINK_NONBLOCKING, VAULT_FRAME_MAX, VAULT_OUT_MAX,
	    false);
	status = begin(&keeper, &start, &err);
	if (status == AZ_OK) {
		status = loop_run(keeper.loop, &err);
		if (status != AZ_OK)
			keeper_fatal(&err);
	} else {
		err.status = status;
		keeper.exit_code = refuse_to_start(&keeper, &err);
	}
	end(&keeper);
	az_wipe(&start, sizeof(start));
	return keeper.exit_code;
}

int
keeper_verify(void)
{
	int folder = CHILD_FD_FOLDER;
	struct sandbox sandbox = {
	    .profile = SANDBOX_VERIFY, .readable_dirs = &folder, .readable_count = 1};
	struct az_err err = {0};
	enum az_status status;

	/* Whoever reads what is published may stop at any time. */
	(void)signal(SIGPIPE, SIG_IGN);
	custody_prepare();
	status = sandbox_enter(&sandbox, &err);
	if (status == AZ_OK)
		status = custody_verify_child(CHILD_FD_KEEPER, CHILD_FD_FOLDER, &err);
	if (status != AZ_OK)
		keeper_fatal(&err);
	return 0;
}
