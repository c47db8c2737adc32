/*
 * What a guard reads that is not its own: messages of the kernel, and files that say who is signed in. The first byte says
 * which.
 */
#include <assert.h>
#include <string.h>

#include "guard/guard.h"
#include "guard/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_event(struct bytes bytes)
{
	struct uevent event;

	if (uevent_parse(bytes, &event) != AZ_OK)
		return;
	assert(event.path[0] == '/' && strlen(event.path) < sizeof(event.path));
	assert(strstr(event.path, "/../") == NULL);
}

static void
check_users(const struct users *users)
{
	assert(users->count <= USERS_MAX);
	for (size_t i = 0; i < users->count; i++) {
		assert(users->names[i][0] != '\0');
		for (const char *at = users->names[i]; *at != '\0'; at++)
			assert(*at > 0x20 && *at < 0x7f && *at != ',');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct users users = {0};
	struct bytes rest;

	if (size == 0)
		return 0;
	rest = bytes_make(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0: read_event(rest); break;
	case 1: users_take_utmp(rest, &users); break;
	default: users_take_logind(rest, &users); break;
	}
	check_users(&users);
	return 0;
}
