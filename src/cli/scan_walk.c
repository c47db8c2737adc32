/*
 * The way to the files. Nothing is read here: what is found is opened and handed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/scan.h"

static enum scan_unread
reason_of(int errnum)
{
	return errnum == EACCES || errnum == EPERM ? SCAN_UNREAD_DENIED : SCAN_UNREAD_IO;
}

/* What the kernel makes up: /proc, /sys and their kind. */
static bool
is_made_up(const char *path)
{
	static const unsigned long kinds[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
	    CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC,
	    BPF_FS_MAGIC, DEVPTS_SUPER_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC};
	struct statfs info;

	if (statfs(path, &info) != 0)
		return false;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(kinds); i++) {
		if ((unsigned long)info.f_type == kinds[i])
			return true;
	}
	return false;
}

enum az_status
scan_read(struct pool *pool, struct findings *findings, const char *path, bool named,
    struct az_err *reterr)
{
	/* Not to wait for a pipe's other end, and not to follow what was a file a moment ago. */
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (named ? 0 : O_NOFOLLOW);
	bool is_input = named && strcmp(path, "-") == 0;
	int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, flags);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0) {
		findings_add_unread(findings, path, "", reason_of(errno));
		fd_close(&fd);
		return AZ_OK;
	}
	if (!S_ISREG(info.st_mode) && !named) {
		findings_add_unread(findings, path, "", SCAN_UNREAD_KIND);
		fd_close(&fd);
		return AZ_OK;
	}
	return pool_read(pool, fd, path, !is_input && S_ISBLK(info.st_mode), reterr);
}

struct walking {
	struct findings *findings;
	enum az_status (*visit)(void *arg, const char *path, bool named, struct az_err *reterr);
	void *arg;
};

static enum az_status
meet(const struct walking *walking, FTS *tree, FTSENT *entry, struct az_err *reterr)
{
	struct findings *findings = walking->findings;
	bool named = entry->fts_level == FTS_ROOTLEVEL;

	switch (entry->fts_info) {
	case FTS_D:
		if (!named && entry->fts_dev != entry->fts_parent->fts_dev &&
		    is_made_up(entry->fts_accpath)) {
			findings_add_unread(findings, entry->fts_path, "", SCAN_UNREAD_KIND);
			(void)fts_set(tree, entry, FTS_SKIP);
		}
		return AZ_OK;
	case FTS_F: return walking->visit(walking->arg, entry->fts_path, named, reterr);
	case FTS_DEFAULT:
		if (named && !S_ISSOCK(entry->fts_statp->st_mode))
			return walking->visit(walking->arg, entry->fts_path, true, reterr);
		findings_add_unread(findings, entry->fts_path, "", SCAN_UNREAD_KIND);
		return AZ_OK;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		findings_add_unread(findings, entry->fts_path, "", reason_of(entry->fts_errno));
		return AZ_OK;
	case FTS_SLNONE:
		if (named)
			findings_add_unread(findings, entry->fts_path, "", SCAN_UNREAD_IO);
		return AZ_OK;
	default: return AZ_OK; /* folders left again, links */
	}
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum az_status
walk_tree(const struct walking *walking, char *path, struct az_err *reterr)
{
	char *const roots[] = {path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	enum az_status status = AZ_OK;
	FTSENT *entry;

	if (tree == NULL)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	errno = 0;
	while (status == AZ_OK && (entry = fts_read(tree)) != NULL) {
		status = meet(walking, tree, entry, reterr);
		errno = 0;
	}
	if (status == AZ_OK && errno != 0)
		findings_add_unread(walking->findings, path, "", reason_of(errno));
	(void)fts_close(tree);
	return status;
}

enum az_status
scan_walk(const char *path, struct findings *findings,
    enum az_status (*visit)(void *arg, const char *path, bool named, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct walking walking = {.findings = findings, .visit = visit, .arg = arg};
	char *own;
	enum az_status status;

	if (strcmp(path, "-") == 0)
		return visit(arg, path, true, reterr);
	own = strdup(path);
	if (own == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	status = walk_tree(&walking, own, reterr);
	free(own);
	return status;
}
