/*
 * Text is text in every encoding and in whatever pieces; what is none is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scan/text.h"

/* clang-format off */
/* A cast, since a constant is asked for. */
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}

static const struct bytes texts[] = {
    BYTES(""),
    BYTES("Minutes\r\n\tof Tuesday\f\n"),
    BYTES("\xef\xbb\xbf\xe6\x97\xa5\xe6\x9c\xac\xf0\xa0\xae\x9f"), /* UTF-8 */
    BYTES("\x93\xfa\x96\x7b,\xb6\xc5"),                            /* CP932 */
    BYTES("\xc6\xfc\xcb\xdc\x8e\xb6\x8f\xb0\xa1"),                 /* EUC-JP */
    BYTES("\xff\xfe\x41\x00\xe5\x65\x42\xd8\x9f\xdf"),             /* UTF-16LE */
    BYTES("\xfe\xff\x00\x41\x65\xe5"),
};
static const struct bytes others[] = {
    BYTES("a\0b"),
    BYTES("a\x1b[31m"),
    BYTES("a\x7f"),
    BYTES("\x80"),
    BYTES("\xff\xd8\xff\xe0\0\x10JFIF"),
    BYTES("\x89PNG\r\n\x1a\n"),
    BYTES("\xe6\x97\xa5\xe6"), /* cut */
    BYTES("\x41\0\x42\0"),             /* UTF-16 without a mark */
    BYTES("\xff\xfe\x41"),             /* half a unit */
    BYTES("\xff\xfe\x42\xd8"),         /* half a character */
    BYTES("\xff\xfe\x9f\xdf\x41\0"),   /* the other half */
    BYTES("\xff\xfe\x01\0"),
    BYTES("\xff\xfe\x00\xe0"),         /* nobody's character */
};
/* clang-format on */

static bool
is_text(struct bytes bytes, size_t piece)
{
	struct scan_text text = {0};

	for (size_t at = 0; at < bytes.size; at += piece) {
		size_t size = bytes.size - at < piece ? bytes.size - at : piece;

		scan_text_take(&text, bytes_make(bytes.data + at, size));
	}
	return scan_text_end(&text);
}

static void
text_is_text_in_whatever_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(texts); i++) {
		for (size_t piece = 1; piece < 5; piece++)
			assert_true(is_text(texts[i], piece));
	}
}

static void
what_is_none_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(others); i++) {
		for (size_t piece = 1; piece < 5; piece++)
			assert_false(is_text(others[i], piece));
	}
}

static void
noise_is_none(void **state)
{
	uint8_t noise[512];
	uint64_t seed = 7;

	(void)state;
	for (unsigned int run = 0; run < 2000; run++) {
		for (size_t i = 0; i < sizeof(noise); i++) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			noise[i] = (uint8_t)(seed >> 56);
		}
		assert_false(is_text(bytes_make(noise, sizeof(noise)), 100));
		/* Nor behind a mark. */
		noise[0] = 0xff;
		noise[1] = 0xfe;
		assert_false(is_text(bytes_make(noise, sizeof(noise)), 100));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_text_in_whatever_pieces),
	    cmocka_unit_test(what_is_none_is_not),
	    cmocka_unit_test(noise_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
