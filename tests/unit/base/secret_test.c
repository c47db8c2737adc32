#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/secret.h"
#include "child.h"

static const size_t sizes[] = {1, 15, 16, 31, 32, 33, 64, 65, 128, 200, 256, 257, 1000, 4095, 4096};

static struct secret *
make(size_t size)
{
	struct secret *secret = NULL;
	struct az_err err = {0};

	assert_int_equal(secret_new(size, &secret, &err), AZ_OK);
	return secret;
}

static bool
all_zero(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != 0)
			return false;
	return true;
}

static void
a_secret_is_born_zeroed_and_aligned(void **state)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		struct secret *secret = make(sizes[i]);
		assert_true(all_zero(secret_data(secret), sizes[i]));
		assert_int_equal((uintptr_t)secret_data(secret) % 16, 0);
		assert_int_equal(secret_peek(secret).size, sizes[i]);
		assert_ptr_equal(secret_peek(secret).data, secret_data(secret));
		memset(secret_data(secret), 0xaa, sizes[i]);
		secret_free(&secret);
		assert_null(secret);
		secret_free(&secret);
	}
}

static void
a_freed_small_secret_leaves_no_trace_in_its_page(void **state)
{
	/* A neighbour keeps the shared page mapped, so that the freed place may be looked at. */
	struct secret *neighbour = make(32);
	struct secret *secret = make(32);
	uint8_t *place = secret_data(secret);

	memset(place, 0x5a, 32);
	secret_free(&secret);
	assert_true(all_zero(place, 32));
	secret_free(&neighbour);
}

static void
many_secrets_do_not_overlap(void **state)
{
	enum { COUNT = 2000 };
	static struct secret *secrets[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		secrets[i] = make(1 + i % 300);
		memset(secret_data(secrets[i]), (int)(i % 251), 1 + i % 300);
	}
	for (size_t i = 0; i < COUNT; i += 3)
		secret_free(&secrets[i]);
	for (size_t i = 0; i < COUNT; i += 3) {
		secrets[i] = make(1 + i % 300);
		assert_true(all_zero(secret_data(secrets[i]), 1 + i % 300));
		memset(secret_data(secrets[i]), (int)(i % 251), 1 + i % 300);
	}
	for (size_t i = 0; i < COUNT; i++) {
		for (size_t j = 0; j < 1 + i % 300; j++)
			assert_int_equal(secret_data(secrets[i])[j], i % 251);
		secret_free(&secrets[i]);
	}
}

/* The field of /proc/self/status, in KiB. */
static size_t
status_kib(const char *field)
{
	char line[200];
	size_t value = 0;
	FILE *file = fopen("/proc/self/status", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			value = strtoul(line + strlen(field), NULL, 10);
	(void)fclose(file);
	return value;
}

static void
a_thousand_keys_share_their_pages(void **state)
{
	enum { COUNT = 1000 };
	static struct secret *secrets[COUNT];
	size_t before = status_kib("VmLck:");

	if (SANITIZED)
		skip();
	for (size_t i = 0; i < COUNT; i++)
		secrets[i] = make(32);
	size_t locked = status_kib("VmLck:") - before;
	assert_in_range(locked, 1, 64);
	for (size_t i = 0; i < COUNT; i++)
		secret_free(&secrets[i]);
	assert_in_range(status_kib("VmLck:"), 0, before + 4);
}

static bool
read_past_the_end(void *arg)
{
	struct secret *secret = arg;
	size_t size = secret_peek(secret).size;
	volatile uint8_t *data = secret_data(secret);

	return data[(size + 15) / 16 * 16] == 0;
}

static bool
read_before_the_page(void *arg)
{
	uintptr_t page = (uintptr_t)secret_data(arg) & ~(uintptr_t)4095;

	return *(volatile uint8_t *)(page - 1) == 0;
}

static void
a_touch_of_the_guards_is_a_fault(void **state)
{
	for (size_t size = 272; size <= 4096; size += 956) {
		struct secret *secret = make(size);
		assert_true(child_killed_by(child_run(read_past_the_end, secret), SIGSEGV));
		assert_true(child_killed_by(child_run(read_before_the_page, secret), SIGSEGV));
		secret_free(&secret);
	}
}

static bool
write_past_and_free(void *arg)
{
	size_t past = *(size_t *)arg;
	struct secret *neighbour = make(40);
	struct secret *secret = make(40);

	secret_data(secret)[40 + past] ^= 1;
	secret_free(&secret);
	secret_free(&neighbour);
	return true;
}

static void
writing_past_a_small_secret_ends_the_process(void **state)
{
	for (size_t past = 0; past < 16; past++)
		assert_true(child_killed_by(child_run(write_past_and_free, &past), SIGABRT));
}

static bool
is_zero_and_can_be_freed(void *arg)
{
	struct secret *secret = arg;
	bool zero = all_zero(secret_data(secret), secret_peek(secret).size);

	secret_free(&secret);
	return zero;
}

static void
a_forked_child_sees_zeros(void **state)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(sizes); i++) {
		struct secret *secret = make(sizes[i]);
		memset(secret_data(secret), 0xaa, sizes[i]);
		assert_true(child_succeeded(child_run(is_zero_and_can_be_freed, secret)));
		assert_int_equal(secret_data(secret)[0], 0xaa);
		secret_free(&secret);
	}
}

/* True if the flags that the kernel shows for the mapping at address hold all that are wanted. */
static bool
mapping_has(const void *address, const char *const *flags, size_t count)
{
	char line[500];
	bool inside = false;
	bool result = false;
	FILE *file = fopen("/proc/self/smaps", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long begin = 0;
		unsigned long end = 0;
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			inside = begin <= (uintptr_t)address && (uintptr_t)address < end;
		if (!inside || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		result = true;
		for (size_t i = 0; i < count; i++)
			result = result && strstr(line, flags[i]);
	}
	(void)fclose(file);
	return result;
}

static void
the_kernel_knows_what_not_to_do_with_the_pages(void **state)
{
	static const char *const flags[] = {" dd", " wf", " lo"};
	/* The sanitizer turns mlock into nothing. */
	size_t count = SANITIZED ? 2 : 3;
	struct secret *small = make(32);
	struct secret *large = make(1000);
	struct arena *arena = NULL;

	assert_int_equal(arena_new(100000, &arena, NULL), AZ_OK);
	assert_true(mapping_has(secret_data(small), flags, count));
	assert_true(mapping_has(secret_data(large), flags, count));
	assert_true(mapping_has(arena_alloc(arena, 50000), flags, count));
	assert_false(mapping_has(&arena, flags, count));
	arena_free(&arena);
	secret_free(&large);
	secret_free(&small);
}

/* No more than the limit can be locked, and not as root, whom no limit holds. */
static bool
become_unable_to_lock(void)
{
	struct rlimit none = {0};

	return setrlimit(RLIMIT_MEMLOCK, &none) == 0 &&
	    (geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
}

static bool
compulsory_lock_is_refused(void *arg)
{
	struct secret *secret = NULL;
	struct arena *arena = NULL;
	struct az_err err = {0};

	if (!become_unable_to_lock())
		return false;
	secret_require_lock();
	if (secret_new(32, &secret, &err) != AZ_LIMIT || secret || err.status != AZ_LIMIT)
		return false;
	if (secret_new(1000, &secret, &err) != AZ_LIMIT || secret)
		return false;
	if (arena_new(1000, &arena, &err) != AZ_OK || arena_alloc(arena, 10))
		return false;
	arena_free(&arena);
	return secret_unlocked_count() == 0;
}

static bool
voluntary_lock_is_counted(void *arg)
{
	struct secret *secret = NULL;

	if (!become_unable_to_lock() || secret_unlocked_count() != 0)
		return false;
	if (secret_new(32, &secret, NULL) != AZ_OK)
		return false;
	memset(secret_data(secret), 1, 32);
	secret_free(&secret);
	return secret_unlocked_count() == 1;
}

static void
what_cannot_be_locked_is_refused_if_that_is_compulsory(void **state)
{
	if (SANITIZED)
		skip();
	assert_true(child_succeeded(child_run(compulsory_lock_is_refused, NULL)));
}

static void
what_cannot_be_locked_is_counted_if_that_is_not(void **state)
{
	if (SANITIZED)
		skip();
	assert_true(child_succeeded(child_run(voluntary_lock_is_counted, NULL)));
}

static bool
limit_is_raised(void *arg)
{
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 65536};

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return false;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return false;
	secret_raise_lock_limit();
	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == 65536;
}

static void
the_soft_limit_is_raised_to_the_hard_one(void **state)
{
	assert_true(child_succeeded(child_run(limit_is_raised, NULL)));
}

static void *
churn(void *arg)
{
	for (size_t round = 0; round < 200; round++) {
		struct secret *secrets[20];
		for (size_t i = 0; i < 20; i++) {
			if (secret_new(1 + (round * 7 + i) % 400, &secrets[i], NULL) != AZ_OK)
				return arg;
			memset(secret_data(secrets[i]), 0x77, secret_peek(secrets[i]).size);
		}
		for (size_t i = 0; i < 20; i++)
			secret_free(&secrets[i]);
	}
	return NULL;
}

static void
threads_may_make_and_free_secrets_at_once(void **state)
{
	pthread_t threads[3];

	static char failure[] = "failed";

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, failure), 0);
	for (size_t i = 0; i < 3; i++) {
		void *failed = NULL;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
an_arena_holds_its_maximum_and_not_more(void **state)
{
	static const size_t maxima[] = {1, 15, 16, 17, 4095, 4096, 4097, 16384, 100000};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(maxima); i++) {
		struct arena *arena = NULL;
		assert_int_equal(arena_new(maxima[i], &arena, NULL), AZ_OK);
		assert_null(arena_alloc(arena, maxima[i] + 1));
		assert_null(arena_alloc(arena, SIZE_MAX));
		uint8_t *data = arena_alloc(arena, maxima[i]);
		assert_non_null(data);
		memset(data, 1, maxima[i]);
		assert_null(arena_alloc(arena, 1));
		assert_null(arena_alloc(arena, 0));
		assert_null(arena_copy(arena, bytes_of("x")).data);
		arena_free(&arena);
		assert_null(arena);
		arena_free(&arena);
	}
}

static void
allocations_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = NULL;
	uint8_t *previous = NULL;

	assert_int_equal(arena_new(64 * 1024, &arena, NULL), AZ_OK);
	for (int round = 0; round < 3; round++) {
		previous = NULL;
		for (size_t size = 0; size < 300; size++) {
			uint8_t *data = arena_alloc(arena, size);
			assert_non_null(data);
			assert_int_equal((uintptr_t)data % 16, 0);
			assert_true(all_zero(data, size));
			assert_true(!previous || data >= previous + (size > 1 ? size - 1 : 1));
			memset(data, 0xff, size);
			previous = data;
		}
		arena_reset(arena);
	}
	arena_free(&arena);
}

static void
a_reset_wipes_what_was_used(void **state)
{
	struct arena *arena = NULL;

	assert_int_equal(arena_new(4096, &arena, NULL), AZ_OK);
	struct bytes copy = arena_copy(arena, bytes_of("plaintext"));
	assert_memory_equal(copy.data, "plaintext", 9);
	arena_reset(arena);
	assert_true(all_zero(copy.data, copy.size));
	assert_int_equal(arena_copy(arena, bytes_make(NULL, 0)).size, 0);
	arena_free(&arena);
}

static void
a_generous_maximum_locks_only_what_is_used(void **state)
{
	struct arena *arena = NULL;
	size_t before = status_kib("VmLck:");

	if (SANITIZED)
		skip();
	assert_int_equal(arena_new((size_t)64 << 20, &arena, NULL), AZ_OK);
	assert_int_equal(status_kib("VmLck:"), before);
	assert_non_null(arena_alloc(arena, 100));
	assert_int_equal(status_kib("VmLck:"), before + 16);
	uint8_t *large = arena_alloc(arena, 1000000);
	assert_non_null(large);
	memset(large, 1, 1000000);
	assert_in_range(status_kib("VmLck:"), before + 900, before + 1100);
	arena_reset(arena);
	assert_int_equal(status_kib("VmLck:"), before + 64);
	large = arena_alloc(arena, 1000000);
	assert_non_null(large);
	assert_true(all_zero(large, 1000000));
	arena_free(&arena);
	assert_int_equal(status_kib("VmLck:"), before);
}

static bool
touch_past_the_arena(void *arg)
{
	volatile uint8_t *data = arg;

	return data[1008] == 0;
}

static void
an_arena_ends_at_its_guard(void **state)
{
	struct arena *arena = NULL;

	assert_int_equal(arena_new(1000, &arena, NULL), AZ_OK);
	uint8_t *data = arena_alloc(arena, 1000);
	assert_non_null(data);
	assert_true(child_killed_by(child_run(touch_past_the_arena, data), SIGSEGV));
	arena_free(&arena);
}

static bool
arena_is_zero(void *arg)
{
	return all_zero(arg, 1000);
}

static void
a_forked_child_sees_zeros_in_an_arena(void **state)
{
	struct arena *arena = NULL;

	assert_int_equal(arena_new(1000, &arena, NULL), AZ_OK);
	uint8_t *data = arena_alloc(arena, 1000);
	assert_non_null(data);
	memset(data, 1, 1000);
	assert_true(child_succeeded(child_run(arena_is_zero, data)));
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    /* First, because later a page that is locked already may have room. */
	    cmocka_unit_test(what_cannot_be_locked_is_refused_if_that_is_compulsory),
	    cmocka_unit_test(what_cannot_be_locked_is_counted_if_that_is_not),
	    cmocka_unit_test(a_secret_is_born_zeroed_and_aligned),
	    cmocka_unit_test(a_freed_small_secret_leaves_no_trace_in_its_page),
	    cmocka_unit_test(many_secrets_do_not_overlap),
	    cmocka_unit_test(a_thousand_keys_share_their_pages),
	    cmocka_unit_test(a_touch_of_the_guards_is_a_fault),
	    cmocka_unit_test(writing_past_a_small_secret_ends_the_process),
	    cmocka_unit_test(a_forked_child_sees_zeros),
	    cmocka_unit_test(the_kernel_knows_what_not_to_do_with_the_pages),
	    cmocka_unit_test(the_soft_limit_is_raised_to_the_hard_one),
	    cmocka_unit_test(threads_may_make_and_free_secrets_at_once),
	    cmocka_unit_test(an_arena_holds_its_maximum_and_not_more),
	    cmocka_unit_test(allocations_are_zeroed_aligned_and_apart),
	    cmocka_unit_test(a_reset_wipes_what_was_used),
	    cmocka_unit_test(a_generous_maximum_locks_only_what_is_used),
	    cmocka_unit_test(an_arena_ends_at_its_guard),
	    cmocka_unit_test(a_forked_child_sees_zeros_in_an_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
