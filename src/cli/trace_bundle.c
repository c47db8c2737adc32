/* azukari trace --bundle */
#include "cli/trace_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/print.h"

#define NAME_ROOM (LABEL_SIZE + 40u)

/* "house", or "client-LABEL". */
static void
log_name(const char *client, char name[NAME_ROOM])
{
	if (client[0] == '\0')
		(void)snprintf(name, NAME_ROOM, "house");
	else
		(void)snprintf(name, NAME_ROOM, "client-%s", client);
}

/* Asks for evidence, and puts one text of the answer into a file. */
static enum az_status
put_evidence(struct front *front, enum front_message type, const union front_request *request,
    const char *member, int dirfd, const char *name, struct az_err *reterr)
{
	struct front_answer answer;
	json_t *tree = NULL;
	const char *text = NULL;
	enum az_status status;

	front_answer_init(&answer);
	status = front_ask(front, type, request, -1, &answer, reterr);
	if (status == AZ_OK && answer.status != AZ_OK)
		status = az_fail(reterr, answer.status, "%s: %s", name, answer.text);
	if (status == AZ_OK) {
		tree = print_json_of(buffer_peek(&answer.tree));
		text = json_string_value(json_object_get(tree, member));
		status = text == NULL
		    ? az_fail(reterr, AZ_FORGED, "the keeper sent an answer that cannot be")
		    : file_replace(dirfd, name, bytes_of(text), 0666, reterr);
	}
	json_decref(tree);
	front_answer_fini(&answer);
	return status;
}

static enum az_status
put_entry(struct front *front, const json_t *entry, int dirfd, struct az_err *reterr)
{
	const char *client = json_string_value(json_object_get(entry, "client"));
	json_int_t index = json_integer_value(json_object_get(entry, "index"));
	union front_request proof = {0};
	union front_request checkpoint = {0};
	char log[NAME_ROOM];
	char name[2 * NAME_ROOM];
	enum az_status status;

	if (client == NULL)
		client = "";
	if (index < 0 || (client[0] != '\0' && !label_is_valid(client)))
		return az_fail(reterr, AZ_FORGED, "the keeper sent an answer that cannot be");
	log_name(client, log);
	proof.ledger_proof.index = (uint64_t)index;
	(void)snprintf(proof.ledger_proof.client, LABEL_SIZE, "%s", client);
	(void)snprintf(checkpoint.named.label, LABEL_SIZE, "%s", client);
	(void)snprintf(name, sizeof(name), "%s-%lld.proof", log, (long long)index);
	status = put_evidence(front, FRONT_LEDGER_PROOF, &proof, "proof", dirfd, name, reterr);
	(void)snprintf(name, sizeof(name), "%s.vkey", log);
	if (status == AZ_OK)
		status = put_evidence(
		    front, FRONT_LEDGER_CHECKPOINT, &checkpoint, "vkey", dirfd, name, reterr);
	return status;
}

enum az_status
trace_bundle_write(struct front *front, const char *path, const json_t *tree, struct az_err *reterr)
{
	const json_t *entries = json_object_get(tree, "entries");
	char *text = json_dumps(tree, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	int dirfd = -1;
	enum az_status status = AZ_OK;

	if (text == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "the bundle: out of memory");
	else if (mkdir(path, 0700) != 0)
		status = az_fail_errno(
		    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "the bundle %s", path);
	if (status == AZ_OK)
		status = dir_open(AT_FDCWD, path, false, 0, &dirfd, reterr);
	for (size_t i = 0; i < json_array_size(entries) && status == AZ_OK; i++)
		status = put_entry(front, json_array_get(entries, i), dirfd, reterr);
	/* The last: a bundle that has it is whole. */
	if (status == AZ_OK)
		status = file_replace(dirfd, "result.json", bytes_of(text), 0666, reterr);
	fd_close(&dirfd);
	free(text);
	return status;
}
