#include "base/vector.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64u

void *
vector_push(struct vector *vector, size_t size)
{
	if (vector->count == vector->room) {
		size_t room = vector->room == 0 ? ROOM_FIRST : 2 * vector->room;
		void *items = reallocarray(vector->items, room, size);

		if (items == NULL)
			return NULL;
		vector->items = items;
		vector->room = room;
	}
	return memset((uint8_t *)vector->items + vector->count++ * size, 0, size);
}

void
vector_fini(struct vector *vector)
{
	free(vector->items);
	*vector = (struct vector){.items = NULL};
}
