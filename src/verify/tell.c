/*
 * An entry in words.
 *
 * A log names people by pseudonyms, under a key of the log's own: the first eight digits tell them apart well enough to
 * read, the whole stands in JSON, and the house can say whose it is. What a purpose, a campaign or a consignment of
 * a number is called, the log does not say either. Only codes and numbers come in here, so nothing that is printed can
 * be chosen freely by whoever wrote the log.
 */
#include <string.h>

#include "base/clock.h"
#include "verify/verify.h"

#define SHORT_SIZE 4u /* bytes of a pseudonym that people read */
#define TIME_SIZE  48u

static bool
is_zero(const uint8_t *data, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= data[i];
	return any == 0;
}

static void
short_name(const uint8_t pseudonym[PSEUDONYM_SIZE], char text[2 * SHORT_SIZE + 1])
{
	hex_encode(bytes_make(pseudonym, SHORT_SIZE), text);
}

/* --- lists of names ---------------------------------------------------------------------------- */

static void
field_text(unsigned int field, char text[32])
{
	const char *name = field_name(field);

	if (name != NULL)
		(void)snprintf(text, 32, "%s", name);
	else
		(void)snprintf(text, 32, "own field %u", (field - FIELD_X_FIRST + 1) & 0xffu);
}

/* "name, birth and phone (in part)" */
static void
print_fields(FILE *file, uint64_t shown, uint64_t masked)
{
	bool any = false;

	if (shown == 0)
		(void)fputs("no field", file);
	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		uint64_t above = field + 1 < FIELD_COUNT ? shown >> (field + 1) : 0;
		char text[32];

		if ((shown >> field & 1) == 0)
			continue;
		field_text(field, text);
		(void)fprintf(file, "%s%s%s",
		    !any             ? ""
			: above != 0 ? ", "
				     : " and ",
		    text, (masked >> field & 1) != 0 ? " (in part)" : "");
		any = true;
	}
}

static void
print_channels(FILE *file, uint64_t channels)
{
	for (unsigned int channel = 1; channel < CHANNEL_COUNT; channel++) {
		if ((channels >> channel & 1) != 0)
			(void)fprintf(file, " %s", channel_name((enum channel)channel));
	}
}

/* --- one entry -------------------------------------------------------------------------------- */

/* The whys that all entries of a client's log have: "; enquiry, manual-search, purpose 2, call given". */
static void
print_why(FILE *file, const struct ledger_entry *entry)
{
	const char *reason = reason_name((enum reason)entry->reason);
	const char *basis = basis_name((enum basis)entry->basis);
	const char *mark = ": ";

	if (reason != NULL) {
		(void)fprintf(file, "%s%s", mark, reason);
		mark = ", ";
	}
	if (basis != NULL) {
		(void)fprintf(file, "%s%s", mark, basis);
		mark = ", ";
	}
	if (entry->purpose != 0) {
		(void)fprintf(file, "%spurpose %u", mark, entry->purpose);
		mark = ", ";
	}
	if (entry->campaign != 0) {
		(void)fprintf(file, "%scampaign %u", mark, entry->campaign);
		mark = ", ";
	}
	if (!is_zero(entry->call, sizeof(entry->call)))
		(void)fprintf(file, "%scall reference given", mark);
}

static void
print_record(FILE *file, const struct ledger_read *read)
{
	char record[2 * SHORT_SIZE + 1];

	short_name(read->record, record);
	(void)fprintf(file, "record %s", record);
	if (read->entry.version != 0)
		(void)fprintf(file, " version %u", read->entry.version);
}

static void
print_list(FILE *file, const struct ledger_entry *entry)
{
	char day[11];

	date_format(entry->as_of, day);
	(void)fprintf(file,
	    "list %llu as of %s: %u accepted, %u refused, %u new people, %u new versions, %u "
	    "unchanged",
	    (unsigned long long)entry->consignment, day, entry->accepted, entry->refused,
	    entry->new_records, entry->new_versions, entry->unchanged);
}

static void
print_restriction(FILE *file, const struct ledger_read *read)
{
	static const char *const words[RESTRICT_COUNT] = {
	    [RESTRICT_NOBODY] = "hid from everybody ",
	    [RESTRICT_PAIR] = "put under two people ",
	    [RESTRICT_LIFT] = "lifted the restriction of ",
	    [RESTRICT_OPEN] = "had opened for some minutes ",
	};
	const char *word = read->entry.detail < RESTRICT_COUNT ? words[read->entry.detail] : NULL;

	(void)fputs(word != NULL ? word : "restricted ", file);
	print_fields(file, read->entry.detail64, 0);
	(void)fputs(" of ", file);
	print_record(file, read);
}

/* Entries of the house's own log, and what needs no words of its own. */
static void
print_plain(FILE *file, const struct ledger_entry *entry)
{
	const char *outcome = entry->outcome != AZ_OK && entry->outcome != AZ_INTERNAL
	    ? az_status_name((enum az_status)entry->outcome)
	    : NULL;

	(void)fprintf(file, "%s", ledger_entry_name(entry->type));
	if (entry->subject != 0)
		(void)fprintf(file, ", subject %u", entry->subject);
	if (entry->detail != 0)
		(void)fprintf(file, ", detail %u", entry->detail);
	if (entry->rows != 0)
		(void)fprintf(file, ", rows %u", entry->rows);
	if (outcome != NULL)
		(void)fprintf(file, ", %s", outcome);
}

/* Where a log goes on that had been seen to have more. */
static void
print_loss(FILE *file, const struct ledger_entry *entry)
{
	char root[2 * sizeof(entry->document) + 1];

	hex_encode(bytes_make(entry->document, sizeof(entry->document)), root);
	(void)fprintf(
	    file, "declared a loss: from here on the log is of generation %u", entry->detail);
	if (entry->detail64 != 0)
		(void)fprintf(file, "; it had been seen with %llu entries, root %s",
		    (unsigned long long)entry->detail64, root);
}

/* What one log knows of another, and what a witness vouched for. */
static void
print_vouched(FILE *file, const struct ledger_entry *entry)
{
	char root[2 * sizeof(entry->document) + 1];
	char log[32] = "the house's own log";
	char when[TIME_SIZE];

	hex_encode(bytes_make(entry->document, sizeof(entry->document)), root);
	if (entry->subject != 0)
		(void)snprintf(log, sizeof(log), "the log of client %u", entry->subject);
	if (entry->type == ENTRY_COMMITTED) {
		(void)fprintf(file, "%s has %llu entries, root %s", log,
		    (unsigned long long)entry->detail64, root);
		return;
	}
	clock_format_local((int64_t)entry->rows * 1000000, when, sizeof(when));
	(void)fprintf(file, "brought what witness %u cosigned on %s: %llu entries of %s, root %s",
	    entry->detail, when, (unsigned long long)entry->detail64, log, root);
}

static void
print_witness(FILE *file, const struct ledger_entry *entry)
{
	if (entry->detail != 3)
		(void)fprintf(file, "%s witness %u", entry->detail == 2 ? "retired" : "enrolled",
		    entry->subject);
	else if (entry->detail64 == 0)
		(void)fputs("let cosignatures be of any age", file);
	else
		(void)fprintf(file, "let cosignatures be at most %llu hours old",
		    (unsigned long long)entry->detail64);
}

static void
print_person_entry(FILE *file, const struct ledger_read *read, const char *before)
{
	(void)fputs(before, file);
	print_record(file, read);
}

static void
print_what(FILE *file, const struct ledger_read *read)
{
	const struct ledger_entry *entry = &read->entry;
	const char *outcome;

	switch ((unsigned int)entry->type) {
	case ENTRY_ENTRUSTED:
		(void)fputs("entrusted ", file);
		print_list(file, entry);
		return;
	case ENTRY_ENTRUSTED_FULL:
		(void)fputs("entrusted the whole of ", file);
		print_list(file, entry);
		(void)fprintf(file, "; %u people are absent from it", entry->detail);
		return;
	case ENTRY_WITHDRAWN:
		(void)fputs("withdrew the people of ", file);
		print_list(file, entry);
		(void)fprintf(file, "; %u people were withdrawn", entry->detail);
		return;
	case ENTRY_DESTROYING:
	case ENTRY_DESTROYED:
		(void)fprintf(file, "%s list %llu, of %u rows",
		    entry->type == ENTRY_DESTROYED ? "the house destroyed"
						   : "the house began to destroy",
		    (unsigned long long)entry->detail64, entry->detail);
		return;
	case ENTRY_REJECTED_LIST:
		(void)fputs("had refused ", file);
		print_list(file, entry);
		return;
	case ENTRY_DISCLOSED:
		(void)fputs("saw ", file);
		print_fields(file, entry->shown, entry->masked);
		print_person_entry(file, read, " of ");
		break;
	case ENTRY_AMBIGUOUS:
		(void)fputs("asked for somebody, and several matched: nobody was shown", file);
		break;
	case ENTRY_NOT_FOUND: (void)fputs("asked for somebody who was not found", file); break;
	case ENTRY_WITHHELD:
		print_person_entry(file, read, "asked, and the store's answer was withheld: ");
		break;
	case ENTRY_UNMASKED:
		(void)fputs("had unmasked, for a reason that the house keeps: ", file);
		print_fields(file, entry->detail64, 0);
		print_person_entry(file, read, " of ");
		break;
	case ENTRY_CHECKED:
		(void)fputs("had compared with a value, inside the house only: ", file);
		print_fields(file, entry->shown, 0);
		print_person_entry(file, read, " of ");
		break;
	case ENTRY_CHECK_ANSWERED:
		(void)fprintf(file, "was told %s about ", entry->outcome == AZ_OK ? "yes" : "no");
		print_fields(file, entry->shown, 0);
		print_person_entry(file, read, " of ");
		break;
	case ENTRY_STATEMENT:
		(void)fprintf(file,
		    "handed out a statement of this log, %u entries from %llu on, by standing "
		    "approval %u",
		    entry->detail, (unsigned long long)entry->detail64, entry->subject);
		return;
	case ENTRY_HANDED_OVER:
		(void)fprintf(file, "handed over to a colleague, for %u minutes: ", entry->detail);
		print_record(file, read);
		break;
	case ENTRY_CORRECTING:
		print_person_entry(
		    file, read, "had opened, inside the house only, to be corrected: ");
		break;
	case ENTRY_CORRECTED:
		(void)fputs("corrected ", file);
		print_fields(file, entry->shown, 0);
		print_person_entry(file, read, " of ");
		break;
	case ENTRY_ATTEMPT:
		outcome = attempt_name((enum attempt)entry->detail);
		print_person_entry(file, read, "tried to reach ");
		(void)fprintf(file, ": %s", outcome != NULL ? outcome : "other");
		break;
	case ENTRY_ATTEMPTS_LISTED:
		print_person_entry(file, read, "read the earlier calls of ");
		break;
	case ENTRY_STOP:
		(void)fputs(entry->detail == 2 ? "lifted the stop of" : "stopped", file);
		print_channels(file, entry->detail64);
		print_person_entry(file, read, " for ");
		break;
	case ENTRY_RESTRICTED: print_restriction(file, read); break;
	case ENTRY_TRACE_OPENED:
		(void)fprintf(file,
		    "had %u rows opened, inside the house only, to compare a leaked list with "
		    "them: "
		    "case %u",
		    entry->rows, entry->subject);
		return;
	case ENTRY_SCAN_FOUND:
		(void)fprintf(file,
		    "looked through files or a disk, and found telephones or mail addresses of %u "
		    "people there: case %u",
		    entry->rows, entry->subject);
		return;
	case ENTRY_DECLARED_LOSS: print_loss(file, entry); return;
	case ENTRY_COMMITTED:
	case ENTRY_COSIGNED: print_vouched(file, entry); return;
	case ENTRY_WITNESS: print_witness(file, entry); return;
	case ENTRY_CAMPAIGN:
		(void)fprintf(file, "%s campaign %u", entry->detail == 2 ? "closed" : "began",
		    entry->subject);
		break;
	default: print_plain(file, entry); return;
	}
	print_why(file, entry);
}

void
tell_entry(FILE *file, const struct ledger_read *read)
{
	char when[TIME_SIZE];
	char staff[2 * SHORT_SIZE + 1];

	clock_format_local(read->entry.time_us, when, sizeof(when));
	if (is_zero(read->staff, sizeof(read->staff))) {
		(void)fprintf(file, "%s  ", when);
	} else {
		short_name(read->staff, staff);
		(void)fprintf(file, "%s  staff %s ", when, staff);
	}
	print_what(file, read);
}

/* --- for programs ----------------------------------------------------------------------------- */

static json_t *
json_fields(uint64_t fields)
{
	json_t *array = json_array();

	for (unsigned int field = 0; field < FIELD_COUNT; field++) {
		char text[32];

		if ((fields >> field & 1) == 0)
			continue;
		field_text(field, text);
		(void)json_array_append_new(array, json_string(text));
	}
	return array;
}

static void
set_pseudonym(json_t *object, const char *name, const uint8_t pseudonym[PSEUDONYM_SIZE])
{
	char text[2 * PSEUDONYM_SIZE + 1];

	if (is_zero(pseudonym, PSEUDONYM_SIZE))
		return;
	hex_encode(bytes_make(pseudonym, PSEUDONYM_SIZE), text);
	(void)json_object_set_new(object, name, json_string(text));
}

static void
set_number(json_t *object, const char *name, uint64_t number)
{
	if (number != 0)
		(void)json_object_set_new(object, name, json_integer((json_int_t)number));
}

static void
set_name(json_t *object, const char *name, const char *value)
{
	if (value != NULL)
		(void)json_object_set_new(object, name, json_string(value));
}

static void
set_list(json_t *object, const struct ledger_entry *entry)
{
	char hex[2 * SHA256_SIZE + 1];
	char day[11];

	date_format(entry->as_of, day);
	(void)json_object_set_new(object, "as_of", json_string(day));
	(void)json_object_set_new(object, "accepted", json_integer(entry->accepted));
	(void)json_object_set_new(object, "refused", json_integer(entry->refused));
	(void)json_object_set_new(object, "new_records", json_integer(entry->new_records));
	(void)json_object_set_new(object, "new_versions", json_integer(entry->new_versions));
	(void)json_object_set_new(object, "unchanged", json_integer(entry->unchanged));
	hex_encode(bytes_make(entry->sha256, SHA256_SIZE), hex);
	(void)json_object_set_new(object, "sha256", json_string(hex));
	hex_encode(bytes_make(entry->root, SHA256_SIZE), hex);
	(void)json_object_set_new(object, "root", json_string(hex));
}

json_t *
tell_json(uint64_t index, const struct ledger_read *read)
{
	const struct ledger_entry *entry = &read->entry;
	char when[TIME_SIZE];
	json_t *object;

	clock_format_utc(entry->time_us, when, sizeof(when));
	object = json_pack("{s:I, s:s, s:s}", "index", (json_int_t)index, "time", when, "type",
	    ledger_entry_name(entry->type));
	if (object == NULL)
		return NULL;
	set_pseudonym(object, "staff", read->staff);
	set_number(object, "device", entry->device);
	set_number(object, "session", entry->session);
	set_number(object, "purpose", entry->purpose);
	set_number(object, "campaign", entry->campaign);
	set_name(object, "reason", reason_name((enum reason)entry->reason));
	set_name(object, "basis", basis_name((enum basis)entry->basis));
	set_pseudonym(object, "record", read->record);
	set_number(object, "version", entry->version);
	if (entry->shown != 0)
		(void)json_object_set_new(object, "shown", json_fields(entry->shown));
	if (entry->masked != 0)
		(void)json_object_set_new(object, "in_part", json_fields(entry->masked));
	if (!is_zero(entry->call, sizeof(entry->call)))
		(void)json_object_set_new(object, "call", json_true());
	set_number(object, "subject", entry->subject);
	set_number(object, "detail", entry->detail);
	if (entry->detail64 <= INT64_MAX)
		set_number(object, "detail64", entry->detail64);
	set_number(object, "rows", entry->rows);
	if (entry->type == ENTRY_COMMITTED || entry->type == ENTRY_COSIGNED) {
		char hex[2 * sizeof(entry->document) + 1];

		hex_encode(bytes_make(entry->document, sizeof(entry->document)), hex);
		(void)json_object_set_new(object, "root", json_string(hex));
	}
	set_number(object, "consignment", entry->consignment);
	if (entry->consignment != 0 || entry->type == ENTRY_REJECTED_LIST)
		set_list(object, entry);
	if (entry->outcome != AZ_OK && entry->outcome != AZ_INTERNAL)
		set_name(object, "outcome", az_status_name((enum az_status)entry->outcome));
	return object;
}
