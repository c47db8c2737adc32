/*
 * Ledger entries: whatever decodes is the one encoding of what it decoded to.
 */
#include <assert.h>

#include "base/wire.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger_read entry;
	struct buffer again;
	uint32_t log;

	if (size < 1)
		return 0;
	log = data[0] % 3u;
	if (ledger_entry_decode(bytes_make(data + 1, size - 1), log, &entry) != AZ_OK)
		return 0;
	assert(ledger_entry_name(entry.entry.type) != NULL);
	assert(entry.entry.log == log);
	buffer_init(&again, LEDGER_ENTRY_MAX, false);
	assert(ledger_entry_encode(&entry, &again) == AZ_OK);
	assert(bytes_equal(buffer_peek(&again), bytes_make(data + 1, size - 1)));
	buffer_fini(&again);
	return 0;
}
