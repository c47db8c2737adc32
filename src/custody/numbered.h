/*
 * Things that are numbered from 1 and never go: cases, campaigns, histories, standing approvals. It owns them, each from malloc.
 */
#ifndef AZ_CUSTODY_NUMBERED_H
#define AZ_CUSTODY_NUMBERED_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct numbered {
	void **items; /* by number - 1; NULL: there is none */
	size_t count; /* the highest number */
};

/* NULL if there is none. */
void *numbered_get(const struct numbered *list, uint32_t number);
/* Takes item, in the place of one of that number; frees it, too, if that fails. AZ_NO_MEMORY. number: from 1. */
AZ_CHECKED enum az_status numbered_put(struct numbered *list, uint32_t number, void *item);
void numbered_free(struct numbered *list);

#endif
