/*
 * Files of a house that commands read and write themselves, and where its processes' users come from.
 */
#include "cli/house.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/socket.h"
#include "crypto/hash.h"

#define KEY_FILE_MAX 4096u
#define PATH_ROOM    4096u

/* In an unsealed house without users of that name: numbers that no Debian package uses. */
#define UID_KEEPER  64301
#define UID_VAULT   64302
#define UID_INTAKE  64303
#define UID_SCANNER 64304

/* --- the folder ------------------------------------------------------------------------------- */

enum az_status
house_folder_open(const char *path, struct house_folder *ret_folder, struct az_err *reterr)
{
	struct house_folder folder = {.dirfd = -1};
	struct buffer bytes;
	enum az_status status = dir_open(AT_FDCWD, path, false, 0, &folder.dirfd, reterr);

	if (status == AZ_NOT_FOUND)
		return az_fail(reterr, AZ_NOT_FOUND, "there is no house at %s", path);
	if (status != AZ_OK)
		return status;
	buffer_init(&bytes, HOUSE_FILE_SIZE + 1, false);
	status = file_read_whole(folder.dirfd, "house", &bytes, reterr);
	if (status == AZ_NOT_FOUND)
		status = az_fail(reterr, AZ_NOT_FOUND, "%s is no house", path);
	if (status == AZ_OK)
		status = house_file_decode(buffer_peek(&bytes), &folder.file, reterr);
	buffer_fini(&bytes);
	if (status == AZ_OK)
		*ret_folder = folder;
	else
		house_folder_close(&folder);
	return status;
}

void
house_folder_close(struct house_folder *folder)
{
	fd_close(&folder->dirfd);
}

enum az_status
house_connect(const struct house_folder *folder, int *ret_fd, struct az_err *reterr)
{
	return socket_connect(
	    folder->dirfd, "run/" HOUSE_SOCKET, "the keeper cannot be reached", ret_fd, reterr);
}

/* --- key files -------------------------------------------------------------------------------- */

/* Opens the folder that a path lies in; *ret_name is the part behind the last slash. */
static enum az_status
open_parent(const char *path, int *ret_dirfd, const char **ret_name, struct az_err *reterr)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_ROOM];

	*ret_name = slash == NULL ? path : slash + 1;
	if (**ret_name == '\0')
		return az_fail(reterr, AZ_INVALID, "%s is no file name", path);
	if (slash == NULL)
		return dir_open(AT_FDCWD, ".", false, 0, ret_dirfd, reterr);
	if ((size_t)(slash - path) + 1 >= sizeof(folder))
		return az_fail(reterr, AZ_INVALID, "the path is too long");
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return dir_open(AT_FDCWD, slash == path ? "/" : folder, false, 0, ret_dirfd, reterr);
}

enum az_status
key_file_read(const char *path, struct key_file *ret_file, struct az_err *reterr)
{
	struct buffer text;
	struct stat info;
	const char *name;
	int dirfd = -1;
	enum az_status status = open_parent(path, &dirfd, &name, reterr);

	buffer_init(&text, KEY_FILE_MAX, true);
	if (status == AZ_OK)
		status = file_read_whole(dirfd, name, &text, reterr);
	if (status == AZ_OK && fstatat(dirfd, name, &info, 0) == 0 && (info.st_mode & 0077) != 0)
		(void)fprintf(stderr, "azukari: %s can be read by others; chmod 600 it\n", path);
	if (status == AZ_OK)
		status = key_file_decode(buffer_peek(&text), ret_file, reterr);
	buffer_fini(&text);
	fd_close(&dirfd);
	return status;
}

enum az_status
key_file_write(const char *path, const struct key_file *file, struct az_err *reterr)
{
	struct buffer text;
	const char *name;
	int dirfd = -1;
	enum az_status status = open_parent(path, &dirfd, &name, reterr);

	buffer_init(&text, KEY_FILE_MAX, true);
	if (status == AZ_OK)
		status = key_file_encode(file, &text, reterr);
	if (status == AZ_OK)
		status = file_create(dirfd, name, buffer_peek(&text), 0600, reterr);
	if (status == AZ_CONFLICT)
		status = az_fail(reterr, AZ_CONFLICT, "%s is there already", path);
	buffer_fini(&text);
	fd_close(&dirfd);
	return status;
}

enum az_status
key_file_new(const struct house_file *house, enum key_kind kind, const char *name,
    struct key_file *ret_file, uint8_t ret_public[SIGN_PUBLIC_SIZE], struct az_err *reterr)
{
	struct key_file file = {.kind = kind};
	struct sign_key *key = NULL;
	enum az_status status = secret_random(SIGN_SEED_SIZE, &file.seed, reterr);

	memcpy(file.house, house->house, HOUSE_ID_SIZE);
	memcpy(file.keeper, house->keeper, sizeof(file.keeper));
	(void)snprintf(file.name, sizeof(file.name), "%s", name);
	if (status == AZ_OK)
		status = sign_key_new(secret_peek(file.seed), &key, reterr);
	if (status == AZ_OK)
		sign_key_public(key, ret_public);
	sign_key_free(&key);
	if (status == AZ_OK)
		*ret_file = file;
	else
		key_file_fini(&file);
	return status;
}

/* --- a front's own folder --------------------------------------------------------------------- */

enum az_status
house_state_open(const uint8_t house[HOUSE_ID_SIZE], int *ret_dirfd, struct az_err *reterr)
{
	const char *base = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char path[PATH_ROOM];
	char name[HOUSE_NAME_SIZE];
	int outer = -1;
	int own = -1;
	enum az_status status;

	house_name(house, name);
	if (base != NULL && base[0] == '/') {
		(void)snprintf(path, sizeof(path), "%s", base);
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
	} else if (home != NULL && home[0] == '/') {
		static const char *const parts[] = {"/.local", "/.local/state"};

		for (size_t i = 0; i < AZ_ARRAY_SIZE(parts); i++) {
			(void)snprintf(path, sizeof(path), "%s%s", home, parts[i]);
			if (mkdir(path, 0700) != 0 && errno != EEXIST)
				return az_fail_errno(reterr, AZ_IO, errno, "%s", path);
		}
	} else {
		return az_fail(reterr, AZ_INVALID,
		    "HOME is not set: there is no place to remember the heads of the ledger");
	}
	status = dir_open(AT_FDCWD, path, false, 0, &outer, reterr);
	if (status == AZ_OK)
		status = dir_open(outer, "azukari", true, 0700, &own, reterr);
	if (status == AZ_OK)
		status = dir_open(own, name, true, 0700, ret_dirfd, reterr);
	fd_close(&own);
	fd_close(&outer);
	return status;
}

/* --- users ------------------------------------------------------------------------------------ */

static bool
find_user(const char *name, uid_t number, bool unsealed, struct house_user *ret_user)
{
	const struct passwd *user = getpwnam(name);

	if (user != NULL && user->pw_uid != 0) {
		*ret_user = (struct house_user){.uid = user->pw_uid, .gid = user->pw_gid};
		return true;
	}
	*ret_user = (struct house_user){.uid = number, .gid = number};
	return unsealed;
}

enum az_status
house_users_find(bool unsealed, struct house_users *ret_users, struct az_err *reterr)
{
	struct house_users users = {0};

	if (geteuid() == 0 &&
	    (!find_user("azukari-keeper", UID_KEEPER, unsealed, &users.keeper) ||
		!find_user("azukari-vault", UID_VAULT, unsealed, &users.vault) ||
		!find_user("azukari-intake", UID_INTAKE, unsealed, &users.intake) ||
		!find_user("azukari-scanner", UID_SCANNER, unsealed, &users.scanner)))
		return az_fail(reterr, AZ_NOT_FOUND,
		    "the users azukari-keeper, azukari-vault, azukari-intake and azukari-scanner "
		    "are "
		    "needed");
	*ret_users = users;
	return AZ_OK;
}
