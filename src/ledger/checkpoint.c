/*
 * Checkpoints: the C2SP tlog-checkpoint body in a C2SP signed note, with an Ed25519 line (type 0x01).
 *
 *   <origin>\n<size>\n<base64 root>\n\n— <origin> <base64(key id ‖ signature)>\n
 *
 *   key id = SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4], the name being the origin
 *
 * The signature covers the text up to and with the newline before the blank line. A reader looks
 * through all signature lines, of which others (witnesses) may have added some, for ours.
 */
#include <stdio.h>
#include <string.h>

#include "ledger/ledger_internal.h"

#define KEY_ID_SIZE 4
#define LINE_SIZE   (KEY_ID_SIZE + SIGNATURE_SIZE)
#define LINES_MAX   32
static const char line_start[] = "\xe2\x80\x94 "; /* U+2014 and a space */

void
ledger_origin(const uint8_t house[HOUSE_ID_SIZE], uint32_t log, char text[LEDGER_NAME_SIZE])
{
	char name[HOUSE_NAME_SIZE];

	house_name(house, name);
	if (log == LEDGER_HOUSE_LOG)
		(void)snprintf(text, LEDGER_NAME_SIZE, "azukari/%s/g1/house", name);
	else
		(void)snprintf(text, LEDGER_NAME_SIZE, "azukari/%s/g1/%u", name, log);
}

static void
key_id(const char *name, const uint8_t public_key[SIGN_PUBLIC_SIZE], uint8_t ret_id[KEY_ID_SIZE])
{
	static const uint8_t separator[2] = {0x0a, 0x01};
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, name, strlen(name));
	sha256_update(&hash, separator, sizeof(separator));
	sha256_update(&hash, public_key, SIGN_PUBLIC_SIZE);
	sha256_final(&hash, digest);
	memcpy(ret_id, digest, KEY_ID_SIZE);
}

static enum az_status
put_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, bytes_of(text));
}

enum az_status
checkpoint_make(const char *origin, uint64_t size, const uint8_t root[TREE_HASH_SIZE],
    const struct sign_key *key, struct buffer *buffer, struct az_err *reterr)
{
	uint8_t public_key[SIGN_PUBLIC_SIZE];
	uint8_t line[LINE_SIZE];
	char number[32];
	size_t start = buffer->size;
	enum az_status status;

	(void)snprintf(number, sizeof(number), "\n%llu\n", (unsigned long long)size);
	status = put_text(buffer, origin);
	if (status == AZ_OK)
		status = put_text(buffer, number);
	if (status == AZ_OK)
		status = base64_encode(bytes_make(root, TREE_HASH_SIZE), buffer);
	if (status == AZ_OK)
		status = put_text(buffer, "\n");
	if (status == AZ_OK)
		status = sign(key, bytes_make(buffer->data + start, buffer->size - start),
		    line + KEY_ID_SIZE, reterr);
	if (status == AZ_OK) {
		sign_key_public(key, public_key);
		key_id(origin, public_key, line);
		status = put_text(buffer, "\n");
	}
	if (status == AZ_OK)
		status = put_text(buffer, line_start);
	if (status == AZ_OK)
		status = put_text(buffer, origin);
	if (status == AZ_OK)
		status = put_text(buffer, " ");
	if (status == AZ_OK)
		status = base64_encode(bytes_make(line, sizeof(line)), buffer);
	if (status == AZ_OK)
		status = put_text(buffer, "\n");
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "checkpoint: no room");
}

/* Cuts the next line, without its newline, from the front of *text. */
static bool
next_line(struct bytes *text, struct bytes *ret_line)
{
	size_t size = 0;

	while (size < text->size && text->data[size] != '\n')
		size++;
	if (size == text->size)
		return false;
	*ret_line = bytes_make(text->data, size);
	*text = bytes_make(text->data + size + 1, text->size - size - 1);
	return true;
}

static bool
parse_size(struct bytes line, uint64_t *ret_size)
{
	uint64_t size = 0;

	if (line.size == 0 || line.size > 19 || (line.size > 1 && line.data[0] == '0'))
		return false;
	for (size_t i = 0; i < line.size; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return false;
		size = size * 10 + (uint64_t)(line.data[i] - '0');
	}
	*ret_size = size;
	return true;
}

static bool
parse_base64(struct bytes text, uint8_t *data, size_t size)
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

/* Whether line is a signature by this key over text. */
static bool
line_signs(struct bytes line, const char *name, const uint8_t public_key[SIGN_PUBLIC_SIZE],
    struct bytes text)
{
	size_t start = strlen(line_start);
	size_t name_size = strlen(name);
	uint8_t decoded[LINE_SIZE];
	uint8_t id[KEY_ID_SIZE];

	if (line.size < start + name_size + 1 ||
	    !bytes_equal(bytes_make(line.data, start), bytes_of(line_start)) ||
	    !bytes_equal(bytes_make(line.data + start, name_size), bytes_of(name)) ||
	    line.data[start + name_size] != ' ')
		return false;
	start += name_size + 1;
	key_id(name, public_key, id);
	return parse_base64(bytes_make(line.data + start, line.size - start), decoded, LINE_SIZE) &&
	    bytes_equal(bytes_make(decoded, KEY_ID_SIZE), bytes_make(id, KEY_ID_SIZE)) &&
	    sign_verify(public_key, text, decoded + KEY_ID_SIZE) == AZ_OK;
}

enum az_status
checkpoint_read(struct bytes note, const char *origin, const uint8_t public_key[SIGN_PUBLIC_SIZE],
    uint64_t *ret_size, uint8_t ret_root[TREE_HASH_SIZE], struct az_err *reterr)
{
	struct bytes rest = note;
	struct bytes text, name, size_line, root_line, line;
	uint8_t root[TREE_HASH_SIZE];
	uint64_t size = 0;
	unsigned int lines = 0;

	if (note.size > CHECKPOINT_MAX || !next_line(&rest, &name) ||
	    !next_line(&rest, &size_line) || !next_line(&rest, &root_line))
		return az_fail(reterr, AZ_CORRUPT, "checkpoint: cut short");
	text = bytes_make(note.data, note.size - rest.size);
	if (!next_line(&rest, &line) || line.size != 0 || !parse_size(size_line, &size) ||
	    !parse_base64(root_line, root, sizeof(root)))
		return az_fail(reterr, AZ_CORRUPT, "checkpoint: not in its format");
	if (!bytes_equal(name, bytes_of(origin)))
		return az_fail(reterr, AZ_FORGED, "checkpoint: of another log than %s", origin);
	for (; next_line(&rest, &line) && lines < LINES_MAX; lines++) {
		if (line_signs(line, origin, public_key, text)) {
			*ret_size = size;
			memcpy(ret_root, root, sizeof(root));
			return AZ_OK;
		}
	}
	return az_fail(reterr, AZ_FORGED, "checkpoint of %s: not signed by its key", origin);
}
