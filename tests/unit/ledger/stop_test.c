/* Stopping when there is no space left, and working shut in as the keeper is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "house.h"

#define SEGMENT  (2u * 1024u * 1024u)
#define MANY     100u /* with their payloads more than two segments hold */
#define DEADLINE 60u  /* seconds, for a stop that waits for ever */

static void
count(void *arg, const struct az_ticket *ticket)
{
	struct house *house = arg;

	(void)ticket;
	house->acknowledged++;
}

/* Files may not grow past limit; a full disk for whatever must be larger. */
static void
limit_files(rlim_t limit)
{
	struct rlimit files;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &files), 0);
	files.rlim_cur = limit == 0 ? files.rlim_max : limit;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &files), 0);
}

static void
a_stop_on_a_full_disk_returns_and_keeps_what_was_acknowledged(void **state)
{
	static uint8_t payload[LEDGER_PAYLOAD_MAX];
	struct house house;
	struct ledger_entry entry = {.type = ENTRY_DISCLOSED, .log = 1, .staff = 3};
	struct head head;

	(void)state;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	house_make(&house);
	house_start(&house);
	while (faccessat(house.dirfd, "wal-00000001", F_OK, 0) != 0)
		(void)usleep(1000);
	limit_files(SEGMENT - 4096);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(ledger_submit(house.ledger, &entry,
				     bytes_make(payload, sizeof(payload)), count, &house, NULL),
		    AZ_OK);
	ledger_kick(house.ledger);
	while (!ledger_space_is_low(house.ledger))
		(void)usleep(1000);
	assert_int_equal(ledger_submit(house.ledger, &entry, bytes_make(payload, sizeof(payload)),
			     count, &house, NULL),
	    AZ_LIMIT);
	(void)alarm(DEADLINE);
	ledger_stop(house.ledger);
	(void)alarm(0);
	ledger_poll(house.ledger);
	assert_true(house.acknowledged < MANY);
	house_close(&house);
	limit_files(0);

	house_start(&house);
	ledger_head(house.ledger, 1, &head);
	assert_int_equal(head.size, house.acknowledged);
	house_disclose(&house, 1, 1);
	house_settle(&house);
	house_remove(&house);
}

static void
a_state_that_cannot_be_written_does_not_hold_up_a_stop(void **state)
{
	struct house house;
	struct head head;

	(void)state;
	house_make(&house);
	house_start(&house);
	house_settle(&house);
	house_disclose(&house, 1, 100);
	house.state_fails = true;
	(void)alarm(DEADLINE);
	ledger_stop(house.ledger);
	(void)alarm(0);
	house_close(&house);
	house.state_fails = false;

	house_start(&house);
	ledger_head(house.ledger, 1, &head);
	assert_int_equal(head.size, 100);
	assert_int_equal(house.applied, 100);
	house_remove(&house);
}

static void
it_works_shut_in_as_the_keeper_is(void **state)
{
	struct house house;
	struct head head;
	pid_t child;
	int how = 0;

	(void)state;
	house_make(&house);
	house_close(&house);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct sandbox sandbox = {
		    .profile = SANDBOX_KEEPER, .writable_dirs = &house.dirfd, .writable_count = 1};

		/* Secrets are wiped in a child: make the key again. */
		if (secret_new(32, &house.root, NULL) != AZ_OK)
			_exit(2);
		memset(secret_data(house.root), 7, 32);
		if (sandbox_enter(&sandbox, NULL) != AZ_OK)
			_exit(3);
		house_start(&house);
		/* More than one segment, so that one is made, another entered, and old ones go. */
		for (unsigned int i = 0; i < 5; i++) {
			house_disclose(&house, 1, 5000);
			house_settle(&house);
		}
		ledger_stop(house.ledger);
		house_close(&house);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
	house.applied_synced = 25000;
	house_start(&house);
	ledger_head(house.ledger, 1, &head);
	assert_int_equal(head.size, 25000);
	house_remove(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stop_on_a_full_disk_returns_and_keeps_what_was_acknowledged),
	    cmocka_unit_test(a_state_that_cannot_be_written_does_not_hold_up_a_stop),
	    cmocka_unit_test(it_works_shut_in_as_the_keeper_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
