/*
 * The ledger by itself.
 *
 *	bench-ledger append DIR WAITERS SECONDS   appends a second, each waiter for its own ticket before the next
 *	bench-ledger verify DIR ENTRIES           writes ENTRIES and verifies them: entries a second
 *
 * Prints one line of numbers; scripts/bench.sh makes tables of them.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/hash.h"
#include "ledger/ledger.h"

#define AT_ONCE 20000u

struct bench {
	struct ledger *ledger;
	struct secret *root;
	uint8_t house[HOUSE_ID_SIZE];
	int dirfd;
	int wake_fd;
	uint64_t done;
	bool again; /* a ticket asks for the next entry */
	int64_t until;
};

static _Noreturn void
die(const struct az_err *err)
{
	(void)fprintf(stderr, "bench-ledger: %s\n", err->text);
	exit(1);
}

static void
wake(void *arg)
{
	struct bench *bench = arg;
	uint64_t one = 1;

	if (write(bench->wake_fd, &one, sizeof(one)) < 0)
		abort();
}

static void
fatal(void *arg, const struct az_err *err)
{
	(void)arg;
	die(err);
}

static void ticket(void *arg, const struct az_ticket *ticket);

/* An entry as a disclosure writes it. */
static void
submit(struct bench *bench)
{
	static uint32_t next;
	struct ledger_entry entry = {.type = ENTRY_DISCLOSED,
	    .log = 1 + next % 69,
	    .staff = 1 + next % 2000,
	    .device = 1,
	    .session = 1 + next % 64,
	    .policy_version = 1,
	    .zone = ZONE_LOOPBACK,
	    .grade = GRADE_OWN,
	    .outcome = AZ_OK,
	    .purpose = 1,
	    .reason = REASON_ENQUIRY,
	    .basis = BASIS_INBOUND_MATCH,
	    .record = 1 + next * 2654435761u % 9280000,
	    .version = 1,
	    .shown = 0x0702,
	    .request = next,
	    .rows = 1};
	struct az_err err = {0};

	next++;
	if (ledger_submit(bench->ledger, &entry, bytes_make(NULL, 0), ticket, bench, &err) != AZ_OK)
		die(&err);
}

static void
ticket(void *arg, const struct az_ticket *given)
{
	struct bench *bench = arg;

	(void)given;
	bench->done++;
	if (bench->again && clock_monotonic_us() < bench->until)
		submit(bench);
}

static void
open_ledger(struct bench *bench, const char *path)
{
	struct ledger_config config = {
	    .create = true, .wake = wake, .wake_arg = bench, .fatal = fatal, .fatal_arg = bench};
	struct az_err err = {0};

	bench->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	random_bytes(bench->house, sizeof(bench->house));
	bench->house[0] = 'U';
	if (bench->wake_fd < 0 ||
	    dir_open(AT_FDCWD, path, true, 0700, &bench->dirfd, &err) != AZ_OK ||
	    secret_random(KEY_SIZE, &bench->root, &err) != AZ_OK)
		die(&err);
	config.dirfd = bench->dirfd;
	config.root = bench->root;
	memcpy(config.house, bench->house, sizeof(config.house));
	if (ledger_open(&config, &bench->ledger, &err) != AZ_OK ||
	    ledger_start(bench->ledger, &err) != AZ_OK)
		die(&err);
}

/* One turn of the loop. */
static void
turn(struct bench *bench)
{
	struct pollfd wait = {.fd = bench->wake_fd, .events = POLLIN};
	uint64_t count;

	ledger_kick(bench->ledger);
	if (poll(&wait, 1, 1000) > 0 && read(bench->wake_fd, &count, sizeof(count)) < 0)
		abort();
	ledger_poll(bench->ledger);
}

static void
append(struct bench *bench, unsigned int waiters, unsigned int seconds)
{
	int64_t started = clock_monotonic_us();

	bench->again = true;
	bench->until = started + seconds * AZ_US_PER_S;
	for (unsigned int i = 0; i < waiters; i++)
		submit(bench);
	while (clock_monotonic_us() < bench->until)
		turn(bench);
	(void)printf("per_second %.0f\n",
	    (double)bench->done * (double)AZ_US_PER_S / (double)(clock_monotonic_us() - started));
}

static void
settled(void *arg)
{
	bool *done = arg;

	*done = true;
}

static void
verify(struct bench *bench, uint64_t entries)
{
	bool done = false;
	uint64_t submitted = 0;
	uint64_t verified = 0;
	int64_t started;
	double took;
	struct az_err err = {0};

	while (bench->done < entries) {
		for (; submitted < entries && submitted - bench->done < AT_ONCE; submitted++)
			submit(bench);
		turn(bench);
	}
	if (ledger_settle(bench->ledger, settled, &done, &err) != AZ_OK)
		die(&err);
	while (!done)
		turn(bench);
	started = clock_monotonic_us();
	for (uint32_t log = 0; log < ledger_log_count(bench->ledger); log++) {
		struct ledger_verify check = {.log = log};
		struct head head;

		ledger_head(bench->ledger, log, &head);
		if (head.size == 0)
			continue;
		check.head = &head;
		if (ledger_log_key(bench->ledger, log, check.public_key, &err) != AZ_OK ||
		    ledger_verify(bench->dirfd, bench->house, &check, NULL, NULL, &err) != AZ_OK)
			die(&err);
		if (!check.ok)
			die(&(struct az_err){.text = "a log did not verify"});
		verified += check.size;
	}
	took = (double)(clock_monotonic_us() - started) / (double)AZ_US_PER_S;
	(void)printf("entries %llu seconds %.2f per_second %.0f\n", (unsigned long long)verified,
	    took, (double)verified / took);
}

int
main(int argc, char **argv)
{
	struct bench bench = {.dirfd = -1};

	if (argc == 5 && strcmp(argv[1], "append") == 0) {
		open_ledger(&bench, argv[2]);
		append(&bench, (unsigned int)strtoul(argv[3], NULL, 10),
		    (unsigned int)strtoul(argv[4], NULL, 10));
	} else if (argc == 4 && strcmp(argv[1], "verify") == 0) {
		open_ledger(&bench, argv[2]);
		verify(&bench, strtoull(argv[3], NULL, 10));
	} else {
		(void)fprintf(stderr,
		    "usage: bench-ledger (append DIR WAITERS SECONDS | verify DIR ENTRIES)\n");
		return 2;
	}
	bench.again = false;
	ledger_stop(bench.ledger);
	ledger_close(&bench.ledger);
	secret_free(&bench.root);
	return 0;
}
