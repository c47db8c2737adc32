/* azukari receipt; and the receipt that entrust asks for */
#include "cli/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* What people read of it; the rest is for programs. */
static const char *const shown[] = {"house", "client", "client_name", "purpose", "consignment",
    "as_of", "entrusted", "rows", "accepted", "refused", "new_records", "new_versions", "unchanged",
    "impossible_births", "sha256", "root", "index"};

char *
receipt_ask(const struct cli *cli, uint64_t consignment, int *ret_code)
{
	union front_request request = {.receipt.consignment = consignment};
	struct front_answer answer;
	char *document = NULL;
	json_t *tree = NULL;

	front_answer_init(&answer);
	*ret_code = ask(cli, FRONT_RECEIPT, &request, -1, &answer);
	if (*ret_code == 0 && answer.status != AZ_OK)
		*ret_code = print_answer(cli, &answer, NULL);
	else if (*ret_code == 0)
		tree = print_json_of(buffer_peek(&answer.tree));
	if (tree != NULL && json_is_string(json_object_get(tree, "document")))
		document = strdup(json_string_value(json_object_get(tree, "document")));
	if (*ret_code == 0 && document == NULL)
		*ret_code =
		    print_error(cli, AZ_FORGED, "the keeper sent an answer that cannot be", NULL);
	json_decref(tree);
	front_answer_fini(&answer);
	return document;
}

int
receipt_write(const struct cli *cli, const char *path, const char *document)
{
	struct az_err err = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	enum az_status status = AZ_OK;

	if (fd < 0)
		status = az_fail_errno(&err, AZ_IO, errno, "%s", path);
	else
		status = file_write_at(fd, bytes_of(document), 0, &err);
	if (status == AZ_OK && fsync(fd) != 0)
		status = az_fail_errno(&err, AZ_IO, errno, "%s", path);
	if (fd >= 0)
		(void)close(fd);
	return status == AZ_OK ? 0 : print_error(cli, status, err.text, NULL);
}

static int
print_receipt(const struct cli *cli, const char *document)
{
	json_t *tree = json_loads(document, JSON_REJECT_DUPLICATES, NULL);
	json_t *told = json_object();

	if (tree == NULL || told == NULL) {
		json_decref(tree);
		json_decref(told);
		return print_error(cli, AZ_FORGED, "the receipt is not in its format", NULL);
	}
	for (size_t i = 0; i < AZ_ARRAY_SIZE(shown); i++)
		(void)json_object_set(told, shown[i], json_object_get(tree, shown[i]));
	if (json_is_true(json_object_get(tree, "unsealed")))
		(void)puts("UNSEALED HOUSE: for demonstrations and tests only");
	print_object(told);
	(void)puts("signed by the house; azukari --json receipt gives the document to keep");
	json_decref(told);
	json_decref(tree);
	return 0;
}

int
cmd_receipt(const struct cli *cli, int argc, char **argv)
{
	unsigned long long consignment;
	char *rest = NULL;
	char *document;
	int code = 0;

	if (argc != 2)
		return cli_usage("receipt", "one consignment is needed");
	consignment = strtoull(argv[1], &rest, 10);
	if (rest == argv[1] || *rest != '\0' || argv[1][0] == '-' || consignment == 0)
		return cli_usage("receipt", "a consignment is a number");
	document = receipt_ask(cli, consignment, &code);
	if (document == NULL)
		return code;
	/* The exact bytes: the signature is over them. */
	if (cli->json)
		(void)fputs(document, stdout);
	else
		code = print_receipt(cli, document);
	free(document);
	return code;
}
