/*
 * Clients and purposes, by id and by label.
 *
 * A label is asked for with every disclosure, so it is found through a hash table. Closed things stay in
 * their tables for ever, since the ledger names them by id, but are not found by label.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/policy_internal.h"

enum az_status
policy_new(struct policy **ret_policy, struct az_err *reterr)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (policy == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "policy: out of memory");
	policy->client_next = 1;
	policy->purpose_next = 1;
	policy->approval_next = 1;
	*ret_policy = policy;
	return AZ_OK;
}

void
policy_free(struct policy **policy)
{
	struct policy *freed = *policy;

	if (freed == NULL)
		return;
	for (uint32_t i = 0; i < freed->client_room; i++)
		free(freed->clients[i]);
	for (uint32_t i = 0; i < freed->purpose_room; i++)
		free(freed->purposes[i]);
	policy_free_approvals(freed);
	policy_free_zones(freed);
	free(freed->clients);
	free(freed->purposes);
	free(freed->client_labels.slots);
	free(freed->purpose_labels.slots);
	free(freed);
	*policy = NULL;
}

/* --- finding ---------------------------------------------------------------------------------- */

const struct client *
policy_client(const struct policy *policy, uint32_t id)
{
	return id == 0 || id > policy->client_room ? NULL : policy->clients[id - 1];
}

const struct purpose *
policy_purpose(const struct policy *policy, uint32_t id)
{
	return id == 0 || id > policy->purpose_room ? NULL : policy->purposes[id - 1];
}

/* FNV-1a over a label and the client it belongs to; labels are no secrets, and officers choose them. */
static size_t
label_hash(uint32_t client, const char *label)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ client;

	for (; *label != '\0'; label++)
		hash = (hash ^ (uint8_t)*label) * UINT64_C(1099511628211);
	return (size_t)(hash ^ hash >> 32);
}

const struct client *
policy_client_labelled(const struct policy *policy, const char *label)
{
	const struct label_index *index = &policy->client_labels;

	if (index->room == 0)
		return NULL;
	for (size_t slot = label_hash(0, label);; slot++) {
		uint32_t id = index->slots[slot & (index->room - 1)];
		const struct client *client = policy_client(policy, id);

		if (id == 0 || client == NULL)
			return NULL;
		if (client->closed_us == 0 && strcmp(client->label, label) == 0)
			return client;
	}
}

const struct purpose *
policy_purpose_labelled(const struct policy *policy, uint32_t client, const char *label)
{
	const struct label_index *index = &policy->purpose_labels;

	if (index->room == 0)
		return NULL;
	for (size_t slot = label_hash(client, label);; slot++) {
		uint32_t id = index->slots[slot & (index->room - 1)];
		const struct purpose *purpose = policy_purpose(policy, id);

		if (id == 0 || purpose == NULL)
			return NULL;
		if (purpose->client == client && purpose->closed_us == 0 &&
		    strcmp(purpose->label, label) == 0)
			return purpose;
	}
}

uint32_t
policy_next_client(const struct policy *policy)
{
	return policy->client_next;
}

uint32_t
policy_next_purpose(const struct policy *policy)
{
	return policy->purpose_next;
}

void
policy_each_client(
    const struct policy *policy, void (*visit)(void *arg, const struct client *client), void *arg)
{
	for (uint32_t i = 0; i < policy->client_room; i++) {
		if (policy->clients[i] != NULL)
			visit(arg, policy->clients[i]);
	}
}

void
policy_each_purpose(const struct policy *policy, uint32_t client,
    void (*visit)(void *arg, const struct purpose *purpose), void *arg)
{
	for (uint32_t i = 0; i < policy->purpose_room; i++) {
		const struct purpose *purpose = policy->purposes[i];

		if (purpose != NULL && (client == 0 || purpose->client == client))
			visit(arg, purpose);
	}
}

/* --- what may be added ------------------------------------------------------------------------ */

enum az_status
policy_may_add_client(
    const struct policy *policy, const struct client *client, struct az_err *reterr)
{
	if (!label_is_valid(client->label))
		return az_fail(reterr, AZ_INVALID, "client: the label is not a valid one");
	if (!name_is_valid(client->name))
		return az_fail(
		    reterr, AZ_INVALID, "client %s: a valid name is needed", client->label);
	if (client->category[0] != '\0' && !name_is_valid(client->category))
		return az_fail(
		    reterr, AZ_INVALID, "client %s: the category is not valid", client->label);
	if (policy->client_next > POLICY_CLIENTS_MAX)
		return az_fail(reterr, AZ_LIMIT,
		    "client %s: the house has no more numbers for clients", client->label);
	if (policy_client_labelled(policy, client->label) != NULL)
		return az_fail(reterr, AZ_CONFLICT, "client %s: there is one of that label already",
		    client->label);
	return AZ_OK;
}

/* Whether a mask can be taken of a field. */
static bool
mask_fits(const struct purpose_field *field)
{
	unsigned int known;
	bool built_in = field_parse(field->name, &known);

	switch (field->mask) {
	case MASK_FULL:
	case MASK_LAST4:
	case MASK_FIRST:
	case MASK_CHECK: return true;
	case MASK_YEAR: return built_in && known == FIELD_BIRTH;
	case MASK_DOMAIN: return built_in && known == FIELD_EMAIL;
	case MASK_HIDDEN: return !built_in;
	default: return false;
	}
}

static enum az_status
check_fields(const struct purpose *purpose, struct az_err *reterr)
{
	unsigned int known;
	bool any = false;

	if ((purpose->allows & ~CLASSES_TO_ALLOW) != 0)
		return az_fail(reterr, AZ_INVALID, "purpose %s: it can allow card and my-number",
		    purpose->label);
	if (purpose->field_count == 0 || purpose->field_count > FIELD_COUNT)
		return az_fail(
		    reterr, AZ_INVALID, "purpose %s: it must show a field", purpose->label);
	for (uint8_t i = 0; i < purpose->field_count; i++) {
		const struct purpose_field *field = &purpose->fields[i];

		if (!field_parse(field->name, &known) && !field_is_x_name(field->name))
			return az_fail(reterr, AZ_INVALID, "purpose %s: field %u is no field",
			    purpose->label, i + 1u);
		if (class_name(field->class) == NULL ||
		    (field_parse(field->name, &known) && field->class != field_class(known)))
			return az_fail(reterr, AZ_INVALID, "purpose %s: the class of %s is its own",
			    purpose->label, field->name);
		any |= field->mask != MASK_HIDDEN && field->mask != MASK_CHECK;
		if (field->unmask &&
		    (field->mask == MASK_FULL || field->mask == MASK_HIDDEN ||
			field->mask == MASK_CHECK))
			return az_fail(reterr, AZ_INVALID,
			    "purpose %s: %s is not shown in part, and cannot be unmasked",
			    purpose->label, field->name);
		if (!mask_fits(field))
			return az_fail(reterr, AZ_INVALID,
			    "purpose %s: the mask does not fit the field %s", purpose->label,
			    field->name);
		for (uint8_t other = 0; other < i; other++) {
			if (strcmp(purpose->fields[other].name, field->name) == 0)
				return az_fail(reterr, AZ_INVALID, "purpose %s: %s is there twice",
				    purpose->label, field->name);
		}
	}
	if (!any)
		return az_fail(
		    reterr, AZ_INVALID, "purpose %s: it must show a field", purpose->label);
	return AZ_OK;
}

enum az_status
policy_may_add_purpose(const struct policy *policy, const struct purpose *purpose, int32_t today,
    struct az_err *reterr)
{
	const uint32_t may_see = 1u << ROLE_AGENT | 1u << ROLE_SUPERVISOR | 1u << ROLE_INVESTIGATOR;
	const struct client *client = policy_client(policy, purpose->client);

	if (!label_is_valid(purpose->label))
		return az_fail(reterr, AZ_INVALID, "purpose: the label is not a valid one");
	if (client == NULL || client->closed_us != 0)
		return az_fail(
		    reterr, AZ_NOT_FOUND, "purpose %s: there is no such client", purpose->label);
	if (purpose->roles == 0 || (purpose->roles & ~may_see) != 0)
		return az_fail(reterr, AZ_INVALID,
		    "purpose %s: the roles must be some of agent, supervisor, investigator",
		    purpose->label);
	if (purpose->until < today)
		return az_fail(
		    reterr, AZ_INVALID, "purpose %s: it would have ended", purpose->label);
	if (policy->purpose_next > POLICY_PURPOSES_MAX)
		return az_fail(reterr, AZ_LIMIT,
		    "purpose %s: the house has no more numbers for purposes", purpose->label);
	if (policy_purpose_labelled(policy, purpose->client, purpose->label) != NULL)
		return az_fail(reterr, AZ_CONFLICT,
		    "purpose %s: there is one of that label already", purpose->label);
	return check_fields(purpose, reterr);
}

/* --- putting ---------------------------------------------------------------------------------- */

static void
index_insert(struct label_index *index, size_t hash, uint32_t id)
{
	while (index->slots[hash & (index->room - 1)] != 0)
		hash++;
	index->slots[hash & (index->room - 1)] = id;
	index->count++;
}

/* Room for one more; hash_of tells where an id belongs. */
static bool
index_reserve(struct label_index *index, const struct policy *policy,
    size_t (*hash_of)(const struct policy *policy, uint32_t id))
{
	struct label_index larger = {.room = index->room == 0 ? 64 : 2 * index->room};

	if (2 * (index->count + 1) <= index->room)
		return true;
	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < index->room; i++) {
		if (index->slots[i] != 0)
			index_insert(&larger, hash_of(policy, index->slots[i]), index->slots[i]);
	}
	free(index->slots);
	*index = larger;
	return true;
}

static size_t
client_hash(const struct policy *policy, uint32_t id)
{
	return label_hash(0, policy->clients[id - 1]->label);
}

static size_t
purpose_hash(const struct policy *policy, uint32_t id)
{
	const struct purpose *purpose = policy->purposes[id - 1];

	return label_hash(purpose->client, purpose->label);
}

bool
policy_reserve(void ***list, uint32_t *room, uint32_t id)
{
	uint32_t larger = *room == 0 ? 64 : *room;
	void **grown;

	if (id <= *room)
		return true;
	while (larger < id)
		larger *= 2;
	grown = reallocarray(*list, larger, sizeof(void *));
	if (grown == NULL)
		return false;
	memset(grown + *room, 0, (larger - *room) * sizeof(void *));
	*list = grown;
	*room = larger;
	return true;
}

enum az_status
policy_put_client(struct policy *policy, const struct client *client, struct az_err *reterr)
{
	void **list = (void **)policy->clients;
	struct client *copy;
	bool grown;

	if (client->id == 0 || client->id > POLICY_CLIENTS_MAX)
		return az_fail(reterr, AZ_INVALID, "client %u: not a valid number", client->id);
	grown = policy_reserve(&list, &policy->client_room, client->id);
	policy->clients = (struct client **)list;
	if (grown && policy->clients[client->id - 1] != NULL) {
		/* A label never changes, so the index still leads here. */
		*policy->clients[client->id - 1] = *client;
		return AZ_OK;
	}
	copy = grown ? malloc(sizeof(*copy)) : NULL;
	if (copy == NULL || !index_reserve(&policy->client_labels, policy, client_hash)) {
		free(copy);
		return az_fail(reterr, AZ_NO_MEMORY, "client %u: out of memory", client->id);
	}
	*copy = *client;
	policy->clients[client->id - 1] = copy;
	index_insert(&policy->client_labels, label_hash(0, client->label), client->id);
	if (client->id >= policy->client_next)
		policy->client_next = client->id + 1;
	return AZ_OK;
}

enum az_status
policy_put_purpose(struct policy *policy, const struct purpose *purpose, struct az_err *reterr)
{
	void **list = (void **)policy->purposes;
	struct purpose *copy;
	bool grown;

	if (purpose->id == 0 || purpose->id > POLICY_PURPOSES_MAX)
		return az_fail(reterr, AZ_INVALID, "purpose %u: not a valid number", purpose->id);
	grown = policy_reserve(&list, &policy->purpose_room, purpose->id);
	policy->purposes = (struct purpose **)list;
	if (grown && policy->purposes[purpose->id - 1] != NULL) {
		*policy->purposes[purpose->id - 1] = *purpose;
		return AZ_OK;
	}
	copy = grown ? malloc(sizeof(*copy)) : NULL;
	if (copy == NULL || !index_reserve(&policy->purpose_labels, policy, purpose_hash)) {
		free(copy);
		return az_fail(reterr, AZ_NO_MEMORY, "purpose %u: out of memory", purpose->id);
	}
	*copy = *purpose;
	policy->purposes[purpose->id - 1] = copy;
	index_insert(
	    &policy->purpose_labels, label_hash(purpose->client, purpose->label), purpose->id);
	if (purpose->id >= policy->purpose_next)
		policy->purpose_next = purpose->id + 1;
	return AZ_OK;
}
