/*
 * azukari ledger cosign: shows the checkpoint of an exported log to a witness, and keeps what it answers.
 *
 *	DIR/checkpoint, proof out of DIR/tile ─► witness ─► its line ─► DIR/cosigned
 *
 * The keeper has no network, and is not needed: the export is as good as it was signed. The proof is from what the witness
 * cosigned last, as DIR/cosigned says, or as the witness itself says. Its answer is believed only with its signature.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/ask.h"
#include "cli/cosign.h"
#include "ledger/evidence.h"

#define TIMEOUT_S 30
#define BODY_MAX  (NOTE_MAX + 8192u)
#define SECOND_US INT64_C(1000000)
#define PATH_ROOM 1024u

enum {
	HTTP_COSIGNED = 200,
	HTTP_FORBIDDEN = 403,
	HTTP_UNKNOWN = 404,
	HTTP_CONFLICT = 409,
	HTTP_UNPROVEN = 422
};

/* The log that is shown. */
struct shown {
	int dirfd;
	struct note_key key, witness;
	struct buffer note;
	struct checkpoint checkpoint;
};

struct exchange {
	struct event_base *base;
	int code; /* 0: no answer */
	struct buffer reply;
};

/* --- HTTP ------------------------------------------------------------------------------------- */

static void
on_answer(struct evhttp_request *request, void *arg)
{
	struct exchange *exchange = arg;
	struct evbuffer *input = request != NULL ? evhttp_request_get_input_buffer(request) : NULL;
	size_t size = input != NULL ? evbuffer_get_length(input) : 0;

	if (request != NULL)
		exchange->code = evhttp_request_get_response_code(request);
	if (size > 0 &&
	    buffer_append(&exchange->reply, bytes_make(evbuffer_pullup(input, -1), size)) != AZ_OK)
		exchange->code = 0;
	(void)event_base_loopbreak(exchange->base);
}

static enum az_status
send_request(struct exchange *exchange, struct evhttp_connection *connection, const char *path,
    const char *host, struct bytes body, struct az_err *reterr)
{
	struct evhttp_request *request = evhttp_request_new(on_answer, exchange);
	struct evkeyvalq *headers;

	if (request == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	headers = evhttp_request_get_output_headers(request);
	if (evhttp_add_header(headers, "Host", host) != 0 ||
	    evhttp_add_header(headers, "Connection", "close") != 0 ||
	    evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.size) != 0) {
		evhttp_request_free(request);
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	}
	/* The connection owns the request from here on, also when it fails. */
	if (evhttp_make_request(connection, request, EVHTTP_REQ_POST, path) != 0)
		return az_fail(reterr, AZ_IO, "witness: it cannot be asked");
	if (event_base_dispatch(exchange->base) < 0 || exchange->code == 0)
		return az_fail(reterr, AZ_IO, "witness: no answer");
	return AZ_OK;
}

/* POSTs body to URL/add-checkpoint. */
static enum az_status
post(const char *url, struct bytes body, struct exchange *exchange, struct az_err *reterr)
{
	struct evhttp_uri *uri = evhttp_uri_parse(url);
	const char *scheme = uri != NULL ? evhttp_uri_get_scheme(uri) : NULL;
	const char *host = uri != NULL ? evhttp_uri_get_host(uri) : NULL;
	struct evhttp_connection *connection = NULL;
	char path[PATH_ROOM];
	int port;
	enum az_status status;

	if (scheme == NULL || strcmp(scheme, "http") != 0 || host == NULL || host[0] == '\0') {
		if (uri != NULL)
			evhttp_uri_free(uri);
		return az_fail(reterr, AZ_INVALID, "witness: not a URL that begins with http://");
	}
	port = evhttp_uri_get_port(uri);
	(void)snprintf(path, sizeof(path), "%s%sadd-checkpoint", evhttp_uri_get_path(uri),
	    evhttp_uri_get_path(uri)[0] == '\0' ||
		    evhttp_uri_get_path(uri)[strlen(evhttp_uri_get_path(uri)) - 1] != '/'
		? "/"
		: "");
	exchange->base = event_base_new();
	if (exchange->base != NULL)
		connection = evhttp_connection_base_new(
		    exchange->base, NULL, host, (uint16_t)(port > 0 ? port : 80));
	if (connection != NULL) {
		evhttp_connection_set_timeout(connection, TIMEOUT_S);
		evhttp_connection_set_max_body_size(connection, (ev_ssize_t)NOTE_MAX);
		status = send_request(exchange, connection, path, host, body, reterr);
		evhttp_connection_free(connection);
	} else {
		status = az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	}
	if (exchange->base != NULL)
		event_base_free(exchange->base);
	evhttp_uri_free(uri);
	return status;
}

/* --- the log that is shown ---------------------------------------------------------------------- */

static enum az_status
read_key(int dirfd, const char *name, enum note_key_type type, struct note_key *ret_key,
    struct az_err *reterr)
{
	struct az_err err = {0};
	struct buffer text;
	enum az_status status;

	buffer_init(&text, NOTE_VKEY_MAX, false);
	status = file_read_whole(dirfd, name, &text, &err);
	if (status == AZ_OK)
		status = note_key_parse(buffer_peek(&text), ret_key, &err);
	buffer_fini(&text);
	if (status == AZ_OK && ret_key->type != type)
		status = az_fail(&err, AZ_INVALID, "not a key of that kind");
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s: %s", name, err.text);
}

static enum az_status
shown_open(struct shown *shown, const char *path, const char *witness, struct az_err *reterr)
{
	enum az_status status = dir_open(AT_FDCWD, path, false, 0, &shown->dirfd, reterr);

	if (status == AZ_OK)
		status = read_key(shown->dirfd, "vkey", NOTE_KEY_ED25519, &shown->key, reterr);
	if (status == AZ_OK)
		status = read_key(AT_FDCWD, witness, NOTE_KEY_COSIGNATURE, &shown->witness, reterr);
	if (status == AZ_OK)
		status = file_read_whole(shown->dirfd, "checkpoint", &shown->note, reterr);
	if (status == AZ_OK)
		status = checkpoint_open_signed(
		    buffer_peek(&shown->note), &shown->key, &shown->checkpoint, reterr);
	return status;
}

/* What this witness cosigned last, as far as the folder knows: 0 if it does not. */
static uint64_t
cosigned_size(const struct shown *shown)
{
	struct checkpoint checkpoint;
	struct buffer note;
	int64_t time_s;
	uint64_t size = 0;

	buffer_init(&note, NOTE_MAX, false);
	if (file_read_whole(shown->dirfd, "cosigned", &note, NULL) == AZ_OK &&
	    checkpoint_open_signed(buffer_peek(&note), &shown->key, &checkpoint, NULL) == AZ_OK &&
	    note_check(&checkpoint.note, &shown->witness, &time_s, NULL) == AZ_OK &&
	    checkpoint.size <= shown->checkpoint.size)
		size = checkpoint.size;
	buffer_fini(&note);
	return size;
}

/* --- asking ----------------------------------------------------------------------------------- */

static enum az_status
ask_witness(const struct shown *shown, const char *url, uint64_t old_size,
    struct exchange *exchange, struct az_err *reterr)
{
	struct published_log log = published_folder(&shown->dirfd);
	struct proof proof = {0};
	struct buffer body;
	char line[48];
	enum az_status status = AZ_OK;

	if (old_size > 0)
		status = published_consistency(
		    &log, shown->checkpoint.size, old_size, shown->checkpoint.size, &proof, reterr);
	if (status != AZ_OK)
		return status;
	buffer_init(&body, BODY_MAX, false);
	(void)snprintf(line, sizeof(line), "old %llu\n", (unsigned long long)old_size);
	status = buffer_append(&body, bytes_of(line));
	if (status == AZ_OK)
		status = proof_lines_write(&proof, &body);
	if (status == AZ_OK)
		status = buffer_append(&body, buffer_peek(&shown->note));
	buffer_clear(&exchange->reply);
	exchange->code = 0;
	if (status == AZ_OK)
		status = post(url, buffer_peek(&body), exchange, reterr);
	else
		(void)az_fail(reterr, status, "witness: the checkpoint is too long");
	buffer_fini(&body);
	return status;
}

/* The size that the witness has, out of its answer 409. */
static enum az_status
size_it_has(const struct shown *shown, const struct exchange *exchange, uint64_t asked,
    uint64_t *ret_size, struct az_err *reterr)
{
	struct bytes rest = buffer_peek(&exchange->reply);
	struct bytes line;

	if (!evidence_line(&rest, &line) || rest.size > 0 || !evidence_number(line, ret_size))
		return az_fail(reterr, AZ_CORRUPT, "witness: an answer that cannot be");
	if (*ret_size > shown->checkpoint.size)
		return az_fail(reterr, AZ_FORGED,
		    "the witness cosigned %llu entries of this log, and here are %llu: export it "
		    "again, "
		    "or entries are missing",
		    (unsigned long long)*ret_size, (unsigned long long)shown->checkpoint.size);
	if (*ret_size == asked)
		return az_fail(reterr, AZ_FORGED,
		    "the witness cosigned another history of %llu entries",
		    (unsigned long long)asked);
	return AZ_OK;
}

static enum az_status
refused(int code, struct az_err *reterr)
{
	if (code == HTTP_UNPROVEN)
		return az_fail(reterr, AZ_FORGED,
		    "the witness does not find this log to continue what it cosigned");
	if (code == HTTP_UNKNOWN || code == HTTP_FORBIDDEN)
		return az_fail(reterr, AZ_DENIED,
		    "the witness does not know this log, or its key (HTTP %d)", code);
	return az_fail(reterr, AZ_IO, "the witness refuses (HTTP %d)", code);
}

/* The checkpoint with the witness's lines behind it, once they are its. */
static enum az_status
keep(const struct shown *shown, struct bytes lines, int64_t *ret_time_s, struct az_err *reterr)
{
	struct checkpoint checkpoint;
	struct az_err err = {0};
	struct buffer note;
	enum az_status status;

	buffer_init(&note, NOTE_MAX, false);
	status = buffer_append(&note, buffer_peek(&shown->note));
	if (status == AZ_OK)
		status = buffer_append(&note, lines);
	if (status == AZ_OK)
		status = checkpoint_open_signed(buffer_peek(&note), &shown->key, &checkpoint, &err);
	if (status == AZ_OK)
		status = note_check(&checkpoint.note, &shown->witness, ret_time_s, &err);
	if (status == AZ_OK)
		status = file_replace(shown->dirfd, "cosigned", buffer_peek(&note), 0666, &err);
	else
		status = AZ_DENIED;
	buffer_fini(&note);
	return status == AZ_OK ? AZ_OK
			       : az_fail(reterr, status, "what the witness answered: %s", err.text);
}

static enum az_status
cosign(struct shown *shown, const char *url, int64_t *ret_time_s, struct az_err *reterr)
{
	struct exchange exchange = {0};
	uint64_t old_size = cosigned_size(shown);
	uint64_t has = 0;
	enum az_status status;

	buffer_init(&exchange.reply, NOTE_MAX, false);
	status = ask_witness(shown, url, old_size, &exchange, reterr);
	if (status == AZ_OK && exchange.code == HTTP_CONFLICT) {
		status = size_it_has(shown, &exchange, old_size, &has, reterr);
		if (status == AZ_OK)
			status = ask_witness(shown, url, has, &exchange, reterr);
		/* In between somebody may have shown it another one; once is enough. */
		if (status == AZ_OK && exchange.code == HTTP_CONFLICT)
			status = size_it_has(shown, &exchange, has, &has, reterr);
	}
	if (status == AZ_OK && exchange.code != HTTP_COSIGNED)
		status = refused(exchange.code, reterr);
	if (status == AZ_OK)
		status = keep(shown, buffer_peek(&exchange.reply), ret_time_s, reterr);
	buffer_fini(&exchange.reply);
	return status;
}

/* --- the command ------------------------------------------------------------------------------ */

static int
print_cosigned(const struct cli *cli, const struct shown *shown, int64_t time_s)
{
	char when[48];
	json_t *object;

	if (cli->json)
		clock_format_utc(time_s * SECOND_US, when, sizeof(when));
	else
		clock_format_local(time_s * SECOND_US, when, sizeof(when));
	object = json_pack("{s:s, s:I, s:s, s:s}", "origin", shown->key.name, "size",
	    (json_int_t)shown->checkpoint.size, "witness", shown->witness.name, "cosigned", when);
	if (cli->json) {
		print_json(object);
	} else {
		print_object(object);
		json_decref(object);
	}
	return 0;
}

int
ledger_cosign(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"witness", required_argument, NULL, 'w'},
	    {"witness-vkey", required_argument, NULL, 'k'}, {0}};
	struct shown shown = {.dirfd = -1};
	const char *url = NULL;
	const char *key = NULL;
	struct az_err err = {0};
	int64_t time_s = 0;
	enum az_status status;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'w')
			url = optarg;
		else if (option == 'k')
			key = optarg;
		else
			return cli_usage("ledger", NULL);
	}
	if (url == NULL || key == NULL || optind + 1 != argc)
		return cli_usage(
		    "ledger", "cosign: --witness, --witness-vkey and the folder are needed");
	buffer_init(&shown.note, NOTE_MAX, false);
	status = shown_open(&shown, argv[optind], key, &err);
	if (status == AZ_OK)
		status = cosign(&shown, url, &time_s, &err);
	code = status == AZ_OK ? print_cosigned(cli, &shown, time_s)
			       : print_error(cli, status, err.text, NULL);
	buffer_fini(&shown.note);
	fd_close(&shown.dirfd);
	return code;
}
