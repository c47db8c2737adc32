/*
 * Slots: how the root key is kept (docs/format/keys.md).
 *
 *   offset size
 *   0      32   file header, magic "AZSLOT"
 *   32     4    kind
 *   36     4    size of what follows
 *   40     32   plain slot: the root key
 *   72     16   plain slot: HMAC-SHA256(root key, bytes 0 to 40) cut to 16 bytes
 *
 * The check value tells a damaged file from a sound one before anything is opened with a wrong key. It
 * protects nothing else: whoever can read a plain slot has the key.
 */
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/ring.h"
#include "crypto/sign.h"

#define CHECK_SIZE 16
#define HEAD_SIZE  (FILE_HEADER_SIZE + 8)
#define PLAIN_SIZE (KEY_SIZE + CHECK_SIZE)

static struct file_header
slot_header(const uint8_t house[HOUSE_ID_SIZE])
{
	struct file_header header = {.magic = "AZSLOT", .format = 1};

	memcpy(header.house, house, HOUSE_ID_SIZE);
	return header;
}

static enum az_status
check_value(
    struct bytes root, struct bytes head, uint8_t ret_check[CHECK_SIZE], struct az_err *reterr)
{
	uint8_t digest[SHA256_SIZE];
	struct mac *mac = NULL;
	enum az_status status = mac_new(root, &mac, reterr);

	if (status != AZ_OK)
		return status;
	mac_compute(mac, &head, 1, digest);
	mac_free(&mac);
	memcpy(ret_check, digest, CHECK_SIZE);
	return AZ_OK;
}

enum az_status
slot_encode_plain(const uint8_t house[HOUSE_ID_SIZE], const struct secret *root,
    struct buffer *buffer, struct az_err *reterr)
{
	struct file_header header = slot_header(house);
	struct wire_writer writer;
	uint8_t head[HEAD_SIZE];
	uint8_t check[CHECK_SIZE];
	enum az_status status;

	if (!house_is_unsealed(house))
		return az_fail(reterr, AZ_DENIED, "slot: a sealed house keeps no plain root key");
	if (secret_peek(root).size != KEY_SIZE)
		return az_fail(reterr, AZ_INTERNAL, "slot: root key of a wrong size");
	file_header_encode(&header, head);
	wire_store_u32(head + FILE_HEADER_SIZE, SLOT_PLAIN);
	wire_store_u32(head + FILE_HEADER_SIZE + 4, PLAIN_SIZE);
	status = check_value(secret_peek(root), bytes_make(head, sizeof(head)), check, reterr);
	if (status != AZ_OK)
		return status;
	/* All of the room first, so that a failure leaves no half of a slot behind. */
	status = buffer_reserve(buffer, HEAD_SIZE + PLAIN_SIZE);
	if (status != AZ_OK)
		return az_fail(reterr, status, "slot: no room");
	wire_writer_init(&writer, buffer);
	wire_put_raw(&writer, head, sizeof(head));
	wire_put_raw(&writer, secret_peek(root).data, KEY_SIZE);
	wire_put_raw(&writer, check, sizeof(check));
	return writer.status;
}

/* What follows the head of a plain slot. */
static enum az_status
open_plain(struct bytes head, struct bytes rest, struct secret **ret_root, struct az_err *reterr)
{
	struct wire_reader reader;
	struct secret *root = NULL;
	uint8_t found[CHECK_SIZE];
	uint8_t expected[CHECK_SIZE];
	enum az_status status = secret_new(KEY_SIZE, &root, reterr);

	if (status != AZ_OK)
		return status;
	wire_reader_init(&reader, rest);
	wire_get_raw(&reader, secret_data(root), KEY_SIZE);
	wire_get_raw(&reader, found, sizeof(found));
	if (!wire_end(&reader)) {
		status = az_fail(reterr, AZ_CORRUPT, "slot: the file has a wrong size");
		goto out;
	}
	status = check_value(secret_peek(root), head, expected, reterr);
	if (status != AZ_OK)
		goto out;
	if (!bytes_equal(bytes_make(found, CHECK_SIZE), bytes_make(expected, CHECK_SIZE))) {
		status = az_fail(reterr, AZ_CORRUPT, "slot: the key and its check value differ");
		goto out;
	}
	*ret_root = root;
	root = NULL;
out:
	secret_free(&root);
	return status;
}

enum az_status
slot_open(struct bytes file, const uint8_t house[HOUSE_ID_SIZE], struct secret **ret_root,
    struct az_err *reterr)
{
	struct file_header header = slot_header(house);
	struct wire_reader reader;
	struct bytes start, rest;
	enum az_status status;
	uint32_t kind;

	wire_reader_init(&reader, file);
	start = wire_take(&reader, FILE_HEADER_SIZE);
	kind = wire_get_u32(&reader);
	rest = wire_get_bytes(&reader, UINT32_MAX);
	if (file.size < HEAD_SIZE)
		return az_fail(reterr, AZ_CORRUPT, "slot: the file is cut short");
	status = file_header_check(start.data, &header, "slot", reterr);
	if (status != AZ_OK)
		return status;
	if (!wire_end(&reader))
		return az_fail(reterr, AZ_CORRUPT, "slot: the file has a wrong size");
	switch (kind) {
	case SLOT_PLAIN: break;
	case SLOT_PASSPHRASE:
	case SLOT_TPM:
	case SLOT_PKCS11:
		return az_fail(reterr, AZ_DENIED, "slot: this release cannot open kind %u", kind);
	default: return az_fail(reterr, AZ_CORRUPT, "slot: there is no kind %u", kind);
	}
	if (!house_is_unsealed(house))
		return az_fail(reterr, AZ_DENIED, "slot: a sealed house keeps no plain root key");
	return open_plain(bytes_make(file.data, HEAD_SIZE), rest, ret_root, reterr);
}
