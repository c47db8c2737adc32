/* Receipts, as a client gets them from strangers. One that is found good has all that its caller reads. */
#include <assert.h>

#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct receipt_facts facts;

	if (receipt_check(bytes_make(data, size), NULL, NULL, NULL, &facts, NULL) == AZ_OK) {
		assert(facts.document != NULL && facts.entry.entry.type == ENTRY_ENTRUSTED);
		assert(facts.index < facts.size);
		json_decref(facts.document);
	}
	return 0;
}
