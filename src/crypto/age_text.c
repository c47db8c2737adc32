/*
 * The texts of age: recipients and identities in Bech32 (BIP 173, without its limit of 90 characters), and
 * the header:
 *
 *	age-encryption.org/v1
 *	-> TYPE ARGUMENT…                 one stanza for each recipient
 *	<base64 of the body, 64 characters a line; the last line is shorter, and may be empty>
 *	--- <base64 of the header's MAC>
 *
 * Lines end with a line feed alone. Base64 has no padding and one spelling. Arguments are one or more printable
 * characters, with one blank before each.
 */
#include <string.h>

#include "crypto/age_internal.h"

#define BODY_COLUMNS 64u
#define BODY_MAX     4096u /* characters of the base64 of a body of a kind that we open */

/* --- Bech32 ----------------------------------------------------------------------------------- */

#define BECH32_DATA  52u /* characters of 32 bytes */
#define BECH32_CHECK 6u

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t
bech32_step(uint32_t check, uint8_t value)
{
	static const uint32_t generators[5] = {
	    0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = check >> 25;

	check = (check & 0x1ffffff) << 5 ^ value;
	for (unsigned int i = 0; i < 5; i++)
		check ^= (0u - (top >> i & 1u)) & generators[i];
	return check;
}

static uint32_t
bech32_start(const char *prefix)
{
	uint32_t check = 1;

	for (const char *at = prefix; *at != '\0'; at++)
		check = bech32_step(check, (uint8_t)*at >> 5);
	check = bech32_step(check, 0);
	for (const char *at = prefix; *at != '\0'; at++)
		check = bech32_step(check, (uint8_t)*at & 31);
	return check;
}

/* The value of a character of the set, 255 for any other; no branch depends on which. */
static uint8_t
bech32_value(char character)
{
	uint8_t value = 255;

	for (uint8_t i = 0; i < 32; i++) {
		uint8_t same = (uint8_t)(((uint32_t)(uint8_t)(charset[i] ^ character) - 1u) >> 31);

		value = (uint8_t)(value & (uint8_t)(same - 1u)) | (uint8_t)(i & (0u - same));
	}
	return value;
}

/* 32 bytes as 52 groups of 5 bits, the last filled with zeros. */
static void
to_groups(const uint8_t data[AGE_KEY_SIZE], uint8_t groups[BECH32_DATA])
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t at = 0;

	for (size_t i = 0; i < AGE_KEY_SIZE; i++) {
		bits = bits << 8 | data[i];
		have += 8;
		while (have >= 5) {
			have -= 5;
			groups[at++] = (uint8_t)(bits >> have & 31);
		}
	}
	groups[at] = (uint8_t)(bits << (5 - have) & 31);
}

static bool
from_groups(const uint8_t groups[BECH32_DATA], uint8_t data[AGE_KEY_SIZE])
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t at = 0;

	for (size_t i = 0; i < BECH32_DATA; i++) {
		bits = (bits & 0xff) << 5 | groups[i];
		have += 5;
		if (have >= 8) {
			have -= 8;
			data[at++] = (uint8_t)(bits >> have & 0xff);
		}
	}
	return (bits & ((1u << have) - 1)) == 0;
}

/* text is PREFIX "1", 52 characters of data, 6 that check them: all lower case. */
static bool
bech32_decode(const char *text, const char *prefix, uint8_t data[AGE_KEY_SIZE])
{
	size_t prefix_size = strlen(prefix);
	uint8_t groups[BECH32_DATA];
	uint32_t check = bech32_start(prefix);
	uint8_t bad = 0;
	bool good;

	if (strlen(text) != prefix_size + 1 + BECH32_DATA + BECH32_CHECK ||
	    strncmp(text, prefix, prefix_size) != 0 || text[prefix_size] != '1')
		return false;
	text += prefix_size + 1;
	for (size_t i = 0; i < BECH32_DATA + BECH32_CHECK; i++) {
		uint8_t value = bech32_value(text[i]);

		bad |= value & 0xe0;
		check = bech32_step(check, value & 31);
		if (i < BECH32_DATA)
			groups[i] = value & 31;
	}
	good = bad == 0 && check == 1 && from_groups(groups, data);
	az_wipe(groups, sizeof(groups));
	return good;
}

void
age_recipient_text(const uint8_t recipient[AGE_KEY_SIZE], char text[AGE_RECIPIENT_SIZE])
{
	uint8_t groups[BECH32_DATA];
	uint32_t check = bech32_start("age");
	char *at = text;

	to_groups(recipient, groups);
	memcpy(at, "age1", 4);
	at += 4;
	for (size_t i = 0; i < BECH32_DATA; i++) {
		check = bech32_step(check, groups[i]);
		*at++ = charset[groups[i]];
	}
	for (size_t i = 0; i < BECH32_CHECK; i++)
		check = bech32_step(check, 0);
	check ^= 1;
	for (size_t i = 0; i < BECH32_CHECK; i++)
		*at++ = charset[check >> 5 * (5 - i) & 31];
	*at = '\0';
}

bool
age_recipient_parse(const char *text, uint8_t ret_recipient[AGE_KEY_SIZE])
{
	uint8_t recipient[AGE_KEY_SIZE];

	if (!bech32_decode(text, "age", recipient))
		return false;
	memcpy(ret_recipient, recipient, sizeof(recipient));
	return true;
}

enum az_status
age_identity_parse(const char *text, struct secret **ret_identity, struct az_err *reterr)
{
	char lower[AGE_RECIPIENT_SIZE + 32];
	size_t size = strlen(text);
	struct secret *identity = NULL;
	enum az_status status = secret_new(AGE_KEY_SIZE, &identity, reterr);
	bool good = size < sizeof(lower);

	if (status != AZ_OK)
		return status;
	for (size_t i = 0; good && i <= size; i++) {
		uint8_t byte = (uint8_t)text[i];

		/* Identities are written in capitals, and only so. */
		good = byte < 'a' || byte > 'z';
		lower[i] =
		    (char)(byte + (byte >= 'A' && byte <= 'Z' ? (uint8_t)('a' - 'A') : (uint8_t)0));
	}
	good = good && bech32_decode(lower, "age-secret-key-", secret_data(identity));
	az_wipe(lower, sizeof(lower));
	if (!good) {
		secret_free(&identity);
		return az_fail(reterr, AZ_INVALID, "age: not an identity");
	}
	*ret_identity = identity;
	return AZ_OK;
}

/* --- base64 ----------------------------------------------------------------------------------- */

/* Decodes characters that stand without line ends. */
static bool
decode_unpadded(struct bytes text, uint8_t *data, size_t size)
{
	struct buffer padded;
	struct buffer decoded;
	bool good = text.size == (size * 4 + 2) / 3 &&
	    (text.size == 0 || memchr(text.data, '=', text.size) == NULL);

	/* Nothing is the one spelling of nothing. */
	if (!good || size == 0)
		return good;
	buffer_init(&padded, BODY_MAX + 8, true);
	buffer_init(&decoded, BODY_MAX + 8, true);
	good = buffer_append(&padded, text) == AZ_OK &&
	    buffer_append(&padded, bytes_make("==", (4 - text.size % 4) % 4)) == AZ_OK &&
	    base64_decode(buffer_peek(&padded), &decoded) == AZ_OK && decoded.size == size;
	if (good)
		memcpy(data, decoded.data, size);
	buffer_fini(&padded);
	buffer_fini(&decoded);
	return good;
}

bool
age_decode_line(struct bytes text, uint8_t *data, size_t size)
{
	return decode_unpadded(text, data, size);
}

bool
age_decode_body(struct bytes body, uint8_t *data, size_t size)
{
	char joined[BODY_MAX];
	size_t at = 0;

	for (size_t i = 0; i < body.size; i++) {
		if (body.data[i] == '\n')
			continue;
		if (at == sizeof(joined))
			return false;
		joined[at++] = (char)body.data[i];
	}
	return decode_unpadded(bytes_make(joined, at), data, size);
}

enum az_status
age_encode_line(struct bytes bytes, struct buffer *buffer)
{
	enum az_status status = base64_encode(bytes, buffer);

	while (status == AZ_OK && buffer->size > 0 && buffer->data[buffer->size - 1] == '=')
		buffer->size--;
	return status;
}

/* --- the header ------------------------------------------------------------------------------- */

enum az_status
age_header_find(struct bytes start, size_t *ret_size, struct az_err *reterr)
{
	size_t common = start.size < AGE_MAGIC_SIZE ? start.size : AGE_MAGIC_SIZE;
	size_t armour = start.size < AGE_ARMOUR_SIZE ? start.size : AGE_ARMOUR_SIZE;
	size_t line = 0;

	if (start.size > 3 &&
	    bytes_equal(bytes_make(start.data, armour), bytes_make(AGE_ARMOUR, armour)))
		return az_fail(
		    reterr, AZ_INVALID, "age: it is in armour (age -a); the binary file is needed");
	if (!bytes_equal(bytes_make(start.data, common), bytes_make(AGE_MAGIC, common)))
		return az_fail(reterr, AZ_INVALID, "age: not a file of a version that is known");
	*ret_size = 0;
	while (line < start.size) {
		const uint8_t *end = memchr(start.data + line, '\n', start.size - line);
		size_t next;

		if (end == NULL)
			break;
		next = (size_t)(end - start.data) + 1;
		if (next - line >= 4 &&
		    bytes_equal(bytes_make(start.data + line, 3), bytes_make("---", 3))) {
			*ret_size = next;
			return AZ_OK;
		}
		line = next;
	}
	if (start.size >= AGE_HEADER_MAX)
		return az_fail(reterr, AZ_INVALID, "age: the header is too long");
	return AZ_OK;
}

/* Cuts the next line, without its end. */
static bool
next_line(struct bytes *rest, struct bytes *ret_line)
{
	const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
	size_t size;

	if (end == NULL)
		return false;
	size = (size_t)(end - rest->data);
	*ret_line = bytes_make(rest->data, size);
	*rest = bytes_make(rest->data + size + 1, rest->size - size - 1);
	return true;
}

static bool
starts_with(struct bytes line, const char *text)
{
	size_t size = strlen(text);

	return line.size >= size && bytes_equal(bytes_make(line.data, size), bytes_of(text));
}

/* The type and arguments behind "-> ". */
static bool
parse_arguments(struct bytes text, struct age_stanza *stanza)
{
	size_t count = 0;

	while (text.size > 0 || count == 0) {
		size_t size = 0;

		while (size < text.size && text.data[size] != ' ') {
			if (text.data[size] < 33 || text.data[size] > 126)
				return false;
			size++;
		}
		if (size == 0)
			return false;
		if (count == 0)
			stanza->type = bytes_make(text.data, size);
		else if (count == 1)
			stanza->argument = bytes_make(text.data, size);
		count++;
		if (size == text.size)
			break;
		/* A blank promises another argument. */
		text = bytes_make(text.data + size + 1, text.size - size - 1);
		if (text.size == 0)
			return false;
	}
	stanza->argument_count = count - 1;
	return true;
}

/* The lines of a body: full ones, then one that is shorter. Whether it is base64 is asked of each. */
static bool
parse_body(struct bytes *rest, struct age_stanza *stanza)
{
	const uint8_t *start = rest->data;
	uint8_t scratch[BODY_COLUMNS];
	struct bytes line;

	do {
		if (!next_line(rest, &line) || line.size > BODY_COLUMNS || line.size % 4 == 1 ||
		    !decode_unpadded(line, scratch, line.size * 3 / 4))
			return false;
	} while (line.size == BODY_COLUMNS);
	stanza->body = bytes_make(start, (size_t)(rest->data - start));
	return true;
}

enum az_status
age_header_parse(struct bytes bytes, struct age_header *ret_header, struct az_err *reterr)
{
	struct bytes rest = bytes;
	struct bytes line;
	unsigned int number = 1;

	ret_header->count = 0;
	if (!next_line(&rest, &line) || !starts_with(bytes, AGE_MAGIC))
		return az_fail(reterr, AZ_INVALID, "age: not a file of a version that is known");
	while (next_line(&rest, &line)) {
		struct age_stanza stanza = {0};

		number++;
		if (starts_with(line, "---")) {
			ret_header->authenticated =
			    bytes_make(bytes.data, (size_t)(line.data - bytes.data) + 3);
			if (ret_header->count > 0 && rest.size == 0 && starts_with(line, "--- ") &&
			    age_decode_line(bytes_make(line.data + 4, line.size - 4),
				ret_header->mac, sizeof(ret_header->mac)))
				return AZ_OK;
			break;
		}
		if (ret_header->count == AGE_STANZAS_MAX || !starts_with(line, "-> ") ||
		    !parse_arguments(bytes_make(line.data + 3, line.size - 3), &stanza) ||
		    !parse_body(&rest, &stanza))
			break;
		ret_header->stanzas[ret_header->count++] = stanza;
	}
	return az_fail(
	    reterr, AZ_INVALID, "age: the header is not as it must be, from line %u on", number);
}
