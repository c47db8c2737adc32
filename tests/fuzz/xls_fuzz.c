/*
 * Old workbooks' streams: rows come in order and keep the limits, whatever the records say.
 */
#include <assert.h>
#include <stdint.h>

#include "text/text.h"
#include "text/unpack_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_ENOUGH 10000u

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool prepared;
	const struct list_record *record = NULL;
	struct xls *xls = NULL;
	uint64_t last = 0;
	size_t count = 0;

	if (!prepared && text_prepare(NULL) != AZ_OK)
		return 0;
	prepared = true;
	if (xls_open(bytes_make(data, size), &xls, NULL) != AZ_OK)
		return 0;
	assert(xls_sheets(xls) > 0);
	while (count++ < ROWS_ENOUGH && xls_next(xls, &record, NULL) == AZ_OK) {
		assert(record->place > last && record->place <= 65536);
		last = record->place;
		assert(record->count <= LIST_COLUMNS_MAX);
		assert(record->refusal == REFUSAL_NONE || record->count == 0);
		for (size_t i = 0; i < record->count; i++) {
			assert(record->values[i].size <= FIELD_VALUE_MAX);
			assert(bytes_are_utf8(record->values[i]));
		}
	}
	xls_free(&xls);
	return 0;
}
