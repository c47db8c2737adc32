/*
 * The key file pins the keeper of the house, so that the guard cannot be led to another one, and opens the queue.
 */
#include "guard/keys.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "guard/connect.h"
#include "guard/teller.h"
#include "proto/parent.h"

/* The public file of a house: a file, or "house" in the folder of one. */
static enum az_status
read_house(const char *path, struct house_file *ret_house, struct az_err *reterr)
{
	struct buffer bytes;
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum az_status status;

	buffer_init(&bytes, HOUSE_FILE_SIZE + 1, false);
	status = file_read_whole(
	    dirfd >= 0 ? dirfd : AT_FDCWD, dirfd >= 0 ? "house" : path, &bytes, reterr);
	fd_close(&dirfd);
	if (status == AZ_NOT_FOUND)
		status = az_fail(reterr, AZ_NOT_FOUND, "there is no house at %s", path);
	if (status == AZ_OK)
		status = house_file_decode(buffer_peek(&bytes), ret_house, reterr);
	buffer_fini(&bytes);
	return status;
}

enum az_status
keys_make(
    int dirfd, const char *house_path, uint8_t ret_public[SIGN_PUBLIC_SIZE], struct az_err *reterr)
{
	struct key_file file = {.kind = KEY_GUARD, .name = "guard"};
	struct house_file house;
	struct sign_key *key = NULL;
	struct buffer text;
	enum az_status status = read_house(house_path, &house, reterr);

	buffer_init(&text, 4096, true);
	if (status == AZ_OK)
		status = secret_random(SIGN_SEED_SIZE, &file.seed, reterr);
	if (status == AZ_OK) {
		memcpy(file.house, house.house, sizeof(file.house));
		memcpy(file.keeper, house.keeper, sizeof(file.keeper));
		status = sign_key_new(secret_peek(file.seed), &key, reterr);
	}
	if (status == AZ_OK) {
		sign_key_public(key, ret_public);
		status = key_file_encode(&file, &text, reterr);
	}
	if (status == AZ_OK)
		status = file_create(dirfd, GUARD_KEY_FILE, buffer_peek(&text), 0600, reterr);
	if (status == AZ_CONFLICT)
		(void)az_fail(reterr, AZ_CONFLICT, "this guard has a key already");
	sign_key_free(&key);
	buffer_fini(&text);
	key_file_fini(&file);
	return status;
}
