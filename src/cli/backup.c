/*
 * azukari backup, azukari key backup.
 *
 *	backup DIR        vault, ledger, house.db, catalogue: ciphertext and codes, readable with none of it
 *	key backup FILE   the key ring and HOUSE/secret, apart; of a sealed house behind its officers' passphrases
 *
 * Who runs it copies files, with the operating system's right to read them. A house that is served is asked to hold still
 * (custody/backup.c), and told at the end; one that is not is kept from being started by its lock. What is copied is in
 * either case one state of the house, of which the ledger's opening makes the newest that was acknowledged.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/copy.h"
#include "cli/host.h"
#include "proto/backup.h"

#define DEPTH_MAX    4
#define MANIFEST_MAX (128u * 1024u * 1024u)
#define KEY_DAYS     90
#define KEY_DAYS_MAX 3660
#define SHOW_US      (2 * AZ_US_PER_S)

struct backup {
	const struct cli *cli;
	struct house_folder folder;
	struct copy_folder to;
	struct front *front; /* of a house that is served */
	int lock;            /* of one that is not */
	json_int_t segment, offset, entries;
	struct backup_manifest manifest;
	size_t room;
	uint64_t bytes;
	int64_t shown_us;
};

/* --- which files ------------------------------------------------------------------------------ */

/* What is not backed up: keys, what is made anew at a start, and of the write-ahead log what came later. */
static bool
is_left_out(const struct backup *backup, const char *path, const char *name)
{
	unsigned int segment;

	if (name[0] == '.' || strcmp(name, "lock.mdb") == 0 || strcmp(path, "keeper/ring") == 0 ||
	    strcmp(path, "keeper/ring.next") == 0 || strcmp(path, "keeper/budgets") == 0 ||
	    strcmp(path, "keeper/ledger/index") == 0)
		return true;
	return backup->front != NULL && sscanf(path, "keeper/ledger/wal-%8x", &segment) == 1 &&
	    (json_int_t)segment > backup->segment;
}

static enum az_status
note_file(struct backup *backup, const char *path, struct az_err *reterr)
{
	struct backup_manifest *manifest = &backup->manifest;

	if (manifest->count == backup->room) {
		size_t room = backup->room == 0 ? 64 : 2 * backup->room;
		struct backup_file *files = reallocarray(manifest->files, room, sizeof(*files));

		if (files == NULL || room > 2 * BACKUP_FILES_MAX)
			return az_fail(reterr, AZ_LIMIT, "backup: too many files");
		manifest->files = files;
		backup->room = room;
	}
	memset(&manifest->files[manifest->count], 0, sizeof(*manifest->files));
	(void)snprintf(manifest->files[manifest->count].path, BACKUP_PATH_SIZE, "%s", path);
	manifest->count++;
	return AZ_OK;
}

static enum az_status
note_folder(struct backup *backup, const char *path, int depth, struct az_err *reterr)
{
	int fd = -1;
	enum az_status status = dir_open(backup->folder.dirfd, path, false, 0, &fd, reterr);
	DIR *dir = status == AZ_OK ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (dir == NULL) {
		fd_close(&fd);
		return status == AZ_OK ? az_fail_errno(reterr, AZ_IO, errno, "%s", path) : status;
	}
	while (status == AZ_OK && (entry = readdir(dir)) != NULL) {
		char below[BACKUP_PATH_SIZE];
		struct stat info;
		int size = snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    is_left_out(backup, below, entry->d_name))
			continue;
		if (size < 0 || (size_t)size >= sizeof(below) || !backup_path_is_valid(below))
			status = az_fail(reterr, AZ_INVALID,
			    "backup: %s has a name that is not of a house", path);
		else if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
			status = az_fail_errno(reterr, AZ_IO, errno, "%s", below);
		else if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX)
			status = note_folder(backup, below, depth + 1, reterr);
		else if (S_ISREG(info.st_mode))
			status = note_file(backup, below, reterr);
		else
			status = az_fail(reterr, AZ_INVALID, "backup: %s is no file", below);
	}
	(void)closedir(dir);
	return status;
}

static int
compare_paths(const void *a, const void *b)
{
	const struct backup_file *left = a;
	const struct backup_file *right = b;

	return strcmp(left->path, right->path);
}

/* --- holding still ---------------------------------------------------------------------------- */

static enum az_status
ask_house(struct backup *backup, enum front_message type, json_t **ret_tree, struct az_err *reterr)
{
	union front_request request = {0};
	struct front_answer answer;
	enum az_status status;

	front_answer_init(&answer);
	status = front_ask(backup->front, type, &request, -1, &answer, reterr);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(reterr, answer.status, "%s", answer.text);
	if (status == AZ_OK) {
		*ret_tree = print_json_of(buffer_peek(&answer.tree));
		if (*ret_tree == NULL)
			status = az_fail(reterr, AZ_FORGED, "the keeper's answer is malformed");
	}
	front_answer_fini(&answer);
	return status;
}

static enum az_status
hold_served(struct backup *backup, struct az_err *reterr)
{
	json_t *tree = NULL;
	enum az_status status = ask_connect(backup->cli, &backup->front, reterr);

	if (status == AZ_OK)
		status = ask_house(backup, FRONT_BACKUP, &tree, reterr);
	if (status != AZ_OK)
		return status;
	backup->segment = json_integer_value(json_object_get(tree, "segment"));
	backup->offset = json_integer_value(json_object_get(tree, "offset"));
	backup->entries = json_integer_value(json_object_get(tree, "entries"));
	json_decref(tree);
	backup->manifest.live = true;
	return AZ_OK;
}

static enum az_status
hold(struct backup *backup, struct az_err *reterr)
{
	int fd = -1;

	if (house_connect(&backup->folder, &fd, NULL) == AZ_OK) {
		fd_close(&fd);
		return hold_served(backup, reterr);
	}
	backup->lock =
	    openat(backup->folder.dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (backup->lock < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "lock");
	if (flock(backup->lock, LOCK_EX | LOCK_NB) != 0)
		return az_fail(reterr, AZ_BUSY, "the house is being started or unlocked");
	return AZ_OK;
}

/* --- copying ---------------------------------------------------------------------------------- */

static void
show(struct backup *backup, uint32_t done)
{
	int64_t now = clock_monotonic_us();

	if (!isatty(STDERR_FILENO) || now - backup->shown_us < SHOW_US)
		return;
	backup->shown_us = now;
	(void)fprintf(stderr, "\r%u of %u files, %llu MiB", done, backup->manifest.count,
	    (unsigned long long)(backup->bytes >> 20));
	(void)fflush(stderr);
}

static enum az_status
copy_all(struct backup *backup, struct az_err *reterr)
{
	const struct house_user ours = {0};
	struct backup_manifest *manifest = &backup->manifest;
	enum az_status status = AZ_OK;

	backup->shown_us = clock_monotonic_us();
	for (uint32_t i = 0; i < manifest->count && status == AZ_OK; i++) {
		struct backup_file *file = &manifest->files[i];
		uint64_t keep = COPY_ALL;
		unsigned int segment;

		if (backup->front != NULL &&
		    sscanf(file->path, "keeper/ledger/wal-%8x", &segment) == 1 &&
		    (json_int_t)segment == backup->segment)
			keep = (uint64_t)backup->offset;
		status = copy_file(backup->folder.dirfd, backup->to.dirfd, file->path, keep, ours,
		    &file->size, file->sha256, reterr);
		backup->bytes += file->size;
		show(backup, i + 1);
	}
	if (backup->bytes > 0 && isatty(STDERR_FILENO))
		(void)fprintf(stderr, "\r\033[K");
	return status;
}

static enum az_status
write_manifest(struct backup *backup, struct az_err *reterr)
{
	struct buffer buffer;
	uint8_t digest[SHA256_SIZE];
	enum az_status status;

	buffer_init(&buffer, MANIFEST_MAX, false);
	status = backup_manifest_encode(&backup->manifest, &buffer);
	if (status == AZ_OK) {
		sha256(buffer_peek(&buffer), digest);
		status = buffer_append(&buffer, bytes_make(digest, sizeof(digest)));
	}
	if (status == AZ_OK)
		status = file_create(
		    backup->to.dirfd, BACKUP_MANIFEST, buffer_peek(&buffer), 0600, reterr);
	else
		(void)az_fail(reterr, status, "backup: its list cannot be written");
	buffer_fini(&buffer);
	return status;
}

static enum az_status
take(struct backup *backup, const char *path, struct az_err *reterr)
{
	json_t *tree = NULL;
	enum az_status status = house_folder_open(backup->cli->house, &backup->folder, reterr);

	if (status == AZ_OK)
		status = copy_folder_make(path, 0700, &backup->to, reterr);
	if (status == AZ_OK)
		status = hold(backup, reterr);
	memcpy(backup->manifest.house, backup->folder.file.house, HOUSE_ID_SIZE);
	backup->manifest.time_us = clock_now_us();
	if (status == AZ_OK)
		status = note_file(backup, "house", reterr);
	if (status == AZ_OK)
		status = note_folder(backup, "keeper", 1, reterr);
	if (status == AZ_OK)
		status = note_folder(backup, "vault", 1, reterr);
	if (status == AZ_OK)
		qsort(backup->manifest.files, backup->manifest.count,
		    sizeof(*backup->manifest.files), compare_paths);
	if (status == AZ_OK)
		status = copy_all(backup, reterr);
	/* Only now is it known that it held still to the end. */
	if (status == AZ_OK && backup->front != NULL)
		status = ask_house(backup, FRONT_BACKUP_END, &tree, reterr);
	json_decref(tree);
	if (status == AZ_OK)
		status = write_manifest(backup, reterr);
	if (status == AZ_OK)
		status = copy_folder_finish(&backup->to, reterr);
	return status;
}

int
cmd_backup(const struct cli *cli, int argc, char **argv)
{
	struct backup backup = {
	    .cli = cli, .folder = {.dirfd = -1}, .to = {.dirfd = -1}, .lock = -1};
	struct az_err err = {0};
	enum az_status status;

	if (argc != 2 || argv[1][0] == '-' || cli->house == NULL)
		return cli_usage("backup", "a house, and a folder that is not there yet");
	status = take(&backup, argv[1], &err);
	if (status == AZ_OK && cli->json)
		print_json(json_pack("{s:s, s:I, s:I, s:b}", "backup", argv[1], "files",
		    (json_int_t)backup.manifest.count, "bytes", (json_int_t)backup.bytes, "live",
		    backup.manifest.live ? 1 : 0));
	else if (status == AZ_OK)
		(void)printf(
		    "%u files, %llu bytes, in %s; the keys are not in it (azukari key backup)\n",
		    backup.manifest.count, (unsigned long long)backup.bytes, argv[1]);
	front_close(&backup.front);
	fd_close(&backup.lock);
	copy_folder_fini(&backup.to);
	house_folder_close(&backup.folder);
	free(backup.manifest.files);
	return status == AZ_OK ? 0 : print_error(cli, status, err.text, NULL);
}

/* --- keys ------------------------------------------------------------------------------------- */

struct key_copies {
	struct buffer root, host, device, ring;
};

/* Whether ring, host secret and slots are being replaced, or were when the house was ended. */
static bool
is_renewing(int secret, int keeper)
{
	return host_slots_are_pending(secret) ||
	    faccessat(keeper, "ring.next", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Each file is replaced as a whole, so that each is whole; they belong together if nothing was being replaced when the reading began
 * and the host secret, which is replaced before the ring, is still the same at its end. A ring that is newer than the
 * ledger does no harm.
 */
static enum az_status
read_together(
    int secret, int keeper, const char *root, struct key_copies *copies, struct az_err *reterr)
{
	struct buffer again;
	enum az_status status = AZ_OK;

	if (is_renewing(secret, keeper))
		return az_fail(reterr, AZ_BUSY,
		    "key backup: the keys are being made anew; once the house is served");
	buffer_init(&again, 4096, true);
	status = file_read_whole(secret, "host", &copies->host, reterr);
	if (status == AZ_OK)
		status = file_read_whole(secret, root, &copies->root, reterr);
	if (status == AZ_OK)
		status = file_read_whole(secret, "device.key", &copies->device, reterr);
	if (status == AZ_OK)
		status = file_read_whole(keeper, "ring", &copies->ring, reterr);
	if (status == AZ_OK)
		status = file_read_whole(secret, "host", &again, reterr);
	if (status == AZ_OK && !bytes_equal(buffer_peek(&again), buffer_peek(&copies->host)))
		status = az_fail(
		    reterr, AZ_BUSY, "key backup: the keys were made anew meanwhile; try again");
	buffer_fini(&again);
	return status;
}

static enum az_status
read_keys(const struct house_folder *folder, struct key_copies *copies, struct az_err *reterr)
{
	const char *root = house_is_unsealed(folder->file.house) ? "root" : "slots";
	int secret = -1;
	int keeper = -1;
	enum az_status status = dir_open(folder->dirfd, "secret", false, 0, &secret, reterr);

	if (status == AZ_OK)
		status = dir_open(folder->dirfd, "keeper", false, 0, &keeper, reterr);
	if (status == AZ_OK)
		status = read_together(secret, keeper, root, copies, reterr);
	fd_close(&secret);
	fd_close(&keeper);
	return status;
}

static enum az_status
write_keys(const struct house_folder *folder, const struct key_copies *copies, const char *path,
    int32_t until, struct az_err *reterr)
{
	struct backup_keys keys = {.made_us = clock_now_us(),
	    .until_us = ((int64_t)until + 1) * AZ_US_PER_DAY,
	    .kind = house_is_unsealed(folder->file.house) ? BACKUP_ROOT_PLAIN : BACKUP_ROOT_SLOTS,
	    .root = buffer_peek(&copies->root),
	    .host = buffer_peek(&copies->host),
	    .device = buffer_peek(&copies->device),
	    .ring = buffer_peek(&copies->ring)};
	uint8_t digest[SHA256_SIZE];
	struct buffer file;
	enum az_status status;

	memcpy(keys.house, folder->file.house, HOUSE_ID_SIZE);
	buffer_init(&file, BACKUP_KEYS_MAX + 128 * 1024, true);
	status = backup_keys_encode(&keys, &file);
	if (status == AZ_OK) {
		sha256(buffer_peek(&file), digest);
		status = buffer_append(&file, bytes_make(digest, sizeof(digest)));
	}
	if (status == AZ_OK)
		status = file_create(AT_FDCWD, path, buffer_peek(&file), 0600, reterr);
	else
		(void)az_fail(reterr, status, "key backup: it cannot be written");
	if (status == AZ_CONFLICT)
		status = az_fail(reterr, AZ_CONFLICT, "%s is there already", path);
	buffer_fini(&file);
	return status;
}

static int
key_backup(const struct cli *cli, const char *path, int32_t until)
{
	struct house_folder folder = {.dirfd = -1};
	struct key_copies copies;
	struct az_err err = {0};
	char day[11];
	bool plain = false;
	enum az_status status;

	buffer_init(&copies.root, 64 * 1024, true);
	buffer_init(&copies.host, 4096, true);
	buffer_init(&copies.device, 4096, true);
	buffer_init(&copies.ring, BACKUP_KEYS_MAX, true);
	status = house_folder_open(cli->house, &folder, &err);
	if (status == AZ_OK)
		status = read_keys(&folder, &copies, &err);
	if (status == AZ_OK)
		status = write_keys(&folder, &copies, path, until, &err);
	if (status == AZ_OK)
		plain = house_is_unsealed(folder.file.house);
	buffer_fini(&copies.root);
	buffer_fini(&copies.host);
	buffer_fini(&copies.device);
	buffer_fini(&copies.ring);
	house_folder_close(&folder);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	date_format(until, day);
	if (cli->json)
		print_json(json_pack(
		    "{s:s, s:s, s:b}", "keys", path, "until", day, "plain", plain ? 1 : 0));
	else
		(void)printf("%s: %s; destroy it by %s\n", path,
		    plain ? "THE ROOT KEY IN PLAIN: with a backup, whoever has it reads everything"
			  : "opens with the officers' passphrases alone, and a backup with it",
		    day);
	return 0;
}

int
cmd_key_backup(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"until", required_argument, NULL, 'u'}, {0}};
	int32_t today = (int32_t)(clock_now_us() / AZ_US_PER_DAY);
	int32_t until = today + KEY_DAYS;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'u' || !date_parse(optarg, &until) || until < today ||
		    until > today + KEY_DAYS_MAX)
			return cli_usage(
			    "key", "--until needs a day from today on, within ten years");
	}
	if (optind + 1 != argc || cli->house == NULL)
		return cli_usage("key", "a house, and a file that is not there yet");
	return key_backup(cli, argv[optind], until);
}
