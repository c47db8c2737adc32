/*
 * Sorting entries of one size by their bytes: what is to be sorted as a number is stored big-endian.
 */
#ifndef AZ_BASE_SORT_H
#define AZ_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

#define SORT_SIZE_MAX 64u /* bytes of an entry */
#define SORT_SIZE_MIN 8u

/*
 * Sorts count entries of size bytes each, ascending. scratch has room for as many. The first skip bits are
 * the same in all of them (at most 32); the closer the bits behind those are to random, the faster it is: one
 * pass, and some comparisons. Any order of input is sorted in at most O(n log n).
 */
void sort_entries(uint8_t *entries, uint8_t *scratch, size_t count, size_t size, unsigned int skip);

#endif
