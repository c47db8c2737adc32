/*
 * From typed trees to JSON, and from JSON to what people read. Both outputs come from one form, so that they
 * say the same.
 */
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "proto/answer.h"

#define COLUMNS_MAX 24u
#define CELL_MAX    4096u

/* --- trees to JSON ---------------------------------------------------------------------------- */

static json_t *
bytes_to_json(struct bytes bytes)
{
	char *text = malloc(2 * bytes.size + 1);
	json_t *json;

	if (text == NULL)
		return NULL;
	hex_encode(bytes, text);
	json = json_string(text);
	free(text);
	return json;
}

/* The value of an event that is neither an object nor an array. */
static json_t *
value_of(const struct answer_event *event)
{
	char text[64];

	switch (event->tag) {
	case ANSWER_TEXT: return json_stringn((const char *)event->bytes.data, event->bytes.size);
	case ANSWER_UINT: return json_integer((json_int_t)event->number);
	case ANSWER_FALSE: return json_false();
	case ANSWER_TRUE: return json_true();
	case ANSWER_TIME:
		clock_format_utc(event->time_us, text, sizeof(text));
		return json_string(text);
	case ANSWER_DATE: date_format(event->days, text); return json_string(text);
	case ANSWER_BYTES: return bytes_to_json(event->bytes);
	case ANSWER_OBJECT: return json_object();
	case ANSWER_ARRAY: return json_array();
	case ANSWER_END:
	default: return NULL;
	}
}

/* Adds value (taken) to its container. */
static bool
add_to(json_t *container, const char *name, json_t *value)
{
	if (json_is_array(container))
		return json_array_append_new(container, value) == 0;
	/* A name that repeats would hide what came before it. */
	if (json_object_get(container, name) != NULL) {
		json_decref(value);
		return false;
	}
	return json_object_set_new(container, name, value) == 0;
}

json_t *
print_json_of(struct bytes tree)
{
	json_t *stack[ANSWER_DEPTH_MAX + 1] = {NULL};
	struct answer_reader reader;
	struct answer_event event;
	size_t depth = 0;
	enum az_status status;

	answer_reader_init(&reader, tree);
	while ((status = answer_next(&reader, &event)) == AZ_OK) {
		json_t *value;

		if (event.tag == ANSWER_END) {
			depth--;
			continue;
		}
		value = value_of(&event);
		if (value == NULL)
			break;
		if (depth == 0)
			stack[0] = value;
		else if (!add_to(stack[depth - 1], event.name, value))
			break;
		if (event.tag == ANSWER_OBJECT || event.tag == ANSWER_ARRAY)
			stack[depth++] = value;
	}
	if (status == AZ_NOT_FOUND)
		return stack[0];
	json_decref(stack[0]);
	return NULL;
}

json_t *
print_items_of(const struct front_answer *answer)
{
	json_t *items = json_array();
	struct wire_reader reader;

	wire_reader_init(&reader, buffer_peek(&answer->items));
	while (!reader.failed && reader.rest.size > 0) {
		json_t *item = print_json_of(wire_get_bytes(&reader, UINT32_MAX));

		if (item == NULL || json_array_append_new(items, item) != 0) {
			reader.failed = true;
			break;
		}
	}
	if (!reader.failed)
		return items;
	json_decref(items);
	return NULL;
}

void
print_json(json_t *json)
{
	if (json == NULL) {
		(void)fprintf(stderr, "azukari: out of memory\n");
		return;
	}
	(void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	(void)putchar('\n');
	json_decref(json);
}

/* --- for people ------------------------------------------------------------------------------- */

void
print_text(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f)
			(void)fprintf(file, "\\x%02x", byte);
		/* C1 controls, as UTF-8. */
		else if (byte == 0xc2 && (unsigned char)text[1] >= 0x80 &&
		    (unsigned char)text[1] < 0xa0)
			(void)fprintf(file, "\\x%02x", (unsigned char)*++text);
		else
			(void)fputc(byte, file);
	}
}

/* How many columns a text takes on a terminal: one a code point, two if it is wide. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if ((byte & 0xc0) == 0x80)
			continue;
		/* From U+1100 on most of what lists hold is wide: kana, kanji, full width. */
		width += byte >= 0xe1 ? 2 : 1;
	}
	return width;
}

static void
pad(size_t width, size_t to)
{
	for (; width < to; width++)
		(void)putchar(' ');
}

/* Reads back what value_of wrote for a time. */
static bool
local_time(const char *text, char *out, size_t room)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

	if (rest == NULL || *rest != '.' || strlen(rest) != 8 || rest[7] != 'Z')
		return false;
	clock_format_local((int64_t)timegm(&parts) * AZ_US_PER_S, out, room);
	return true;
}

static void cell_of(const json_t *value, char *text, size_t room);

/* "a, b" of an array; "a=b c=d" of an object inside one. */
static void
join_array(const json_t *array, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(array) && used + 3 < room; i++) {
		char part[256];
		int size;

		cell_of(json_array_get(array, i), part, sizeof(part));
		size = snprintf(text + used, room - used, "%s%s", i > 0 ? ", " : "", part);
		used += size > 0 ? (size_t)size : 0;
	}
}

/* "a b", or where there are objects inside, "name a b; name c d". */
static void
join_object(json_t *object, char *text, size_t room)
{
	const char *name;
	json_t *value;
	size_t used = 0;

	text[0] = '\0';
	json_object_foreach(object, name, value)
	{
		char part[256];
		int size;

		if (used + 3 >= room)
			return;
		cell_of(value, part, sizeof(part));
		size = json_is_object(value)
		    ? snprintf(
			  text + used, room - used, "%s%s %s", used > 0 ? "; " : "", name, part)
		    : snprintf(text + used, room - used, "%s%s", used > 0 ? " " : "", part);
		used += size > 0 ? (size_t)size : 0;
	}
}

static void
cell_of(const json_t *value, char *text, size_t room)
{
	text[0] = '\0';
	if (json_is_string(value)) {
		if (!local_time(json_string_value(value), text, room))
			(void)snprintf(text, room, "%s", json_string_value(value));
	} else if (json_is_integer(value)) {
		(void)snprintf(text, room, "%lld", (long long)json_integer_value(value));
	} else if (json_is_boolean(value)) {
		(void)snprintf(text, room, "%s", json_is_true(value) ? "yes" : "no");
	} else if (json_is_array(value)) {
		join_array(value, text, room);
	} else if (json_is_object(value)) {
		/* jansson walks objects through pointers that are not const. */
		join_object((json_t *)(uintptr_t)value, text, room);
	}
}

void
print_object(const json_t *object)
{
	json_t *walked = (json_t *)(uintptr_t)object;
	const char *name;
	json_t *value;
	size_t widest = 0;
	char cell[CELL_MAX];

	if (json_object_size(object) == 0)
		(void)puts("none");
	json_object_foreach(walked, name, value) widest =
	    width_of(name) > widest ? width_of(name) : widest;
	json_object_foreach(walked, name, value)
	{
		print_text(stdout, name);
		pad(width_of(name), widest + 2);
		cell_of(value, cell, sizeof(cell));
		print_text(stdout, cell);
		(void)putchar('\n');
	}
}

/* The names that occur in a list of objects, in order of their first occurrence. */
static size_t
columns_of(const json_t *items, const char *names[COLUMNS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const char *name;
		json_t *value;

		json_object_foreach(json_array_get(items, i), name, value)
		{
			size_t at = 0;

			while (at < count && strcmp(names[at], name) != 0)
				at++;
			if (at == count && count < COLUMNS_MAX)
				names[count++] = name;
		}
	}
	return count;
}

void
print_table(const json_t *items)
{
	const char *names[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX];
	size_t count = columns_of(items, names);
	bool is_terminal = isatty(STDOUT_FILENO) != 0;
	char cell[CELL_MAX];

	if (count == 0) {
		(void)puts("none");
		return;
	}
	for (size_t c = 0; c < count; c++) {
		widths[c] = width_of(names[c]);
		for (size_t i = 0; i < json_array_size(items); i++) {
			cell_of(json_object_get(json_array_get(items, i), names[c]), cell,
			    sizeof(cell));
			widths[c] = width_of(cell) > widths[c] ? width_of(cell) : widths[c];
		}
	}
	(void)fputs(is_terminal ? "\033[1m" : "", stdout);
	for (size_t c = 0; c < count; c++) {
		print_text(stdout, names[c]);
		pad(width_of(names[c]), c + 1 < count ? widths[c] + 2 : 0);
	}
	(void)puts(is_terminal ? "\033[0m" : "");
	for (size_t i = 0; i < json_array_size(items); i++) {
		size_t wanted =
		    0; /* where the line should be: blanks are printed before a cell, not after */
		size_t at = 0;

		for (size_t c = 0; c < count; c++) {
			cell_of(json_object_get(json_array_get(items, i), names[c]), cell,
			    sizeof(cell));
			if (cell[0] != '\0') {
				pad(at, wanted);
				print_text(stdout, cell);
				at = wanted + width_of(cell);
			}
			wanted += widths[c] + 2;
		}
		(void)putchar('\n');
	}
}

/* --- answers and errors ----------------------------------------------------------------------- */

int
print_error(const struct cli *cli, enum az_status status, const char *text, json_t *more)
{
	int code = az_exit_code(status);

	if (cli->json) {
		json_t *error = json_pack("{s:s, s:s, s:i}", "status", az_status_name(status),
		    "text", text, "exit", code);

		if (more != NULL && error != NULL)
			(void)json_object_update(error, more);
		print_json(json_pack("{s:o}", "error", error));
	} else {
		(void)fputs("azukari: ", stderr);
		print_text(stderr, text);
		(void)fputc('\n', stderr);
		if (more != NULL && json_object_size(more) > 0)
			print_object(more);
	}
	json_decref(more);
	return code;
}

int
print_answer(const struct cli *cli, const struct front_answer *answer, const char *items)
{
	json_t *tree =
	    answer->tree.size > 0 ? print_json_of(buffer_peek(&answer->tree)) : json_object();
	json_t *list = items != NULL ? print_items_of(answer) : NULL;

	if (tree == NULL || (items != NULL && list == NULL)) {
		json_decref(tree);
		json_decref(list);
		return print_error(
		    cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	}
	if (answer->status != AZ_OK) {
		json_decref(list);
		return print_error(cli, answer->status, answer->text, tree);
	}
	if (cli->json) {
		if (items != NULL)
			(void)json_object_set_new(tree, items, list);
		print_json(tree);
		return 0;
	}
	if (items != NULL) {
		print_table(list);
		json_decref(list);
	} else {
		print_object(tree);
	}
	json_decref(tree);
	return 0;
}
