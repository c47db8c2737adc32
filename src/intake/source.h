/*
 * Where the records of a list come from: text through the pipe, or what a wrapping holds that came through it.
 */
#ifndef AZ_INTAKE_SOURCE_H
#define AZ_INTAKE_SOURCE_H

#include "text/text.h"

struct source;

/*
 * Reads the start of the list, and all of it if it is wrapped: a wrapping is taken off in memory. fd stays the caller's.
 * password: UTF-8, size 0 if none was given. Errors as unpack_open; AZ_LIMIT also if a wrapped list is too large; AZ_IO.
 */
AZ_CHECKED enum az_status source_open(
    int fd, struct bytes password, struct source **ret_source, struct az_err *reterr);
void source_free(struct source **source);

/* The next record, borrowed until the next call. AZ_NOT_FOUND at the end. */
AZ_CHECKED enum az_status source_next(
    struct source *source, const struct csv_record **ret_record, struct az_err *reterr);

#endif
