/*
 * Key files and house names (docs/format/keys.md).
 *
 *   azukari-key 1
 *   kind staff
 *   house unsealed-mfrggzdfmztwq2lknnwg23tp
 *   keeper <base64 of 32 bytes>
 *   name Ito
 *   seed <base64 of 32 bytes>
 *
 * Exactly these six lines, in this order, each ended by a newline: a file has one spelling, and what a
 * person sees in it is what is used. The seed is turned into letters and back by base's base64, which
 * has neither branches nor table look-ups that depend on what it handles; here, too, nothing but sizes
 * and the file's public lines decides where the code goes. The search for the end of the seed's line
 * sees only whether a byte is a newline, which no letter of a seed is.
 */
#include <string.h>

#include "crypto/sign.h"

#define SEED_TEXT_SIZE 44 /* base64 of 32 bytes: 43 letters and one '=' */

void
key_file_fini(struct key_file *file)
{
	secret_free(&file->seed);
	*file = (struct key_file){0};
}

/* --- writing --------------------------------------------------------------------------------- */

static bool
name_is_printable(struct bytes name)
{
	if (name.size == 0 || name.size >= sizeof(((struct key_file *)NULL)->name))
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] < 0x20 || name.data[i] > 0x7e)
			return false;
	}
	return true;
}

static const char *const kinds[] = {
    [KEY_STAFF] = "staff", [KEY_DEVICE] = "device", [KEY_GUARD] = "guard"};

/* NULL for what is no kind. */
static const char *
kind_name(enum key_kind kind)
{
	return (size_t)kind < AZ_ARRAY_SIZE(kinds) ? kinds[kind] : NULL;
}

static bool
can_be_written(const struct key_file *file, struct bytes name)
{
	return kind_name(file->kind) != NULL && (file->house[0] == 'U' || file->house[0] == 'S') &&
	    name_is_printable(name) && file->seed != NULL &&
	    secret_peek(file->seed).size == SIGN_SEED_SIZE;
}

static enum az_status
put_line(struct buffer *text, const char *word, struct bytes value)
{
	enum az_status status = buffer_append(text, bytes_of(word));

	if (status == AZ_OK)
		status = buffer_append(text, bytes_of(" "));
	if (status == AZ_OK)
		status = buffer_append(text, value);
	if (status == AZ_OK)
		status = buffer_append(text, bytes_of("\n"));
	return status;
}

static enum az_status
put_base64_line(struct buffer *text, const char *word, struct bytes value)
{
	struct buffer letters;
	enum az_status status;

	buffer_init(&letters, SEED_TEXT_SIZE, true);
	status = base64_encode(value, &letters);
	if (status == AZ_OK)
		status = put_line(text, word, buffer_peek(&letters));
	buffer_fini(&letters);
	return status;
}

enum az_status
key_file_encode(const struct key_file *file, struct buffer *buffer, struct az_err *reterr)
{
	struct bytes name = bytes_make(file->name, strnlen(file->name, sizeof(file->name)));
	char house[HOUSE_NAME_SIZE];
	struct buffer text;
	enum az_status status;

	if (!can_be_written(file, name))
		return az_fail(reterr, AZ_INVALID, "key file: incomplete, or not a printable name");
	house_name(file->house, house);
	/* Written here first, so that a failure leaves no half of a file in the caller's buffer. */
	buffer_init(&text, 512, true);
	status = put_line(&text, "azukari-key", bytes_of("1"));
	if (status == AZ_OK)
		status = put_line(&text, "kind", bytes_of(kind_name(file->kind)));
	if (status == AZ_OK)
		status = put_line(&text, "house", bytes_of(house));
	if (status == AZ_OK)
		status = put_base64_line(
		    &text, "keeper", bytes_make(file->keeper, sizeof(file->keeper)));
	if (status == AZ_OK)
		status = put_line(&text, "name", name);
	if (status == AZ_OK)
		status = put_base64_line(&text, "seed", secret_peek(file->seed));
	if (status == AZ_OK)
		status = buffer_append(buffer, buffer_peek(&text));
	buffer_fini(&text);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "key file: no room");
}

/* --- reading --------------------------------------------------------------------------------- */

/* Cuts "WORD VALUE\n" from the front of *text; the value, not empty, is borrowed. */
static bool
take_line(struct bytes *text, const char *word, struct bytes *ret_value)
{
	struct bytes start = bytes_of(word);
	size_t size = 0;

	while (size < text->size && text->data[size] != '\n')
		size++;
	if (size == text->size || size < start.size + 2 || text->data[start.size] != ' ' ||
	    !bytes_equal(bytes_make(text->data, start.size), start))
		return false;
	*ret_value = bytes_make(text->data + start.size + 1, size - start.size - 1);
	*text = bytes_make(text->data + size + 1, text->size - size - 1);
	return true;
}

static bool
parse_kind(struct bytes value, enum key_kind *ret_kind)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(kinds); i++) {
		if (kinds[i] != NULL && bytes_equal(value, bytes_of(kinds[i]))) {
			*ret_kind = (enum key_kind)i;
			return true;
		}
	}
	return false;
}

static bool
parse_house(struct bytes value, uint8_t ret_house[HOUSE_ID_SIZE])
{
	char text[HOUSE_NAME_SIZE] = {0};

	if (value.size >= sizeof(text))
		return false;
	/* An inner NUL makes the text shorter than a name, and so no name. */
	memcpy(text, value.data, value.size);
	return strlen(text) == value.size && house_name_parse(text, ret_house);
}

/* Exactly 32 bytes. AZ_INVALID, AZ_NO_MEMORY. */
static enum az_status
parse_base64(struct bytes value, uint8_t ret_data[32])
{
	struct buffer data;
	enum az_status status = AZ_INVALID;

	buffer_init(&data, 32, true);
	if (value.size == SEED_TEXT_SIZE)
		status = base64_decode(value, &data);
	if (status == AZ_OK && data.size == 32)
		memcpy(ret_data, data.data, 32);
	else if (status != AZ_NO_MEMORY)
		status = AZ_INVALID;
	buffer_fini(&data);
	return status;
}

/* Each line in turn; *ret_line is the one that is under way, or wrong. */
static enum az_status
parse_lines(struct bytes text, struct key_file *file, int *ret_line)
{
	struct bytes value;
	enum az_status status;

	*ret_line = 1;
	if (!take_line(&text, "azukari-key", &value) || !bytes_equal(value, bytes_of("1")))
		return AZ_INVALID;
	*ret_line = 2;
	if (!take_line(&text, "kind", &value) || !parse_kind(value, &file->kind))
		return AZ_INVALID;
	*ret_line = 3;
	if (!take_line(&text, "house", &value) || !parse_house(value, file->house))
		return AZ_INVALID;
	*ret_line = 4;
	if (!take_line(&text, "keeper", &value))
		return AZ_INVALID;
	status = parse_base64(value, file->keeper);
	if (status != AZ_OK)
		return status;
	*ret_line = 5;
	if (!take_line(&text, "name", &value) || !name_is_printable(value))
		return AZ_INVALID;
	memcpy(file->name, value.data, value.size);
	*ret_line = 6;
	if (!take_line(&text, "seed", &value))
		return AZ_INVALID;
	status = parse_base64(value, secret_data(file->seed));
	if (status != AZ_OK)
		return status;
	*ret_line = 7;
	return text.size == 0 ? AZ_OK : AZ_INVALID;
}

enum az_status
key_file_decode(struct bytes text, struct key_file *ret_file, struct az_err *reterr)
{
	struct key_file file = {0};
	int line = 0;
	enum az_status status = secret_new(SIGN_SEED_SIZE, &file.seed, reterr);

	if (status != AZ_OK)
		return status;
	status = parse_lines(text, &file, &line);
	if (status != AZ_OK) {
		key_file_fini(&file);
		return az_fail(reterr, status, "key file: line %d cannot be read", line);
	}
	*ret_file = file;
	return AZ_OK;
}

/* --- house names ----------------------------------------------------------------------------- */

/* RFC 4648 §6, lower case: letters and digits that are not taken for one another on the telephone. */
static const char name_letters[] = "abcdefghijklmnopqrstuvwxyz234567";

#define NAME_LETTERS ((size_t)24) /* of 15 bytes: three groups of 5 bytes, 8 letters each */

bool
house_is_unsealed(const uint8_t house[HOUSE_ID_SIZE])
{
	return house[0] == 'U';
}

void
house_name(const uint8_t house[HOUSE_ID_SIZE], char text[HOUSE_NAME_SIZE])
{
	struct bytes kind = bytes_of(house_is_unsealed(house) ? "unsealed-" : "house-");
	char *letters = text + kind.size;

	memcpy(text, kind.data, kind.size);
	for (size_t group = 0; group < 3; group++) {
		uint64_t bits = 0;

		for (size_t i = 0; i < 5; i++)
			bits = bits << 8 | house[1 + 5 * group + i];
		for (size_t i = 0; i < 8; i++)
			letters[8 * group + i] = name_letters[bits >> (35 - 5 * i) & 31];
	}
	letters[NAME_LETTERS] = '\0';
}

bool
house_name_parse(const char *text, uint8_t ret_house[HOUSE_ID_SIZE])
{
	uint8_t house[HOUSE_ID_SIZE] = {0};
	char again[HOUSE_NAME_SIZE];
	const char *letters = strchr(text, '-');

	if (letters == NULL || strlen(letters + 1) != NAME_LETTERS)
		return false;
	letters++;
	house[0] = text[0] == 'u' ? 'U' : 'S';
	for (size_t group = 0; group < 3; group++) {
		uint64_t bits = 0;

		for (size_t i = 0; i < 8; i++) {
			const char *place = strchr(name_letters, letters[8 * group + i]);

			if (place == NULL)
				return false;
			bits = bits << 5 | (uint64_t)(place - name_letters);
		}
		for (size_t i = 0; i < 5; i++)
			house[1 + 5 * group + i] = (uint8_t)(bits >> (32 - 8 * i));
	}
	/* One spelling only: what was read must be what would be written. */
	house_name(house, again);
	if (!bytes_equal(bytes_of(again), bytes_of(text)))
		return false;
	memcpy(ret_house, house, HOUSE_ID_SIZE);
	return true;
}
