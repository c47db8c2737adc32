/* The body of add-checkpoint, as a witness gets it from the network. What is read is written the same. */
#include <assert.h>

#include "verify/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct witness_request request;
	struct checkpoint checkpoint;
	struct buffer again;

	if (!witness_request_read(bytes_make(data, size), &request))
		return 0;
	assert(request.proof.count <= WITNESS_PROOF_MAX);
	buffer_init(&again, size + 64, false);
	assert(witness_request_write(
		   request.old_size, &request.proof, request.checkpoint, &again) == AZ_OK);
	assert(bytes_equal(buffer_peek(&again), bytes_make(data, size)));
	buffer_fini(&again);
	az_ignore(checkpoint_open(request.checkpoint, &checkpoint, NULL));
	return 0;
}
