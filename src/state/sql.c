/*
 * SQLite, held to one folder.
 *
 * The keeper may open nothing but its own folder, and is given that as a descriptor. SQLite takes paths: it
 * gets /proc/self/fd/N/house.db. Of every path it asks first what each component is, following links by hand;
 * "N" is a link to a path whose parents we may not be allowed to see. So two of its system calls are
 * answered otherwise: lstat follows links, and there are no links to read. One connection with the
 * exclusive lock needs no shared memory beside the journal.
 *
 * Settings: a write-ahead journal, flushed at each commit (synchronous=FULL); what is deleted is overwritten
 * (secure_delete); nothing in the file can make SQLite call functions (trusted_schema=OFF).
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/state_internal.h"

#define FILE_NAME "house.db"

static const char schema[] =
    "CREATE TABLE house(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE TABLE thing(kind INTEGER NOT NULL, id INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY(kind, id)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE text(log INTEGER NOT NULL, idx INTEGER NOT NULL, salt BLOB NOT NULL,"
    " sealed BLOB NOT NULL, PRIMARY KEY(log, idx)) WITHOUT ROWID, STRICT;";

static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
			       "PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=FULL;"
			       "PRAGMA secure_delete=ON;"
			       "PRAGMA trusted_schema=OFF;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA cell_size_check=ON;";

static int
stat_through(const char *path, struct stat *ret)
{
	return stat(path, ret);
}

static ssize_t
no_link(const char *path, char *text, size_t room)
{
	(void)path;
	(void)text;
	(void)room;
	errno = EINVAL;
	return -1;
}

void
state_prepare(void)
{
	sqlite3_vfs *vfs;
	unsigned char random[16];

	(void)sqlite3_initialize();
	vfs = sqlite3_vfs_find(NULL);
	if (vfs != NULL && vfs->xSetSystemCall != NULL) {
		(void)vfs->xSetSystemCall(vfs, "lstat", (sqlite3_syscall_ptr)stat_through);
		(void)vfs->xSetSystemCall(vfs, "readlink", (sqlite3_syscall_ptr)no_link);
	}
	/* Its generator seeds itself from a device at first use. */
	sqlite3_randomness(sizeof(random), random);
}

enum az_status
sql_fail(sqlite3 *db, int code, const char *what, struct az_err *reterr)
{
	switch (code & 0xff) {
	case SQLITE_FULL: return az_fail(reterr, AZ_LIMIT, "house.db: %s: the disk is full", what);
	case SQLITE_NOMEM:
		return az_fail(reterr, AZ_NO_MEMORY, "house.db: %s: out of memory", what);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
		return az_fail(reterr, AZ_CORRUPT, "house.db: %s: it cannot be read (%d)", what,
		    sqlite3_extended_errcode(db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return az_fail(reterr, AZ_BUSY, "house.db: %s: somebody else has it open", what);
	case SQLITE_TOOBIG: return az_fail(reterr, AZ_LIMIT, "house.db: %s: too large", what);
	default:
		return az_fail(
		    reterr, AZ_IO, "house.db: %s: failed (%d)", what, sqlite3_extended_errcode(db));
	}
}

enum az_status
sql_run(sqlite3 *db, const char *text, struct az_err *reterr)
{
	int code = sqlite3_exec(db, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? AZ_OK : sql_fail(db, code, "run", reterr);
}

enum az_status
sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct az_err *reterr)
{
	int code = sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);

	return code == SQLITE_OK ? AZ_OK : sql_fail(db, code, "prepare", reterr);
}

enum az_status
sql_done(sqlite3 *db, sqlite3_stmt *statement, const char *what, struct az_err *reterr)
{
	int code = sqlite3_step(statement);
	enum az_status status = code == SQLITE_DONE ? AZ_OK : sql_fail(db, code, what, reterr);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return status;
}

/* Whether the file is there: SQLite would make one, or not say why it cannot. */
static enum az_status
check_file(const char *path, bool create, struct az_err *reterr)
{
	struct stat info;
	bool there = stat(path, &info) == 0;

	if (!there && errno != ENOENT)
		return az_fail_errno(reterr, AZ_IO, errno, FILE_NAME);
	if (there && !S_ISREG(info.st_mode))
		return az_fail(reterr, AZ_CORRUPT, FILE_NAME ": it is no file");
	if (there && create)
		return az_fail(reterr, AZ_CONFLICT, FILE_NAME ": it is there already");
	if (!there && !create)
		return az_fail(reterr, AZ_NOT_FOUND, FILE_NAME ": it is missing");
	return AZ_OK;
}

enum az_status
sql_open(int dirfd, bool create, sqlite3 **ret_db, struct az_err *reterr)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE |
	    (create ? SQLITE_OPEN_CREATE : 0);
	char path[64];
	sqlite3 *db = NULL;
	enum az_status status;
	int code;

	state_prepare();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" FILE_NAME, dirfd);
	status = check_file(path, create, reterr);
	if (status != AZ_OK)
		return status;
	code = sqlite3_open_v2(path, &db, flags, NULL);
	if (code != SQLITE_OK) {
		status = sql_fail(db, code, "open", reterr);
		goto out;
	}
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	status = sql_run(db, settings, reterr);
	if (status == AZ_OK && create)
		status = sql_run(db, schema, reterr);
	if (status == AZ_OK) {
		*ret_db = db;
		db = NULL;
	}
out:
	(void)sqlite3_close(db);
	return status;
}
