/*
 * From u64 ids to pointers: a hash table with open addressing. It owns no values.
 */
#ifndef AZ_CUSTODY_ID_MAP_H
#define AZ_CUSTODY_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Several ids under one. */
struct id_chain {
	uint64_t id;
	struct id_chain *next;
};

struct id_map {
	struct id_slot {
		uint64_t id;
		void *value; /* NULL: free */
	} * slots;
	size_t room, count;
};

void id_map_fini(struct id_map *map);
/* NULL if there is none. */
void *id_map_get(const struct id_map *map, uint64_t id);
/* value: not NULL. *ret_before: what it replaces, or NULL. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status id_map_put(
    struct id_map *map, uint64_t id, void *value, void **ret_before);

#endif
