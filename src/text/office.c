/*
 * New workbooks with a password ([MS-OFFCRYPTO] 2.3.4): an OLE compound file with two streams.
 *
 *	EncryptionInfo     how: agile (version 4.4, an XML text) or standard (x.2, binary)
 *	EncryptedPackage   u64 size, then the ZIP under AES
 *
 * Agile: key = H(… H(H(salt ‖ password) iterated) ‖ block key); segments of 4096 bytes, each with an IV of its number,
 * AES-CBC. Standard: SHA-1 50,000 times, AES-ECB. Both have a verifier, so a wrong password is known before anything
 * is decrypted. libgsf takes the compound file apart, libcrypto does the rest.
 */
#include <expat.h>
#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-input-memory.h>
#include <gsf/gsf-utils.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "text/unpack_internal.h"

#define INFO_MAX       65536u
#define SPIN_MAX       10000000u /* rounds; Excel writes 100,000 */
#define SEGMENT        4096u
#define SALT_MAX       64u
#define HASH_MAX       64u
#define STANDARD_SPINS 50000u
#define VERIFIER_MAX   64u

/* One of the two key descriptions of the agile form. */
struct agile_key {
	uint8_t salt[SALT_MAX];
	size_t salt_size;
	size_t key_bytes, block_size;
	const EVP_MD *hash;
	bool is_aes_cbc;
};

struct agile {
	struct agile_key data, password;
	uint32_t spins;
	uint8_t verifier[VERIFIER_MAX], verifier_hash[HASH_MAX + 16], key[VERIFIER_MAX];
	size_t verifier_size, verifier_hash_size, key_size;
	bool seen_data, seen_password, bad;
};

/* --- small parts ------------------------------------------------------------------------------ */

static enum az_status
damaged(struct az_err *reterr)
{
	return az_fail(reterr, AZ_INVALID,
	    "workbook: it is encrypted in a way that cannot be read, or is damaged");
}

/* The password in UTF-16LE; false if it is not UTF-8. */
static bool
to_utf16(struct bytes password, struct buffer *utf16)
{
	uint8_t pair[4];

	if (!bytes_are_utf8(password))
		return false;
	for (size_t at = 0; at < password.size;) {
		uint8_t first = password.data[at];
		unsigned int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
		uint32_t code = more == 0 ? first : first & (0x3fu >> more);
		size_t size = 2;

		for (unsigned int i = 1; i <= more; i++)
			code = code << 6 | (password.data[at + i] & 0x3f);
		at += more + 1;
		if (code >= 0x10000) {
			code -= 0x10000;
			wire_store_u16(pair, (uint16_t)(0xd800 + (code >> 10)));
			wire_store_u16(pair + 2, (uint16_t)(0xdc00 + (code & 0x3ff)));
			size = 4;
		} else {
			wire_store_u16(pair, (uint16_t)code);
		}
		if (buffer_append(utf16, bytes_make(pair, size)) != AZ_OK)
			return false;
	}
	return true;
}

static bool
digest(const EVP_MD *hash, struct bytes a, struct bytes b, uint8_t *ret_digest)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context != NULL && EVP_DigestInit_ex(context, hash, NULL) == 1 &&
	    EVP_DigestUpdate(context, a.data, a.size) == 1 &&
	    EVP_DigestUpdate(context, b.data, b.size) == 1 &&
	    EVP_DigestFinal_ex(context, ret_digest, NULL) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

/* H(salt ‖ password), then as often as said H(number ‖ it). */
static bool
spin(const EVP_MD *hash, struct bytes salt, struct bytes password, uint32_t spins, uint8_t *spun)
{
	size_t size = (size_t)EVP_MD_get_size(hash);
	uint8_t number[4];
	bool good = digest(hash, salt, password, spun);

	for (uint32_t i = 0; i < spins && good; i++) {
		wire_store_u32(number, i);
		good = digest(hash, bytes_make(number, 4), bytes_make(spun, size), spun);
	}
	return good;
}

/* Whole blocks, no padding. in and out may be the same. */
static bool
decrypt(
    const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv, struct bytes in, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int size = 0;
	bool good = context != NULL && in.size <= INT32_MAX && in.size % 16 == 0 &&
	    EVP_DecryptInit_ex(context, cipher, NULL, key, iv) == 1 &&
	    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
	    EVP_DecryptUpdate(context, out, &size, in.data, (int)in.size) == 1;

	EVP_CIPHER_CTX_free(context);
	return good;
}

static const EVP_CIPHER *
cbc_of(size_t key_bytes)
{
	return key_bytes == 16 ? EVP_aes_128_cbc()
	    : key_bytes == 24  ? EVP_aes_192_cbc()
	    : key_bytes == 32  ? EVP_aes_256_cbc()
			       : NULL;
}

/* --- agile: reading the description ----------------------------------------------------------- */

static size_t
decode_base64(const char *text, uint8_t *data, size_t room)
{
	size_t size = strlen(text);
	uint8_t decoded[2 * VERIFIER_MAX];
	int got;

	if (size == 0 || size % 4 != 0 || size / 4 * 3 > sizeof(decoded))
		return 0;
	got = EVP_DecodeBlock(decoded, (const uint8_t *)text, (int)size);
	if (got < 0)
		return 0;
	got -= text[size - 1] == '=' ? 1 : 0;
	got -= text[size - 2] == '=' ? 1 : 0;
	if ((size_t)got > room)
		return 0;
	memcpy(data, decoded, (size_t)got);
	return (size_t)got;
}

static bool
read_key(struct agile_key *key, const char **attributes)
{
	static const struct {
		const char *name;
		const EVP_MD *(*hash)(void);
	} hashes[] = {{"SHA1", EVP_sha1}, {"SHA-1", EVP_sha1}, {"SHA256", EVP_sha256},
	    {"SHA384", EVP_sha384}, {"SHA512", EVP_sha512}};
	const char *name = xml_attribute(attributes, "hashAlgorithm");

	key->salt_size =
	    decode_base64(xml_attribute(attributes, "saltValue"), key->salt, sizeof(key->salt));
	key->key_bytes = strtoul(xml_attribute(attributes, "keyBits"), NULL, 10) / 8;
	key->block_size = strtoul(xml_attribute(attributes, "blockSize"), NULL, 10);
	key->is_aes_cbc = strcmp(xml_attribute(attributes, "cipherAlgorithm"), "AES") == 0 &&
	    strcmp(xml_attribute(attributes, "cipherChaining"), "ChainingModeCBC") == 0;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(hashes); i++) {
		if (strcmp(name, hashes[i].name) == 0)
			key->hash = hashes[i].hash();
	}
	return key->salt_size > 0 && cbc_of(key->key_bytes) != NULL && key->block_size == 16 &&
	    key->is_aes_cbc && key->hash != NULL;
}

static void
agile_start(void *arg, const char *element, const char **attributes)
{
	struct agile *agile = arg;

	if (xml_is(element, "keyData")) {
		agile->seen_data = true;
		agile->bad = agile->bad || !read_key(&agile->data, attributes);
	}
	/* The first that is a password's; the others are for certificates. */
	if (xml_is(element, "encryptedKey") && !agile->seen_password &&
	    *xml_attribute(attributes, "spinCount") != '\0') {
		unsigned long spins = strtoul(xml_attribute(attributes, "spinCount"), NULL, 10);

		agile->seen_password = true;
		agile->bad =
		    agile->bad || !read_key(&agile->password, attributes) || spins > SPIN_MAX;
		agile->spins = (uint32_t)spins;
		agile->verifier_size =
		    decode_base64(xml_attribute(attributes, "encryptedVerifierHashInput"),
			agile->verifier, sizeof(agile->verifier));
		agile->verifier_hash_size =
		    decode_base64(xml_attribute(attributes, "encryptedVerifierHashValue"),
			agile->verifier_hash, sizeof(agile->verifier_hash));
		agile->key_size = decode_base64(
		    xml_attribute(attributes, "encryptedKeyValue"), agile->key, sizeof(agile->key));
	}
}

static bool
read_agile(struct bytes info, struct agile *agile)
{
	XML_Parser parser = XML_ParserCreate(NULL);
	bool good;

	if (parser == NULL)
		return false;
	XML_SetUserData(parser, agile);
	XML_SetStartElementHandler(parser, agile_start);
	good =
	    XML_Parse(parser, (const char *)info.data, (int)info.size, XML_TRUE) == XML_STATUS_OK;
	XML_ParserFree(parser);
	return good && agile->seen_data && agile->seen_password && !agile->bad &&
	    agile->verifier_size > 0 && agile->verifier_size % 16 == 0 &&
	    agile->verifier_hash_size >= (size_t)EVP_MD_get_size(agile->password.hash) &&
	    agile->verifier_hash_size % 16 == 0 && agile->key_size >= agile->data.key_bytes &&
	    agile->key_size % 16 == 0;
}

/* --- agile: undoing it ------------------------------------------------------------------------ */

/* Decrypts in place what a block key names. */
static bool
undo_block(const struct agile_key *key, const uint8_t *spun, uint64_t block_key, uint8_t *data,
    size_t size)
{
	uint8_t number[8];
	uint8_t hash[HASH_MAX];
	size_t hash_size = (size_t)EVP_MD_get_size(key->hash);
	uint8_t iv[SALT_MAX];
	bool good;

	wire_store_u64be(number, block_key);
	memset(hash, 0x36, sizeof(hash));
	good = digest(key->hash, bytes_make(spun, hash_size), bytes_make(number, 8), hash);
	memset(iv, 0x36, sizeof(iv));
	memcpy(iv, key->salt, key->salt_size);
	good = good && decrypt(cbc_of(key->key_bytes), hash, iv, bytes_make(data, size), data);
	az_wipe(hash, sizeof(hash));
	return good;
}

static enum az_status
agile_key_of(struct agile *agile, struct bytes utf16, struct az_err *reterr)
{
	const struct agile_key *key = &agile->password;
	size_t hash_size = (size_t)EVP_MD_get_size(key->hash);
	uint8_t spun[HASH_MAX];
	uint8_t hash[HASH_MAX];
	bool good =
	    spin(key->hash, bytes_make(key->salt, key->salt_size), utf16, agile->spins, spun);

	good = good &&
	    undo_block(
		key, spun, UINT64_C(0xfea7d2763b4b9e79), agile->verifier, agile->verifier_size) &&
	    undo_block(key, spun, UINT64_C(0xd7aa0f6d3061344e), agile->verifier_hash,
		agile->verifier_hash_size) &&
	    undo_block(key, spun, UINT64_C(0x146e0be7abacd0d6), agile->key, agile->key_size) &&
	    digest(key->hash,
		bytes_make(agile->verifier,
		    key->salt_size <= agile->verifier_size ? key->salt_size : agile->verifier_size),
		bytes_make(NULL, 0), hash);
	az_wipe(spun, sizeof(spun));
	if (!good)
		return damaged(reterr);
	if (!bytes_equal(bytes_make(hash, hash_size), bytes_make(agile->verifier_hash, hash_size)))
		return az_fail(reterr, AZ_INVALID, "workbook: the password is wrong");
	return AZ_OK;
}

static enum az_status
undo_segments(const struct agile *agile, struct bytes package, uint64_t size, struct buffer *zip,
    struct az_err *reterr)
{
	uint8_t number[4];
	uint8_t iv[HASH_MAX];
	uint8_t plain[SEGMENT];

	for (uint32_t segment = 0; package.size > 0; segment++) {
		size_t part = package.size < SEGMENT ? package.size : SEGMENT;

		wire_store_u32(number, segment);
		memset(iv, 0x36, sizeof(iv));
		if (part % 16 != 0 ||
		    !digest(agile->data.hash, bytes_make(agile->data.salt, agile->data.salt_size),
			bytes_make(number, 4), iv) ||
		    !decrypt(cbc_of(agile->data.key_bytes), agile->key, iv,
			bytes_make(package.data, part), plain))
			return damaged(reterr);
		if (buffer_append(zip, bytes_make(plain, part)) != AZ_OK)
			return az_fail(reterr, AZ_LIMIT, "workbook: it is too large");
		package = bytes_make(package.data + part, package.size - part);
	}
	az_wipe(plain, sizeof(plain));
	if (size > zip->size)
		return damaged(reterr);
	zip->size = (size_t)size;
	return AZ_OK;
}

static enum az_status
open_agile(struct bytes info, struct bytes utf16, struct bytes package, uint64_t size,
    struct buffer *zip, struct az_err *reterr)
{
	struct agile *agile = calloc(1, sizeof(*agile));
	enum az_status status;

	if (agile == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "workbook: out of memory");
	status = read_agile(info, agile) ? agile_key_of(agile, utf16, reterr) : damaged(reterr);
	if (status == AZ_OK)
		status = undo_segments(agile, package, size, zip, reterr);
	az_wipe(agile, sizeof(*agile));
	free(agile);
	return status;
}

/* --- standard --------------------------------------------------------------------------------- */

/* 2.3.4.7: two halves of a hash of 0x36 and 0x5c, each with the hash laid over it. */
static bool
standard_key(struct bytes salt, struct bytes utf16, uint8_t key[40])
{
	uint8_t spun[20], last[20], block[4] = {0};
	uint8_t pads[2][64];
	bool good = spin(EVP_sha1(), salt, utf16, STANDARD_SPINS, spun) &&
	    digest(EVP_sha1(), bytes_make(spun, 20), bytes_make(block, 4), last);

	memset(pads[0], 0x36, 64);
	memset(pads[1], 0x5c, 64);
	for (size_t i = 0; i < 20; i++) {
		pads[0][i] ^= last[i];
		pads[1][i] ^= last[i];
	}
	good = good && digest(EVP_sha1(), bytes_make(pads[0], 64), bytes_make(NULL, 0), key) &&
	    digest(EVP_sha1(), bytes_make(pads[1], 64), bytes_make(NULL, 0), key + 20);
	az_wipe(spun, sizeof(spun));
	az_wipe(last, sizeof(last));
	az_wipe(pads, sizeof(pads));
	return good;
}

/* info: behind the version. A header of u32 size, then salt, verifier, its hash. */
static enum az_status
open_standard(struct bytes info, struct bytes utf16, struct bytes package, uint64_t size,
    struct buffer *zip, struct az_err *reterr)
{
	const EVP_CIPHER *cipher;
	struct wire_reader reader;
	uint32_t header_size, algorithm, key_bits, salt_size;
	uint8_t header[32], salt[16], verifier[16], hash[32], key[40], expected[20];
	enum az_status status;

	wire_reader_init(&reader, info);
	(void)wire_get_u32(&reader);
	header_size = wire_get_u32(&reader);
	wire_get_raw(&reader, header, sizeof(header));
	algorithm = wire_load_u32(header + 8);
	key_bits = wire_load_u32(header + 16);
	if (reader.failed || header_size < sizeof(header) || header_size > INFO_MAX ||
	    reader.rest.size < header_size - sizeof(header))
		return damaged(reterr);
	wire_reader_init(&reader,
	    bytes_make(reader.rest.data + (header_size - sizeof(header)),
		reader.rest.size - (header_size - sizeof(header))));
	salt_size = wire_get_u32(&reader);
	wire_get_raw(&reader, salt, sizeof(salt));
	wire_get_raw(&reader, verifier, sizeof(verifier));
	(void)wire_get_u32(&reader);
	wire_get_raw(&reader, hash, sizeof(hash));
	cipher = algorithm == 0x660e && key_bits == 128 ? EVP_aes_128_ecb()
	    : algorithm == 0x660f && key_bits == 192    ? EVP_aes_192_ecb()
	    : algorithm == 0x6610 && key_bits == 256    ? EVP_aes_256_ecb()
							: NULL;
	if (reader.failed || salt_size != sizeof(salt) || cipher == NULL ||
	    package.size % 16 != 0 || !standard_key(bytes_make(salt, 16), utf16, key) ||
	    !decrypt(cipher, key, NULL, bytes_make(verifier, 16), verifier) ||
	    !decrypt(cipher, key, NULL, bytes_make(hash, 32), hash) ||
	    !digest(EVP_sha1(), bytes_make(verifier, 16), bytes_make(NULL, 0), expected))
		return damaged(reterr);
	if (!bytes_equal(bytes_make(expected, 20), bytes_make(hash, 20)))
		return az_fail(reterr, AZ_INVALID, "workbook: the password is wrong");
	status = buffer_reserve(zip, package.size);
	if (status != AZ_OK)
		return az_fail(reterr, status, "workbook: it is too large");
	if (!decrypt(cipher, key, NULL, package, zip->data) || size > package.size)
		return damaged(reterr);
	zip->size = (size_t)size;
	return AZ_OK;
}

/* --- the compound file ------------------------------------------------------------------------ */

/* All of a stream, borrowed from it; size 0 if it cannot be had. */
static struct bytes
stream_bytes(GsfInput *stream, size_t max)
{
	gsf_off_t size = gsf_input_size(stream);
	const uint8_t *data;

	if (size <= 0 || (uint64_t)size > max)
		return bytes_make(NULL, 0);
	data = gsf_input_read(stream, (size_t)size, NULL);
	return data == NULL ? bytes_make(NULL, 0) : bytes_make(data, (size_t)size);
}

static enum az_status
open_encrypted(struct bytes info, struct bytes package, struct bytes password, struct buffer *zip,
    struct az_err *reterr)
{
	struct buffer utf16;
	uint64_t size;
	uint16_t major, minor;
	enum az_status status;

	if (info.size < 8 || package.size < 8)
		return damaged(reterr);
	if (password.size == 0)
		return az_fail(reterr, AZ_INVALID, "workbook: it needs a password");
	major = wire_load_u16(info.data);
	minor = wire_load_u16(info.data + 2);
	size = wire_load_u64(package.data);
	info = bytes_make(info.data + 8, info.size - 8);
	package = bytes_make(package.data + 8, package.size - 8);
	if (size > package.size)
		return damaged(reterr);
	buffer_init(&utf16, 4 * UNPACK_PASSWORD_MAX, true);
	if (!to_utf16(password, &utf16))
		status = az_fail(reterr, AZ_INVALID, "workbook: the password is not UTF-8");
	else if (major == 4 && minor == 4)
		status = open_agile(info, buffer_peek(&utf16), package, size, zip, reterr);
	else if (minor == 2 && major >= 2 && major <= 4)
		status = open_standard(info, buffer_peek(&utf16), package, size, zip, reterr);
	else
		status = damaged(reterr);
	buffer_fini(&utf16);
	return status;
}

static enum az_status
open_old(GsfInfile *file, struct buffer *inner, struct az_err *reterr)
{
	GsfInput *workbook = gsf_infile_child_by_name(file, "Workbook");
	struct bytes stream = {0};
	enum az_status status;

	if (workbook == NULL)
		workbook = gsf_infile_child_by_name(file, "Book");
	if (workbook != NULL)
		stream = stream_bytes(workbook, UNPACK_INNER_MAX);
	status = stream.size == 0 ? damaged(reterr) : buffer_append(inner, stream);
	if (status == AZ_LIMIT || status == AZ_NO_MEMORY)
		status = az_fail(reterr, status, "workbook: it is too large");
	if (workbook != NULL)
		g_object_unref(workbook);
	return status;
}

enum az_status
office_open(struct bytes bytes, struct bytes password, bool *ret_is_encrypted, struct buffer *inner,
    struct az_err *reterr)
{
	GsfInput *input = gsf_input_memory_new(bytes.data, (gsf_off_t)bytes.size, FALSE);
	GsfInfile *file = input == NULL ? NULL : gsf_infile_msole_new(input, NULL);
	GsfInput *info = NULL;
	GsfInput *package = NULL;
	enum az_status status = AZ_OK;

	*ret_is_encrypted = false;
	if (file == NULL) {
		status = damaged(reterr);
	} else {
		info = gsf_infile_child_by_name(file, "EncryptionInfo");
		package = gsf_infile_child_by_name(file, "EncryptedPackage");
		*ret_is_encrypted = info != NULL && package != NULL;
	}
	if (*ret_is_encrypted)
		status = open_encrypted(stream_bytes(info, INFO_MAX),
		    stream_bytes(package, UNPACK_WRAPPED_MAX), password, inner, reterr);
	else if (file != NULL)
		status = open_old(file, inner, reterr);
	if (package != NULL)
		g_object_unref(package);
	if (info != NULL)
		g_object_unref(info);
	if (file != NULL)
		g_object_unref(file);
	if (input != NULL)
		g_object_unref(input);
	return status;
}

/* What a library says of a damaged file is for nobody, and saying it opens files. */
static void
say_nothing(const char *domain, GLogLevelFlags level, const char *text, void *arg)
{
	(void)domain;
	(void)level;
	(void)text;
	(void)arg;
}

void
office_prepare(void)
{
	uint8_t block[16] = {0};
	uint8_t hash[HASH_MAX];
	uint8_t key[32] = {0};

	(void)g_log_set_default_handler(say_nothing, NULL);
	gsf_init();
	/* One of each, so that OpenSSL has loaded what it loads at first use. */
	(void)digest(EVP_sha512(), bytes_make(block, 16), bytes_make(NULL, 0), hash);
	(void)decrypt(EVP_aes_256_cbc(), key, block, bytes_make(block, 16), block);
}
