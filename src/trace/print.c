/* Fingerprints of match keys. */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/siphash.h"
#include "trace/trace.h"

struct trace_keys {
	struct secret
	    *kinds[MATCH_KINDS]; /* SIPHASH_KEY_SIZE bytes are used; NULL where there is none */
};

bool
trace_has_kind(enum match_kind kind)
{
	return kind > MATCH_NUMBER && kind < MATCH_KINDS;
}

enum az_status
trace_keys_new(const struct secret *key, const uint8_t house[HOUSE_ID_SIZE],
    struct trace_keys **ret_keys, struct az_err *reterr)
{
	struct trace_keys *keys = calloc(1, sizeof(*keys));
	enum az_status status = AZ_OK;

	if (keys == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "fingerprints: out of memory");
	for (unsigned int kind = 0; kind < MATCH_KINDS && status == AZ_OK; kind++) {
		if (trace_has_kind((enum match_kind)kind))
			status =
			    kdf_derive(key, house, "fingerprint", kind, &keys->kinds[kind], reterr);
	}
	if (status == AZ_OK)
		*ret_keys = keys;
	else
		trace_keys_free(&keys);
	return status;
}

void
trace_keys_free(struct trace_keys **keys)
{
	if (*keys == NULL)
		return;
	for (unsigned int kind = 0; kind < MATCH_KINDS; kind++)
		secret_free(&(*keys)->kinds[kind]);
	free(*keys);
	*keys = NULL;
}

uint64_t
trace_print_number(const struct trace_keys *keys, enum match_kind kind, struct bytes key)
{
	return siphash_128_first(secret_peek(keys->kinds[kind]).data, key);
}

void
trace_print_make(const struct trace_keys *keys, enum match_kind kind, struct bytes key,
    uint32_t record, uint32_t version, struct trace_print *ret_print)
{
	wire_store_u64be(ret_print->bytes, trace_print_number(keys, kind, key));
	wire_store_u32be(ret_print->bytes + 8, record);
	wire_store_u32be(ret_print->bytes + 12, version);
}
