/*
 * One process for one file:
 *
 *	the file, read once ─► the house: PUT, BYTES …, END ─► yes, which is in its ledger ─► the guard lets the disk go
 *	                       ─► mounted for us alone, written, read again ─► WRITTEN
 *
 * It has a line of its own to the house, beside the teller's, on which nothing else can be asked.
 */
#include "guard/put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "guard/connect.h"
#include "guard/hold.h"
#include "guard/stick.h"
#include "guard/users.h"

#define ANSWER_MS 180000 /* the house has a file to search */

struct put {
	int dirfd, sys_fd;
	struct key_file key;
	struct buffer file;
	struct front_channel *channel;
	struct guard_grants grants;
	struct stick stick;
	union front_request request; /* PUT */
};

/* --- the file --------------------------------------------------------------------------------- */

static enum az_status
read_file(struct put *put, const char *path, struct az_err *reterr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	enum az_status status = AZ_OK;

	if (fd < 0 || fstat(fd, &info) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	else if (!S_ISREG(info.st_mode))
		status = az_fail(reterr, AZ_INVALID, "%s: it is no file", path);
	else if (info.st_size > (off_t)FRONT_PUT_MAX)
		status = az_fail(reterr, AZ_LIMIT, "%s: more than %llu bytes are not put", path,
		    (unsigned long long)FRONT_PUT_MAX);
	else
		status = buffer_reserve(&put->file, (size_t)info.st_size + 1);
	if (status == AZ_NO_MEMORY)
		(void)az_fail(reterr, AZ_NO_MEMORY, "%s: out of memory", path);
	if (status == AZ_OK && info.st_size > 0)
		status = file_read_at(fd, put->file.data, (size_t)info.st_size, 0, reterr);
	if (status == AZ_OK)
		put->file.size = (size_t)info.st_size;
	fd_close(&fd);
	return status;
}

static enum az_status
describe(struct put *put, const struct put_config *config, struct az_err *reterr)
{
	struct front_put *asked = &put->request.put;
	const char *slash = strrchr(config->file, '/');
	const char *name = config->name != NULL ? config->name
	    : slash != NULL                     ? slash + 1
						: config->file;
	int run_fd = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!name_is_valid(name) || strlen(name) >= sizeof(asked->name) || name[0] == '.' ||
	    strchr(name, '/') != NULL) {
		fd_close(&run_fd);
		return az_fail(reterr, AZ_INVALID, "that name cannot be used there: --as NAME");
	}
	(void)snprintf(asked->name, sizeof(asked->name), "%s", name);
	users_signed_in(run_fd, asked->users, sizeof(asked->users));
	fd_close(&run_fd);
	asked->size = put->file.size;
	sha256(buffer_peek(&put->file), asked->sha256);
	return AZ_OK;
}

/* --- the house -------------------------------------------------------------------------------- */

static enum az_status
sign_in(struct put *put, const char *path, struct az_err *reterr)
{
	union front_request request = {0};
	struct front_answer answer;
	struct bytes grants = {0};
	uint64_t last = 0;
	enum az_status status =
	    connect_open(put->dirfd, &put->key, path, ANSWER_MS, &put->channel, &request, reterr);

	front_answer_init(&answer);
	if (status == AZ_OK)
		status =
		    channel_ask(put->channel, FRONT_PUT_SIGN_IN, &request, -1, &answer, reterr);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(reterr, answer.status, "%s", answer.text);
	if (status == AZ_OK)
		status = connect_answer(&answer, &last, &grants, reterr);
	if (status == AZ_OK)
		status = connect_grants(grants, &put->grants, reterr);
	front_answer_fini(&answer);
	if (status == AZ_OK)
		status = connect_present(put->dirfd, &put->key, put->channel, reterr);
	if (status == AZ_OK)
		channel_keep_heads(put->channel);
	return status;
}

/* Sends the file, and waits for a yes. */
static enum az_status
ask(struct put *put, struct az_err *reterr)
{
	struct bytes rest = buffer_peek(&put->file);
	union front_request request = {0};
	enum az_status status = channel_ask_yes(put->channel, FRONT_PUT, &put->request, reterr);

	while (status == AZ_OK && rest.size > 0) {
		size_t size = rest.size < FRONT_PUT_BYTES_MAX ? rest.size : FRONT_PUT_BYTES_MAX;

		request.put_bytes.bytes = bytes_make(rest.data, size);
		status = channel_ask_yes(put->channel, FRONT_PUT_BYTES, &request, reterr);
		rest = bytes_make(rest.data + size, rest.size - size);
	}
	memset(&request, 0, sizeof(request));
	if (status == AZ_OK)
		status = channel_ask_yes(put->channel, FRONT_PUT_END, &request, reterr);
	return status;
}

/* --- the memory ------------------------------------------------------------------------------- */

/* Has the guard let go of the disks for as long as the descriptor is open. */
static enum az_status
wake_guard(struct put *put, int *ret_fd, struct az_err *reterr)
{
	int fd = openat(put->dirfd, HOLD_PIPE, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	enum az_status status;

	if (fd < 0)
		return az_fail(reterr, AZ_NOT_FOUND, "no guard is at work here");
	status = file_write(fd, bytes_make("p", 1), reterr);
	if (status == AZ_OK)
		*ret_fd = fd;
	else
		fd_close(&fd);
	return status;
}

static enum az_status
write_it(struct put *put, const struct put_config *config, struct az_err *reterr)
{
	union front_request request = {0};
	char where[4096];
	struct az_err told = {0};
	int guard_fd = -1;
	enum az_status status = wake_guard(put, &guard_fd, reterr);
	enum az_status said;

	(void)snprintf(where, sizeof(where), "%s/stick", config->state);
	if (status == AZ_OK)
		status = stick_write(
		    &put->stick, where, put->request.put.name, buffer_peek(&put->file), reterr);
	fd_close(&guard_fd);
	request.put_written.written = status == AZ_OK ? 1 : 2;
	said = channel_ask_yes(put->channel, FRONT_PUT_WRITTEN, &request, &told);
	if (status == AZ_OK && said != AZ_OK)
		status = az_fail(
		    reterr, said, "it was written, but the house does not know: %s", told.text);
	return status;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum az_status
run(struct put *put, const struct put_config *config, struct az_err *reterr)
{
	enum az_status status = dir_open(AT_FDCWD, config->state, false, 0, &put->dirfd, reterr);

	if (status == AZ_OK)
		status = connect_key(put->dirfd, &put->key, reterr);
	if (status == AZ_OK)
		status = read_file(put, config->file, reterr);
	if (status == AZ_OK)
		status = describe(put, config, reterr);
	if (status == AZ_OK && (put->sys_fd = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "/sys");
	if (status == AZ_OK)
		status = channel_prepare(reterr);
	if (status == AZ_OK)
		status = sign_in(put, config->socket_path, reterr);
	if (status == AZ_OK)
		status = stick_find(put->sys_fd, &put->grants, &put->stick, reterr);
	put->request.put.grant = put->stick.grant;
	if (status == AZ_OK)
		status = ask(put, reterr);
	if (status == AZ_OK)
		status = write_it(put, config, reterr);
	return status;
}

enum az_status
put_run(const struct put_config *config, struct put_result *ret_result, struct az_err *reterr)
{
	struct put put = {.dirfd = -1, .sys_fd = -1};
	enum az_status status;

	buffer_init(&put.file, FRONT_PUT_MAX + 1, true);
	status = run(&put, config, reterr);
	if (status == AZ_OK) {
		ret_result->size = put.request.put.size;
		(void)snprintf(
		    ret_result->name, sizeof(ret_result->name), "%s", put.request.put.name);
		(void)snprintf(ret_result->disk, sizeof(ret_result->disk), "%s", put.stick.part);
		hex_encode(bytes_make(put.request.put.sha256, sizeof(put.request.put.sha256)),
		    ret_result->sha256);
	}
	channel_close(&put.channel);
	key_file_fini(&put.key);
	buffer_fini(&put.file);
	fd_close(&put.sys_fd);
	fd_close(&put.dirfd);
	return status;
}
