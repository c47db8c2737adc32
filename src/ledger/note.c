/*
 * C2SP signed notes:
 *
 *   <text, which ends in a newline>
 *   <empty line>
 *   — <name> <base64(key id ‖ signature)>        one or more
 *
 *   key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]
 *
 *   type  signature                what is signed
 *   0x01  64                       the text
 *   0x04  u64 BE seconds ‖ 64      "cosignature/v1\ntime " decimal "\n" and the text
 *
 * The text may have empty lines; the last one of the note divides it. Name and id together name a key: a line
 * under another name or id is somebody else's and says nothing. The key ids are short, so a line that has
 * ours and does not verify may be an accident; the note is refused all the same, since nobody who only adds
 * lines has a reason to use our name.
 *
 * A base64 text has one spelling only (base/bytes.h), so a changed character is a changed signature.
 */
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "ledger/evidence.h"

#define KEY_ID_SIZE    4u
#define COSIGNED_SIZE  (KEY_ID_SIZE + 8u + SIGNATURE_SIZE)
#define SIGNED_MAX     (64u * 1024u) /* of a text that we sign or check */
#define TIME_LINE_SIZE 64u

static const char line_start[] = "\xe2\x80\x94 "; /* U+2014 and a space */

/* --- names and keys --------------------------------------------------------------------------- */

/* The length of a Unicode space at data, in UTF-8; 0 if there is none. Those of White_Space. */
static size_t
space_at(const uint8_t *data, size_t size)
{
	static const char *const wide[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8",
	    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

	if (data[0] == ' ' || (data[0] >= 0x09 && data[0] <= 0x0d))
		return 1;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(wide); i++) {
		size_t length = strlen(wide[i]);

		if (length <= size && bytes_equal(bytes_make(data, length), bytes_of(wide[i])))
			return length;
	}
	/* U+2000 to U+200A */
	return size >= 3 && data[0] == 0xe2 && data[1] == 0x80 && data[2] >= 0x80 && data[2] <= 0x8a
	    ? 3
	    : 0;
}

static bool
name_may_be(struct bytes name)
{
	if (name.size == 0 || name.size > NOTE_NAME_MAX || !bytes_are_utf8(name))
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] < 0x20 || name.data[i] == '+' ||
		    space_at(name.data + i, name.size - i) > 0)
			return false;
	}
	return true;
}

enum az_status
note_key_make(const char *name, enum note_key_type type, const uint8_t public_key[SIGN_PUBLIC_SIZE],
    struct note_key *ret_key, struct az_err *reterr)
{
	struct note_key key = {.type = type};
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;
	uint8_t code = (uint8_t)type;

	if ((type != NOTE_KEY_ED25519 && type != NOTE_KEY_COSIGNATURE) ||
	    !name_may_be(bytes_of(name)))
		return az_fail(reterr, AZ_INVALID, "key: not a name that a key may have");
	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	memcpy(key.public_key, public_key, SIGN_PUBLIC_SIZE);
	sha256_init(&hash);
	sha256_update(&hash, name, strlen(name));
	sha256_update(&hash, "\n", 1);
	sha256_update(&hash, &code, 1);
	sha256_update(&hash, public_key, SIGN_PUBLIC_SIZE);
	sha256_final(&hash, digest);
	memcpy(key.id, digest, KEY_ID_SIZE);
	*ret_key = key;
	return AZ_OK;
}

/* Decodes exactly size bytes of base64. */
static bool
decode(struct bytes text, uint8_t *data, size_t size)
{
	struct buffer buffer;
	bool good;

	buffer_init(&buffer, size + 3, false);
	good = base64_decode(text, &buffer) == AZ_OK && buffer.size == size;
	if (good)
		memcpy(data, buffer.data, size);
	buffer_fini(&buffer);
	return good;
}

/* Cuts what stands before the first mark from the front of *rest. */
static bool
cut(struct bytes *rest, char mark, struct bytes *ret_part)
{
	size_t size = 0;

	while (size < rest->size && rest->data[size] != (uint8_t)mark)
		size++;
	if (size == rest->size)
		return false;
	*ret_part = bytes_make(rest->data, size);
	*rest = bytes_make(rest->data + size + 1, rest->size - size - 1);
	return true;
}

enum az_status
note_key_parse(struct bytes vkey, struct note_key *ret_key, struct az_err *reterr)
{
	struct bytes rest = vkey;
	struct bytes name, id_text;
	struct note_key key = {0};
	uint8_t encoded[1 + SIGN_PUBLIC_SIZE];
	uint8_t id[KEY_ID_SIZE];
	char digits[2 * KEY_ID_SIZE + 1] = {0};
	char text[NOTE_NAME_MAX + 1] = {0};

	if (rest.size > 0 && rest.data[rest.size - 1] == '\n')
		rest.size--;
	/* Base64 may hold a plus: only the first two divide. */
	if (!cut(&rest, '+', &name) || !cut(&rest, '+', &id_text) || !name_may_be(name) ||
	    id_text.size != sizeof(digits) - 1 || !decode(rest, encoded, sizeof(encoded)))
		return az_fail(reterr, AZ_INVALID, "key: not of the form name+id+key");
	memcpy(text, name.data, name.size);
	memcpy(digits, id_text.data, id_text.size);
	if (strlen(text) != name.size || !hex_decode(digits, id, sizeof(id)))
		return az_fail(reterr, AZ_INVALID, "key: not of the form name+id+key");
	if (encoded[0] != NOTE_KEY_ED25519 && encoded[0] != NOTE_KEY_COSIGNATURE)
		return az_fail(
		    reterr, AZ_INVALID, "key: of type %u, which is not known", encoded[0]);
	if (note_key_make(text, (enum note_key_type)encoded[0], encoded + 1, &key, reterr) != AZ_OK)
		return AZ_INVALID;
	if (!bytes_equal(bytes_make(id, sizeof(id)), bytes_make(key.id, sizeof(key.id))))
		return az_fail(reterr, AZ_INVALID, "key: its id is not that of its name and key");
	*ret_key = key;
	return AZ_OK;
}

enum az_status
note_key_text(const struct note_key *key, struct buffer *buffer)
{
	uint8_t encoded[1 + SIGN_PUBLIC_SIZE] = {(uint8_t)key->type};
	char digits[2 * KEY_ID_SIZE + 3];
	enum az_status status;

	digits[0] = '+';
	hex_encode(bytes_make(key->id, sizeof(key->id)), digits + 1);
	digits[2 * KEY_ID_SIZE + 1] = '+';
	digits[2 * KEY_ID_SIZE + 2] = '\0';
	memcpy(encoded + 1, key->public_key, SIGN_PUBLIC_SIZE);
	status = buffer_append(buffer, bytes_of(key->name));
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of(digits));
	if (status == AZ_OK)
		status = base64_encode(bytes_make(encoded, sizeof(encoded)), buffer);
	return status;
}

/* --- notes ------------------------------------------------------------------------------------ */

/* Cuts a signature line into name and base64. */
static bool
line_open(struct bytes line, struct bytes *ret_name, struct bytes *ret_signature)
{
	size_t start = strlen(line_start);
	struct bytes rest;

	if (line.size < start || !bytes_equal(bytes_make(line.data, start), bytes_of(line_start)))
		return false;
	rest = bytes_make(line.data + start, line.size - start);
	if (!cut(&rest, ' ', ret_name) || !name_may_be(*ret_name) || rest.size == 0)
		return false;
	*ret_signature = rest;
	return true;
}

/* Whether there is nothing but what a note may hold. */
static bool
characters_may_be(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		if (bytes.data[i] < 0x20 && bytes.data[i] != '\n')
			return false;
	}
	return bytes_are_utf8(bytes);
}

enum az_status
note_open(struct bytes bytes, struct note *ret_note, struct az_err *reterr)
{
	size_t at = bytes.size;
	struct note note;
	struct bytes rest, line, name, signature;
	unsigned int lines = 0;

	if (bytes.size > NOTE_MAX)
		return az_fail(reterr, AZ_CORRUPT, "note: longer than %u bytes", NOTE_MAX);
	if (!characters_may_be(bytes))
		return az_fail(reterr, AZ_CORRUPT, "note: a character that no note may have");
	while (at >= 2 && !(bytes.data[at - 1] == '\n' && bytes.data[at - 2] == '\n'))
		at--;
	if (at < 2)
		return az_fail(reterr, AZ_CORRUPT, "note: no empty line divides it");
	note.text = bytes_make(bytes.data, at - 1);
	note.lines = bytes_make(bytes.data + at, bytes.size - at);
	for (rest = note.lines; rest.size > 0; lines++) {
		if (lines == NOTE_LINES || !evidence_line(&rest, &line) ||
		    !line_open(line, &name, &signature))
			return az_fail(
			    reterr, AZ_CORRUPT, "note: line %u is no signature", lines + 1);
	}
	if (lines == 0)
		return az_fail(reterr, AZ_CORRUPT, "note: it has no signature");
	*ret_note = note;
	return AZ_OK;
}

static size_t
time_line(int64_t time_s, char line[TIME_LINE_SIZE])
{
	int size = snprintf(line, TIME_LINE_SIZE, "cosignature/v1\ntime %lld\n", (long long)time_s);

	return size > 0 ? (size_t)size : 0;
}

/* Checks a signature of key, decoded, behind its id. */
static enum az_status
check_signature(struct bytes text, const struct note_key *key, struct bytes signature,
    int64_t *ret_time_s, struct az_err *reterr)
{
	char line[TIME_LINE_SIZE];
	struct buffer message;
	uint64_t time_s;
	enum az_status status;

	if (key->type == NOTE_KEY_ED25519)
		return signature.size == SIGNATURE_SIZE
		    ? sign_verify(key->public_key, text, signature.data)
		    : AZ_FORGED;
	if (signature.size != 8 + SIGNATURE_SIZE)
		return AZ_FORGED;
	time_s = wire_load_u64be(signature.data);
	if (time_s > INT64_MAX)
		return AZ_FORGED;
	buffer_init(&message, SIGNED_MAX + TIME_LINE_SIZE, false);
	status = buffer_append(&message, bytes_make(line, time_line((int64_t)time_s, line)));
	if (status == AZ_OK)
		status = buffer_append(&message, text);
	if (status == AZ_OK)
		status = sign_verify(key->public_key, buffer_peek(&message), signature.data + 8);
	else
		(void)az_fail(reterr, status, "note: too long to be checked");
	if (status == AZ_OK)
		*ret_time_s = (int64_t)time_s;
	buffer_fini(&message);
	return status;
}

/* One line: AZ_NOT_FOUND if it is not by key. */
static enum az_status
check_line(const struct note *note, struct bytes line, const struct note_key *key,
    int64_t *ret_time_s, struct az_err *reterr)
{
	struct bytes name, encoded;
	struct buffer decoded;
	enum az_status status = AZ_NOT_FOUND;

	if (!line_open(line, &name, &encoded) || !bytes_equal(name, bytes_of(key->name)))
		return AZ_NOT_FOUND;
	buffer_init(&decoded, NOTE_MAX, false);
	if (base64_decode(encoded, &decoded) == AZ_OK && decoded.size > KEY_ID_SIZE &&
	    bytes_equal(bytes_make(decoded.data, KEY_ID_SIZE), bytes_make(key->id, KEY_ID_SIZE)))
		status = check_signature(note->text, key,
		    bytes_make(decoded.data + KEY_ID_SIZE, decoded.size - KEY_ID_SIZE), ret_time_s,
		    reterr);
	buffer_fini(&decoded);
	return status;
}

enum az_status
note_check(
    const struct note *note, const struct note_key *key, int64_t *ret_time_s, struct az_err *reterr)
{
	struct bytes rest = note->lines;
	struct bytes line;
	int64_t time_s = 0;
	bool found = false;

	while (evidence_line(&rest, &line)) {
		enum az_status status = check_line(note, line, key, &time_s, reterr);

		if (status == AZ_OK)
			found = true;
		else if (status == AZ_FORGED)
			return az_fail(reterr, AZ_FORGED,
			    "note: the signature of %s is not over this text", key->name);
		else if (status != AZ_NOT_FOUND)
			return az_fail(reterr, status,
			    "note: the signature of %s could not be checked", key->name);
	}
	if (!found)
		return az_fail(reterr, AZ_NOT_FOUND, "note: not signed by %s", key->name);
	*ret_time_s = key->type == NOTE_KEY_COSIGNATURE ? time_s : 0;
	return AZ_OK;
}

/* Key id and signature. */
static enum az_status
make_signature(struct bytes text, const struct note_key *key, const struct sign_key *sign_key,
    int64_t time_s, uint8_t data[COSIGNED_SIZE], size_t *ret_size, struct az_err *reterr)
{
	char line[TIME_LINE_SIZE];
	struct buffer message;
	enum az_status status;

	memcpy(data, key->id, KEY_ID_SIZE);
	if (key->type == NOTE_KEY_ED25519) {
		*ret_size = KEY_ID_SIZE + SIGNATURE_SIZE;
		return sign(sign_key, text, data + KEY_ID_SIZE, reterr);
	}
	wire_store_u64be(data + KEY_ID_SIZE, (uint64_t)time_s);
	buffer_init(&message, SIGNED_MAX + TIME_LINE_SIZE, false);
	status = buffer_append(&message, bytes_make(line, time_line(time_s, line)));
	if (status == AZ_OK)
		status = buffer_append(&message, text);
	if (status == AZ_OK)
		status = sign(sign_key, buffer_peek(&message), data + KEY_ID_SIZE + 8, reterr);
	else
		(void)az_fail(reterr, status, "note: too long to be signed");
	buffer_fini(&message);
	*ret_size = COSIGNED_SIZE;
	return status;
}

enum az_status
note_sign(struct bytes text, const struct note_key *key, const struct sign_key *sign_key,
    int64_t time_s, struct buffer *buffer, struct az_err *reterr)
{
	uint8_t data[COSIGNED_SIZE];
	size_t size = 0;
	size_t before = buffer->size;
	enum az_status status;

	if (text.size == 0 || text.size > SIGNED_MAX || text.data[text.size - 1] != '\n' ||
	    time_s < 0)
		return az_fail(reterr, AZ_INVALID, "note: not a text that can be signed");
	status = make_signature(text, key, sign_key, time_s, data, &size, reterr);
	if (status != AZ_OK)
		return status;
	status = buffer_append(buffer, bytes_of(line_start));
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of(key->name));
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of(" "));
	if (status == AZ_OK)
		status = base64_encode(bytes_make(data, size), buffer);
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of("\n"));
	if (status == AZ_OK)
		return AZ_OK;
	buffer->size = before;
	return az_fail(reterr, status, "note: no room for a signature");
}
