/*
 * Scanners, one file each at a time.
 *
 * A scanner is a process that hostile bytes may kill or stop. It is watched from here: by its end, and by the time since
 * it last told of progress. Frames that cannot be are treated as its death.
 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/frame.h"
#include "base/proc.h"
#include "base/wire.h"
#include "cli/program.h"
#include "cli/scan.h"
#include "proto/scan.h"

#define JOBS_MAX    64u
#define OUT_MAX     (64u * 1024u)
#define STALL_US    (5 * AZ_US_PER_S) /* beyond the time that a file may take */
#define PROGRESS_US (AZ_US_PER_S / 2)
#define QUIET_US    (2 * AZ_US_PER_S) /* what is over sooner needs no progress */
#define UID_SCANNER 64304 /* where there is no user of that name; no Debian package has it */

struct worker {
	pid_t pid; /* 0: none */
	struct link link;
	bool busy;
	char *path;
	int64_t heard_us;
	uint64_t bytes; /* of the file at work */
};

struct pool {
	struct pool_config config;
	struct worker workers[JOBS_MAX];
	uint32_t next_id;
	int64_t began_us, shown_us;
	bool shown;
	enum az_status status; /* of the sink */
	struct az_err err;
};

/* --- life ------------------------------------------------------------------------------------- */

static enum az_status
worker_start(struct worker *worker, struct az_err *reterr)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("azukari-scanner") : NULL;
	char path[PATH_MAX];
	int pair[2] = {-1, -1};
	const char *argv[] = {"azukari-scanner", NULL};
	struct proc_spec spec = {.path = path,
	    .argv = argv,
	    .fd_count = 1,
	    .uid = user != NULL ? user->pw_uid : UID_SCANNER,
	    .gid = user != NULL ? user->pw_gid : UID_SCANNER,
	    .inherit_stderr = true};
	enum az_status status = program_find("azukari-scanner", "../scan", path, reterr);

	if (status == AZ_OK)
		status = proc_socketpair(pair, reterr);
	if (status == AZ_OK) {
		spec.fds[0] = pair[1];
		status = proc_spawn(&spec, &worker->pid, reterr);
	}
	fd_close(&pair[1]);
	if (status != AZ_OK) {
		fd_close(&pair[0]);
		return status;
	}
	link_init(&worker->link, pair[0], LINK_BLOCKING, SCAN_BODY_MAX, OUT_MAX, false);
	return AZ_OK;
}

static void
worker_end(struct worker *worker)
{
	if (worker->pid == 0)
		return;
	(void)kill(worker->pid, SIGKILL);
	while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
		;
	worker->pid = 0;
	link_fini(&worker->link);
}

static void
worker_done(struct pool *pool, struct worker *worker)
{
	pool->config.findings->file_count++;
	pool->config.findings->bytes += worker->bytes;
	free(worker->path);
	worker->path = NULL;
	worker->busy = false;
	worker->bytes = 0;
}

/* The file at work cannot be read to its end. */
static void
worker_lost(struct pool *pool, struct worker *worker, enum scan_unread reason)
{
	worker_end(worker);
	if (!worker->busy)
		return;
	findings_add_unread(pool->config.findings, worker->path, "", reason);
	worker_done(pool, worker);
}

enum az_status
pool_new(const struct pool_config *config, struct pool **ret_pool, struct az_err *reterr)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	enum az_status status;

	if (pool == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	pool->config = *config;
	pool->config.jobs = config->jobs < JOBS_MAX ? config->jobs : JOBS_MAX;
	pool->status = AZ_OK;
	pool->began_us = clock_monotonic_us();
	/* The first one now, so that what hinders all is told at once. */
	status = worker_start(&pool->workers[0], reterr);
	if (status == AZ_OK)
		*ret_pool = pool;
	else
		free(pool);
	return status;
}

void
pool_free(struct pool **pool)
{
	if (*pool == NULL)
		return;
	for (size_t i = 0; i < JOBS_MAX; i++) {
		worker_end(&(*pool)->workers[i]);
		free((*pool)->workers[i].path);
	}
	free(*pool);
	*pool = NULL;
}

/* --- what scanners tell ----------------------------------------------------------------------- */

static void
take_found(struct pool *pool, struct worker *worker, struct wire_reader *reader)
{
	char member[SCAN_MEMBER_MAX];
	uint64_t counts[SCAN_KINDS];

	wire_get_text(reader, member, sizeof(member));
	if (wire_get_u8(reader) != SCAN_KINDS)
		reader->failed = true;
	for (size_t i = 0; i < SCAN_KINDS; i++) {
		counts[i] = wire_get_u64(reader);
		/* More than there are bytes is a lie, and sums must not run over. */
		if (counts[i] > UINT64_C(1) << 48)
			reader->failed = true;
	}
	if (!wire_end(reader) || !bytes_are_utf8(bytes_of(member)))
		reader->failed = true;
	else if (pool->config.sink == NULL)
		findings_add(pool->config.findings, worker->path, member, counts);
	else if (pool->status == AZ_OK)
		pool->status = pool->config.sink->found(
		    pool->config.sink->arg, worker->path, member, counts, &pool->err);
}

/* What they say is for who can tell whose they are: it is not looked at here. */
static void
take_tokens(struct pool *pool, struct worker *worker, struct wire_reader *reader)
{
	char member[SCAN_MEMBER_MAX];
	struct bytes tokens;

	wire_get_text(reader, member, sizeof(member));
	tokens = wire_get_bytes(reader, SCAN_BODY_MAX);
	if (!wire_end(reader) || pool->config.sink == NULL || !bytes_are_utf8(bytes_of(member)))
		reader->failed = true;
	else if (pool->status == AZ_OK)
		pool->status = pool->config.sink->tokens(
		    pool->config.sink->arg, worker->path, member, tokens, &pool->err);
}

static void
take_hits(struct pool *pool, struct worker *worker, struct wire_reader *reader)
{
	char member[SCAN_MEMBER_MAX];
	uint32_t count;

	wire_get_text(reader, member, sizeof(member));
	count = wire_get_count(reader, SCAN_BODY_MAX, 13);
	if (!bytes_are_utf8(bytes_of(member)))
		reader->failed = true;
	for (uint32_t i = 0; i < count && !reader->failed; i++) {
		uint8_t kind = wire_get_u8(reader);
		uint64_t at = wire_get_u64(reader);
		uint32_t size = wire_get_u32(reader);

		if (kind >= SCAN_KINDS || at > INT64_MAX)
			reader->failed = true;
		if (!reader->failed)
			findings_add_hit(pool->config.findings, worker->path, member,
			    (enum scan_kind)kind, at, size);
	}
}

static void
take_unread(struct pool *pool, struct worker *worker, struct wire_reader *reader)
{
	char member[SCAN_MEMBER_MAX];
	uint8_t reason;

	wire_get_text(reader, member, sizeof(member));
	reason = wire_get_u8(reader);
	if (reason == SCAN_UNREAD_NONE || reason >= SCAN_UNREADS ||
	    !bytes_are_utf8(bytes_of(member)))
		reader->failed = true;
	if (!reader->failed)
		findings_add_unread(
		    pool->config.findings, worker->path, member, (enum scan_unread)reason);
}

/* False: it sent what cannot be. */
static bool
take_frame(struct pool *pool, struct worker *worker, const struct frame *frame)
{
	struct wire_reader reader;

	wire_reader_init(&reader, frame->body);
	if (!worker->busy)
		return false;
	worker->heard_us = clock_monotonic_us();
	switch (frame->type) {
	case SCAN_FOUND: take_found(pool, worker, &reader); break;
	case SCAN_HITS: take_hits(pool, worker, &reader); break;
	case SCAN_TOKENS: take_tokens(pool, worker, &reader); break;
	case SCAN_UNREAD: take_unread(pool, worker, &reader); break;
	case SCAN_PROGRESS:
	case SCAN_DONE:
		worker->bytes = wire_get_u64(&reader);
		if (worker->bytes > UINT64_C(1) << 60)
			reader.failed = true;
		break;
	default: return false;
	}
	if (!wire_end(&reader))
		return false;
	if (frame->type == SCAN_DONE)
		worker_done(pool, worker);
	return true;
}

static void
worker_listen(struct pool *pool, struct worker *worker)
{
	enum az_status status = link_fill(&worker->link, NULL);

	while (status == AZ_OK) {
		struct frame frame;

		status = link_next(&worker->link, &frame, NULL);
		if (status == AZ_OK && !take_frame(pool, worker, &frame))
			status = AZ_INVALID;
	}
	if (status != AZ_BUSY)
		worker_lost(pool, worker, SCAN_UNREAD_DIED);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void
show_progress(struct pool *pool, int64_t now, bool last)
{
	uint64_t bytes = pool->config.findings->bytes;

	if (isatty(STDERR_FILENO) == 0 || (last && !pool->shown))
		return;
	if (!last && (now - pool->began_us < QUIET_US || now - pool->shown_us < PROGRESS_US))
		return;
	for (size_t i = 0; i < pool->config.jobs; i++)
		bytes += pool->workers[i].bytes;
	pool->shown = true;
	pool->shown_us = now;
	(void)fprintf(stderr, "\rscanned %llu files, %.1f GB%s",
	    (unsigned long long)pool->config.findings->file_count, (double)bytes / 1e9,
	    last ? "\n" : "");
}

/* Waits until some scanner has told something, and ends those that stand still. */
static enum az_status
pool_wait(struct pool *pool, struct az_err *reterr)
{
	const struct pool_sink *sink = pool->config.sink;
	struct pollfd polls[JOBS_MAX];
	int64_t now;

	for (size_t i = 0; i < pool->config.jobs; i++)
		polls[i] =
		    (struct pollfd){.fd = pool->workers[i].pid != 0 ? pool->workers[i].link.fd : -1,
			.events = POLLIN};
	(void)poll(polls, pool->config.jobs, 250);
	for (size_t i = 0; i < pool->config.jobs; i++) {
		if (polls[i].fd >= 0 && polls[i].revents != 0)
			worker_listen(pool, &pool->workers[i]);
	}
	now = clock_monotonic_us();
	for (size_t i = 0; i < pool->config.jobs; i++) {
		struct worker *worker = &pool->workers[i];

		if (worker->busy &&
		    now - worker->heard_us > pool->config.limits.time_max_us + STALL_US)
			worker_lost(pool, worker, SCAN_UNREAD_TIME);
	}
	show_progress(pool, now, false);
	if (pool->status != AZ_OK)
		*reterr = pool->err;
	else if (sink != NULL && sink->is_over(sink->arg))
		return az_fail(reterr, AZ_GONE, "scan: the keeper has ended it");
	return pool->status;
}

static struct worker *
pool_idle(struct pool *pool)
{
	for (size_t i = 0; i < pool->config.jobs; i++) {
		if (!pool->workers[i].busy)
			return &pool->workers[i];
	}
	return NULL;
}

/* --- work ------------------------------------------------------------------------------------- */

static enum az_status
worker_ask(struct pool *pool, struct worker *worker, int fd, bool is_image, struct az_err *reterr)
{
	struct scan_read read = {.bytes_max = pool->config.limits.bytes_max,
	    .time_max_us = (uint64_t)pool->config.limits.time_max_us,
	    .flags = (uint8_t)((is_image ? SCAN_FLAG_IMAGE : 0) |
		(pool->config.tells_hits ? SCAN_FLAG_HITS : 0) |
		(pool->config.sink != NULL ? SCAN_FLAG_TOKENS : 0))};
	struct wire_writer writer;
	struct buffer body;
	enum az_status status;

	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	scan_read_put(&writer, &read);
	status = writer.status;
	if (status == AZ_OK)
		status = link_send_fd(
		    &worker->link, SCAN_READ, ++pool->next_id, buffer_peek(&body), fd, reterr);
	buffer_fini(&body);
	return status;
}

enum az_status
pool_read(struct pool *pool, int fd, const char *path, bool is_image, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	struct worker *worker = NULL;

	while (status == AZ_OK && (worker = pool_idle(pool)) == NULL)
		status = pool_wait(pool, reterr);
	if (status != AZ_OK) {
		fd_close(&fd);
		return status;
	}
	worker->path = strdup(path);
	if (worker->path == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	/* It may have died since its last file: a second one is tried. */
	for (int i = 0; status == AZ_OK && i < 2; i++) {
		if (worker->pid == 0)
			status = worker_start(worker, reterr);
		if (status != AZ_OK || worker_ask(pool, worker, fd, is_image, reterr) == AZ_OK)
			break;
		worker_end(worker);
	}
	fd_close(&fd);
	if (status == AZ_OK && worker->pid == 0)
		status = az_fail(reterr, AZ_IO, "the scanner ends as soon as it is started");
	worker->busy = status == AZ_OK;
	worker->heard_us = clock_monotonic_us();
	if (status != AZ_OK) {
		free(worker->path);
		worker->path = NULL;
	}
	return status;
}

enum az_status
pool_finish(struct pool *pool, struct az_err *reterr)
{
	enum az_status status = AZ_OK;
	bool busy = true;

	while (busy && status == AZ_OK) {
		busy = false;
		for (size_t i = 0; i < pool->config.jobs; i++)
			busy |= pool->workers[i].busy;
		if (busy)
			status = pool_wait(pool, reterr);
	}
	show_progress(pool, clock_monotonic_us(), true);
	return status;
}
