#include "custody/numbered.h"

#include <stdlib.h>
#include <string.h>

void *
numbered_get(const struct numbered *list, uint32_t number)
{
	return number == 0 || number > list->count ? NULL : list->items[number - 1];
}

enum az_status
numbered_put(struct numbered *list, uint32_t number, void *item)
{
	if (number > list->count) {
		void **items = reallocarray(list->items, number, sizeof(*items));

		if (items == NULL) {
			free(item);
			return AZ_NO_MEMORY;
		}
		memset(items + list->count, 0, (number - list->count) * sizeof(*items));
		list->items = items;
		list->count = number;
	}
	free(list->items[number - 1]);
	list->items[number - 1] = item;
	return AZ_OK;
}

void
numbered_free(struct numbered *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct numbered){.items = NULL};
}
