/* SipHash-2-4-128; the names of the paper. Tested against the reference vectors and OpenSSL's own. */
#include "crypto/siphash.h"

#include "base/wire.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t word, unsigned int bits)
{
	return (word << bits) | (word >> (64 - bits));
}

static inline void
sip_round(struct sip *sip)
{
	sip->v0 += sip->v1;
	sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
	sip->v0 = rotate(sip->v0, 32);
	sip->v2 += sip->v3;
	sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
	sip->v0 += sip->v3;
	sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
	sip->v2 += sip->v1;
	sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
	sip->v2 = rotate(sip->v2, 32);
}

static inline void
absorb(struct sip *sip, uint64_t word)
{
	sip->v3 ^= word;
	sip_round(sip);
	sip_round(sip);
	sip->v0 ^= word;
}

static uint64_t
squeeze(struct sip *sip)
{
	for (unsigned int i = 0; i < 4; i++)
		sip_round(sip);
	return sip->v0 ^ sip->v1 ^ sip->v2 ^ sip->v3;
}

static inline void
sip_begin(struct sip *sip, const uint8_t key[SIPHASH_KEY_SIZE])
{
	uint64_t k0 = wire_load_u64(key);
	uint64_t k1 = wire_load_u64(key + 8);

	*sip = (struct sip){.v0 = k0 ^ 0x736f6d6570736575,
	    .v1 = k1 ^ 0x646f72616e646f6d ^ 0xee,
	    .v2 = k0 ^ 0x6c7967656e657261,
	    .v3 = k1 ^ 0x7465646279746573};
}

static inline uint64_t
sip_message(struct sip *sip, struct bytes message)
{
	uint64_t last = (uint64_t)message.size << 56;
	size_t whole = message.size / 8 * 8;

	for (size_t i = 0; i < whole; i += 8)
		absorb(sip, wire_load_u64(message.data + i));
	for (size_t i = whole; i < message.size; i++)
		last |= (uint64_t)message.data[i] << 8 * (i - whole);
	absorb(sip, last);
	sip->v2 ^= 0xee;
	return squeeze(sip);
}

void
siphash_128(const uint8_t key[SIPHASH_KEY_SIZE], struct bytes message, uint64_t ret_hash[2])
{
	struct sip sip;

	sip_begin(&sip, key);
	ret_hash[0] = sip_message(&sip, message);
	sip.v1 ^= 0xdd;
	ret_hash[1] = squeeze(&sip);
}

uint64_t
siphash_128_first(const uint8_t key[SIPHASH_KEY_SIZE], struct bytes message)
{
	struct sip sip;

	sip_begin(&sip, key);
	return sip_message(&sip, message);
}
