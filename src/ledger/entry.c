/*
 * The bytes of an entry (docs/format/ledger.md).
 *
 *   offset size
 *   0      1    version, 1
 *   1      1    type
 *   2      2    size of the whole
 *   4      8    time
 *   12     16   salt
 *   28     16   staff pseudonym, or zeros
 *   44     12   device, session, policy version
 *   56     4    zone, guard, grade, outcome
 *   60          the groups that the type has, in this order:
 *          42   PURPOSE  purpose, campaign, reason, basis, zero, kinds, request, rows, call
 *          36   PERSON   record pseudonym, version, shown, masked
 *          36   SUBJECT  subject, detail, detail64, rows, text
 *          96   LIST     consignment, as-of, five counts, SHA-256, root
 *          32   DOCUMENT SHA-256 of what is asked
 *          64   SIGNED   signature over it
 *
 * Which groups a type has is a table and not a flag in the entry, so that an entry has exactly one
 * encoding and nobody can slip a group into a type that its readers do not look at.
 */
#include <string.h>

#include "base/wire.h"
#include "ledger/ledger.h"

#define ENTRY_VERSION 1
#define COMMON_SIZE   ((size_t)60)

enum group {
	GROUP_PURPOSE = 1,
	GROUP_PERSON = 2,
	GROUP_SUBJECT = 4,
	GROUP_LIST = 8,
	GROUP_DOCUMENT = 16,
	GROUP_SIGNED = 32,
};
#define PURPOSE_SIZE ((size_t)42)
#define PERSON_SIZE  ((size_t)36)
#define SUBJECT_SIZE ((size_t)36)
#define LIST_SIZE    ((size_t)96)
#define HASH_SIZE    ((size_t)32)
#define TIME_AT      4u /* offsets in the whole, and in their group */
#define PADDING_AT   11u
#define ROWS_AT      22u /* of PURPOSE */
#define ROWS_TOO_AT  16u /* of SUBJECT */
#define SIGNED_SIZE  ((size_t)64)

static const struct {
	const char *name; /* NULL: no such type */
	unsigned int groups;
} types[] = {
    [ENTRY_FOUNDED] = {"founded", GROUP_SUBJECT},
    [ENTRY_STARTED] = {"started", GROUP_SUBJECT},
    [ENTRY_STOPPED] = {"stopped", GROUP_SUBJECT},
    [ENTRY_RECOVERED] = {"recovered", GROUP_SUBJECT},
    [ENTRY_SIGNED_IN] = {"signed-in", GROUP_SUBJECT},
    [ENTRY_SIGNED_OUT] = {"signed-out", GROUP_SUBJECT},
    [ENTRY_TAKEN_OVER] = {"taken-over", GROUP_SUBJECT},
    [ENTRY_REFUSED] = {"refused", GROUP_SUBJECT},
    [ENTRY_UNAUTHENTICATED] = {"unauthenticated", GROUP_SUBJECT},
    [ENTRY_CLIENT] = {"client", GROUP_SUBJECT},
    [ENTRY_PURPOSE] = {"purpose", GROUP_SUBJECT},
    [ENTRY_STAFF] = {"staff", GROUP_SUBJECT},
    [ENTRY_DEVICE] = {"device", GROUP_SUBJECT},
    [ENTRY_APPROVED] = {"approved", GROUP_SUBJECT},
    [ENTRY_POLICY] = {"policy", GROUP_SUBJECT},
    [ENTRY_VERIFIED] = {"verified", GROUP_SUBJECT},
    [ENTRY_QUERIED] = {"queried", GROUP_SUBJECT},
    [ENTRY_RECONCILED] = {"reconciled", GROUP_SUBJECT},
    [ENTRY_ALARM] = {"alarm", GROUP_SUBJECT},
    [ENTRY_BACKED_UP] = {"backed-up", GROUP_SUBJECT},
    [ENTRY_DECLARED_LOSS] = {"declared-loss", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_ASKED] = {"asked", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_APPROVAL] = {"approval", GROUP_SUBJECT | GROUP_DOCUMENT | GROUP_SIGNED},
    [ENTRY_ENROLLED] = {"enrolled", GROUP_SUBJECT},
    [ENTRY_DECLINED] = {"declined", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_ENTRUSTED] = {"entrusted", GROUP_PURPOSE | GROUP_LIST},
    [ENTRY_DISCLOSED] = {"disclosed", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_AMBIGUOUS] = {"ambiguous", GROUP_PURPOSE},
    [ENTRY_NOT_FOUND] = {"not-found", GROUP_PURPOSE},
    [ENTRY_WITHHELD] = {"withheld", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_REJECTED_LIST] = {"rejected-list", GROUP_PURPOSE | GROUP_LIST},
    [ENTRY_CORRECTING] = {"correcting", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_CORRECTED] = {"corrected", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_CAMPAIGN] = {"campaign", GROUP_SUBJECT},
    [ENTRY_ATTEMPT] = {"attempt", GROUP_PURPOSE | GROUP_PERSON | GROUP_SUBJECT},
    [ENTRY_ATTEMPTS_LISTED] = {"attempts-listed", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_CARRIED] = {"carried", GROUP_SUBJECT},
    [ENTRY_STOP] = {"stop", GROUP_PURPOSE | GROUP_PERSON | GROUP_SUBJECT},
    [ENTRY_RESTRICTED] = {"restricted", GROUP_PURPOSE | GROUP_PERSON | GROUP_SUBJECT},
    [ENTRY_CHECKED] = {"checked", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_CHECK_ANSWERED] = {"check-answered", GROUP_PURPOSE | GROUP_PERSON},
    [ENTRY_UNMASKED] = {"unmasked", GROUP_PURPOSE | GROUP_PERSON | GROUP_SUBJECT},
    [ENTRY_HANDED_OVER] = {"handed-over", GROUP_PURPOSE | GROUP_PERSON | GROUP_SUBJECT},
    [ENTRY_ZONE] = {"zone", GROUP_SUBJECT},
    [ENTRY_SLOTS] = {"slots", GROUP_SUBJECT},
    [ENTRY_STANDING] = {"standing-approval", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_STATEMENT] = {"statement", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_CLOCK] = {"clock", GROUP_SUBJECT},
    [ENTRY_ENTRUSTED_FULL] = {"entrusted-full", GROUP_PURPOSE | GROUP_SUBJECT | GROUP_LIST},
    [ENTRY_WITHDRAWN] = {"withdrawn", GROUP_PURPOSE | GROUP_SUBJECT | GROUP_LIST},
    [ENTRY_DESTROYING] = {"destroying", GROUP_SUBJECT},
    [ENTRY_DESTROYED] = {"destroyed", GROUP_SUBJECT},
    [ENTRY_CASE] = {"case", GROUP_SUBJECT},
    [ENTRY_GUARD] = {"guard", GROUP_SUBJECT},
    [ENTRY_GRANT] = {"grant", GROUP_SUBJECT},
    [ENTRY_PLUGGED] = {"plugged", GROUP_SUBJECT},
    [ENTRY_FORWARDED] = {"forwarded", GROUP_SUBJECT},
    [ENTRY_PUT] = {"put", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_HISTORY] = {"history", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_TRACE_LIST] = {"trace-list", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_TRACE_OPENED] = {"trace-opened", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_TRACED] = {"traced", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_ATTRIBUTED] = {"attributed", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_SCAN] = {"scan", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_SCANNED] = {"scanned", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_SCAN_FOUND] = {"scan-found", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_WITNESS] = {"witness", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_COSIGNED] = {"cosigned", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_COMMITTED] = {"committed", GROUP_SUBJECT | GROUP_DOCUMENT},
    [ENTRY_LEDGER_EXPORTED] = {"ledger-exported", GROUP_SUBJECT},
};

const char *
ledger_entry_name(enum entry_type type)
{
	return (size_t)type < AZ_ARRAY_SIZE(types) ? types[type].name : NULL;
}

static size_t
encoded_size(unsigned int groups)
{
	return COMMON_SIZE + ((groups & GROUP_PURPOSE) != 0 ? PURPOSE_SIZE : 0) +
	    ((groups & GROUP_PERSON) != 0 ? PERSON_SIZE : 0) +
	    ((groups & GROUP_SUBJECT) != 0 ? SUBJECT_SIZE : 0) +
	    ((groups & GROUP_LIST) != 0 ? LIST_SIZE : 0) +
	    ((groups & GROUP_DOCUMENT) != 0 ? HASH_SIZE : 0) +
	    ((groups & GROUP_SIGNED) != 0 ? SIGNED_SIZE : 0);
}

static void
put_common(struct wire_writer *writer, const struct ledger_read *read, size_t size)
{
	const struct ledger_entry *entry = &read->entry;

	wire_put_u8(writer, ENTRY_VERSION);
	wire_put_u8(writer, (uint8_t)entry->type);
	wire_put_u16(writer, (uint16_t)size);
	wire_put_i64(writer, entry->time_us);
	wire_put_raw(writer, entry->salt, sizeof(entry->salt));
	wire_put_raw(writer, read->staff, sizeof(read->staff));
	wire_put_u32(writer, entry->device);
	wire_put_u32(writer, entry->session);
	wire_put_u32(writer, entry->policy_version);
	wire_put_u8(writer, entry->zone);
	wire_put_u8(writer, entry->guard);
	wire_put_u8(writer, entry->grade);
	wire_put_u8(writer, entry->outcome);
}

enum az_status
ledger_entry_encode(const struct ledger_read *read, struct buffer *buffer)
{
	const struct ledger_entry *entry = &read->entry;
	struct wire_writer writer;
	unsigned int groups;

	if (ledger_entry_name(entry->type) == NULL)
		return AZ_INVALID;
	groups = types[entry->type].groups;
	wire_writer_init(&writer, buffer);
	put_common(&writer, read, encoded_size(groups));
	if ((groups & GROUP_PURPOSE) != 0) {
		wire_put_u32(&writer, entry->purpose);
		wire_put_u32(&writer, entry->campaign);
		wire_put_u16(&writer, entry->reason);
		wire_put_u8(&writer, entry->basis);
		wire_put_u8(&writer, 0);
		wire_put_u16(&writer, entry->kinds);
		wire_put_u64(&writer, entry->request);
		wire_put_u32(&writer, entry->rows);
		wire_put_raw(&writer, entry->call, sizeof(entry->call));
	}
	if ((groups & GROUP_PERSON) != 0) {
		wire_put_raw(&writer, read->record, sizeof(read->record));
		wire_put_u32(&writer, entry->version);
		wire_put_u64(&writer, entry->shown);
		wire_put_u64(&writer, entry->masked);
	}
	if ((groups & GROUP_SUBJECT) != 0) {
		wire_put_u32(&writer, entry->subject);
		wire_put_u32(&writer, entry->detail);
		wire_put_u64(&writer, entry->detail64);
		wire_put_u32(&writer, entry->rows);
		wire_put_raw(&writer, entry->text, sizeof(entry->text));
	}
	if ((groups & GROUP_LIST) != 0) {
		wire_put_u64(&writer, entry->consignment);
		wire_put_u32(&writer, (uint32_t)entry->as_of);
		wire_put_u32(&writer, entry->accepted);
		wire_put_u32(&writer, entry->refused);
		wire_put_u32(&writer, entry->new_records);
		wire_put_u32(&writer, entry->new_versions);
		wire_put_u32(&writer, entry->unchanged);
		wire_put_raw(&writer, entry->sha256, sizeof(entry->sha256));
		wire_put_raw(&writer, entry->root, sizeof(entry->root));
	}
	if ((groups & GROUP_DOCUMENT) != 0)
		wire_put_raw(&writer, entry->document, sizeof(entry->document));
	if ((groups & GROUP_SIGNED) != 0)
		wire_put_raw(&writer, entry->signature, sizeof(entry->signature));
	return writer.status;
}

static void
get_common(struct wire_reader *reader, struct ledger_read *read)
{
	struct ledger_entry *entry = &read->entry;

	entry->time_us = wire_get_i64(reader);
	wire_get_raw(reader, entry->salt, sizeof(entry->salt));
	wire_get_raw(reader, read->staff, sizeof(read->staff));
	entry->device = wire_get_u32(reader);
	entry->session = wire_get_u32(reader);
	entry->policy_version = wire_get_u32(reader);
	entry->zone = wire_get_u8(reader);
	entry->guard = wire_get_u8(reader);
	entry->grade = wire_get_u8(reader);
	entry->outcome = wire_get_u8(reader);
}

/* Returns the padding byte, which must be zero. */
static uint8_t
get_purpose(struct wire_reader *reader, struct ledger_entry *entry)
{
	uint8_t padding;

	entry->purpose = wire_get_u32(reader);
	entry->campaign = wire_get_u32(reader);
	entry->reason = wire_get_u16(reader);
	entry->basis = wire_get_u8(reader);
	padding = wire_get_u8(reader);
	entry->kinds = wire_get_u16(reader);
	entry->request = wire_get_u64(reader);
	entry->rows = wire_get_u32(reader);
	wire_get_raw(reader, entry->call, sizeof(entry->call));
	return padding;
}

/* Returns whether the count of rows, which stands in both groups of some types, is the same in both. */
static bool
get_subject(struct wire_reader *reader, bool has_purpose, struct ledger_entry *entry)
{
	uint32_t rows = entry->rows;

	entry->subject = wire_get_u32(reader);
	entry->detail = wire_get_u32(reader);
	entry->detail64 = wire_get_u64(reader);
	entry->rows = wire_get_u32(reader);
	wire_get_raw(reader, entry->text, sizeof(entry->text));
	return !has_purpose || rows == entry->rows;
}

static void
get_list(struct wire_reader *reader, struct ledger_entry *entry)
{
	entry->consignment = wire_get_u64(reader);
	entry->as_of = (int32_t)wire_get_u32(reader);
	entry->accepted = wire_get_u32(reader);
	entry->refused = wire_get_u32(reader);
	entry->new_records = wire_get_u32(reader);
	entry->new_versions = wire_get_u32(reader);
	entry->unchanged = wire_get_u32(reader);
	wire_get_raw(reader, entry->sha256, sizeof(entry->sha256));
	wire_get_raw(reader, entry->root, sizeof(entry->root));
}

enum az_status
ledger_entry_decode(struct bytes bytes, uint32_t log, struct ledger_read *ret_entry)
{
	struct ledger_read read = {.entry.log = log};
	struct wire_reader reader;
	unsigned int groups;
	uint8_t padding = 0;

	wire_reader_init(&reader, bytes);
	if (wire_get_u8(&reader) != ENTRY_VERSION)
		return AZ_CORRUPT;
	read.entry.type = (enum entry_type)wire_get_u8(&reader);
	if (ledger_entry_name(read.entry.type) == NULL)
		return AZ_CORRUPT;
	groups = types[read.entry.type].groups;
	if (wire_get_u16(&reader) != bytes.size || bytes.size != encoded_size(groups))
		return AZ_CORRUPT;
	get_common(&reader, &read);
	if ((groups & GROUP_PURPOSE) != 0)
		padding |= get_purpose(&reader, &read.entry);
	if ((groups & GROUP_PERSON) != 0) {
		wire_get_raw(&reader, read.record, sizeof(read.record));
		read.entry.version = wire_get_u32(&reader);
		read.entry.shown = wire_get_u64(&reader);
		read.entry.masked = wire_get_u64(&reader);
	}
	if ((groups & GROUP_SUBJECT) != 0 &&
	    !get_subject(&reader, (groups & GROUP_PURPOSE) != 0, &read.entry))
		return AZ_CORRUPT;
	if ((groups & GROUP_LIST) != 0)
		get_list(&reader, &read.entry);
	if ((groups & GROUP_DOCUMENT) != 0)
		wire_get_raw(&reader, read.entry.document, sizeof(read.entry.document));
	if ((groups & GROUP_SIGNED) != 0)
		wire_get_raw(&reader, read.entry.signature, sizeof(read.entry.signature));
	if (!wire_end(&reader) || padding != 0)
		return AZ_CORRUPT;
	*ret_entry = read;
	return AZ_OK;
}

bool
ledger_entry_peek(struct bytes bytes, enum entry_type *ret_type, int64_t *ret_time_us)
{
	const uint8_t *group;
	unsigned int groups;
	size_t type;

	if (bytes.size < COMMON_SIZE || bytes.data[0] != ENTRY_VERSION)
		return false;
	type = bytes.data[1];
	if (type >= AZ_ARRAY_SIZE(types) || types[type].name == NULL)
		return false;
	groups = types[type].groups;
	if (wire_load_u16(bytes.data + 2) != bytes.size || bytes.size != encoded_size(groups))
		return false;
	group = bytes.data + COMMON_SIZE;
	if ((groups & GROUP_PURPOSE) != 0) {
		const uint8_t *subject =
		    group + PURPOSE_SIZE + ((groups & GROUP_PERSON) != 0 ? PERSON_SIZE : 0);

		if (group[PADDING_AT] != 0 ||
		    ((groups & GROUP_SUBJECT) != 0 &&
			wire_load_u32(group + ROWS_AT) != wire_load_u32(subject + ROWS_TOO_AT)))
			return false;
	}
	*ret_type = (enum entry_type)type;
	*ret_time_us = (int64_t)wire_load_u64(bytes.data + TIME_AT);
	return true;
}
