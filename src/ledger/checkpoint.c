/*
 * Checkpoints: the C2SP tlog-checkpoint body in a signed note.
 *
 *   <origin>\n<size>\n<base64 root>\n[<extension>\n…]\n— <name> <base64(key id ‖ signature)>\n…
 *
 * Our logs' names are their origins, and our checkpoints have no extensions; those of others may.
 */
#include <stdio.h>
#include <string.h>

#include "ledger/evidence.h"

bool
evidence_line(struct bytes *text, struct bytes *ret_line)
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

bool
evidence_number(struct bytes text, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (text.size == 0 || text.size > 19 || (text.size > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	}
	if (number > INT64_MAX)
		return false;
	*ret_number = number;
	return true;
}

bool
evidence_hash(struct bytes text, uint8_t ret_hash[TREE_HASH_SIZE])
{
	struct buffer buffer;
	bool good;

	buffer_init(&buffer, TREE_HASH_SIZE + 3, false);
	good = base64_decode(text, &buffer) == AZ_OK && buffer.size == TREE_HASH_SIZE;
	if (good)
		memcpy(ret_hash, buffer.data, TREE_HASH_SIZE);
	buffer_fini(&buffer);
	return good;
}

enum az_status
checkpoint_open(struct bytes bytes, struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	struct checkpoint checkpoint = {0};
	struct bytes rest, line;
	enum az_status status = note_open(bytes, &checkpoint.note, reterr);

	if (status != AZ_OK)
		return status;
	rest = checkpoint.note.text;
	if (!evidence_line(&rest, &checkpoint.origin) || checkpoint.origin.size == 0)
		return az_fail(reterr, AZ_CORRUPT, "checkpoint: it names no log");
	if (!evidence_line(&rest, &line) || !evidence_number(line, &checkpoint.size))
		return az_fail(reterr, AZ_CORRUPT, "checkpoint: its size is no number");
	if (!evidence_line(&rest, &line) || !evidence_hash(line, checkpoint.root))
		return az_fail(reterr, AZ_CORRUPT, "checkpoint: its root is no hash");
	while (rest.size > 0) {
		if (!evidence_line(&rest, &line) || line.size == 0)
			return az_fail(reterr, AZ_CORRUPT, "checkpoint: an empty extension");
	}
	*ret_checkpoint = checkpoint;
	return AZ_OK;
}

enum az_status
checkpoint_open_signed(struct bytes bytes, const struct note_key *key,
    struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	struct checkpoint checkpoint;
	int64_t time_s;
	enum az_status status = checkpoint_open(bytes, &checkpoint, reterr);

	if (status != AZ_OK)
		return status;
	if (!bytes_equal(checkpoint.origin, bytes_of(key->name)))
		return az_fail(reterr, AZ_FORGED, "checkpoint: of another log than %s", key->name);
	status = note_check(&checkpoint.note, key, &time_s, reterr);
	if (status == AZ_NOT_FOUND)
		return az_fail(
		    reterr, AZ_FORGED, "checkpoint of %s: not signed by its key", key->name);
	if (status == AZ_OK)
		*ret_checkpoint = checkpoint;
	return status;
}

enum az_status
checkpoint_make(const struct note_key *key, const struct sign_key *sign_key, uint64_t size,
    const uint8_t root[TREE_HASH_SIZE], struct buffer *buffer, struct az_err *reterr)
{
	char number[32];
	size_t start = buffer->size;
	struct buffer text;
	enum az_status status;

	(void)snprintf(number, sizeof(number), "\n%llu\n", (unsigned long long)size);
	buffer_init(&text, NOTE_NAME_MAX + 128, false);
	status = buffer_append(&text, bytes_of(key->name));
	if (status == AZ_OK)
		status = buffer_append(&text, bytes_of(number));
	if (status == AZ_OK)
		status = base64_encode(bytes_make(root, TREE_HASH_SIZE), &text);
	if (status == AZ_OK)
		status = buffer_append(&text, bytes_of("\n"));
	if (status == AZ_OK)
		status = buffer_append(buffer, buffer_peek(&text));
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of("\n"));
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "checkpoint: no room");
	else
		status = note_sign(buffer_peek(&text), key, sign_key, 0, buffer, reterr);
	if (status != AZ_OK)
		buffer->size = start;
	buffer_fini(&text);
	return status;
}
