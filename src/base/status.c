/*
 * Statuses, their names and their exit codes.
 *
 * The text of an error goes into a fixed buffer of the caller, so that reporting a failure can never
 * itself fail for want of memory. A text too long is cut at a character's edge: whoever prints it may
 * rely on UTF-8.
 */
#include "base/status.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Cuts text so that it does not end in the middle of a UTF-8 sequence. */
static void
text_trim(char *text)
{
	size_t size = strlen(text);
	size_t lead = size;

	while (lead > 0 && size - lead < 3 && ((uint8_t)text[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead == 0 || (uint8_t)text[lead - 1] < 0xc0)
		return;
	lead--;

	uint8_t first = (uint8_t)text[lead];
	size_t wanted = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (size - lead < wanted)
		text[lead] = '\0';
}

/* Writes the text of the format, then the tail; cut, not refused, if too long. */
static void AZ_PRINTF(3, 0)
    text_fill(char *text, const char *tail, const char *format, va_list args)
{
	int written = vsnprintf(text, AZ_ERR_TEXT_SIZE, format, args);
	size_t size = written < 0 ? 0 : (size_t)written;

	if (written < 0)
		text[0] = '\0';
	if (tail && size < AZ_ERR_TEXT_SIZE)
		(void)snprintf(text + size, AZ_ERR_TEXT_SIZE - size, ": %s", tail);
	text_trim(text);
}

enum az_status
az_fail(struct az_err *reterr, enum az_status status, const char *format, ...)
{
	va_list args;

	if (!reterr)
		return status;
	reterr->status = status;
	va_start(args, format);
	text_fill(reterr->text, NULL, format, args);
	va_end(args);
	return status;
}

enum az_status
az_fail_errno(struct az_err *reterr, enum az_status status, int errnum, const char *format, ...)
{
	va_list args;

	if (!reterr)
		return status;
	/* Never translated and never allocates, unlike strerror. */
	const char *reason = strerrordesc_np(errnum);
	reterr->status = status;
	va_start(args, format);
	text_fill(reterr->text, reason ? reason : "unknown error", format, args);
	va_end(args);
	return status;
}

const char *
az_status_name(enum az_status status)
{
	switch (status) {
	case AZ_INTERNAL: return "internal error";
	case AZ_OK: return "ok";
	case AZ_DENIED: return "denied";
	case AZ_NOT_FOUND: return "not found";
	case AZ_INVALID: return "invalid";
	case AZ_CONFLICT: return "conflict";
	case AZ_LIMIT: return "limit reached";
	case AZ_BUSY: return "busy";
	case AZ_SEVERAL: return "several match";
	case AZ_IO: return "input/output error";
	case AZ_CORRUPT: return "corrupt";
	case AZ_FORGED: return "forged";
	case AZ_NO_MEMORY: return "out of memory";
	case AZ_GONE: return "gone";
	}
	return "unknown status";
}

int
az_exit_code(enum az_status status)
{
	switch (status) {
	case AZ_OK: return 0;
	case AZ_DENIED: return 3;
	case AZ_FORGED: return 4;
	case AZ_LIMIT:
	case AZ_BUSY:
	case AZ_SEVERAL:
	case AZ_GONE: return 5;
	case AZ_INTERNAL:
	case AZ_NOT_FOUND:
	case AZ_INVALID:
	case AZ_CONFLICT:
	case AZ_IO:
	case AZ_CORRUPT:
	case AZ_NO_MEMORY: return 1;
	}
	return 1;
}
