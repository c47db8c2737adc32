/*
 * Shutting a forked child in and letting it act.
 *
 * An act that must fail returns true if its call succeeded after all, so a hole in the sandbox is a
 * red test; most never return, because the call ends the process.
 */
#ifndef AZ_TESTS_SHUT_IN_H
#define AZ_TESTS_SHUT_IN_H

#include "base/file.h"
#include "base/proc.h"
#include "child.h"
#include "folder.h"

static const enum sandbox_profile profiles[] = {
    SANDBOX_INTAKE, SANDBOX_VAULT, SANDBOX_KEEPER, SANDBOX_VERIFY, SANDBOX_WITNESS};

static struct folder folder; /* may be changed by vault and keeper, read by a verifier */
static struct folder public; /* may be read by the keeper */
static struct folder outside;

static inline int
setup(void **state)
{
	if (folder_make(&folder) != 0 || folder_make(&public) != 0 || folder_make(&outside) != 0)
		return -1;
	if (file_create(folder.fd, "file", bytes_of("inside"), 0600, NULL) != AZ_OK ||
	    file_create(public.fd, "file", bytes_of("public"), 0600, NULL) != AZ_OK ||
	    file_create(outside.fd, "file", bytes_of("outside"), 0600, NULL) != AZ_OK)
		return -1;
	return symlinkat(outside.path, folder.fd, "way-out");
}

static inline int
teardown(void **state)
{
	return folder_remove(&folder) | folder_remove(&public) | folder_remove(&outside);
}

static inline bool
enter(enum sandbox_profile profile)
{
	bool reads = profile == SANDBOX_VERIFY || profile == SANDBOX_KEEPER;
	bool writes =
	    profile == SANDBOX_VAULT || profile == SANDBOX_KEEPER || profile == SANDBOX_WITNESS;
	struct sandbox sandbox = {
	    .profile = profile,
	    .writable_dirs = &folder.fd,
	    .writable_count = writes,
	    .readable_dirs = profile == SANDBOX_VERIFY ? &folder.fd : &public.fd,
	    .readable_count = reads,
	};

	return sandbox_enter(&sandbox, NULL) == AZ_OK;
}

struct attempt {
	enum sandbox_profile profile;
	bool (*act)(void);
};

enum { NOT_ENTERED = 99 };

static inline bool
run_attempt(void *arg)
{
	const struct attempt *attempt = arg;

	if (!enter(attempt->profile))
		_exit(NOT_ENTERED);
	return attempt->act();
}

/* The wait status of act in a process of that profile. */
static inline int
act_in(enum sandbox_profile profile, bool (*act)(void))
{
	struct attempt attempt = {.profile = profile, .act = act};
	int status = child_run(run_attempt, &attempt);

	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == NOT_ENTERED);
	return status;
}

static inline void
assert_killed(enum sandbox_profile profile, bool (*act)(void))
{
	assert_true(child_killed_by(act_in(profile, act), SIGSYS));
}

/* As assert_killed, for calls that a build with the sanitizer must allow. */
static inline void
assert_killed_unless_sanitized(enum sandbox_profile profile, bool (*act)(void))
{
	if (!SANITIZED)
		assert_killed(profile, act);
}

static inline void
assert_works(enum sandbox_profile profile, bool (*act)(void))
{
	assert_true(child_succeeded(act_in(profile, act)));
}

#define IN_EVERY_PROFILE(check, act)                                                               \
	for (size_t profile_i = 0; profile_i < AZ_ARRAY_SIZE(profiles); profile_i++)               \
	check(profiles[profile_i], act)

#endif
