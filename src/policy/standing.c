/*
 * Standing approvals: one signature over limits, used again and again within them (I7).
 *
 * A use that goes beyond any limit is refused whole; none is made smaller to fit. Time is taken so that a doubt is a refusal: a
 * clock behind the last use, or hours that cannot be told, allow nothing.
 */
#include <string.h>

#include "base/clock.h"
#include "base/wire.h"
#include "policy/policy_internal.h"

#define FORMAT 1u

static int64_t
end_us(const struct standing_approval *standing)
{
	/* The last day is a whole one. */
	return ((int64_t)standing->limits.until + 1) * AZ_US_PER_DAY;
}

/* Hours may go over midnight. */
static bool
is_open_at(const struct front_standing_add *limits, uint16_t minute)
{
	if (limits->opens == limits->closes)
		return true;
	if (limits->opens < limits->closes)
		return minute >= limits->opens && minute < limits->closes;
	return minute >= limits->opens || minute < limits->closes;
}

static enum az_status
check_schedule(
    const struct standing_approval *standing, const struct standing_use *use, struct az_err *reterr)
{
	int64_t every_us = (int64_t)standing->limits.every * AZ_US_PER_S;

	if (use->now_us >= end_us(standing))
		return az_fail(
		    reterr, AZ_DENIED, "standing approval %u: its last day is over", standing->id);
	if (use->now_us < standing->approved_us || use->now_us < standing->last_us)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: the clock is behind its last use", standing->id);
	if (standing->last_us != 0 && use->now_us - standing->last_us < every_us)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: its time has not come again", standing->id);
	if (use->minute >= 1440 || !is_open_at(&standing->limits, use->minute))
		return az_fail(
		    reterr, AZ_DENIED, "standing approval %u: not at this hour", standing->id);
	return AZ_OK;
}

enum az_status
policy_may_use(
    const struct standing_approval *standing, const struct standing_use *use, struct az_err *reterr)
{
	const struct front_standing_add *limits = &standing->limits;

	if (use->staff == 0 || use->staff != standing->asker)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: it is for who asked for it", standing->id);
	/* Where the clock stands still both have one time. */
	if (use->keyed_us >= standing->approved_us)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: who asked for it has got another key since",
		    standing->id);
	if (standing->ended_us != 0)
		return az_fail(
		    reterr, AZ_DENIED, "standing approval %u: it was ended", standing->id);
	if (use->generation != standing->generation)
		return az_fail(reterr, AZ_DENIED,
		    "standing approval %u: it is of before a declared loss", standing->id);
	if (use->recipient[0] != '\0' && strcmp(use->recipient, limits->recipient) != 0)
		return az_fail(
		    reterr, AZ_DENIED, "standing approval %u: not to that recipient", standing->id);
	if ((use->columns & ~limits->columns) != 0)
		return az_fail(reterr, AZ_DENIED, "standing approval %u: not with those columns",
		    standing->id);
	if (use->rows > limits->rows)
		return az_fail(reterr, AZ_DENIED, "standing approval %u: not more than %u rows",
		    standing->id, limits->rows);
	return check_schedule(standing, use, reterr);
}

int64_t
standing_next_us(const struct standing_approval *standing, int64_t now_us)
{
	int64_t next = standing->last_us == 0
	    ? standing->approved_us
	    : standing->last_us + (int64_t)standing->limits.every * AZ_US_PER_S;

	return next > now_us ? next : now_us;
}

uint64_t
standing_left(const struct standing_approval *standing, int64_t now_us)
{
	int64_t next = standing_next_us(standing, now_us);
	int64_t end = end_us(standing);

	if (standing->ended_us != 0 || next >= end)
		return 0;
	return 1 +
	    (uint64_t)(end - 1 - next) / ((uint64_t)standing->limits.every * (uint64_t)AZ_US_PER_S);
}

bool
standing_limits_equal(const struct front_standing_add *a, const struct front_standing_add *b)
{
	return strcmp(a->client, b->client) == 0 && strcmp(a->recipient, b->recipient) == 0 &&
	    a->columns == b->columns && a->rows == b->rows && a->every == b->every &&
	    a->opens == b->opens && a->closes == b->closes && a->until == b->until;
}

/* --- the stored form -------------------------------------------------------------------------- */

enum az_status
standing_encode(const struct standing_approval *standing, struct buffer *buffer)
{
	const struct front_standing_add *limits = &standing->limits;
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, standing->id);
	wire_put_u32(&writer, standing->request);
	wire_put_u32(&writer, standing->asker);
	wire_put_u32(&writer, standing->approver);
	wire_put_i64(&writer, standing->approved_us);
	wire_put_u32(&writer, standing->generation);
	wire_put_u32(&writer, standing->uses);
	wire_put_i64(&writer, standing->last_us);
	wire_put_u64(&writer, standing->next);
	wire_put_i64(&writer, standing->ended_us);
	wire_put_u32(&writer, standing->ended_by);
	wire_put_text(&writer, limits->client);
	wire_put_text(&writer, limits->recipient);
	wire_put_u32(&writer, limits->columns);
	wire_put_u32(&writer, limits->rows);
	wire_put_u32(&writer, limits->every);
	wire_put_u16(&writer, limits->opens);
	wire_put_u16(&writer, limits->closes);
	wire_put_u32(&writer, (uint32_t)limits->until);
	return writer.status;
}

static bool
is_valid(const struct standing_approval *standing)
{
	const struct front_standing_add *limits = &standing->limits;

	return standing->id != 0 && standing->id <= STANDINGS_MAX && standing->asker != 0 &&
	    standing->approver != 0 && standing->generation != 0 && standing->approved_us > 0 &&
	    standing->last_us >= 0 && (standing->uses == 0) == (standing->last_us == 0) &&
	    standing->ended_us >= 0 && label_is_valid(limits->client) &&
	    limits->recipient[0] != '\0' && limits->columns != 0 &&
	    limits->columns >> STATEMENT_COUNT == 0 && limits->rows != 0 &&
	    limits->rows <= FRONT_STATEMENT_ROWS && limits->every != 0 &&
	    limits->every <= FRONT_STANDING_EVERY && limits->opens < 1440 &&
	    limits->closes < 1440 && limits->until != AZ_DATE_NONE;
}

enum az_status
standing_decode(struct bytes bytes, struct standing_approval *ret_standing)
{
	struct wire_reader reader;
	struct standing_approval standing = {0};
	struct front_standing_add *limits = &standing.limits;
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	standing.id = wire_get_u32(&reader);
	standing.request = wire_get_u32(&reader);
	standing.asker = wire_get_u32(&reader);
	standing.approver = wire_get_u32(&reader);
	standing.approved_us = wire_get_i64(&reader);
	standing.generation = wire_get_u32(&reader);
	standing.uses = wire_get_u32(&reader);
	standing.last_us = wire_get_i64(&reader);
	standing.next = wire_get_u64(&reader);
	standing.ended_us = wire_get_i64(&reader);
	standing.ended_by = wire_get_u32(&reader);
	wire_get_text(&reader, limits->client, sizeof(limits->client));
	wire_get_text(&reader, limits->recipient, sizeof(limits->recipient));
	limits->columns = wire_get_u32(&reader);
	limits->rows = wire_get_u32(&reader);
	limits->every = wire_get_u32(&reader);
	limits->opens = wire_get_u16(&reader);
	limits->closes = wire_get_u16(&reader);
	limits->until = (int32_t)wire_get_u32(&reader);
	if (format != FORMAT || !wire_end(&reader) || !is_valid(&standing))
		return AZ_INVALID;
	*ret_standing = standing;
	return AZ_OK;
}
