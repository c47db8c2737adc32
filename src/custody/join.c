/*
 * Lists without numbers: who a row is, by what people are joined by.
 *
 * The tokens of the client's lists are fetched from the vault block by block, each with the keeper's MAC, covering the
 * order of tokens without a gap, so that the vault can neither invent nor hide anybody. Held in memory, sorted as they
 * come; a row's keys become tokens under each list's key, and are looked for there. Nothing is opened.
 *
 *	every kind that is stated names the same one person      it is that person
 *	several persons agree in all of them                     refused
 *	name with birth or address names somebody, the rest not  refused: they may have moved, or be somebody else
 *	only a telephone or an address of mail is somebody's     somebody new, and told as doubtful: households share them
 *	nothing names anybody                                    somebody new
 *
 * A person counts in the newest list of each purpose that has them, as everywhere. What was corrected since is not looked
 * for: such a row agrees in part only, and is refused rather than merged or doubled.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"

#define ENTRY_SIZE     (TOKEN_SIZE + 4u) /* token, record u32 */
#define BYTES_MAX      ((size_t)1 << 30) /* of all tokens in memory */
#define CANDIDATES_MAX 64u
/* Kinds that are one person's, unlike a telephone. */
#define PERSONAL (1u << MATCH_NAME_BIRTH | 1u << MATCH_NAME_PLACE)

/* The tokens of one kind of one list, ascending. */
struct join_part {
	const struct consignment *list;
	enum match_kind kind;
	uint8_t *entries;
	size_t count, room;
};

struct join {
	const struct consignment **lists; /* of the client, whatever the purpose */
	size_t list_count;
	struct join_part *parts;
	size_t part_count;
	size_t bytes;
};

/* --- the client's lists ----------------------------------------------------------------------- */

static enum az_status
add_list(struct bulk *bulk, struct consignment *list, struct az_err *reterr)
{
	if (list->match_version != MATCH_VERSION)
		return az_fail(reterr, AZ_CONFLICT,
		    "entrust: consignment %llu has match keys of another release: nobody can be "
		    "joined to it",
		    (unsigned long long)list->id);
	bulk->joined->lists[bulk->joined->list_count++] = list;
	/* Now, since the threads may not. */
	return keys_of(bulk->custody, list, reterr);
}

enum az_status
join_new(struct bulk *bulk, struct az_err *reterr)
{
	struct custody *custody = bulk->custody;
	enum az_status status = AZ_OK;

	if (bulk->join == 0)
		return AZ_OK;
	bulk->joined = calloc(1, sizeof(*bulk->joined));
	if (bulk->joined == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "entrust: out of memory");
	bulk->joined->lists = calloc(custody->consignment_count + 1, sizeof(*bulk->joined->lists));
	bulk->joined->parts =
	    calloc((custody->consignment_count + 1) * MATCH_ASKED, sizeof(*bulk->joined->parts));
	if (bulk->joined->lists == NULL || bulk->joined->parts == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "entrust: out of memory");
	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		struct consignment *list = custody->consignments[i];

		if (list->client == bulk->client.id && list->active && list->mode != LIST_WITHDRAW)
			status = add_list(bulk, list, reterr);
	}
	return status;
}

void
join_free(struct bulk *bulk)
{
	if (bulk->joined == NULL)
		return;
	for (size_t i = 0; i < bulk->joined->part_count; i++)
		free(bulk->joined->parts[i].entries);
	free(bulk->joined->parts);
	free(bulk->joined->lists);
	free(bulk->joined);
	bulk->joined = NULL;
}

/* --- loading ---------------------------------------------------------------------------------- */

static enum az_status
add_entries(struct join *join, struct join_part *part, const struct token_block *block,
    struct az_err *reterr)
{
	if (part->count + block->count > part->room) {
		size_t room = (part->count + block->count) * 2 + 1024;
		uint8_t *entries;

		join->bytes += (room - part->room) * ENTRY_SIZE;
		if (join->bytes > BYTES_MAX)
			return az_fail(reterr, AZ_LIMIT,
			    "the client has too many people to join a list without numbers to");
		entries = reallocarray(part->entries, room, ENTRY_SIZE);
		if (entries == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "the list: out of memory");
		part->entries = entries;
		part->room = room;
	}
	for (uint16_t i = 0; i < block->count; i++) {
		uint8_t *entry = part->entries + part->count++ * ENTRY_SIZE;

		memcpy(entry, block->entries[i].token, TOKEN_SIZE);
		wire_store_u32(entry + TOKEN_SIZE, block->entries[i].record);
	}
	return AZ_OK;
}

/* The block behind the one that ended at next: the keeper's own, and without a gap. */
static enum az_status
take_block(struct join *join, struct join_part *part, struct bytes bytes, uint8_t next[TOKEN_SIZE],
    bool *ret_last, struct az_err *reterr)
{
	struct token_block block;
	uint8_t mac[TOKEN_MAC_SIZE];
	struct bytes given = {0};

	if (token_block_decode(bytes, &block, &given) != AZ_OK)
		goto forged;
	block_mac(part->list->keys, bytes_make(bytes.data, bytes.size - TOKEN_MAC_SIZE), mac);
	if (!bytes_equal(given, bytes_make(mac, sizeof(mac))) ||
	    block.consignment != part->list->id || block.kind != part->kind ||
	    !bytes_equal(bytes_make(block.lower, TOKEN_SIZE), bytes_make(next, TOKEN_SIZE)))
		goto forged;
	memcpy(next, block.upper, TOKEN_SIZE);
	*ret_last = block.last;
	return add_entries(join, part, &block, reterr);
forged:
	return az_fail(reterr, AZ_FORGED, "vault: consignment %llu: it hides or changed tokens",
	    (unsigned long long)part->list->id);
}

static enum az_status
load_part(struct bulk *bulk, struct join_part *part, struct az_err *reterr)
{
	uint8_t next[TOKEN_SIZE] = {0};
	bool last = false;
	enum az_status status = AZ_OK;

	while (status == AZ_OK && !last) {
		struct wire_reader reader;
		uint32_t count;

		status = bulk_ask_blocks(bulk, part->list->id, part->kind, next, reterr);
		if (status != AZ_OK)
			break;
		wire_reader_init(&reader, buffer_peek(&bulk->given));
		count = wire_get_count(&reader, VAULT_BODY_MAX, 4);
		if (count == 0)
			reader.failed = true;
		for (uint32_t i = 0; i < count && status == AZ_OK && !reader.failed; i++) {
			struct bytes block = wire_get_bytes(&reader, TOKEN_BLOCK_SIZE_MAX);

			if (last)
				reader.failed = true;
			if (!reader.failed)
				status = take_block(bulk->joined, part, block, next, &last, reterr);
		}
		if (status == AZ_OK && !wire_end(&reader))
			status = az_fail(reterr, AZ_FORGED,
			    "vault: consignment %llu: it hides or changed tokens",
			    (unsigned long long)part->list->id);
	}
	return status;
}

enum az_status
join_load(struct bulk *bulk, struct az_err *reterr)
{
	struct join *join = bulk->joined;
	enum az_status status = AZ_OK;

	if (join == NULL)
		return AZ_OK;
	for (size_t i = 0; i < join->list_count && status == AZ_OK; i++) {
		for (unsigned int kind = MATCH_NUMBER + 1; kind < MATCH_ASKED; kind++) {
			struct join_part *part = &join->parts[join->part_count];

			if ((bulk->join & (1u << kind)) == 0 || status != AZ_OK)
				continue;
			*part = (struct join_part){
			    .list = join->lists[i], .kind = (enum match_kind)kind};
			join->part_count++;
			status = load_part(bulk, part, reterr);
		}
	}
	return status;
}

/* --- a row ------------------------------------------------------------------------------------ */

struct candidate {
	uint32_t record;
	unsigned int kinds; /* in which it agrees */
};

struct search {
	struct bulk_worker *worker;
	struct candidate candidates[CANDIDATES_MAX];
	size_t count;
	bool too_many; /* of whom some are not among the candidates */
};

/* Whether a list is the newest of its purpose that has the record. */
struct newest {
	const struct join *join;
	const struct consignment *list;
	bool is_newest;
};

static bool
visit_entry(void *arg, const struct catalogue_entry *entry)
{
	struct newest *newest = arg;
	const struct join *join = newest->join;

	for (size_t i = 0; i < join->list_count; i++) {
		if (join->lists[i]->id == entry->consignment &&
		    join->lists[i]->purpose == newest->list->purpose &&
		    consignment_is_newer(
			entry->as_of, entry->consignment, newest->list->as_of, newest->list->id))
			newest->is_newest = false;
	}
	return newest->is_newest;
}

static enum az_status
add_candidate(
    struct search *search, const struct join_part *part, uint32_t record, struct az_err *reterr)
{
	struct newest newest = {
	    .join = search->worker->bulk->joined, .list = part->list, .is_newest = true};
	enum az_status status =
	    catalogue_entries(search->worker->reader, record, visit_entry, &newest, reterr);

	if (status == AZ_NOT_FOUND)
		return az_fail(
		    reterr, AZ_FORGED, "record %u: the catalogue does not know it", record);
	if (status != AZ_OK || !newest.is_newest)
		return status;
	for (size_t i = 0; i < search->count; i++) {
		if (search->candidates[i].record == record) {
			search->candidates[i].kinds |= 1u << part->kind;
			return AZ_OK;
		}
	}
	if (search->count == CANDIDATES_MAX) {
		search->too_many = true;
		return AZ_OK;
	}
	search->candidates[search->count++] =
	    (struct candidate){.record = record, .kinds = 1u << part->kind};
	return AZ_OK;
}

/* The first entry of a part that is not below the token. */
static size_t
lower_bound(const struct join_part *part, const uint8_t token[TOKEN_SIZE])
{
	size_t low = 0;
	size_t high = part->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(bytes_make(part->entries + middle * ENTRY_SIZE, TOKEN_SIZE),
			bytes_make(token, TOKEN_SIZE)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* All who have the key in that list. */
static enum az_status
search_part(
    struct search *search, const struct join_part *part, struct bytes key, struct az_err *reterr)
{
	uint8_t token[TOKEN_SIZE];
	size_t same = 0;
	enum az_status status = AZ_OK;

	token_make(part->list->keys, part->kind, key, token);
	for (size_t at = lower_bound(part, token); at < part->count && status == AZ_OK; at++) {
		const uint8_t *entry = part->entries + at * ENTRY_SIZE;

		if (!bytes_equal(bytes_make(entry, TOKEN_SIZE), bytes_make(token, TOKEN_SIZE)))
			break;
		same++;
		status = add_candidate(search, part, wire_load_u32(entry + TOKEN_SIZE), reterr);
	}
	/* The block leaves out the rest of a key that very many share. */
	search->too_many |= same > TOKEN_SHARED_MAX;
	return status;
}

static enum az_status
search_row(struct search *search, const struct bulk_row *row, unsigned int *ret_kinds,
    struct az_err *reterr)
{
	const struct bulk *bulk = search->worker->bulk;
	const struct join *join = bulk->joined;
	enum az_status status = AZ_OK;

	*ret_kinds = 0;
	for (uint8_t k = 0; k < row->in.key_count; k++) {
		const struct intake_key *key = &row->in.keys[k];

		if ((bulk->join & (1u << key->kind)) == 0)
			continue;
		*ret_kinds |= 1u << key->kind;
		for (size_t i = 0; i < join->part_count && status == AZ_OK; i++) {
			if (join->parts[i].kind == key->kind)
				status = search_part(search, &join->parts[i], key->key, reterr);
		}
	}
	return status;
}

/* What two rows of one list may not both be: the same record, or new with the same keys. */
static void
set_once(const struct bulk *bulk, struct bulk_row *row)
{
	uint8_t digest[SHA256_SIZE];
	uint8_t head[5] = {0};
	struct sha256 hash;

	sha256_init(&hash);
	wire_store_u32(head, row->placed.record);
	sha256_update(&hash, head, sizeof(head));
	for (uint8_t k = 0; k < row->in.key_count && row->placed.record == 0; k++) {
		const struct intake_key *key = &row->in.keys[k];

		if ((bulk->join & (1u << key->kind)) == 0)
			continue;
		wire_store_u32(head, (uint32_t)key->key.size);
		head[4] = (uint8_t)key->kind;
		sha256_update(&hash, head, sizeof(head));
		sha256_update(&hash, key->key.data, key->key.size);
	}
	sha256_final(&hash, digest);
	number_digest(&bulk->client_keys, bytes_make(digest, sizeof(digest)), row->once);
	az_wipe(digest, sizeof(digest));
}

static void
decide(
    const struct bulk *bulk, const struct search *search, unsigned int kinds, struct bulk_row *row)
{
	size_t whole = 0;
	unsigned int some = 0;

	if (kinds != bulk->join) {
		row->refusal = REFUSAL_JOIN_MISSING;
		return;
	}
	for (size_t i = 0; i < search->count; i++) {
		some |= search->candidates[i].kinds;
		if (search->candidates[i].kinds != bulk->join)
			continue;
		whole++;
		row->placed.record = search->candidates[i].record;
	}
	if (search->too_many || whole > 1)
		row->refusal = REFUSAL_JOIN_SEVERAL;
	else if (whole == 0 && (some & PERSONAL) != 0)
		row->refusal = REFUSAL_JOIN_PARTIAL;
	else if (whole == 0 && bulk->consignment.mode == LIST_WITHDRAW)
		row->refusal = REFUSAL_JOIN_UNKNOWN;
	if (row->refusal != REFUSAL_NONE)
		row->placed.record = 0;
	else
		row->doubtful = whole == 0 && some != 0;
}

enum az_status
join_row(struct bulk_worker *worker, struct bulk_row *row, struct az_err *reterr)
{
	struct search search = {.worker = worker};
	unsigned int kinds = 0;
	struct az_err err = {0};
	enum az_status status = search_row(&search, row, &kinds, &err);

	if (status != AZ_OK)
		return az_fail(reterr, status, "row %u: %s", row->in.row, err.text);
	decide(worker->bulk, &search, kinds, row);
	set_once(worker->bulk, row);
	return AZ_OK;
}
