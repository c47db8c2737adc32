/*
 * SQLite databases, value by value, so that numbers stored as numbers and rows spread over pages are seen.
 *
 * The library reads through a file system of ours that has one file, the source, read-only and unchanging; it opens no
 * other. The schema is hostile: tables alone are read, by their names, with virtual tables, views, triggers and
 * functions of the schema out of reach.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "scan/unpack_internal.h"

#define HEAP_MAX  (64u * 1024u * 1024u)
#define VALUE_MAX (32 * 1024 * 1024)
#define VFS_NAME  "azukari-scan"

/* --- a file system with one file -------------------------------------------------------------- */

struct database {
	struct scan_job *job;
	struct scan_source *source;
	uint64_t size;
};

struct database_file {
	sqlite3_file base;
	struct database *database;
};

/* sqlite3_open_v2 takes names only: the source that is being opened. */
static struct database *opening;

static int
file_close(sqlite3_file *file)
{
	return SQLITE_OK;
}

static int
file_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
	struct database *database = ((struct database_file *)(void *)file)->database;
	uint8_t *to = data;
	size_t left = (size_t)size;

	scan_source_seek(database->source, (uint64_t)at);
	while (left > 0) {
		size_t got;

		if (scan_source_read(database->job, database->source, to, left, &got) != AZ_OK)
			return SQLITE_IOERR_READ;
		if (got == 0)
			break;
		to += got;
		left -= got;
	}
	scan_job_progress(database->job, (size_t)size - left);
	memset(to, 0, left);
	return left == 0 ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
	return SQLITE_READONLY;
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return SQLITE_READONLY;
}

static int
file_flags(sqlite3_file *file, int flags)
{
	return SQLITE_OK;
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	*ret_size = (sqlite3_int64)((struct database_file *)(void *)file)->database->size;
	return SQLITE_OK;
}

static int
file_reserved(sqlite3_file *file, int *ret_reserved)
{
	*ret_reserved = 0;
	return SQLITE_OK;
}

static int
file_control(sqlite3_file *file, int operation, void *arg)
{
	return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *file)
{
	return 512;
}

static int
file_characteristics(sqlite3_file *file)
{
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_flags,
    .xFileSize = file_size,
    .xLock = file_flags,
    .xUnlock = file_flags,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
};

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct database_file *ours = (struct database_file *)(void *)file;

	file->pMethods = NULL;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || opening == NULL)
		return SQLITE_CANTOPEN;
	ours->database = opening;
	file->pMethods = &file_methods;
	if (ret_flags != NULL)
		*ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	return SQLITE_IOERR_DELETE;
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	*ret_result = 0;
	return SQLITE_OK;
}

static int
vfs_path(sqlite3_vfs *vfs, const char *name, int room, char *path)
{
	(void)sqlite3_snprintf(room, path, "%s", name);
	return SQLITE_OK;
}

static int
vfs_randomness(sqlite3_vfs *vfs, int size, char *data)
{
	/* For names of temporary files, of which there are none. */
	memset(data, 0, (size_t)size);
	return size;
}

static int
vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	return 0;
}

static int
vfs_time(sqlite3_vfs *vfs, double *ret_time)
{
	*ret_time = 0;
	return SQLITE_OK;
}

static sqlite3_vfs vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(struct database_file),
    .mxPathname = 64,
    .zName = VFS_NAME,
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_path,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
};

/* --- values ----------------------------------------------------------------------------------- */

/* A value of bytes may be a file. */
static enum az_status
scan_blob(struct scan_job *job, struct bytes blob)
{
	struct scan_source *source = calloc(1, sizeof(*source));
	enum az_status status;

	if (source == NULL)
		return AZ_NO_MEMORY;
	scan_source_memory(source, blob);
	status = scan_source_scan(job, source);
	free(source);
	return status;
}

static enum az_status
scan_value(struct scan_job *job, sqlite3_stmt *rows, int column, struct scan_pass *pass)
{
	int type = sqlite3_column_type(rows, column);
	const void *data = type == SQLITE_BLOB ? sqlite3_column_blob(rows, column)
					       : sqlite3_column_text(rows, column);
	struct bytes value = bytes_make(data, (size_t)sqlite3_column_bytes(rows, column));
	enum az_status status;

	if (type == SQLITE_NULL || data == NULL || value.size == 0)
		return AZ_OK;
	status = scan_job_unpacked(job, value.size);
	if (status == AZ_OK && type == SQLITE_BLOB)
		return scan_blob(job, value);
	scan_pass_feed(pass, value);
	scan_pass_feed(pass, bytes_of("\n"));
	return status;
}

static enum az_status
scan_rows(struct scan_job *job, sqlite3_stmt *rows)
{
	struct scan_pass *pass = NULL;
	enum az_status status = scan_job_pass(job, &pass);
	int result = SQLITE_ROW;

	while (status == AZ_OK && (result = sqlite3_step(rows)) == SQLITE_ROW) {
		for (int i = 0; status == AZ_OK && i < sqlite3_column_count(rows); i++)
			status = scan_value(job, rows, i, pass);
	}
	if (status == AZ_OK && job->ended)
		status = AZ_LIMIT;
	if (status == AZ_OK && result != SQLITE_DONE)
		scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	if (pass != NULL)
		scan_pass_end(pass);
	scan_pass_free(&pass);
	return status;
}

static enum az_status
scan_table(struct scan_job *job, sqlite3 *handle, const char *table)
{
	char *query = sqlite3_mprintf("SELECT * FROM main.\"%w\"", table);
	sqlite3_stmt *rows = NULL;
	size_t mark = scan_member_enter(job, table);
	enum az_status status = AZ_OK;

	if (query == NULL)
		status = AZ_NO_MEMORY;
	else if (sqlite3_prepare_v2(handle, query, -1, &rows, NULL) != SQLITE_OK)
		scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	else
		status = scan_rows(job, rows);
	(void)sqlite3_finalize(rows);
	sqlite3_free(query);
	scan_member_leave(job, mark);
	return status;
}

static enum az_status
scan_tables(struct scan_job *job, sqlite3 *handle)
{
	sqlite3_stmt *tables = NULL;
	enum az_status status = AZ_OK;
	int result;

	/* Without a root page it is a virtual table. */
	result = sqlite3_prepare_v2(handle,
	    "SELECT name FROM main.sqlite_master WHERE type = 'table' AND rootpage > 0", -1,
	    &tables, NULL);
	while (result == SQLITE_OK && status == AZ_OK &&
	    (result = sqlite3_step(tables)) == SQLITE_ROW) {
		const unsigned char *name = sqlite3_column_text(tables, 0);

		result = SQLITE_OK;
		if (name != NULL)
			status = scan_table(job, handle, (const char *)name);
	}
	(void)sqlite3_finalize(tables);
	if (status == AZ_OK && job->ended)
		status = AZ_LIMIT;
	if (status == AZ_OK && result != SQLITE_DONE)
		scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	return status;
}

/* --- the file --------------------------------------------------------------------------------- */

/* Called every so many steps of the library's machine, which may run for long without a row. */
static int
on_steps(void *arg)
{
	return scan_job_unpacked(arg, 0) == AZ_OK ? 0 : 1;
}

static bool
harden(sqlite3 *handle)
{
	(void)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	(void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
	return sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
	    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
	    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) == SQLITE_OK &&
	    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) == SQLITE_OK;
}

static enum az_status
scan_opened(struct scan_job *job, struct database *database)
{
	sqlite3 *handle = NULL;
	enum az_status status = AZ_OK;
	int result;

	(void)sqlite3_vfs_register(&vfs, 0);
	(void)sqlite3_hard_heap_limit64(HEAP_MAX);
	opening = database;
	result = sqlite3_open_v2("source", &handle, SQLITE_OPEN_READONLY, VFS_NAME);
	if (result == SQLITE_OK && harden(handle)) {
		sqlite3_progress_handler(handle, 100000, on_steps, job);
		status = scan_tables(job, handle);
	} else {
		scan_job_unread(job, SCAN_UNREAD_DAMAGED);
	}
	(void)sqlite3_close(handle);
	opening = NULL;
	return status;
}

/* How long its header says it is; in an image that is all there is to know. */
static uint64_t
size_of(const struct scan_source *source)
{
	uint64_t page = (uint64_t)source->head[16] << 8 | source->head[17];
	uint64_t pages = (uint64_t)source->head[28] << 24 | (uint64_t)source->head[29] << 16 |
	    (uint64_t)source->head[30] << 8 | source->head[31];
	uint64_t size = pages * (page == 1 ? 65536 : page);

	return source->head_size >= 32 && size < source->size ? size : source->size;
}

enum az_status
scan_database(struct scan_job *job, struct scan_source *source)
{
	struct database database = {.job = job, .source = source, .size = source->size};
	struct database *outer = opening;
	struct buffer buffer = {0};
	enum az_status status = AZ_OK;

	if (!scan_source_seeks(source)) {
		status = scan_source_hold(job, source, &buffer);
		if (status == AZ_OK)
			scan_source_memory(source, buffer_peek(&buffer));
		database.size = source->size;
	}
	if (source->in_image)
		database.size = size_of(source);
	if (status == AZ_OK)
		status = scan_opened(job, &database);
	if (buffer.data != NULL)
		scan_source_release(job, &buffer);
	opening = outer;
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}
