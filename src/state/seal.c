/*
 * Sealing for a place, and the sum.
 *
 * Each blob is sealed for where it belongs, so it opens nowhere else:
 *
 *	thing  house 16, kind 1, id 8
 *	text   house 16, 255, log 4, index 8, salt 16
 *	mark   house 16, 0, zeros 8
 *
 * The byte after the house tells them apart, for kinds of things run from 1 to 254.
 *
 * That does not keep anybody from removing a blob, or from putting an older one back where it was. So there
 * is a sum over all things: addition modulo 2^256 of HMAC-SHA256(kind, id, sealed bytes), the MSet-Add-Hash
 * of Clarke, Devadas, van Dijk, Gassend and Suh (Asiacrypt 2003). Replacing a thing subtracts the old and
 * adds the new, at a cost that does not grow with the house. Their random term, which hides the sum from who
 * sees it, is not needed: the sum leaves memory only sealed. docs/format/house-db.md has the argument.
 */
#include <string.h>

#include "base/wire.h"
#include "state/state_internal.h"

enum { TAG_MARK = 0, TAG_TEXT = 255 };

_Static_assert(STATE_KIND_MAX < TAG_TEXT, "a kind is not taken for the tag of a text");

static uint8_t *
place_start(const struct state *state, uint8_t tag, size_t size, struct place *place)
{
	memcpy(place->bytes, state->house, HOUSE_ID_SIZE);
	place->bytes[HOUSE_ID_SIZE] = tag;
	place->size = HOUSE_ID_SIZE + 1 + size;
	return place->bytes + HOUSE_ID_SIZE + 1;
}

struct place
place_of_mark(const struct state *state)
{
	struct place place = {0};

	(void)place_start(state, TAG_MARK, 8, &place);
	return place;
}

struct place
place_of_thing(const struct state *state, uint8_t kind, uint64_t id)
{
	struct place place = {0};

	wire_store_u64(place_start(state, kind, 8, &place), id);
	return place;
}

struct place
place_of_text(
    const struct state *state, uint32_t log, uint64_t index, const uint8_t salt[STATE_SALT_SIZE])
{
	struct place place = {0};
	uint8_t *rest = place_start(state, TAG_TEXT, 4 + 8 + STATE_SALT_SIZE, &place);

	wire_store_u32(rest, log);
	wire_store_u64(rest + 4, index);
	memcpy(rest + 12, salt, STATE_SALT_SIZE);
	return place;
}

enum az_status
place_seal(
    struct state *state, const struct place *place, struct bytes plain, struct az_err *reterr)
{
	buffer_clear(&state->sealed);
	enum az_status status = buffer_reserve(&state->sealed, plain.size + SEAL_OVERHEAD);
	if (status != AZ_OK)
		return az_fail(reterr, status, "house.db: no room to seal");
	status = seal(state->seal_key, bytes_make(place->bytes, place->size), plain,
	    state->sealed.data, reterr);
	if (status == AZ_OK)
		state->sealed.size = plain.size + SEAL_OVERHEAD;
	return status;
}

enum az_status
place_open(struct state *state, const struct place *place, struct bytes sealed, size_t max,
    struct buffer *plain, struct az_err *reterr)
{
	uint8_t nothing[1];

	buffer_clear(plain);
	if (sealed.size < SEAL_OVERHEAD || sealed.size - SEAL_OVERHEAD > max)
		return az_fail(reterr, AZ_FORGED, "house.db: a blob of no size of ours");
	size_t size = sealed.size - SEAL_OVERHEAD;
	enum az_status status = buffer_reserve(plain, size);
	if (status != AZ_OK)
		return az_fail(reterr, status, "house.db: no room to open");
	status = seal_open(state->seal_key, bytes_make(place->bytes, place->size), sealed,
	    size > 0 ? plain->data : nothing, NULL);
	if (status != AZ_OK)
		return az_fail(reterr, status, "house.db: a blob does not open at its place");
	plain->size = size;
	return AZ_OK;
}

static void
sum_term(const struct mac *mac, uint8_t kind, uint64_t id, struct bytes sealed,
    uint8_t ret_term[SUM_SIZE])
{
	uint8_t place[1 + 8];
	const struct bytes parts[] = {bytes_make(place, sizeof(place)), sealed};

	place[0] = kind;
	wire_store_u64(place + 1, id);
	mac_compute(mac, parts, AZ_ARRAY_SIZE(parts), ret_term);
}

void
sum_add(struct sum *sum, const struct mac *mac, uint8_t kind, uint64_t id, struct bytes sealed)
{
	uint8_t term[SUM_SIZE];
	unsigned int carry = 0;

	sum_term(mac, kind, id, sealed, term);
	for (size_t i = 0; i < SUM_SIZE; i++) {
		carry += (unsigned int)sum->value[i] + term[i];
		sum->value[i] = (uint8_t)(carry & 0xff);
		carry >>= 8;
	}
	sum->count++;
}

void
sum_subtract(struct sum *sum, const struct mac *mac, uint8_t kind, uint64_t id, struct bytes sealed)
{
	uint8_t term[SUM_SIZE];
	unsigned int carry = 1;

	/* The two's complement of the term is added. */
	sum_term(mac, kind, id, sealed, term);
	for (size_t i = 0; i < SUM_SIZE; i++) {
		carry += (unsigned int)sum->value[i] + (0xffu - term[i]);
		sum->value[i] = (uint8_t)(carry & 0xff);
		carry >>= 8;
	}
	sum->count--;
}

bool
sum_equal(const struct sum *a, const struct sum *b)
{
	return a->count == b->count &&
	    bytes_equal(bytes_make(a->value, SUM_SIZE), bytes_make(b->value, SUM_SIZE));
}
