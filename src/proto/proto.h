/*
 * The words of the design as numbers, and what fields, verbs, roles and labels are called.
 *
 * This folder is the vocabulary that processes share: codes that stand in the ledger for ever
 * (this header is their list). It decides nothing and
 * stores nothing. A code is never reused, and zero never means anything.
 */
#ifndef AZ_PROTO_H
#define AZ_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* --- fields --------------------------------------------------------------------------------- */

/* The bit of a field in every u64 of fields; 16 built in, 48 for a client's own "x:" fields. */
enum field {
	FIELD_NUMBER = 0,
	FIELD_NAME = 1,
	FIELD_SURNAME = 2,
	FIELD_GIVEN = 3,
	FIELD_KANA = 4,
	FIELD_BIRTH = 5,
	FIELD_SEX = 6,
	FIELD_POSTCODE = 7,
	FIELD_ADDRESS = 8,
	FIELD_PHONE = 9,
	FIELD_MOBILE = 10,
	FIELD_EMAIL = 11,
	FIELD_NOTE = 12,
	FIELD_BUILTIN = 13, /* how many are in use; 13 to 15 are kept for later ones */
	FIELD_X_FIRST = 16,
	FIELD_COUNT = 64,
};
#define FIELD_BIT(field) (UINT64_C(1) << (field))
#define FIELD_VALUE_MAX  4096  /* bytes of one value */
#define FIELD_NAME_MAX   40    /* bytes of a field's name with its NUL, "x:" included */
#define ROW_SIZE_MAX     32768 /* bytes of one encoded row */

/* "number" … "note"; NULL for others. */
const char *field_name(unsigned int field);
/* The built-in field called name; false for "x:…" and anything unknown. */
bool field_parse(const char *name, unsigned int *ret_field) AZ_CHECKED;
/* "x:" and 1 to 32 characters out of a-z 0-9 - _ */
bool field_is_x_name(const char *name);

/* One person's delivered values, raw as they came, UTF-8. Absent and empty are the same. */
struct row {
	struct bytes values[FIELD_COUNT]; /* borrowed */
};

/* The encoded row that is sealed: u16 count, then u8 field, u16 size, bytes; fields ascending. */
AZ_CHECKED enum az_status row_encode(const struct row *row, struct buffer *buffer);
AZ_CHECKED enum az_status row_decode(struct bytes bytes, struct row *ret_row);
/* Only which fields it has, as bits: AZ_INVALID exactly where row_decode says so. */
AZ_CHECKED enum az_status row_fields(struct bytes bytes, uint64_t *ret_fields);

/* What a field is about: decides how it is shown unless a purpose says otherwise, and what the law asks. */
enum field_class {
	CLASS_NONE = 0,
	CLASS_IDENTITY = 1,
	CLASS_CONTACT = 2,
	CLASS_FINANCIAL = 3,
	CLASS_CARD = 4,
	CLASS_SENSITIVE = 5,
	CLASS_MY_NUMBER = 6,
	CLASS_OTHER = 7,
	CLASS_COUNT = 8,
};
/* Of a built-in field. Of any other CLASS_OTHER, unless a purpose says what it is. */
enum field_class field_class(unsigned int field);
/* NULL for what is no class. */
const char *class_name(enum field_class class);
bool class_parse(const char *name, enum field_class *ret_class) AZ_CHECKED;
/* The classes that a purpose may allow lists to hold, as bits 1 << enum field_class. */
#define CLASSES_TO_ALLOW (1u << CLASS_CARD | 1u << CLASS_MY_NUMBER)

/* How a purpose shows a field. Zero shows nothing. */
enum mask {
	MASK_HIDDEN = 0,
	MASK_FULL = 1,
	MASK_LAST4 = 2,  /* all but the last four letters or digits become '*' */
	MASK_FIRST = 3,  /* the first character, then "***" */
	MASK_YEAR = 4,   /* of a date: the year */
	MASK_DOMAIN = 5, /* of an e-mail address: "***@" and the domain */
	MASK_CHECK = 6,  /* nothing of it is shown, and a value may be checked against it */
};
/* NULL for what is no mask; so are the other names below. */
const char *mask_name(enum mask mask);
bool mask_parse(const char *name, enum mask *ret_mask) AZ_CHECKED;
/* How a field of a class is shown where nothing is said. */
enum mask class_mask(enum field_class class);

/* --- codes ---------------------------------------------------------------------------------- */

enum role {
	ROLE_NONE = 0,
	ROLE_AGENT = 1,
	ROLE_SUPERVISOR = 2,
	ROLE_OFFICER = 3,
	ROLE_INVESTIGATOR = 4,
	ROLE_MAINTAINER = 5,
	ROLE_COUNT = 6,
};

enum verb {
	VERB_NONE = 0,
	VERB_STATUS = 1,
	VERB_CLIENT = 2, /* add, close; listing is free to whoever may status or add */
	VERB_PURPOSE = 3,
	VERB_STAFF = 4,
	VERB_DEVICE = 5,
	VERB_ENTRUST = 6,
	VERB_DISCLOSE = 7,
	VERB_LEDGER_VERIFY = 8,
	VERB_LEDGER_QUERY = 9,
	VERB_CLIENT_LIST = 10,
	VERB_PURPOSE_LIST = 11,
	VERB_STAFF_LIST = 12,
	VERB_DEVICE_LIST = 13,
	VERB_CORRECT = 16,
	VERB_MAP = 14, /* a client's map of columns */
	VERB_MAP_SHOW = 15,
	VERB_STOP = 17,
	VERB_RESTRICT = 18,
	VERB_CAMPAIGN = 19,
	VERB_CAMPAIGN_LIST = 20,
	VERB_ATTEMPT = 21,
	VERB_RECEIPT = 22,
	VERB_LEDGER_EXPORT = 32, /* and checkpoint, proof */
	VERB_WITNESS = 33,       /* enrol, retire, how old cosignatures may be */
	VERB_WITNESS_LIST = 34,
	VERB_COSIGNED = 35, /* bringing what a witness cosigned */
	VERB_GUARD = 64,    /* what only guards may: no role */
	VERB_GRANT = 65,
	VERB_GRANT_LIST = 66,
	VERB_POLICY = 72,
	VERB_POLICY_LIST = 73,
	VERB_APPROVE = 36,
	VERB_REFUSE = 37,
	VERB_APPROVALS = 38, /* officers see all requests, others their own */
	VERB_INVITE = 39,
	VERB_BACKUP = 30,
	VERB_DECLARE_LOSS = 31,
	VERB_AUTHENTICATOR = 40, /* another key for somebody */
	VERB_CHECK = 43,         /* whether a field of one person is a value */
	VERB_HAND_OVER = 44,
	VERB_ZONE = 41, /* add, change, close; what roles are bound to */
	VERB_ZONE_LIST = 42,
	VERB_SLOTS = 45, /* whose passphrases open the house */
	VERB_SLOT_GIVE = 46,
	VERB_SLOTS_LIST = 47,
	VERB_STANDING = 48,  /* a standing approval */
	VERB_STATEMENT = 49, /* what one allows */
	VERB_CASE = 56,      /* open, allow */
	VERB_TRACE = 57,
	VERB_HISTORY = 58,
	VERB_CASE_LIST = 59,
	VERB_CASE_CLOSE = 60,
	VERB_HISTORY_IMPORT = 61, /* the rows of what was approved */
	VERB_HISTORY_LIST = 62,
	VERB_SCAN = 63,  /* files and disks, for what is the house's */
	VERB_COUNT = 96, /* numbers between them that have no name are no verbs */
};

/* Of a statement about a client's log. Bits 1 << column. */
enum statement_column {
	STATEMENT_INDEX = 0,
	STATEMENT_TIME = 1,
	STATEMENT_TYPE = 2,
	STATEMENT_STAFF = 3,
	STATEMENT_DEVICE = 4,
	STATEMENT_PURPOSE = 5,
	STATEMENT_REASON = 6,
	STATEMENT_BASIS = 7,
	STATEMENT_RECORD = 8,
	STATEMENT_VERSION = 9,
	STATEMENT_SHOWN = 10,
	STATEMENT_MASKED = 11,
	STATEMENT_OUTCOME = 12,
	STATEMENT_COUNT = 13,
};
/* NULL: there is none. */
const char *statement_column_name(unsigned int column);
bool statement_column_parse(const char *name, unsigned int *ret_column);

enum reason {
	REASON_NONE = 0,
	REASON_ENQUIRY = 1,
	REASON_OUTBOUND = 2,
	REASON_CALLBACK = 3,
	REASON_COMPLAINT = 4,
	REASON_PAYMENT = 5,
	REASON_IDENTITY_CHECK = 6,
	REASON_CORRECTION = 7,
	REASON_PERSONS_REQUEST = 8,
	REASON_SUSPICION = 9,
	REASON_AUDIT = 10,
	REASON_AUTHORITY = 11,
	REASON_COUNT = 12,
};

enum basis {
	BASIS_NONE = 0,
	BASIS_DIALLED = 1,
	BASIS_INBOUND_MATCH = 2,
	BASIS_CALLBACK = 3,
	BASIS_MANUAL_SEARCH = 4,
	BASIS_HAND_OVER = 5,
	BASIS_CASE = 6,
	BASIS_COUNT = 7,
};

/* The zones of an officer's making count from ZONE_FIRST; ZONE_NONE is nowhere. */
enum zone_id { ZONE_NONE = 0, ZONE_LOOPBACK = 1, ZONE_FIRST = 2, ZONE_COUNT = 64 };
#define ZONE_BIT(zone)      (UINT64_C(1) << (zone))
#define ZONE_LOOPBACK_LABEL "loopback"
enum guard_state {
	GUARD_NONE = 0,
	GUARD_SILENT = 1,
	GUARD_LIVE = 2
}; /* none: the device has no guard */
enum grade { GRADE_NONE = 0, GRADE_OWN = 1, GRADE_CAPTURED = 2, GRADE_IMPORTED = 3 };

/* Kinds of match keys that can be looked up; the bit 1 << kind stands in ledger entries. */
enum match_kind {
	MATCH_NONE = 0,
	MATCH_NUMBER = 1,
	MATCH_PHONE = 2,
	MATCH_EMAIL = 3,
	MATCH_NAME_BIRTH = 4,
	MATCH_NAME_PLACE = 5,
	MATCH_ASKED = 6, /* not a kind: those from here on are for fingerprints only */
	MATCH_KANA_BIRTH = 6,
	MATCH_PLACE_BUILDING = 7,
	MATCH_NAME = 8, /* these three give candidates, and prove nothing alone */
	MATCH_BIRTH_REGION = 9,
	MATCH_POSTCODE_NUMBER = 10,
	MATCH_KINDS = 11,
};

/* Ways to reach somebody; the bit 1 << channel stands for a stop of it. */
enum channel {
	CHANNEL_NONE = 0,
	CHANNEL_PHONE = 1,
	CHANNEL_SMS = 2,
	CHANNEL_EMAIL = 3,
	CHANNEL_POST = 4,
	CHANNEL_COUNT = 5,
};
#define CHANNELS_ALL ((1u << CHANNEL_COUNT) - 2u)
/* How a call or try ended. */
enum attempt {
	ATTEMPT_NONE = 0,
	ATTEMPT_REACHED = 1,
	ATTEMPT_NO_ANSWER = 2,
	ATTEMPT_BUSY = 3,
	ATTEMPT_VOICEMAIL = 4,
	ATTEMPT_WRONG_NUMBER = 5,
	ATTEMPT_CALLBACK = 6,
	ATTEMPT_REFUSED = 7,
	ATTEMPT_OTHER = 8,
	ATTEMPT_COUNT = 9,
};
const char *attempt_name(enum attempt attempt);
bool attempt_parse(const char *name, enum attempt *ret_attempt) AZ_CHECKED;

const char *channel_name(enum channel channel);
bool channel_parse(const char *name, enum channel *ret_channel) AZ_CHECKED;

/* What is done to fields of one person. */
enum restriction {
	RESTRICT_NONE = 0,
	RESTRICT_NOBODY = 1, /* nobody sees them */
	RESTRICT_PAIR = 2,   /* two people open them */
	RESTRICT_LIFT = 3,
	RESTRICT_OPEN = 4, /* what two people open is open to one human for some minutes */
	RESTRICT_COUNT = 5,
};

const char *role_name(enum role role);
bool role_parse(const char *name, enum role *ret_role) AZ_CHECKED;
const char *verb_name(enum verb verb);
const char *reason_name(enum reason reason);
bool reason_parse(const char *name, enum reason *ret_reason) AZ_CHECKED;
const char *basis_name(enum basis basis);
bool basis_parse(const char *name, enum basis *ret_basis) AZ_CHECKED;
const char *match_kind_name(enum match_kind kind);
bool match_kind_parse(
    const char *name, enum match_kind *ret_kind) AZ_CHECKED; /* one that is asked by */
/* By which people of a list without numbers can be joined: bits 1 << kind. */
#define JOIN_KINDS                                                                                 \
	(1u << MATCH_PHONE | 1u << MATCH_EMAIL | 1u << MATCH_NAME_BIRTH | 1u << MATCH_NAME_PLACE)

/* --- labels --------------------------------------------------------------------------------- */

/* A short name that people type: 1 to 31 characters out of a-z A-Z 0-9 - _ . */
#define LABEL_SIZE 32
bool label_is_valid(const char *label);
#define NAME_SIZE 128 /* a free name, UTF-8 without control characters, with its NUL */
bool name_is_valid(const char *name);
#define CALL_SIZE 64 /* a call reference with its NUL; printable ASCII */
bool call_is_valid(const char *call);

/* A log's size and root as carried in replies. Log 0 is the house's, n the client's. */
struct head {
	uint32_t log;
	uint32_t generation;
	uint64_t size;
	uint8_t root[32];
};
#define HEADS_MAX 4200

/* What a list says of whom it does not name, and of whom it does. */
enum list_mode {
	LIST_NONE = 0,
	LIST_ADD = 1,      /* these people, beside those of other lists */
	LIST_FULL = 2,     /* these people and nobody else, for its purpose */
	LIST_WITHDRAW = 3, /* these people no more */
	LIST_MODES = 4,
};
const char *list_mode_name(enum list_mode mode); /* NULL for one that is none */
bool list_mode_parse(const char *name, enum list_mode *ret_mode) AZ_CHECKED;

/* Why a row of a list was refused. */
enum refusal {
	REFUSAL_NONE = 0,
	REFUSAL_COLUMNS = 1,   /* more or fewer values than the header has */
	REFUSAL_NO_NUMBER = 2, /* the number is empty */
	REFUSAL_DUPLICATE = 3, /* an earlier row of this list has the same number */
	REFUSAL_ENCODING = 4,  /* bytes that are no text in the list's encoding */
	REFUSAL_CONTROL = 5,   /* a control character inside a value */
	REFUSAL_TOO_LONG = 6,  /* a value or the row is over the limit */
	REFUSAL_QUOTE = 7,     /* a quote that is never closed */
	REFUSAL_EMPTY = 8,     /* nothing but the number */
	REFUSAL_NO_PERSON = 9, /* a total or a header in the middle of the list */
	/* of lists without numbers: */
	REFUSAL_JOIN_MISSING = 10, /* something that people are joined by is not there */
	REFUSAL_JOIN_SEVERAL = 11, /* several people are that */
	REFUSAL_JOIN_PARTIAL =
	    12, /* some of it says that it is somebody known, some that it is not */
	REFUSAL_JOIN_TWICE = 13,   /* an earlier row of the list is the same person */
	REFUSAL_JOIN_UNKNOWN = 14, /* a withdrawal of somebody whom nobody knows */
	REFUSAL_CARD = 20,         /* a card number, which the purpose does not allow */
	REFUSAL_MY_NUMBER = 21,
	REFUSAL_COUNT = 22,
};
/* NULL for a number that is none. */
const char *refusal_text(enum refusal refusal);

#endif
