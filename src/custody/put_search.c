/*
 * Searching a file for what the house has: the scanner tells what telephones and mails say, intake what people are in it if it is
 * a list (put_rows.c); their fingerprints are sorted, and the runs of all lists, which are sorted too, are read past them once.
 *
 * Both have parsed hostile bytes. They could keep something back, and so let a file pass; they learn nothing of the house.
 */
#include <stdlib.h>
#include <string.h>

#include "custody/putting_internal.h"
#include "proto/scan.h"
#include "trace/shelf.h"
#include "trace/trace.h"

#define UNPACKED_MAX  UINT64_C(268435456)
#define READ_TIME_US  (60 * AZ_US_PER_S)
#define WAIT_MS       70000 /* a scanner tells of progress twice a second, and ends in time */
#define TOKENS_MAX    ((size_t)1 << 22)
#define SCAN_NAME_MAX 1024u /* of a member */

struct put_token {
	uint64_t print;
	uint32_t kind;
	uint32_t found;
};

/* --- the lists -------------------------------------------------------------------------------- */

static enum az_status
add_list(struct put_search *search, struct consignment *consignment, struct az_err *reterr)
{
	static const uint8_t none[SHA256_SIZE];
	struct put_list *list = &search->lists[search->list_count];
	enum az_status status = keys_of(search->custody, consignment, reterr);

	if (status != AZ_OK)
		return status;
	/* Who withdraws people has no fingerprints of them, and needs none: their own list has. */
	if (bytes_equal(
		bytes_make(consignment->prints, SHA256_SIZE), bytes_make(none, sizeof(none)))) {
		search->lists_without += consignment->mode != LIST_WITHDRAW;
		return AZ_OK;
	}
	list->consignment = consignment->id;
	memcpy(list->sha256, consignment->prints, sizeof(list->sha256));
	search->list_count++;
	status = secret_new(KEY_SIZE, &list->prints, reterr);
	if (status == AZ_OK)
		memcpy(secret_data(list->prints), secret_peek(consignment->keys->prints).data,
		    KEY_SIZE);
	return status;
}

enum az_status
put_search_init(struct put_search *search, struct custody *custody, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	*search = (struct put_search){.custody = custody,
	    .fd = -1,
	    .pipe_fd = -1,
	    .scanner = {.fd = -1},
	    .intake = {.fd = -1}};
	buffer_init(&search->tokens, TOKENS_MAX * sizeof(struct put_token), true);
	search->lists = calloc(custody->consignment_count + 1, sizeof(*search->lists));
	if (search->lists == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "put: out of memory");
	for (size_t i = 0; i < custody->consignment_count && status == AZ_OK; i++) {
		struct consignment *consignment = custody->consignments[i];

		if (consignment != NULL && consignment->has_entry &&
		    consignment->destruction == DESTRUCTION_NONE)
			status = add_list(search, consignment, reterr);
	}
	return status;
}

void
put_search_fini(struct put_search *search)
{
	for (size_t i = 0; i < search->list_count; i++)
		secret_free(&search->lists[i].prints);
	free(search->lists);
	buffer_fini(&search->tokens);
	search->lists = NULL;
	search->list_count = 0;
}

enum az_status
put_search_add(
    struct put_search *search, enum match_kind kind, struct bytes key, struct az_err *reterr)
{
	struct put_token token = {
	    .kind = kind, .print = trace_print_number(search->custody->trace_keys, kind, key)};
	enum az_status status = buffer_append(&search->tokens, bytes_make(&token, sizeof(token)));

	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "put: there is too much in it");
}

/* --- what the scanner tells ------------------------------------------------------------------- */

static enum az_status
malformed(struct az_err *reterr)
{
	return az_fail(reterr, AZ_INVALID, "put: the scanner said what cannot be");
}

static enum az_status
add_token(struct put_search *search, uint8_t kind, struct bytes text, struct az_err *reterr)
{
	struct row row = {0};
	struct match_key key;
	enum az_status status;

	if (kind != SIFT_PHONE && kind != SIFT_EMAIL)
		return malformed(reterr);
	row.values[kind == SIFT_PHONE ? FIELD_PHONE : FIELD_EMAIL] = text;
	/* What is nobody's gives no key. */
	if (match_query(&row, &key, NULL) != AZ_OK)
		return AZ_OK;
	status = put_search_add(search, key.kind, bytes_make(key.key, key.size), reterr);
	az_wipe(&key, sizeof(key));
	return status;
}

static enum az_status
take_tokens(struct put_search *search, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	struct wire_reader tokens;
	char member[SCAN_NAME_MAX];
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, body);
	wire_get_text(&reader, member, sizeof(member));
	wire_reader_init(&tokens, wire_get_bytes(&reader, SCAN_BODY_MAX));
	if (!wire_end(&reader))
		return malformed(reterr);
	while (status == AZ_OK && tokens.rest.size > 0) {
		uint8_t kind = wire_get_u8(&tokens);
		struct bytes text = wire_take(&tokens, wire_get_u16(&tokens));

		if (tokens.failed || text.size > SIFT_VALUE_MAX)
			return malformed(reterr);
		status = add_token(search, kind, text, reterr);
	}
	return status;
}

static enum az_status
take_unread(struct put_search *search, struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	char member[SCAN_NAME_MAX];
	uint8_t reason;

	wire_reader_init(&reader, body);
	wire_get_text(&reader, member, sizeof(member));
	reason = wire_get_u8(&reader);
	if (!wire_end(&reader) || reason == 0)
		return malformed(reterr);
	if (search->unread == 0)
		search->unread = reason;
	return AZ_OK;
}

static enum az_status
send_read(struct put_search *search, struct az_err *reterr)
{
	struct scan_read read = {.bytes_max = UNPACKED_MAX,
	    .time_max_us = READ_TIME_US,
	    .flags = SCAN_FLAG_TOKENS | SCAN_FLAG_STRICT};
	struct wire_writer writer;
	struct buffer body;
	enum az_status status;

	buffer_init(&body, 64, false);
	wire_writer_init(&writer, &body);
	scan_read_put(&writer, &read);
	status = writer.status;
	if (status == AZ_OK)
		status = link_send_fd(
		    &search->scanner, SCAN_READ, 1, buffer_peek(&body), search->fd, reterr);
	buffer_fini(&body);
	return status;
}

static enum az_status
scan(struct put_search *search, struct az_err *reterr)
{
	enum az_status status = send_read(search, reterr);

	search->scanner.wait_ms = WAIT_MS;
	while (status == AZ_OK) {
		struct frame frame;

		status = link_receive(&search->scanner, &frame, reterr);
		if (status != AZ_OK)
			break;
		switch (frame.type) {
		case SCAN_TOKENS: status = take_tokens(search, frame.body, reterr); break;
		case SCAN_UNREAD: status = take_unread(search, frame.body, reterr); break;
		case SCAN_FOUND:
		case SCAN_PROGRESS: break;
		case SCAN_DONE: return AZ_OK;
		default: status = malformed(reterr);
		}
	}
	return az_fail(reterr, status == AZ_LIMIT ? AZ_LIMIT : AZ_INVALID,
	    "put: it could not be read to its end");
}

/* --- the runs --------------------------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct put_token *left = a;
	const struct put_token *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return left->print < right->print ? -1 : left->print > right->print;
}

/* Sorts them, each once; returns how many are left. */
static size_t
sort_tokens(struct put_search *search)
{
	struct put_token *tokens = (struct put_token *)(void *)search->tokens.data;
	size_t count = search->tokens.size / sizeof(*tokens);
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(tokens, count, sizeof(*tokens), compare);
	for (size_t i = 1; i < count; i++) {
		if (compare(&tokens[i], &tokens[kept]) != 0)
			tokens[++kept] = tokens[i];
	}
	return kept + 1;
}

struct matching {
	struct put_token *tokens;
	size_t count;
	uint64_t found;
};

/* The first token that is not before (kind, print). */
static size_t
first_from(const struct matching *matching, uint32_t kind, uint64_t print)
{
	struct put_token sought = {.kind = kind, .print = print};
	size_t low = 0;
	size_t high = matching->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&matching->tokens[middle], &sought) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Both are sorted: each token goes on where the one before it ended. */
static enum az_status
visit(void *arg, enum match_kind kind, const struct trace_print *prints, size_t count,
    struct az_err *reterr)
{
	struct matching *matching = arg;
	size_t at;

	if (count == 0)
		return AZ_OK;
	at = first_from(matching, kind, wire_load_u64be(prints[0].bytes));
	for (size_t i = 0; i < count && at < matching->count;) {
		struct put_token *token = &matching->tokens[at];
		uint64_t print = wire_load_u64be(prints[i].bytes);

		if (token->kind != (uint32_t)kind)
			break;
		if (token->print < print) {
			at++;
		} else if (token->print > print) {
			i++;
		} else {
			matching->found += token->found == 0;
			token->found = 1;
			at++;
		}
	}
	return AZ_OK;
}

static enum az_status
match(struct put_search *search, struct az_err *reterr)
{
	struct matching matching = {.tokens = (struct put_token *)(void *)search->tokens.data};
	enum az_status status = AZ_OK;

	matching.count = sort_tokens(search);
	for (size_t i = 0; i < search->list_count && status == AZ_OK && matching.count > 0; i++) {
		const struct put_list *list = &search->lists[i];

		status = trace_run_read(search->custody->trace_dirfd, search->custody->config.house,
		    list->consignment, list->prints, list->sha256, visit, &matching, reterr);
		if (status == AZ_NOT_FOUND)
			status = az_fail(reterr, AZ_FORGED,
			    "consignment %llu: its fingerprints are missing",
			    (unsigned long long)list->consignment);
	}
	search->found = matching.found;
	if (status == AZ_OK && matching.count > 0 && search->lists_without > 0)
		status = az_fail(reterr, AZ_INVALID,
		    "put: %zu lists have no fingerprints, so that nobody can tell",
		    search->lists_without);
	return status;
}

void
put_search_run(struct put_search *search)
{
	search->status = scan(search, &search->err);
	/* What nobody can read is refused in any case. */
	if (search->status == AZ_OK && search->unread == 0)
		search->status = put_search_rows(search, &search->err);
	if (search->status == AZ_OK)
		search->status = match(search, &search->err);
}
