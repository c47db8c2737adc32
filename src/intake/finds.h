/*
 * Numbers in a list that few purposes may keep, and codes that none may (match/found.h), row by row and
 * column by column.
 */
#ifndef AZ_INTAKE_FINDS_H
#define AZ_INTAKE_FINDS_H

#include "match/found.h"
#include "text/text.h"

struct finds {
	uint32_t allows; /* classes that the list may hold: bits 1 << enum field_class */
	/* Counted over the rows. */
	uint64_t numbers, card_numbers, my_numbers; /* values of FIELD_NUMBER */
	uint64_t cards;                             /* rows that hold a card number */
	uint64_t filled[FIELD_COUNT];               /* in rows that hold a card number: values, */
	uint64_t codes[FIELD_COUNT];                /* and of these, three or four digits alone */
};

/* AZ_INVALID: a column that is used is a card's verification code by its name. */
AZ_CHECKED enum az_status finds_header(const struct columns *columns, struct az_err *reterr);

/* REFUSAL_NONE, or why the row, of these columns, may not be kept. */
enum refusal finds_row(struct finds *finds, const struct columns *columns, const struct row *row);

/*
 * After the last row. AZ_INVALID: a column is verification codes by its content, or the list's numbers of
 * people are card numbers or My Numbers.
 */
AZ_CHECKED enum az_status finds_end(
    const struct finds *finds, const struct columns *columns, struct az_err *reterr);

#endif
