/*
 * What the teller and azukari-guard put have in common.
 */
#include "guard/connect.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/socket.h"
#include "proto/answer.h"

#define KEY_FILE_MAX 4096u

enum az_status
connect_key(int dirfd, struct key_file *ret_file, struct az_err *reterr)
{
	struct buffer text;
	enum az_status status;

	buffer_init(&text, KEY_FILE_MAX, true);
	status = file_read_whole(dirfd, GUARD_KEY_FILE, &text, reterr);
	if (status == AZ_NOT_FOUND)
		status = az_fail(reterr, AZ_NOT_FOUND, "this guard has no key: azukari-guard key");
	if (status == AZ_OK)
		status = key_file_decode(buffer_peek(&text), ret_file, reterr);
	buffer_fini(&text);
	if (status == AZ_OK && ret_file->kind != KEY_GUARD) {
		key_file_fini(ret_file);
		status = az_fail(reterr, AZ_INVALID, "the key is not a guard's");
	}
	return status;
}

enum az_status
connect_open(int dirfd, const struct key_file *key, const char *path, int wait_ms,
    struct front_channel **ret_channel, union front_request *ret_request, struct az_err *reterr)
{
	struct channel_config config = {.state_dirfd = dirfd, .wait_ms = wait_ms};
	union front_request request = {0};
	int fd = -1;
	enum az_status status =
	    socket_connect(AT_FDCWD, path, "the house cannot be reached", &fd, reterr);

	memcpy(config.house, key->house, sizeof(config.house));
	memcpy(config.keeper, key->keeper, sizeof(config.keeper));
	if (status == AZ_OK)
		status = channel_open(fd, &config, ret_channel, reterr);
	if (status == AZ_OK)
		status = channel_sign(*ret_channel, key, FRONT_SIGN_IN_GUARD,
		    request.guard_sign_in.key, request.guard_sign_in.signature, reterr);
	if (status == AZ_OK)
		*ret_request = request;
	return status;
}

enum az_status
connect_present(
    int dirfd, const struct key_file *key, struct front_channel *channel, struct az_err *reterr)
{
	struct heads seen = {0};
	enum az_status status = heads_read(dirfd, key->house, &seen, reterr);

	if (status == AZ_OK)
		status = channel_present(channel, &seen, reterr);
	heads_fini(&seen);
	return status;
}

enum az_status
connect_answer(const struct front_answer *answer, uint64_t *ret_last, struct bytes *ret_grants,
    struct az_err *reterr)
{
	struct answer_reader reader;
	struct answer_event event;
	bool found = false;
	enum az_status status;

	answer_reader_init(&reader, buffer_peek(&answer->tree));
	while ((status = answer_next(&reader, &event)) == AZ_OK) {
		if (event.tag == ANSWER_UINT && reader.depth == 1 &&
		    strcmp(event.name, "last") == 0) {
			*ret_last = event.number;
			found = true;
		}
		if (event.tag == ANSWER_BYTES && reader.depth == 1 &&
		    strcmp(event.name, "grants") == 0)
			*ret_grants = event.bytes;
	}
	return status == AZ_NOT_FOUND && found
	    ? AZ_OK
	    : az_fail(reterr, AZ_FORGED, "the house sent an answer that cannot be");
}

enum az_status
connect_grants(struct bytes bytes, struct guard_grants *ret_grants, struct az_err *reterr)
{
	struct guard_grants grants = {.changed = true};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes);
	while (reader.rest.size > 0) {
		if (grants.count == ENDPOINT_GRANTS_MAX ||
		    !endpoint_grant_get(&reader, &grants.items[grants.count++]))
			return az_fail(reterr, AZ_FORGED, "the house sent a grant that cannot be");
	}
	*ret_grants = grants;
	return AZ_OK;
}
