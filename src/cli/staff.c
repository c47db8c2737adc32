/* azukari staff add, list, end, key */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"

/* Makes a key here, for somebody else: only where one person may hold everything. */
static int
make_key(const struct cli *cli, const char *path, struct front_staff_add *staff)
{
	struct house_folder folder = {.dirfd = -1};
	struct key_file file = {0};
	struct az_err err = {0};
	enum az_status status = AZ_INVALID;

	if (cli->house == NULL)
		(void)az_fail(&err, AZ_INVALID, "no house is named: --house DIR or AZUKARI_HOUSE");
	else
		status = house_folder_open(cli->house, &folder, &err);
	if (status == AZ_OK && !house_is_unsealed(folder.file.house))
		status = az_fail(
		    &err, AZ_DENIED, "staff: people make their own keys: azukari staff key");
	if (status == AZ_OK)
		status =
		    key_file_new(&folder.file, KEY_STAFF, staff->label, &file, staff->key, &err);
	if (status == AZ_OK)
		status = key_file_write(path, &file, &err);
	key_file_fini(&file);
	house_folder_close(&folder);
	return status == AZ_OK ? 0 : print_error(cli, status, err.text, NULL);
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"role", required_argument, NULL, 'r'},
	    {"name", required_argument, NULL, 'n'}, {"key-out", required_argument, NULL, 'k'},
	    {"public", required_argument, NULL, 'p'}, {0}};
	union front_request request = {0};
	struct front_staff_add *staff = &request.staff_add;
	const char *key_out = NULL;
	const char *public = NULL;
	enum role role = ROLE_NONE;
	bool good = true;
	int option;
	int code = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r': good &= role_parse(optarg, &role); break;
		case 'n': good &= copy_argument(staff->name, sizeof(staff->name), optarg); break;
		case 'k': key_out = optarg; break;
		case 'p':
			public
			= optarg;
			break;
		default: return cli_usage("staff", NULL);
		}
	}
	if (optind + 1 != argc ||
	    !copy_argument(staff->label, sizeof(staff->label), argv[optind]) ||
	    !label_is_valid(staff->label))
		return cli_usage("staff", "one label is needed: letters, digits, - _ .");
	if (!good || role == ROLE_NONE)
		return cli_usage("staff", "--role needs a role, and --name a valid name");
	staff->role = (uint8_t)role;
	if ((key_out == NULL) == (public == NULL))
		return cli_usage("staff", "one of --key-out and --public is needed");
	if (public != NULL &&
	    (strlen(public) != 2 * sizeof(staff->key) ||
		!hex_decode(public, staff->key, sizeof(staff->key))))
		return cli_usage("staff", "--public needs 64 hexadecimal digits");
	if (key_out != NULL)
		code = make_key(cli, key_out, staff);
	if (code != 0)
		return code;
	code = ask_and_print(cli, FRONT_STAFF_ADD, &request, -1, NULL);
	/* A key that belongs to nobody only confuses. */
	if (code != 0 && key_out != NULL)
		(void)unlink(key_out);
	return code;
}

/* One's own key: its secret half never leaves the file. */
static int
key(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    {"out", required_argument, NULL, 'o'}, {"name", required_argument, NULL, 'n'}, {0}};
	struct house_folder folder = {.dirfd = -1};
	struct key_file file = {0};
	uint8_t public[SIGN_PUBLIC_SIZE];
	char text[2 * SIGN_PUBLIC_SIZE + 1];
	const char *out = NULL;
	const char *name = "staff";
	struct az_err err = {0};
	enum az_status status;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			out = optarg;
		else if (option == 'n')
			name = optarg;
		else
			return cli_usage("staff", NULL);
	}
	if (cli->asking != NULL)
		return cli_usage("ask", "a key is made, not asked");
	if (optind != argc || out == NULL || cli->house == NULL)
		return cli_usage("staff", "key needs --out and a house");
	status = house_folder_open(cli->house, &folder, &err);
	if (status == AZ_OK)
		status = key_file_new(&folder.file, KEY_STAFF, name, &file, public, &err);
	if (status == AZ_OK)
		status = key_file_write(out, &file, &err);
	key_file_fini(&file);
	house_folder_close(&folder);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	hex_encode(bytes_make(public, sizeof(public)), text);
	if (cli->json)
		print_json(json_pack("{s:s, s:s}", "key", out, "public", text));
	else
		(void)puts(text);
	return 0;
}

int
cmd_staff(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "key") == 0)
		return key(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_STAFF_LIST, &request, -1, "staff");
	if (argc == 3 && strcmp(argv[1], "end") == 0 &&
	    copy_argument(request.named.label, sizeof(request.named.label), argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_STAFF_END, &request, -1, NULL);
	return cli_usage("staff", "add, list, end or key");
}
