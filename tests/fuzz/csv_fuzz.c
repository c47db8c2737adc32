/*
 * Lists: the reader must say the same of a list however it is cut into pieces, and everything behind it must
 * live with whatever it says.
 *
 * The first byte chooses the sizes of pieces, the second the map of columns; the rest is the list.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "match/match.h"
#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const specs[] = {"", "number=a,name=b", "number=a+b,phone=c", "name=a",
    "number=1,x:ward=2,birth=3", "number=number,address=name+phone", "=,", "number=a,number=b"};

/* What a reading said, in short. */
struct reading {
	struct sha256 hash;
	uint64_t records;
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
note_record(struct reading *reading, const struct csv_record *record, const struct columns *columns,
    struct buffer *scratch)
{
	struct row row = {0};
	enum refusal refusal = REFUSAL_NONE;

	sha256_update(&reading->hash, &record->refusal, sizeof(record->refusal));
	sha256_update(&reading->hash, &record->offset, sizeof(record->offset));
	for (size_t i = 0; i < record->count; i++) {
		assert(record->values[i].size <= FIELD_VALUE_MAX);
		assert(bytes_are_utf8(record->values[i]));
		sha256_update(&reading->hash, record->values[i].data, record->values[i].size);
		sha256_update(&reading->hash, "|", 1);
	}
	reading->records++;
	if (columns == NULL)
		return;
	assert(columns_row(columns, record, scratch, &row, &refusal) == AZ_OK);
	if (refusal == REFUSAL_NONE)
		note_row(reading, &row);
}

static void
read_all(struct bytes list, size_t piece, const char *spec, uint8_t ret_digest[SHA256_SIZE])
{
	struct reading reading = {0};
	struct columns columns;
	struct buffer scratch;
	struct csv *csv = NULL;
	bool has_columns = false;
	size_t at = 0;

	sha256_init(&reading.hash);
	buffer_init(&scratch, (size_t)FIELD_COUNT * (2u * FIELD_VALUE_MAX), false);
	if (csv_new(&csv, NULL) != AZ_OK)
		abort();
	for (;;) {
		const struct csv_record *record = NULL;
		enum az_status status = csv_next(csv, &record, NULL);

		if (status == AZ_NOT_FOUND)
			break;
		if (status == AZ_OK) {
			if (reading.records == 0)
				has_columns =
				    columns_resolve(spec, record, &columns, NULL) == AZ_OK;
			note_record(&reading, record, has_columns ? &columns : NULL, &scratch);
			continue;
		}
		assert(status == AZ_BUSY);
		uint8_t *room;
		size_t room_size;
		size_t part = list.size - at < piece ? list.size - at : piece;

		if (csv_room(csv, &room, &room_size, NULL) != AZ_OK)
			abort();
		part = part < room_size ? part : room_size;
		if (part > 0)
			memcpy(room, list.data + at, part);
		csv_filled(csv, part);
		at += part;
	}
	assert(at == list.size);
	csv_free(&csv);
	buffer_fini(&scratch);
	sha256_final(&reading.hash, ret_digest);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t whole[SHA256_SIZE];
	uint8_t pieces[SHA256_SIZE];
	const char *spec;

	if (size < 2)
		return 0;
	spec = specs[data[1] % AZ_ARRAY_SIZE(specs)];
	read_all(bytes_make(data + 2, size - 2), SIZE_MAX, spec, whole);
	read_all(bytes_make(data + 2, size - 2), 1u + data[0] % 67u, spec, pieces);
	assert(bytes_equal(bytes_make(whole, sizeof(whole)), bytes_make(pieces, sizeof(pieces))));
	return 0;
}
