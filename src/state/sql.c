/*
 * SQLite, held to one folder.
 *
 * The keeper may open nothing but its own folder, and is given that as a descriptor. SQLite takes paths: it
 * gets /proc/self/fd/N/house.db. Of every path it asks first what each component is, following links by
 * hand; "N" is a link to a path whose parents we may not be allowed to see, or which is no longer there. So
 * two of its system calls are answered otherwise, for the whole process: lstat follows links, and there
 * are no links to read. The last component is opened with O_NOFOLLOW by SQLite itself. One connection
 * that holds the exclusive lock needs no shared memory beside the journal.
 *
 * The file is foreign until its sum was checked. Its schema is text that SQLite parses and obeys: a trigger,
 * a view, an index or a table without its primary key would change what our statements mean. So it
 * must be exactly ours, nothing in it can call functions (trusted_schema=OFF), and a blob longer than any
 * of ours is not read.
 *
 * Settings: a write-ahead journal, flushed at each commit (synchronous=FULL); what is deleted is overwritten
 * (secure_delete); sorting and the like stay in memory; no mapping of a file that could shrink under us.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/state_internal.h"

#define FILE_NAME "house.db"
#define ROW_MAX   (2 * STATE_THING_MAX) /* bytes of a row of ours, with room to spare */

/* By name, as they stand in the file's schema. */
static const char *const tables[] = {
    "CREATE TABLE house(name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID, STRICT",
    "CREATE TABLE text(log INTEGER NOT NULL, idx INTEGER NOT NULL, salt BLOB NOT NULL,"
    " sealed BLOB NOT NULL, PRIMARY KEY(log, idx)) WITHOUT ROWID, STRICT",
    "CREATE TABLE thing(kind INTEGER NOT NULL, id INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY(kind, id)) WITHOUT ROWID, STRICT",
};

/* What must answer as told; a setting that SQLite does not take is silently not taken. */
static const struct {
	const char *text;
	const char *answer;
} settings[] = {
    {"PRAGMA locking_mode=EXCLUSIVE", "exclusive"},
    {"PRAGMA journal_mode=WAL", "wal"},
    {"PRAGMA secure_delete=ON", "1"},
};

static const char more_settings[] = "PRAGMA synchronous=FULL;"
				    "PRAGMA foreign_keys=ON;"
				    "PRAGMA trusted_schema=OFF;"
				    "PRAGMA temp_store=MEMORY;"
				    "PRAGMA mmap_size=0;"
				    "PRAGMA cell_size_check=ON;";

static int
stat_through(const char *path, struct stat *ret_info)
{
	return stat(path, ret_info);
}

static ssize_t
no_link(const char *path, char *text, size_t room)
{
	errno = EINVAL;
	return -1;
}

static void
prepare_once(void)
{
	sqlite3_vfs *vfs = NULL;
	uint8_t seed[16];

	/* A failure shows when the database is opened. */
	if (sqlite3_initialize() == SQLITE_OK)
		vfs = sqlite3_vfs_find(NULL);
	if (vfs != NULL && vfs->iVersion >= 3 && vfs->xSetSystemCall != NULL) {
		(void)vfs->xSetSystemCall(vfs, "lstat", (sqlite3_syscall_ptr)stat_through);
		(void)vfs->xSetSystemCall(vfs, "readlink", (sqlite3_syscall_ptr)no_link);
	}
	/* Its generator (names of journals, salts of checksums) seeds itself from a device. */
	sqlite3_randomness(sizeof(seed), seed);
}

void
state_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, prepare_once);
}

enum az_status
sql_fail(sqlite3 *db, int code, const char *what, struct az_err *reterr)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return az_fail(reterr, AZ_LIMIT, FILE_NAME ": %s: the disk is full", what);
	case SQLITE_NOMEM: return az_fail(reterr, AZ_NO_MEMORY, FILE_NAME ": %s", what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return az_fail(reterr, AZ_BUSY, FILE_NAME ": another has it open");
	/* Sizes were checked before anything was written: one of ours is never too big. */
	case SQLITE_TOOBIG:
		return az_fail(reterr, AZ_FORGED, FILE_NAME ": %s: too big a row", what);
	/* Our statements are right, so a file that refuses one is not ours. */
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return az_fail(reterr, AZ_CORRUPT, FILE_NAME ": %s: it cannot be read (%d)", what,
		    sqlite3_extended_errcode(db));
	default:
		return az_fail_errno(reterr, AZ_IO, sqlite3_system_errno(db), FILE_NAME ": %s (%d)",
		    what, sqlite3_extended_errcode(db));
	}
}

enum az_status
sql_run(sqlite3 *db, const char *text, const char *what, struct az_err *reterr)
{
	int code = sqlite3_exec(db, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? AZ_OK : sql_fail(db, code, what, reterr);
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

struct bytes
sql_column(sqlite3_stmt *statement, int column)
{
	const void *data = sqlite3_column_blob(statement, column);
	int size = sqlite3_column_bytes(statement, column);

	return bytes_make(data, data != NULL && size > 0 ? (size_t)size : 0);
}

/* That the file is there, and is one; or makes an empty one for nobody else to read. */
static enum az_status
file_settle(int dirfd, bool create, struct az_err *reterr)
{
	struct stat info;

	if (create) {
		int fd = openat(
		    dirfd, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return az_fail_errno(reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno,
			    FILE_NAME ": make");
		fd_close(&fd);
		return AZ_OK;
	}
	if (fstatat(dirfd, FILE_NAME, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return az_fail_errno(
		    reterr, errno == ENOENT ? AZ_NOT_FOUND : AZ_IO, errno, FILE_NAME ": find");
	if (!S_ISREG(info.st_mode))
		return az_fail(reterr, AZ_CORRUPT, FILE_NAME ": it is no file");
	return AZ_OK;
}

/* Runs a statement that must answer with one row of that text. */
static enum az_status
setting_apply(sqlite3 *db, const char *text, const char *answer, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	enum az_status status = sql_prepare(db, text, &statement, reterr);

	if (status != AZ_OK)
		return status;
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		status = sql_fail(db, code, text, reterr);
	else if (!bytes_equal(sql_column(statement, 0), bytes_of(answer)))
		status = az_fail(reterr, AZ_IO, FILE_NAME ": %s: not taken", text);
	(void)sqlite3_finalize(statement);
	return status;
}

static enum az_status
settings_apply(sqlite3 *db, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_MAX);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	for (size_t i = 0; status == AZ_OK && i < AZ_ARRAY_SIZE(settings); i++)
		status = setting_apply(db, settings[i].text, settings[i].answer, reterr);
	if (status != AZ_OK)
		return status;
	return sql_run(db, more_settings, "settings", reterr);
}

static enum az_status
tables_make(sqlite3 *db, struct az_err *reterr)
{
	enum az_status status = sql_run(db, "BEGIN IMMEDIATE", "begin", reterr);

	for (size_t i = 0; status == AZ_OK && i < AZ_ARRAY_SIZE(tables); i++)
		status = sql_run(db, tables[i], "make tables", reterr);
	return status;
}

static enum az_status
tables_check(sqlite3 *db, struct az_err *reterr)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	int code = SQLITE_DONE;
	enum az_status status =
	    sql_prepare(db, "SELECT sql FROM sqlite_schema ORDER BY name", &statement, reterr);

	if (status != AZ_OK)
		return status;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (count == AZ_ARRAY_SIZE(tables) ||
		    !bytes_equal(sql_column(statement, 0), bytes_of(tables[count])))
			break;
		count++;
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		status = sql_fail(db, code, "read tables", reterr);
	else if (code == SQLITE_ROW || count != AZ_ARRAY_SIZE(tables))
		status = az_fail(reterr, AZ_CORRUPT, FILE_NAME ": its tables are not ours");
	(void)sqlite3_finalize(statement);
	return status;
}

enum az_status
sql_open(int dirfd, bool create, sqlite3 **ret_db, struct az_err *reterr)
{
	enum az_status status = AZ_INTERNAL;
	sqlite3 *db = NULL;
	char path[64];

	state_prepare();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" FILE_NAME, dirfd);
	status = file_settle(dirfd, create, reterr);
	if (status != AZ_OK)
		return status;
	/* The state has a lock of its own. */
	int code = sqlite3_open_v2(
	    path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK) {
		status = sql_fail(db, code, "open", reterr);
		goto out;
	}
	status = settings_apply(db, reterr);
	if (status != AZ_OK)
		goto out;
	status = create ? tables_make(db, reterr) : tables_check(db, reterr);
	if (status != AZ_OK)
		goto out;
	*ret_db = db;
	db = NULL;
out:
	(void)sqlite3_close(db);
	if (status != AZ_OK && create)
		sql_remove(dirfd);
	return status;
}

void
sql_remove(int dirfd)
{
	/* What is left would be refused at the next start, no worse. */
	(void)unlinkat(dirfd, FILE_NAME, 0);
	(void)unlinkat(dirfd, FILE_NAME "-wal", 0);
}
