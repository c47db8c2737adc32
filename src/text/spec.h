/*
 * The map of columns that --columns gives, part by part.
 */
#ifndef AZ_TEXT_SPEC_H
#define AZ_TEXT_SPEC_H

#include "text/text_internal.h"

enum spec_kind { SPEC_NAME, SPEC_COLUMN, SPEC_CELLS };

struct spec_item {
	enum spec_kind kind;
	struct bytes name; /* SPEC_NAME: of the header */
	uint32_t from;     /* SPEC_COLUMN: its number from 1; SPEC_CELLS: the first cell, from 1 */
	uint32_t to;       /* SPEC_CELLS: the last */
};

struct spec_part {
	size_t number; /* of the part, from 1 */
	char name[FIELD_NAME_MAX];
	unsigned int field; /* FIELD_X_FIRST for any "x:" field */
	size_t count;       /* 0 where record_size is given */
	struct spec_item items[COLUMNS_JOINED_MAX];
	uint32_t record_size; /* of "@N": the cells of a record */
};

struct spec_reader {
	struct bytes rest;
	bool more;
	size_t count;
};

/* spec must outlive the reader. */
void spec_begin(struct spec_reader *reader, const char *spec);
/* AZ_OK: a part. AZ_NOT_FOUND: no more. AZ_INVALID names the part by its number. */
AZ_CHECKED enum az_status spec_next(
    struct spec_reader *reader, struct spec_part *ret_part, struct az_err *reterr);

/* A field's own name in any letter case; *ret_field is FIELD_X_FIRST for an "x:" field. */
bool spec_read_field(
    struct bytes text, char name[FIELD_NAME_MAX], unsigned int *ret_field) AZ_CHECKED;
/* Whether two names of a header are the same, but for letter case and blanks around them. */
bool spec_same_name(struct bytes a, struct bytes b);

#endif
