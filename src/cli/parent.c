/*
 * The parent's loop.
 *
 *	bind the socket ─► start vault and keeper ─► START with the secrets ─► READY ─► serve
 *	        ▲                                                                        │
 *	        └── both anew, after a pause ◄── one has died: the other is killed ◄─────┘
 *
 * It parses nothing but the keeper's few small frames, holds the secrets for a restart, and has no other
 * duty. Children die with it, so nothing is left when it is killed.
 */
#include "cli/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/socket.h"
#include "base/wire.h"
#include "cli/program.h"
#include "crypto/slots.h"

#define BACKLOG        256
#define STOP_US        (30 * AZ_US_PER_S)
#define IDLE_US        AZ_US_PER_S        /* a transient parent lingers so long */
#define NEVER_US       (10 * AZ_US_PER_S) /* and so long if nobody ever comes */
#define PAUSE_FIRST_US (AZ_US_PER_S / 10)
#define PAUSE_MAX_US   (10 * AZ_US_PER_S)
#define DEATHS_MAX     10 /* in a minute */
#define DEATHS_US      (60 * AZ_US_PER_S)
#define CHILDREN_MAX   4
#define LEAVE_US       (2 * AZ_US_PER_S) /* to end by itself, once the keeper let go of it */

/*
 * One that the keeper asked for. Our copy of its end of the socket says when the keeper has let go of the other: then it
 * ends, or is ended, whatever it was made to do.
 */
struct child {
	pid_t pid; /* 0: none */
	int fd;
	int64_t left_us; /* when the keeper let go of it; 0: it has not */
};

struct parent {
	const struct parent_config *config;
	int keeper_dirfd, vault_dirfd, run_dirfd, anchor_fd;
	int listen_fd;
	int tables_fd; /* what keeper and intake make match keys with, the same for both */
	int signal_fd;
	pid_t keeper, vault; /* 0: not running */
	struct child children[CHILDREN_MAX];
	struct link link;
	bool has_link;
	bool ready, told;
	bool stopping;
	bool failed;  /* the keeper said why it cannot start */
	bool unclean; /* a process had to be ended, or ended badly, while stopping */
	int64_t stop_by_us;
	int64_t idle_since_us; /* 0: a front is connected */
	bool ever_used;
	int64_t deaths[DEATHS_MAX];
	size_t death_count;
	int64_t pause_us, restart_at_us;
	struct az_err err;
};

void
parent_prepare(bool sealed)
{
	struct rlimit no_core = {0};

	/* Whatever happens, no memory of ours ends in a file. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	secret_raise_lock_limit();
	if (sealed)
		secret_require_lock();
}

/* --- programs --------------------------------------------------------------------------------- */

enum az_status
parent_spawn(const char *name, const char *folder, const char *argument, const int *fds,
    size_t count, struct house_user user, pid_t *ret_pid, struct az_err *reterr)
{
	char path[PATH_MAX];
	const char *argv[] = {name, argument, NULL};
	struct proc_spec spec = {.path = path,
	    .argv = argv,
	    .fd_count = count,
	    .uid = user.uid,
	    .gid = user.gid,
	    .inherit_stderr = true};
	enum az_status status = program_find(name, folder, path, reterr);

	for (size_t i = 0; i < count; i++)
		spec.fds[i] = fds[i];
	if (status == AZ_OK)
		status = proc_spawn(&spec, ret_pid, reterr);
	return status;
}

/* --- keeper and vault ------------------------------------------------------------------------- */

static enum az_status
send_start(struct parent *parent, struct az_err *reterr)
{
	const struct parent_config *config = parent->config;
	struct parent_start start = {.found = config->founding != NULL};
	struct buffer body;
	enum az_status status;

	buffer_init(&body, PARENT_BODY_MAX, true);
	memcpy(start.house, config->folder->file.house, HOUSE_ID_SIZE);
	memcpy(start.root, secret_peek(config->root).data, sizeof(start.root));
	memcpy(start.host, secret_peek(config->host->ring).data, sizeof(start.host));
	if (start.found)
		start.founding = *config->founding;
	status = parent_start_encode(&start, &body);
	if (status == AZ_OK)
		status = link_queue(&parent->link, PARENT_START, 0, buffer_peek(&body));
	if (status == AZ_OK)
		status = link_flush(&parent->link, reterr);
	else
		(void)az_fail(reterr, status, "the keeper's start could not be written");
	az_wipe(&start, sizeof(start));
	buffer_fini(&body);
	return status;
}

static enum az_status
start(struct parent *parent, struct az_err *reterr)
{
	const struct parent_config *config = parent->config;
	int vault_pair[2] = {-1, -1};
	int keeper_pair[2] = {-1, -1};
	enum az_status status = proc_socketpair(vault_pair, reterr);

	if (status == AZ_OK)
		status = proc_socketpair(keeper_pair, reterr);
	if (status == AZ_OK) {
		int fds[] = {vault_pair[1], parent->vault_dirfd};

		status = parent_spawn("azukari-vault", "../vault", NULL, fds, AZ_ARRAY_SIZE(fds),
		    config->users.vault, &parent->vault, reterr);
	}
	if (status == AZ_OK) {
		int fds[] = {keeper_pair[1], parent->keeper_dirfd, parent->listen_fd, vault_pair[0],
		    parent->tables_fd, parent->anchor_fd};

		/* A sealed house's keeper ends rather than have a secret in memory that can be swapped. */
		const char *how = house_is_unsealed(config->folder->file.house) ? NULL : "sealed";

		status = parent_spawn("azukari-keeper", "../keeper", how, fds, AZ_ARRAY_SIZE(fds),
		    config->users.keeper, &parent->keeper, reterr);
	}
	fd_close(&vault_pair[0]);
	fd_close(&vault_pair[1]);
	fd_close(&keeper_pair[1]);
	if (status != AZ_OK) {
		fd_close(&keeper_pair[0]);
		return status;
	}
	link_init(&parent->link, keeper_pair[0], LINK_BLOCKING, PARENT_BODY_MAX,
	    4 * PARENT_BODY_MAX, true);
	parent->has_link = true;
	parent->ready = false;
	parent->idle_since_us = clock_monotonic_us();
	status = send_start(parent, reterr);
	/* A keeper that died at once is noticed by its end, like any other. */
	return status == AZ_GONE ? AZ_OK : status;
}

static void
kill_children(struct parent *parent)
{
	if (parent->keeper != 0)
		(void)kill(parent->keeper, SIGKILL);
	if (parent->vault != 0)
		(void)kill(parent->vault, SIGKILL);
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (parent->children[i].pid != 0)
			(void)kill(parent->children[i].pid, SIGKILL);
	}
}

static void
send_stop(struct parent *parent)
{
	if (parent->stopping)
		return;
	parent->stopping = true;
	parent->stop_by_us = clock_monotonic_us() + STOP_US;
	if (parent->has_link &&
	    link_queue(&parent->link, PARENT_STOP, 0, bytes_make(NULL, 0)) == AZ_OK)
		az_ignore(link_flush(&parent->link, NULL)); /* its end is noticed otherwise */
}

/* --- what the keeper asks --------------------------------------------------------------------- */

static void
send_failed(struct parent *parent, uint32_t id, const struct az_err *err)
{
	struct buffer body;
	struct wire_writer writer;

	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, (uint8_t)err->status);
	wire_put_text(&writer, err->text);
	if (writer.status == AZ_OK &&
	    link_queue(&parent->link, PARENT_FAILED, id, buffer_peek(&body)) == AZ_OK)
		az_ignore(link_flush(&parent->link, NULL));
	buffer_fini(&body);
}

static enum az_status
send_child(struct parent *parent, uint32_t id, uint8_t which, int fd, struct az_err *reterr)
{
	return link_send_fd(&parent->link, PARENT_CHILD, id, bytes_make(&which, 1), fd, reterr);
}

/* Its end of the socket, once it has one. */
static void
keep_end(struct child *child, int *fd)
{
	child->fd = *fd;
	*fd = -1;
	if (child->pid == 0)
		fd_close(&child->fd);
}

#define AHEAD      (2 << 20) /* bytes of frames that an intake may be ahead of who takes them */
#define PIPE_AHEAD (1 << 20)

/* As far as the system lets us: both only save waiting for one another. */
static void
widen(int socket_fd, int pipe_fd)
{
	static const int ahead = AHEAD;

	if (setsockopt(socket_fd, SOL_SOCKET, SO_SNDBUFFORCE, &ahead, sizeof(ahead)) != 0)
		(void)setsockopt(socket_fd, SOL_SOCKET, SO_SNDBUF, &ahead, sizeof(ahead));
	(void)fcntl(pipe_fd, F_SETPIPE_SZ, PIPE_AHEAD);
}

static enum az_status
spawn_intake(struct parent *parent, uint32_t id, struct child *child, struct az_err *reterr)
{
	int pair[2] = {-1, -1};
	int pipe_fds[2] = {-1, -1};
	enum az_status status = proc_socketpair(pair, reterr);

	if (status == AZ_OK && pipe2(pipe_fds, O_CLOEXEC) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "pipe");
	if (status == AZ_OK) {
		int fds[] = {pair[1], pipe_fds[0], parent->tables_fd};

		widen(pair[1], pipe_fds[1]);
		status = parent_spawn("azukari-intake", "../intake", NULL, fds, AZ_ARRAY_SIZE(fds),
		    parent->config->users.intake, &child->pid, reterr);
	}
	if (status == AZ_OK)
		status = send_child(parent, id, 0, pair[0], reterr);
	if (status == AZ_OK)
		status = send_child(parent, id, 1, pipe_fds[1], reterr);
	fd_close(&pair[0]);
	keep_end(child, &pair[1]);
	fd_close(&pipe_fds[0]);
	fd_close(&pipe_fds[1]);
	return status;
}

static enum az_status
spawn_verify(struct parent *parent, uint32_t id, struct child *child, struct az_err *reterr)
{
	int pair[2] = {-1, -1};
	int ledger = openat(parent->keeper_dirfd, "ledger", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum az_status status = AZ_OK;

	if (ledger < 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "ledger");
	if (status == AZ_OK)
		status = proc_socketpair(pair, reterr);
	if (status == AZ_OK) {
		int fds[] = {pair[1], ledger};

		status = parent_spawn("azukari-keeper", "../keeper", "verify", fds,
		    AZ_ARRAY_SIZE(fds), parent->config->users.keeper, &child->pid, reterr);
	}
	if (status == AZ_OK)
		status = send_child(parent, id, 0, pair[0], reterr);
	fd_close(&pair[0]);
	keep_end(child, &pair[1]);
	fd_close(&ledger);
	return status;
}

/* One that has nothing but a socket. */
static enum az_status
spawn_plain(struct parent *parent, uint32_t id, const char *name, const char *folder,
    struct house_user user, struct child *child, struct az_err *reterr)
{
	int pair[2] = {-1, -1};
	enum az_status status = proc_socketpair(pair, reterr);

	if (status == AZ_OK)
		status = parent_spawn(name, folder, NULL, &pair[1], 1, user, &child->pid, reterr);
	if (status == AZ_OK)
		status = send_child(parent, id, 0, pair[0], reterr);
	fd_close(&pair[0]);
	keep_end(child, &pair[1]);
	return status;
}

/*
 * A place for another; whoever was let go of, and is still there, makes way at once. So those that hang have all places
 * for no longer than the keeper talks to them. NULL: there is none.
 */
static struct child *
place_for_child(struct parent *parent)
{
	struct child *leaving = NULL;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (parent->children[i].pid == 0)
			return &parent->children[i];
		if (parent->children[i].left_us != 0)
			leaving = &parent->children[i];
	}
	if (leaving == NULL || kill(leaving->pid, SIGKILL) != 0 ||
	    waitpid(leaving->pid, NULL, 0) != leaving->pid)
		return NULL;
	fd_close(&leaving->fd);
	*leaving = (struct child){.fd = -1};
	return leaving;
}

static void
take_spawn(struct parent *parent, const struct frame *frame)
{
	uint8_t child = frame->body.data[0];
	struct az_err err = {0};
	enum az_status status = AZ_BUSY;
	struct child *place = place_for_child(parent);

	if (place == NULL)
		status = az_fail(&err, AZ_BUSY, "too many children are running");
	else if (child == CHILD_INTAKE)
		status = spawn_intake(parent, frame->id, place, &err);
	else if (child == CHILD_VERIFY)
		status = spawn_verify(parent, frame->id, place, &err);
	/* Attribute has the user that intake has. */
	else if (child == CHILD_ATTRIBUTE)
		status = spawn_plain(parent, frame->id, "azukari-attribute", "../attribute",
		    parent->config->users.intake, place, &err);
	else if (child == CHILD_SCANNER)
		status = spawn_plain(parent, frame->id, "azukari-scanner", "../scan",
		    parent->config->users.scanner, place, &err);
	else
		status = az_fail(&err, AZ_INVALID, "a child of no known kind");
	err.status = status;
	if (status != AZ_OK)
		send_failed(parent, frame->id, &err);
}

/* --- the host secret, and the slots with it --------------------------------------------------- */

/* Appends the file of what the officers gave, sealed under next. */
static enum az_status
make_slots(struct parent *parent, const struct parent_slots *asked, const struct host_secret *next,
    struct buffer *file, struct az_err *reterr)
{
	const struct parent_config *config = parent->config;
	struct slot_holder holders[PARENT_SLOTS_MAX] = {0};

	for (uint8_t i = 0; i < asked->count; i++) {
		memcpy(holders[i].label, asked->labels[i], sizeof(holders[i].label));
		holders[i].passphrase = asked->passphrases[i];
	}
	return slots_encode(config->folder->file.house, config->root, next->slots, holders,
	    asked->count, asked->needed, SLOTS_COST, file, reterr);
}

/* What is on the disk nobody knows before the next start: so we end, and the house with us. */
static void
give_up(struct parent *parent, const struct az_err *err)
{
	parent->err = *err;
	parent->failed = true;
	parent->stopping = true;
	parent->stop_by_us = clock_monotonic_us();
	kill_children(parent);
}

/*
 * Keeps a new host secret, with the keeper's part for the ring. With slots that are asked its part for slots is new; and so
 * where there are none, since one that an older release wrote has the same for both.
 */
static enum az_status
renew_host(struct parent *parent, const uint8_t ring[PARENT_RING_SIZE],
    const struct parent_slots *asked, struct az_err *reterr)
{
	const struct parent_config *config = parent->config;
	const uint8_t *house = config->folder->file.house;
	struct host_secret next = {0};
	struct buffer file;
	bool kept = false;
	int dirfd = -1;
	enum az_status status = dir_open(config->folder->dirfd, "secret", false, 0, &dirfd, reterr);

	buffer_init(&file, SLOTS_FILE_MAX, true);
	if (status == AZ_OK)
		status = host_secret_new(&next, reterr);
	if (status == AZ_OK) {
		memcpy(secret_data(next.ring), ring, PARENT_RING_SIZE);
		if (asked != NULL)
			status = make_slots(parent, asked, &next, &file, reterr);
		else if (!house_is_unsealed(house))
			memcpy(secret_data(next.slots), secret_peek(config->host->slots).data,
			    HOST_PART_SIZE);
	}
	if (status == AZ_OK)
		status =
		    host_secret_replace(dirfd, house, &next, buffer_peek(&file), &kept, reterr);
	if (status == AZ_OK) {
		host_secret_fini(config->host);
		*config->host = next;
		next = (struct host_secret){0};
	} else if (kept) {
		give_up(parent, reterr);
	}
	host_secret_fini(&next);
	buffer_fini(&file);
	fd_close(&dirfd);
	return status;
}

/* Answers with what came of it. */
static enum az_status
answer_renewed(struct parent *parent, enum parent_message type, uint32_t id, enum az_status renewed,
    const struct az_err *err)
{
	struct buffer body;
	struct wire_writer writer;
	enum az_status status;

	buffer_init(&body, PARENT_BODY_MAX, false);
	wire_writer_init(&writer, &body);
	wire_put_u8(&writer, (uint8_t)renewed);
	wire_put_text(&writer, renewed == AZ_OK ? "" : err->text);
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(&parent->link, (uint16_t)type, id, buffer_peek(&body));
	if (status == AZ_OK)
		status = link_flush(&parent->link, NULL);
	buffer_fini(&body);
	return status;
}

static enum az_status
take_slots(struct parent *parent, const struct frame *frame)
{
	struct parent_slots asked;
	struct az_err err = {0};
	enum az_status status = parent_slots_decode(frame->body, &asked);
	enum az_status renewed;

	if (status != AZ_OK)
		return status;
	renewed = renew_host(parent, asked.ring, &asked, &err);
	az_wipe(&asked, sizeof(asked));
	return answer_renewed(parent, PARENT_SLOTS, frame->id, renewed, &err);
}

static enum az_status
take_ring(struct parent *parent, const struct frame *frame)
{
	struct az_err err = {0};
	enum az_status renewed = renew_host(parent, frame->body.data, NULL, &err);

	return answer_renewed(parent, PARENT_RING, frame->id, renewed, &err);
}

static void
tell_ready(struct parent *parent)
{
	if (parent->told)
		return;
	parent->told = true;
	if (parent->config->told_fd >= 0)
		(void)close(parent->config->told_fd);
}

/* Why the keeper cannot start. */
static void
take_failed(struct parent *parent, const struct frame *frame)
{
	struct wire_reader reader;
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, frame->body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (!wire_end(&reader) || status == AZ_OK || status > AZ_GONE)
		(void)az_fail(&parent->err, AZ_INTERNAL, "the keeper did not say why it ended");
	else
		(void)az_fail(&parent->err, (enum az_status)status, "%s", text);
	parent->failed = true;
	send_stop(parent);
}

static void
take_fronts(struct parent *parent, const struct frame *frame)
{
	bool any = wire_load_u32(frame->body.data) > 0;

	parent->idle_since_us = any ? 0 : clock_monotonic_us();
	parent->ever_used = parent->ever_used || any;
}

static void
take_frames(struct parent *parent)
{
	enum az_status status = link_fill(&parent->link, NULL);

	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&parent->link, &frame, NULL);
		if (status != AZ_OK)
			break;
		fd_close(&frame.fd);
		if (frame.type == KEEPER_READY) {
			parent->ready = true;
			parent->idle_since_us = clock_monotonic_us();
			parent->pause_us = PAUSE_FIRST_US;
			tell_ready(parent);
			if (parent->config->founding != NULL)
				send_stop(parent);
		} else if (frame.type == KEEPER_FAILED) {
			take_failed(parent, &frame);
		} else if (frame.type == KEEPER_SPAWN && frame.body.size == 1) {
			take_spawn(parent, &frame);
		} else if (frame.type == KEEPER_FRONTS && frame.body.size == 4) {
			take_fronts(parent, &frame);
		} else if (frame.type == KEEPER_SLOTS) {
			status = take_slots(parent, &frame);
		} else if (frame.type == KEEPER_RING && frame.body.size == PARENT_RING_SIZE) {
			status = take_ring(parent, &frame);
		} else {
			status = AZ_INVALID;
		}
	}
	if (status == AZ_BUSY)
		return;
	/* It has gone, or says what cannot be: its end is noticed, or made. */
	link_fini(&parent->link);
	parent->has_link = false;
	if (status != AZ_GONE && parent->keeper != 0)
		(void)kill(parent->keeper, SIGKILL);
}

/* --- deaths ----------------------------------------------------------------------------------- */

/* Notes that a process died unexpectedly; false if that was once too often. */
static bool
note_death(struct parent *parent)
{
	int64_t now = clock_monotonic_us();

	if (parent->death_count == DEATHS_MAX) {
		if (now - parent->deaths[0] < DEATHS_US)
			return false;
		memmove(parent->deaths, parent->deaths + 1,
		    (DEATHS_MAX - 1) * sizeof(parent->deaths[0]));
		parent->death_count--;
	}
	parent->deaths[parent->death_count++] = now;
	parent->restart_at_us = now + parent->pause_us;
	parent->pause_us =
	    2 * parent->pause_us < PAUSE_MAX_US ? 2 * parent->pause_us : PAUSE_MAX_US;
	return true;
}

static void
tell_death(const char *name, int how)
{
	if (WIFSIGNALED(how))
		(void)fprintf(stderr, "azukari: %s was ended by signal %d\n", name, WTERMSIG(how));
	else
		(void)fprintf(stderr, "azukari: %s ended with %d\n", name, WEXITSTATUS(how));
}

static void
take_death(struct parent *parent, pid_t pid, int how)
{
	bool good = WIFEXITED(how) && WEXITSTATUS(how) == 0;
	bool was_vault = pid == parent->vault;
	bool starts_anew;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (parent->children[i].pid != pid)
			continue;
		fd_close(&parent->children[i].fd);
		parent->children[i] = (struct child){.fd = -1};
	}
	if (pid != parent->keeper && pid != parent->vault)
		return;
	/* A keeper that ends well by itself wants to be started anew; its vault ends with it. */
	starts_anew = good && !parent->stopping;
	if (starts_anew && pid == parent->keeper)
		(void)fprintf(stderr, "azukari: the house starts anew\n");
	else if (!starts_anew && (!parent->stopping || (!good && !parent->failed)))
		tell_death(pid == parent->keeper ? "azukari-keeper" : "azukari-vault", how);
	if (pid == parent->keeper)
		parent->keeper = 0;
	else
		parent->vault = 0;
	if (parent->stopping) {
		parent->unclean = parent->unclean || !good;
		return;
	}
	/* One without the other has no state to go on with; a keeper that closed the vault's link is ending. */
	if (!(starts_anew && was_vault))
		kill_children(parent);
}

static void
reap(struct parent *parent)
{
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0)
		take_death(parent, pid, how);
	if (parent->keeper != 0 || parent->vault != 0 || parent->stopping ||
	    parent->restart_at_us != 0)
		return;
	if (parent->has_link)
		link_fini(&parent->link);
	parent->has_link = false;
	/* Founding is all or nothing. */
	if (parent->config->founding != NULL || !note_death(parent)) {
		parent->failed = true;
		parent->stopping = true;
		(void)az_fail(&parent->err, AZ_IO, "the processes of the house keep dying");
	}
}

/* --- the socket and the loop ------------------------------------------------------------------ */

static enum az_status
watch_signals(struct parent *parent, struct az_err *reterr)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "signals");
	parent->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (parent->signal_fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "signals");
	return AZ_OK;
}

static void
take_signals(struct parent *parent)
{
	struct signalfd_siginfo info;

	while (read(parent->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			send_stop(parent);
	}
}

/* Whether a transient parent has waited long enough. */
static bool
is_idle(const struct parent *parent, int64_t now)
{
	int64_t patience = parent->ever_used ? IDLE_US : NEVER_US;

	if (!parent->config->transient || !parent->ready || parent->idle_since_us == 0)
		return false;
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (parent->children[i].pid != 0)
			return false;
	}
	return now - parent->idle_since_us >= patience;
}

/* Ends children that the keeper let go of and that do not go by themselves. */
static void
end_children(struct parent *parent, const struct pollfd *fds, int64_t now)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &parent->children[i];

		if (child->pid == 0)
			continue;
		if (fds[i].revents != 0 && child->left_us == 0)
			child->left_us = now;
		if (child->left_us != 0 && now - child->left_us > LEAVE_US)
			(void)kill(child->pid, SIGKILL);
	}
}

/* One turn: waits for something to happen, and deals with it. */
static enum az_status
turn(struct parent *parent, struct az_err *reterr)
{
	struct pollfd fds[2 + CHILDREN_MAX] = {{.fd = parent->signal_fd, .events = POLLIN},
	    {.fd = parent->has_link ? parent->link.fd : -1, .events = POLLIN}};
	int64_t now;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		fds[2 + i].fd = parent->children[i].left_us == 0 ? parent->children[i].fd : -1;
	if (poll(fds, AZ_ARRAY_SIZE(fds), 100) < 0 && errno != EINTR)
		return az_fail_errno(reterr, AZ_IO, errno, "poll");
	end_children(parent, fds + 2, clock_monotonic_us());
	if (fds[0].revents != 0)
		take_signals(parent);
	if (parent->has_link && fds[1].revents != 0)
		take_frames(parent);
	reap(parent);
	now = clock_monotonic_us();
	if (parent->restart_at_us != 0 && now >= parent->restart_at_us && !parent->stopping) {
		parent->restart_at_us = 0;
		/* What is short now may be there later: it counts as one more death. */
		if (start(parent, &parent->err) != AZ_OK) {
			(void)fprintf(stderr, "azukari: %s\n", parent->err.text);
			kill_children(parent);
			if (parent->keeper == 0 && parent->vault == 0 && !note_death(parent))
				status = parent->err.status;
		}
	}
	if (is_idle(parent, now))
		send_stop(parent);
	if (parent->stopping && now > parent->stop_by_us)
		kill_children(parent);
	return status;
}

/* The vault ends when the keeper's end of its socket does. */
static bool
has_ended(const struct parent *parent)
{
	return parent->stopping && parent->keeper == 0 && parent->vault == 0;
}

static enum az_status
open_folders(struct parent *parent, struct az_err *reterr)
{
	int dirfd = parent->config->folder->dirfd;
	enum az_status status = dir_open(dirfd, "keeper", false, 0, &parent->keeper_dirfd, reterr);

	if (status == AZ_OK)
		status = dir_open(dirfd, "vault", false, 0, &parent->vault_dirfd, reterr);
	if (status == AZ_OK)
		status = dir_open(dirfd, "run", false, 0, &parent->run_dirfd, reterr);
	return status;
}

static enum az_status
open_anchor(struct parent *parent, struct az_err *reterr)
{
	const char *path = parent->config->anchor;
	int flags = O_RDONLY | O_CLOEXEC | (path != NULL ? O_DIRECTORY : 0);

	parent->anchor_fd = open(path != NULL ? path : "/dev/null", flags);
	if (parent->anchor_fd < 0)
		return az_fail_errno(
		    reterr, AZ_IO, errno, "anchor %s", path != NULL ? path : "/dev/null");
	return AZ_OK;
}

static enum az_status
open_tables(struct parent *parent, struct az_err *reterr)
{
	bool there;
	enum az_status status = program_open_tables(&parent->tables_fd, &there, reterr);

	if (status == AZ_OK && !there && !parent->config->transient)
		(void)fprintf(stderr,
		    "azukari: the match tables are not installed: names and addresses are found in "
		    "fewer spellings\n");
	return status;
}

enum az_status
parent_run(const struct parent_config *config, struct az_err *reterr)
{
	struct parent parent = {.config = config,
	    .keeper_dirfd = -1,
	    .vault_dirfd = -1,
	    .run_dirfd = -1,
	    .anchor_fd = -1,
	    .tables_fd = -1,
	    .listen_fd = -1,
	    .signal_fd = -1,
	    .children = {{.fd = -1}, {.fd = -1}, {.fd = -1}, {.fd = -1}},
	    .pause_us = PAUSE_FIRST_US};
	enum az_status status = open_folders(&parent, reterr);

	if (status == AZ_OK)
		status = open_anchor(&parent, reterr);
	if (status == AZ_OK)
		status = open_tables(&parent, reterr);
	if (status == AZ_OK)
		status = watch_signals(&parent, reterr);
	if (status == AZ_OK)
		/* Who may connect proves who they are with two keys. */
		status = socket_listen(
		    parent.run_dirfd, HOUSE_SOCKET, BACKLOG, &parent.listen_fd, reterr);
	if (status == AZ_OK)
		status = start(&parent, reterr);
	while (status == AZ_OK && !has_ended(&parent))
		status = turn(&parent, reterr);
	if (status == AZ_OK && parent.failed) {
		*reterr = parent.err;
		status = parent.err.status;
	}
	/* A house is founded to its end or not at all; one that serves may be stopped anyhow. */
	if (status == AZ_OK && config->founding != NULL && (!parent.ready || parent.unclean))
		status = az_fail(reterr, AZ_IO, "the house was not founded to the end");
	kill_children(&parent);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (parent.run_dirfd >= 0)
		(void)unlinkat(parent.run_dirfd, HOUSE_SOCKET, 0);
	if (parent.has_link)
		link_fini(&parent.link);
	fd_close(&parent.listen_fd);
	fd_close(&parent.signal_fd);
	fd_close(&parent.keeper_dirfd);
	fd_close(&parent.vault_dirfd);
	fd_close(&parent.run_dirfd);
	fd_close(&parent.anchor_fd);
	fd_close(&parent.tables_fd);
	return status;
}
