/*
 * A consignment's tokens of one kind, cut into blocks that cover the whole order of tokens without a gap
 * (proto/vault.h). Where one ends the next begins, so a vault that leaves a block or a token out has nothing to show
 * in its place that the keeper would believe.
 *
 * The order is cut into spans first, by the first bits of a token, and each span is cut for itself: so spans can be
 * made side by side, and a block never needs to know the first token of the span behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/bulk.h"

static struct bytes
token_at(const uint8_t *entries, size_t index)
{
	return bytes_make(entries + index * TOKEN_SORTED_SIZE, TOKEN_SIZE);
}

static bool
same_token(const uint8_t *entries, size_t a, size_t b)
{
	return bytes_compare(token_at(entries, a), token_at(entries, b)) == 0;
}

/* Drops what repeats, and of a token that very many share all but TOKEN_SHARED_MAX + 1; how many are left. */
static size_t
thin_out(uint8_t *entries, size_t count)
{
	size_t kept = 0;
	size_t same = 0;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = entries + i * TOKEN_SORTED_SIZE;

		if (kept > 0 && same_token(entries, kept - 1, i)) {
			const uint8_t *last = entries + (kept - 1) * TOKEN_SORTED_SIZE;

			if (wire_load_u32(last + TOKEN_SIZE) == wire_load_u32(entry + TOKEN_SIZE) ||
			    ++same > TOKEN_SHARED_MAX)
				continue;
		} else {
			same = 0;
		}
		if (kept != i)
			memcpy(entries + kept * TOKEN_SORTED_SIZE, entry, TOKEN_SORTED_SIZE);
		kept++;
	}
	return kept;
}

/* How many entries from first on belong into one block: equal tokens stay together. */
static size_t
block_size(const uint8_t *entries, size_t count, size_t first)
{
	size_t end = first + TOKEN_BLOCK_USUAL;

	if (end >= count)
		return count - first;
	while (end < count && same_token(entries, end, end - 1))
		end++;
	return end - first;
}

static enum az_status
emit_block(const struct token_block *block, const struct consignment_keys *keys,
    struct buffer *encoded,
    enum az_status (*emit)(void *arg, struct bytes block, struct az_err *reterr), void *arg,
    struct az_err *reterr)
{
	uint8_t mac[TOKEN_MAC_SIZE];
	enum az_status status;

	buffer_clear(encoded);
	status = token_block_encode(block, encoded);
	if (status == AZ_OK) {
		block_mac(keys, buffer_peek(encoded), mac);
		status = buffer_append(encoded, bytes_make(mac, sizeof(mac)));
	}
	if (status != AZ_OK)
		return az_fail(reterr, status, "tokens: a block could not be made");
	return emit(arg, buffer_peek(encoded), reterr);
}

enum az_status
token_blocks(const struct token_span *span, uint8_t *entries, size_t count,
    const struct consignment_keys *keys,
    enum az_status (*emit)(void *arg, struct bytes block, struct az_err *reterr), void *arg,
    struct az_err *reterr)
{
	struct token_block block;
	struct buffer encoded;
	size_t first = 0;
	enum az_status status;

	buffer_init(&encoded, TOKEN_BLOCK_SIZE_MAX, false);
	block.consignment = span->consignment;
	block.kind = span->kind;
	memcpy(block.upper, span->lower, TOKEN_SIZE);
	count = thin_out(entries, count);
	do {
		size_t size = block_size(entries, count, first);

		memcpy(block.lower, block.upper, TOKEN_SIZE);
		block.count = (uint16_t)size;
		for (size_t i = 0; i < size; i++) {
			const uint8_t *entry = entries + (first + i) * TOKEN_SORTED_SIZE;

			memcpy(block.entries[i].token, entry, TOKEN_SIZE);
			block.entries[i].record = wire_load_u32be(entry + TOKEN_SIZE);
		}
		first += size;
		block.last = span->last && first == count;
		memcpy(block.upper, first == count ? span->upper : token_at(entries, first).data,
		    TOKEN_SIZE);
		status = emit_block(&block, keys, &encoded, emit, arg, reterr);
	} while (status == AZ_OK && first < count);
	buffer_fini(&encoded);
	return status;
}
