/*
 * A vault that lies in its answers: preloaded into azukari-vault, changes frames on their way to the keeper. The file beside
 * this library ("….how") says how, in one byte; it is mapped at once, before the process shuts itself in.
 *
 *	0  it does not           4  more rows than there are      8  it says that there is nobody
 *	1  another request       5  bytes behind the answer       9  it says that it was denied
 *	2  another kind          6  cut short                     s  the first of several answers comes half a second early
 *	3  nothing in it         7  a failure without a reason
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER       12u
#define VAULT_DONE   66
#define VAULT_FAILED 67
#define VAULT_FOUND  68
#define VAULT_ROWS   69
#define NOT_FOUND    3
#define DENIED       2

static const volatile char *how;

__attribute__((constructor)) static void
prepare(void)
{
	char path[4096];
	Dl_info info;
	void *mapped;
	int fd;

	if (strcmp(program_invocation_short_name, "azukari-vault") != 0 ||
	    dladdr((const void *)&how, &info) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s.how", info.dli_fname);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	mapped = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped != MAP_FAILED)
		how = mapped;
	(void)close(fd);
}

static uint32_t
load(const uint8_t *data)
{
	return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
	    (uint32_t)data[3] << 24;
}

static void
store(uint8_t *data, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		data[i] = (uint8_t)(value >> 8 * i);
}

/* What is said in the place of an answer; its size. */
static size_t
say_failed(uint8_t *body, uint8_t status, const char *text)
{
	body[0] = status;
	store(body + 1, (uint32_t)strlen(text));
	memcpy(body + 5, text, strlen(text));
	return 5 + strlen(text);
}

/* Changes one frame, with room behind it; its new size. */
static size_t
lie(uint8_t *frame, size_t size)
{
	uint8_t *body = frame + HEADER;
	size_t left = size - HEADER;

	if (frame[4] != VAULT_FOUND && frame[4] != VAULT_ROWS)
		return size;
	switch (*how) {
	case '1': body[0] ^= 1; break;
	case '2': frame[4] = VAULT_DONE; break;
	case '3': left = 0; break;
	case '4': store(body + 8, 1000000); break;
	case '5': body[left++] = 0; break;
	case '6': left -= left > 0 ? 1 : 0; break;
	case '7':
		frame[4] = VAULT_FAILED;
		left = 0;
		break;
	case '8':
		frame[4] = VAULT_FAILED;
		left = say_failed(body, NOT_FOUND, "nobody is found by that");
		break;
	case '9':
		frame[4] = VAULT_FAILED;
		left = say_failed(body, DENIED, "not for you");
		break;
	default: break;
	}
	store(frame, (uint32_t)left);
	return HEADER + left;
}

ssize_t
send(int fd, const void *data, size_t size, int flags)
{
	static __typeof__(&send) real;
	static uint8_t changed[8u << 20];
	const uint8_t *bytes = data;
	size_t whole = size >= HEADER ? HEADER + load(bytes) : 0;
	size_t lied;

	if (real == NULL)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "send");
	if (how == NULL || *how == '0' || whole == 0 || whole > size ||
	    whole + HEADER > sizeof(changed))
		return real(fd, data, size, flags);
	memcpy(changed, bytes, whole);
	lied = *how == 's' ? whole : lie(changed, whole);
	/* One frame at a time; the socket has room for it. */
	if (real(fd, changed, lied, flags) != (ssize_t)lied)
		_exit(1);
	if (*how == 's' && whole < size)
		(void)nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
	return (ssize_t)whole;
}
