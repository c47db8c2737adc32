/*
 * The pass over the bytes.
 *
 *	piece ─► masks, 64 bytes at once ─► anchors: starts of runs, '@', wide characters ─► numbers.c, emails.c, wide.c
 *
 * Most blocks have no anchor and cost the masks and a few operations on words. An anchor is looked at with bytes on
 * both sides, so the last bytes of a piece wait for the next one, and some that are done stay in front of it:
 *
 *	      kept in front        │        looked at now          │   waits   │ padding
 *	data ─────────────────── from ───────────────────────── limit ──────── end
 *
 * A token belongs to the round in which its number begins, its '@' stands, or its wide characters begin. A run of
 * digits that crosses limit is continued by the next round at the group where this one stopped, so that rounds cut it
 * into the same numbers wherever they end.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scan/scan_internal.h"

#define KEPT    1024u         /* bytes kept before from: a token, in UTF-16 */
#define WAITING 2048u         /* bytes behind limit */
#define PIECE   (60u * 1024u) /* what all of it takes stays in the processor's nearest caches */
#define BATCH   64u           /* blocks whose masks are made at once */

/* A run of so many digits and separators holds seven digits or none that matter. */
#define RUN_LEAST 8u

static_assert(
    KEPT >= 2 * SCAN_TOKEN_MAX && KEPT >= SCAN_WIDE_BEFORE, "what stands before an anchor is kept");
static_assert(WAITING >= SCAN_WIDE_AFTER, "what stands behind an anchor is there");

/* Into look_with_bits, which is compiled for other processors than the rest. */
#define INLINED static inline __attribute__((always_inline))

struct scan_pass {
	void (*found)(void *arg, const struct scan_hit *hit);
	void *arg;
	uint8_t *data; /* KEPT + WAITING + PIECE + a block and padding */
	size_t from, end;
	size_t numbers_to;   /* runs up to here have been read */
	size_t wide_from;    /* up to here wide characters have been looked at */
	uint64_t data_place; /* of data[0] in what was fed */
};

#define ROOM (KEPT + WAITING + PIECE)

enum az_status
scan_pass_new(void (*found)(void *arg, const struct scan_hit *hit), void *arg,
    struct scan_pass **ret_pass, struct az_err *reterr)
{
	struct scan_pass *pass = calloc(1, sizeof(*pass));

	if (pass != NULL)
		pass->data = calloc(1, ROOM + SCAN_BLOCK + SCAN_PADDING);
	if (pass == NULL || pass->data == NULL) {
		scan_pass_free(&pass);
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	}
	pass->found = found;
	pass->arg = arg;
	*ret_pass = pass;
	return AZ_OK;
}

void
scan_pass_free(struct scan_pass **pass)
{
	if (*pass == NULL)
		return;
	if ((*pass)->data != NULL)
		az_wipe((*pass)->data, ROOM + SCAN_BLOCK + SCAN_PADDING);
	free((*pass)->data);
	free(*pass);
	*pass = NULL;
}

/* A block, and the one behind it above it. */
__extension__ typedef unsigned __int128 window;

/* --- what the anchors lead to ----------------------------------------------------------------- */

/* The round at work. */
struct round {
	struct scan_pass *pass;
	size_t from, limit, end;
	struct scan_sink sink;
};

static void
take(void *arg, enum scan_kind kind, size_t at, size_t size)
{
	struct scan_pass *pass = arg;
	struct scan_hit hit = {.kind = kind,
	    .at = pass->data_place + at,
	    .size = (uint32_t)size,
	    .text = bytes_make(pass->data + at, size)};

	pass->found(pass->arg, &hit);
}

static void
look_at_run(struct round *round, size_t at)
{
	struct scan_pass *pass = round->pass;

	/* A run may be told to begin with the second of three separators. */
	while (at < round->end && scan_is(pass->data[at], CLASS_SEPARATOR))
		at++;
	if (at < pass->numbers_to || at >= round->limit || !scan_is(pass->data[at], CLASS_DIGIT))
		return;
	pass->numbers_to = scan_numbers(pass->data, at, round->limit, round->end, &round->sink);
}

/*
 * What is no number by its shape alone. A run that begins with bit 0 of run (its digits in digits), if it ends within
 * the window: too few digits; a date (4-2-2); a few digits, where what stands before lets them be nothing.
 */
INLINED bool
is_nothing(window run, window digits, uint8_t before)
{
	uint64_t low = (uint64_t)run;
	unsigned size, count;

	if (low == UINT64_MAX)
		return false;
	size = (unsigned)__builtin_ctzll(~low);
	low = (uint64_t)digits & ((UINT64_C(1) << size) - 1);
	count = (unsigned)__builtin_popcountll(low);
	return count < SCAN_DIGITS_LEAST || (size == 10 && low == 0x36f) ||
	    (count <= SCAN_DIGITS_SHORT && before != '+' && !scan_may_precede_by_words(before));
}

/* Goes on with the run that the round before left. */
static void
continue_run(struct round *round)
{
	struct scan_pass *pass = round->pass;
	size_t at = pass->numbers_to;

	if (at == 0 || at < round->from)
		return;
	/* It may have stopped inside a group too long to be a number. */
	while (at < round->end && scan_is(pass->data[at - 1], CLASS_DIGIT) &&
	    scan_is(pass->data[at], CLASS_DIGIT))
		at++;
	pass->numbers_to = at;
	for (unsigned i = 0; i < 2 && at < round->end && scan_is(pass->data[at], CLASS_SEPARATOR);
	     i++)
		at++;
	if (at < round->limit && scan_is(pass->data[at], CLASS_DIGIT))
		pass->numbers_to =
		    scan_numbers(pass->data, at, round->limit, round->end, &round->sink);
}

static void
look_at_wide(struct round *round, size_t at)
{
	struct scan_pass *pass = round->pass;
	enum scan_script script;

	if (at < pass->wide_from || at < round->from || at >= round->limit)
		return;
	script = scan_script_at(pass->data, at, round->end);
	if (script != SCRIPT_NONE)
		pass->wide_from =
		    scan_wide(pass->data, at, pass->wide_from, round->end, script, &round->sink);
}

static void
look_at_sign(struct round *round, size_t at)
{
	if (at < round->from || at >= round->limit)
		return;
	if (at + 1 < round->end && round->pass->data[at + 1] == 0)
		look_at_wide(round, at);
	else
		(void)scan_email(round->pass->data, at, round->end, &round->sink);
}

/* --- anchors ---------------------------------------------------------------------------------- */

static inline window
window_of(uint64_t block, uint64_t behind)
{
	return (window)behind << 64 | block;
}

/* Bit i: bits i, i + step, … of bits, count of them (a power of two), are all set. */
static inline window
row_of(window bits, unsigned count, unsigned step)
{
	for (unsigned n = 1; n < count; n *= 2)
		bits &= bits >> (n * step);
	return bits;
}

/* Digits, and separators with a digit at most two away on either side. */
static inline uint64_t
run_bits(const struct scan_masks *mask)
{
	window before = window_of(mask[-1].digits, mask[0].digits);
	window behind = window_of(mask[0].digits, mask[1].digits);
	uint64_t near_before = (uint64_t)(before >> 63) | (uint64_t)(before >> 62);
	uint64_t near_behind = (uint64_t)(behind >> 1) | (uint64_t)(behind >> 2);

	return mask->digits | (mask->separators & near_before & near_behind);
}

/*
 * ASCII digits that may stand in UTF-16 (four in a row with zeros between them), or that something of two or three bytes
 * and a digit follow, as a wide dash does.
 */
static inline uint64_t
digits_beside_wide(const struct scan_masks *mask)
{
	window digits = window_of(mask[0].digits, mask[1].digits);
	window before_odd = digits & (window_of(mask[0].odd, mask[1].odd) >> 1);
	uint64_t found = (uint64_t)before_odd;

	if (found != 0)
		found &= (uint64_t)(row_of(before_odd, 4, 2) | digits >> 3 | digits >> 4);
	return found;
}

INLINED void
look_at_each(struct round *round, uint64_t bits, size_t base, void (*look)(struct round *, size_t))
{
	while (bits != 0) {
		look(round, base + (size_t)__builtin_ctzll(bits));
		bits &= bits - 1;
	}
}

INLINED void
look_at_runs(struct round *round, const struct scan_masks *mask, size_t base)
{
	window digits = window_of(mask[0].digits, mask[1].digits);
	window run = window_of(run_bits(mask), run_bits(mask + 1));
	uint64_t starts =
	    (uint64_t)row_of(run, RUN_LEAST, 1) & ~((uint64_t)run << 1 | run_bits(mask - 1) >> 63);

	while (starts != 0) {
		unsigned i = (unsigned)__builtin_ctzll(starts);
		size_t at = base + i;

		starts &= starts - 1;
		if (!is_nothing(run >> i, digits >> i, at > 0 ? round->pass->data[at - 1] : 0))
			look_at_run(round, at);
	}
}

/* The masks of blocks of data from base on; mask[-2] to mask[blocks + 1] are there. */
INLINED void
look_at_blocks(struct round *round, const struct scan_masks *mask, size_t blocks, size_t base)
{
	unsigned count = (unsigned)__builtin_popcountll(mask->digits);

	for (size_t i = 0; i < blocks; i++, mask++, base += SCAN_BLOCK) {
		unsigned behind = (unsigned)__builtin_popcountll(mask[1].digits);
		uint64_t wide = mask->wide | digits_beside_wide(mask);

		/* A run that begins here has its digits in these two blocks, or many. */
		if (count + behind >= SCAN_DIGITS_LEAST)
			look_at_runs(round, mask, base);
		if (mask->ats != 0)
			look_at_each(round, mask->ats, base, look_at_sign);
		if (wide != 0)
			look_at_each(round, wide, base, look_at_wide);
		count = behind;
	}
}

INLINED void
look_at_all(struct round *round, scan_masks_of masks_of)
{
	struct scan_masks masks[BATCH + 4] = {0};
	size_t blocks = (round->end + SCAN_BLOCK - 1) / SCAN_BLOCK;

	/* Two blocks of masks before and two behind those at work: what run_bits looks at. */
	for (size_t first = 0; first < blocks; first += BATCH) {
		size_t there = blocks - first < BATCH + 2 ? blocks - first : BATCH + 2;
		size_t count = blocks - first < BATCH ? blocks - first : BATCH;
		size_t known = 0;

		/* The first two were made as the two behind the batch before. */
		if (first > 0) {
			memmove(masks, masks + BATCH, 4 * sizeof(masks[0]));
			known = there < 2 ? there : 2;
		}
		masks_of(round->pass->data + (first + known) * SCAN_BLOCK, there - known,
		    masks + 2 + known);
		memset(masks + 2 + there, 0, (BATCH + 2 - there) * sizeof(masks[0]));
		look_at_blocks(round, masks + 2, count, first * SCAN_BLOCK);
	}
}

#if defined(__x86_64__)
/* Every processor with AVX2 has these: counting bits is one instruction instead of many. */
__attribute__((target("bmi,bmi2,lzcnt,popcnt"))) static void
look_with_bits(struct round *round, scan_masks_of masks_of)
{
	look_at_all(round, masks_of);
}
#endif

/* Looks at all anchors between from and limit. */
static void
look(struct scan_pass *pass, size_t limit, size_t end)
{
	scan_masks_of masks_of = scan_masks_best();
	struct round round = {.pass = pass, .from = pass->from, .limit = limit, .end = end};

	round.sink = (struct scan_sink){.take = take, .arg = pass};
	memset(pass->data + end, 0, SCAN_BLOCK + SCAN_PADDING);
	continue_run(&round);
#if defined(__x86_64__)
	if (masks_of != scan_masks_plain)
		look_with_bits(&round, masks_of);
	else
#endif
		look_at_all(&round, masks_of);
	pass->from = limit;
}

/* --- feeding ---------------------------------------------------------------------------------- */

/* Moves what has been looked at out, but for what is kept before from. */
static void
move_together(struct scan_pass *pass)
{
	size_t gone = pass->from > KEPT ? pass->from - KEPT : 0;

	/* What was at an even place stays at one: wide.c looks at that in UTF-16. */
	gone -= gone % 2;
	if (gone == 0)
		return;
	memmove(pass->data, pass->data + gone, pass->end - gone);
	pass->from -= gone;
	pass->end -= gone;
	pass->numbers_to = pass->numbers_to > gone ? pass->numbers_to - gone : 0;
	pass->wide_from = pass->wide_from > gone ? pass->wide_from - gone : 0;
	pass->data_place += gone;
}

uint8_t *
scan_pass_room(struct scan_pass *pass, size_t *ret_size)
{
	*ret_size = ROOM - pass->end;
	return pass->data + pass->end;
}

void
scan_pass_filled(struct scan_pass *pass, size_t size)
{
	assert(size <= ROOM - pass->end);
	pass->end += size;
	if (ROOM - pass->end >= PIECE / 2)
		return;
	if (pass->end > pass->from + WAITING)
		look(pass, pass->end - WAITING, pass->end);
	move_together(pass);
}

void
scan_pass_feed(struct scan_pass *pass, struct bytes bytes)
{
	while (bytes.size > 0) {
		size_t room;
		uint8_t *data = scan_pass_room(pass, &room);
		size_t size = bytes.size < room ? bytes.size : room;

		memcpy(data, bytes.data, size);
		bytes = bytes_make(bytes.data + size, bytes.size - size);
		scan_pass_filled(pass, size);
	}
}

static void
begin_anew(struct scan_pass *pass, uint64_t place)
{
	pass->from = pass->end = pass->numbers_to = pass->wide_from = 0;
	pass->data_place = place;
}

void
scan_pass_skip(struct scan_pass *pass, uint64_t size)
{
	uint64_t place = pass->data_place + pass->end + size;

	look(pass, pass->end, pass->end);
	begin_anew(pass, place);
}

void
scan_pass_end(struct scan_pass *pass)
{
	look(pass, pass->end, pass->end);
	begin_anew(pass, 0);
}
