/*
 * Answers for people and for programs: the same typed trees, as aligned text or as one JSON document.
 */
#ifndef AZ_CLI_PRINT_H
#define AZ_CLI_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "base/bytes.h"
#include "cli/cli.h"
#include "cli/front.h"

/* A tree as JSON: times as RFC 3339, dates as YYYY-MM-DD, bytes in hexadecimal. NULL: malformed. */
json_t *print_json_of(struct bytes tree);
/* All items of an answer, as an array. NULL: malformed. */
json_t *print_items_of(const struct front_answer *answer);

/* One JSON document on stdout. Takes it. */
void print_json(json_t *json);
/* "name  value" lines, aligned; nested objects in one value. Nothing but "none" if it is empty. */
void print_object(const json_t *object);
/* A table of objects with a header. Nothing but "none" if it is empty. */
void print_table(const json_t *items);
/* A value for a terminal: control characters are escaped. */
void print_text(FILE *file, const char *text);

/*
 * The whole of most commands: prints the answer, with its items under the name items (NULL if it has none),
 * and returns the exit code.
 */
int print_answer(const struct cli *cli, const struct front_answer *answer, const char *items);

/* An error, on stderr, or as {"error": …} with --json; returns the exit code. more may be NULL; taken. */
int print_error(const struct cli *cli, enum az_status status, const char *text, json_t *more);

#endif
