/*
 * Links between lists with real-world damage, made by others: FEBRL 4 (4a entrusted, 4b traced) and FEBRL 3 (one row
 * of each person entrusted, the duplicates traced). The files are not ours and lie beside the tree; the truth is in
 * their rec_id, which nothing here compares.
 *
 *	febrl FOLDER	exit 77 if the folder has no such files; 1 if a bar is missed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"

#define COLUMNS  11
#define ROWS_MAX 10000

struct person {
	char line[512];
	char address[512];
	unsigned long id; /* of the person */
	bool original;
	struct row row;
};

static struct person *
read_list(const char *folder, const char *name, size_t *ret_count)
{
	struct person *people = calloc(ROWS_MAX, sizeof(*people));
	char path[4096];
	char line[512];
	size_t count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL || people == NULL)
		exit(77);
	if (fgets(line, sizeof(line), file) == NULL)
		exit(1);
	while (count < ROWS_MAX && fgets(people[count].line, sizeof(line), file) != NULL) {
		struct person *person = &people[count++];
		char *values[COLUMNS];
		char *at = person->line;

		at[strcspn(at, "\r\n")] = '\0';
		for (size_t i = 0; i < COLUMNS; i++) {
			char *comma = strchr(at, ',');

			at += strspn(at, " ");
			values[i] = at;
			if (comma != NULL) {
				*comma = '\0';
				at = comma + 1;
			}
		}
		person->id = strtoul(values[0] + 4, NULL, 10);
		person->original = strstr(values[0], "-org") != NULL;
		(void)snprintf(person->address, sizeof(person->address), "%s %s %s %s", values[3],
		    values[4], values[6], values[5]);
		person->row.values[FIELD_GIVEN] = bytes_of(values[1]);
		person->row.values[FIELD_SURNAME] = bytes_of(values[2]);
		person->row.values[FIELD_ADDRESS] = bytes_of(person->address);
		person->row.values[FIELD_POSTCODE] = bytes_of(values[7]);
		person->row.values[FIELD_X_FIRST] = bytes_of(values[8]);
		person->row.values[FIELD_BIRTH] = bytes_of(values[9]);
		person->row.values[FIELD_X_FIRST + 1] = bytes_of(values[10]);
	}
	(void)fclose(file);
	*ret_count = count;
	return people;
}

struct result {
	double recall, precision, f1;
};

static struct result
link_lists(const char *what, const struct person *ours, size_t our_count,
    const struct person *leaked, size_t leaked_count)
{
	struct shop *shop = shop_new();
	size_t right = 0, wrong = 0, expected = 0;
	struct result result;

	for (size_t i = 0; i < our_count; i++)
		shop_add(shop, 1, (uint32_t)i + 1, &ours[i].row);
	shop_close(shop);
	for (size_t i = 0; i < leaked_count; i++) {
		struct trace_row_verdict verdict;
		bool is_right;

		for (size_t o = 0; o < our_count; o++)
			expected += ours[o].id == leaked[i].id;
		shop_trace(shop, &leaked[i].row, false, &verdict);
		if (verdict.verdict != TRACE_OURS)
			continue;
		is_right = ours[verdict.links[0].record - 1].id == leaked[i].id;
		right += is_right;
		wrong += !is_right;
	}
	result.recall = (double)right / (double)expected;
	result.precision = (double)right / (double)(right + wrong);
	result.f1 = 2 * result.recall * result.precision / (result.recall + result.precision);
	printf(
	    "%s: recall %.4f  precision %.4f  F1 %.4f  (%zu rows, %lu decided by fingerprints)\n",
	    what, result.recall, result.precision, result.f1, leaked_count,
	    (unsigned long)shop_counts(shop)->decided);
	shop_free(&shop);
	return result;
}

int
main(int argc, char **argv)
{
	struct person *a, *b, *all, *originals, *duplicates;
	size_t a_count, b_count, count, original_count = 0, duplicate_count = 0;
	struct result four, three;

	if (argc != 2)
		return 2;
	a = read_list(argv[1], "dataset4a.csv", &a_count);
	b = read_list(argv[1], "dataset4b.csv", &b_count);
	four = link_lists("FEBRL 4", a, a_count, b, b_count);
	all = read_list(argv[1], "dataset3.csv", &count);
	originals = calloc(count, sizeof(*originals));
	duplicates = calloc(count, sizeof(*duplicates));
	if (originals == NULL || duplicates == NULL)
		return 1;
	for (size_t i = 0; i < count; i++) {
		/* Values point into the list that was read, which stays. */
		if (all[i].original)
			originals[original_count++] = all[i];
		else
			duplicates[duplicate_count++] = all[i];
	}
	three = link_lists("FEBRL 3", originals, original_count, duplicates, duplicate_count);
	free(a);
	free(b);
	free(all);
	free(originals);
	free(duplicates);
	return four.f1 >= 0.97 && three.recall >= 0.95 && three.precision >= 0.99 ? 0 : 1;
}
