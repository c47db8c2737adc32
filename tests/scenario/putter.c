/*
 * Asks the house whether a file may be written, as azukari-guard put does, without a memory that it would be written to; and as it
 * never would.
 *
 *	putter STATE SOCKET GRANT FILE [HOW]
 *
 * HOW: "hash" says another hash, "short" leaves the last bytes out, "long" sends more, "twice" ends twice, "early" says that it
 * was written before it may be, "written" says so when it may, "failed" that it was not, "report" reports on the same line, "line" asks
 * on the guard's own line, "name" has a '/' in its name, "gone" hangs up instead of waiting for the answer.
 * Prints the status of the last answer, and its text.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "guard/connect.h"

static struct front_channel *channel;
static struct az_err err;
static const char *how = "";

static bool
is(const char *name)
{
	return strcmp(how, name) == 0;
}

static enum az_status
ask(enum front_message type, const union front_request *request)
{
	return channel_ask_yes(channel, type, request, &err);
}

static enum az_status
send_file(struct bytes file, uint32_t grant)
{
	union front_request request = {0};
	enum az_status status;

	request.put = (struct front_put){.grant = grant, .size = file.size, .users = "ito"};
	(void)snprintf(
	    request.put.name, sizeof(request.put.name), "%s", is("name") ? "a/b" : "file");
	sha256(file, request.put.sha256);
	if (is("hash"))
		request.put.sha256[0] ^= 1;
	status = ask(FRONT_PUT, &request);
	if (is("short"))
		file.size--;
	while (status == AZ_OK && file.size > 0) {
		size_t size = file.size < FRONT_PUT_BYTES_MAX ? file.size : FRONT_PUT_BYTES_MAX;

		request.put_bytes.bytes = bytes_make(file.data, size);
		status = ask(FRONT_PUT_BYTES, &request);
		file = bytes_make(file.data + size, file.size - size);
	}
	if (status == AZ_OK && is("long")) {
		request.put_bytes.bytes = bytes_make("x", 1);
		status = ask(FRONT_PUT_BYTES, &request);
	}
	return status;
}

static enum az_status
end_file(void)
{
	union front_request request = {0};
	enum az_status status = AZ_OK;

	request.put_written.written = is("failed") ? 2 : 1;
	if (is("early"))
		status = ask(FRONT_PUT_WRITTEN, &request);
	if (status == AZ_OK)
		status = ask(FRONT_PUT_END, &request);
	if (status == AZ_OK && is("twice"))
		status = ask(FRONT_PUT_END, &request);
	if (status == AZ_OK && (is("written") || is("failed")))
		status = ask(FRONT_PUT_WRITTEN, &request);
	memset(&request, 0, sizeof(request));
	if (status == AZ_OK && is("report"))
		status = ask(FRONT_GUARD_REPORT, &request);
	return status;
}

int
main(int argc, char **argv)
{
	struct key_file key = {0};
	union front_request request = {0};
	struct front_answer answer;
	struct buffer file;
	int dirfd = argc >= 5 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum az_status status;

	if (dirfd < 0)
		return 2;
	how = argc == 6 ? argv[5] : "";
	buffer_init(&file, FRONT_PUT_MAX + 1, false);
	status = file_read_whole(AT_FDCWD, argv[4], &file, &err);
	if (status == AZ_OK)
		status = connect_key(dirfd, &key, &err);
	if (status == AZ_OK)
		status = channel_prepare(&err);
	if (status == AZ_OK)
		status = connect_open(dirfd, &key, argv[2], 180000, &channel, &request, &err);
	front_answer_init(&answer);
	if (status == AZ_OK)
		status = channel_ask(channel, is("line") ? FRONT_GUARD_SIGN_IN : FRONT_PUT_SIGN_IN,
		    &request, -1, &answer, &err);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(&err, answer.status, "%s", answer.text);
	front_answer_fini(&answer);
	if (status == AZ_OK)
		status = send_file(buffer_peek(&file), (uint32_t)strtoul(argv[3], NULL, 10));
	if (status == AZ_OK && is("gone"))
		_exit(0);
	if (status == AZ_OK)
		status = end_file();
	(void)printf("%s%s%s\n", az_status_name(status), status == AZ_OK ? "" : ": ",
	    status == AZ_OK ? "" : err.text);
	channel_close(&channel);
	key_file_fini(&key);
	buffer_fini(&file);
	fd_close(&dirfd);
	return status == AZ_OK ? 0 : az_exit_code(status);
}
