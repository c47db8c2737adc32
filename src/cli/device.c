/* azukari device add, list, retire, key */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"

/* device add, and device guard, which differ in whose key it is. */
static int
add(const struct cli *cli, enum front_message type, int argc, char **argv)
{
	static const struct option options[] = {{"public", required_argument, NULL, 'p'}, {0}};
	union front_request request = {0};
	struct front_device_add *device = &request.device_add;
	const char *public = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'p')
			return cli_usage("device", NULL);
		public = optarg;
	}
	if (optind + 1 != argc ||
	    !copy_argument(device->label, sizeof(device->label), argv[optind]) ||
	    !label_is_valid(device->label))
		return cli_usage("device", "one label is needed: letters, digits, - _ .");
	if (public == NULL || strlen(public) != 2 * sizeof(device->key) ||
	    !hex_decode(public, device->key, sizeof(device->key)))
		return cli_usage("device", "--public needs 64 hexadecimal digits");
	return ask_and_print(cli, type, &request, -1, NULL);
}

/* Where a front keeps what it knows of a house, or a file that AZUKARI_DEVICE will name. */
static enum az_status
write_key(const struct house_folder *folder, const char *out, const struct key_file *file,
    struct az_err *reterr)
{
	struct buffer encoded;
	int dirfd = -1;
	enum az_status status;

	if (out != NULL)
		return key_file_write(out, file, reterr);
	buffer_init(&encoded, 4096, true);
	status = house_state_open(folder->file.house, &dirfd, reterr);
	if (status == AZ_OK)
		status = key_file_encode(file, &encoded, reterr);
	if (status == AZ_OK)
		status = file_create(dirfd, "device.key", buffer_peek(&encoded), 0600, reterr);
	if (status == AZ_CONFLICT)
		(void)az_fail(reterr, AZ_CONFLICT, "this machine has a device key already");
	buffer_fini(&encoded);
	fd_close(&dirfd);
	return status;
}

/* This machine's key. */
static int
key(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"out", required_argument, NULL, 'o'}, {0}};
	struct house_folder folder = {.dirfd = -1};
	struct key_file file = {0};
	uint8_t public[SIGN_PUBLIC_SIZE];
	char text[2 * SIGN_PUBLIC_SIZE + 1];
	const char *out = NULL;
	struct az_err err = {0};
	enum az_status status;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'o')
			return cli_usage("device", NULL);
		out = optarg;
	}
	if (cli->asking != NULL)
		return cli_usage("ask", "a key is made, not asked");
	if (optind != argc || cli->house == NULL)
		return cli_usage("device", "key needs a house");
	status = house_folder_open(cli->house, &folder, &err);
	if (status == AZ_OK)
		status = key_file_new(&folder.file, KEY_DEVICE, "device", &file, public, &err);
	if (status == AZ_OK)
		status = write_key(&folder, out, &file, &err);
	key_file_fini(&file);
	house_folder_close(&folder);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	hex_encode(bytes_make(public, sizeof(public)), text);
	if (cli->json)
		print_json(json_pack("{s:s}", "public", text));
	else
		(void)puts(text);
	return 0;
}

int
cmd_device(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, FRONT_DEVICE_ADD, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "guard") == 0)
		return add(cli, FRONT_DEVICE_GUARD, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "key") == 0)
		return key(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_DEVICE_LIST, &request, -1, "devices");
	if (argc == 3 && strcmp(argv[1], "retire") == 0 &&
	    copy_argument(request.named.label, sizeof(request.named.label), argv[2]) &&
	    label_is_valid(request.named.label))
		return ask_and_print(cli, FRONT_DEVICE_RETIRE, &request, -1, NULL);
	return cli_usage("device", "add, guard, list, retire or key");
}
