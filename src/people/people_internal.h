/*
 * What the files of this folder share.
 */
#ifndef AZ_PEOPLE_INTERNAL_H
#define AZ_PEOPLE_INTERNAL_H

#include "people/people.h"

struct people {
	/* By id: slot id - 1; an id that was never put is all zero. */
	struct staff *staff;
	uint32_t staff_room, staff_next;
	struct device *devices;
	uint32_t device_room, device_next;
	/* Sessions that have not ended, in no order. */
	struct session *sessions;
	size_t session_count, session_room;
	uint32_t session_next;
};

#endif
