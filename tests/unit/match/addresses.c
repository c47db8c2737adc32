/*
 * Other people's addresses: each as it was written and in the normal form that others found for it. Both must give
 * the same key, and two normal forms never one.
 *
 *	match-addresses TABLES CSV        as a test: prints the rate
 *	match-addresses TABLES CSV -v     and each difference
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match/match.h"

#define SKIPPED   77
#define RATE_MIN  995 /* in a thousand */
#define LINE_MAX_ 4096
#define ROWS_MAX  20000

struct place_row {
	char *raw;
	char *normal;
	char *raw_key;
	char *normal_key;
};

static struct place_row rows[ROWS_MAX];
static size_t row_count;

static char *
copy(const char *text, size_t size)
{
	char *copied = malloc(size + 1);

	if (copied == NULL)
		abort();
	memcpy(copied, text, size);
	copied[size] = '\0';
	return copied;
}

/* The address alone, and with somebody's name: place and building, and name and place. */
static char *
key_of(const char *address)
{
	struct match_key keys[MATCH_KEYS_MAX];
	struct row row = {0};
	char text[3 * MATCH_KEY_MAX] = "";
	bool bad;
	size_t count;

	row.values[FIELD_NAME] = bytes_of("X");
	row.values[FIELD_ADDRESS] = bytes_of(address);
	count = match_row(&row, keys, &bad);
	for (size_t i = 0; i < count; i++) {
		struct bytes key = match_key_text(&keys[i]);

		if (keys[i].kind == MATCH_NAME_PLACE || keys[i].kind == MATCH_PLACE_BUILDING)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s ",
			    (int)key.size, (const char *)key.data);
	}
	return copy(text, strlen(text));
}

/* Cuts a line of the list: the first column, and the next five joined. */
static void
take_line(const char *line)
{
	char normal[LINE_MAX_] = "";
	const char *start = line;
	size_t column = 0;
	bool quoted = false;
	struct place_row *row = &rows[row_count];

	for (const char *at = line;; at++) {
		if (*at == '"')
			quoted = !quoted;
		if ((*at != ',' || quoted) && *at != '\0' && *at != '\n')
			continue;
		if (column == 0)
			row->raw = copy(start, (size_t)(at - start));
		else if (column <= 5)
			(void)snprintf(normal + strlen(normal), sizeof(normal) - strlen(normal),
			    "%.*s", (int)(at - start), start);
		column++;
		start = at + 1;
		if (*at != ',')
			break;
	}
	row->normal = copy(normal, strlen(normal));
	row->raw_key = key_of(row->raw);
	row->normal_key = key_of(row->normal);
	row_count++;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct place_row *one = a;
	const struct place_row *other = b;
	int order = strcmp(one->normal_key, other->normal_key);

	return order != 0 ? order : strcmp(one->normal, other->normal);
}

static void
free_rows(void)
{
	for (size_t i = 0; i < row_count; i++) {
		free(rows[i].raw);
		free(rows[i].normal);
		free(rows[i].raw_key);
		free(rows[i].normal_key);
	}
}

int
main(int argc, char **argv)
{
	bool tell = argc > 3;
	struct az_err err = {0};
	char line[LINE_MAX_];
	size_t same = 0;
	size_t shared = 0;
	int fd = argc > 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	FILE *list = argc > 2 ? fopen(argv[2], "re") : NULL;

	if (fd < 0 || list == NULL) {
		(void)fprintf(stderr, "skipped: %s is not here\n",
		    fd < 0 ? "the table file" : "the list of addresses");
		return SKIPPED;
	}
	if (match_tables_map(fd, &err) != AZ_OK) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (fgets(line, sizeof(line), list) == NULL)
		return 1;
	while (row_count < ROWS_MAX && fgets(line, sizeof(line), list) != NULL)
		take_line(line);
	for (size_t i = 0; i < row_count; i++) {
		bool agrees =
		    rows[i].raw_key[0] != '\0' && strcmp(rows[i].raw_key, rows[i].normal_key) == 0;

		same += agrees ? 1 : 0;
		if (tell && !agrees)
			(void)printf("differs: %s %s\n    %s\n    %s\n", rows[i].raw,
			    rows[i].normal, rows[i].raw_key, rows[i].normal_key);
	}
	qsort(rows, row_count, sizeof(rows[0]), compare_keys);
	for (size_t i = 1; i < row_count; i++) {
		if (strcmp(rows[i].normal_key, rows[i - 1].normal_key) != 0 ||
		    strcmp(rows[i].normal, rows[i - 1].normal) == 0)
			continue;
		shared++;
		if (tell)
			(void)printf("shared: %s %s %s\n", rows[i].normal, rows[i - 1].normal,
			    rows[i].normal_key);
	}
	(void)printf("%zu of %zu addresses give the key of their normal form (%.2f %%), %zu keys "
		     "are shared\n",
	    same, row_count, 100.0 * (double)same / (double)row_count, shared);
	(void)fclose(list);
	(void)close(fd);
	free_rows();
	return row_count > 0 && same * 1000 >= row_count * RATE_MIN && shared == 0 ? 0 : 1;
}
