/*
 * What a value is by its content, whatever column it stands in: numbers that may be kept for few purposes (card
 * numbers, the Japanese individual number "My Number"), and a code that may be kept for none. Pure.
 *
 * Promises  what people write with blanks, hyphens or full-width digits is found as what it is.
 * Not       a number that happens to pass a check digit is found as well: one in ten of what begins like a card
 *           number, one in eleven of other numbers of twelve digits.
 */
#ifndef AZ_MATCH_FOUND_H
#define AZ_MATCH_FOUND_H

#include "base/bytes.h"
#include "proto/proto.h"

/*
 * Bits 1 << enum field_class of what value has in it: CLASS_CARD for 12 to 19 digits that begin as a card issuer's
 * and pass the Luhn check, CLASS_MY_NUMBER for twelve whose last is the check digit of the others. A number
 * with a country code (+81…), and in a telephone's field one that begins with 81, is no My Number.
 */
unsigned int found_in(struct bytes value, unsigned int field);

/* Whether it is a card's verification code by its form: three or four digits and nothing else. */
bool found_is_code(struct bytes value);
/* Whether a column's name says that it is one: "CVV", "security code", "セキュリティコード" and so on. */
bool found_names_code(struct bytes name);

#endif
