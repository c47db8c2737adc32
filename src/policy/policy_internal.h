/*
 * What the files of this folder share.
 */
#ifndef AZ_POLICY_INTERNAL_H
#define AZ_POLICY_INTERNAL_H

#include "policy/policy.h"

/* Finds a thing by a key and a label; open addressing, rebuilt when it fills. Values are ids, 0 is free. */
struct label_index {
	uint32_t *slots;
	size_t room, count;
};

struct policy {
	/* By id: slot id - 1; NULL if it was never put. */
	struct client **clients;
	uint32_t client_room, client_next;
	struct purpose **purposes;
	uint32_t purpose_room, purpose_next;
	/* Of every client and purpose ever put, so that none is walked to: later ones of a label win. */
	struct label_index client_labels, purpose_labels;
	/* By number: slot number - 1. Each owns its document. */
	struct approval **approvals;
	uint32_t approval_room, approval_next;
	struct zone *zones[ZONE_COUNT];        /* by id */
	struct zone_bounds bounds[ROLE_COUNT]; /* of each role */
};

/* Grows a list of pointers so that id, which counts from 1, has a place. */
bool policy_reserve(void ***list, uint32_t *room, uint32_t id) AZ_CHECKED;
void policy_free_approvals(struct policy *policy);
void policy_free_zones(struct policy *policy);

#endif
