/* azukari unlock */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/frame.h"
#include "cli/ask.h"
#include "cli/locked.h"
#include "proto/unlock.h"

/* Sends the passphrase and waits for what came of it. */
static enum az_status
give(int fd, const char *officer, const struct secret *passphrase, struct unlock_said *ret_said,
    struct az_err *reterr)
{
	struct unlock_give give = {.passphrase = secret_peek(passphrase)};
	struct buffer body;
	struct frame frame;
	struct link link;
	enum az_status status;

	(void)snprintf(give.label, sizeof(give.label), "%s", officer);
	buffer_init(&body, UNLOCK_BODY_MAX, true);
	link_init(&link, fd, LINK_BLOCKING, UNLOCK_BODY_MAX, 2 * UNLOCK_BODY_MAX, true);
	status = unlock_give_encode(&give, &body);
	if (status == AZ_OK)
		status = link_queue(&link, UNLOCK_GIVE, 0, buffer_peek(&body));
	if (status == AZ_OK)
		status = link_flush(&link, reterr);
	if (status == AZ_OK)
		status = link_receive(&link, &frame, reterr);
	if (status == AZ_OK &&
	    (frame.type != UNLOCK_SAID || unlock_said_decode(frame.body, ret_said) != AZ_OK))
		status = az_fail(reterr, AZ_FORGED, "unlock: the answer cannot be");
	buffer_fini(&body);
	link_fini(&link);
	return status;
}

static int
tell(const struct cli *cli, const struct unlock_said *said)
{
	if (said->status != AZ_OK)
		return print_error(cli, said->status, said->text, NULL);
	if (cli->json)
		print_json(json_pack("{s:i, s:i, s:b}", "given", (int)said->given, "needed",
		    (int)said->needed, "unlocked", said->given >= said->needed));
	else if (said->given >= said->needed)
		(void)puts("the house is unlocked");
	else
		(void)printf("%u of %u passphrases\n", said->given, said->needed);
	return 0;
}

int
cmd_unlock(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"officer", required_argument, NULL, 'o'},
	    {"passphrase", required_argument, NULL, 'p'}, {0}};
	struct house_folder folder = {.dirfd = -1};
	struct secret *passphrase = NULL;
	struct unlock_said said = {0};
	const char *officer = NULL;
	const char *spec = NULL;
	struct az_err err = {0};
	enum az_status status;
	int fd = -1;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			officer = optarg;
		else if (option == 'p')
			spec = optarg;
		else
			return cli_usage("unlock", NULL);
	}
	if (optind != argc || cli->house == NULL || officer == NULL || !label_is_valid(officer))
		return cli_usage("unlock", "a house and --officer are needed");
	if (spec != NULL && spec[0] != '@')
		return cli_usage("unlock", "--passphrase names a descriptor: @N");
	status = house_folder_open(cli->house, &folder, &err);
	if (status == AZ_OK)
		status = locked_connect(&folder, &fd, &err);
	if (status == AZ_OK)
		status = passphrase_read(officer, spec, false, &passphrase, &err);
	if (status == AZ_OK) {
		/* Whoever types takes longer than the other end waits. */
		fd_close(&fd);
		status = locked_connect(&folder, &fd, &err);
	}
	if (status == AZ_OK) {
		status = give(fd, officer, passphrase, &said, &err);
		fd = -1; /* the link's, which closed it */
	}
	fd_close(&fd);
	secret_free(&passphrase);
	house_folder_close(&folder);
	return status == AZ_OK ? tell(cli, &said) : print_error(cli, status, err.text, NULL);
}
