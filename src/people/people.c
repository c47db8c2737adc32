/*
 * Staff and devices, by id, label and key.
 *
 * Ids are dense, so a thing is found by its place. By label and by key the lists are walked: that happens
 * at a sign-in and at a change, where a signature costs more than the walk over all the staff of a house.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "people/people_internal.h"
#include "proto/front.h"

enum az_status
people_new(struct people **ret_people, struct az_err *reterr)
{
	struct people *people = calloc(1, sizeof(*people));

	if (people == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "people: out of memory");
	people->staff_next = 1;
	people->device_next = 1;
	people->session_next = 1;
	*ret_people = people;
	return AZ_OK;
}

void
people_free(struct people **people)
{
	if (*people == NULL)
		return;
	if ((*people)->staff != NULL)
		az_wipe((*people)->staff, (*people)->staff_room * sizeof(struct staff));
	free((*people)->staff);
	free((*people)->devices);
	free((*people)->sessions);
	free(*people);
	*people = NULL;
}

/* --- finding ---------------------------------------------------------------------------------- */

const struct staff *
people_staff(const struct people *people, uint32_t id)
{
	if (id == 0 || id >= people->staff_next || people->staff[id - 1].id != id)
		return NULL;
	return &people->staff[id - 1];
}

const struct device *
people_device(const struct people *people, uint32_t id)
{
	if (id == 0 || id >= people->device_next || people->devices[id - 1].id != id)
		return NULL;
	return &people->devices[id - 1];
}

const struct staff *
people_staff_labelled(const struct people *people, const char *label)
{
	for (uint32_t id = 1; id < people->staff_next; id++) {
		const struct staff *staff = people_staff(people, id);

		if (staff != NULL && staff->ended_us == 0 && strcmp(staff->label, label) == 0)
			return staff;
	}
	return NULL;
}

const struct device *
people_device_labelled(const struct people *people, const char *label)
{
	for (uint32_t id = 1; id < people->device_next; id++) {
		const struct device *device = people_device(people, id);

		if (device != NULL && device->retired_us == 0 && strcmp(device->label, label) == 0)
			return device;
	}
	return NULL;
}

bool
staff_is_here(const struct staff *staff, int64_t now_us)
{
	int32_t today = (int32_t)(now_us / AZ_US_PER_DAY);

	return staff->keyed_us != 0 && staff->ended_us == 0 &&
	    (staff->from == AZ_DATE_NONE || staff->from <= today) &&
	    (staff->until == AZ_DATE_NONE || today <= staff->until);
}

const struct staff *
people_invited(const struct people *people, const uint8_t invitation[32], int64_t now_us)
{
	for (uint32_t id = 1; id < people->staff_next; id++) {
		const struct staff *staff = people_staff(people, id);

		if (staff != NULL && staff->keyed_us == 0 && staff->ended_us == 0 &&
		    now_us < staff->invited_until_us &&
		    bytes_equal(bytes_make(staff->invitation, 32), bytes_make(invitation, 32)))
			return staff;
	}
	return NULL;
}

uint32_t
people_next_staff(const struct people *people)
{
	return people->staff_next;
}

uint32_t
people_next_device(const struct people *people)
{
	return people->device_next;
}

static bool
same_key(const uint8_t a[SIGN_PUBLIC_SIZE], const uint8_t b[SIGN_PUBLIC_SIZE])
{
	return bytes_equal(bytes_make(a, SIGN_PUBLIC_SIZE), bytes_make(b, SIGN_PUBLIC_SIZE));
}

/* Whether anybody or anything has, or ever had, this key. */
static bool
key_is_taken(const struct people *people, const uint8_t key[SIGN_PUBLIC_SIZE])
{
	for (uint32_t id = 1; id < people->staff_next; id++) {
		const struct staff *staff = people_staff(people, id);

		if (staff != NULL && staff->keyed_us != 0 && same_key(staff->public_key, key))
			return true;
	}
	for (uint32_t id = 1; id < people->device_next; id++) {
		const struct device *device = people_device(people, id);

		if (device != NULL &&
		    (same_key(device->public_key, key) ||
			(device->guarded_us != 0 && same_key(device->guard_key, key))))
			return true;
	}
	return false;
}

void
people_each_staff(
    const struct people *people, void (*visit)(void *arg, const struct staff *staff), void *arg)
{
	for (uint32_t id = 1; id < people->staff_next; id++) {
		const struct staff *staff = people_staff(people, id);

		if (staff != NULL)
			visit(arg, staff);
	}
}

void
people_each_device(
    const struct people *people, void (*visit)(void *arg, const struct device *device), void *arg)
{
	for (uint32_t id = 1; id < people->device_next; id++) {
		const struct device *device = people_device(people, id);

		if (device != NULL)
			visit(arg, device);
	}
}

/* --- adding ----------------------------------------------------------------------------------- */

enum az_status
people_may_add_staff(const struct people *people, const struct staff *staff, struct az_err *reterr)
{
	if (!label_is_valid(staff->label))
		return az_fail(reterr, AZ_INVALID, "staff: the label is not a valid one");
	if (staff->name[0] != '\0' && !name_is_valid(staff->name))
		return az_fail(
		    reterr, AZ_INVALID, "staff %s: the name is not a valid one", staff->label);
	if (role_name(staff->role) == NULL)
		return az_fail(reterr, AZ_INVALID, "staff %s: there is no such role", staff->label);
	if ((staff->employer[0] != '\0' && !name_is_valid(staff->employer)) ||
	    (staff->agency[0] != '\0' && !name_is_valid(staff->agency)))
		return az_fail(reterr, AZ_INVALID, "staff %s: employer and agency need valid names",
		    staff->label);
	if (staff->tier > PEOPLE_TIER_MAX)
		return az_fail(reterr, AZ_INVALID, "staff %s: a tier is at most %u", staff->label,
		    PEOPLE_TIER_MAX);
	if (staff->from != AZ_DATE_NONE && staff->until != AZ_DATE_NONE &&
	    staff->until < staff->from)
		return az_fail(
		    reterr, AZ_INVALID, "staff %s: the last day is before the first", staff->label);
	if (people->staff_next > PEOPLE_STAFF_MAX)
		return az_fail(reterr, AZ_LIMIT,
		    "staff %s: the house has no more numbers for staff", staff->label);
	if (people_staff_labelled(people, staff->label) != NULL)
		return az_fail(reterr, AZ_CONFLICT, "staff %s: there is one of that label already",
		    staff->label);
	return staff->keyed_us == 0
	    ? AZ_OK
	    : people_may_take_key(people, staff->public_key, staff->label, reterr);
}

enum az_status
people_may_take_key(const struct people *people, const uint8_t key[SIGN_PUBLIC_SIZE],
    const char *label, struct az_err *reterr)
{
	if (key_is_taken(people, key))
		return az_fail(
		    reterr, AZ_CONFLICT, "staff %s: the key is somebody's already", label);
	return AZ_OK;
}

enum az_status
people_may_guard(const struct people *people, const uint8_t key[SIGN_PUBLIC_SIZE],
    const char *label, struct az_err *reterr)
{
	if (key_is_taken(people, key))
		return az_fail(
		    reterr, AZ_CONFLICT, "device %s: the key is somebody's already", label);
	return AZ_OK;
}

enum az_status
people_may_add_device(
    const struct people *people, const struct device *device, struct az_err *reterr)
{
	if (!label_is_valid(device->label))
		return az_fail(reterr, AZ_INVALID, "device: the label is not a valid one");
	if (people->device_next > PEOPLE_DEVICES_MAX)
		return az_fail(reterr, AZ_LIMIT,
		    "device %s: the house has no more numbers for devices", device->label);
	if (people_device_labelled(people, device->label) != NULL)
		return az_fail(reterr, AZ_CONFLICT, "device %s: there is one of that label already",
		    device->label);
	if (key_is_taken(people, device->public_key))
		return az_fail(
		    reterr, AZ_CONFLICT, "device %s: the key is somebody's already", device->label);
	return AZ_OK;
}

/* Makes room for id in a list of things of size bytes; what is new is zero. */
static bool
reserve(void **list, uint32_t *room, uint32_t id, size_t size)
{
	uint32_t larger = *room == 0 ? 64 : *room;
	uint8_t *grown;

	if (id <= *room)
		return true;
	while (larger < id)
		larger *= 2;
	grown = calloc(larger, size);
	if (grown == NULL)
		return false;
	if (*list != NULL) {
		memcpy(grown, *list, *room * size);
		az_wipe(*list, *room * size);
	}
	free(*list);
	*list = grown;
	*room = larger;
	return true;
}

enum az_status
people_put_staff(struct people *people, const struct staff *staff, struct az_err *reterr)
{
	void *list = people->staff;

	if (staff->id == 0 || staff->id > PEOPLE_STAFF_MAX)
		return az_fail(reterr, AZ_INVALID, "staff %u: not a valid number", staff->id);
	if (!reserve(&list, &people->staff_room, staff->id, sizeof(struct staff)))
		return az_fail(reterr, AZ_NO_MEMORY, "staff %u: out of memory", staff->id);
	people->staff = list;
	people->staff[staff->id - 1] = *staff;
	if (staff->id >= people->staff_next)
		people->staff_next = staff->id + 1;
	return AZ_OK;
}

enum az_status
people_put_device(struct people *people, const struct device *device, struct az_err *reterr)
{
	void *list = people->devices;

	if (device->id == 0 || device->id > PEOPLE_DEVICES_MAX)
		return az_fail(reterr, AZ_INVALID, "device %u: not a valid number", device->id);
	if (!reserve(&list, &people->device_room, device->id, sizeof(struct device)))
		return az_fail(reterr, AZ_NO_MEMORY, "device %u: out of memory", device->id);
	people->devices = list;
	people->devices[device->id - 1] = *device;
	if (device->id >= people->device_next)
		people->device_next = device->id + 1;
	return AZ_OK;
}

/* --- recognising ------------------------------------------------------------------------------ */

static enum az_status
check_signature(const char *context, struct bytes challenge, const uint8_t key[SIGN_PUBLIC_SIZE],
    const uint8_t signature[SIGNATURE_SIZE])
{
	uint8_t data[FRONT_SIGNED_MAX];
	size_t size;

	if (challenge.size != FRONT_HASH_SIZE)
		return AZ_FORGED;
	size = front_signed(context, challenge.data, data);
	return sign_verify(key, bytes_make(data, size), signature);
}

/* The enrolled device of that key, or 0. */
static uint32_t
device_keyed(const struct people *people, const uint8_t key[SIGN_PUBLIC_SIZE])
{
	uint32_t device_id = 0;

	for (uint32_t id = 1; id < people->device_next; id++) {
		const struct device *device = people_device(people, id);

		if (device != NULL && device->retired_us == 0 && same_key(device->public_key, key))
			device_id = id;
	}
	return device_id;
}

enum az_status
people_recognise_new(const struct people *people, struct bytes challenge,
    const uint8_t new_key[SIGN_PUBLIC_SIZE], const uint8_t new_signature[SIGNATURE_SIZE],
    const uint8_t device_key[SIGN_PUBLIC_SIZE], const uint8_t device_signature[SIGNATURE_SIZE],
    uint32_t *ret_device, struct az_err *reterr)
{
	uint32_t device = device_keyed(people, device_key);

	if (device == 0 ||
	    check_signature(FRONT_ENROL_STAFF, challenge, new_key, new_signature) != AZ_OK ||
	    check_signature(FRONT_SIGN_IN_DEVICE, challenge, device_key, device_signature) != AZ_OK)
		return az_fail(reterr, AZ_DENIED, "enrol: this code or device is not accepted");
	*ret_device = device;
	return AZ_OK;
}

enum az_status
people_recognise_guard(const struct people *people, struct bytes challenge,
    const uint8_t key[SIGN_PUBLIC_SIZE], const uint8_t signature[SIGNATURE_SIZE],
    uint32_t *ret_device, struct az_err *reterr)
{
	uint32_t found = 0;

	for (uint32_t id = 1; id < people->device_next; id++) {
		const struct device *device = people_device(people, id);

		if (device != NULL && device->retired_us == 0 && device->guarded_us != 0 &&
		    same_key(device->guard_key, key))
			found = id;
	}
	if (found == 0 || check_signature(FRONT_SIGN_IN_GUARD, challenge, key, signature) != AZ_OK)
		return az_fail(reterr, AZ_DENIED, "sign-in: this guard is not accepted");
	*ret_device = found;
	return AZ_OK;
}

enum az_status
people_recognise(const struct people *people, struct bytes challenge, int64_t now_us,
    const uint8_t staff_key[SIGN_PUBLIC_SIZE], const uint8_t staff_signature[SIGNATURE_SIZE],
    const uint8_t device_key[SIGN_PUBLIC_SIZE], const uint8_t device_signature[SIGNATURE_SIZE],
    uint32_t *ret_staff, uint32_t *ret_device, struct az_err *reterr)
{
	uint32_t staff_id = 0;
	uint32_t device_id = device_keyed(people, device_key);

	for (uint32_t id = 1; id < people->staff_next; id++) {
		const struct staff *staff = people_staff(people, id);

		if (staff != NULL && staff_is_here(staff, now_us) &&
		    same_key(staff->public_key, staff_key))
			staff_id = id;
	}
	if (staff_id == 0 || device_id == 0 ||
	    check_signature(FRONT_SIGN_IN_STAFF, challenge, staff_key, staff_signature) != AZ_OK ||
	    check_signature(FRONT_SIGN_IN_DEVICE, challenge, device_key, device_signature) != AZ_OK)
		return az_fail(reterr, AZ_DENIED, "sign-in: this key or device is not accepted");
	*ret_staff = staff_id;
	*ret_device = device_id;
	return AZ_OK;
}
