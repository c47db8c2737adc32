/*
 * The life of a look: who may, what comes of it, and the ends that all verbs share.
 */
#include "custody/look.h"
#include "custody/guards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/campaigns.h"
#include "custody/corrections.h"
#include "custody/person.h"

void
look_free(struct look *look)
{
	if (look->kind->fini != NULL)
		look->kind->fini(look);
	for (size_t i = 0; i < look->count; i++)
		free(look->candidates[i].sealed);
	free(look->asked);
	az_wipe(look, look->kind->size);
	free(look);
}

void
look_fail(struct look *look, enum az_status status, struct az_err *err)
{
	struct request *request = look->request;

	err->status = status;
	look_free(look);
	request_fail(request, err);
}

void
look_refuse(struct look *look, enum az_status status, struct az_err *err)
{
	struct request *request = look->request;

	err->status = status;
	look_free(look);
	request_refuse(request, err);
}

const char *
look_verb(const struct look *look)
{
	const char *name = verb_name(look->request->verb);

	return name != NULL ? name : "look";
}

/* --- entries ---------------------------------------------------------------------------------- */

bool
look_is_of_call(const struct look *look)
{
	return look->call[0] != '\0';
}

void
look_log(struct look *look, enum entry_type type, enum az_status outcome,
    void (*done)(void *arg, const struct az_ticket *ticket))
{
	struct custody *custody = look->request->custody;
	struct ledger_entry *entry = &look->entry;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	struct bytes bytes = {0};

	entry->type = type;
	entry->outcome = (uint8_t)outcome;
	payload_init(&payload);
	if (look_is_of_call(look)) {
		status = payload_end(&payload, look->call, entry->call);
		bytes = buffer_peek(&payload.buffer);
	}
	if (status == AZ_OK)
		status = ledger_submit(custody->ledger, entry, bytes, done, look, &err);
	payload_fini(&payload);
	if (status == AZ_OK)
		budgets_counted(custody, entry, look_is_of_call(look));
	else
		look_fail(look, status, &err);
}

void
look_log_within_budget(struct look *look, enum entry_type type, enum az_status outcome,
    void (*done)(void *arg, const struct az_ticket *ticket))
{
	struct az_err err = {0};
	enum az_status status;

	look->entry.type = type;
	status =
	    budgets_allow(look->request->custody, &look->entry, look_is_of_call(look), 0, &err);
	if (status == AZ_OK)
		look_log(look, type, outcome, done);
	else
		look_refuse(look, status, &err);
}

/* --- the ends that all share ------------------------------------------------------------------- */

static void
not_found_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct look *look = arg;
	struct request *request = look->request;
	struct az_err err = {0};

	(void)az_fail(&err, AZ_NOT_FOUND, "%s: nobody is found by that", look_verb(look));
	look_free(look);
	request_fail_at(request, &err, ticket);
}

static void
withheld_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct look *look = arg;
	struct request *request = look->request;
	struct az_err err = {0};

	(void)az_fail(&err, AZ_FORGED,
	    "%s: withheld, because what the vault has is not what was entrusted", look_verb(look));
	look_free(look);
	request_fail_at(request, &err, ticket);
}

void
look_withhold(struct look *look, uint32_t record, uint32_t version)
{
	look->entry.record = record;
	look->entry.version = version;
	look->entry.shown = 0;
	look->entry.masked = 0;
	look_log(look, ENTRY_WITHHELD, AZ_FORGED, withheld_is_durable);
}

enum az_status
look_open(struct look *look, const struct az_ticket *ticket, struct row *ret_row,
    uint64_t *ret_corrected, struct az_err *reterr)
{
	struct custody *custody = look->request->custody;
	const struct candidate *candidate = &look->candidates[0];

	return row_open(custody, ticket, &candidate->named,
	    bytes_make(candidate->sealed, candidate->sealed_size),
	    look->record == 0 ? &look->key : NULL, custody->arena, ret_row, ret_corrected, reterr);
}

void
look_did_not_open(struct look *look, enum az_status status, struct az_err *err)
{
	if (status == AZ_FORGED) {
		look_withhold(
		    look, look->candidates[0].named.record, look->candidates[0].named.told);
	} else if (status == AZ_NOT_FOUND) {
		/* A newer delivery and an older correction: what it says now was not known before it was open. */
		look->entry.record = 0;
		look->entry.version = 0;
		look->entry.shown = 0;
		look->entry.masked = 0;
		look_log(look, ENTRY_NOT_FOUND, AZ_NOT_FOUND, not_found_is_durable);
	} else {
		look_fail(look, status, err);
	}
}

/* --- several ---------------------------------------------------------------------------------- */

/* The kinds whose keys are not the same in all rows: asking by one of them as well would tell them apart. */
static unsigned int
telling_kinds(const struct row *rows, size_t count)
{
	struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth;
	unsigned int kinds = 0;

	for (size_t i = 0; i < count; i++) {
		size_t key_count = match_row(&rows[i], keys, &bad_birth);

		for (size_t k = 0; k < key_count; k++) {
			for (size_t other = 0; other < count; other++) {
				if (!match_agrees(&rows[other], &keys[k]))
					kinds |= 1u << keys[k].kind;
			}
		}
	}
	az_wipe(keys, sizeof(keys));
	return kinds;
}

static void
reply_several(struct look *look, const struct az_ticket *ticket, unsigned int kinds)
{
	struct request *request = look->request;
	struct wire_writer writer = reply_begin(request, FRONT_FAILED);
	char text[AZ_ERR_TEXT_SIZE];
	bool many = look->matches > MATCHES_MAX;

	(void)snprintf(text, sizeof(text), "%s: %s%zu people match; ask by what tells them apart",
	    look_verb(look), many ? "more than " : "", many ? (size_t)MATCHES_MAX : look->matches);
	wire_put_u8(&writer, AZ_SEVERAL);
	wire_put_text(&writer, text);
	answer_object(&writer, NULL);
	answer_uint(&writer, "matches", many ? MATCHES_MAX + 1 : look->matches);
	answer_array(&writer, "kinds");
	for (unsigned int kind = MATCH_NUMBER; kind < MATCH_ASKED; kind++) {
		const char *name = match_kind_name((enum match_kind)kind);

		if ((kinds & (1u << kind)) != 0 && name != NULL)
			answer_text(&writer, NULL, name);
	}
	answer_end(&writer);
	answer_ledger(&writer, request->custody, ticket);
	answer_end(&writer);
	look_free(look);
	reply_end(request, &writer);
}

static void
ambiguous_is_durable(void *arg, const struct az_ticket *ticket)
{
	struct look *look = arg;
	struct custody *custody = look->request->custody;
	struct row rows[MATCHES_MAX];
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	unsigned int kinds = 0;
	size_t opened = 0;
	size_t at = 0;

	if (look->matches <= MATCHES_MAX) {
		for (at = 0; at < look->count; at++) {
			const struct candidate *candidate = &look->candidates[at];

			status = row_open(custody, ticket, &candidate->named,
			    bytes_make(candidate->sealed, candidate->sealed_size), &look->key,
			    custody->arena, &rows[opened], NULL, &err);
			if (status == AZ_OK)
				opened++;
			else if (status == AZ_NOT_FOUND)
				status = AZ_OK; /* corrected: it tells nothing apart */
			else
				break;
		}
		if (status == AZ_OK)
			kinds = telling_kinds(rows, opened);
	}
	arena_reset(custody->arena);
	if (status == AZ_OK) {
		reply_several(look, ticket, kinds);
	} else if (status == AZ_FORGED) {
		look_withhold(
		    look, look->candidates[at].named.record, look->candidates[at].named.told);
	} else {
		look_fail(look, status, &err);
	}
}

/* --- deciding --------------------------------------------------------------------------------- */

void
look_decide(struct look *look)
{
	/* A row that the catalogue knows and the vault did not give. */
	for (size_t i = 0; i < look->count && look->matches <= MATCHES_MAX; i++) {
		if (look->candidates[i].sealed == NULL) {
			look_withhold(
			    look, look->candidates[i].named.record, look->candidates[i].named.told);
			return;
		}
	}
	if (look->matches == 0) {
		look_log_within_budget(look, ENTRY_NOT_FOUND, AZ_NOT_FOUND, not_found_is_durable);
	} else if (look->matches > 1) {
		look_log_within_budget(look, ENTRY_AMBIGUOUS, AZ_SEVERAL, ambiguous_is_durable);
	} else {
		look->entry.record = look->candidates[0].named.record;
		look->entry.version = look->candidates[0].named.told;
		look->kind->found(look);
	}
}

/* --- the start -------------------------------------------------------------------------------- */

/* Whether this human may see people of this client for this purpose; refuses if not. */
static bool
is_granted(struct request *request, const struct front_look *asked,
    const struct purpose **ret_purpose, struct grant *ret_grant,
    const struct campaign **ret_campaign)
{
	struct custody *custody = request->custody;
	const struct staff *staff = people_staff(custody->people, request->staff);
	enum role role = staff != NULL ? staff->role : ROLE_NONE;
	const struct client *client = policy_client_labelled(custody->policy, asked->client);
	const struct purpose *purpose = NULL;
	struct whereabouts where = request_whereabouts(request, role);
	int32_t today = (int32_t)(house_now_us(request->custody) / AZ_US_PER_DAY);
	struct az_err err = {0};
	enum az_status status = AZ_DENIED;

	if (policy_permit(role, request->verb, custody_stage(custody), &err) == PERMIT_YES)
		status = AZ_OK;
	if (status == AZ_OK && client != NULL)
		purpose = policy_purpose_labelled(custody->policy, client->id, asked->purpose);
	if (status == AZ_OK && purpose == NULL)
		status = az_fail(&err, AZ_DENIED, "%s: there is no purpose %s/%s",
		    verb_name(request->verb), asked->client, asked->purpose);
	if (status == AZ_OK &&
	    (reason_name((enum reason)asked->reason) == NULL ||
		basis_name((enum basis)asked->basis) == NULL))
		status = az_fail(&err, AZ_DENIED, "%s: a reason and a basis are needed",
		    verb_name(request->verb));
	if (status == AZ_OK)
		status = policy_grant(client, purpose, role, &where, today, ret_grant, &err);
	if (status == AZ_OK && guard_state_of(custody, request->device) == GUARD_SILENT)
		status = policy_narrow(ret_grant, &err);
	if (status == AZ_OK)
		status = campaign_admits(
		    custody, purpose, asked->campaign, request->staff, ret_campaign, &err);
	if (client != NULL)
		request->log = client->id;
	if (status == AZ_OK) {
		*ret_purpose = purpose;
		return true;
	}
	err.status = status;
	request_refuse(request, &err);
	return false;
}

/* The look itself, with the consignments that it asks. */
static enum az_status
make(const struct request *request, const struct purpose *purpose, const struct look_kind *kind,
    struct look **ret_look, struct az_err *reterr)
{
	const struct live_list *live = live_of(request->custody, purpose->id);
	struct look *look;

	if (live->asked > VAULT_LOOKUPS_MAX)
		return az_fail(reterr, AZ_LIMIT, "%s: the purpose has more than %u lists",
		    verb_name(request->verb), VAULT_LOOKUPS_MAX);
	look = calloc(1, kind->size);
	if (look != NULL)
		look->asked = calloc(live->asked + 1, sizeof(*look->asked));
	if (look == NULL || look->asked == NULL) {
		free(look);
		return az_fail(reterr, AZ_NO_MEMORY, "%s: out of memory", verb_name(request->verb));
	}
	look->kind = kind;
	look->asked_count = live->asked;
	if (live->asked > 0)
		memcpy(look->asked, live->items, live->asked * sizeof(*look->asked));
	*ret_look = look;
	return AZ_OK;
}

/* The key that is asked by. */
static enum az_status
set_key(struct look *look, const struct front_look *asked, struct az_err *reterr)
{
	struct row what = {0};
	enum az_status status;

	look->record = asked->record;
	if (asked->record != 0)
		return AZ_OK;
	for (uint8_t i = 0; i < asked->by_count; i++)
		what.values[asked->by[i].field] = asked->by[i].value;
	status = match_query(&what, &look->key, reterr);
	if (status == AZ_OK)
		status = correction_key(look->request->custody, look->grant.client, &look->key,
		    look->key_digest, reterr);
	look->entry.kinds = (uint16_t)(1u << look->key.kind);
	return status;
}

struct look *
look_new(struct request *request, const struct front_look *asked, const struct look_kind *kind)
{
	const struct purpose *purpose = NULL;
	const struct campaign *campaign = NULL;
	struct look *look = NULL;
	struct grant grant;
	struct az_err err = {0};
	enum az_status status;

	if (!is_granted(request, asked, &purpose, &grant, &campaign))
		return NULL;
	status = make(request, purpose, kind, &look, &err);
	if (status != AZ_OK || look == NULL) {
		request_fail_with(request, status, &err);
		return NULL;
	}
	look->request = request;
	look->grant = grant;
	look->campaign = campaign != NULL ? campaign->id : 0;
	memcpy(look->call, asked->call, sizeof(look->call));
	look->entry = request_entry(request, ENTRY_NONE);
	look->entry.log = grant.client;
	look->entry.zone = grant.zone;
	look->entry.purpose = purpose->id;
	look->entry.campaign = look->campaign;
	look->entry.reason = asked->reason;
	look->entry.basis = asked->basis;
	status = set_key(look, asked, &err);
	if (status != AZ_OK) {
		look_fail(look, status, &err);
		return NULL;
	}
	return look;
}
