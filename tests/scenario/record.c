/*
 * What passes between a front and the keeper, as whoever relays it sees it: preloaded into a command, appends every
 * byte that it sends to a socket or receives from one to the file named by AZ_RECORD.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int file = -1;

__attribute__((constructor)) static void
prepare(void)
{
	const char *path = getenv("AZ_RECORD");

	if (path != NULL)
		file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void
note(const void *data, ssize_t size)
{
	ssize_t ignored = size > 0 && file >= 0 ? write(file, data, (size_t)size) : 0;

	(void)ignored;
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t
send(int fd, const void *data, size_t size, int flags)
{
	ssize_t sent = REAL(send)(fd, data, size, flags);

	note(data, sent);
	return sent;
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = REAL(sendmsg)(fd, message, flags);

	for (size_t i = 0; sent > 0 && i < (size_t)message->msg_iovlen; i++)
		note(message->msg_iov[i].iov_base, (ssize_t)message->msg_iov[i].iov_len);
	return sent;
}

ssize_t
recv(int fd, void *data, size_t size, int flags)
{
	ssize_t got = REAL(recv)(fd, data, size, flags);

	note(data, got);
	return got;
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got = REAL(recvmsg)(fd, message, flags);

	if (got > 0)
		note(message->msg_iov[0].iov_base, got);
	return got;
}
