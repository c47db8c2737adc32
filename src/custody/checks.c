/*
 * A record's wrong answers, the latest CHECKS_WRONG_MAX of them, by client and record.
 */
#include "custody/checks.h"

#include <assert.h>
#include <stdlib.h>

#define CHECKS_FORMAT 1u

struct wrong_answers {
	uint32_t client, record;
	unsigned int asked; /* not answered yet */
	unsigned int count; /* at most CHECKS_WRONG_MAX, the earliest first */
	int64_t times[CHECKS_WRONG_MAX];
};

static uint64_t
checks_id(uint32_t client, uint32_t record)
{
	return (uint64_t)client << 32 | record;
}

void
checks_free(struct custody *custody)
{
	for (size_t i = 0; i < custody->checks.room; i++)
		free(custody->checks.slots[i].value);
	id_map_fini(&custody->checks);
}

/* That of a record, made if there is none; NULL: out of memory. */
static struct wrong_answers *
answers_of(struct custody *custody, uint32_t client, uint32_t record)
{
	struct wrong_answers *answers = id_map_get(&custody->checks, checks_id(client, record));
	void *before = NULL;

	if (answers != NULL)
		return answers;
	answers = calloc(1, sizeof(*answers));
	if (answers == NULL)
		return NULL;
	answers->client = client;
	answers->record = record;
	if (id_map_put(&custody->checks, checks_id(client, record), answers, &before) != AZ_OK) {
		free(answers);
		return NULL;
	}
	assert(before == NULL);
	return answers;
}

/* Of the last hour. A time that is still to come, since the clock went back, counts. */
static unsigned int
recent(const struct wrong_answers *answers, int64_t now_us)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < answers->count; i++)
		count += now_us - answers->times[i] < CHECKS_WINDOW_US ? 1 : 0;
	return count;
}

unsigned int
checks_left(const struct custody *custody, uint32_t client, uint32_t record, int64_t now_us)
{
	const struct wrong_answers *answers =
	    id_map_get(&custody->checks, checks_id(client, record));
	unsigned int used = answers == NULL ? 0 : recent(answers, now_us) + answers->asked;

	return used < CHECKS_WRONG_MAX ? CHECKS_WRONG_MAX - used : 0;
}

enum az_status
checks_begin(struct custody *custody, uint32_t client, uint32_t record, int64_t now_us,
    struct az_err *reterr)
{
	struct wrong_answers *answers = answers_of(custody, client, record);

	if (answers == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "check: out of memory");
	if (checks_left(custody, client, record, now_us) == 0)
		return az_fail(reterr, AZ_LIMIT,
		    "check: %u wrong values in an hour are the most for one person",
		    CHECKS_WRONG_MAX);
	answers->asked++;
	return AZ_OK;
}

void
checks_end(struct custody *custody, uint32_t client, uint32_t record)
{
	struct wrong_answers *answers = id_map_get(&custody->checks, checks_id(client, record));

	assert(answers != NULL && answers->asked > 0);
	answers->asked--;
}

enum az_status
checks_put_wrong(struct custody *custody, struct payload *payload, uint32_t client, uint32_t record,
    int64_t now_us)
{
	struct wrong_answers *answers = answers_of(custody, client, record);
	struct wire_writer writer;
	struct buffer thing;

	if (answers == NULL)
		return AZ_NO_MEMORY;
	if (answers->count == CHECKS_WRONG_MAX) {
		for (unsigned int i = 1; i < CHECKS_WRONG_MAX; i++)
			answers->times[i - 1] = answers->times[i];
		answers->count--;
	}
	answers->times[answers->count++] = now_us;
	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, CHECKS_FORMAT);
	wire_put_u32(&writer, client);
	wire_put_u32(&writer, record);
	wire_put_u8(&writer, (uint8_t)answers->count);
	for (unsigned int i = 0; i < answers->count; i++)
		wire_put_i64(&writer, answers->times[i]);
	return payload_put_thing(
	    payload, THING_CHECKS, checks_id(client, record), writer.status, &thing);
}

enum az_status
checks_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct wrong_answers read = {0};
	struct wrong_answers *answers;
	struct wire_reader reader;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	read.client = wire_get_u32(&reader);
	read.record = wire_get_u32(&reader);
	read.count = wire_get_u8(&reader);
	for (unsigned int i = 0; i < read.count && i < CHECKS_WRONG_MAX; i++)
		read.times[i] = wire_get_i64(&reader);
	if (format != CHECKS_FORMAT || !wire_end(&reader) || read.client == 0 || read.record == 0 ||
	    read.count == 0 || read.count > CHECKS_WRONG_MAX)
		return az_fail(reterr, AZ_CORRUPT, "checks: they cannot be read");
	answers = answers_of(custody, read.client, read.record);
	if (answers == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "checks: out of memory");
	read.asked = answers->asked;
	*answers = read;
	return AZ_OK;
}
