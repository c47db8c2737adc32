/*
 * Whether a file is an age file is decided by its first line, once enough of it is there: no list begins so, since
 * it would be a header of one column.
 */
#include "custody/delivery.h"

void
delivery_init(struct delivery *delivery, const struct secret *identity)
{
	*delivery = (struct delivery){.identity = identity};
	buffer_init(&delivery->start, DELIVERY_PIECE + AGE_ARMOUR_SIZE, true);
	buffer_init(&delivery->plain, DELIVERY_PIECE + AGE_ARMOUR_SIZE + 2 * AGE_CHUNK, true);
}

void
delivery_fini(struct delivery *delivery)
{
	age_reader_free(&delivery->reader);
	buffer_fini(&delivery->start);
	buffer_fini(&delivery->plain);
}

/* Whether start could still become, or is, text. */
static bool
begins(struct bytes start, const char *text, size_t size, bool *ret_is_whole)
{
	size_t common = start.size < size ? start.size : size;

	*ret_is_whole = start.size >= size;
	return bytes_equal(bytes_make(start.data, common), bytes_make(text, common));
}

/* Sets is_known, and makes the reader, if what has come tells. */
static enum az_status
decide(struct delivery *delivery, bool ended, struct az_err *reterr)
{
	struct bytes start = buffer_peek(&delivery->start);
	bool whole = false;
	bool armour_whole = false;
	bool is_age = begins(start, AGE_MAGIC, AGE_MAGIC_SIZE, &whole);
	bool is_armour = begins(start, AGE_ARMOUR, AGE_ARMOUR_SIZE, &armour_whole);

	if ((is_age && !whole) || (is_armour && !armour_whole)) {
		/* A file that is shorter than the first line of an age file is none. */
		delivery->is_known = ended;
		return AZ_OK;
	}
	delivery->is_known = true;
	if (!is_age && !is_armour)
		return AZ_OK;
	/* The reader says of the armour what is wrong with it. */
	return age_reader_new(delivery->identity, &delivery->reader, reterr);
}

/* What the bytes open to. */
static enum az_status
pass(struct delivery *delivery, struct bytes in, struct bytes *ret_plain, struct az_err *reterr)
{
	enum az_status status;

	if (delivery->reader == NULL) {
		*ret_plain = in;
		return AZ_OK;
	}
	buffer_clear(&delivery->plain);
	status = age_reader_take(delivery->reader, in, &delivery->plain, reterr);
	*ret_plain = buffer_peek(&delivery->plain);
	return status;
}

enum az_status
delivery_take(
    struct delivery *delivery, struct bytes in, struct bytes *ret_plain, struct az_err *reterr)
{
	enum az_status status;

	*ret_plain = bytes_make(NULL, 0);
	if (delivery->is_known)
		return pass(delivery, in, ret_plain, reterr);
	status = buffer_append(&delivery->start, in);
	if (status != AZ_OK)
		return az_fail(reterr, status, "the list: out of memory");
	status = decide(delivery, false, reterr);
	if (status != AZ_OK || !delivery->is_known)
		return status;
	return pass(delivery, buffer_peek(&delivery->start), ret_plain, reterr);
}

enum az_status
delivery_end(struct delivery *delivery, struct bytes *ret_plain, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	*ret_plain = bytes_make(NULL, 0);
	if (!delivery->is_known) {
		status = decide(delivery, true, reterr);
		if (status == AZ_OK)
			status = pass(delivery, buffer_peek(&delivery->start), ret_plain, reterr);
		return status;
	}
	if (delivery->reader == NULL)
		return AZ_OK;
	buffer_clear(&delivery->plain);
	status = age_reader_end(delivery->reader, &delivery->plain, reterr);
	*ret_plain = buffer_peek(&delivery->plain);
	return status;
}
