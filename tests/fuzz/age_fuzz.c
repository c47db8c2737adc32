/*
 * The header of an age file: whatever it is, it is taken or refused, and the same however it is cut into pieces.
 *
 * The first byte chooses the size of pieces; the rest is the file, for an identity that everybody knows.
 */
#include <assert.h>
#include <stdlib.h>

#include "crypto/age.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char known[] =
    "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

static enum az_status
read_all(const struct secret *identity, struct bytes file, size_t piece, struct buffer *out)
{
	struct age_reader *reader = NULL;
	enum az_status status = age_reader_new(identity, &reader, NULL);

	while (status == AZ_OK && file.size > 0) {
		size_t part = file.size < piece ? file.size : piece;

		status = age_reader_take(reader, bytes_make(file.data, part), out, NULL);
		file = bytes_make(file.data + part, file.size - part);
	}
	if (status == AZ_OK)
		status = age_reader_end(reader, out, NULL);
	age_reader_free(&reader);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret *identity;
	struct buffer whole;
	struct buffer pieces;
	struct bytes file;
	enum az_status status;

	if (size < 1)
		return 0;
	if (identity == NULL && age_identity_parse(known, &identity, NULL) != AZ_OK)
		abort();
	file = bytes_make(data + 1, size - 1);
	buffer_init(&whole, 1u << 22, true);
	buffer_init(&pieces, 1u << 22, true);
	status = read_all(identity, file, SIZE_MAX, &whole);
	assert(status == AZ_OK || status == AZ_INVALID || status == AZ_NOT_FOUND ||
	    status == AZ_FORGED);
	/* Nothing comes out of a file whose header is not believed. */
	assert((status != AZ_INVALID && status != AZ_NOT_FOUND) || whole.size == 0);
	assert(read_all(identity, file, 1u + data[0] % 97u, &pieces) == status);
	assert(bytes_equal(buffer_peek(&whole), buffer_peek(&pieces)));
	buffer_fini(&whole);
	buffer_fini(&pieces);
	return 0;
}
