/*
 * What kinds and reasons are called.
 */
#include "scan/scan.h"
#include "scan/unpack.h"

const char *
scan_kind_name(enum scan_kind kind)
{
	static const char *const names[SCAN_KINDS] = {"card", "my_number", "phone", "email"};

	return names[kind];
}

const char *
scan_unread_name(enum scan_unread reason)
{
	static const char *const names[SCAN_UNREADS] = {"none", "encrypted", "damaged",
	    "unsupported", "too large", "too long", "too deep", "cannot be read", "denied",
	    "no file", "the scanner died", "too large for its format", "no text"};

	return reason < SCAN_UNREADS ? names[reason] : names[0];
}
