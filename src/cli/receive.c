/*
 * Putting files that come through a pipe:
 *
 *	"a/b/c"   written where it belongs, over what is there
 *	"top"     kept until the end of the stream, then put in the order of their coming: a tree whose last
 *	          file is there is there whole
 */
#include "cli/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "proto/parts.h"

#define TOPS_MAX 16u
#define TOP_SIZE (1024u * 1024u)

struct top {
	char name[PARTS_NAME_MAX + 1];
	struct buffer bytes;
};

struct receive {
	pthread_t thread;
	int fd;
	int dirfd;
	bool (*may_be)(const char *name);
	/* The thread's until it has ended: */
	char folder[PARTS_NAME_MAX + 1]; /* of the file before */
	int folder_fd;
	struct top tops[TOPS_MAX];
	size_t top_count;
	enum az_status status;
	struct az_err err;
};

/* Opens the folder of a file below dirfd, making what is missing; kept for the next file. */
static enum az_status
open_folder(struct receive *receive, const char *path, size_t size, struct az_err *reterr)
{
	char part[PARTS_NAME_MAX + 1];
	int fd = -1;
	enum az_status status = AZ_OK;

	if (receive->folder_fd >= 0 && strlen(receive->folder) == size &&
	    strncmp(receive->folder, path, size) == 0)
		return AZ_OK;
	fd_close(&receive->folder_fd);
	for (size_t at = 0; at < size && status == AZ_OK;) {
		size_t length = strcspn(path + at, "/");
		int next = -1;

		(void)snprintf(part, sizeof(part), "%.*s", (int)length, path + at);
		status = dir_open(fd >= 0 ? fd : receive->dirfd, part, false, 0, &next, reterr);
		if (status == AZ_NOT_FOUND) {
			status = AZ_OK;
			if (mkdirat(fd >= 0 ? fd : receive->dirfd, part, 0777) != 0)
				status = az_fail_errno(reterr, AZ_IO, errno, "%s", path);
			if (status == AZ_OK)
				status = dir_open(
				    fd >= 0 ? fd : receive->dirfd, part, false, 0, &next, reterr);
		}
		fd_close(&fd);
		fd = next;
		at += length + 1;
	}
	if (status != AZ_OK)
		return status;
	receive->folder_fd = fd;
	(void)snprintf(receive->folder, sizeof(receive->folder), "%.*s", (int)size, path);
	return AZ_OK;
}

static enum az_status
put_file(struct receive *receive, struct parts_reader *reader, const char *name, const char *slash,
    struct az_err *reterr)
{
	struct bytes bytes;
	int fd;
	enum az_status status = open_folder(receive, name, (size_t)(slash - name), reterr);

	if (status != AZ_OK)
		return status;
	fd = openat(receive->folder_fd, slash + 1,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", name);
	while ((status = parts_read(reader, &bytes, reterr)) == AZ_OK) {
		status = file_write(fd, bytes, reterr);
		if (status != AZ_OK)
			break;
	}
	fd_close(&fd);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static enum az_status
keep_top(
    struct receive *receive, struct parts_reader *reader, const char *name, struct az_err *reterr)
{
	struct top *top = &receive->tops[receive->top_count];
	struct bytes bytes;
	enum az_status status;

	if (receive->top_count == TOPS_MAX)
		return az_fail(reterr, AZ_INVALID, "too many files at the top");
	receive->top_count++;
	(void)snprintf(top->name, sizeof(top->name), "%s", name);
	buffer_init(&top->bytes, TOP_SIZE, false);
	while ((status = parts_read(reader, &bytes, reterr)) == AZ_OK) {
		status = buffer_append(&top->bytes, bytes);
		if (status != AZ_OK)
			return az_fail(reterr, AZ_INVALID, "%s: too large", name);
	}
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static enum az_status
run(struct receive *receive, struct az_err *reterr)
{
	struct parts_reader reader;
	char name[PARTS_NAME_MAX + 1];
	enum az_status status;

	parts_reader_init(&reader, receive->fd);
	while ((status = parts_next(&reader, name, reterr)) == AZ_OK) {
		const char *slash = strrchr(name, '/');

		if (!receive->may_be(name))
			status = az_fail(reterr, AZ_INVALID, "a file of a name that cannot be");
		else if (slash != NULL)
			status = put_file(receive, &reader, name, slash, reterr);
		else
			status = keep_top(receive, &reader, name, reterr);
		if (status != AZ_OK)
			break;
	}
	parts_reader_fini(&reader);
	return status == AZ_NOT_FOUND ? AZ_OK : status;
}

static void *
thread_run(void *arg)
{
	struct receive *receive = arg;

	receive->status = run(receive, &receive->err);
	/* Who writes must not wait for a reader that has given up. */
	fd_close(&receive->fd);
	return NULL;
}

enum az_status
receive_start(int dirfd, bool (*may_be)(const char *name), struct receive **ret_receive,
    int *ret_fd, struct az_err *reterr)
{
	struct receive *receive = calloc(1, sizeof(*receive));
	int fds[2];

	if (receive == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "out of memory");
	if (pipe2(fds, O_CLOEXEC) != 0) {
		free(receive);
		return az_fail_errno(reterr, AZ_IO, errno, "pipe");
	}
	receive->fd = fds[0];
	receive->dirfd = dirfd;
	receive->folder_fd = -1;
	receive->may_be = may_be;
	if (pthread_create(&receive->thread, NULL, thread_run, receive) != 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		free(receive);
		return az_fail(reterr, AZ_NO_MEMORY, "no thread can be started");
	}
	*ret_receive = receive;
	*ret_fd = fds[1];
	return AZ_OK;
}

enum az_status
receive_end(struct receive **receive, bool keep, struct az_err *reterr)
{
	struct receive *ended = *receive;
	enum az_status status;

	*receive = NULL;
	(void)pthread_join(ended->thread, NULL);
	status = ended->status;
	if (status != AZ_OK)
		(void)az_fail(reterr, status, "%s", ended->err.text);
	/* Everything below before the first file that says it is there. */
	if (status == AZ_OK && keep && syncfs(ended->dirfd) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "cannot flush");
	for (size_t i = 0; i < ended->top_count; i++) {
		struct top *top = &ended->tops[i];

		if (status == AZ_OK && keep)
			status = file_replace(
			    ended->dirfd, top->name, buffer_peek(&top->bytes), 0666, reterr);
		buffer_fini(&top->bytes);
	}
	fd_close(&ended->folder_fd);
	free(ended);
	return status;
}
