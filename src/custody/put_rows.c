/*
 * Searching a file as a list, whatever its columns: people are known by name and birth, or name and place, where neither telephone
 * nor mail is. The same intake reads it that reads lists that are traced; what is no list to it has no rows.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "custody/putting_internal.h"
#include "custody/reading.h"
#include "trace/shelf.h"
#include "trace/trace.h"

/* Kinds of which one alone says that it is a person of the house. */
#define KINDS                                                                                      \
	(1u << MATCH_PHONE | 1u << MATCH_EMAIL | 1u << MATCH_NAME_BIRTH | 1u << MATCH_NAME_PLACE | \
	    1u << MATCH_KANA_BIRTH)

struct feeding {
	struct put_search *search;
	enum az_status status;
	struct az_err err;
};

static bool
is_over(const void *arg)
{
	const struct put_search *search = arg;

	return atomic_load(&search->is_over);
}

static void *
feed(void *arg)
{
	struct feeding *feeding = arg;
	struct put_search *search = feeding->search;
	struct reading_end end = {.is_over = is_over, .arg = search};
	uint8_t digest[SHA256_SIZE];

	proc_give_way();
	feeding->status = reading_feed(&end, search->fd, search->pipe_fd,
	    search->custody->intake_identity, digest, &feeding->err);
	/* The end of the pipe is the end of the file. */
	fd_close(&search->pipe_fd);
	return NULL;
}

/* What a row may be found by, made of its values: intake sends no match keys with a list that is searched for. */
static enum az_status
take_row(struct put_search *search, const struct row *values, struct az_err *reterr)
{
	AZ_UNCLEARED struct match_key keys[MATCH_KEYS_MAX];
	bool bad_birth = false;
	size_t count = match_row(values, keys, &bad_birth);
	enum az_status status = AZ_OK;

	for (size_t k = 0; k < count && status == AZ_OK; k++) {
		if ((KINDS & 1u << keys[k].kind) != 0)
			status = put_search_add(
			    search, keys[k].kind, bytes_make(keys[k].key, keys[k].size), reterr);
	}
	az_wipe(keys, count * sizeof(*keys));
	return status;
}

static enum az_status
take_rows(struct put_search *search, struct bytes frame, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	uint32_t taken = 0;
	enum az_status status = AZ_OK;

	wire_reader_init(&reader, frame);
	count = wire_get_count(&reader, INTAKE_ROWS_MAX, 10);
	for (uint32_t i = 0; i < count && !reader.failed && status == AZ_OK; i++) {
		AZ_UNCLEARED struct intake_row row;
		AZ_UNCLEARED struct row values;

		intake_row_get(&reader, &row);
		if (reader.failed || row.key_count > 0 || row_decode(row.encoded, &values) != AZ_OK)
			break;
		status = take_row(search, &values, reterr);
		taken++;
	}
	if (status == AZ_OK && taken < count)
		return az_fail(reterr, AZ_FORGED, "put: intake said what cannot be");
	if (status == AZ_OK && !wire_end(&reader))
		status = az_fail(reterr, AZ_FORGED, "put: intake said what cannot be");
	return status;
}

/* To the end of what intake says. *ret_is_list: it was one. */
static enum az_status
take_frames(struct put_search *search, bool *ret_is_list, struct az_err *reterr)
{
	struct reading_end end = {.is_over = is_over, .arg = search};
	enum az_status status = AZ_OK;

	*ret_is_list = true;
	while (status == AZ_OK) {
		struct frame frame;

		status = reading_receive(&end, &search->intake, &frame, reterr);
		if (status != AZ_OK)
			break;
		switch (frame.type) {
		case INTAKE_COLUMNS:
		case INTAKE_REFUSED: break;
		case INTAKE_ROWS: status = take_rows(search, frame.body, reterr); break;
		case INTAKE_DONE: return AZ_OK;
		case INTAKE_ERROR:
			status = reading_failed(frame.body, reterr);
			*ret_is_list = status != AZ_INVALID;
			return *ret_is_list ? status : AZ_OK;
		default: status = az_fail(reterr, AZ_FORGED, "put: intake said what cannot be");
		}
	}
	return status;
}

enum az_status
put_search_rows(struct put_search *search, struct az_err *reterr)
{
	struct intake_start start = {.allows = CLASSES_TO_ALLOW, .mode = INTAKE_TRACES};
	struct feeding feeding = {.search = search};
	pthread_t feeder;
	bool is_list = false;
	enum az_status status;

	if (lseek(search->fd, 0, SEEK_SET) != 0)
		return az_fail(reterr, AZ_IO, "put: the file cannot be read again");
	status = reading_start(&search->intake, &start, reterr);
	if (status != AZ_OK)
		return status;
	if (pthread_create(&feeder, NULL, feed, &feeding) != 0)
		return az_fail(reterr, AZ_NO_MEMORY, "put: no thread can be started");
	status = take_frames(search, &is_list, reterr);
	/* An intake that has said its last word may leave some of the file in the pipe: nobody reads it any more. */
	atomic_store(&search->is_over, true);
	(void)pthread_join(feeder, NULL);
	/* Of a list all must have been fed. */
	if (status == AZ_OK && is_list && feeding.status != AZ_OK)
		status = az_fail(reterr, feeding.status, "%s", feeding.err.text);
	return status;
}
