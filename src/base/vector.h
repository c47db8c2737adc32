/*
 * A growing list of items of one size, which lie one behind the other.
 *
 * Not       it wipes nothing: what counts as plaintext belongs into a buffer that is sensitive.
 */
#ifndef AZ_BASE_VECTOR_H
#define AZ_BASE_VECTOR_H

#include <stddef.h>

#include "base/status.h"

/* Zeroed: empty. items may be used as an array of count. */
struct vector {
	void *items;
	size_t count, room;
};

/*
 * A new item of size bytes at the end, zeroed, which stays where it is until the next one; NULL: there is no memory. size: the
 * same for all of a vector.
 */
void *vector_push(struct vector *vector, size_t size) AZ_CHECKED;
/* Leaves it empty, for use again. */
void vector_fini(struct vector *vector);

#endif
