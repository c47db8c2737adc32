/*
 * Shared by the files that read forwarded events.
 */
#ifndef AZ_GUARD_FORWARDED_INTERNAL_H
#define AZ_GUARD_FORWARDED_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "guard/forwarded.h"

/* --- values ----------------------------------------------------------------------------------- */

/* The member at the end of a path of names, or NULL; paths end with NULL. */
json_t *forwarded_member(const json_t *value, ...) __attribute__((sentinel));
/* A number, or a text of decimal digits. */
bool forwarded_number(const json_t *value, uint64_t *ret_number);
/* RFC 3339, with any number of digits behind the second; without a zone it is UTC. */
bool forwarded_time(const char *text, int64_t *ret_us);
/* Copies a text as printable ASCII; every other character becomes one '?', and what has no room is cut. NULL: "". */
void forwarded_text(const char *text, char *ret_text, size_t room);
/* A host's name: letters, digits, '.', '-', '_'. False if it is none. */
bool forwarded_desk(const char *text, struct endpoint_event *event);
/* Up to four hexadecimal digits, with or without 0x. */
bool forwarded_hex(const char *text, size_t digits, uint16_t *ret_value);

/* --- the forms -------------------------------------------------------------------------------- */

/* Each is false for what is of another form; else *ret_fault says what became of it. */
bool forwarded_windows(const json_t *line, struct forwarded_desks *desks,
    const struct forwarded_sink *sink, enum forwarded_fault *ret_fault);
bool forwarded_osquery(
    const json_t *line, const struct forwarded_sink *sink, enum forwarded_fault *ret_fault);

#endif
