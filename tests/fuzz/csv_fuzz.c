/*
 * Lists: the reader must say the same of a list however it is cut into pieces, and everything behind it must
 * live with whatever it says.
 *
 * The first byte chooses the sizes of pieces, the second the map of columns; the rest is the list.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/text/pieces.h"
#include "crypto/hash.h"
#include "match/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const specs[] = {"", "number=a,name=b", "number=a+b,phone=c", "name=a",
    "number=1,x:ward=2,birth=3", "number=number,address=name+phone", "=,", "number=a,number=b",
    "number=#1,name=#2+#3", "number=@1-4,name=@5-10+@12-13", "number=@1-4,name=@5-8,@8",
    "number=#1,x:a=#2"};

/* What a reading said, in short. */
struct reading {
	struct sha256 hash;
};

static void
note_row(struct reading *reading, const struct row *row)
{
	struct match_key keys[MATCH_KEYS_MAX];
	struct buffer encoded;
	bool bad_birth = false;
	size_t count = match_row(row, keys, &bad_birth);

	assert(count <= MATCH_KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert(keys[i].size > 1 && keys[i].size <= MATCH_KEY_MAX);
		assert(match_agrees(row, &keys[i]));
		sha256_update(&reading->hash, keys[i].key, keys[i].size);
	}
	buffer_init(&encoded, (size_t)FIELD_COUNT * (FIELD_VALUE_MAX + 8), false);
	if (row_encode(row, &encoded) == AZ_OK) {
		struct row decoded;

		assert(row_decode(buffer_peek(&encoded), &decoded) == AZ_OK);
		sha256_update(&reading->hash, encoded.data, encoded.size);
	}
	buffer_fini(&encoded);
}

static void
note_record(struct reading *reading, const struct list *list, const struct list_record *record,
    struct buffer *scratch)
{
	struct row row = {0};
	enum refusal refusal = REFUSAL_NONE;
	bool no_person = list_is_no_person(list, record);

	sha256_update(&reading->hash, &record->refusal, sizeof(record->refusal));
	sha256_update(&reading->hash, &record->place, sizeof(record->place));
	sha256_update(&reading->hash, &no_person, sizeof(no_person));
	for (size_t i = 0; i < record->count; i++) {
		assert(record->values[i].size <= FIELD_VALUE_MAX);
		assert(bytes_are_utf8(record->values[i]));
		sha256_update(&reading->hash, record->values[i].data, record->values[i].size);
		sha256_update(&reading->hash, "|", 1);
	}
	assert(columns_row(list_columns_peek(list), record, scratch, &row, &refusal) == AZ_OK);
	if (refusal == REFUSAL_NONE)
		note_row(reading, &row);
}

static void
read_all(struct bytes bytes, size_t piece, const char *spec, uint8_t ret_digest[SHA256_SIZE])
{
	struct list_options options = {.spec = spec};
	struct reading reading = {0};
	struct pieces pieces;
	struct buffer scratch;
	struct list *list = NULL;
	const struct list_record *record = NULL;
	enum az_status status;

	sha256_init(&reading.hash);
	buffer_init(&scratch, (size_t)FIELD_COUNT * (2u * FIELD_VALUE_MAX), false);
	status = list_open_stream(pieces_of(&pieces, bytes, piece), &options, &list, NULL);
	while (status == AZ_OK) {
		status = list_next(list, &record, NULL);
		if (status == AZ_OK)
			note_record(&reading, list, record, &scratch);
	}
	sha256_update(&reading.hash, &status, sizeof(status));
	list_close(&list);
	buffer_fini(&scratch);
	sha256_final(&reading.hash, ret_digest);
}

static bool
prepare(void)
{
	static bool prepared;

	if (!prepared && text_prepare(NULL) != AZ_OK)
		abort();
	prepared = true;
	return prepared;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t whole[SHA256_SIZE];
	uint8_t pieces[SHA256_SIZE];
	const char *spec;

	if (size < 2 || !prepare())
		return 0;
	spec = specs[data[1] % AZ_ARRAY_SIZE(specs)];
	read_all(bytes_make(data + 2, size - 2), SIZE_MAX, spec, whole);
	read_all(bytes_make(data + 2, size - 2), 1u + data[0] % 67u, spec, pieces);
	assert(bytes_equal(bytes_make(whole, sizeof(whole)), bytes_make(pieces, sizeof(pieces))));
	return 0;
}
