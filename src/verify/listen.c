/*
 * azukari-verify witness: the witness over HTTP, as C2SP tlog-witness says.
 *
 *	POST /add-checkpoint  ─►  witness_add  ─►  200 and a signature line, or why not
 *
 * One thread: what is cosigned is decided, kept and signed before the next request is looked at, which is what makes
 * two requests at once harmless. Encryption and who may connect are a proxy's: everything that is said here is
 * signed, and nothing of it is secret.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "verify/commands.h"
#include "verify/witness.h"

#define HEADERS_MAX 8192
#define TIMEOUT_S   10
#define HOST_MAX    256u
#define SECOND_US   INT64_C(1000000)

struct server {
	struct event_base *base;
	struct evhttp *http;
	struct event *stop[2];
	struct witness *witness;
	unsigned int port;
};

static const char *
reason_of(enum witness_answer answer)
{
	switch (answer) {
	case WITNESS_COSIGNED: return "OK";
	case WITNESS_MALFORMED: return "Bad Request";
	case WITNESS_BAD_SIGNATURE: return "Forbidden";
	case WITNESS_UNKNOWN_LOG: return "Not Found";
	case WITNESS_CONFLICT: return "Conflict";
	case WITNESS_UNPROVEN: return "Unprocessable Entity";
	case WITNESS_BROKEN:
	default: return "Internal Server Error";
	}
}

/* One line for whoever runs it; no byte of what a stranger sent. */
static void
say_answer(enum witness_answer answer, const struct az_err *err)
{
	char when[48];

	clock_format_utc(clock_now_us(), when, sizeof(when));
	(void)printf("%s %u %s\n", when, (unsigned int)answer,
	    answer == WITNESS_COSIGNED ? "cosigned" : err->text);
	(void)fflush(stdout);
}

static void
answer_add(struct server *server, struct evhttp_request *request)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	struct evbuffer *output = evbuffer_new();
	size_t size = evbuffer_get_length(input);
	struct az_err err = {0};
	struct buffer reply;
	enum witness_answer answer = WITNESS_MALFORMED;

	buffer_init(&reply, NOTE_MAX, false);
	if (size > 0 && size <= WITNESS_BODY_MAX)
		answer = witness_add(server->witness, bytes_make(evbuffer_pullup(input, -1), size),
		    clock_now_us() / SECOND_US, &reply, &err);
	say_answer(answer, &err);
	if (output == NULL || (reply.size > 0 && evbuffer_add(output, reply.data, reply.size) != 0))
		answer = WITNESS_BROKEN;
	(void)evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
	    answer == WITNESS_CONFLICT ? "text/x.tlog.size" : "text/plain; charset=utf-8");
	evhttp_send_reply(
	    request, (int)answer, reason_of(answer), answer == WITNESS_BROKEN ? NULL : output);
	if (output != NULL)
		evbuffer_free(output);
	buffer_fini(&reply);
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;

	if (path == NULL || strcmp(path, "/add-checkpoint") != 0)
		evhttp_send_reply(request, HTTP_NOTFOUND, "Not Found", NULL);
	else if (evhttp_request_get_command(request) != EVHTTP_REQ_POST)
		evhttp_send_reply(request, HTTP_BADMETHOD, "Method Not Allowed", NULL);
	else
		answer_add(arg, request);
}

static void
on_stop(evutil_socket_t signal_number, short what, void *arg)
{
	struct server *server = arg;

	(void)signal_number;
	(void)what;
	(void)event_base_loopbreak(server->base);
}

static void
server_fini(struct server *server)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(server->stop); i++) {
		if (server->stop[i] != NULL)
			event_free(server->stop[i]);
	}
	if (server->http != NULL)
		evhttp_free(server->http);
	if (server->base != NULL)
		event_base_free(server->base);
	witness_free(&server->witness);
}

/* "ADDRESS:PORT", the address of IPv6 in brackets. */
static enum az_status
parse_listen(const char *text, char host[HOST_MAX], uint16_t *ret_port, struct az_err *reterr)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : 0;
	uint64_t port = 0;

	if (size == 0 || size >= HOST_MAX || !evidence_number(bytes_of(colon + 1), &port) ||
	    port > UINT16_MAX)
		return az_fail(reterr, AZ_INVALID, "%s: not ADDRESS:PORT", text);
	if (text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	memcpy(host, text, size);
	host[size] = '\0';
	*ret_port = (uint16_t)port;
	return AZ_OK;
}

/* The port that was taken, if 0 was asked for. */
static unsigned int
port_of(struct evhttp_bound_socket *bound)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr base;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(evhttp_bound_socket_get_fd(bound), &address.base, &size) != 0)
		return 0;
	return ntohs(
	    address.base.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

static enum az_status
server_start(struct server *server, const char *listen, struct az_err *reterr)
{
	static const int signals[] = {SIGTERM, SIGINT};
	struct evhttp_bound_socket *bound;
	char host[HOST_MAX];
	uint16_t port = 0;
	enum az_status status = parse_listen(listen, host, &port, reterr);

	if (status != AZ_OK)
		return status;
	server->base = event_base_new();
	server->http = server->base != NULL ? evhttp_new(server->base) : NULL;
	if (server->http == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	evhttp_set_max_headers_size(server->http, HEADERS_MAX);
	evhttp_set_max_body_size(server->http, WITNESS_BODY_MAX);
	evhttp_set_timeout(server->http, TIMEOUT_S);
	evhttp_set_gencb(server->http, on_request, server);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(signals); i++) {
		server->stop[i] = evsignal_new(server->base, signals[i], on_stop, server);
		if (server->stop[i] == NULL || event_add(server->stop[i], NULL) != 0)
			return az_fail(reterr, AZ_NO_MEMORY, "witness: out of memory");
	}
	bound = evhttp_bind_socket_with_handle(server->http, host, port);
	if (bound == NULL)
		return az_fail_errno(reterr, AZ_IO, errno, "listen on %s", listen);
	server->port = port_of(bound);
	return AZ_OK;
}

static void
say_listening(const struct server *server)
{
	(void)printf("listening on port %u for %zu logs\n", server->port,
	    witness_log_count(server->witness));
	(void)fflush(stdout);
}

/* From here on it answers strangers: all it may still do is replace a state and answer. */
static enum az_status
shut_in(const struct server *server, struct az_err *reterr)
{
	int folder = witness_state_dirfd(server->witness);
	struct sandbox sandbox = {
	    .profile = SANDBOX_WITNESS, .writable_dirs = &folder, .writable_count = 1};

	return sandbox_enter(&sandbox, reterr);
}

static enum az_status
serve(int dirfd, const char *listen, struct az_err *reterr)
{
	struct server server = {0};
	enum az_status status = witness_open(dirfd, &server.witness, reterr);

	(void)signal(SIGPIPE, SIG_IGN);
	if (status == AZ_OK)
		status = server_start(&server, listen, reterr);
	if (status == AZ_OK)
		status = shut_in(&server, reterr);
	if (status == AZ_OK)
		say_listening(&server);
	if (status == AZ_OK && event_base_dispatch(server.base) < 0)
		status = az_fail(reterr, AZ_IO, "witness: waiting failed");
	server_fini(&server);
	return status;
}

int
verify_witness(const struct verify_options *options)
{
	const char *path = options->arguments[0];
	struct az_err err = {0};
	struct buffer vkey;
	int dirfd = -1;
	enum az_status status = dir_open(AT_FDCWD, path, options->init != NULL, 0755, &dirfd, &err);

	buffer_init(&vkey, NOTE_VKEY_MAX, false);
	if (status == AZ_OK && options->init != NULL) {
		status = witness_create(dirfd, options->init, &vkey, &err);
		if (status == AZ_OK && vkey.size > 0 && !options->json)
			(void)fwrite(vkey.data, 1, vkey.size, stdout);
	} else if (status == AZ_OK) {
		status = serve(dirfd, options->listen, &err);
	}
	fd_close(&dirfd);
	if (status == AZ_OK && options->init != NULL && options->json)
		(void)say_good(options,
		    json_pack("{s:s%}", "vkey", vkey.data, vkey.size > 0 ? vkey.size - 1 : 0));
	buffer_fini(&vkey);
	return status == AZ_OK ? 0 : say_bad(options, status, &err);
}
