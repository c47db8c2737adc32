/*
 * Keys and stream of age files.
 *
 *	file key (16 random bytes)
 *	   ├─ for each recipient: sealed under HKDF(X25519 shared secret, ephemeral ‖ recipient, "…/X25519")
 *	   ├─ "header"             HMAC-SHA256 over the header up to and with "---"
 *	   └─ nonce 16, "payload"  ChaCha20-Poly1305 of each chunk of 64 KiB
 *
 *	a chunk's nonce: counter (11 bytes, big-endian) ‖ 1 if it is the last, else 0
 *
 * So a chunk opens at its own place only, and the file ends with the chunk that was sealed as its last. A
 * chunk is opened when something follows it, or when the file has ended: which of the two it is decides its
 * nonce. Only a file of nothing may end with an empty chunk.
 *
 * A header has exactly one MAC, made with the file key that our stanza gave: so the header that is believed is
 * the one that was written with the contents.
 */
#include "crypto/age.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/wire.h"
#include "crypto/age_internal.h"
#include "crypto/hash.h"
#include "crypto/x25519.h"

#define NONCE_SIZE   16u /* of the payload's key */
#define CHUNK_NONCE  12u
#define TAG_SIZE     16u
#define SEALED_CHUNK (AGE_CHUNK + TAG_SIZE)
#define WRAPPED_SIZE (AGE_FILE_KEY_SIZE + TAG_SIZE)
#define X25519_LABEL "age-encryption.org/v1/X25519"

/* --- keys ------------------------------------------------------------------------------------- */

enum az_status
age_recipient(
    const struct secret *identity, uint8_t ret_recipient[AGE_KEY_SIZE], struct az_err *reterr)
{
	enum az_status status = x25519_public(secret_peek(identity).data, ret_recipient);

	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "age: out of memory");
}

/* The key that wraps the file key between an ephemeral key and a recipient. */
static enum az_status
wrap_key(const uint8_t *shared, const uint8_t *ephemeral, const uint8_t *recipient,
    uint8_t ret_key[KEY_SIZE])
{
	uint8_t salt[2 * AGE_KEY_SIZE];

	memcpy(salt, ephemeral, AGE_KEY_SIZE);
	memcpy(salt + AGE_KEY_SIZE, recipient, AGE_KEY_SIZE);
	return hkdf_sha256(bytes_make(shared, AGE_KEY_SIZE), bytes_make(salt, sizeof(salt)),
	    bytes_of(X25519_LABEL), ret_key, KEY_SIZE);
}

/*
 * ChaCha20-Poly1305 under the context's key; seals, or opens and checks. AZ_FORGED only when opening: what
 * out holds then is not zeroed, since the caller gives it to nobody.
 */
static enum az_status
chacha(EVP_CIPHER_CTX *context, bool sealing, const uint8_t nonce[CHUNK_NONCE], struct bytes in,
    uint8_t *out)
{
	uint8_t tag[TAG_SIZE];
	int part = 0;
	int end = 0;
	size_t size = sealing ? in.size : in.size - TAG_SIZE;

	if (EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, sealing ? 1 : 0) != 1)
		return AZ_INTERNAL;
	if (!sealing) {
		memcpy(tag, in.data + size, TAG_SIZE);
		if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) != 1)
			return AZ_INTERNAL;
	}
	if (size > 0 && EVP_CipherUpdate(context, out, &part, in.data, (int)size) != 1)
		return AZ_INTERNAL;
	if (EVP_CipherFinal_ex(context, out + part, &end) != 1)
		return sealing ? AZ_INTERNAL : AZ_FORGED;
	if (sealing &&
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, out + size) != 1)
		return AZ_INTERNAL;
	return AZ_OK;
}

/* A context for one key; NULL if there is no memory. */
static EVP_CIPHER_CTX *
chacha_new(const uint8_t key[KEY_SIZE])
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	if (context != NULL &&
	    EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, key, NULL, 1) != 1) {
		EVP_CIPHER_CTX_free(context);
		context = NULL;
	}
	return context;
}

static enum az_status
header_mac(const uint8_t file_key[AGE_FILE_KEY_SIZE], struct bytes authenticated,
    uint8_t ret_mac[SHA256_SIZE])
{
	uint8_t key[KEY_SIZE];
	struct mac *mac = NULL;
	enum az_status status = hkdf_sha256(bytes_make(file_key, AGE_FILE_KEY_SIZE),
	    bytes_make(NULL, 0), bytes_of("header"), key, sizeof(key));

	if (status == AZ_OK)
		status = mac_new(bytes_make(key, sizeof(key)), &mac, NULL);
	if (status == AZ_OK)
		mac_compute(mac, &authenticated, 1, ret_mac);
	mac_free(&mac);
	az_wipe(key, sizeof(key));
	return status;
}

/* The stream's context. AZ_NO_MEMORY. */
static enum az_status
payload_context(const uint8_t file_key[AGE_FILE_KEY_SIZE], const uint8_t nonce[NONCE_SIZE],
    EVP_CIPHER_CTX **ret_context)
{
	uint8_t key[KEY_SIZE];
	enum az_status status = hkdf_sha256(bytes_make(file_key, AGE_FILE_KEY_SIZE),
	    bytes_make(nonce, NONCE_SIZE), bytes_of("payload"), key, sizeof(key));

	if (status == AZ_OK) {
		*ret_context = chacha_new(key);
		status = *ret_context == NULL ? AZ_NO_MEMORY : AZ_OK;
	}
	az_wipe(key, sizeof(key));
	return status;
}

static void
chunk_nonce(uint64_t counter, bool last, uint8_t nonce[CHUNK_NONCE])
{
	memset(nonce, 0, CHUNK_NONCE);
	wire_store_u64be(nonce + 3, counter);
	nonce[CHUNK_NONCE - 1] = last ? 1 : 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum stage { IN_HEADER = 1, IN_NONCE, IN_CHUNKS, ENDED };

struct age_reader {
	enum stage stage;
	struct secret *identity;
	struct secret *file_key;
	uint8_t recipient[AGE_KEY_SIZE];
	EVP_CIPHER_CTX *context;
	uint64_t counter;
	struct buffer pending; /* a header, a nonce or a chunk that is not whole yet */
};

enum az_status
age_reader_new(const struct secret *identity, struct age_reader **ret_reader, struct az_err *reterr)
{
	struct age_reader *reader = calloc(1, sizeof(*reader));
	enum az_status status;

	if (reader == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "age: out of memory");
	reader->stage = IN_HEADER;
	buffer_init(&reader->pending, SEALED_CHUNK, true);
	status = secret_new(AGE_KEY_SIZE, &reader->identity, reterr);
	if (status == AZ_OK)
		status = secret_new(AGE_FILE_KEY_SIZE, &reader->file_key, reterr);
	if (status == AZ_OK) {
		memcpy(secret_data(reader->identity), secret_peek(identity).data, AGE_KEY_SIZE);
		status = age_recipient(identity, reader->recipient, reterr);
	}
	if (status == AZ_OK)
		*ret_reader = reader;
	else
		age_reader_free(&reader);
	return status;
}

void
age_reader_free(struct age_reader **reader)
{
	if (*reader == NULL)
		return;
	secret_free(&(*reader)->identity);
	secret_free(&(*reader)->file_key);
	EVP_CIPHER_CTX_free((*reader)->context);
	buffer_fini(&(*reader)->pending);
	free(*reader);
	*reader = NULL;
}

/* Opens the file key of an X25519 stanza. AZ_NOT_FOUND: it is for somebody else. */
static enum az_status
open_stanza(struct age_reader *reader, const struct age_stanza *stanza, struct az_err *reterr)
{
	static const uint8_t zero_nonce[CHUNK_NONCE];
	uint8_t ephemeral[AGE_KEY_SIZE];
	uint8_t wrapped[WRAPPED_SIZE];
	uint8_t shared[AGE_KEY_SIZE];
	uint8_t key[KEY_SIZE];
	EVP_CIPHER_CTX *context = NULL;
	enum az_status status;

	if (stanza->argument_count != 1 ||
	    !age_decode_line(stanza->argument, ephemeral, sizeof(ephemeral)) ||
	    !age_decode_body(stanza->body, wrapped, sizeof(wrapped)))
		return az_fail(reterr, AZ_INVALID, "age: a malformed X25519 stanza");
	status = x25519_shared(secret_peek(reader->identity).data, ephemeral, shared);
	if (status == AZ_FORGED)
		return az_fail(reterr, AZ_INVALID, "age: an X25519 stanza of small order");
	if (status == AZ_OK)
		status = wrap_key(shared, ephemeral, reader->recipient, key);
	if (status == AZ_OK) {
		context = chacha_new(key);
		status = context == NULL ? AZ_NO_MEMORY : AZ_OK;
	}
	if (status == AZ_OK)
		status = chacha(context, false, zero_nonce, bytes_make(wrapped, sizeof(wrapped)),
		    secret_data(reader->file_key));
	EVP_CIPHER_CTX_free(context);
	az_wipe(shared, sizeof(shared));
	az_wipe(key, sizeof(key));
	if (status == AZ_FORGED)
		return AZ_NOT_FOUND;
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "age: out of memory");
}

static bool
is_type(const struct age_stanza *stanza, const char *type)
{
	return bytes_equal(stanza->type, bytes_of(type));
}

/* Finds the stanza that is ours; all of the kinds that we know must be well formed. */
static enum az_status
find_file_key(struct age_reader *reader, const struct age_header *header, struct az_err *reterr)
{
	struct az_err err = {0};

	for (size_t i = 0; i < header->count; i++) {
		if (is_type(&header->stanzas[i], "scrypt"))
			return az_fail(reterr, header->count > 1 ? AZ_INVALID : AZ_NOT_FOUND,
			    "age: it is sealed with a passphrase, not to a recipient");
	}
	for (size_t i = 0; i < header->count; i++) {
		enum az_status status;

		if (!is_type(&header->stanzas[i], "X25519"))
			continue;
		status = open_stanza(reader, &header->stanzas[i], &err);
		if (status == AZ_OK)
			return AZ_OK;
		if (status != AZ_NOT_FOUND)
			return az_fail(reterr, status, "%s", err.text);
	}
	return az_fail(reterr, AZ_NOT_FOUND, "age: it is not sealed to this recipient");
}

static enum az_status
take_header(struct age_reader *reader, struct bytes bytes, struct az_err *reterr)
{
	struct age_header *header = calloc(1, sizeof(*header));
	uint8_t mac[SHA256_SIZE];
	enum az_status status;

	if (header == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "age: out of memory");
	status = age_header_parse(bytes, header, reterr);
	if (status == AZ_OK)
		status = find_file_key(reader, header, reterr);
	if (status == AZ_OK) {
		status = header_mac(secret_peek(reader->file_key).data, header->authenticated, mac);
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "age: out of memory");
		else if (!bytes_equal(bytes_make(mac, sizeof(mac)),
			     bytes_make(header->mac, sizeof(header->mac))))
			status = az_fail(
			    reterr, AZ_FORGED, "age: the header is not the one that was written");
	}
	free(header);
	return status;
}

/* Opens the chunk that is pending. */
static enum az_status
open_chunk(struct age_reader *reader, bool last, struct buffer *plain, struct az_err *reterr)
{
	struct bytes sealed = buffer_peek(&reader->pending);
	uint8_t nonce[CHUNK_NONCE];
	enum az_status status;

	if (sealed.size < TAG_SIZE || (last && sealed.size == TAG_SIZE && reader->counter > 0))
		return az_fail(reterr, AZ_FORGED, "age: the file was cut at chunk %llu",
		    (unsigned long long)reader->counter);
	status = buffer_reserve(plain, sealed.size);
	if (status != AZ_OK)
		return az_fail(reterr, status, "age: out of memory");
	chunk_nonce(reader->counter, last, nonce);
	status = chacha(reader->context, false, nonce, sealed, plain->data + plain->size);
	if (status != AZ_OK) {
		az_wipe(plain->data + plain->size, sealed.size);
		return az_fail(reterr, status, "age: chunk %llu is not the one that was written",
		    (unsigned long long)reader->counter);
	}
	plain->size += sealed.size - TAG_SIZE;
	reader->counter++;
	buffer_clear(&reader->pending);
	return AZ_OK;
}

/* Moves bytes to pending until it has want of them; false if input ended before. */
static bool
gather(struct age_reader *reader, struct bytes *input, size_t want, enum az_status *status)
{
	size_t missing = want - reader->pending.size;
	size_t part = input->size < missing ? input->size : missing;

	*status = buffer_append(&reader->pending, bytes_make(input->data, part));
	*input = bytes_make(input->data + part, input->size - part);
	return *status == AZ_OK && part == missing;
}

/* Takes from input until the header is whole. */
static enum az_status
gather_header(struct age_reader *reader, struct bytes *input, struct az_err *reterr)
{
	size_t room = AGE_HEADER_MAX - reader->pending.size;
	size_t part = input->size < room ? input->size : room;
	size_t before = reader->pending.size;
	size_t size = 0;
	enum az_status status = buffer_append(&reader->pending, bytes_make(input->data, part));

	if (status != AZ_OK)
		return az_fail(reterr, status, "age: out of memory");
	status = age_header_find(buffer_peek(&reader->pending), &size, reterr);
	if (status != AZ_OK || size == 0) {
		*input = bytes_make(input->data + part, input->size - part);
		return status;
	}
	status = take_header(reader, bytes_make(reader->pending.data, size), reterr);
	/* What lies behind the header is taken again, as what it is. */
	*input = bytes_make(input->data + (size - before), input->size - (size - before));
	buffer_clear(&reader->pending);
	reader->stage = IN_NONCE;
	return status;
}

static enum az_status
gather_nonce(struct age_reader *reader, struct bytes *input, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (!gather(reader, input, NONCE_SIZE, &status))
		return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "age: out of memory");
	status = payload_context(
	    secret_peek(reader->file_key).data, reader->pending.data, &reader->context);
	if (status != AZ_OK)
		return az_fail(reterr, status, "age: out of memory");
	secret_free(&reader->file_key);
	buffer_clear(&reader->pending);
	reader->stage = IN_CHUNKS;
	return AZ_OK;
}

static enum az_status
gather_chunk(
    struct age_reader *reader, struct bytes *input, struct buffer *plain, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	/* There is more, so the chunk that is pending is not the last. */
	if (reader->pending.size == SEALED_CHUNK) {
		status = open_chunk(reader, false, plain, reterr);
		if (status != AZ_OK)
			return status;
	}
	(void)gather(reader, input, SEALED_CHUNK, &status);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "age: out of memory");
}

enum az_status
age_reader_take(
    struct age_reader *reader, struct bytes input, struct buffer *plain, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (input.size > 0 && status == AZ_OK) {
		switch (reader->stage) {
		case IN_HEADER: status = gather_header(reader, &input, reterr); break;
		case IN_NONCE: status = gather_nonce(reader, &input, reterr); break;
		case IN_CHUNKS: status = gather_chunk(reader, &input, plain, reterr); break;
		case ENDED:
		default: status = az_fail(reterr, AZ_INTERNAL, "age: taken after the end");
		}
	}
	if (status != AZ_OK)
		reader->stage = ENDED;
	return status;
}

enum az_status
age_reader_end(struct age_reader *reader, struct buffer *plain, struct az_err *reterr)
{
	enum stage stage = reader->stage;
	enum az_status status;

	reader->stage = ENDED;
	switch (stage) {
	case IN_HEADER:
	case IN_NONCE:
		status = az_fail(reterr, AZ_INVALID, "age: the file ends inside its header");
		break;
	case IN_CHUNKS: status = open_chunk(reader, true, plain, reterr); break;
	case ENDED:
	default: status = az_fail(reterr, AZ_INTERNAL, "age: ended twice");
	}
	return status;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct age_writer {
	EVP_CIPHER_CTX *context;
	uint64_t counter;
	struct buffer pending; /* plaintext of the chunk that is not sealed yet */
};

/* "-> X25519 …" for one recipient. */
static enum az_status
put_stanza(const uint8_t file_key[AGE_FILE_KEY_SIZE], const uint8_t recipient[AGE_KEY_SIZE],
    struct buffer *header)
{
	static const uint8_t zero_nonce[CHUNK_NONCE];
	uint8_t secret[AGE_KEY_SIZE];
	uint8_t ephemeral[AGE_KEY_SIZE];
	uint8_t shared[AGE_KEY_SIZE];
	uint8_t key[KEY_SIZE];
	uint8_t wrapped[WRAPPED_SIZE];
	EVP_CIPHER_CTX *context = NULL;
	enum az_status status;

	random_bytes(secret, sizeof(secret));
	status = x25519_public(secret, ephemeral);
	if (status == AZ_OK)
		status = x25519_shared(secret, recipient, shared);
	if (status == AZ_OK)
		status = wrap_key(shared, ephemeral, recipient, key);
	if (status == AZ_OK) {
		context = chacha_new(key);
		status = context == NULL ? AZ_NO_MEMORY
					 : chacha(context, true, zero_nonce,
					       bytes_make(file_key, AGE_FILE_KEY_SIZE), wrapped);
	}
	EVP_CIPHER_CTX_free(context);
	az_wipe(secret, sizeof(secret));
	az_wipe(shared, sizeof(shared));
	az_wipe(key, sizeof(key));
	if (status == AZ_OK)
		status = buffer_append(header, bytes_of("-> X25519 "));
	if (status == AZ_OK)
		status = age_encode_line(bytes_make(ephemeral, sizeof(ephemeral)), header);
	if (status == AZ_OK)
		status = buffer_append(header, bytes_of("\n"));
	if (status == AZ_OK)
		status = age_encode_line(bytes_make(wrapped, sizeof(wrapped)), header);
	if (status == AZ_OK)
		status = buffer_append(header, bytes_of("\n"));
	return status;
}

static enum az_status
put_header(const uint8_t file_key[AGE_FILE_KEY_SIZE], const uint8_t (*recipients)[AGE_KEY_SIZE],
    size_t count, struct buffer *header)
{
	uint8_t mac[SHA256_SIZE];
	enum az_status status = buffer_append(header, bytes_of(AGE_MAGIC));

	for (size_t i = 0; i < count && status == AZ_OK; i++)
		status = put_stanza(file_key, recipients[i], header);
	if (status == AZ_OK)
		status = buffer_append(header, bytes_of("---"));
	if (status == AZ_OK)
		status = header_mac(file_key, buffer_peek(header), mac);
	if (status == AZ_OK)
		status = buffer_append(header, bytes_of(" "));
	if (status == AZ_OK)
		status = age_encode_line(bytes_make(mac, sizeof(mac)), header);
	if (status == AZ_OK)
		status = buffer_append(header, bytes_of("\n"));
	return status;
}

enum az_status
age_writer_new(const uint8_t (*recipients)[AGE_KEY_SIZE], size_t count, struct buffer *sealed,
    struct age_writer **ret_writer, struct az_err *reterr)
{
	struct age_writer *writer;
	uint8_t file_key[AGE_FILE_KEY_SIZE];
	uint8_t nonce[NONCE_SIZE];
	struct buffer header;
	enum az_status status;

	if (count == 0 || count > AGE_RECIPIENTS_MAX)
		return az_fail(reterr, AZ_INVALID, "age: %zu recipients, not 1 to %u", count,
		    AGE_RECIPIENTS_MAX);
	writer = calloc(1, sizeof(*writer));
	if (writer == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "age: out of memory");
	buffer_init(&writer->pending, AGE_CHUNK, true);
	buffer_init(&header, AGE_HEADER_MAX, false);
	random_bytes(file_key, sizeof(file_key));
	random_bytes(nonce, sizeof(nonce));
	status = put_header(file_key, recipients, count, &header);
	if (status == AZ_OK)
		status = payload_context(file_key, nonce, &writer->context);
	if (status == AZ_OK)
		status = buffer_append(&header, bytes_make(nonce, sizeof(nonce)));
	if (status == AZ_OK)
		status = buffer_append(sealed, buffer_peek(&header));
	az_wipe(file_key, sizeof(file_key));
	buffer_fini(&header);
	if (status == AZ_OK) {
		*ret_writer = writer;
		return AZ_OK;
	}
	age_writer_free(&writer);
	if (status == AZ_FORGED)
		return az_fail(reterr, AZ_INVALID, "age: a recipient of small order");
	return az_fail(reterr, status, "age: the header cannot be written");
}

void
age_writer_free(struct age_writer **writer)
{
	if (*writer == NULL)
		return;
	EVP_CIPHER_CTX_free((*writer)->context);
	buffer_fini(&(*writer)->pending);
	free(*writer);
	*writer = NULL;
}

static enum az_status
seal_chunk(struct age_writer *writer, bool last, struct buffer *sealed, struct az_err *reterr)
{
	uint8_t nonce[CHUNK_NONCE];
	size_t size = writer->pending.size + TAG_SIZE;
	enum az_status status = buffer_reserve(sealed, size);

	if (status != AZ_OK)
		return az_fail(reterr, status, "age: no room for chunk %llu",
		    (unsigned long long)writer->counter);
	chunk_nonce(writer->counter, last, nonce);
	status = chacha(writer->context, true, nonce, buffer_peek(&writer->pending),
	    sealed->data + sealed->size);
	if (status != AZ_OK)
		return az_fail(reterr, status, "age: chunk %llu cannot be sealed",
		    (unsigned long long)writer->counter);
	sealed->size += size;
	writer->counter++;
	buffer_clear(&writer->pending);
	return AZ_OK;
}

enum az_status
age_writer_take(
    struct age_writer *writer, struct bytes plain, struct buffer *sealed, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	while (plain.size > 0 && status == AZ_OK) {
		size_t room;
		size_t part;

		/* A full chunk waits for the next byte, which tells that it is not the last. */
		if (writer->pending.size == AGE_CHUNK) {
			status = seal_chunk(writer, false, sealed, reterr);
			if (status != AZ_OK)
				return status;
		}
		room = AGE_CHUNK - writer->pending.size;
		part = plain.size < room ? plain.size : room;
		status = buffer_append(&writer->pending, bytes_make(plain.data, part));
		plain = bytes_make(plain.data + part, plain.size - part);
	}
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "age: out of memory");
}

enum az_status
age_writer_end(struct age_writer *writer, struct buffer *sealed, struct az_err *reterr)
{
	return seal_chunk(writer, true, sealed, reterr);
}
