/*
 * The tables of Japanese encodings, made once out of the C library's converters.
 *
 * CP932 is what "Shift_JIS" means to every office program: JIS X 0208 with NEC's and IBM's additions, without
 * which 髙, 﨑, ① and ㈱ cannot be read. EUC-JP and ISO-2022-JP write the same rows and cells in another way, so they
 * go through the same table; only JIS X 0212, which EUC-JP reaches with a third byte, has one of its own.
 *
 * Converting through tables is several times faster than iconv, and it never calls the C library afterwards: iconv
 * opens its modules when it first needs them, which a process that has shut itself in cannot.
 */
#include <errno.h>
#include <iconv.h>

#include "text/text_internal.h"

#define LEAD_FIRST  0x81u
#define TRAIL_FIRST 0x40u
#define LEADS       (0xfdu - LEAD_FIRST)
#define TRAILS      (0xfdu - TRAIL_FIRST)
#define ROWS        94u

static uint16_t cp932[LEADS][TRAILS];
static uint16_t jis0212[ROWS][ROWS];

/* The character of a few bytes, or 0 if they are not exactly one of the first plane. */
static uint16_t
convert(iconv_t converter, const uint8_t *bytes, size_t size)
{
	char in[4];
	uint8_t out[8];
	char *from = in;
	char *to = (char *)out;
	size_t left = size;
	size_t room = sizeof(out);

	for (size_t i = 0; i < size; i++)
		in[i] = (char)bytes[i];
	(void)iconv(converter, NULL, NULL, NULL, NULL);
	if (iconv(converter, &from, &left, &to, &room) == (size_t)-1 || left != 0 ||
	    room != sizeof(out) - 2)
		return 0;
	return (uint16_t)(out[0] | out[1] << 8);
}

static enum az_status
open_converter(const char *name, iconv_t *ret_converter, struct az_err *reterr)
{
	iconv_t converter = iconv_open("UTF-16LE", name);

	/* An iconv_t that could not be had is all ones. */
	if ((intptr_t)converter == -1)
		return az_fail_errno(
		    reterr, AZ_NOT_FOUND, errno, "the C library cannot convert from %s", name);
	*ret_converter = converter;
	return AZ_OK;
}

enum az_status
text_prepare(struct az_err *reterr)
{
	iconv_t from_cp932;
	iconv_t from_euc;
	enum az_status status = open_converter("CP932", &from_cp932, reterr);

	if (status != AZ_OK)
		return status;
	status = open_converter("EUC-JP-MS", &from_euc, reterr);
	if (status != AZ_OK) {
		(void)iconv_close(from_cp932);
		return status;
	}
	for (unsigned int lead = 0; lead < LEADS; lead++) {
		for (unsigned int trail = 0; trail < TRAILS; trail++) {
			uint8_t bytes[] = {
			    (uint8_t)(lead + LEAD_FIRST), (uint8_t)(trail + TRAIL_FIRST)};

			/* 0xa0 to 0xdf stand alone, and 0x7f follows nothing. */
			if ((bytes[0] < 0xa0 || bytes[0] > 0xdf) && bytes[1] != 0x7f)
				cp932[lead][trail] = convert(from_cp932, bytes, sizeof(bytes));
		}
	}
	for (unsigned int row = 0; row < ROWS; row++) {
		for (unsigned int cell = 0; cell < ROWS; cell++) {
			uint8_t bytes[] = {0x8f, (uint8_t)(row + 0xa1), (uint8_t)(cell + 0xa1)};

			jis0212[row][cell] = convert(from_euc, bytes, sizeof(bytes));
		}
	}
	(void)iconv_close(from_cp932);
	(void)iconv_close(from_euc);
	return AZ_OK;
}

uint16_t
table_cp932(uint8_t lead, uint8_t trail)
{
	if (lead < LEAD_FIRST || lead >= LEAD_FIRST + LEADS || trail < TRAIL_FIRST ||
	    trail >= TRAIL_FIRST + TRAILS)
		return 0;
	return cp932[lead - LEAD_FIRST][trail - TRAIL_FIRST];
}

/* Two rows of JIS X 0208 share a lead byte of CP932, odd rows in its first half. */
uint16_t
table_jis0208(uint8_t row, uint8_t cell)
{
	unsigned int lead;
	unsigned int trail;

	if (row < 0x21 || row > 0x7e || cell < 0x21 || cell > 0x7e)
		return 0;
	lead = (row - 0x21u) / 2 + 0x81u;
	if (lead > 0x9f)
		lead += 0x40;
	if ((row - 0x21u) % 2 == 0)
		trail = cell - 0x21u + 0x40u + (cell >= 0x60 ? 1u : 0u);
	else
		trail = cell - 0x21u + 0x9fu;
	return table_cp932((uint8_t)lead, (uint8_t)trail);
}

uint16_t
table_jis0212(uint8_t row, uint8_t cell)
{
	if (row < 0x21 || row > 0x7e || cell < 0x21 || cell > 0x7e)
		return 0;
	return jis0212[row - 0x21][cell - 0x21];
}
