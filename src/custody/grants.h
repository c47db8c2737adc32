/*
 * Grants: which device may be plugged in where, for how long, to be read or written.
 */
#ifndef AZ_CUSTODY_GRANTS_H
#define AZ_CUSTODY_GRANTS_H

#include "custody/custody_internal.h"
#include "proto/endpoint.h"

struct device_grant {
	uint32_t id;     /* from 1 */
	uint32_t device; /* where it may be plugged in */
	uint16_t vendor, product;
	uint8_t access; /* enum grant_access */
	char serial[ENDPOINT_TEXT_SIZE];
	int64_t until_us;
	int64_t added_us, closed_us;
};
void grants_free(struct custody *custody);
AZ_CHECKED enum az_status grant_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);

/* Writes those that hold at a device now, as a guard reads them: at most ENDPOINT_GRANTS_MAX, the newest. */
void grants_put(struct wire_writer *writer, const struct custody *custody, uint32_t device);

/* The one of that number, if it holds at the device now and lets it be written; else NULL. */
const struct device_grant *grant_to_write(
    const struct custody *custody, uint32_t id, uint32_t device);

void verb_grant_add(struct request *request, const union front_request *body);
void verb_grant_list(struct request *request, const union front_request *body);
void verb_grant_close(struct request *request, const union front_request *body);

#endif
