/*
 * Personal data in bytes of any kind: telephone numbers, e-mail addresses, card numbers and My Numbers, found at about
 * the speed of memory.
 *
 * Promises  a token is found whichever way the bytes are cut into pieces, in ASCII and its supersets (UTF-8, CP932,
 *           EUC-JP) and in UTF-16 of either order, in half-width and full-width characters, and in files that mix
 *           them; work is linear in the bytes and memory does not grow with them.
 * Not       it knows no container (scan/unpack.h does), and a number that merely looks like a telephone is one.
 * Threads   a pass is one thread's.
 */
#ifndef AZ_SCAN_H
#define AZ_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

enum scan_kind {
	SCAN_CARD,      /* 12 to 19 digits, an issuer's prefix of that length, Luhn */
	SCAN_MY_NUMBER, /* 12 digits, check digit */
	SCAN_PHONE,
	SCAN_EMAIL,
	SCAN_KINDS,
};

/* "card", "my_number", "phone", "email": the names in counts{}. */
const char *scan_kind_name(enum scan_kind kind);

/* Where a token begins, in the bytes fed so far, how many of them it takes, and how it reads in ASCII. */
struct scan_hit {
	enum scan_kind kind;
	uint64_t at;
	uint32_t size;
	struct bytes text; /* half-width; borrowed until the function returns */
};

struct scan_pass;

/*
 * found(arg, hit) is called for each token; those of a piece come in no particular order. 12 digits that can be a card
 * and a My Number are told as both. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status scan_pass_new(void (*found)(void *arg, const struct scan_hit *hit),
    void *arg, struct scan_pass **ret_pass, struct az_err *reterr);
void scan_pass_free(struct scan_pass **pass);

/* Room for more bytes, at least 16 KiB, until scan_pass_filled says how many were put there. */
uint8_t *scan_pass_room(struct scan_pass *pass, size_t *ret_size);
void scan_pass_filled(struct scan_pass *pass, size_t size);
/* Copies bytes in, however many. */
void scan_pass_feed(struct scan_pass *pass, struct bytes bytes);
/* Bytes that were left out (a hole of a sparse file): nothing reaches across, and places stay true. */
void scan_pass_skip(struct scan_pass *pass, uint64_t size);
/* What was fed has ended: reports what still waited. The next feed begins anew, at place 0. */
void scan_pass_end(struct scan_pass *pass);

/* How this processor is used: "avx512", "avx2" or "plain". */
const char *scan_speed_name(void);
/* For tests and measurements: from now on that way, if the processor has it. */
bool scan_speed_choose(const char *name);

#endif
