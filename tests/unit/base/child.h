/*
 * Runs a piece of a test in a forked child, for what must end a process or cannot be undone.
 */
#ifndef AZ_TESTS_CHILD_H
#define AZ_TESTS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The wait status of a child that called run, and exits 0 if run returns true, else 1. */
static inline int
child_run(bool (*run)(void *arg), void *arg)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit no_core = {0};
		/* A child that waits for ever must not outlive a test that failed. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		/* A death that is expected leaves no core file and no sanitizer's report. */
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		_exit(run(arg) ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static inline bool
child_killed_by(int status, int signo)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == signo;
}

static inline bool
child_succeeded(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
