/*
 * Enrolling: who was invited makes a key of their own, which is theirs from then on.
 *
 * They have no key here yet, so this comes in place of a sign-in, over the channel to the pinned keeper, from an
 * enrolled device, with the code that only who asked for the invitation got. A code is of use once.
 */
#include <string.h>

#include "custody/custody_internal.h"

/* What does not enrol is told nothing, counted with the sign-ins that failed, and hung up on. */
static void
refuse(struct request *request, struct az_err *err)
{
	struct custody_front *front = request->front;
	void *front_arg = front->arg;

	request->custody->unauthenticated++;
	/* It has waited for the changes before it: of a front that has gone meanwhile, this frees the last. */
	request_fail(request, err);
	if (front_arg == NULL)
		return;
	front->dead = true;
	front->custody->config.hang_up(front_arg);
}

/* A founder at the founding device would leave the house with one device, and nobody could ever approve anything. */
static bool
is_same_device_of_founders(struct custody *custody, const struct staff *staff, uint32_t device)
{
	return custody_stage(custody) == STAGE_SET_UP && staff->role == ROLE_OFFICER && device == 1;
}

void
verb_enrol(struct request *request, const union front_request *body)
{
	const struct front_enrol *asked = &body->enrol;
	const struct front_sign_in *sign_in = &asked->sign_in;
	struct custody *custody = request->custody;
	struct custody_front *front = request->front;
	struct ledger_entry entry;
	struct payload payload;
	const struct staff *invited;
	struct staff staff;
	uint8_t hash[SHA256_SIZE];
	uint32_t device = 0;
	int64_t now = house_now_us(request->custody);
	struct az_err err = {0};
	enum az_status status = people_recognise_new(custody->people,
	    bytes_make(front->challenge, sizeof(front->challenge)), sign_in->staff_key,
	    sign_in->staff_signature, sign_in->device_key, sign_in->device_signature, &device,
	    &err);

	sha256(bytes_make(asked->code, sizeof(asked->code)), hash);
	invited = people_invited(custody->people, hash, now);
	if (status == AZ_OK && invited == NULL)
		status = az_fail(&err, AZ_DENIED, "enrol: this code or device is not accepted");
	if (status != AZ_OK) {
		err.status = status;
		refuse(request, &err);
		return;
	}
	status = people_may_take_key(custody->people, sign_in->staff_key, invited->label, &err);
	if (status == AZ_OK && is_same_device_of_founders(custody, invited, device))
		status = az_fail(&err, AZ_CONFLICT,
		    "enrol: the second officer enrols at another device than the first");
	if (status != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	staff = *invited;
	memcpy(staff.public_key, sign_in->staff_key, sizeof(staff.public_key));
	memset(staff.invitation, 0, sizeof(staff.invitation));
	staff.invited_until_us = 0;
	staff.keyed_us = now;
	request->staff = staff.id;
	request->device = device;
	entry = request_entry(request, ENTRY_ENROLLED);
	entry.subject = staff.id;
	entry.detail64 = staff.role;
	payload_init(&payload);
	status = payload_put_staff(&payload, &staff);
	change_submit(request, entry, status, &payload, "staff", staff.id, staff.label);
}
