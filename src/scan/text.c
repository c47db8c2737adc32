/*
 * Whether bytes are text, in pieces of any size: four readers side by side, of which each that meets what it cannot read is out.
 *
 * Noise, and so whatever was encrypted or packed, has a control character in every eighth byte, and no UTF-16 for long.
 */
#include "scan/text.h"

enum encoding { ENCODING_UTF8, ENCODING_CP932, ENCODING_EUC, ENCODING_UTF16LE, ENCODING_UTF16BE };
#define ALL_ENCODINGS 0x1fu

static void
rule_out(struct scan_text *text, enum encoding encoding)
{
	text->ruled_out |= (uint8_t)(1u << encoding);
}

static bool
is_control(uint8_t byte)
{
	return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f') ||
	    byte == 0x7f;
}

/* RFC 3629: the first byte says how many follow, and what the next one may be. */
static void
take_utf8(struct scan_text *text, uint8_t byte)
{
	if (text->utf8_left > 0) {
		if (byte < text->utf8_least || byte > text->utf8_most)
			rule_out(text, ENCODING_UTF8);
		text->utf8_left--;
		text->utf8_least = 0x80;
		text->utf8_most = 0xbf;
		return;
	}
	text->utf8_least = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
	text->utf8_most = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
	if (byte < 0x80) {
		if (is_control(byte))
			rule_out(text, ENCODING_UTF8);
	} else if (byte >= 0xc2 && byte <= 0xf4) {
		text->utf8_left = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
	} else {
		rule_out(text, ENCODING_UTF8);
	}
}

static void
take_cp932(struct scan_text *text, uint8_t byte)
{
	if (text->cp932_left > 0) {
		text->cp932_left = 0;
		if (byte < 0x40 || byte == 0x7f || byte > 0xfc)
			rule_out(text, ENCODING_CP932);
	} else if ((byte >= 0x81 && byte <= 0x9f) || (byte >= 0xe0 && byte <= 0xfc)) {
		text->cp932_left = 1;
	} else if (is_control(byte) || byte == 0x80 || byte == 0xa0 || byte > 0xfc) {
		rule_out(text, ENCODING_CP932);
	}
}

static void
take_euc(struct scan_text *text, uint8_t byte)
{
	if (text->euc_left > 0) {
		text->euc_left--;
		if (byte < 0xa1 || byte == 0xff)
			rule_out(text, ENCODING_EUC);
	} else if (byte == 0x8f) {
		text->euc_left = 2;
	} else if (byte == 0x8e || (byte >= 0xa1 && byte <= 0xfe)) {
		text->euc_left = 1;
	} else if (byte >= 0x80 || is_control(byte)) {
		rule_out(text, ENCODING_EUC);
	}
}

/* One unit of UTF-16; the mark is the first. */
static void
take_unit(struct scan_text *text, enum encoding encoding, uint16_t unit)
{
	bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

	if (text->is_low_due != is_low || unit == 0xffff || unit == 0xfffe ||
	    (unit >= 0xe000 && unit <= 0xf8ff) || (unit < 0x80 && is_control((uint8_t)unit)))
		rule_out(text, encoding);
	text->is_low_due = unit >= 0xd800 && unit <= 0xdbff;
}

static void
take_utf16(struct scan_text *text, uint8_t byte)
{
	if (!text->is_held) {
		text->held = byte;
		text->is_held = true;
		return;
	}
	text->is_held = false;
	if (!text->has_begun) {
		if (text->held != 0xff || byte != 0xfe)
			rule_out(text, ENCODING_UTF16LE);
		if (text->held != 0xfe || byte != 0xff)
			rule_out(text, ENCODING_UTF16BE);
		text->has_begun = true;
	} else if ((text->ruled_out & (1u << ENCODING_UTF16LE)) == 0) {
		take_unit(text, ENCODING_UTF16LE, (uint16_t)(text->held | byte << 8));
	} else if ((text->ruled_out & (1u << ENCODING_UTF16BE)) == 0) {
		take_unit(text, ENCODING_UTF16BE, (uint16_t)(text->held << 8 | byte));
	}
}

/* ASCII between characters says nothing more about any of them; most of text is that. */
static bool
is_plain(const struct scan_text *text, uint8_t byte)
{
	const uint8_t wide = 1u << ENCODING_UTF16LE | 1u << ENCODING_UTF16BE;

	return byte >= 0x20 && byte < 0x7f && (text->ruled_out & wide) == wide &&
	    (text->utf8_left | text->cp932_left | text->euc_left) == 0;
}

void
scan_text_take(struct scan_text *text, struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size && text->ruled_out != ALL_ENCODINGS; i++) {
		if (is_plain(text, bytes.data[i]))
			continue;
		take_utf8(text, bytes.data[i]);
		take_cp932(text, bytes.data[i]);
		take_euc(text, bytes.data[i]);
		take_utf16(text, bytes.data[i]);
	}
}

bool
scan_text_end(const struct scan_text *text)
{
	uint8_t ruled_out = text->ruled_out;

	/* What ends in the middle of a character is not of that encoding. */
	if (text->utf8_left > 0)
		ruled_out |= 1u << ENCODING_UTF8;
	if (text->cp932_left > 0)
		ruled_out |= 1u << ENCODING_CP932;
	if (text->euc_left > 0)
		ruled_out |= 1u << ENCODING_EUC;
	if (text->is_held || text->is_low_due || !text->has_begun)
		ruled_out |= 1u << ENCODING_UTF16LE | 1u << ENCODING_UTF16BE;
	return ruled_out != ALL_ENCODINGS;
}
