/*
 * Links of damaged Japanese lists: of so many rows a fifth is damaged in one to three of the ways in which rows are on
 * their way to a broker; as many rows are of people who are in no list here.
 *
 *	eval-lists SEED ROWS	exit 1 if a bar is missed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "shop.h"
#include "world.h"

#define STRANGER 40000000u /* people from here on are in no world */

enum damage {
	NO_BUILDING,
	NO_PHONE,
	DIGIT_OF_PHONE,
	DIGIT_OF_POSTCODE,
	LETTER_OF_NAME,
	SWAPPED_NAME,
	FORMER_SURNAME,
	DAY_AND_MONTH,
	DIGIT_OF_BIRTH,
	NO_BIRTH,
	NO_POSTCODE,
	LETTER_OF_TOWN,
	DAMAGES,
};

struct list_row {
	char text[WORLD_TEXT];
	char changed[4][256];
	size_t changes;
	struct row row;
	uint32_t record;
	uint8_t version;
	bool damaged;
};

/* A value of its own to change. */
static char *
change(struct list_row *row, enum field field, size_t *ret_size)
{
	char *copy = row->changed[row->changes++];
	size_t size = row->row.values[field].size;

	memcpy(copy, row->row.values[field].data, size);
	copy[size] = '\0';
	row->row.values[field] = bytes_make(copy, size);
	*ret_size = size;
	return copy;
}

static void
change_digit(struct random *random, struct list_row *row, enum field field)
{
	size_t size;
	char *text;

	if (row->row.values[field].size == 0 || row->row.values[field].size > 200)
		return;
	text = change(row, field, &size);
	for (int tries = 0; tries < 50; tries++) {
		size_t at = random_below(random, (uint32_t)size);

		if (text[at] >= '0' && text[at] <= '9') {
			text[at] =
			    (char)('0' + (text[at] - '0' + 1 + (char)random_below(random, 9)) % 10);
			return;
		}
	}
}

/* Another letter in the place of one of three bytes. */
static void
change_letter(struct random *random, struct list_row *row, enum field field, size_t from)
{
	static const char *const letters[] = {
	    "木", "本", "大", "太", "口", "日", "土", "士", "千", "干"};
	size_t size;
	char *text;

	if (row->row.values[field].size < from + 6 || row->row.values[field].size > 200)
		return;
	text = change(row, field, &size);
	for (size_t at = from; at + 3 <= size; at += 3) {
		if (((uint8_t)text[at] & 0xf0) == 0xe0 && random_chance(random, 0.4)) {
			memcpy(text + at, letters[random_below(random, 10)], 3);
			return;
		}
	}
}

static void
swap_name(struct list_row *row)
{
	size_t size;
	char *text = change(row, FIELD_NAME, &size);
	char *blank = strchr(text, ' ');
	char swapped[256];

	if (blank == NULL)
		return;
	*blank = '\0';
	(void)snprintf(swapped, sizeof(swapped), "%s %s", blank + 1, text);
	(void)snprintf(text, sizeof(row->changed[0]), "%s", swapped);
}

static void
marry(struct random *random, struct list_row *row)
{
	static const char *const surnames[] = {"小鳥遊", "五十嵐", "御手洗", "東海林", "勅使河原"};
	size_t size;
	char *text = change(row, FIELD_NAME, &size);
	char *blank = strchr(text, ' ');
	char married[256];

	if (blank == NULL)
		return;
	(void)snprintf(married, sizeof(married), "%s%s", surnames[random_below(random, 5)], blank);
	(void)snprintf(text, sizeof(row->changed[0]), "%s", married);
	row->row.values[FIELD_NAME] = bytes_of(text);
}

static void
turn_birth(struct list_row *row)
{
	size_t size;
	char *text = change(row, FIELD_BIRTH, &size);
	char turned[32];
	int year, month, day;

	if (sscanf(text, "%d%*c%d%*c%d", &year, &month, &day) != 3 || day > 12)
		return;
	(void)snprintf(turned, sizeof(turned), "%04d-%02d-%02d", year, day, month);
	(void)snprintf(text, sizeof(row->changed[0]), "%s", turned);
	row->row.values[FIELD_BIRTH] = bytes_of(text);
}

static void
cut_building(struct list_row *row)
{
	size_t size;
	char *text = change(row, FIELD_ADDRESS, &size);
	char *blank = strchr(text, ' ');
	char *wide = strstr(text, "　");

	if (blank != NULL)
		*blank = '\0';
	if (wide != NULL)
		*wide = '\0';
	row->row.values[FIELD_ADDRESS] = bytes_of(text);
}

static void
damage_row(struct random *random, struct list_row *row)
{
	uint32_t count = 1 + random_below(random, 3);

	row->damaged = true;
	while (count-- > 0) {
		switch ((enum damage)random_below(random, DAMAGES)) {
		case NO_BUILDING: cut_building(row); break;
		case NO_PHONE: row->row.values[FIELD_PHONE] = (struct bytes){0}; break;
		case DIGIT_OF_PHONE: change_digit(random, row, FIELD_PHONE); break;
		case DIGIT_OF_POSTCODE: change_digit(random, row, FIELD_POSTCODE); break;
		case LETTER_OF_NAME: change_letter(random, row, FIELD_NAME, 0); break;
		case SWAPPED_NAME: swap_name(row); break;
		case FORMER_SURNAME: marry(random, row); break;
		case DAY_AND_MONTH: turn_birth(row); break;
		case DIGIT_OF_BIRTH: change_digit(random, row, FIELD_BIRTH); break;
		case NO_BIRTH: row->row.values[FIELD_BIRTH] = (struct bytes){0}; break;
		case NO_POSTCODE: row->row.values[FIELD_POSTCODE] = (struct bytes){0}; break;
		case LETTER_OF_TOWN: change_letter(random, row, FIELD_ADDRESS, 18); break;
		case DAMAGES: break;
		}
	}
}

/* --- measuring -------------------------------------------------------------------------------- */

struct counts {
	size_t rows, found, right, damaged, damaged_right, versions, versions_right, versions_given,
	    strangers, strangers_ours;
};

static void
count_row(
    struct shop *shop, const struct world *world, const struct list_row *row, struct counts *counts)
{
	struct trace_row_verdict verdict;
	bool right = false;

	shop_trace(shop, &row->row, false, &verdict);
	if (row->record == 0) {
		counts->strangers++;
		counts->strangers_ours += verdict.verdict == TRACE_OURS;
		return;
	}
	counts->rows++;
	counts->damaged += row->damaged;
	for (size_t i = 0; i < verdict.count && verdict.verdict == TRACE_OURS; i++) {
		const struct trace_link *link = &verdict.links[i];

		/* The same person at another client is no error, but not the one that was taken. */
		if (world->records[link->record].person != world->records[row->record].person)
			continue;
		right = true;
		if (link->record != row->record)
			continue;
		counts->versions++;
		counts->versions_given += link->version_count;
		for (size_t v = 0; v < link->version_count; v++)
			counts->versions_right += link->versions[v] == row->version;
	}
	counts->found += verdict.verdict == TRACE_OURS;
	counts->right += right;
	counts->damaged_right += right && row->damaged;
}

static struct shop *
fill_shop(const struct world *world)
{
	struct shop *shop = shop_new();
	char text[WORLD_TEXT];
	struct row row;

	for (uint32_t r = 1; r <= world->record_count; r++) {
		const struct world_record *record = &world->records[r];

		for (uint8_t v = 0; v < record->version_count; v++) {
			world_write(record->person, record->versions[v].epochs,
			    world->clients[record->client].style, record->quirk, true, text, &row);
			shop_add(shop, record->client + 1u, r, &row);
		}
	}
	shop_close(shop);
	return shop;
}

static void
measure(struct world *world, struct random *random, size_t rows, struct counts *counts)
{
	struct shop *shop = fill_shop(world);
	uint8_t style = 0;

	for (size_t i = 0; i < 2 * rows; i++) {
		static struct list_row row;

		memset(&row, 0, sizeof(row));
		if (i < rows) {
			const struct world_record *record;

			row.record = 1 + random_below(random, world->record_count);
			record = &world->records[row.record];
			if (record->version_count == 0)
				continue;
			row.version = (uint8_t)(1 + random_below(random, record->version_count));
			world_write(record->person, record->versions[row.version - 1].epochs,
			    world->clients[record->client].style & (uint8_t)~8u, record->quirk,
			    true, row.text, &row.row);
			if (random_chance(random, 0.2))
				damage_row(random, &row);
		} else {
			uint32_t person = STRANGER + random_below(random, 40000000);

			world_write(person, world_epochs(person, 2000), style,
			    (uint16_t)random_next(random), true, row.text, &row.row);
		}
		count_row(shop, world, &row, counts);
	}
	shop_free(&shop);
}

static bool
tell(const char *what, double value, double bar, bool at_least)
{
	bool met = at_least ? value >= bar : value <= bar;

	printf("%-6s %-62s %.4f  bar %.3f\n", met ? "met" : "MISSED", what, value, bar);
	return met;
}

int
main(int argc, char **argv)
{
	struct counts counts = {0};
	uint8_t digest[SHA256_SIZE];
	struct random random = {0};
	struct world *world;
	size_t rows = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	bool met;

	if (rows == 0)
		return 2;
	sha256(bytes_of(argv[1]), digest);
	memcpy(&random.state, digest, sizeof(random.state));
	world = world_new(random_next(&random));
	measure(world, &random, rows, &counts);
	world_free(&world);
	printf("damaged lists: %zu rows, %zu of them damaged, %zu strangers\n", counts.rows,
	    counts.damaged, counts.strangers);
	met = tell("recall", (double)counts.right / (double)counts.rows, 0.98, true);
	met &= tell("recall of the damaged rows (no bar)",
	    (double)counts.damaged_right / (double)counts.damaged, 0.0, true);
	met &= tell("ours that are somebody else's",
	    (double)(counts.found - counts.right + counts.strangers_ours) /
		(double)(counts.found + counts.strangers_ours),
	    0.001, false);
	met &= tell(
	    "right version", (double)counts.versions_right / (double)counts.versions, 0.95, true);
	printf("       versions given for a record: %.3f\n",
	    (double)counts.versions_given / (double)counts.versions);
	return met ? 0 : 1;
}
