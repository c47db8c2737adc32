/*
 * Text for comparing: letters without what people leave out or add, and how far two texts are apart.
 *
 * Promises  pure functions over borrowed bytes; the time is linear in the sizes.
 * Not       match keys are finer: two texts that fold to different letters may still have the same key.
 */
#ifndef AZ_TRACE_FOLD_H
#define AZ_TRACE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define FOLD_MAX       64u /* letters; what is longer is cut */
#define FOLD_WORDS_MAX 4u

/* Letters in lower case without blanks and punctuation, and where its words begin. */
struct fold {
	uint32_t letters[FOLD_MAX];
	size_t count;
	size_t words[FOLD_WORDS_MAX]; /* where each begins; the first at 0 */
	size_t word_count;            /* 0 if there are no letters */
};

/* Adds a text to what is there, as words of its own. Text that is no UTF-8 is taken as far as it is. */
void fold_add(struct fold *fold, struct bytes text);
/* The letters of one word. */
const uint32_t *fold_word(const struct fold *fold, size_t word, size_t *ret_count);

/* As fold_add, and hiragana becomes katakana: for comparing readings. */
void fold_add_kana(struct fold *fold, struct bytes text);

/*
 * How many single changes lead from one to the other: a letter put in, left out or replaced, two neighbours
 * swapped. At most FOLD_MAX letters each.
 */
size_t fold_distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);
bool fold_equal(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);

/* The numbers in a text, at most max of them; digits of either width. */
size_t fold_numbers(struct bytes text, uint32_t *numbers, size_t max);

#endif
