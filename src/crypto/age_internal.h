/*
 * What the files of age share: age_text.c (bech32, unpadded base64, the header's lines) and age.c
 * (keys, the stream).
 */
#ifndef AZ_CRYPTO_AGE_INTERNAL_H
#define AZ_CRYPTO_AGE_INTERNAL_H

#include "base/bytes.h"
#include "crypto/age.h"

#define AGE_FILE_KEY_SIZE 16u
#define AGE_HEADER_MAX    65536u /* bytes; ours has about 200, with 20 recipients 2,100 */
#define AGE_STANZAS_MAX   1024u

/* One "-> type argument…" with its body still in base64, line ends included. Borrowed from the header. */
struct age_stanza {
	struct bytes type;
	struct bytes argument; /* the first; empty if there is none */
	size_t argument_count;
	struct bytes body;
};

struct age_header {
	size_t count;
	struct age_stanza stanzas[AGE_STANZAS_MAX];
	struct bytes authenticated; /* what the MAC is over: up to and with "---" */
	uint8_t mac[32];
};

/*
 * How many bytes of start are the header; 0: not all of it is there yet. AZ_INVALID: they begin no age
 * file, or the header is too long.
 */
AZ_CHECKED enum az_status age_header_find(
    struct bytes start, size_t *ret_size, struct az_err *reterr);
/* Parses a whole header. AZ_INVALID names the line. */
AZ_CHECKED enum az_status age_header_parse(
    struct bytes bytes, struct age_header *ret_header, struct az_err *reterr);

/* Unpadded, canonical base64 of exactly size bytes, on one line. */
bool age_decode_line(struct bytes text, uint8_t *data, size_t size) AZ_CHECKED;
/* The same of a stanza's body, which may stand on several lines. */
bool age_decode_body(struct bytes body, uint8_t *data, size_t size) AZ_CHECKED;
/* Appends it. */
AZ_CHECKED enum az_status age_encode_line(struct bytes bytes, struct buffer *buffer);

#endif
