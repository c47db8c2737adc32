/*
 * azukari demo: people who do not exist, the lists that their cities and companies would send, and a house that
 * keeps them.
 *
 * Promises  the same lists from the same seed, everywhere; memory that does not grow with the number of people.
 * Not       nobody in them exists: names and towns are drawn apart from each other, and telephone numbers lie in
 *           ranges that are not assigned (03-0…, 090-0…).
 */
#ifndef AZ_CLI_DEMO_H
#define AZ_CLI_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "cli/cli.h"

#define DEMO_CLIENTS_MAX 999u
#define DEMO_PEOPLE_MAX  100000000u

/* --- demo_names.c: what people are made of ------------------------------------------------------ */

struct demo_name {
	const char *kanji, *kana, *latin;
};
struct demo_town {
	const char *postcode, *place;
};
struct demo_names {
	struct demo_name *surnames, *men, *women;
	struct demo_town *towns;
	const char **spellings; /* kanji that are written for each other */
	size_t surname_count, man_count, woman_count, town_count, spelling_count;
	bool built_in;      /* the few of the program's own */
	struct buffer text; /* what all of them point into */
};
/* Reads share/azukari/demo.names; without it, takes the few that are built in. AZ_CORRUPT, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status demo_names_open(struct demo_names *ret_names, struct az_err *reterr);
/* The same of a file's contents, which the names take. */
AZ_CHECKED enum az_status demo_names_read(
    struct buffer *text, struct demo_names *ret_names, struct az_err *reterr);
void demo_names_free(struct demo_names *names);

/* --- demo_people.c ---------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t demo_next(uint64_t *state);
uint32_t demo_below(uint64_t *state, uint32_t bound);

enum demo_column {
	DEMO_NUMBER,
	DEMO_NAME,
	DEMO_KANA,
	DEMO_BIRTH,
	DEMO_SEX,
	DEMO_POSTCODE,
	DEMO_ADDRESS,
	DEMO_PHONE,
	DEMO_MOBILE,
	DEMO_EMAIL,
	DEMO_COLUMNS
};
#define DEMO_VALUE 192u

struct demo_person {
	char values[DEMO_COLUMNS][DEMO_VALUE];
};

/* Where people live together. */
struct demo_home {
	const struct demo_name *surname;
	const struct demo_town *town;
	uint32_t block, lot, house, room;
	char phone[16];
	uint32_t left; /* who are still to be made up in it */
};

/* One client's people, one after the other. */
struct demo_people {
	const struct demo_names *names;
	uint64_t seed; /* of demo and client */
	uint64_t state;
	uint64_t shared; /* seed of the homes that every client knows */
	uint32_t shared_homes;
	uint32_t number;
	uint32_t count;
	uint32_t delivery; /* 1, 2, … */
	struct demo_home home;
};
void demo_people_start(struct demo_people *people, const struct demo_names *names, uint64_t seed,
    uint32_t client, uint32_t count, uint32_t homes, uint32_t delivery);
/*
 * The next one; false at the end. In a later delivery some have moved, married, changed numbers, are spelt otherwise,
 * or are missing, and a few are new.
 */
bool demo_people_next(struct demo_people *people, struct demo_person *person);

/* --- demo_lists.c ----------------------------------------------------------------------------------- */

/* How a client sends its lists. */
enum demo_form {
	DEMO_PLAIN, /* UTF-8 CSV */
	DEMO_CP932, /* CSV with a title above and a total below */
	DEMO_EUC,   /* CSV, EUC-JP */
	DEMO_TSV,
	DEMO_XLSX,
	DEMO_ZIP,   /* of a CSV in CP932, with a password */
	DEMO_FIXED, /* CP932, without a header; its client has a map */
	DEMO_UTF16, /* what a spreadsheet calls Unicode text */
	DEMO_FORMS
};
enum demo_form demo_form_of(uint32_t client, uint32_t people);
const char *demo_form_name(enum demo_form form);
const char *demo_form_suffix(enum demo_form form);
#define DEMO_PASSWORD "azukari-demo"
/* The map of columns of a client that sends fixed widths. */
extern const char demo_map[];

/* Writes one list below dirfd; *ret_rows is how many people it has. */
AZ_CHECKED enum az_status demo_list_write(int dirfd, const char *name, enum demo_form form,
    struct demo_people *people, uint64_t *ret_rows, struct az_err *reterr);

/* --- demo_zip.c: the least of an archive -------------------------------------------------------------- */

struct demo_zip;
/* Parts are stored, not packed; with a password sealed as ZIP did in 1990, which is what clients send. */
AZ_CHECKED enum az_status demo_zip_new(int dirfd, const char *name, const char *password,
    struct demo_zip **ret_zip, struct az_err *reterr);
/* Adds what fd holds, from its beginning. AZ_LIMIT: 4 GiB. */
AZ_CHECKED enum az_status demo_zip_add(
    struct demo_zip *zip, const char *part, int fd, struct az_err *reterr);
AZ_CHECKED enum az_status demo_zip_text(
    struct demo_zip *zip, const char *part, const char *text, struct az_err *reterr);
AZ_CHECKED enum az_status demo_zip_finish(struct demo_zip **zip, struct az_err *reterr);
void demo_zip_free(struct demo_zip **zip);

/* --- demo_house.c: the house that keeps them ------------------------------------------------------------ */

struct demo_client {
	char label[LABEL_SIZE], name[NAME_SIZE];
	const char *category, *purpose, *fields;
	enum demo_form form;
	uint32_t people;
	bool again; /* there is a second delivery */
};
/*
 * Founds DIR/house, unsealed, with keys beside it, and entrusts every list below DIR/lists, as a user would: by running
 * this program. Receipts go to DIR/receipts.
 */
AZ_CHECKED enum az_status demo_house_make(const struct cli *cli, const char *dir,
    const struct demo_client *clients, uint32_t count, struct az_err *reterr);

#endif
