/*
 * The ledger by itself: appends a second with 64 waiters, and entries verified a second.
 *
 * A waiter submits one entry and the next one only when it holds the ticket, as 64 people at their screens do. All
 * whose tickets came with one flush submit again before the committer is woken, so the largest possible
 * rate is 64 for each flush that the disk makes; that limit is measured between the runs.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/ledger.h"
#include "measure.h"

#define WAITERS  64u
#define RUNS     5u
#define LOG      1u
#define QUEUED   16384u /* when filling, where nobody waits for one entry */
#define PAYLOADS "a payload of a usual size, as a disclosure has one: 64 bytes...."

struct bench {
	struct ledger *ledger;
	struct secret *root;
	uint8_t house[HOUSE_ID_SIZE];
	sem_t woken;
	uint64_t tickets;
	uint64_t wanted; /* no more is submitted once so many were */
	uint64_t submitted;
};

static void
wake(void *arg)
{
	struct bench *bench = arg;

	(void)sem_post(&bench->woken);
}

static void
fatal(void *arg, const struct az_err *err)
{
	(void)arg;
	bench_die("ledger", err);
}

static enum az_status
behind(void *arg, const struct ledger_record *record, struct az_err *reterr)
{
	(void)arg;
	(void)record;
	(void)reterr;
	return AZ_OK;
}

static enum az_status
behind_sync(void *arg, uint64_t seq, struct az_err *reterr)
{
	(void)arg;
	(void)seq;
	(void)reterr;
	return AZ_OK;
}

static void submit(struct bench *bench);

static void
take_ticket(void *arg, const struct az_ticket *ticket)
{
	struct bench *bench = arg;

	(void)ticket;
	bench->tickets++;
	if (bench->submitted < bench->wanted)
		submit(bench);
}

static void
submit(struct bench *bench)
{
	struct ledger_entry entry = {.type = ENTRY_DISCLOSED,
	    .log = LOG,
	    .staff = 1 + (uint32_t)(bench->submitted % WAITERS),
	    .device = 1,
	    .session = 1,
	    .purpose = 1,
	    .reason = REASON_ENQUIRY,
	    .basis = BASIS_INBOUND_MATCH,
	    .record = 1 + (uint32_t)(bench->submitted % 1000000),
	    .version = 1,
	    .shown = 6,
	    .rows = 1};
	struct az_err err = {0};

	bench->submitted++;
	bench_check("submit",
	    ledger_submit(bench->ledger, &entry, bytes_of(PAYLOADS), take_ticket, bench, &err),
	    &err);
}

static void
start(struct bench *bench, int dirfd)
{
	struct ledger_config config = {.dirfd = dirfd,
	    .create = true,
	    .behind = behind,
	    .behind_sync = behind_sync,
	    .wake = wake,
	    .wake_arg = bench,
	    .fatal = fatal};
	struct az_err err = {0};

	if (sem_init(&bench->woken, 0, 0) != 0)
		bench_die("semaphore", NULL);
	memcpy(bench->house, "Ubench-ledger...", HOUSE_ID_SIZE);
	memcpy(config.house, bench->house, HOUSE_ID_SIZE);
	bench_check("secret", secret_new(32, &bench->root, &err), &err);
	memset(secret_data(bench->root), 7, 32);
	config.root = bench->root;
	bench_check("open", ledger_open(&config, &bench->ledger, &err), &err);
	bench_check("start", ledger_start(bench->ledger, &err), &err);
}

/* Keeps waiters entries outstanding until wanted more have their tickets, or the time is over. */
static double
append(struct bench *bench, unsigned int waiters, uint64_t wanted, int64_t ns)
{
	int64_t since = bench_now_ns();
	uint64_t before = bench->tickets;

	bench->wanted = bench->submitted + wanted;
	for (unsigned int i = 0; i < waiters && bench->submitted < bench->wanted; i++)
		submit(bench);
	ledger_kick(bench->ledger);
	while (bench->tickets < bench->submitted) {
		(void)sem_wait(&bench->woken);
		ledger_poll(bench->ledger);
		ledger_kick(bench->ledger);
		if (bench_now_ns() - since > ns)
			bench->wanted = bench->submitted;
	}
	return (double)(bench->tickets - before) * 1e9 / (double)(bench_now_ns() - since);
}

static void
measure_appends(struct bench *bench, struct raw_disk *raw, int64_t ns)
{
	double rates[RUNS];
	double raws[RUNS];

	(void)append(bench, WAITERS, UINT32_MAX, ns / 2);
	for (unsigned int run = 0; run < RUNS; run++) {
		raws[run] = raw_disk_rate(raw, 500);
		rates[run] = append(bench, WAITERS, UINT32_MAX, ns);
		bench_say("appends, %u waiters, run %u: %.0f/s (the disk alone: %.0f flushes/s)",
		    WAITERS, run + 1, rates[run], raws[run]);
	}
	bench_result("appends", bench_median(rates, RUNS));
	bench_result("appends-raw", bench_median(raws, RUNS));
}

static void
set_flag(void *arg)
{
	*(bool *)arg = true;
}

static void
settle(struct bench *bench)
{
	bool settled = false;
	struct az_err err = {0};

	bench_check("settle", ledger_settle(bench->ledger, set_flag, &settled, &err), &err);
	while (!settled) {
		(void)sem_wait(&bench->woken);
		ledger_poll(bench->ledger);
	}
}

static void
measure_verify(struct bench *bench, int dirfd, uint64_t entries)
{
	struct ledger_verify verify = {.log = LOG, .generation = 1};
	struct head head;
	struct az_err err = {0};
	double rates[3];

	ledger_head(bench->ledger, LOG, &head);
	verify.head = &head;
	bench_check("key",
	    ledger_public_key(bench->house, bench->root, LOG, verify.public_key, &err), &err);
	for (unsigned int run = 0; run < AZ_ARRAY_SIZE(rates); run++) {
		int64_t since = bench_now_ns();

		bench_check(
		    "verify", ledger_verify(dirfd, bench->house, &verify, NULL, NULL, &err), &err);
		if (!verify.ok || verify.size < entries)
			bench_die(verify.problem, NULL);
		rates[run] = (double)verify.size * 1e9 / (double)(bench_now_ns() - since);
		bench_say("verify, run %u: %llu entries, %.0f/s", run + 1,
		    (unsigned long long)verify.size, rates[run]);
	}
	bench_result("verify", bench_median(rates, AZ_ARRAY_SIZE(rates)));
	bench_result("verify-entries", (double)verify.size);
}

int
main(void)
{
	uint64_t entries = bench_setting("BENCH_ENTRIES", 10000000);
	int64_t ns = (int64_t)bench_setting("BENCH_SECONDS", 5) * 1000000000;
	struct bench bench = {0};
	struct raw_disk raw;
	char path[256];
	int dirfd = bench_folder(path, sizeof(path));
	int ledger_dirfd;
	int64_t since;

	if (mkdirat(dirfd, "ledger", 0700) != 0)
		bench_die(path, NULL);
	ledger_dirfd = openat(dirfd, "ledger", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	raw_disk_init(&raw, dirfd);
	start(&bench, ledger_dirfd);
	measure_appends(&bench, &raw, ns);
	since = bench_now_ns();
	if (bench.submitted < entries)
		(void)append(&bench, QUEUED, entries - bench.submitted, INT64_MAX);
	settle(&bench);
	bench_say("filled to %llu entries in %.1f s", (unsigned long long)bench.submitted,
	    (double)(bench_now_ns() - since) / 1e9);
	measure_verify(&bench, ledger_dirfd, entries);
	ledger_close(&bench.ledger);
	secret_free(&bench.root);
	raw_disk_fini(&raw);
	(void)close(ledger_dirfd);
	(void)close(dirfd);
	bench_folder_remove(path);
	return 0;
}
