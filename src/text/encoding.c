/*
 * Finding an encoding by what the bytes say, and the stream that decodes by it.
 *
 *	byte order mark ─► strict UTF-8 ─► UTF-16 ─► ISO-2022-JP ─► CP932 or EUC-JP, whichever explains more
 *
 * A list may begin with thousands of lines of plain ASCII, which says nothing. So the stream passes ASCII on,
 * undecided, and looks at what comes only at the first byte that is not: then at a window from there. An encoding
 * that explains all but one character in twenty is taken, and what it does not explain is refused row by row;
 * if none does, the first byte that the best of them cannot explain is named.
 */
#include <string.h>

#include "text/text_internal.h"

#define READ_PIECE (256u * 1024u)
#define WINDOW     (1024u * 1024u)
#define FIRST_LOOK 4096u /* bytes that begin a file, looked at for UTF-16 */
#define IN_MAX     (WINDOW + 2u * READ_PIECE)
#define ONE_BAD_IN 20u
#define EVEN_RUNS  8u /* runs of EUC-JP that are not even by chance */

const char *
encoding_name(enum encoding encoding)
{
	static const char *const names[ENCODING_COUNT] = {
	    [ENCODING_UNDECIDED] = "ASCII",
	    [ENCODING_UTF8] = "UTF-8",
	    [ENCODING_UTF16LE] = "UTF-16LE",
	    [ENCODING_UTF16BE] = "UTF-16BE",
	    [ENCODING_ISO2022JP] = "ISO-2022-JP",
	    [ENCODING_CP932] = "CP932",
	    [ENCODING_EUCJP] = "EUC-JP",
	};

	return encoding < ENCODING_COUNT ? names[encoding] : "";
}

/* --- finding ---------------------------------------------------------------------------------- */

/* How well an encoding explains a window. */
struct fit {
	size_t good; /* characters that are not ASCII */
	size_t bad;
	size_t first_bad; /* offset */
};

static void
fit_bad(struct fit *fit, size_t offset)
{
	if (fit->bad++ == 0)
		fit->first_bad = offset;
}

/* The size of the character of strict UTF-8 at data; 0: none; size + 1 or more: it is cut off there. */
static size_t
utf8_size(const uint8_t *data, size_t size)
{
	size_t need = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
	uint8_t padded[4] = {data[0], 0x80, 0x80, 0x80};

	if (need <= size)
		return bytes_are_utf8(bytes_make(data, need)) ? need : 0;
	/* Cut off: what is there must be able to begin one. */
	for (size_t i = 1; i < size; i++)
		padded[i] = data[i];
	if (padded[0] == 0xe0 && size == 1)
		padded[1] = 0xa0;
	if (padded[0] == 0xf0 && size == 1)
		padded[1] = 0x90;
	return bytes_are_utf8(bytes_make(padded, need)) ? need : 0;
}

static struct fit
fit_utf8(struct bytes window, bool at_end)
{
	struct fit fit = {0};
	size_t at = 0;

	while (at < window.size) {
		size_t size = utf8_size(window.data + at, window.size - at);

		if (size > window.size - at && !at_end)
			break;
		if (size == 0 || size > window.size - at) {
			fit_bad(&fit, at);
			at++;
			continue;
		}
		fit.good += size > 1 ? 1 : 0;
		at += size;
	}
	return fit;
}

/*
 * A Latin letter with an accent between plain letters is a lead byte of CP932 with a letter behind it, and makes a
 * rare kanji inside a word. Japanese text has none there.
 */
static bool
is_latin_word(struct bytes window, size_t at)
{
	uint8_t before = at > 0 ? (uint8_t)(window.data[at - 1] | 0x20) : 0;
	uint8_t after = at + 1 < window.size ? (uint8_t)(window.data[at + 1] | 0x20) : 0;

	return window.data[at] >= 0xc0 && before >= 'a' && before <= 'z' && after >= 'a' &&
	    after <= 'z';
}

static struct fit
fit_decoded(enum encoding encoding, struct bytes window, bool at_end)
{
	struct decode_state state = {0};
	struct fit fit = {0};
	const uint8_t *from = window.data;
	const uint8_t *end = window.data + window.size;

	while (from < end) {
		uint8_t out[2 * DECODE_STEP_MAX];
		uint8_t *to = out;
		const uint8_t *before = from;
		size_t offset = (size_t)(from - window.data);
		size_t bads;

		/* One character at a time, so that the place of a bad one is known. */
		bads = decode_step(
		    encoding, &state, &from, end, at_end, &to, out + DECODE_STEP_MAX, &fit.good);
		if (from == before)
			break;
		if (encoding == ENCODING_CP932 && *before >= 0x80 && is_latin_word(window, offset))
			bads++;
		for (; bads > 0; bads--)
			fit_bad(&fit, offset);
	}
	return fit;
}

/* Runs of bytes above 0x7f that all have an even length: EUC-JP without half-width kana has no other. */
static size_t
even_runs(struct bytes window)
{
	size_t runs = 0;
	size_t length = 0;

	for (size_t i = 0; i < window.size; i++) {
		if (window.data[i] >= 0x80) {
			length++;
			continue;
		}
		if (length % 2 != 0)
			return 0;
		runs += length > 0 ? 1 : 0;
		length = 0;
	}
	return runs;
}

/* Half-width kana that nobody writes: a voicing mark behind what has no voice, or beginning a word. */
static bool
has_odd_kana(struct bytes window)
{
	uint8_t before = 0;

	for (size_t i = 0; i < window.size; i++) {
		uint8_t byte = window.data[i];
		bool voiced = (before >= 0xb6 && before <= 0xc4) ||
		    (before >= 0xca && before <= 0xce) || before == 0xb3;

		if ((byte == 0xde || byte == 0xdf) && !voiced)
			return true;
		if ((byte >= 0xa7 && byte <= 0xaf) && before < 0x80)
			return true;
		before = byte;
	}
	return false;
}

/*
 * What is left when both explain everything: text of half-width kana and nothing else is CP932, and read as EUC-JP it
 * is kanji. It would have to be even in every word.
 */
static bool
is_euc(struct bytes window, const struct fit *euc, const struct fit *cp932)
{
	if (euc->bad != cp932->bad)
		return euc->bad < cp932->bad;
	/* As CP932, EUC-JP's usual text is half-width kana throughout, twice as many. */
	if (cp932->good < 2 * euc->good)
		return false;
	return even_runs(window) >= EVEN_RUNS || has_odd_kana(window);
}

static bool
explains(const struct fit *fit)
{
	return fit->good > 0 && fit->bad * ONE_BAD_IN <= fit->good + fit->bad;
}

/* UTF-16 without a mark: zeros in the high halves of ASCII, and whole line ends or separators. */
static bool
is_utf16(struct bytes window, bool at_end, bool big)
{
	size_t high = big ? 0 : 1;
	size_t zeros = 0;
	size_t wrong = 0;
	size_t pairs;
	struct fit fit;

	window.size = window.size < FIRST_LOOK ? window.size : FIRST_LOOK;
	pairs = window.size / 2;
	for (size_t i = 0; i < pairs; i++) {
		zeros += window.data[2 * i + high] == 0 ? 1 : 0;
		wrong += window.data[2 * i + 1 - high] == 0 ? 1 : 0;
	}
	if (zeros * 20 < pairs || zeros == 0 || wrong * 10 > zeros)
		return false;
	fit = fit_decoded(
	    big ? ENCODING_UTF16BE : ENCODING_UTF16LE, bytes_make(window.data, 2 * pairs), at_end);
	return fit.bad == 0;
}

/* The mark that begins a file. */
static enum encoding
find_mark(struct bytes window, size_t *ret_size)
{
	static const struct {
		enum encoding encoding;
		char mark[4];
	} marks[] = {{ENCODING_UTF8, "\xef\xbb\xbf"}, {ENCODING_UTF16LE, "\xff\xfe"},
	    {ENCODING_UTF16BE, "\xfe\xff"}};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(marks); i++) {
		size_t size = strlen(marks[i].mark);

		if (window.size >= size &&
		    bytes_equal(bytes_make(window.data, size), bytes_make(marks[i].mark, size))) {
			*ret_size = size;
			return marks[i].encoding;
		}
	}
	return ENCODING_UNDECIDED;
}

enum az_status
encoding_find(struct bytes window, bool first, bool at_end, enum encoding *ret_encoding,
    size_t *ret_bom, size_t *ret_bad)
{
	enum encoding found = first ? find_mark(window, ret_bom) : ENCODING_UNDECIDED;
	struct fit utf8, euc, cp932;

	if (found == ENCODING_UNDECIDED && first && is_utf16(window, at_end, false))
		found = ENCODING_UTF16LE;
	else if (found == ENCODING_UNDECIDED && first && is_utf16(window, at_end, true))
		found = ENCODING_UTF16BE;
	*ret_encoding = found;
	if (found != ENCODING_UNDECIDED || first)
		return AZ_OK;
	if (window.data[0] == 0x1b) {
		*ret_encoding = ENCODING_ISO2022JP;
		return AZ_OK;
	}
	utf8 = fit_utf8(window, at_end);
	euc = fit_decoded(ENCODING_EUCJP, window, at_end);
	cp932 = fit_decoded(ENCODING_CP932, window, at_end);
	if (explains(&utf8))
		*ret_encoding = ENCODING_UTF8;
	else if (explains(&euc) && is_euc(window, &euc, &cp932))
		*ret_encoding = ENCODING_EUCJP;
	else if (explains(&cp932))
		*ret_encoding = ENCODING_CP932;
	if (*ret_encoding != ENCODING_UNDECIDED)
		return AZ_OK;
	*ret_bad = utf8.first_bad;
	if (cp932.good > 0 && cp932.bad < utf8.bad)
		*ret_bad = cp932.first_bad;
	return AZ_INVALID;
}

/* --- the stream ------------------------------------------------------------------------------- */

/* Fills until so many bytes wait, or there are no more. */
static enum az_status
fill(struct decoder *decoder, size_t wanted, struct az_err *reterr)
{
	while (!decoder->ended && decoder->in.size - decoder->used < wanted) {
		size_t size = 0;
		enum az_status status;

		buffer_consume(&decoder->in, decoder->used);
		decoder->used = 0;
		status = buffer_reserve(&decoder->in, READ_PIECE);
		if (status != AZ_OK)
			return az_fail(reterr, status, "the list: out of memory");
		status = decoder->source->read(decoder->source, decoder->in.data + decoder->in.size,
		    READ_PIECE, &size, reterr);
		if (status != AZ_OK)
			return status;
		decoder->in.size += size;
		decoder->ended = size == 0;
	}
	return AZ_OK;
}

static void
use(struct decoder *decoder, size_t size)
{
	decoder->used += size;
	decoder->offset += size;
}

static struct bytes
waiting(const struct decoder *decoder)
{
	return bytes_make(decoder->in.data + decoder->used, decoder->in.size - decoder->used);
}

/* The beginning: a mark, or UTF-16 without one. */
static enum az_status
start(struct decoder *decoder, struct az_err *reterr)
{
	size_t mark = 0;
	size_t bad = 0;
	enum az_status status = fill(decoder, FIRST_LOOK, reterr);

	if (status != AZ_OK)
		return status;
	decoder->started = true;
	status =
	    encoding_find(waiting(decoder), true, decoder->ended, &decoder->encoding, &mark, &bad);
	decoder->bom = mark > 0;
	use(decoder, mark);
	return status;
}

/* Whether a byte says nothing about the encoding. An escape does, if it can begin a set of ISO-2022-JP. */
static bool
is_plain(struct bytes rest, size_t at)
{
	uint8_t byte = rest.data[at];

	if (byte != 0x1b)
		return byte < 0x80;
	return at + 1 < rest.size && rest.data[at + 1] != '$' && rest.data[at + 1] != '(';
}

/* Passes plain bytes on; at the first that is not, decides. */
static enum az_status
read_undecided(
    struct decoder *decoder, uint8_t *data, size_t room, size_t *ret_size, struct az_err *reterr)
{
	struct bytes rest;
	size_t plain = 0;
	size_t bad = 0;
	size_t mark = 0;
	enum az_status status = fill(decoder, 2, reterr);

	if (status != AZ_OK)
		return status;
	rest = waiting(decoder);
	while (plain < rest.size && plain < room && is_plain(rest, plain))
		plain++;
	if (plain > 0)
		memcpy(data, rest.data, plain);
	*ret_size = plain;
	use(decoder, plain);
	if (plain > 0 || rest.size == 0)
		return AZ_OK;
	if (rest.data[0] == 0x1b && rest.size == 1) {
		/* The last byte of all. */
		data[0] = rest.data[0];
		*ret_size = 1;
		use(decoder, 1);
		return AZ_OK;
	}
	status = fill(decoder, WINDOW, reterr);
	if (status != AZ_OK)
		return status;
	status =
	    encoding_find(waiting(decoder), false, decoder->ended, &decoder->encoding, &mark, &bad);
	if (status != AZ_OK)
		return az_fail(reterr, status,
		    "the list is in no encoding that is known: see its byte %llu",
		    (unsigned long long)(decoder->offset + bad + 1));
	return AZ_OK;
}

static enum az_status
read_utf8(
    struct decoder *decoder, uint8_t *data, size_t room, size_t *ret_size, struct az_err *reterr)
{
	struct bytes rest = waiting(decoder);
	size_t size = rest.size < room ? rest.size : room;

	if (size == 0 && !decoder->ended)
		return decoder->source->read(decoder->source, data, room, ret_size, reterr);
	if (size > 0)
		memcpy(data, rest.data, size);
	use(decoder, size);
	*ret_size = size;
	return AZ_OK;
}

static enum az_status
read_decoded(
    struct decoder *decoder, uint8_t *data, size_t room, size_t *ret_size, struct az_err *reterr)
{
	uint8_t *to = data;
	size_t good = 0;
	size_t wanted = 1;

	do {
		struct bytes rest;
		const uint8_t *from;
		enum az_status status = fill(decoder, wanted, reterr);

		if (status != AZ_OK)
			return status;
		rest = waiting(decoder);
		from = rest.data;
		(void)decode_step(decoder->encoding, &decoder->state, &from, rest.data + rest.size,
		    decoder->ended, &to, data + room, &good);
		use(decoder, (size_t)(from - rest.data));
		/* Nothing came of it: a character is cut off. */
		wanted = rest.size + 1;
	} while (to == data && !(decoder->ended && decoder->used == decoder->in.size));
	*ret_size = (size_t)(to - data);
	return AZ_OK;
}

static enum az_status
decoder_read(
    struct stream *stream, uint8_t *data, size_t room, size_t *ret_size, struct az_err *reterr)
{
	struct decoder *decoder = (struct decoder *)stream;
	enum az_status status = AZ_OK;

	*ret_size = 0;
	if (!decoder->started)
		status = start(decoder, reterr);
	while (status == AZ_OK && decoder->encoding == ENCODING_UNDECIDED) {
		status = read_undecided(decoder, data, room, ret_size, reterr);
		if (*ret_size > 0 || (decoder->ended && decoder->used == decoder->in.size))
			return status;
	}
	if (status != AZ_OK)
		return status;
	if (decoder->encoding == ENCODING_UTF8)
		return read_utf8(decoder, data, room, ret_size, reterr);
	return read_decoded(decoder, data, room, ret_size, reterr);
}

void
decoder_init(struct decoder *decoder, struct stream *source)
{
	*decoder = (struct decoder){.stream = {.read = decoder_read}, .source = source};
	buffer_init(&decoder->in, IN_MAX, true);
}

void
decoder_fini(struct decoder *decoder)
{
	buffer_fini(&decoder->in);
}
