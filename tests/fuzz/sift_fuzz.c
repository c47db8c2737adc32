/* What a front tells the keeper that a scan has found: any bytes are taken or refused, and nothing is found of nobody. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "trace/sift.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct trace_keys *
made_keys(void)
{
	static const uint8_t house[HOUSE_ID_SIZE] = {1};
	struct secret *key = NULL;
	struct trace_keys *keys = NULL;

	if (secret_new(KEY_SIZE, &key, NULL) != AZ_OK)
		abort();
	memset(secret_data(key), 9, KEY_SIZE);
	if (trace_keys_new(key, house, &keys, NULL) != AZ_OK)
		abort();
	secret_free(&key);
	return keys;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trace_keys *keys;
	struct trace_sift *sift = NULL;
	enum az_status status;
	size_t count = 1;

	if (keys == NULL)
		keys = made_keys();
	if (trace_sift_new(keys, 0, &sift, NULL) != AZ_OK)
		abort();
	status = trace_sift_take(sift, bytes_make(data, size), NULL);
	assert(status == AZ_OK || status == AZ_INVALID);
	assert(trace_sift_held(sift) == 0);
	if (trace_sift_close(sift, NULL) != AZ_OK || trace_sift_settle(sift, NULL) != AZ_OK)
		abort();
	(void)trace_sift_found(sift, &count);
	assert(count == 0);
	trace_sift_free(&sift);
	return 0;
}
