/* A catalogue in a temporary folder, for the tests of this folder. */
#ifndef AZ_TESTS_CATALOGUE_SHELF_H
#define AZ_TESTS_CATALOGUE_SHELF_H

#include <stdbool.h>

#include "catalogue/catalogue.h"

#define SHELF_AS_OF 20000

struct shelf {
	char path[64];
	int dirfd;
	uint8_t house[HOUSE_ID_SIZE];
	struct secret *key; /* of every consignment, but where a test makes another */
	struct catalogue *catalogue;
	struct catalogue_reader *reader;
};

void shelf_make(struct shelf *shelf);
/* Opens it again. */
void shelf_open(struct shelf *shelf);
void shelf_close(struct shelf *shelf);
/* Closes and removes the folder. */
void shelf_remove(struct shelf *shelf);

/* The digest of a record's number, and of its content. */
void shelf_number(uint32_t record, uint8_t number[CATALOGUE_DIGEST_SIZE]);
void shelf_digest(uint32_t record, uint32_t version, uint8_t digest[CATALOGUE_DIGEST_SIZE]);
/* Writes the run of a consignment: count records from first on, all of one version. */
void shelf_write(struct shelf *shelf, uint64_t consignment, uint32_t first, uint32_t count,
    uint32_t version, uint8_t sha256[32]);
enum az_status shelf_try(struct shelf *shelf, uint64_t consignment, const uint8_t sha256[32]);
/* Writes and loads. */
void shelf_add(
    struct shelf *shelf, uint64_t consignment, uint32_t first, uint32_t count, uint32_t version);

/* In how many consignments a record is, as a renewed reader sees it; *ret_last is the last entry. */
unsigned int shelf_entries(struct shelf *shelf, uint32_t record, struct catalogue_entry *ret_last);
/* Whether the record's number leads to it. */
bool shelf_has_number(struct shelf *shelf, uint32_t record);

long shelf_run_size(struct shelf *shelf, uint64_t consignment);
void shelf_flip(struct shelf *shelf, uint64_t consignment, long offset);

#endif
