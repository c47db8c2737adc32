/*
 * azukari restore: a house out of a backup, into another folder; and what to do when it is older than what was seen.
 *
 * Restoring opens nothing: every file is compared with the backup's list and put where it was, so a maintainer restores
 * without a passphrase and without a plaintext. Whether the files are what this house acknowledged, its keeper
 * finds out when it starts with the keys; whether they are the newest, every front with what it has seen. For a house
 * that is behind, --declare-loss tells it what was seen, for officers to decide on.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/copy.h"
#include "proto/backup.h"

#define MANIFEST_MAX (128u * 1024u * 1024u)
#define KEYS_MAX     (BACKUP_KEYS_MAX + 128u * 1024u)
#define SEEN_MAX     16

struct restore {
	const char *from, *keys_path;
	int from_dirfd;
	struct copy_folder to;
	struct house_users users;
	struct backup_manifest manifest;
	struct buffer keys_file;
	struct backup_keys keys;
	uint64_t bytes;
};

/* --- reading ---------------------------------------------------------------------------------- */

/* Takes the digest from the end of a file's bytes. */
static enum az_status
check_digest(
    const struct buffer *buffer, const char *what, struct bytes *ret_bytes, struct az_err *reterr)
{
	struct bytes bytes = buffer_peek(buffer);
	uint8_t digest[SHA256_SIZE];

	if (bytes.size < SHA256_SIZE)
		return az_fail(reterr, AZ_CORRUPT, "%s is cut short", what);
	bytes.size -= SHA256_SIZE;
	sha256(bytes, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)),
		bytes_make(bytes.data + bytes.size, SHA256_SIZE)))
		return az_fail(reterr, AZ_CORRUPT, "%s is damaged or was cut short", what);
	*ret_bytes = bytes;
	return AZ_OK;
}

static enum az_status
read_manifest(struct restore *restore, struct az_err *reterr)
{
	struct buffer buffer;
	struct bytes bytes;
	enum az_status status =
	    dir_open(AT_FDCWD, restore->from, false, 0, &restore->from_dirfd, reterr);

	buffer_init(&buffer, MANIFEST_MAX, false);
	if (status == AZ_OK)
		status = file_read_whole(restore->from_dirfd, BACKUP_MANIFEST, &buffer, reterr);
	if (status == AZ_NOT_FOUND)
		status = az_fail(reterr, AZ_NOT_FOUND,
		    "%s is no backup, or one that was never finished", restore->from);
	if (status == AZ_OK)
		status = check_digest(&buffer, "the backup's list", &bytes, reterr);
	if (status == AZ_OK) {
		status = backup_manifest_decode(bytes, &restore->manifest);
		if (status != AZ_OK)
			(void)az_fail(reterr, status, "the backup's list is not in its format");
	}
	buffer_fini(&buffer);
	return status;
}

static enum az_status
read_keys(struct restore *restore, struct az_err *reterr)
{
	bool unsealed = house_is_unsealed(restore->manifest.house);
	struct bytes bytes;
	enum az_status status =
	    file_read_whole(AT_FDCWD, restore->keys_path, &restore->keys_file, reterr);

	if (status == AZ_OK)
		status = check_digest(&restore->keys_file, restore->keys_path, &bytes, reterr);
	if (status != AZ_OK)
		return status;
	if (backup_keys_decode(bytes, &restore->keys) != AZ_OK)
		return az_fail(reterr, AZ_CORRUPT, "%s is no backup of keys", restore->keys_path);
	if (!bytes_equal(bytes_make(restore->keys.house, HOUSE_ID_SIZE),
		bytes_make(restore->manifest.house, HOUSE_ID_SIZE)))
		return az_fail(
		    reterr, AZ_INVALID, "%s has the keys of another house", restore->keys_path);
	if (restore->keys.kind != (unsealed ? BACKUP_ROOT_PLAIN : BACKUP_ROOT_SLOTS))
		return az_fail(
		    reterr, AZ_CORRUPT, "%s has keys of another kind of house", restore->keys_path);
	if (clock_now_us() >= restore->keys.until_us)
		return az_fail(reterr, AZ_DENIED, "%s was to be destroyed by now: make a newer one",
		    restore->keys_path);
	return AZ_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static struct house_user
owner_of(const struct restore *restore, const char *path)
{
	if (strncmp(path, "keeper/", 7) == 0)
		return restore->users.keeper;
	if (strncmp(path, "vault/", 6) == 0)
		return restore->users.vault;
	return (struct house_user){0};
}

static enum az_status
make_folders(const struct restore *restore, struct az_err *reterr)
{
	const struct {
		const char *name;
		mode_t mode;
		struct house_user owner;
	} folders[] = {{"secret", 0700, {0}}, {"run", 0755, {0}},
	    {"keeper", 0700, restore->users.keeper}, {"vault", 0700, restore->users.vault}};
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(folders) && status == AZ_OK; i++) {
		int fd = -1;

		status = dir_open(
		    restore->to.dirfd, folders[i].name, true, folders[i].mode, &fd, reterr);
		if (status == AZ_OK &&
		    (fchmod(fd, folders[i].mode) != 0 ||
			(folders[i].owner.uid != 0 &&
			    fchown(fd, folders[i].owner.uid, folders[i].owner.gid) != 0)))
			status = az_fail_errno(reterr, AZ_IO, errno, "%s", folders[i].name);
		fd_close(&fd);
	}
	return status;
}

static enum az_status
copy_all(struct restore *restore, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	for (uint32_t i = 0; i < restore->manifest.count && status == AZ_OK; i++) {
		const struct backup_file *file = &restore->manifest.files[i];
		uint8_t digest[SHA256_SIZE];
		uint64_t size = 0;

		status = copy_file(restore->from_dirfd, restore->to.dirfd, file->path, COPY_ALL,
		    owner_of(restore, file->path), &size, digest, reterr);
		if (status == AZ_NOT_FOUND)
			status =
			    az_fail(reterr, AZ_FORGED, "%s is missing from the backup", file->path);
		else if (status == AZ_OK &&
		    (size != file->size ||
			!bytes_equal(bytes_make(digest, sizeof(digest)),
			    bytes_make(file->sha256, sizeof(file->sha256)))))
			status = az_fail(
			    reterr, AZ_FORGED, "%s is not the file that was backed up", file->path);
		restore->bytes += size;
	}
	return status;
}

static enum az_status
put_owned(
    int dirfd, const char *name, struct bytes bytes, struct house_user owner, struct az_err *reterr)
{
	enum az_status status = file_create(dirfd, name, bytes, 0600, reterr);

	if (status == AZ_OK && owner.uid != 0 &&
	    fchownat(dirfd, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", name);
	return status;
}

static enum az_status
put_keys(const struct restore *restore, struct az_err *reterr)
{
	const struct backup_keys *keys = &restore->keys;
	const struct house_user ours = {0};
	int secret = -1;
	int keeper = -1;
	enum az_status status = dir_open(restore->to.dirfd, "secret", false, 0, &secret, reterr);

	if (status == AZ_OK)
		status = dir_open(restore->to.dirfd, "keeper", false, 0, &keeper, reterr);
	if (status == AZ_OK)
		status = put_owned(secret, keys->kind == BACKUP_ROOT_PLAIN ? "root" : "slots",
		    keys->root, ours, reterr);
	if (status == AZ_OK)
		status = put_owned(secret, "host", keys->host, ours, reterr);
	if (status == AZ_OK)
		status = put_owned(secret, "device.key", keys->device, ours, reterr);
	if (status == AZ_OK)
		status = put_owned(keeper, "ring", keys->ring, restore->users.keeper, reterr);
	fd_close(&secret);
	fd_close(&keeper);
	return status;
}

/* The public file names the house that the list names. */
static enum az_status
check_house(const struct restore *restore, struct az_err *reterr)
{
	struct house_folder folder = {.dirfd = -1};
	enum az_status status = house_folder_open(restore->to.beside, &folder, reterr);

	if (status == AZ_OK &&
	    !bytes_equal(bytes_make(folder.file.house, HOUSE_ID_SIZE),
		bytes_make(restore->manifest.house, HOUSE_ID_SIZE)))
		status = az_fail(reterr, AZ_FORGED, "the backup has files of another house");
	/* Anybody may read it, as at the founding. */
	if (status == AZ_OK && fchmodat(folder.dirfd, "house", 0644, 0) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "house");
	house_folder_close(&folder);
	return status;
}

static enum az_status
put_back(struct restore *restore, const char *house, struct az_err *reterr)
{
	enum az_status status = read_manifest(restore, reterr);

	if (status == AZ_OK)
		status = read_keys(restore, reterr);
	if (status == AZ_OK)
		status = house_users_find(
		    house_is_unsealed(restore->manifest.house), &restore->users, reterr);
	if (status == AZ_OK)
		status = copy_folder_make(house, 0755, &restore->to, reterr);
	if (status == AZ_OK)
		status = make_folders(restore, reterr);
	if (status == AZ_OK)
		status = copy_all(restore, reterr);
	if (status == AZ_OK)
		status = put_keys(restore, reterr);
	if (status == AZ_OK)
		status = check_house(restore, reterr);
	if (status == AZ_OK)
		status = copy_folder_finish(&restore->to, reterr);
	return status;
}

static int
restore_to(const struct cli *cli, const char *from, const char *keys)
{
	struct restore restore = {
	    .from = from, .keys_path = keys, .from_dirfd = -1, .to = {.dirfd = -1}};
	struct az_err err = {0};
	char name[HOUSE_NAME_SIZE];
	enum az_status status;

	buffer_init(&restore.keys_file, KEYS_MAX, true);
	status = put_back(&restore, cli->house, &err);
	house_name(restore.manifest.house, name);
	if (status == AZ_OK && cli->json)
		print_json(json_pack("{s:s, s:s, s:I, s:I}", "restored", cli->house, "house", name,
		    "files", (json_int_t)restore.manifest.count, "bytes",
		    (json_int_t)restore.bytes));
	else if (status == AZ_OK)
		(void)printf(
		    "house %s, %u files, %llu bytes, in %s; whether it is the newest is seen "
		    "by who asks it next\n",
		    name, restore.manifest.count, (unsigned long long)restore.bytes, cli->house);
	copy_folder_fini(&restore.to);
	fd_close(&restore.from_dirfd);
	buffer_fini(&restore.keys_file);
	free(restore.manifest.files);
	return status == AZ_OK ? 0 : print_error(cli, status, err.text, NULL);
}

/* --- declaring a loss ------------------------------------------------------------------------- */

/* Of each log the newest head that any of the folders has. */
static enum az_status
add_seen(
    const struct house_folder *folder, int dirfd, struct front_loss *loss, struct az_err *reterr)
{
	struct heads heads = {0};
	enum az_status status = heads_read(dirfd, folder->file.house, &heads, reterr);

	for (size_t i = 0; i < heads.count && status == AZ_OK; i++) {
		const struct head *head = &heads.heads[i];
		uint32_t k = 0;

		while (k < loss->count && loss->heads[k].log != head->log)
			k++;
		if (k == FRONT_LOSS_MAX)
			status = az_fail(reterr, AZ_LIMIT, "declare a loss: too many logs");
		else if (k == loss->count)
			loss->heads[loss->count++] = *head;
		else if (head->generation > loss->heads[k].generation ||
		    (head->generation == loss->heads[k].generation &&
			head->size > loss->heads[k].size))
			loss->heads[k] = *head;
	}
	heads_fini(&heads);
	return status;
}

static enum az_status
collect_seen(const struct cli *cli, char *const *seen, size_t count, struct front_loss *loss,
    struct az_err *reterr)
{
	struct house_folder folder = {.dirfd = -1};
	int dirfd = -1;
	enum az_status status = house_folder_open(cli->house, &folder, reterr);

	if (status == AZ_OK)
		status = house_state_open(folder.file.house, &dirfd, reterr);
	if (status == AZ_OK)
		status = add_seen(&folder, dirfd, loss, reterr);
	for (size_t i = 0; i < count && status == AZ_OK; i++) {
		fd_close(&dirfd);
		status = dir_open(AT_FDCWD, seen[i], false, 0, &dirfd, reterr);
		if (status == AZ_OK)
			status = add_seen(&folder, dirfd, loss, reterr);
	}
	if (status == AZ_OK && loss->count == 0)
		status = az_fail(reterr, AZ_CONFLICT,
		    "nothing was ever seen of this house here: nothing can be missed");
	fd_close(&dirfd);
	house_folder_close(&folder);
	return status;
}

static int
declare_loss(const struct cli *cli, char *const *seen, size_t count)
{
	union front_request request = {0};
	struct cli despite = *cli;
	struct az_err err = {0};
	enum az_status status = collect_seen(cli, seen, count, &request.loss, &err);

	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	despite.despite_loss = true;
	return ask_and_print(&despite, FRONT_DECLARE_LOSS, &request, -1, NULL);
}

int
cmd_restore(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
	    {"declare-loss", no_argument, NULL, 'l'}, {"seen", required_argument, NULL, 's'}, {0}};
	char *seen[SEEN_MAX];
	size_t seen_count = 0;
	const char *keys = NULL;
	bool loss = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'k')
			keys = optarg;
		else if (option == 'l')
			loss = true;
		else if (option == 's' && seen_count < SEEN_MAX)
			seen[seen_count++] = optarg;
		else
			return cli_usage("restore", NULL);
	}
	if (cli->house == NULL)
		return cli_usage("restore", "no house is named");
	if (loss && keys == NULL && optind == argc)
		return declare_loss(cli, seen, seen_count);
	if (loss || seen_count > 0 || optind + 1 != argc || cli->asking != NULL)
		return cli_usage("restore", "a backup and --keys FILE, or --declare-loss");
	if (keys == NULL)
		return cli_usage(
		    "restore", "--keys FILE: without the key ring nothing of it can be opened");
	return restore_to(cli, argv[optind], keys);
}
