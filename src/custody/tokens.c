/*
 * A consignment's tokens of one kind: gathered, sorted, and cut into blocks that cover the whole order of
 * tokens without a gap (proto/vault.h). Where one ends the next begins, so a vault that leaves a block or a
 * token out has nothing to show in its place that the keeper would believe.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"

void
token_list_fini(struct token_list *list)
{
	free(list->entries);
	*list = (struct token_list){0};
}

enum az_status
token_list_add(struct token_list *list, const uint8_t token[TOKEN_SIZE], uint32_t record)
{
	if (list->count == BULK_TOKENS_MAX)
		return AZ_LIMIT;
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 1024 : 2 * list->room;
		struct token_entry *entries =
		    reallocarray(list->entries, room, sizeof(struct token_entry));

		if (entries == NULL)
			return AZ_NO_MEMORY;
		list->entries = entries;
		list->room = room;
	}
	memcpy(list->entries[list->count].token, token, TOKEN_SIZE);
	list->entries[list->count++].record = record;
	return AZ_OK;
}

static int
compare_tokens(const struct token_entry *a, const struct token_entry *b)
{
	return bytes_compare(bytes_make(a->token, TOKEN_SIZE), bytes_make(b->token, TOKEN_SIZE));
}

static int
compare_entries(const void *a, const void *b)
{
	const struct token_entry *left = a;
	const struct token_entry *right = b;
	int order = compare_tokens(left, right);

	if (order != 0)
		return order;
	return left->record < right->record ? -1 : left->record > right->record;
}

/* Drops what repeats, and of a token that very many share all but TOKEN_SHARED_MAX + 1. */
static void
thin_out(struct token_list *list)
{
	size_t kept = 0;
	size_t same = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct token_entry *entry = &list->entries[i];

		if (kept > 0 && compare_tokens(&list->entries[kept - 1], entry) == 0) {
			if (list->entries[kept - 1].record == entry->record ||
			    ++same > TOKEN_SHARED_MAX)
				continue;
		} else {
			same = 0;
		}
		list->entries[kept++] = *entry;
	}
	list->count = kept;
}

/* How many entries from first on belong into one block: equal tokens stay together. */
static size_t
block_size(const struct token_list *list, size_t first)
{
	size_t end = first + TOKEN_BLOCK_USUAL;

	if (end >= list->count)
		return list->count - first;
	while (
	    end < list->count && compare_tokens(&list->entries[end], &list->entries[end - 1]) == 0)
		end++;
	return end - first;
}

enum az_status
token_list_blocks(struct token_list *list, uint64_t consignment, enum match_kind kind,
    const struct consignment_keys *keys,
    enum az_status (*emit)(void *arg, struct bytes block, struct az_err *reterr), void *arg,
    struct az_err *reterr)
{
	struct token_block *block = calloc(1, sizeof(*block));
	struct buffer encoded;
	uint8_t mac[TOKEN_MAC_SIZE];
	size_t first = 0;
	enum az_status status = AZ_OK;

	buffer_init(&encoded, TOKEN_BLOCK_SIZE_MAX, false);
	if (block == NULL) {
		status = az_fail(reterr, AZ_NO_MEMORY, "tokens: out of memory");
		goto out;
	}
	if (list->count > 0)
		qsort(list->entries, list->count, sizeof(struct token_entry), compare_entries);
	thin_out(list);
	block->consignment = consignment;
	block->kind = kind;
	do {
		size_t count = block_size(list, first);

		memcpy(block->lower, block->upper, TOKEN_SIZE);
		block->count = (uint16_t)count;
		if (count > 0)
			memcpy(block->entries, list->entries + first,
			    count * sizeof(struct token_entry));
		first += count;
		block->last = first == list->count;
		if (block->last)
			memset(block->upper, 0, TOKEN_SIZE);
		else
			memcpy(block->upper, list->entries[first].token, TOKEN_SIZE);
		buffer_clear(&encoded);
		status = token_block_encode(block, &encoded);
		if (status == AZ_OK) {
			block_mac(keys, buffer_peek(&encoded), mac);
			status = buffer_append(&encoded, bytes_make(mac, sizeof(mac)));
		}
		if (status != AZ_OK)
			status = az_fail(reterr, status, "tokens: a block could not be made");
		else
			status = emit(arg, buffer_peek(&encoded), reterr);
	} while (status == AZ_OK && !block->last);
out:
	buffer_fini(&encoded);
	free(block);
	return status;
}
