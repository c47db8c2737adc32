/*
 * What is derived from the keys of the ring (docs/format/keys.md). Each consignment's keys come from its
 * own random key, so that forgetting that one forgets its rows, tokens and run together; the digests of
 * the catalogue come from the house, since they must agree across the consignments of a client.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/custody_internal.h"

void
consignment_keys_free(struct consignment_keys **keys)
{
	if (*keys == NULL)
		return;
	seal_key_free(&(*keys)->row);
	for (unsigned int kind = 0; kind < MATCH_ASKED; kind++)
		mac_free(&(*keys)->tokens[kind]);
	mac_free(&(*keys)->block);
	secret_free(&(*keys)->run);
	secret_free(&(*keys)->prints);
	free(*keys);
	*keys = NULL;
}

static enum az_status
derive_mac(const struct secret *key, const uint8_t house[HOUSE_ID_SIZE], const char *label,
    uint64_t number, struct mac **ret_mac, struct az_err *reterr)
{
	struct secret *derived = NULL;
	enum az_status status = kdf_derive(key, house, label, number, &derived, reterr);

	if (status == AZ_OK)
		status = mac_new(secret_peek(derived), ret_mac, reterr);
	secret_free(&derived);
	return status;
}

enum az_status
consignment_keys_new(const struct secret *key, const uint8_t house[HOUSE_ID_SIZE],
    struct consignment_keys **ret_keys, struct az_err *reterr)
{
	struct consignment_keys *keys = calloc(1, sizeof(*keys));
	struct secret *row = NULL;
	enum az_status status;

	if (keys == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "consignment: out of memory");
	status = kdf_derive(key, house, "row", 0, &row, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(row), &keys->row, reterr);
	secret_free(&row);
	for (unsigned int kind = MATCH_NUMBER + 1; status == AZ_OK && kind < MATCH_ASKED; kind++)
		status = derive_mac(key, house, "token", kind, &keys->tokens[kind], reterr);
	if (status == AZ_OK)
		status = derive_mac(key, house, "token-block", 0, &keys->block, reterr);
	if (status == AZ_OK)
		status = kdf_derive(key, house, "run", 0, &keys->run, reterr);
	if (status == AZ_OK)
		status = kdf_derive(key, house, "prints", 0, &keys->prints, reterr);
	if (status == AZ_OK)
		*ret_keys = keys;
	else
		consignment_keys_free(&keys);
	return status;
}

enum az_status
keys_of(struct custody *custody, struct consignment *consignment, struct az_err *reterr)
{
	const struct secret *key;

	if (consignment->keys != NULL)
		return AZ_OK;
	key = ring_consignment(custody->ring, consignment->client, consignment->id);
	if (key == NULL)
		return az_fail(reterr, AZ_FORGED,
		    "consignment %llu: the key ring has no key for it",
		    (unsigned long long)consignment->id);
	return consignment_keys_new(key, custody->config.house, &consignment->keys, reterr);
}

enum az_status
keys_of_client(struct custody *custody, uint32_t client, const struct client_keys **ret_keys,
    struct az_err *reterr)
{
	const uint8_t *house = custody->config.house;
	struct client_keys *keys;
	enum az_status status;

	if (client >= custody->client_keys_room) {
		size_t room = (size_t)client + 1;
		struct client_keys **list =
		    reallocarray(custody->client_keys, room, sizeof(struct client_keys *));

		if (list == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "client: out of memory");
		memset(list + custody->client_keys_room, 0,
		    (room - custody->client_keys_room) * sizeof(struct client_keys *));
		custody->client_keys = list;
		custody->client_keys_room = room;
	}
	/* Each by itself: a list that is on its way in keeps its client's, while others are made. */
	keys = custody->client_keys[client];
	if (keys == NULL) {
		keys = calloc(1, sizeof(*keys));
		if (keys == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "client: out of memory");
		keys->client = client;
		custody->client_keys[client] = keys;
	}
	if (keys->content == NULL) {
		if (keys->number == NULL) {
			status = derive_mac(
			    custody->catalogue_key, house, "number", client, &keys->number, reterr);
			if (status != AZ_OK)
				return status;
		}
		status = derive_mac(
		    custody->catalogue_key, house, "content", client, &keys->content, reterr);
		if (status != AZ_OK)
			return status;
	}
	if (keys->corrected == NULL) {
		status = derive_mac(
		    custody->catalogue_key, house, "corrected", client, &keys->corrected, reterr);
		if (status != AZ_OK)
			return status;
	}
	*ret_keys = keys;
	return AZ_OK;
}

/* A MAC of one range, cut. */
static void
mac_cut(const struct mac *mac, struct bytes bytes, uint8_t *ret, size_t size)
{
	uint8_t digest[SHA256_SIZE];

	mac_compute(mac, &bytes, 1, digest);
	memcpy(ret, digest, size);
	az_wipe(digest, sizeof(digest));
}

void
number_digest(
    const struct client_keys *keys, struct bytes key, uint8_t ret_digest[CATALOGUE_DIGEST_SIZE])
{
	/* A client's numbers lie together, so that a list of one costs the same however many others there are. */
	wire_store_u32be(ret_digest, keys->client);
	mac_cut(keys->number, key, ret_digest + 4, CATALOGUE_DIGEST_SIZE - 4);
}

void
content_digest(
    const struct client_keys *keys, struct bytes encoded, uint8_t ret_digest[CATALOGUE_DIGEST_SIZE])
{
	mac_cut(keys->content, encoded, ret_digest, CATALOGUE_DIGEST_SIZE);
}

void
token_make(const struct consignment_keys *keys, enum match_kind kind, struct bytes key,
    uint8_t ret_token[TOKEN_SIZE])
{
	mac_cut(keys->tokens[kind], key, ret_token, TOKEN_SIZE);
}

void
block_mac(const struct consignment_keys *keys, struct bytes block, uint8_t ret_mac[TOKEN_MAC_SIZE])
{
	mac_cut(keys->block, block, ret_mac, TOKEN_MAC_SIZE);
}

void
row_place(const uint8_t house[HOUSE_ID_SIZE], uint32_t client, uint64_t consignment,
    uint32_t record, uint32_t version, struct row_place *ret_place)
{
	uint8_t *bytes = ret_place->bytes;

	memcpy(bytes, house, HOUSE_ID_SIZE);
	wire_store_u32(bytes + 16, client);
	wire_store_u64(bytes + 20, consignment);
	wire_store_u32(bytes + 28, record);
	wire_store_u32(bytes + 32, version);
	wire_store_u16(bytes + 36, ROW_LAYOUT);
}
