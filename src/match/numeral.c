/*
 * Numerals in kanji. They are numbers only where something is counted (三番町, 二十四条, 一丁目) or where an address has
 * nothing but its number left; elsewhere they are letters of names (千代田, 十五番館 behind a number, 三分一).
 */
#include "match/match_internal.h"

#define DIGITS_MAX 6u

int
numeral_value(uint32_t symbol)
{
	switch (symbol) {
	case u'〇':
	case u'零': return 0;
	case u'一':
	case u'壱': return 1;
	case u'二':
	case u'弐': return 2;
	case u'三':
	case u'参': return 3;
	case u'四': return 4;
	case u'五': return 5;
	case u'六': return 6;
	case u'七': return 7;
	case u'八': return 8;
	case u'九': return 9;
	case u'十':
	case u'拾': return 10;
	case u'百': return 100;
	case u'千': return 1000;
	default: return -1;
	}
}

/* 一〇五: digit by digit. */
static bool
read_digits(const uint16_t *symbols, size_t count, uint32_t *ret_value)
{
	uint32_t value = 0;

	if (count > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		value = value * 10 + (uint32_t)numeral_value(symbols[i]);
	*ret_value = value;
	return true;
}

bool
numeral_read(const uint16_t *symbols, size_t count, uint32_t *ret_value)
{
	uint32_t total = 0;
	uint32_t digit = 0;
	uint32_t last = 10000;
	bool has_unit = false;

	for (size_t i = 0; i < count; i++)
		has_unit |= numeral_value(symbols[i]) >= 10;
	if (!has_unit)
		return count > 0 && read_digits(symbols, count, ret_value);
	for (size_t i = 0; i < count; i++) {
		uint32_t value = (uint32_t)numeral_value(symbols[i]);

		if (value < 10) {
			if (digit != 0)
				return false;
			digit = value;
			continue;
		}
		if (value >= last)
			return false;
		total += (digit == 0 ? 1 : digit) * value;
		digit = 0;
		last = value;
	}
	*ret_value = total + digit;
	return true;
}

/* By the last six bits of a symbol, which rule out most that are none. */
static bool
may_be_numeral(uint32_t symbol)
{
#define LAST(symbol) (UINT64_C(1) << ((symbol)&63))
	static const uint64_t numerals = LAST(u'〇') | LAST(u'零') | LAST(u'一') | LAST(u'壱') |
	    LAST(u'二') | LAST(u'弐') | LAST(u'三') | LAST(u'参') | LAST(u'四') | LAST(u'五') |
	    LAST(u'六') | LAST(u'七') | LAST(u'八') | LAST(u'九') | LAST(u'十') | LAST(u'拾') |
	    LAST(u'百') | LAST(u'千');

	return symbol >= u'〇' && (numerals >> (symbol & 63) & 1) != 0;
#undef LAST
}

size_t
numeral_run(const uint16_t *symbols, size_t count)
{
	size_t size = 0;

	while (size < count && may_be_numeral(symbols[size]) && numeral_value(symbols[size]) >= 0)
		size++;
	return size;
}
