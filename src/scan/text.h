/*
 * Whether bytes are text that somebody can read, as opposed to pictures, programs, or what was encrypted or packed.
 *
 * Promises  text in UTF-8, CP932, EUC-JP and, with a mark, UTF-16 is text, in whatever pieces it comes; noise of some length is not.
 * Not       it does not know whether the text means anything: what was encrypted and written in letters passes.
 * Threads   each object is one thread's.
 */
#ifndef AZ_SCAN_TEXT_H
#define AZ_SCAN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Zero it, take all pieces, end. */
struct scan_text {
	uint8_t ruled_out; /* bits 1 << encoding */
	bool has_begun;
	uint8_t utf8_left, utf8_least, utf8_most; /* of the character at work */
	uint8_t cp932_left, euc_left;
	uint8_t held; /* of UTF-16: the first byte of a unit */
	bool is_held, is_low_due;
};
void scan_text_take(struct scan_text *text, struct bytes bytes);
/*
 * Whether it was all text: UTF-8, CP932, EUC-JP, or UTF-16 with a mark, and no control characters but tab, line ends and form feed.
 * Noise of some length is none of them.
 */
bool scan_text_end(const struct scan_text *text);

#endif
