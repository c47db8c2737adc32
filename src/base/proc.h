/*
 * Starting processes, and shutting them in.
 *
 * A child is started by fork and exec, so that none inherits another's memory; it gets exactly the
 * descriptors named and an empty environment but for TZ and LANG. Each program shuts itself in
 * with sandbox_enter before its first message; if any part cannot be applied, it must end.
 */
#ifndef AZ_BASE_PROC_H
#define AZ_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

#define PROC_FDS_MAX  8
#define PROC_FD_FIRST 3 /* the child's descriptor of fds[0]; the rest follow */

struct proc_spec {
	const char *path;        /* absolute path of the program */
	const char *const *argv; /* NULL-terminated; argv[0] included; never secrets */
	int fds[PROC_FDS_MAX];
	size_t fd_count;
	uid_t uid; /* switched to when we are root and it is not 0 */
	gid_t gid;
	bool inherit_stderr; /* else /dev/null */
};

/*
 * Starts a program and waits until it runs. The child dies with the thread that started it. It reads
 * nothing and writes to nowhere but the named descriptors and, if inherited, stderr. AZ_IO with the
 * step and the reason if any part fails; then no child is left.
 */
AZ_CHECKED enum az_status proc_spawn(
    const struct proc_spec *spec, pid_t *ret_pid, struct az_err *reterr);

/*
 * What ps shows of a process that was started so: it came from a descriptor, which has no name. At most 15
 * bytes; before sandbox_enter.
 */
void proc_name(const char *name);

/* A connected pair of stream sockets, close-on-exec. */
AZ_CHECKED enum az_status proc_socketpair(int ret_fds[2], struct az_err *reterr);

/* The folder of the running program, for finding its siblings. AZ_IO; AZ_LIMIT if room is too small. */
AZ_CHECKED enum az_status proc_own_folder(char *path, size_t room, struct az_err *reterr);

/*
 * The system calls a process may make; any other ends it with SIGSYS. In none may it execute, make
 * processes or sockets, signal others, trace, or turn memory into code. What a library opens lazily
 * (configuration, converters, modules) must be loaded before.
 */
enum sandbox_profile {
	SANDBOX_NONE = 0, /* refused */
	SANDBOX_INTAKE,   /* reads and writes open descriptors, memory, time; opens nothing */
	SANDBOX_VAULT,    /* and files below its folder, epoll, threads; no sockets are created */
	SANDBOX_KEEPER, /* and accepts on sockets it was given, SQLite, priority of the calling thread */
	SANDBOX_FRONT,  /* as VAULT, and connects to Unix sockets */
	SANDBOX_GUARD,  /* as VAULT, and makes block devices of its device folders read-only */
	SANDBOX_VERIFY, /* as INTAKE, and opens files below its folder for reading; epoll, threads */
	SANDBOX_WITNESS, /* as INTAKE, and replaces files below its folder, accepts on sockets it
			    has; epoll, no threads */
};

struct sandbox {
	enum sandbox_profile profile;
	const int
	    *writable_dirs; /* descriptors of directories whose files may be read and changed */
	size_t writable_count;
	const int *readable_dirs;
	size_t readable_count;
	const int *device_dirs; /* of GUARD only: devices in them may be read and asked */
	size_t device_count;
};

/*
 * No new privileges, no core files and no ptrace, Landlock (ABI 2 or later), seccomp. Threads started
 * afterwards inherit it; call before starting any. AZ_IO if any part fails, if other threads run, or if
 * the profile may not have such folders: the caller must end. Cannot be undone; the time zone is read
 * on the way.
 */
AZ_CHECKED enum az_status sandbox_enter(const struct sandbox *sandbox, struct az_err *reterr);

/*
 * The calling thread, or a process that has only this one, works on a list: it gives way to what people wait for.
 * Where the system refuses, it is only less polite.
 */
void proc_give_way(void);

/*
 * Before threads are made: what is freed stays with the process, as far as it is little, and all threads share it.
 * For processes that pass frames from thread to thread, which else ask the system for the same memory again and again.
 */
void proc_keep_memory(void);

#endif
