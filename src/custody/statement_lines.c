/*
 * The lines of a statement: CSV (RFC 4180) with one entry of a client's log a line, in the names that people know.
 */
#include <stdio.h>
#include <string.h>

#include "custody/standings.h"

struct line {
	struct buffer *plain;
	unsigned int columns;
	enum az_status status;
};

static void
put(struct line *line, const char *text)
{
	if (line->status == AZ_OK)
		line->status = buffer_append(line->plain, bytes_of(text));
}

/* A value of CSV: quoted where it must be. */
static void
put_value(struct line *line, const char *text)
{
	bool quotes = strpbrk(text, ",\"\r\n") != NULL;

	put(line, line->columns++ > 0 ? "," : "");
	put(line, quotes ? "\"" : "");
	for (const char *at = text; *at != '\0'; at++) {
		const char one[] = {*at, '\0'};

		put(line, *at == '"' ? "\"\"" : one);
	}
	put(line, quotes ? "\"" : "");
}

static void
put_number(struct line *line, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put_value(line, number != 0 ? text : "");
}

/* The names of fields, with a space between them. */
static void
put_fields(struct line *line, const struct client *client, uint64_t fields)
{
	char text[2048] = "";
	size_t size = 0;

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		const char *called = field_name(field);

		if ((fields & FIELD_BIT(field)) == 0)
			continue;
		if (field >= FIELD_X_FIRST && client != NULL &&
		    field - FIELD_X_FIRST < client->x_count)
			called = client->x_names[field - FIELD_X_FIRST];
		if (called == NULL || size + strlen(called) + 2 > sizeof(text))
			continue;
		size += (size_t)snprintf(
		    text + size, sizeof(text) - size, "%s%s", size > 0 ? " " : "", called);
	}
	put_value(line, text);
}

struct told {
	const struct custody *custody;
	const struct ledger_entry *entry;
	uint64_t index;
	uint32_t log, staff, record;
};

static void
put_column(struct line *line, const struct told *told, unsigned int column)
{
	const struct custody *custody = told->custody;
	const struct ledger_entry *entry = told->entry;
	const struct client *client = policy_client(custody->policy, told->log);
	const struct staff *staff = people_staff(custody->people, told->staff);
	const struct device *device = people_device(custody->people, entry->device);
	const struct purpose *purpose = policy_purpose(custody->policy, entry->purpose);
	const char *name = NULL;
	char time[40];

	switch ((enum statement_column)column) {
	case STATEMENT_INDEX:
		(void)snprintf(time, sizeof(time), "%llu", (unsigned long long)told->index);
		name = time;
		break;
	case STATEMENT_TIME:
		clock_format_utc(entry->time_us, time, sizeof(time));
		name = time;
		break;
	case STATEMENT_TYPE: name = ledger_entry_name(entry->type); break;
	case STATEMENT_STAFF: name = staff != NULL ? staff->label : NULL; break;
	case STATEMENT_DEVICE: name = device != NULL ? device->label : NULL; break;
	case STATEMENT_PURPOSE: name = purpose != NULL ? purpose->label : NULL; break;
	case STATEMENT_REASON: name = reason_name((enum reason)entry->reason); break;
	case STATEMENT_BASIS: name = basis_name((enum basis)entry->basis); break;
	case STATEMENT_RECORD: put_number(line, told->record); return;
	case STATEMENT_VERSION: put_number(line, entry->version); return;
	case STATEMENT_SHOWN: put_fields(line, client, entry->shown); return;
	case STATEMENT_MASKED: put_fields(line, client, entry->masked); return;
	case STATEMENT_OUTCOME: name = az_status_name((enum az_status)entry->outcome); break;
	case STATEMENT_COUNT:
	default: break;
	}
	put_value(line, name != NULL ? name : "");
}

enum az_status
statement_put_entry(struct custody *custody, uint32_t log, uint32_t columns, uint64_t index,
    struct buffer *plain, struct az_err *reterr)
{
	struct line line = {.plain = plain, .status = AZ_OK};
	struct ledger_read read;
	struct told told = {.custody = custody, .entry = &read.entry, .index = index, .log = log};
	enum az_status status = ledger_entry_at(custody->ledger, log, index, &read, reterr);

	if (status == AZ_OK)
		status =
		    ledger_identify(custody->ledger, log, &read, &told.staff, &told.record, reterr);
	if (status != AZ_OK)
		return status;
	for (unsigned int column = 0; column < STATEMENT_COUNT; column++) {
		if ((columns & 1u << column) != 0)
			put_column(&line, &told, column);
	}
	put(&line, "\n");
	return line.status == AZ_OK
	    ? AZ_OK
	    : az_fail(reterr, line.status, "statement: an entry is too large");
}

enum az_status
statement_put_header(uint32_t columns, struct buffer *plain, struct az_err *reterr)
{
	struct line line = {.plain = plain, .status = AZ_OK};

	for (unsigned int column = 0; column < STATEMENT_COUNT; column++) {
		if ((columns & 1u << column) != 0)
			put_value(&line, statement_column_name(column));
	}
	put(&line, "\n");
	return line.status == AZ_OK ? AZ_OK
				    : az_fail(reterr, line.status, "statement: out of memory");
}
