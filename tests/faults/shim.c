/*
 * Faults on demand, preloaded into the processes of a house (tests only).
 *
 *	AZ_FAULTS=FILE:ROLE:KIND:N:WHAT
 *
 * FILE is shared by all processes of a run, 1 MiB of zeros: it counts their calls, and says that the fault
 * has happened, so that it happens once. While allocations are only counted, it also gathers the first of
 * each call path (the functions that led to it), since the thousands that one loop makes teach nothing that
 * the first did not. ROLE is a program's name. KIND is "io" (every write, flush, message,
 * rename, removal) or "alloc". At the N-th of them (0: never, only counting) WHAT happens: "kill" ends the
 * process there and then; "fail" fails that call, a flush with EIO, an allocation with nothing; "full" fails
 * it and every later write to a file with ENOSPC.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATHS_MAX 32768u /* a power of two */
#define FRAMES    16

struct shared {
	_Atomic uint64_t fired;
	_Atomic uint64_t io;
	_Atomic uint64_t alloc;
	_Atomic uint64_t paths;             /* how many numbers follow */
	_Atomic uint64_t hashes[PATHS_MAX]; /* of the paths, an open table */
	uint64_t numbers[PATHS_MAX];        /* of the first allocation of each */
};

enum what { WHAT_KILL, WHAT_FAIL, WHAT_FULL };

static struct shared *shared; /* NULL: this process is not the one */
static uint64_t at;
static bool at_alloc;
static enum what what;
static atomic_bool full; /* the disk, from now on */

/* glibc's own, which no preloaded function stands before. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

__attribute__((constructor)) static void
prepare(void)
{
	const char *text = getenv("AZ_FAULTS");
	char path[256], role[64], kind[16], name[16];
	unsigned long long number;
	int fd;

	if (text == NULL ||
	    sscanf(text, "%255[^:]:%63[^:]:%15[^:]:%llu:%15s", path, role, kind, &number, name) !=
		5 ||
	    strcmp(program_invocation_short_name, role) != 0)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (shared == MAP_FAILED) {
		shared = NULL;
		return;
	}
	at = number;
	/* The first call loads the unwinder, which it could not behind the sandbox. */
	if (number == 0)
		(void)backtrace((void *[1]){NULL}, 1);
	at_alloc = strcmp(kind, "alloc") == 0;
	what = strcmp(name, "kill") == 0 ? WHAT_KILL
	    : strcmp(name, "full") == 0  ? WHAT_FULL
					 : WHAT_FAIL;
}

/* Notes an allocation whose call path is new. */
static void
note_path(uint64_t number)
{
	static _Thread_local bool inside;
	void *frames[FRAMES];
	uint64_t hash = 14695981039346656037u;
	int count;

	if (inside)
		return;
	inside = true;
	count = backtrace(frames, FRAMES);
	inside = false;
	for (int i = 2; i < count; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
	for (uint64_t slot = hash >> 32;; slot++) {
		uint64_t empty = 0;

		if (atomic_load(&shared->paths) >= PATHS_MAX / 2)
			return;
		if (atomic_compare_exchange_strong(
			&shared->hashes[slot % PATHS_MAX], &empty, hash)) {
			shared->numbers[atomic_fetch_add(&shared->paths, 1)] = number;
			return;
		}
		if (empty == hash)
			return;
	}
}

/* Counts a call; true if it is the one, and is to fail. */
static bool
is_the_one(bool alloc)
{
	uint64_t number;

	if (shared == NULL)
		return false;
	number = 1 + atomic_fetch_add(alloc ? &shared->alloc : &shared->io, 1);
	if (alloc && at_alloc && at == 0)
		note_path(number);
	if (alloc != at_alloc || number != at || atomic_exchange(&shared->fired, 1) != 0)
		return false;
	if (what == WHAT_KILL) {
		/* Behind the sandbox the call itself is the end, by SIGSYS. */
		(void)kill(getpid(), SIGKILL);
		for (;;)
			(void)pause();
	}
	if (what == WHAT_FULL)
		atomic_store(&full, true);
	return true;
}

/* Whether a write to fd is to fail; errno says how. */
static bool
write_fails(int fd)
{
	struct stat info;
	bool one = is_the_one(false);
	bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);

	if (atomic_load(&full) && is_file) {
		errno = ENOSPC;
		return true;
	}
	if (one)
		errno = is_file ? EIO : ECONNRESET;
	return one;
}

static bool
call_fails(int errnum)
{
	if (!is_the_one(false))
		return false;
	errno = what == WHAT_FULL ? ENOSPC : errnum;
	return true;
}

#define REAL(name) ((__typeof__(&(name)))real_of(#name))

static void *
real_of(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

ssize_t
write(int fd, const void *data, size_t size)
{
	return write_fails(fd) ? -1 : REAL(write)(fd, data, size);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	return write_fails(fd) ? -1 : REAL(writev)(fd, parts, count);
}

ssize_t
pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return write_fails(fd) ? -1 : REAL(pwrite)(fd, data, size, offset);
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return write_fails(fd) ? -1 : REAL(pwrite64)(fd, data, size, offset);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return write_fails(fd) ? -1 : REAL(pwritev)(fd, parts, count, offset);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	return write_fails(fd) ? -1 : REAL(pwritev64)(fd, parts, count, offset);
}

int
fsync(int fd)
{
	return call_fails(EIO) ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	return call_fails(EIO) ? -1 : REAL(fdatasync)(fd);
}

int
msync(void *data, size_t size, int flags)
{
	return call_fails(EIO) ? -1 : REAL(msync)(data, size, flags);
}

ssize_t
send(int fd, const void *data, size_t size, int flags)
{
	return call_fails(ECONNRESET) ? -1 : REAL(send)(fd, data, size, flags);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	return call_fails(ECONNRESET) ? -1 : REAL(sendmsg)(fd, message, flags);
}

int
ftruncate(int fd, off_t size)
{
	return call_fails(EIO) ? -1 : REAL(ftruncate)(fd, size);
}

int
posix_fallocate(int fd, off_t offset, off_t size)
{
	return call_fails(EIO) ? ENOSPC : REAL(posix_fallocate)(fd, offset, size);
}

int
ftruncate64(int fd, off64_t size)
{
	return call_fails(EIO) ? -1 : REAL(ftruncate64)(fd, size);
}

int
posix_fallocate64(int fd, off64_t offset, off64_t size)
{
	return call_fails(EIO) ? ENOSPC : REAL(posix_fallocate64)(fd, offset, size);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return call_fails(EIO) ? -1 : REAL(renameat)(from_dir, from, to_dir, to);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return call_fails(EIO) ? -1 : REAL(renameat2)(from_dir, from, to_dir, to, flags);
}

int
unlinkat(int dir, const char *name, int flags)
{
	return call_fails(EIO) ? -1 : REAL(unlinkat)(dir, name, flags);
}

void *
malloc(size_t size)
{
	return is_the_one(true) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return is_the_one(true) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	return is_the_one(true) ? NULL : __libc_realloc(old, size);
}
