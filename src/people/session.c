/*
 * Sessions: one human at one device. Connections of the same device join it; a sign-in at another device
 * marks it taken over, and it ends with the last of its connections.
 */
#include <stdlib.h>
#include <string.h>

#include "people/people_internal.h"

static struct session *
find(const struct people *people, uint32_t id)
{
	for (size_t i = 0; i < people->session_count; i++) {
		if (people->sessions[i].id == id)
			return &people->sessions[i];
	}
	return NULL;
}

const struct session *
people_session(const struct people *people, uint32_t id)
{
	return find(people, id);
}

size_t
people_session_count(const struct people *people)
{
	return people->session_count;
}

void
people_sessions_after(struct people *people, uint32_t id)
{
	if (id >= people->session_next)
		people->session_next = id + 1;
}

/* Room for one more. */
static enum az_status
reserve(struct people *people, struct az_err *reterr)
{
	size_t room = people->session_room == 0 ? 64 : 2 * people->session_room;
	struct session *sessions;

	if (people->session_count < people->session_room)
		return AZ_OK;
	if (people->session_count >= PEOPLE_SESSIONS_MAX)
		return az_fail(reterr, AZ_LIMIT, "sign-in: too many sessions are open");
	sessions = reallocarray(people->sessions, room, sizeof(*sessions));
	if (sessions == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "sign-in: out of memory");
	people->sessions = sessions;
	people->session_room = room;
	return AZ_OK;
}

enum az_status
people_sign_in(struct people *people, uint32_t staff, uint32_t device, int64_t now_us,
    uint32_t *ret_session, bool *ret_is_new, uint32_t *ret_taken_over, struct az_err *reterr)
{
	uint32_t taken_over = 0;
	size_t elsewhere = SIZE_MAX; /* where the session at another device stands */
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < people->session_count; i++) {
		struct session *session = &people->sessions[i];

		if (session->staff != staff || session->taken_over)
			continue;
		if (session->device == device) {
			session->connections++;
			*ret_session = session->id;
			*ret_is_new = false;
			*ret_taken_over = 0;
			return AZ_OK;
		}
		elsewhere = i;
	}
	if (people->session_next == UINT32_MAX)
		return az_fail(
		    reterr, AZ_LIMIT, "sign-in: the house has used up its session numbers");
	status = reserve(people, reterr);
	if (status != AZ_OK)
		return status;
	if (elsewhere != SIZE_MAX) {
		taken_over = people->sessions[elsewhere].id;
		people->sessions[elsewhere].taken_over = true;
	}
	people->sessions[people->session_count++] = (struct session){.id = people->session_next,
	    .staff = staff,
	    .device = device,
	    .connections = 1,
	    .since_us = now_us};
	*ret_session = people->session_next++;
	*ret_is_new = true;
	*ret_taken_over = taken_over;
	return AZ_OK;
}

bool
people_sign_out(struct people *people, uint32_t session)
{
	struct session *found = find(people, session);

	if (found == NULL || --found->connections > 0)
		return false;
	*found = people->sessions[--people->session_count];
	return true;
}
