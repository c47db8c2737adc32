/*
 * azukari invite, and azukari staff enrol, with which an invitation is taken up.
 *
 * The code is made here and shown to who invites; the keeper, and whoever approves the invitation, know its hash only.
 */
#include "cli/invite.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/values.h"
#include "crypto/hash.h"

#define INVITE_DAYS 7u

static int
tell_code(const struct cli *cli, const struct front_answer *answer, const char *code)
{
	json_t *tree = print_json_of(buffer_peek(&answer->tree));

	if (answer->status != AZ_OK || tree == NULL) {
		json_decref(tree);
		return print_answer(cli, answer, NULL);
	}
	(void)json_object_set_new(tree, "code", json_string(code));
	if (cli->json) {
		print_json(tree);
		return 0;
	}
	print_object(tree);
	json_decref(tree);
	return 0;
}

int
cmd_invite(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
	    STAFF_OPTIONS, {"days", required_argument, NULL, 'D'}, {0}};
	union front_request request = {
	    .invite = {.staff = {.from = AZ_DATE_NONE, .until = AZ_DATE_NONE},
		.seconds = INVITE_DAYS * 86400u}};
	struct front_invite *invite = &request.invite;
	uint8_t code[FRONT_INVITE_CODE];
	char text[2 * FRONT_INVITE_CODE + 1];
	struct front_answer answer;
	const char *problem;
	bool good = true;
	int option;
	int exit_code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'D') {
			size_t size = strspn(optarg, "0123456789");

			good &= size > 0 && size < 3 && optarg[size] == '\0';
			invite->seconds = 0;
			for (size_t i = 0; i < size && size < 3; i++)
				invite->seconds =
				    10 * invite->seconds + (uint32_t)(optarg[i] - '0') * 86400u;
			good &= invite->seconds != 0 && invite->seconds <= FRONT_INVITE_MAX_S;
		} else if (!staff_option(option, optarg, &invite->staff, &good)) {
			return cli_usage("invite", NULL);
		}
	}
	problem = staff_problem(&invite->staff, optind + 1 == argc ? argv[optind] : "", good);
	if (problem != NULL)
		return cli_usage("invite", problem);
	random_bytes(code, sizeof(code));
	sha256(bytes_make(code, sizeof(code)), invite->code_hash);
	hex_encode(bytes_make(code, sizeof(code)), text);
	front_answer_init(&answer);
	exit_code = ask(cli, FRONT_INVITE, &request, -1, &answer);
	if (exit_code == 0)
		exit_code = tell_code(cli, &answer, text);
	front_answer_fini(&answer);
	az_wipe(code, sizeof(code));
	az_wipe(text, sizeof(text));
	return exit_code;
}

/* --- taking it up ----------------------------------------------------------------------------- */

static enum az_status
make_key(const struct cli *cli, const char *out, const char *name, struct az_err *reterr)
{
	struct house_folder folder = {.dirfd = -1};
	struct key_file file = {0};
	uint8_t public[SIGN_PUBLIC_SIZE];
	enum az_status status = house_folder_open(cli->house, &folder, reterr);

	if (status == AZ_OK)
		status = key_file_new(&folder.file, KEY_STAFF, name, &file, public, reterr);
	if (status == AZ_OK)
		status = key_file_write(out, &file, reterr);
	key_file_fini(&file);
	house_folder_close(&folder);
	return status;
}

/* Reads the code: 32 hexadecimal digits. */
static bool
read_code(const char *spec, uint8_t code[FRONT_INVITE_CODE], bool *in_argument)
{
	char text[2 * FRONT_INVITE_CODE + 2];
	bool good = value_read("code", spec, text, sizeof(text) - 1, in_argument) &&
	    strlen(text) == 2u * FRONT_INVITE_CODE && hex_decode(text, code, FRONT_INVITE_CODE);

	az_wipe(text, sizeof(text));
	return good;
}

int
staff_enrol(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"out", required_argument, NULL, 'o'},
	    {"name", required_argument, NULL, 'n'}, {"code", required_argument, NULL, 'c'}, {0}};
	struct cli with_key = *cli;
	struct front_answer answer;
	uint8_t code[FRONT_INVITE_CODE];
	const char *spec = NULL;
	const char *name = "staff";
	bool in_argument = false;
	bool asked = false;
	struct az_err err = {0};
	enum az_status status;
	int exit_code = 0;
	int option;

	with_key.key = NULL;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			with_key.key = optarg;
		else if (option == 'n')
			name = optarg;
		else if (option == 'c')
			spec = optarg;
		else
			return cli_usage("staff", NULL);
	}
	if (optind != argc || with_key.key == NULL || cli->house == NULL || cli->asking != NULL)
		return cli_usage("staff", "enrol needs --out and a house");
	if (!read_code(spec, code, &in_argument))
		return cli_usage("staff", "the code of an invitation has 32 hexadecimal digits");
	if (in_argument)
		exit_code = value_check_argument(cli, "enrol");
	if (exit_code != 0)
		return exit_code;
	front_answer_init(&answer);
	/* The key first: an invitation that was taken up for a key that was lost is of no use to anybody. */
	status = make_key(cli, with_key.key, name, &err);
	if (status == AZ_OK) {
		status = front_enrol(&with_key, code, &asked, &answer, &err);
		if (!asked || (status == AZ_OK && answer.status != AZ_OK))
			(void)unlink(with_key.key);
	}
	if (status == AZ_OK)
		exit_code = print_answer(cli, &answer, NULL);
	front_answer_fini(&answer);
	az_wipe(code, sizeof(code));
	return status == AZ_OK ? exit_code : print_error(cli, status, err.text, NULL);
}
