/*
 * Shutting a process in.
 *
 * Four layers, each of which holds if another fails:
 *
 *	no new privileges   no set-uid program can give back what was given up
 *	not dumpable        no core file, no ptrace, /proc/PID belongs to root
 *	Landlock            files only below the named directories; no TCP, no signals out, where known
 *	seccomp             only the listed system calls; anything else ends the process with SIGSYS
 *
 * A list of system calls ages with the C library, so it is kept in two tables that a reader can check
 * against what a process is for, and its tests run on each supported system. Two calls answer with an
 * error instead of death, because libc tries them and can do without: clone3 (its flags lie in memory
 * where a filter cannot see them; libc falls back to clone, whose flags it can see), and the question
 * whether a descriptor is a terminal.
 *
 * The address sanitizer needs more calls, which builds with it allow; the leak sanitizer stops the
 * process with ptrace and cannot work in here, so run sandboxed programs with detect_leaks=0.
 */
#include "base/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

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

/* The older Landlock that Debian 12's kernel has; above it rights are added as the kernel knows them. */
#define LANDLOCK_ABI_MIN 2

#define FILTER_SECONDS 5

/* From newer kernels' headers than Debian 12 has. */
#define FS_TRUNCATE    (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV   (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND_TCP   (UINT64_C(1) << 0)  /* ABI 4 */
#define NET_CONNECT    (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT (UINT64_C(1) << 0) /* ABI 6 */
#define SCOPE_SIGNAL   (UINT64_C(1) << 1)

/* All rights over files that ABI 2 knows: whatever is handled and not granted is refused. */
#define FS_ALL_ABI_2 ((UINT64_C(1) << 14) - 1)
#define FS_READ      (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                   \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                 \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                         \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

/* Grows from the end; the kernel is told how much of it is meant. */
struct ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

/* Sets of profiles. */
#define INTAKE  (1u << SANDBOX_INTAKE)
#define VAULT   (1u << SANDBOX_VAULT)
#define KEEPER  (1u << SANDBOX_KEEPER)
#define VERIFY  (1u << SANDBOX_VERIFY)
#define WITNESS (1u << SANDBOX_WITNESS)
#define FRONT   (1u << SANDBOX_FRONT)
#define GUARD   (1u << SANDBOX_GUARD)
#define ALL     (INTAKE | VAULT | KEEPER | VERIFY | WITNESS | FRONT | GUARD)
#define FILES   (VAULT | KEEPER | VERIFY | FRONT | GUARD) /* open files, run threads */
#define STORES  (VAULT | KEEPER | FRONT | GUARD)          /* change files */

struct allowed {
	unsigned profiles;
	int call;
};

static const struct allowed allowed_calls[] = {
    /* Open descriptors. */
    {ALL, SCMP_SYS(read)},
    {ALL, SCMP_SYS(readv)},
    {ALL, SCMP_SYS(pread64)},
    {ALL, SCMP_SYS(preadv)},
    {ALL, SCMP_SYS(write)},
    {ALL, SCMP_SYS(writev)},
    {ALL, SCMP_SYS(lseek)},
    {ALL, SCMP_SYS(fstat)},
    {ALL, SCMP_SYS(close)},
    {ALL, SCMP_SYS(recvfrom)},
    {ALL, SCMP_SYS(recvmsg)},
    {ALL, SCMP_SYS(sendmsg)},
    {ALL, SCMP_SYS(shutdown)},
    {ALL, SCMP_SYS(poll)},
    {ALL, SCMP_SYS(ppoll)},
    {ALL, SCMP_SYS(fadvise64)},
    /* Waiting on many of them. */
    {FILES, SCMP_SYS(epoll_create1)},
    {FILES, SCMP_SYS(epoll_ctl)},
    {FILES, SCMP_SYS(epoll_wait)},
    {FILES, SCMP_SYS(epoll_pwait)},
    {FILES, SCMP_SYS(eventfd2)},
    /* Memory; what maps it executable is in the second table. */
    {ALL, SCMP_SYS(brk)},
    {ALL, SCMP_SYS(munmap)},
    {ALL, SCMP_SYS(mremap)},
    {ALL, SCMP_SYS(madvise)},
    {ALL, SCMP_SYS(mlock)},
    {ALL, SCMP_SYS(mlock2)},
    {ALL, SCMP_SYS(munlock)},
    {ALL, SCMP_SYS(getrandom)},
    {FILES, SCMP_SYS(mincore)},
    {STORES, SCMP_SYS(msync)},
    /* Time. */
    {ALL, SCMP_SYS(clock_gettime)},
    {ALL, SCMP_SYS(clock_getres)},
    {ALL, SCMP_SYS(clock_nanosleep)},
    {ALL, SCMP_SYS(nanosleep)},
    {ALL, SCMP_SYS(gettimeofday)},
    {ALL, SCMP_SYS(time)},
    /* Itself. sysinfo is how libc's qsort learns the size of memory. */
    {ALL, SCMP_SYS(exit)},
    {ALL, SCMP_SYS(exit_group)},
    {ALL, SCMP_SYS(futex)},
    {ALL, SCMP_SYS(alarm)},
    {ALL, SCMP_SYS(getpid)},
    {ALL, SCMP_SYS(gettid)},
    {ALL, SCMP_SYS(getppid)},
    {ALL, SCMP_SYS(getuid)},
    {ALL, SCMP_SYS(geteuid)},
    {ALL, SCMP_SYS(getgid)},
    {ALL, SCMP_SYS(getegid)},
    {ALL, SCMP_SYS(getrusage)},
    {ALL, SCMP_SYS(sysinfo)},
    {ALL, SCMP_SYS(sched_yield)},
    {ALL, SCMP_SYS(sched_getaffinity)},
    {ALL, SCMP_SYS(restart_syscall)},
    {ALL, SCMP_SYS(rt_sigaction)},
    {ALL, SCMP_SYS(rt_sigprocmask)},
    {ALL, SCMP_SYS(rt_sigreturn)},
    {FILES, SCMP_SYS(set_robust_list)},
    {FILES, SCMP_SYS(get_robust_list)},
    {FILES, SCMP_SYS(rseq)},
    {FILES, SCMP_SYS(uname)},
    /* Files by name: Landlock says which. */
    {FILES, SCMP_SYS(newfstatat)},
    {FILES, SCMP_SYS(stat)},
    {FILES, SCMP_SYS(lstat)},
    {FILES, SCMP_SYS(statx)},
    {FILES, SCMP_SYS(access)},
    {FILES, SCMP_SYS(faccessat)},
    {FILES, SCMP_SYS(faccessat2)},
    {FILES, SCMP_SYS(getdents64)},
    {FILES, SCMP_SYS(fstatfs)},
    {STORES, SCMP_SYS(openat)},
    {STORES, SCMP_SYS(pwrite64)},
    {STORES, SCMP_SYS(pwritev)},
    {STORES, SCMP_SYS(fsync)},
    {STORES, SCMP_SYS(fdatasync)},
    {STORES, SCMP_SYS(sync_file_range)},
    {STORES, SCMP_SYS(ftruncate)},
    {STORES, SCMP_SYS(fallocate)},
    {STORES, SCMP_SYS(flock)},
    {STORES, SCMP_SYS(mkdir)},
    {STORES, SCMP_SYS(mkdirat)},
    {STORES, SCMP_SYS(rmdir)},
    {STORES, SCMP_SYS(unlink)},
    {STORES, SCMP_SYS(unlinkat)},
    {STORES, SCMP_SYS(rename)},
    {STORES, SCMP_SYS(renameat)},
    {STORES, SCMP_SYS(renameat2)},
    /* SQLite asks where it is, who it is, and gives its journal the owner of its database. */
    {KEEPER, SCMP_SYS(getcwd)},
    {KEEPER, SCMP_SYS(readlink)},
    {KEEPER, SCMP_SYS(readlinkat)},
    {KEEPER, SCMP_SYS(fchmod)},
    {KEEPER, SCMP_SYS(fchown)},
    /* Fronts that connect, and lists handed to intake. */
    {KEEPER, SCMP_SYS(accept4)},
    {KEEPER, SCMP_SYS(memfd_create)},
    {KEEPER, SCMP_SYS(pipe2)},
    {KEEPER, SCMP_SYS(getpriority)},
    /* libevent waits, and a state is replaced: no more than that. */
    {WITNESS, SCMP_SYS(accept4)},
    {WITNESS, SCMP_SYS(epoll_ctl)},
    {WITNESS, SCMP_SYS(epoll_wait)},
    {WITNESS, SCMP_SYS(epoll_pwait)},
    {WITNESS, SCMP_SYS(newfstatat)},
    {WITNESS, SCMP_SYS(openat)},
    {WITNESS, SCMP_SYS(fsync)},
    {WITNESS, SCMP_SYS(rename)},
    {WITNESS, SCMP_SYS(renameat)},
    {WITNESS, SCMP_SYS(unlinkat)},
    /* To the house. */
    {FRONT, SCMP_SYS(connect)},
#if SANITIZED
    {ALL, SCMP_SYS(mmap)},
    {ALL, SCMP_SYS(mprotect)},
    {ALL, SCMP_SYS(sigaltstack)},
    {ALL, SCMP_SYS(personality)},
    {ALL, SCMP_SYS(prctl)},
    {ALL, SCMP_SYS(ioctl)},
    {ALL, SCMP_SYS(mincore)},
    {ALL, SCMP_SYS(msync)},
    {ALL, SCMP_SYS(open)},
    {ALL, SCMP_SYS(openat)},
    {ALL, SCMP_SYS(stat)},
    {ALL, SCMP_SYS(newfstatat)},
    {ALL, SCMP_SYS(readlink)},
    {ALL, SCMP_SYS(readlinkat)},
    {ALL, SCMP_SYS(getrlimit)},
    {ALL, SCMP_SYS(prlimit64)},
    {ALL, SCMP_SYS(pipe2)},
    {ALL, SCMP_SYS(pipe)},
#endif
};

/* Holds if the argument of that number, cut by mask, is value; a mask of zero always holds. */
struct condition {
	unsigned arg;
	uint64_t mask;
	uint64_t value;
};

#define WHOLE UINT64_MAX /* the mask that cuts nothing */

struct limited {
	unsigned profiles;
	int call;
	int errnum; /* 0: the call is made; else it is not, and fails so */
	struct condition when[2];
};

#define THREAD   ((uint64_t)(CLONE_VM | CLONE_THREAD))
#define CHANGING ((uint64_t)(O_ACCMODE | O_CREAT | O_TRUNC))

static const struct limited limited_calls[] = {
#if !SANITIZED
    /* No memory ever becomes code. */
    {ALL, SCMP_SYS(mmap), 0, {{2, PROT_EXEC, 0}}},
    {ALL, SCMP_SYS(mprotect), 0, {{2, PROT_EXEC, 0}}},
    /* fstat, by the way libc calls it. */
    {INTAKE, SCMP_SYS(newfstatat), 0, {{3, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
    {VERIFY, SCMP_SYS(openat), 0, {{2, CHANGING, O_RDONLY}}},
    {ALL, SCMP_SYS(prctl), 0, {{0, WHOLE, PR_SET_NAME}}},
    /* Reading its own limits. */
    {ALL, SCMP_SYS(prlimit64), 0, {{0, WHOLE, 0}, {2, WHOLE, 0}}},
    {ALL, SCMP_SYS(ioctl), ENOTTY, {{1, WHOLE, TCGETS}}},
    /* How much a peer has sent. */
    {WITNESS, SCMP_SYS(ioctl), 0, {{1, WHOLE, FIONREAD}}},
    {GUARD, SCMP_SYS(ioctl), 0, {{1, WHOLE, BLKROSET}}},
    {GUARD, SCMP_SYS(ioctl), 0, {{1, WHOLE, BLKROGET}}},
#endif
    /* To the peer of a connection, never to an address. */
    {ALL, SCMP_SYS(sendto), 0, {{4, WHOLE, 0}}},
    {ALL, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_GETFD}}},
    {ALL, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_SETFD}}},
    {ALL, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_GETFL}}},
    {ALL, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_SETFL}}},
    {ALL, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_GET_SEALS}}},
    {FILES, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_DUPFD_CLOEXEC}}},
    {STORES, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_GETLK}}},
    {STORES, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_SETLK}}},
    {STORES, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_SETLKW}}},
    {KEEPER, SCMP_SYS(fcntl), 0, {{1, WHOLE, F_ADD_SEALS}}},
    /* Threads, not processes. */
    {FILES, SCMP_SYS(clone3), ENOSYS, {{0, 0, 0}}},
    {FILES, SCMP_SYS(clone), 0, {{0, THREAD, THREAD}}},
    /* The calling thread's own priority. */
    {STORES, SCMP_SYS(setpriority), 0, {{0, WHOLE, PRIO_PROCESS}, {1, WHOLE, 0}}},
    {FRONT, SCMP_SYS(socket), 0, {{0, WHOLE, AF_UNIX}}},
    {KEEPER, SCMP_SYS(sched_setscheduler), 0, {{0, WHOLE, 0}}},
    /* Who a peer is, and how much of ours may wait for it. */
    {KEEPER, SCMP_SYS(getsockopt), 0, {{1, WHOLE, SOL_SOCKET}}},
    {KEEPER, SCMP_SYS(setsockopt), 0, {{1, WHOLE, SOL_SOCKET}}},
};

/* As libseccomp: 0, or a negative errno. */
static int
limited_add(scmp_filter_ctx filter, const struct limited *rule)
{
	struct scmp_arg_cmp args[AZ_ARRAY_SIZE(rule->when)];
	unsigned count = 0;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(rule->when); i++)
		if (rule->when[i].mask != 0)
			args[count++] = (struct scmp_arg_cmp){
			    .arg = rule->when[i].arg,
			    .op = SCMP_CMP_MASKED_EQ,
			    .datum_a = rule->when[i].mask,
			    .datum_b = rule->when[i].value,
			};
	uint32_t action =
	    rule->errnum == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((unsigned)rule->errnum);
	return seccomp_rule_add_array(filter, action, rule->call, count, args);
}

/* Fills the filter for a set of one profile. As libseccomp: 0, or a negative errno. */
static int
filter_fill(scmp_filter_ctx filter, unsigned profile)
{
	/* Signals to itself only: abort. */
	const struct limited own_signal = {
	    ALL, SCMP_SYS(tgkill), 0, {{0, WHOLE, (uint64_t)getpid()}}};
	int result = limited_add(filter, &own_signal);

	for (size_t i = 0; result == 0 && i < AZ_ARRAY_SIZE(allowed_calls); i++)
		if ((allowed_calls[i].profiles & profile) != 0)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i].call, 0);
	for (size_t i = 0; result == 0 && i < AZ_ARRAY_SIZE(limited_calls); i++)
		if ((limited_calls[i].profiles & profile) != 0)
			result = limited_add(filter, &limited_calls[i]);
	return result;
}

static enum az_status
filter_enter(enum sandbox_profile profile, struct az_err *reterr)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!filter)
		return az_fail(reterr, AZ_IO, "sandbox: filter of system calls");
	int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree instead of a list: the busy calls do not pay for the length of the tables. */
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (result == 0)
		result = filter_fill(filter, 1u << profile);
	/*
	 * libseccomp 2.5.4 can loop for ever when memory runs out while it builds the tree: a process that is
	 * not shut in within seconds ends, as one that cannot be.
	 */
	(void)alarm(FILTER_SECONDS);
	if (result == 0)
		result = seccomp_load(filter);
	(void)alarm(0);
	seccomp_release(filter);
	if (result != 0)
		return az_fail_errno(reterr, AZ_IO, -result, "sandbox: filter of system calls");
	return AZ_OK;
}

static enum az_status
landlock_allow(int ruleset, const int *dirs, size_t count, uint64_t rights, struct az_err *reterr)
{
	for (size_t i = 0; i < count; i++) {
		struct landlock_path_beneath_attr rule = {
		    .allowed_access = rights, .parent_fd = dirs[i]};
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) !=
		    0)
			return az_fail_errno(reterr, AZ_IO, errno, "sandbox: rule for a folder");
	}
	return AZ_OK;
}

/* What this kernel's Landlock can refuse: all of it. Returns the size of the ruleset it knows. */
static size_t
landlock_handle(long abi, struct ruleset *ruleset)
{
	*ruleset = (struct ruleset){.handled_fs = FS_ALL_ABI_2};
	if (abi >= 3)
		ruleset->handled_fs |= FS_TRUNCATE;
	if (abi >= 5)
		ruleset->handled_fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		ruleset->handled_net = NET_BIND_TCP | NET_CONNECT;
	if (abi >= 6)
		ruleset->scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return abi >= 6 ? sizeof(*ruleset) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static enum az_status
landlock_enter(const struct sandbox *sandbox, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct ruleset attributes = {0};
	int ruleset = -1;

	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < LANDLOCK_ABI_MIN) {
		status =
		    az_fail(reterr, AZ_IO, "sandbox: the kernel has no Landlock of ABI 2 or later");
		goto out;
	}
	size_t size = landlock_handle(abi, &attributes);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (ruleset < 0) {
		status = az_fail_errno(reterr, AZ_IO, errno, "sandbox: Landlock");
		goto out;
	}
	status = landlock_allow(ruleset, sandbox->writable_dirs, sandbox->writable_count,
	    FS_WRITE & attributes.handled_fs, reterr);
	if (status != AZ_OK)
		goto out;
	status = landlock_allow(ruleset, sandbox->readable_dirs, sandbox->readable_count,
	    FS_READ & attributes.handled_fs, reterr);
	if (status != AZ_OK)
		goto out;
	status = landlock_allow(ruleset, sandbox->device_dirs, sandbox->device_count,
	    (FS_READ | FS_IOCTL_DEV) & attributes.handled_fs, reterr);
	if (status != AZ_OK)
		goto out;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "sandbox: Landlock");
out:
	fd_close(&ruleset);
	return status;
}

/* Landlock binds the calling thread only, so there may be no other. */
static enum az_status
threads_check(struct az_err *reterr)
{
	struct stat info = {0};

	if (stat("/proc/self/task", &info) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "sandbox: count threads");
	/* A folder has two links and one more for each folder in it. */
	if (info.st_nlink != 3)
		return az_fail(reterr, AZ_IO, "sandbox: other threads are running");
	return AZ_OK;
}

/* What a profile may be given: intake opens nothing, a verifier changes nothing. */
static bool
sandbox_sensible(const struct sandbox *sandbox)
{
	if (sandbox->device_count > 0 && sandbox->profile != SANDBOX_GUARD)
		return false;
	switch (sandbox->profile) {
	case SANDBOX_INTAKE: return sandbox->writable_count == 0 && sandbox->readable_count == 0;
	case SANDBOX_VERIFY: return sandbox->writable_count == 0;
	case SANDBOX_VAULT:
	case SANDBOX_WITNESS:
	case SANDBOX_FRONT:
	case SANDBOX_GUARD:
	case SANDBOX_KEEPER: return true;
	case SANDBOX_NONE: return false;
	}
	return false;
}

enum az_status
sandbox_enter(const struct sandbox *sandbox, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	struct rlimit no_core = {0};

	if (!sandbox_sensible(sandbox))
		return az_fail(
		    reterr, AZ_IO, "sandbox: no such profile, or folders it may not have");
	status = threads_check(reterr);
	if (status != AZ_OK)
		return status;
	/* The last chance to read the zone: see clock.c. */
	tzset();
	if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "sandbox: privileges");
	status = landlock_enter(sandbox, reterr);
	if (status != AZ_OK)
		return status;
	return filter_enter(sandbox->profile, reterr);
}
