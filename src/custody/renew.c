/*
 * One renewal at a time: ring.next is written, the parent keeps the secret (the commit), ring.next becomes the ring.
 *
 * A parent that says that it failed has kept nothing; one that cannot know ends, and the house with it.
 */
#include "custody/renew.h"

#include <string.h>

#include "custody/destroy.h"
#include "proto/parent.h"

bool
renew_is_busy(const struct custody *custody)
{
	return custody->renewal.done != NULL;
}

/* The ring under a new secret, written beside the one that there is. */
static enum az_status
prepare(
    struct custody *custody, uint64_t dropped, struct secret **ret_secret, struct az_err *reterr)
{
	struct secret *secret = NULL;
	enum az_status status;

	if (renew_is_busy(custody))
		return az_fail(reterr, AZ_BUSY, "the keys of the house are being made anew");
	status = secret_random(PARENT_RING_SIZE, &secret, reterr);
	if (status == AZ_OK)
		status = ring_prepare(custody->ring, secret, dropped, reterr);
	if (status == AZ_OK)
		*ret_secret = secret;
	else
		secret_free(&secret);
	return status;
}

enum az_status
renew_begin(struct custody *custody, uint64_t dropped,
    void (*done)(void *arg, const struct az_err *err), void *arg, struct az_err *reterr)
{
	struct secret *secret = NULL;
	enum az_status status = prepare(custody, dropped, &secret, reterr);

	if (status != AZ_OK)
		return status;
	destroy_may_die(custody, "sealed");
	custody->renewal = (struct renewal){.done = done, .arg = arg};
	custody->config.ring(custody->config.arg, secret_peek(secret));
	secret_free(&secret);
	return AZ_OK;
}

enum az_status
renew_with_slots(struct custody *custody, struct parent_slots *slots,
    void (*done)(void *arg, const struct az_err *err), void *arg, struct az_err *reterr)
{
	struct secret *secret = NULL;
	struct buffer body;
	enum az_status status = prepare(custody, 0, &secret, reterr);

	if (status != AZ_OK)
		return status;
	memcpy(slots->ring, secret_peek(secret).data, sizeof(slots->ring));
	secret_free(&secret);
	buffer_init(&body, PARENT_BODY_MAX, true);
	status = parent_slots_encode(slots, &body);
	az_wipe(slots->ring, sizeof(slots->ring));
	if (status == AZ_OK) {
		custody->renewal = (struct renewal){.done = done, .arg = arg, .with_slots = true};
		custody->config.slots(custody->config.arg, buffer_peek(&body));
	} else {
		ring_abandon(custody->ring);
		(void)az_fail(reterr, status, "key give: too much was given");
	}
	buffer_fini(&body);
	return status;
}

void
custody_renewed(struct custody *custody, bool with_slots, const struct az_err *err)
{
	struct renewal renewal = custody->renewal;
	struct az_err failed = *err;

	/* A parent that answers what nobody asked is no parent of ours. */
	if (renewal.done == NULL || renewal.with_slots != with_slots) {
		(void)az_fail(&failed, AZ_INVALID, "the parent: a secret that nobody asked for");
		custody_fatal(custody, &failed);
		return;
	}
	destroy_may_die(custody, "kept");
	if (failed.status != AZ_OK)
		ring_abandon(custody->ring);
	else if (ring_adopt(custody->ring, &failed) != AZ_OK)
		custody_fatal(custody, &failed);
	custody->renewal = (struct renewal){0};
	renewal.done(renewal.arg, &failed);
}
