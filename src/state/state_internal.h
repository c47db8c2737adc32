/*
 * What the files of this folder share: a narrow face over SQLite that turns its codes into ours.
 */
#ifndef AZ_STATE_INTERNAL_H
#define AZ_STATE_INTERNAL_H

#include <sqlite3.h>

#include "state/state.h"

/*
 * Opens dirfd/house.db with the settings that make it safe, and makes its tables if create is set. Nothing
 * but the folder of dirfd is looked at.
 */
AZ_CHECKED enum az_status sql_open(int dirfd, bool create, sqlite3 **ret_db, struct az_err *reterr);

/* The status of an SQLite code, with what was tried; never what the database says, which may quote. */
enum az_status sql_fail(sqlite3 *db, int code, const char *what, struct az_err *reterr);

AZ_CHECKED enum az_status sql_run(sqlite3 *db, const char *text, struct az_err *reterr);
AZ_CHECKED enum az_status sql_prepare(
    sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct az_err *reterr);
/* Steps a statement that gives no rows, and resets it. */
AZ_CHECKED enum az_status sql_done(
    sqlite3 *db, sqlite3_stmt *statement, const char *what, struct az_err *reterr);

#endif
