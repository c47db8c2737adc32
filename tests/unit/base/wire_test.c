#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/wire.h"

static struct wire_reader
reader_of(const void *data, size_t size)
{
	struct wire_reader reader;

	wire_reader_init(&reader, bytes_make(data, size));
	return reader;
}

static void
fields_have_these_bytes(void **state)
{
	static const uint8_t expected[] = {
	    0x01,
	    0x02,
	    0x03,
	    0x04,
	    0x05,
	    0x06,
	    0x07,
	    0x08,
	    0x09,
	    0x0a,
	    0x0b,
	    0x0c,
	    0x0d,
	    0x0e,
	    0x0f,
	    0xfe,
	    0xff,
	    0xff,
	    0xff,
	    0xff,
	    0xff,
	    0xff,
	    0xff,
	    'r',
	    'a',
	    'w',
	    3,
	    0,
	    0,
	    0,
	    0x00,
	    0xff,
	    0x00,
	    2,
	    0,
	    0,
	    0,
	    'h',
	    'i',
	};
	struct buffer buffer;
	struct wire_writer writer;

	buffer_init(&buffer, 100, false);
	wire_writer_init(&writer, &buffer);
	wire_put_u8(&writer, 1);
	wire_put_u16(&writer, 0x0302);
	wire_put_u32(&writer, 0x07060504);
	wire_put_u64(&writer, 0x0f0e0d0c0b0a0908);
	wire_put_i64(&writer, -2);
	wire_put_raw(&writer, "raw", 3);
	wire_put_bytes(&writer, bytes_make("\0\xff\0", 3));
	wire_put_text(&writer, "hi");
	assert_int_equal(writer.status, AZ_OK);
	assert_int_equal(buffer.size, sizeof(expected));
	assert_memory_equal(buffer.data, expected, sizeof(expected));
	buffer_fini(&buffer);
}

static void
what_was_written_is_read(void **state)
{
	struct buffer buffer;
	struct wire_writer writer;
	char text[10];
	uint8_t raw[3];

	buffer_init(&buffer, 100, false);
	wire_writer_init(&writer, &buffer);
	wire_put_u8(&writer, 0xab);
	wire_put_u16(&writer, 0xfedc);
	wire_put_u32(&writer, 0xfedcba98);
	wire_put_u64(&writer, 0xfedcba9876543210);
	wire_put_i64(&writer, INT64_MIN);
	wire_put_raw(&writer, "raw", 3);
	wire_put_bytes(&writer, bytes_of("bytes"));
	wire_put_text(&writer, "text");
	wire_put_u32(&writer, 2);
	wire_put_u16(&writer, 7);
	assert_int_equal(writer.status, AZ_OK);

	struct wire_reader reader = reader_of(buffer.data, buffer.size);
	assert_int_equal(wire_get_u8(&reader), 0xab);
	assert_int_equal(wire_get_u16(&reader), 0xfedc);
	assert_int_equal(wire_get_u32(&reader), 0xfedcba98);
	assert_true(wire_get_u64(&reader) == 0xfedcba9876543210);
	assert_true(wire_get_i64(&reader) == INT64_MIN);
	wire_get_raw(&reader, raw, 3);
	assert_memory_equal(raw, "raw", 3);
	assert_true(bytes_equal(wire_get_bytes(&reader, 5), bytes_of("bytes")));
	wire_get_text(&reader, text, sizeof(text));
	assert_string_equal(text, "text");
	assert_int_equal(wire_get_count(&reader, 2, 1), 2);
	assert_false(wire_end(&reader));
	(void)wire_take(&reader, 2);
	assert_true(wire_end(&reader));
	assert_int_equal(reader.offset, buffer.size);
	buffer_fini(&buffer);
}

static void
each_width_is_refused_one_byte_short(void **state)
{
	uint8_t data[8];

	memset(data, 0xff, sizeof(data));
	for (unsigned i = 0; i < 4; i++) {
		size_t width = (size_t)1 << i;
		struct wire_reader reader = reader_of(data, width - 1);
		uint64_t value = i == 0 ? wire_get_u8(&reader)
		    : i == 1            ? wire_get_u16(&reader)
		    : i == 2            ? wire_get_u32(&reader)
					: wire_get_u64(&reader);
		assert_true(value == 0);
		assert_true(reader.failed);
		assert_int_equal(reader.offset, 0);
		assert_false(wire_end(&reader));
	}
}

static void
after_a_failure_everything_reads_as_zero(void **state)
{
	uint8_t data[64];
	uint8_t raw[4] = {1, 1, 1, 1};
	char text[4] = "old";

	memset(data, 0xff, sizeof(data));
	struct wire_reader reader = reader_of(data, sizeof(data));
	(void)wire_get_u16(&reader);
	(void)wire_take(&reader, 63);
	assert_true(reader.failed);
	assert_int_equal(wire_get_u8(&reader), 0);
	assert_int_equal(wire_get_u16(&reader), 0);
	assert_int_equal(wire_get_u32(&reader), 0);
	assert_true(wire_get_u64(&reader) == 0);
	assert_true(wire_get_i64(&reader) == 0);
	assert_int_equal(wire_get_count(&reader, 10, 0), 0);
	wire_get_raw(&reader, raw, sizeof(raw));
	assert_memory_equal(raw, "\0\0\0\0", 4);
	wire_get_text(&reader, text, sizeof(text));
	assert_string_equal(text, "");
	assert_null(wire_get_bytes(&reader, 100).data);
	assert_null(wire_take(&reader, 1).data);
	assert_int_equal(wire_take(&reader, 0).size, 0);
	assert_int_equal(reader.offset, 2);
	assert_false(wire_end(&reader));
}

static void
a_length_beyond_the_limit_is_refused(void **state)
{
	struct wire_reader reader = reader_of("\5\0\0\0hello", 9);

	assert_null(wire_get_bytes(&reader, 4).data);
	assert_true(reader.failed);
	assert_int_equal(reader.offset, 0);

	reader = reader_of("\5\0\0\0hello", 9);
	assert_int_equal(wire_get_bytes(&reader, 5).size, 5);
	assert_true(wire_end(&reader));
}

static void
a_length_beyond_the_input_is_refused(void **state)
{
	struct wire_reader reader = reader_of("\6\0\0\0hello", 9);

	assert_null(wire_get_bytes(&reader, 1000).data);
	assert_true(reader.failed);

	reader = reader_of("\xff\xff\xff\xffhello", 9);
	assert_null(wire_get_bytes(&reader, SIZE_MAX).data);
	assert_true(reader.failed);
}

static void
a_failure_names_the_beginning_of_its_field(void **state)
{
	struct wire_reader reader = reader_of("\1\6\0\0\0hello", 10);

	(void)wire_get_u8(&reader);
	(void)wire_get_bytes(&reader, 1000);
	assert_true(reader.failed);
	assert_int_equal(reader.offset, 1);
}

static void
text_without_room_is_refused(void **state)
{
	char text[5] = "old";
	struct wire_reader reader = reader_of("\5\0\0\0hello", 9);

	wire_get_text(&reader, text, sizeof(text));
	assert_true(reader.failed);
	assert_string_equal(text, "");

	reader = reader_of("\0\0\0\0", 4);
	wire_get_text(&reader, text, 0);
	assert_true(reader.failed);
}

static void
text_with_a_nul_is_refused(void **state)
{
	char text[9] = "old";
	struct wire_reader reader = reader_of("\5\0\0\0he\0lo", 9);

	wire_get_text(&reader, text, sizeof(text));
	assert_true(reader.failed);
	assert_string_equal(text, "");
}

static void
empty_fields_are_no_failure(void **state)
{
	char text[1] = {'x'};
	struct wire_reader reader = reader_of("\0\0\0\0\0\0\0\0", 8);

	assert_int_equal(wire_get_bytes(&reader, 0).size, 0);
	wire_get_text(&reader, text, sizeof(text));
	assert_int_equal(text[0], '\0');
	wire_get_raw(&reader, NULL, 0);
	assert_true(wire_end(&reader));

	reader = reader_of(NULL, 0);
	assert_int_equal(wire_take(&reader, 0).size, 0);
	assert_true(wire_end(&reader));
}

static void
a_count_that_cannot_be_there_is_refused(void **state)
{
	static const uint8_t data[] = {3, 0, 0, 0, 1, 2, 3, 4, 5};
	struct wire_reader reader = reader_of(data, sizeof(data));

	assert_int_equal(wire_get_count(&reader, 3, 2), 0);
	assert_true(reader.failed);
	reader = reader_of(data, sizeof(data));
	assert_int_equal(wire_get_count(&reader, 2, 1), 0);
	assert_true(reader.failed);
	reader = reader_of("\xff\xff\xff\xff", 4);
	assert_int_equal(wire_get_count(&reader, UINT32_MAX, SIZE_MAX), 0);
	assert_true(reader.failed);
	reader = reader_of(data, sizeof(data));
	assert_int_equal(wire_get_count(&reader, 3, 1), 3);
	assert_false(reader.failed);
}

static void
left_over_bytes_are_a_failure_of_the_end(void **state)
{
	struct wire_reader reader = reader_of("\1\2", 2);

	(void)wire_get_u8(&reader);
	assert_false(wire_end(&reader));
	(void)wire_get_u8(&reader);
	assert_true(wire_end(&reader));
}

static void
a_writer_keeps_its_first_failure(void **state)
{
	struct buffer buffer;
	struct wire_writer writer;

	buffer_init(&buffer, 6, false);
	wire_writer_init(&writer, &buffer);
	wire_put_u32(&writer, 1);
	wire_put_u32(&writer, 2);
	assert_int_equal(writer.status, AZ_LIMIT);
	wire_put_u8(&writer, 3);
	assert_int_equal(writer.status, AZ_LIMIT);
	assert_int_equal(buffer.size, 4);
	buffer_fini(&buffer);
}

static void
a_writer_refuses_a_length_that_has_no_field(void **state)
{
	struct buffer buffer;
	struct wire_writer writer;

	buffer_init(&buffer, SIZE_MAX, false);
	wire_writer_init(&writer, &buffer);
	wire_put_bytes(&writer, bytes_make("", (size_t)UINT32_MAX + 1));
	assert_int_equal(writer.status, AZ_LIMIT);
	assert_int_equal(buffer.size, 0);
	buffer_fini(&buffer);
}

static void
plain_stores_have_the_named_order(void **state)
{
	uint8_t data[8];

	wire_store_u16(data, 0x1122);
	assert_memory_equal(data, "\x22\x11", 2);
	wire_store_u16be(data, 0x1122);
	assert_memory_equal(data, "\x11\x22", 2);
	wire_store_u32(data, 0x11223344);
	assert_memory_equal(data, "\x44\x33\x22\x11", 4);
	wire_store_u32be(data, 0x11223344);
	assert_memory_equal(data, "\x11\x22\x33\x44", 4);
	wire_store_u64(data, 0x1122334455667788);
	assert_memory_equal(data, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	wire_store_u64be(data, 0x1122334455667788);
	assert_memory_equal(data, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
}

static void
plain_loads_undo_the_stores(void **state)
{
	static const uint64_t values[] = {
	    0, 1, 0x80, 0xff80ff80ff80ff80, UINT64_MAX, 0x0123456789abcdef};
	uint8_t data[8];

	for (size_t i = 0; i < AZ_ARRAY_SIZE(values); i++) {
		wire_store_u16(data, (uint16_t)values[i]);
		assert_int_equal(wire_load_u16(data), (uint16_t)values[i]);
		wire_store_u16be(data, (uint16_t)values[i]);
		assert_int_equal(wire_load_u16be(data), (uint16_t)values[i]);
		wire_store_u32(data, (uint32_t)values[i]);
		assert_int_equal(wire_load_u32(data), (uint32_t)values[i]);
		wire_store_u32be(data, (uint32_t)values[i]);
		assert_int_equal(wire_load_u32be(data), (uint32_t)values[i]);
		wire_store_u64(data, values[i]);
		assert_true(wire_load_u64(data) == values[i]);
		wire_store_u64be(data, values[i]);
		assert_true(wire_load_u64be(data) == values[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_have_these_bytes),
	    cmocka_unit_test(what_was_written_is_read),
	    cmocka_unit_test(each_width_is_refused_one_byte_short),
	    cmocka_unit_test(after_a_failure_everything_reads_as_zero),
	    cmocka_unit_test(a_length_beyond_the_limit_is_refused),
	    cmocka_unit_test(a_length_beyond_the_input_is_refused),
	    cmocka_unit_test(a_failure_names_the_beginning_of_its_field),
	    cmocka_unit_test(text_without_room_is_refused),
	    cmocka_unit_test(text_with_a_nul_is_refused),
	    cmocka_unit_test(empty_fields_are_no_failure),
	    cmocka_unit_test(a_count_that_cannot_be_there_is_refused),
	    cmocka_unit_test(left_over_bytes_are_a_failure_of_the_end),
	    cmocka_unit_test(a_writer_keeps_its_first_failure),
	    cmocka_unit_test(a_writer_refuses_a_length_that_has_no_field),
	    cmocka_unit_test(plain_stores_have_the_named_order),
	    cmocka_unit_test(plain_loads_undo_the_stores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
