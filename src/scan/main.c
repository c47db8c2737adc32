/*
 * azukari-scanner: reads files of any kind. Started with a socket; shut in before the first file, so that a file that takes
 * over a library has nothing to take but what the same file holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "scan/scanner.h"
#include "scan/unpack.h"

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

#define FD_PARENT 3

/* Tables of encodings of PDF files in Japanese, Chinese, Korean: looked for there by poppler alone. */
#define POPPLER_DATA "/usr/share/poppler"

/* A library that is made to take more dies instead of the machine. */
#define MEMORY_MAX (2048ull * 1024u * 1024u)

static enum az_status
shut_in(struct az_err *reterr)
{
	struct rlimit memory = {.rlim_cur = MEMORY_MAX, .rlim_max = MEMORY_MAX};
	int data = open(POPPLER_DATA, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sandbox sandbox = {
	    .profile = SANDBOX_VERIFY, .readable_dirs = &data, .readable_count = data >= 0 ? 1 : 0};
	enum az_status status;

	scan_unpack_prepare();
	/* The address sanitizer reserves terabytes. */
	if (!SANITIZED && setrlimit(RLIMIT_AS, &memory) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "limit of memory");
	status = sandbox_enter(&sandbox, reterr);
	fd_close(&data);
	return status;
}

int
main(void)
{
	struct az_err err = {0};

	proc_name("azukari-scanner");
	(void)signal(SIGPIPE, SIG_IGN);
	if (shut_in(&err) != AZ_OK) {
		(void)fprintf(stderr, "azukari-scanner: %s\n", err.text);
		return az_exit_code(err.status);
	}
	return scanner_run(FD_PARENT);
}
