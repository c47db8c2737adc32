/* azukari client add, list, close, map, recipient */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
	    {"category", required_argument, NULL, 'c'}, {0}};
	union front_request request = {0};
	struct front_client_add *client = &request.client_add;
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			good &= copy_argument(client->name, sizeof(client->name), optarg);
		else if (option == 'c')
			good &= copy_argument(client->category, sizeof(client->category), optarg);
		else
			return cli_usage("client", NULL);
	}
	if (optind + 1 != argc ||
	    !copy_argument(client->label, sizeof(client->label), argv[optind]) ||
	    !label_is_valid(client->label))
		return cli_usage("client", "one label is needed: letters, digits, - _ .");
	if (!good || !name_is_valid(client->name))
		return cli_usage("client", "--name needs a valid name");
	return ask_and_print(cli, FRONT_CLIENT_ADD, &request, -1, NULL);
}

/* For people the bare recipient, as age -r takes it. */
static int
recipient(const struct cli *cli)
{
	union front_request request = {0};
	struct front_answer answer;
	json_t *tree = NULL;
	int code;

	front_answer_init(&answer);
	code = ask(cli, FRONT_RECIPIENT, &request, -1, &answer);
	if (code == 0 && !cli->json && answer.status == AZ_OK)
		tree = print_json_of(buffer_peek(&answer.tree));
	if (tree != NULL && json_is_string(json_object_get(tree, "recipient")))
		(void)puts(json_string_value(json_object_get(tree, "recipient")));
	else if (code == 0)
		code = print_answer(cli, &answer, NULL);
	json_decref(tree);
	front_answer_fini(&answer);
	return code;
}

/* Shows the client's map, or sets it: "none" takes it away. */
static int
map(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_map *map = &request.map;

	if ((argc != 2 && argc != 3) || !copy_argument(map->client, sizeof(map->client), argv[1]) ||
	    !label_is_valid(map->client))
		return cli_usage("client", "map needs a label, and the map to set one");
	if (argc == 2)
		return ask_and_print(cli, FRONT_MAP_SHOW, &request, -1, NULL);
	if (argv[2][0] == '\0' || !copy_argument(map->columns, sizeof(map->columns), argv[2]))
		return cli_usage("client", "the map is empty or too long");
	if (strcmp(map->columns, "none") == 0)
		map->columns[0] = '\0';
	return ask_and_print(cli, FRONT_MAP_SET, &request, -1, NULL);
}

int
cmd_client(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_CLIENT_LIST, &request, -1, "clients");
	if (argc == 3 && strcmp(argv[1], "close") == 0 &&
	    copy_argument(request.named.label, sizeof(request.named.label), argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_CLIENT_CLOSE, &request, -1, NULL);
	if (argc == 2 && strcmp(argv[1], "recipient") == 0)
		return recipient(cli);
	if (argc >= 2 && strcmp(argv[1], "map") == 0)
		return map(cli, argc - 1, argv + 1);
	return cli_usage("client", "add, list, close, map or recipient");
}
