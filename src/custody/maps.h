/*
 * Maps of columns, kept for a client: what --columns would say of every list that it sends. A list that comes with a map
 * of its own is read by that one.
 */
#ifndef AZ_CUSTODY_MAPS_H
#define AZ_CUSTODY_MAPS_H

#include "custody/custody_internal.h"

/* What a front writes instead of a map, to have none although the client has one. */
#define MAP_NONE_WORD "auto"

void maps_free(struct custody *custody);
/* The client's map, "" if it has none; borrowed until it changes. */
const char *map_of(const struct custody *custody, uint32_t client);
AZ_CHECKED enum az_status map_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);

#endif
