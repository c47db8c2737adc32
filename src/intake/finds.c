/*
 * One value that passes a check digit may do so by chance. In a column of notes that is rare; in the column of the
 * people's own numbers it is one in eleven. So that column is judged as a whole, at the end.
 *
 * A verification code has no check digit at all. Its column is known by its name, or by this: in a list that
 * holds card numbers, a column that has three or four digits and nothing else beside each of them.
 */
#include "intake/finds.h"

#define CODES_LEAST 5u /* values, before a column is judged by its content */
#define PART_OF_TEN 9u /* of ten numbers must pass, or they do by chance */

enum az_status
finds_header(const struct columns *columns, struct az_err *reterr)
{
	for (size_t i = 0; i < columns->count; i++) {
		const struct columns_field *field = &columns->fields[i];

		for (uint8_t c = 0; c < field->count; c++) {
			size_t column = field->columns[c];

			if (found_names_code(bytes_of(field->name)) ||
			    found_names_code(bytes_of(columns->columns[column].name)))
				return az_fail(reterr, AZ_INVALID,
				    "column %zu is a card's verification code, which is never "
				    "kept: leave "
				    "it out (--columns)",
				    column + 1);
		}
	}
	return AZ_OK;
}

static void
count_codes(struct finds *finds, const struct row *row)
{
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		if (row->values[field].size == 0)
			continue;
		finds->filled[field]++;
		finds->codes[field] += found_is_code(row->values[field]) ? 1 : 0;
	}
}

enum refusal
finds_row(struct finds *finds, const struct columns *columns, const struct row *row)
{
	unsigned int number = found_in(row->values[FIELD_NUMBER], FIELD_NUMBER);
	unsigned int found = 0;

	for (size_t i = 0; i < columns->count; i++) {
		unsigned int field = columns->fields[i].field;

		if (field != FIELD_NUMBER)
			found |= found_in(row->values[field], field);
	}
	finds->numbers++;
	finds->card_numbers += (number & 1u << CLASS_CARD) != 0 ? 1 : 0;
	finds->my_numbers += (number & 1u << CLASS_MY_NUMBER) != 0 ? 1 : 0;
	if (((found | number) & 1u << CLASS_CARD) != 0) {
		finds->cards++;
		count_codes(finds, row);
	}
	found &= ~finds->allows;
	if ((found & 1u << CLASS_CARD) != 0)
		return REFUSAL_CARD;
	return (found & 1u << CLASS_MY_NUMBER) != 0 ? REFUSAL_MY_NUMBER : REFUSAL_NONE;
}

enum az_status
finds_end(const struct finds *finds, const struct columns *columns, struct az_err *reterr)
{
	bool cards = finds->card_numbers * 10 >= finds->numbers * PART_OF_TEN;
	bool my_numbers = finds->my_numbers * 10 >= finds->numbers * PART_OF_TEN;

	if (finds->numbers == 0)
		return AZ_OK;
	if (cards && (finds->allows & 1u << CLASS_CARD) == 0)
		return az_fail(reterr, AZ_INVALID,
		    "the people's numbers are card numbers, which the purpose does not allow");
	if (my_numbers && (finds->allows & 1u << CLASS_MY_NUMBER) == 0)
		return az_fail(reterr, AZ_INVALID,
		    "the people's numbers are individual numbers (My Number), which the purpose "
		    "does "
		    "not allow");
	for (size_t i = 0; i < columns->count; i++) {
		unsigned int field = columns->fields[i].field;

		if (finds->codes[field] >= CODES_LEAST &&
		    finds->codes[field] == finds->filled[field] &&
		    finds->codes[field] * 10 >= finds->cards * PART_OF_TEN)
			return az_fail(reterr, AZ_INVALID,
			    "column %u is a card's verification code by its content, which is "
			    "never "
			    "kept: leave it out (--columns)",
			    columns->fields[i].columns[0] + 1u);
	}
	return AZ_OK;
}
