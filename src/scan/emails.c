/*
 * Addresses in ASCII, grown to both sides of an '@'.
 *
 * Before it: what mailboxes are made of in practice, points in a row included, since Japanese carriers gave out such
 * addresses. (The rarer characters that RFC 5322 allows stand around addresses more often than in them.) Behind it: labels and a last one of letters (or xn--). Letters of other scripts (UTF-8) are let in
 * beside ASCII ones: "josé@example.com". What looks like an address and is a file ("icon@2x.png") or a unit of systemd
 * ("getty@tty1.service") is none.
 */
#include <string.h>

#include "scan/scan_internal.h"

#define LOCAL_MAX  64u
#define DOMAIN_MAX 253u
#define LABEL_MAX  63u

#define D (CLASS_DIGIT | CLASS_LOCAL | CLASS_DOMAIN)
#define L (CLASS_LETTER | CLASS_LOCAL | CLASS_DOMAIN)
#define S CLASS_SEPARATOR
#define O CLASS_LOCAL

const uint8_t scan_classes[256] = {
    ['0'] = D,
    ['1'] = D,
    ['2'] = D,
    ['3'] = D,
    ['4'] = D,
    ['5'] = D,
    ['6'] = D,
    ['7'] = D,
    ['8'] = D,
    ['9'] = D,
    ['A'] = L,
    ['B'] = L,
    ['C'] = L,
    ['D'] = L,
    ['E'] = L,
    ['F'] = L,
    ['G'] = L,
    ['H'] = L,
    ['I'] = L,
    ['J'] = L,
    ['K'] = L,
    ['L'] = L,
    ['M'] = L,
    ['N'] = L,
    ['O'] = L,
    ['P'] = L,
    ['Q'] = L,
    ['R'] = L,
    ['S'] = L,
    ['T'] = L,
    ['U'] = L,
    ['V'] = L,
    ['W'] = L,
    ['X'] = L,
    ['Y'] = L,
    ['Z'] = L,
    ['a'] = L,
    ['b'] = L,
    ['c'] = L,
    ['d'] = L,
    ['e'] = L,
    ['f'] = L,
    ['g'] = L,
    ['h'] = L,
    ['i'] = L,
    ['j'] = L,
    ['k'] = L,
    ['l'] = L,
    ['m'] = L,
    ['n'] = L,
    ['o'] = L,
    ['p'] = L,
    ['q'] = L,
    ['r'] = L,
    ['s'] = L,
    ['t'] = L,
    ['u'] = L,
    ['v'] = L,
    ['w'] = L,
    ['x'] = L,
    ['y'] = L,
    ['z'] = L,
    [' '] = S,
    ['('] = S,
    [')'] = S,
    ['-'] = S | O | CLASS_DOMAIN,
    ['.'] = S | O | CLASS_DOMAIN,
    ['_'] = O,
    ['%'] = O,
    ['+'] = O,
    ['\''] = O,
    ['~'] = O,
};

/* --- before the '@' --------------------------------------------------------------------------- */

/* A letter of two bytes of UTF-8 that ends before data[at]: Latin, Greek, Cyrillic. */
static bool
letter_ends_at(const uint8_t *data, size_t at)
{
	return at >= 2 && data[at - 2] >= 0xc3 && data[at - 2] <= 0xd1 &&
	    (data[at - 1] & 0xc0) == 0x80;
}

static size_t
local_begin(const uint8_t *data, size_t at)
{
	size_t begin = at;

	while (begin > 0 && at - begin < LOCAL_MAX) {
		if (scan_is(data[begin - 1], CLASS_LOCAL))
			begin--;
		else if (letter_ends_at(data, begin))
			begin -= 2;
		else
			break;
	}
	/* Punctuation that stands before it is not its own. */
	while (begin < at && !scan_is(data[begin], CLASS_LETTER | CLASS_DIGIT) &&
	    data[begin] != '_' && data[begin] < 0x80)
		begin++;
	return begin;
}

/* --- behind it -------------------------------------------------------------------------------- */

/* Top-level labels that are none: endings of files, and of systemd's units. */
static bool
label_is_file_ending(const uint8_t *label, size_t size)
{
	/* Filled up with zeros, so that eight bytes are compared at once. */
	static const char endings[][8] = {"js", "ts", "png", "jpg", "gif", "svg", "bmp", "ico",
	    "css", "mjs", "tsx", "jsx", "xml", "txt", "jpeg", "webp", "json", "html", "scss",
	    "less", "path", "swap", "timer", "mount", "slice", "scope", "socket", "target",
	    "service"};
	char lower[8] = {0};
	bool found = false;

	if (size > sizeof(lower))
		return false;
	for (size_t i = 0; i < size; i++)
		lower[i] = (char)(label[i] | 0x20);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(endings); i++) {
		uint64_t one, other;

		memcpy(&one, endings[i], sizeof(one));
		memcpy(&other, lower, sizeof(other));
		found |= one == other;
	}
	return found;
}

static bool
label_is_top(const uint8_t *label, size_t size)
{
	if (size > 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' && label[2] == '-' &&
	    label[3] == '-')
		return true;
	if (size < 2)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!scan_is(label[i], CLASS_LETTER))
			return false;
	}
	return !label_is_file_ending(label, size);
}

/* How much of what stands at data[at] is a domain: up to the last label that can be a top one. 0: none of it. */
static size_t
domain_size(const uint8_t *data, size_t at, size_t end)
{
	size_t most = end - at > DOMAIN_MAX ? at + DOMAIN_MAX : end;
	size_t label = at;
	size_t labels = 0;
	size_t good = 0;

	for (size_t i = at; i <= most; i++) {
		bool inside = i < most &&
		    (data[i] >= 0x80 || (scan_is(data[i], CLASS_DOMAIN) && data[i] != '.'));

		if (inside)
			continue;
		if (i == label || i - label > LABEL_MAX || data[label] == '-')
			break;
		labels++;
		/* A dash at the end belongs to what follows: "a@example.com-". */
		size_t size = i - label;
		while (size > 0 && data[label + size - 1] == '-')
			size--;
		/* So does a word of another script: "a@example.comです". */
		for (size_t j = 0; j < size; j++) {
			if (data[label + j] >= 0x80) {
				size = labels > 1 ? j : size;
				break;
			}
		}
		if (labels > 1 && label_is_top(data + label, size))
			good = label + size - at;
		if (i == most || data[i] != '.' || size != i - label)
			break;
		label = i + 1;
	}
	return good;
}

size_t
scan_email(const uint8_t *data, size_t at, size_t end, const struct scan_sink *sink)
{
	size_t begin = local_begin(data, at);
	size_t size = domain_size(data, at + 1, end);
	size_t behind = at + 1 + size;

	if (begin == at || size == 0)
		return at + 1;
	/* A place that programs are fetched from: "git@example.com:path". */
	if (at - begin == 3 && bytes_equal(bytes_make(data + begin, 3), bytes_of("git")) &&
	    behind < end && data[behind] == ':')
		return behind;
	sink->take(sink->arg, SCAN_EMAIL, begin, behind - begin);
	return behind;
}
