/*
 * Linear probing at most half full. The ids are ours, so nobody can choose them to collide.
 */
#include <stdlib.h>

#include "custody/id_map.h"

#define ROOM_FIRST 64u

void
id_map_fini(struct id_map *map)
{
	free(map->slots);
	*map = (struct id_map){0};
}

static size_t
slot_of(const struct id_map *map, uint64_t id)
{
	uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15);
	size_t slot = (size_t)(hash ^ hash >> 32) & (map->room - 1);

	while (map->slots[slot].value != NULL && map->slots[slot].id != id)
		slot = (slot + 1) & (map->room - 1);
	return slot;
}

void *
id_map_get(const struct id_map *map, uint64_t id)
{
	return map->room == 0 ? NULL : map->slots[slot_of(map, id)].value;
}

static enum az_status
grow(struct id_map *map)
{
	struct id_map larger = {
	    .room = map->room == 0 ? ROOM_FIRST : 2 * map->room, .count = map->count};

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return AZ_NO_MEMORY;
	for (size_t i = 0; i < map->room; i++) {
		if (map->slots[i].value != NULL)
			larger.slots[slot_of(&larger, map->slots[i].id)] = map->slots[i];
	}
	free(map->slots);
	*map = larger;
	return AZ_OK;
}

enum az_status
id_map_put(struct id_map *map, uint64_t id, void *value, void **ret_before)
{
	struct id_slot *slot;

	if (2 * (map->count + 1) > map->room && grow(map) != AZ_OK)
		return AZ_NO_MEMORY;
	slot = &map->slots[slot_of(map, id)];
	*ret_before = slot->value;
	map->count += slot->value == NULL ? 1 : 0;
	*slot = (struct id_slot){.id = id, .value = value};
	return AZ_OK;
}
