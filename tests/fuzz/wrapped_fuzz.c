/*
 * Wrapped lists: whatever is inside, what comes out keeps the limits, and nothing swells beyond reason.
 *
 * The first byte chooses the password; the rest is the list.
 */
#include <assert.h>

#include "text/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENOUGH (8u * 1024u * 1024u) /* bytes or records after which an input is good enough */

static void
read_text(struct unpack *unpack)
{
	uint8_t piece[4096];
	size_t total = 0;
	size_t size = 1;

	while (size > 0 && total < ENOUGH &&
	    unpack_read(unpack, piece, sizeof(piece), &size, NULL) == AZ_OK) {
		assert(size <= sizeof(piece));
		total += size;
	}
}

static void
read_records(struct unpack *unpack)
{
	const struct list_record *record = NULL;
	uint64_t last = 0;
	size_t count = 0;

	while (unpack_next(unpack, &record, NULL) == AZ_OK && count++ < 10000) {
		assert(record->place > last);
		last = record->place;
		assert(record->count <= LIST_COLUMNS_MAX);
		assert(record->refusal == REFUSAL_NONE || record->count == 0);
		for (size_t i = 0; i < record->count; i++)
			assert(record->values[i].size <= FIELD_VALUE_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool prepared;
	struct unpack *unpack = NULL;
	enum wrapping wrappings[3];
	const char *password;

	if (size < 1)
		return 0;
	if (!prepared)
		unpack_prepare();
	prepared = true;
	password = data[0] % 2 == 0 ? "" : "secret";
	if (unpack_open(bytes_make(data + 1, size - 1), bytes_of(password), &unpack, NULL) != AZ_OK)
		return 0;
	assert(unpack_wrappings(unpack, wrappings) <= 3);
	if (unpack_is_workbook(unpack))
		read_records(unpack);
	else
		read_text(unpack);
	unpack_free(&unpack);
	return 0;
}
