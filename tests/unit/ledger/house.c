#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "house.h"

static void
wake(void *arg)
{
	struct house *house = arg;

	(void)sem_post(&house->woken);
}

static void
fatal(void *arg, const struct az_err *err)
{
	(void)arg;
	(void)fprintf(stderr, "fatal: %s\n", err->text);
	abort();
}

static enum az_status
behind(void *arg, const struct ledger_record *record, struct az_err *reterr)
{
	struct house *house = arg;

	(void)reterr;
	if (record->seq != house->applied + 1)
		return AZ_INTERNAL;
	house->applied = record->seq;
	return AZ_OK;
}

static enum az_status
behind_sync(void *arg, uint64_t seq, struct az_err *reterr)
{
	struct house *house = arg;

	if (house->state_fails)
		return az_fail(reterr, AZ_IO, "no space for the state");
	house->applied_synced = seq;
	return AZ_OK;
}

static struct ledger_config
config_of(struct house *house, bool create)
{
	struct ledger_config config = {.dirfd = house->dirfd,
	    .root = house->root,
	    .create = create,
	    .has_anchor = house->has_anchor,
	    .anchor_dirfd = house->anchor_dirfd,
	    .segment_size = 2 * 1024 * 1024,
	    .behind = behind,
	    .behind_sync = behind_sync,
	    .behind_arg = house,
	    .wake = wake,
	    .wake_arg = house,
	    .fatal = fatal};

	memcpy(config.house, house->id, HOUSE_ID_SIZE);
	return config;
}

void
house_make(struct house *house)
{
	struct ledger_config config;

	*house = (struct house){.dirfd = -1};
	(void)snprintf(house->path, sizeof(house->path), "/tmp/azukari-ledger-XXXXXX");
	assert_non_null(mkdtemp(house->path));
	house->dirfd = open(house->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(house->dirfd >= 0);
	memcpy(house->id, "Uabcdefghijklmno", HOUSE_ID_SIZE);
	assert_int_equal(sem_init(&house->woken, 0, 0), 0);
	assert_int_equal(secret_new(32, &house->root, NULL), AZ_OK);
	memset(secret_data(house->root), 7, 32);
	config = config_of(house, true);
	assert_int_equal(ledger_open(&config, &house->ledger, NULL), AZ_OK);
}

enum az_status
house_open(struct house *house, struct az_err *reterr)
{
	struct ledger_config config = config_of(house, false);

	return ledger_open(&config, &house->ledger, reterr);
}

static enum az_status
note_applied(void *arg, const struct ledger_record *record, struct az_err *reterr)
{
	return behind(arg, record, reterr);
}

void
house_start(struct house *house)
{
	struct az_err err = {0};

	if (house->ledger == NULL && house_open(house, &err) != AZ_OK)
		fail_msg("%s", err.text);
	/* What this house's state has applied but not synced is lost with a crash, and replayed. */
	house->applied = house->applied_synced;
	assert_int_equal(
	    ledger_replay(house->ledger, house->applied, note_applied, house, &err), AZ_OK);
	assert_int_equal(ledger_start(house->ledger, &err), AZ_OK);
}

static void
done(void *arg, const struct az_ticket *ticket)
{
	struct house *house = arg;

	assert_true(ticket_entry(ticket)->time_us > 0);
	house->acknowledged++;
}

void
house_disclose(struct house *house, uint32_t log, unsigned int count)
{
	uint64_t wanted = house->acknowledged + count;

	for (unsigned int i = 0; i < count; i++) {
		struct ledger_entry entry = {.type = ENTRY_DISCLOSED,
		    .log = log,
		    .staff = 17,
		    .record = i + 1,
		    .version = 1,
		    .shown = 6};

		assert_int_equal(ledger_submit(house->ledger, &entry, bytes_of("payload of it"),
				     done, house, NULL),
		    AZ_OK);
	}
	ledger_kick(house->ledger);
	while (house->acknowledged < wanted) {
		(void)sem_wait(&house->woken);
		ledger_poll(house->ledger);
	}
}

static void
set_flag(void *arg)
{
	*(bool *)arg = true;
}

void
house_settle(struct house *house)
{
	bool settled = false;

	assert_int_equal(ledger_settle(house->ledger, set_flag, &settled, NULL), AZ_OK);
	while (!settled) {
		(void)sem_wait(&house->woken);
		ledger_poll(house->ledger);
	}
}

void
house_close(struct house *house)
{
	ledger_close(&house->ledger);
}

static void
run(const char *const *argv)
{
	pid_t child = fork();
	int how = 0;

	assert_true(child >= 0);
	if (child == 0) {
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

void
house_remove(struct house *house)
{
	const char *argv[] = {"rm", "-rf", house->path, NULL};

	house_close(house);
	secret_free(&house->root);
	(void)sem_destroy(&house->woken);
	(void)close(house->dirfd);
	run(argv);
}

void
house_copy(const char *from, const char *to)
{
	char source[80];
	const char *clear[] = {"find", to, "-mindepth", "1", "-delete", NULL};
	const char *copy[] = {"cp", "-a", source, to, NULL};

	(void)snprintf(source, sizeof(source), "%s/.", from);
	run(clear);
	run(copy);
}

void
house_discard(const char *path)
{
	const char *argv[] = {"rm", "-rf", path, NULL};

	run(argv);
}

void
house_flip(struct house *house, const char *file, long offset)
{
	int fd = openat(house->dirfd, file, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	(void)close(fd);
}

long
house_file_size(struct house *house, const char *file)
{
	struct stat info;

	assert_int_equal(fstatat(house->dirfd, file, &info, 0), 0);
	return (long)info.st_size;
}

void
house_truncate(struct house *house, const char *file, long size)
{
	int fd = openat(house->dirfd, file, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	(void)close(fd);
}
