/*
 * The book as bytes, and the stored forms of budgets and extensions. docs/format/budgets.md, things.md.
 *
 *   u8 format, u32 holders, each:
 *     u32 staff, u8 class
 *     u32 clients, each: u32 client, u32 people ever seen
 *     bytes: every record ever seen, as a portable Roaring bitmap
 *     u32 looks of the last 30 days, each: u32 record, u32 client, i64 time
 *
 * Windows are not stored: adding the looks again in their order makes them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "policy/budget_internal.h"

#define FORMAT     1u
#define LIFE_MAX   (256u * 1024u * 1024u)
#define LOOK_SIZE  16u
#define COUNTS_MAX (64u * 1024u * 1024u)

/* --- budgets and extensions ------------------------------------------------------------------- */

static void
put_limits(struct wire_writer *writer, const struct budget_limits *limits)
{
	for (unsigned int class = BUDGET_CALLS; class < BUDGET_CLASSES; class ++) {
		wire_put_u32(writer, limits[class].day);
		wire_put_u32(writer, limits[class].month);
		wire_put_u32(writer, limits[class].life);
	}
}

static void
get_limits(struct wire_reader *reader, struct budget_limits *limits)
{
	for (unsigned int class = BUDGET_CALLS; class < BUDGET_CLASSES; class ++) {
		limits[class].day = wire_get_u32(reader);
		limits[class].month = wire_get_u32(reader);
		limits[class].life = wire_get_u32(reader);
	}
}

enum az_status
budget_encode(const struct budget *budget, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u8(&writer, (uint8_t)budget->role);
	put_limits(&writer, budget->house);
	put_limits(&writer, budget->client);
	wire_put_u32(&writer, budget->minute);
	wire_put_u32(&writer, budget->hour);
	wire_put_u32(&writer, budget->slow);
	return writer.status;
}

enum az_status
budget_decode(struct bytes bytes, struct budget *ret_budget)
{
	struct wire_reader reader;
	struct budget budget = {0};
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	budget.role = (enum role)wire_get_u8(&reader);
	get_limits(&reader, budget.house);
	get_limits(&reader, budget.client);
	budget.minute = wire_get_u32(&reader);
	budget.hour = wire_get_u32(&reader);
	budget.slow = wire_get_u32(&reader);
	if (format != FORMAT || !wire_end(&reader) || role_name(budget.role) == NULL)
		return AZ_INVALID;
	*ret_budget = budget;
	return AZ_OK;
}

enum az_status
extension_encode(const struct budget_extension *extension, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, extension->id);
	wire_put_u32(&writer, extension->staff);
	wire_put_u8(&writer, (uint8_t)extension->class);
	wire_put_u32(&writer, extension->day);
	wire_put_u32(&writer, extension->month);
	wire_put_u32(&writer, extension->life);
	wire_put_i64(&writer, extension->until_us);
	wire_put_i64(&writer, extension->closed_us);
	return writer.status;
}

enum az_status
extension_decode(struct bytes bytes, struct budget_extension *ret_extension)
{
	struct wire_reader reader;
	struct budget_extension extension = {0};
	uint8_t format;

	wire_reader_init(&reader, bytes);
	format = wire_get_u8(&reader);
	extension.id = wire_get_u32(&reader);
	extension.staff = wire_get_u32(&reader);
	extension.class = (enum budget_class)wire_get_u8(&reader);
	extension.day = wire_get_u32(&reader);
	extension.month = wire_get_u32(&reader);
	extension.life = wire_get_u32(&reader);
	extension.until_us = wire_get_i64(&reader);
	extension.closed_us = wire_get_i64(&reader);
	if (format != FORMAT || !wire_end(&reader) || extension.id == 0 || extension.staff == 0 ||
	    budget_class_name(extension.class) == NULL)
		return AZ_INVALID;
	*ret_extension = extension;
	return AZ_OK;
}

/* --- saving ----------------------------------------------------------------------------------- */

static enum az_status
put_life(struct wire_writer *writer, const roaring_bitmap_t *life)
{
	size_t size = roaring_bitmap_portable_size_in_bytes(life);
	char *data = size <= LIFE_MAX ? malloc(size) : NULL;

	if (data == NULL)
		return AZ_NO_MEMORY;
	size = roaring_bitmap_portable_serialize(life, data);
	wire_put_bytes(writer, bytes_make(data, size));
	free(data);
	return writer->status;
}

static enum az_status
put_holder(struct wire_writer *writer, const struct holder *holder, size_t at)
{
	enum az_status status = AZ_OK;

	wire_put_u32(writer, (uint32_t)(at / 2));
	wire_put_u8(writer, at % 2 == 0 ? BUDGET_CALLS : BUDGET_SEARCHES);
	wire_put_u32(writer, (uint32_t)holder->client_count);
	for (size_t i = 0; i < holder->client_count; i++) {
		wire_put_u32(writer, holder->clients[i].client);
		wire_put_u32(writer, holder->clients[i].life);
	}
	if (holder->life != NULL)
		status = put_life(writer, holder->life);
	else
		wire_put_bytes(writer, bytes_make(NULL, 0));
	wire_put_u32(writer, (uint32_t)(holder->end - holder->month_first));
	for (uint64_t i = holder->month_first; i < holder->end; i++) {
		const struct seen *seen = &holder->queue[i & (holder->room - 1)];

		wire_put_u32(writer, seen->record);
		wire_put_u32(writer, seen->client);
		wire_put_i64(writer, seen->time_us);
	}
	return status == AZ_OK ? writer->status : status;
}

static bool
is_used(const struct holder *holder)
{
	return holder->end > 0 || holder->life != NULL;
}

enum az_status
budget_save(const struct budget_book *book, struct buffer *buffer)
{
	struct wire_writer writer;
	uint32_t count = 0;
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < book->holder_room; i++)
		count += is_used(&book->holders[i]) ? 1 : 0;
	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, FORMAT);
	wire_put_u32(&writer, count);
	for (size_t i = 0; i < book->holder_room && status == AZ_OK; i++) {
		if (is_used(&book->holders[i]))
			status = put_holder(&writer, &book->holders[i], i);
	}
	return status == AZ_OK ? writer.status : status;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* What was ever seen; false if it is not in its format, or does not add up. */
static bool
get_life(struct wire_reader *reader, struct holder *holder)
{
	uint32_t count = wire_get_count(reader, COUNTS_MAX, 8);
	uint64_t sum = 0;
	struct bytes life;

	holder->clients = calloc((size_t)count + 1, sizeof(*holder->clients));
	if (holder->clients == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		holder->clients[i].client = wire_get_u32(reader);
		holder->clients[i].life = wire_get_u32(reader);
		sum += holder->clients[i].life;
	}
	holder->client_count = count;
	life = wire_get_bytes(reader, LIFE_MAX);
	if (reader->failed)
		return false;
	if (life.size == 0)
		return sum == 0;
	holder->life = roaring_bitmap_portable_deserialize_safe((const char *)life.data, life.size);
	return holder->life != NULL && roaring_bitmap_get_cardinality(holder->life) == sum;
}

static bool
get_holder(struct wire_reader *reader, struct budget_book *book)
{
	uint32_t staff = wire_get_u32(reader);
	enum budget_class class = (enum budget_class)wire_get_u8(reader);
	struct holder *holder;
	uint32_t count;

	if (reader->failed || staff == 0 || budget_class_name(class) == NULL)
		return false;
	holder = holder_of(book, staff, class, true);
	if (holder == NULL || is_used(holder) || !get_life(reader, holder))
		return false;
	count = wire_get_count(reader, COUNTS_MAX, LOOK_SIZE);
	for (uint32_t i = 0; i < count; i++) {
		struct seen seen;

		seen.record = wire_get_u32(reader);
		seen.client = wire_get_u32(reader);
		seen.time_us = wire_get_i64(reader);
		if (reader->failed || (seen.record != 0 && !holder_has(holder, seen.record).life))
			return false;
		holder_advance(holder, seen.time_us);
		if (!holder_add(holder, &seen))
			return false;
	}
	return !reader->failed;
}

/* Forgets what was counted, not what reviews added. */
static void
forget(struct budget_book *book)
{
	for (size_t i = 0; i < book->holder_room; i++) {
		uint32_t reviewed = book->holders[i].reviewed;

		holder_fini(&book->holders[i]);
		book->holders[i].reviewed = reviewed;
	}
}

enum az_status
budget_load(struct budget_book *book, struct bytes bytes, struct az_err *reterr)
{
	struct wire_reader reader;
	uint32_t count;
	bool good;

	forget(book);
	wire_reader_init(&reader, bytes);
	good = wire_get_u8(&reader) == FORMAT;
	count = wire_get_count(&reader, COUNTS_MAX, 17);
	for (uint32_t i = 0; i < count && good; i++)
		good = get_holder(&reader, book);
	if (good && wire_end(&reader))
		return AZ_OK;
	forget(book);
	return az_fail(reterr, AZ_CORRUPT, "budgets: what was counted is not in its format");
}
