/*
 * azukari init: founding a house.
 *
 * Everything is made in a folder beside the house and takes its name at the end, so that a house is there
 * whole or not at all. The officer's key is written before that: a house whose only officer's key was lost
 * could never be used.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/locked.h"
#include "cli/parent.h"
#include "crypto/hash.h"
#include "crypto/noise.h"
#include "crypto/ring.h"
#include "crypto/slots.h"
#include "proto/front.h"

#define HOST_DEVICE "host"

struct founding {
	const char *house, *officer, *second, *name, *key_out;
	const char *passphrase_spec;
	bool unsealed;
	struct secret *passphrase;            /* of the first officer, in a sealed house */
	char code[2 * FRONT_INVITE_CODE + 1]; /* for the second one */
	char folder[PATH_MAX];                /* where it is made */
	struct house_folder open;
	struct parent_founding told;
	struct secret *root;
	struct host_secret host;
	struct house_users users;
	bool key_is_written;
};

/* --- the folder ------------------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path);
}

/* Takes back what was made; the house's own name was never used. */
static void
discard(struct founding *founding)
{
	if (founding->folder[0] != '\0')
		(void)nftw(founding->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (founding->key_is_written)
		(void)unlink(founding->key_out);
}

static enum az_status
make_folder(struct founding *founding, struct az_err *reterr)
{
	struct stat info;
	size_t size = strlen(founding->house);
	int length;

	/* "h/" is the house "h". */
	while (size > 1 && founding->house[size - 1] == '/')
		size--;
	if (lstat(founding->house, &info) == 0)
		return az_fail(reterr, AZ_CONFLICT, "%s is there already", founding->house);
	length = snprintf(founding->folder, sizeof(founding->folder), "%.*s.new-XXXXXX", (int)size,
	    founding->house);
	if (length < 0 || (size_t)length >= sizeof(founding->folder)) {
		founding->folder[0] = '\0';
		return az_fail(reterr, AZ_INVALID, "the path of the house is too long");
	}
	if (mkdtemp(founding->folder) == NULL) {
		int reason = errno;

		founding->folder[0] = '\0';
		return az_fail_errno(reterr, AZ_IO, reason, "%s", founding->house);
	}
	if (chmod(founding->folder, 0755) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", founding->house);
	return dir_open(AT_FDCWD, founding->folder, false, 0, &founding->open.dirfd, reterr);
}

/* A subfolder with its owner. */
static enum az_status
make_subfolder(const struct founding *founding, const char *name, mode_t mode,
    struct house_user owner, struct az_err *reterr)
{
	int fd = -1;
	enum az_status status = dir_open(founding->open.dirfd, name, true, mode, &fd, reterr);

	if (status == AZ_OK &&
	    (fchmod(fd, mode) != 0 || (owner.uid != 0 && fchown(fd, owner.uid, owner.gid) != 0)))
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", name);
	fd_close(&fd);
	return status;
}

/* --- keys ------------------------------------------------------------------------------------- */

static enum az_status
make_identity(struct founding *founding, struct az_err *reterr)
{
	struct house_file *file = &founding->open.file;
	uint8_t data[HOUSE_FILE_SIZE];
	struct secret *channel = NULL;
	enum az_status status = secret_random(KEY_SIZE, &founding->root, reterr);

	random_bytes(file->house, HOUSE_ID_SIZE);
	file->house[0] = founding->unsealed ? 'U' : 'S';
	if (status == AZ_OK)
		status = host_secret_new(&founding->host, reterr);
	if (status == AZ_OK)
		status = kdf_derive(founding->root, file->house, "channel", 0, &channel, reterr);
	if (status == AZ_OK)
		status = noise_public(secret_peek(channel), file->keeper, reterr);
	secret_free(&channel);
	if (status != AZ_OK)
		return status;
	house_file_encode(file, data);
	return file_create(
	    founding->open.dirfd, "house", bytes_make(data, sizeof(data)), 0644, reterr);
}

/* How the root key is kept: plain, or behind the first officer's passphrase until the officers say more. */
static enum az_status
write_slot(const struct founding *founding, int dirfd, struct az_err *reterr)
{
	const uint8_t *house = founding->open.file.house;
	struct slot_holder holder = {.label = ""};
	struct buffer bytes;
	enum az_status status;

	buffer_init(&bytes, SLOTS_FILE_MAX, true);
	if (founding->unsealed) {
		status = slot_encode_plain(house, founding->root, &bytes, reterr);
	} else {
		(void)snprintf(holder.label, sizeof(holder.label), "%s", founding->officer);
		holder.passphrase = secret_peek(founding->passphrase);
		status = slots_encode(house, founding->root, founding->host.slots, &holder, 1, 1,
		    SLOTS_COST, &bytes, reterr);
	}
	if (status == AZ_OK)
		status = file_create(dirfd, founding->unsealed ? "root" : "slots",
		    buffer_peek(&bytes), 0600, reterr);
	buffer_fini(&bytes);
	return status;
}

static enum az_status
write_secrets(struct founding *founding, struct az_err *reterr)
{
	struct key_file device = {0};
	struct buffer bytes;
	int dirfd = -1;
	enum az_status status = dir_open(founding->open.dirfd, "secret", false, 0, &dirfd, reterr);

	buffer_init(&bytes, 4096, true);
	if (status == AZ_OK)
		status = write_slot(founding, dirfd, reterr);
	if (status == AZ_OK)
		status =
		    host_secret_create(dirfd, founding->open.file.house, &founding->host, reterr);
	if (status == AZ_OK)
		status = key_file_new(&founding->open.file, KEY_DEVICE, HOST_DEVICE, &device,
		    founding->told.device_key, reterr);
	if (status == AZ_OK) {
		buffer_clear(&bytes);
		status = key_file_encode(&device, &bytes, reterr);
	}
	if (status == AZ_OK)
		status = file_create(dirfd, "device.key", buffer_peek(&bytes), 0600, reterr);
	key_file_fini(&device);
	buffer_fini(&bytes);
	fd_close(&dirfd);
	return status;
}

static enum az_status
write_officer_key(struct founding *founding, struct az_err *reterr)
{
	struct key_file file = {0};
	enum az_status status = key_file_new(&founding->open.file, KEY_STAFF, founding->officer,
	    &file, founding->told.officer_key, reterr);

	if (status == AZ_OK)
		status = key_file_write(founding->key_out, &file, reterr);
	founding->key_is_written = status == AZ_OK;
	key_file_fini(&file);
	return status;
}

/* --- founding --------------------------------------------------------------------------------- */

static enum az_status
take_name(struct founding *founding, struct az_err *reterr)
{
	char folder[PATH_MAX];
	char *slash;
	int fd = -1;
	enum az_status status;

	size_t size = strlen(founding->house);

	while (size > 1 && founding->house[size - 1] == '/')
		size--;
	if (size >= sizeof(folder))
		return az_fail(reterr, AZ_INVALID, "the path of the house is too long");
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)size, founding->house);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		(void)snprintf(folder, sizeof(folder), ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	status = dir_open(AT_FDCWD, folder, false, 0, &fd, reterr);
	if (status != AZ_OK)
		return status;
	if (fsync(founding->open.dirfd) != 0 ||
	    renameat2(AT_FDCWD, founding->folder, AT_FDCWD, founding->house, RENAME_NOREPLACE) !=
		0) {
		status = az_fail_errno(
		    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "%s", founding->house);
		fd_close(&fd);
		return status;
	}
	/* It is there now, with its key: whatever fails from here on takes nothing back. */
	founding->folder[0] = '\0';
	founding->key_is_written = false;
	if (fsync(fd) != 0)
		status = az_fail_errno(reterr, AZ_IO, errno, "%s", folder);
	fd_close(&fd);
	return status;
}

/* The second officer's invitation: the keeper gets its hash. */
static void
invite_second(struct founding *founding)
{
	uint8_t code[FRONT_INVITE_CODE];

	if (founding->second == NULL)
		return;
	(void)snprintf(
	    founding->told.second, sizeof(founding->told.second), "%s", founding->second);
	random_bytes(code, sizeof(code));
	sha256(bytes_make(code, sizeof(code)), founding->told.invitation);
	hex_encode(bytes_make(code, sizeof(code)), founding->code);
	az_wipe(code, sizeof(code));
}

static enum az_status
found(struct founding *founding, struct az_err *reterr)
{
	struct parent_config config = {
	    .folder = &founding->open, .founding = &founding->told, .told_fd = -1};
	const struct house_user ours = {0};
	enum az_status status = house_users_find(founding->unsealed, &founding->users, reterr);

	(void)snprintf(
	    founding->told.officer, sizeof(founding->told.officer), "%s", founding->officer);
	(void)snprintf(founding->told.name, sizeof(founding->told.name), "%s", founding->name);
	(void)snprintf(founding->told.device, sizeof(founding->told.device), HOST_DEVICE);
	invite_second(founding);
	if (status == AZ_OK)
		status = make_folder(founding, reterr);
	if (status == AZ_OK)
		status = make_identity(founding, reterr);
	if (status == AZ_OK)
		status = make_subfolder(founding, "secret", 0700, ours, reterr);
	if (status == AZ_OK)
		status = make_subfolder(founding, "run", 0755, ours, reterr);
	if (status == AZ_OK)
		status = make_subfolder(founding, "keeper", 0700, founding->users.keeper, reterr);
	if (status == AZ_OK)
		status = make_subfolder(founding, "vault", 0700, founding->users.vault, reterr);
	if (status == AZ_OK)
		status = write_secrets(founding, reterr);
	if (status == AZ_OK)
		status = write_officer_key(founding, reterr);
	if (status == AZ_OK) {
		config.users = founding->users;
		config.root = founding->root;
		config.host = &founding->host;
		status = parent_run(&config, reterr);
	}
	if (status == AZ_OK)
		status = take_name(founding, reterr);
	if (status != AZ_OK)
		discard(founding);
	return status;
}

/* --- telling ---------------------------------------------------------------------------------- */

static const char *const policy_lines[] = {
    "zone         loopback only: commands on this machine",
    "budgets      agent, supervisor: distinct people 500 in 24 hours, 5000 in 30 days, 50000 until "
    "a",
    "             review, for calls; 200, 1000, 5000 for searches without one (azukari policy "
    "list)",
    "agent        disclose, check, correct, stop, attempt; list clients and purposes",
    "supervisor   entrust; what an agent may; asks for clients, purposes, campaigns, staff, "
    "devices",
    "officer      approves; clients, purposes, staff, devices, policy (approved by asking); "
    "ledger; status",
    "investigator asks for cases; ledger verify",
    "maintainer   ledger verify, status; no person's data",
};

static void
tell_json(const struct founding *founding, const char *name)
{
	json_t *policy = json_array();
	json_t *answer = json_pack("{s:s, s:b, s:s, s:s, s:o}", "house", name, "unsealed",
	    founding->unsealed ? 1 : 0, "officer", founding->officer, "key", founding->key_out,
	    "policy", policy);

	for (size_t i = 0; i < AZ_ARRAY_SIZE(policy_lines); i++)
		(void)json_array_append_new(policy, json_string(policy_lines[i]));
	if (answer != NULL && founding->second != NULL) {
		(void)json_object_set_new(answer, "second", json_string(founding->second));
		(void)json_object_set_new(answer, "invitation", json_string(founding->code));
	}
	if (answer != NULL)
		(void)json_dumpf(answer, stdout, JSON_INDENT(2));
	(void)printf("\n");
	json_decref(answer);
}

static void
tell_sealed(const struct founding *founding)
{
	(void)printf("This house is sealed. Its root key opens with the passphrase of %s and the "
		     "host secret;\nafter a start: azukari unlock --officer %s\n\n",
	    founding->officer, founding->officer);
	(void)printf(
	    "The second officer is %s. Until they have enrolled, only this works:\n"
	    "  azukari device add LABEL --public HEX     # their machine's, from: azukari "
	    "device key\n"
	    "  azukari staff enrol --out FILE            # by %s, there, with this code\n\n"
	    "  invitation of %s: %s\n\n"
	    "Give it to nobody else. Then let both hold the root key: azukari key slots\n",
	    founding->second, founding->second, founding->second, founding->code);
	(void)printf("\nThe key of %s lies in %s. Next:\n", founding->officer, founding->key_out);
	(void)printf(
	    "  export AZUKARI_HOUSE=%s AZUKARI_KEY=%s\n", founding->house, founding->key_out);
	(void)printf("  azukari serve\n");
}

static void
tell(const struct founding *founding, bool json)
{
	char name[HOUSE_NAME_SIZE];

	house_name(founding->open.file.house, name);
	if (json) {
		tell_json(founding, name);
		return;
	}
	(void)printf("Founded %s\n\n", name);
	if (!founding->unsealed) {
		tell_sealed(founding);
		return;
	}
	(void)printf(
	    "This house is UNSEALED: its root key lies in a plain file, and one officer founded\n"
	    "it and approves alone. It is for demonstrations and tests, and can never be "
	    "converted\n"
	    "to a sealed one.\n\nDefault policy:\n");
	for (size_t i = 0; i < AZ_ARRAY_SIZE(policy_lines); i++)
		(void)printf("  %s\n", policy_lines[i]);
	(void)printf("\nThe key of %s lies in %s. Next:\n", founding->officer, founding->key_out);
	(void)printf(
	    "  export AZUKARI_HOUSE=%s AZUKARI_KEY=%s\n", founding->house, founding->key_out);
	(void)printf("  azukari client add c01 --name \"City of Example\"\n");
}

/* What is wrong with what was asked, or NULL. */
static const char *
problem_of(const struct founding *founding)
{
	if (founding->house == NULL || founding->house[0] == '\0')
		return "no house is named";
	if (founding->officer == NULL || !label_is_valid(founding->officer) ||
	    (founding->second != NULL && !label_is_valid(founding->second)))
		return "--officer needs a label: letters, digits, - _ .";
	if (founding->name[0] != '\0' && !name_is_valid(founding->name))
		return "--name is not a valid name";
	if (founding->key_out == NULL)
		return "--key-out is needed: where the officer's key goes";
	if (founding->unsealed && founding->second != NULL)
		return "one officer founds an unsealed house";
	if (founding->unsealed && founding->passphrase_spec != NULL)
		return "an unsealed house has no passphrases";
	if (!founding->unsealed && founding->second == NULL)
		return "a sealed house needs --officer twice; --unsealed founds one for "
		       "demonstrations and tests";
	if (!founding->unsealed && strcmp(founding->officer, founding->second) == 0)
		return "the two officers need two labels";
	if (founding->passphrase_spec != NULL && founding->passphrase_spec[0] != '@')
		return "--passphrase names a descriptor: @N";
	return NULL;
}

static bool
read_option(struct founding *founding, int option)
{
	switch (option) {
	case 'H': founding->house = optarg; return true;
	case 'o':
		if (founding->second != NULL)
			return false;
		*(founding->officer == NULL ? &founding->officer : &founding->second) = optarg;
		return true;
	case 'n': founding->name = optarg; return true;
	case 'k': founding->key_out = optarg; return true;
	case 'p': founding->passphrase_spec = optarg; return true;
	case 'u': founding->unsealed = true; return true;
	default: return false;
	}
}

int
cmd_init(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"house", required_argument, NULL, 'H'},
	    {"officer", required_argument, NULL, 'o'}, {"name", required_argument, NULL, 'n'},
	    {"key-out", required_argument, NULL, 'k'}, {"unsealed", no_argument, NULL, 'u'},
	    {"passphrase", required_argument, NULL, 'p'}, {0}};
	struct founding founding = {.house = cli->house, .name = "", .open = {.dirfd = -1}};
	struct az_err err = {0};
	enum az_status status = AZ_OK;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!read_option(&founding, option))
			return cli_usage("init", NULL);
	}
	if (optind != argc || problem_of(&founding) != NULL)
		return cli_usage("init", optind != argc ? NULL : problem_of(&founding));
	parent_prepare(!founding.unsealed);
	if (!founding.unsealed)
		status = passphrase_read(
		    founding.officer, founding.passphrase_spec, true, &founding.passphrase, &err);
	if (status == AZ_OK)
		status = found(&founding, &err);
	err.status = status;
	if (status == AZ_OK)
		tell(&founding, cli->json);
	secret_free(&founding.root);
	host_secret_fini(&founding.host);
	secret_free(&founding.passphrase);
	az_wipe(founding.code, sizeof(founding.code));
	house_folder_close(&founding.open);
	return status == AZ_OK ? 0 : cli_fail(&err);
}
