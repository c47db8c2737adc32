/* azukari staff add, list, until, end, rekey, key */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/invite.h"

static bool
read_public(const char *text, uint8_t key[SIGN_PUBLIC_SIZE])
{
	return strlen(text) == 2u * SIGN_PUBLIC_SIZE && hex_decode(text, key, SIGN_PUBLIC_SIZE);
}

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

bool
staff_option(int option, const char *argument, struct front_staff_add *staff, bool *ret_good)
{
	enum role role = ROLE_NONE;

	switch (option) {
	case 'r':
		*ret_good &= role_parse(argument, &role);
		staff->role = (uint8_t)role;
		return true;
	case 'n':
		*ret_good &= copy_argument(staff->name, sizeof(staff->name), argument);
		return true;
	case 'e':
		*ret_good &= copy_argument(staff->employer, sizeof(staff->employer), argument);
		return true;
	case 'a':
		*ret_good &= copy_argument(staff->agency, sizeof(staff->agency), argument);
		return true;
	case 't':
		*ret_good &= argument[0] >= '0' && argument[0] <= '9' && argument[1] == '\0';
		staff->tier = (uint8_t)(argument[0] - '0');
		return true;
	case 'f': *ret_good &= date_parse(argument, &staff->from); return true;
	case 'u': *ret_good &= date_parse(argument, &staff->until); return true;
	default: return false;
	}
}

const char *
staff_problem(struct front_staff_add *staff, const char *label, bool good)
{
	if (!copy_argument(staff->label, sizeof(staff->label), label) ||
	    !label_is_valid(staff->label))
		return "one label is needed: letters, digits, - _ .";
	if (!good || staff->role == ROLE_NONE)
		return "--role needs a role, --name a valid name, --tier a digit, --from and "
		       "--until dates";
	return NULL;
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {STAFF_OPTIONS,
	    {"key-out", required_argument, NULL, 'k'}, {"public", required_argument, NULL, 'p'},
	    {0}};
	union front_request request = {.staff_add = {.from = AZ_DATE_NONE, .until = AZ_DATE_NONE}};
	struct front_staff_add *staff = &request.staff_add;
	const char *key_out = NULL;
	const char *public = NULL;
	const char *problem;
	bool good = true;
	int option;
	int code = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'k')
			key_out = optarg;
		else if (option == 'p')
		public = optarg;
		else if (!staff_option(option, optarg, staff, &good)) return cli_usage(
		    "staff", NULL);
	}
	problem = staff_problem(staff, optind + 1 == argc ? argv[optind] : "", good);
	if (problem != NULL)
		return cli_usage("staff", problem);
	if ((key_out == NULL) == (public == NULL))
		return cli_usage("staff", "one of --key-out and --public is needed");
	if (public != NULL && !read_public(public, staff->key))
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

static int
rekey(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"public", required_argument, NULL, 'p'}, {0}};
	union front_request request = {0};
	struct front_rekey *rekey = &request.rekey;
	bool good = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'p')
			return cli_usage("staff", NULL);
		good = read_public(optarg, rekey->key);
	}
	if (optind + 1 != argc ||
	    !copy_argument(rekey->label, sizeof(rekey->label), argv[optind]) ||
	    !label_is_valid(rekey->label) || !good)
		return cli_usage(
		    "staff", "rekey needs a label and --public with 64 hexadecimal digits");
	return ask_and_print(cli, FRONT_REKEY, &request, -1, NULL);
}

/* "until LABEL DAY", or "-" for no last day. */
static int
until(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_until *until = &request.until;

	until->day = AZ_DATE_NONE;
	if (argc != 3 || !copy_argument(until->label, sizeof(until->label), argv[1]) ||
	    !label_is_valid(until->label) ||
	    (strcmp(argv[2], "-") != 0 && !date_parse(argv[2], &until->day)))
		return cli_usage(
		    "staff", "until needs a label and a date: YYYY-MM-DD, or - for none");
	return ask_and_print(cli, FRONT_UNTIL, &request, -1, NULL);
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
	if (argc >= 2 && strcmp(argv[1], "enrol") == 0)
		return staff_enrol(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "rekey") == 0)
		return rekey(cli, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "until") == 0)
		return until(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_STAFF_LIST, &request, -1, "staff");
	if (argc == 3 && strcmp(argv[1], "end") == 0 &&
	    copy_argument(request.named.label, sizeof(request.named.label), argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_STAFF_END, &request, -1, NULL);
	return cli_usage("staff", "add, list, until, end, rekey, key or enrol");
}
