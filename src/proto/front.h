/*
 * What a front (CLI, later server and guard) and the keeper say to each other (docs/format/front.md).
 *
 * Outside are frames of base/frame.h that carry the channel (docs/format/channel.md); inside the channel are
 * messages: u16 type, u16 version, u32 id, body. One request is answered by any number of ITEM and
 * PROGRESS and one DONE or FAILED, all with its id. The first request is SIGN_IN; then the heads that
 * the front has seen are presented; then any verb.
 */
#ifndef AZ_PROTO_FRONT_H
#define AZ_PROTO_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "proto/endpoint.h"
#include "proto/proto.h"

/* Outer frames; the frame's id is 0. */
enum front_frame {
	FRONT_HELLO = 1,  /* Noise hello, empty payload */
	FRONT_ANSWER = 2, /* Noise answer, empty payload */
	FRONT_DATA = 3,   /* one sealed message; a descriptor rides along with some */
};
#define FRONT_FRAME_MAX 65535u

/* The channel's prologue: this text and the house id. */
#define FRONT_PROLOGUE      "azukari/v1"
#define FRONT_PROLOGUE_SIZE (sizeof(FRONT_PROLOGUE) - 1 + HOUSE_ID_SIZE)
void front_prologue(const uint8_t house[HOUSE_ID_SIZE], uint8_t data[FRONT_PROLOGUE_SIZE]);

enum front_message {
	FRONT_NONE = 0,
	FRONT_SIGN_IN = 1,
	FRONT_PRESENT = 2,
	FRONT_STATUS = 3,
	FRONT_CLIENT_ADD = 4,
	FRONT_CLIENT_LIST = 5,
	FRONT_CLIENT_CLOSE = 6,
	FRONT_PURPOSE_ADD = 7,
	FRONT_PURPOSE_LIST = 8,
	FRONT_PURPOSE_CLOSE = 9,
	FRONT_STAFF_ADD = 10,
	FRONT_STAFF_LIST = 11,
	FRONT_STAFF_END = 12,
	FRONT_DEVICE_ADD = 13,
	FRONT_DEVICE_LIST = 14,
	FRONT_DEVICE_RETIRE = 15,
	FRONT_ENTRUST = 16,
	FRONT_DISCLOSE = 17,
	FRONT_LEDGER_VERIFY = 18,
	FRONT_LEDGER_QUERY = 19,
	FRONT_MAP_SET = 20,
	FRONT_MAP_SHOW = 21,
	FRONT_RECIPIENT = 24,
	FRONT_RECEIPT = 25,
	FRONT_CORRECT = 26,
	FRONT_STOP = 27,
	FRONT_RESTRICT = 28,
	FRONT_CAMPAIGN_ADD = 29,
	FRONT_CAMPAIGN_LIST = 30,
	FRONT_CAMPAIGN_CLOSE = 31,
	FRONT_ATTEMPT = 32,
	FRONT_ATTEMPT_LIST = 33,
	FRONT_BACKUP = 44, /* hold still, until BACKUP_END or this front goes away */
	FRONT_BACKUP_END = 45,
	FRONT_DECLARE_LOSS = 46,  /* heads that were seen, as in PRESENT */
	FRONT_LEDGER_EXPORT = 48, /* the descriptor to write to rides along */
	FRONT_LEDGER_CHECKPOINT = 49,
	FRONT_LEDGER_PROOF = 50,
	FRONT_WITNESS_ADD = 51,
	FRONT_WITNESS_LIST = 52,
	FRONT_WITNESS_RETIRE = 53,
	FRONT_WITNESS_LIMIT = 54, /* how old cosignatures may be */
	FRONT_COSIGNED = 55,      /* a checkpoint that a witness cosigned */

	FRONT_CASE_OPEN = 88,
	FRONT_CASE_LIST = 89,
	FRONT_CASE_CLOSE = 90,
	FRONT_CASE_ALLOW = 91,     /* a list that looks enumerated */
	FRONT_TRACE_LIST = 92,     /* a list to be traced, which rides along */
	FRONT_TRACE = 93,          /* the lists that were given */
	FRONT_TRACE_ROWS = 94,     /* the same, and what each row is to what rides along */
	FRONT_HISTORY_ADD = 96,    /* what another system says about who saw whom */
	FRONT_HISTORY_IMPORT = 97, /* the rows of one that was approved; the file rides along */
	FRONT_HISTORY_LIST = 98,
	FRONT_SCAN =
	    99, /* files and disks; the socket that tells of them rides along (proto/scan.h) */
	FRONT_DEVICE_GUARD = 104,  /* an authenticator for the guard of a device */
	FRONT_GUARD_SIGN_IN = 105, /* instead of SIGN_IN: by a guard, which may only report */
	FRONT_GUARD_REPORT = 106,
	FRONT_LEDGER_PLUGGED = 107,
	FRONT_GRANT_ADD = 108,
	FRONT_GRANT_LIST = 109,
	FRONT_GRANT_CLOSE = 110,
	FRONT_PUT_SIGN_IN = 111, /* as GUARD_SIGN_IN: a guard's other line, which may only put */
	FRONT_PUT = 112,         /* a file that is to be written to a granted memory */
	FRONT_PUT_BYTES = 113,   /* of it, in order */
	FRONT_PUT_END = 114,     /* answered when it has been decided */
	FRONT_PUT_WRITTEN = 115, /* what came of a yes */
	FRONT_POLICY_ADD = 120,
	FRONT_POLICY_LIST = 121,
	FRONT_POLICY_EXTEND = 122,
	FRONT_POLICY_CLOSE = 123,
	FRONT_ASK = 56,       /* another request, to be approved by somebody else */
	FRONT_APPROVALS = 57, /* what was asked */
	FRONT_APPROVAL = 58,  /* one of them, with its document */
	FRONT_APPROVE = 59,
	FRONT_REFUSE = 60,
	FRONT_INVITE = 61,
	FRONT_REKEY = 62,
	FRONT_UNTIL = 64, /* somebody's last day */
	FRONT_CHECK = 65, /* whether a field of one person is a value */
	FRONT_HAND_OVER = 66,
	FRONT_ZONE_ADD = 67,
	FRONT_ZONE_LIST = 68,
	FRONT_ZONE_CLOSE = 69,
	FRONT_ZONE_ROLE = 70,
	FRONT_SLOTS = 71,
	FRONT_SLOT_GIVE = 72,
	FRONT_SLOTS_LIST = 73,
	FRONT_STANDING_ADD = 74,  /* a standing approval */
	FRONT_STANDING_END = 75,  /* what refuse is to one request */
	FRONT_STANDING_LIST = 76, /* those that there are, with what is left of each */
	FRONT_STATEMENT = 77,     /* a use of one; the file to write to rides along */
	FRONT_ENROL = 63, /* instead of SIGN_IN: by who was invited, and has no key here yet */

	FRONT_DONE = 129, /* heads, then an answer (proto/answer.h) */
	FRONT_FAILED =
	    130,          /* heads, u8 enum az_status, text, then an answer (may be empty bytes) */
	FRONT_ITEM = 131, /* an answer */
	FRONT_PROGRESS = 132, /* u64 done, u64 of (0: not known), text what is counted */
};
#define FRONT_MESSAGE_VERSION 1
#define FRONT_MESSAGE_HEADER  8u

#define FRONT_HEADS_MAX     64u /* in one message; a front that has seen more sends several */
#define FRONT_BY_MAX        4u
#define FRONT_VALUE_MAX     512u
#define FRONT_COLUMNS_MAX   4096u
#define FRONT_PASSWORD_SIZE 257u /* with its NUL */
#define FRONT_QUERY_MAX     500u /* entries are read on the loop: disclosures wait meanwhile */

struct front_sign_in {
	uint8_t staff_key[32];
	uint8_t staff_signature[64];
	uint8_t device_key[32];
	uint8_t device_signature[64];
};

/* What the two signatures are over: a context that no other signature of ours has, then the channel's hash. */
#define FRONT_SIGN_IN_STAFF  "azukari/v1/sign-in/staff\n"
#define FRONT_SIGN_IN_DEVICE "azukari/v1/sign-in/device\n"
#define FRONT_ENROL_STAFF    "azukari/v1/enrol/staff\n"
#define FRONT_SIGN_IN_GUARD  "azukari/v1/sign-in/guard\n"
#define FRONT_HASH_SIZE      32u
#define FRONT_SIGNED_MAX     64u
/* Writes what is to be signed; returns its size. */
size_t front_signed(
    const char *context, const uint8_t hash[FRONT_HASH_SIZE], uint8_t data[FRONT_SIGNED_MAX]);

struct front_present {
	uint32_t count;
	struct head heads[FRONT_HEADS_MAX];
};

struct front_client_add {
	char label[LABEL_SIZE];
	char name[NAME_SIZE];
	char category[NAME_SIZE];
};

/*
 * LIST (client "" for all), CLOSE, END, RETIRE, WITNESS_RETIRE, LEDGER_VERIFY (label "" for all), LEDGER_CHECKPOINT (label "" for
 * the house's log).
 */
struct front_named {
	char client[LABEL_SIZE]; /* of a purpose */
	char label[LABEL_SIZE];
};

#define FRONT_ZONES_MAX 16u
/* Where something is shown. */
struct front_bounds {
	uint8_t count; /* 0: in any zone */
	char zones[FRONT_ZONES_MAX][LABEL_SIZE];
	uint8_t
	    masked; /* 0 or 1: outside of them it is masked, rather than nothing; 0 if there are none */
};

struct front_purpose_add {
	char client[LABEL_SIZE];
	char label[LABEL_SIZE];
	uint32_t roles;  /* bits 1 << enum role */
	int32_t until;   /* days since 1970-01-01 */
	uint32_t allows; /* bits 1 << enum field_class */
	uint8_t field_count;
	struct front_purpose_field {
		char name[FIELD_NAME_MAX];
		uint8_t mask;   /* enum mask */
		uint8_t class;  /* enum field_class */
		uint8_t unmask; /* 0 or 1: it may be shown whole, for a reason */
	} fields[FIELD_COUNT];
	struct front_bounds bounds;
};

struct front_staff_add {
	char label[LABEL_SIZE];
	char name[NAME_SIZE];
	uint8_t role; /* enum role */
	char employer[NAME_SIZE], agency[NAME_SIZE];
	uint8_t tier;
	int32_t from, until; /* days; AZ_DATE_NONE: none is set */
	uint8_t key[32];     /* zeros if they are invited */
};

struct front_invite {
	struct front_staff_add staff;
	uint8_t
	    code_hash[32]; /* SHA-256 of the code that the front made, and gives to who asks only */
	uint32_t seconds;  /* until it is of no use, at most FRONT_INVITE_MAX_S */
};
#define FRONT_INVITE_MAX_S (30u * 86400u)
#define FRONT_INVITE_CODE  16u /* random bytes */

struct front_rekey {
	char label[LABEL_SIZE];
	uint8_t key[32];
};

struct front_until {
	char label[LABEL_SIZE];
	int32_t day; /* AZ_DATE_NONE: none */
};

struct front_enrol {
	uint8_t code[FRONT_INVITE_CODE];
	struct front_sign_in sign_in; /* with the new key, in a context of its own */
};

/* DEVICE_ADD; DEVICE_GUARD, where the key is the guard's. */
struct front_device_add {
	char label[LABEL_SIZE];
	uint8_t key[32];
};

struct front_entrust {
	char client[LABEL_SIZE];
	char purpose[LABEL_SIZE];
	int32_t as_of;
	uint8_t mode;  /* enum list_mode */
	uint16_t join; /* bits 1 << enum match_kind, of JOIN_KINDS; 0: people are known by number */
	uint8_t strict; /* 0 or 1: reject the list if a row is refused */
	char columns[FRONT_COLUMNS_MAX];
	char password[FRONT_PASSWORD_SIZE]; /* of an archive or workbook; "" if it has none */
};

/* Whom somebody looks for, and what for. */
struct front_look {
	char client[LABEL_SIZE];
	char purpose[LABEL_SIZE];
	uint16_t reason;           /* enum reason */
	uint8_t basis;             /* enum basis */
	char campaign[LABEL_SIZE]; /* "": none */
	char call[CALL_SIZE];
	uint32_t record; /* 0: by values; else only with BASIS_HAND_OVER, and by none */
	uint8_t by_count;
	struct front_by {
		uint8_t field;      /* enum field, a built-in one */
		struct bytes value; /* at most FRONT_VALUE_MAX; borrowed from the encoded message */
	} by[FRONT_BY_MAX];
};

#define FRONT_UNMASK_MAX 8u
#define FRONT_WHY_MAX    500u
struct front_disclose {
	struct front_look look;
	uint8_t unmask_count; /* fields that are to be shown whole */
	char unmask[FRONT_UNMASK_MAX][FIELD_NAME_MAX];
	struct bytes
	    why; /* in words, at most FRONT_WHY_MAX; empty exactly if nothing is unmasked; borrowed */
};

struct front_check {
	struct front_look look;
	char field[FIELD_NAME_MAX];
	struct bytes value; /* 1 to FRONT_VALUE_MAX bytes; borrowed */
};

/* Limits of a budget: day, month, life of calls, then of searches. */
#define FRONT_LIMITS 6u
struct front_policy_add {
	uint8_t role; /* enum role */
	uint32_t house[FRONT_LIMITS];
	uint32_t client[FRONT_LIMITS];
	uint32_t minute, hour, slow;
};

struct front_policy_extend {
	char staff[LABEL_SIZE];
	uint8_t class; /* 1 calls, 2 searches */
	uint32_t day, month, life;
	int32_t until; /* the last day; AZ_DATE_NONE: a review, which adds to life only */
};

struct front_policy_close {
	uint32_t id; /* of an extension */
};

/* One person for a verb that shows nothing: by record, or by number. */
struct front_person {
	char client[LABEL_SIZE];
	char purpose[LABEL_SIZE];
	uint16_t reason;     /* enum reason */
	uint32_t record;     /* 0: by number */
	struct bytes number; /* at most FRONT_VALUE_MAX, empty if by record; borrowed */
};

#define FRONT_FIELDS_MAX 16u
struct front_correct {
	struct front_person person;
	char call[CALL_SIZE];
	uint8_t field_count;
	struct front_correct_field {
		char name[FIELD_NAME_MAX];
		struct bytes value; /* may be empty: the field has nothing; borrowed */
	} fields[FRONT_FIELDS_MAX];
};

/* MAP_SET; MAP_SHOW, where columns is empty. */
struct front_map {
	char client[LABEL_SIZE];
	char columns[FRONT_COLUMNS_MAX]; /* "" takes the map away */
};

#define FRONT_CAMPAIGN_STAFF 32u
#define FRONT_CAMPAIGN_LISTS 16u
struct front_campaign_add {
	char client[LABEL_SIZE];
	char purpose[LABEL_SIZE];
	char label[LABEL_SIZE];
	int32_t from, until;    /* days */
	uint16_t opens, closes; /* minutes of the day, below 1440; the same: any hour */
	uint8_t staff_count;
	char staff[FRONT_CAMPAIGN_STAFF][LABEL_SIZE];
	uint8_t list_count;
	uint64_t lists[FRONT_CAMPAIGN_LISTS];
};

#define FRONT_NOTE_MAX 2000u
struct front_attempt {
	struct front_person person;
	char campaign[LABEL_SIZE]; /* "": none */
	char call[CALL_SIZE];
	uint8_t outcome; /* enum attempt */
	int64_t callback_us;
	struct bytes note; /* at most FRONT_NOTE_MAX; borrowed */
};

#define FRONT_ATTEMPTS_MAX 100u
struct front_attempt_list {
	struct front_person person;
	uint32_t max; /* 1 to FRONT_ATTEMPTS_MAX, the newest */
};

struct front_receipt {
	uint64_t consignment;
};

struct front_stop {
	struct front_person person;
	uint8_t channels; /* bits 1 << enum channel */
	uint8_t lift;     /* 0 or 1 */
};

struct front_restrict {
	struct front_person person;
	uint8_t mode;           /* enum restriction */
	char staff[LABEL_SIZE]; /* with RESTRICT_OPEN; else "" */
	uint16_t minutes;       /* the same; 1 to FRONT_MINUTES_MAX */
	uint8_t field_count;
	char fields[FRONT_FIELDS_MAX][FIELD_NAME_MAX];
};
#define FRONT_MINUTES_MAX 1440u

#define FRONT_NETWORKS_MAX 16u
#define FRONT_DEVICES_MAX  64u
struct front_zone_add {
	char label[LABEL_SIZE];
	uint8_t change; /* 0 or 1: one that there is gets other bounds */
	uint8_t network_count;
	struct front_network {
		uint8_t bits;
		uint8_t address[16];
	} networks[FRONT_NETWORKS_MAX];
	uint8_t device_count;
	char devices[FRONT_DEVICES_MAX][LABEL_SIZE];
};

struct front_zone_role {
	uint8_t role; /* enum role */
	struct front_bounds bounds;
};

#define FRONT_SLOTS_MAX      16u
#define FRONT_PASSPHRASE_MAX 200u
/* Whose passphrases shall open the house. */
struct front_slots {
	uint8_t needed; /* 1 to FRONT_SLOTS_MAX */
	uint8_t count;  /* the same */
	char officers[FRONT_SLOTS_MAX][LABEL_SIZE];
};
/* One's own. */
struct front_slot_give {
	struct bytes passphrase; /* 1 to FRONT_PASSPHRASE_MAX bytes; borrowed */
};

#define FRONT_HAND_OVER_MINUTES 60u
struct front_hand_over {
	struct front_person person;
	char to[LABEL_SIZE];
	uint16_t minutes; /* 1 to FRONT_HAND_OVER_MINUTES */
};

struct front_query {
	char client[LABEL_SIZE]; /* "" for the house's log */
	uint32_t record;         /* 0: not asked by record */
	char staff[LABEL_SIZE];  /* "": not asked by staff; both empty: the newest entries */
	uint64_t before;         /* entries of a lower index only; UINT64_MAX for all */
	uint32_t max;            /* 1 to FRONT_QUERY_MAX */
};

struct front_ask {
	uint32_t seconds;     /* until it expires; 0: as long as the house lets it be */
	char note[NAME_SIZE]; /* for who approves; may be empty */
	uint16_t type;        /* of what is asked, never FRONT_ASK */
	struct bytes body;    /* borrowed from the encoded message */
};

struct front_approvals {
	uint8_t all; /* 0 or 1: those that are decided or expired too */
};

#define FRONT_LOSS_MAX 500u
struct front_loss {
	uint32_t count; /* 1 to FRONT_LOSS_MAX */
	struct head heads[FRONT_LOSS_MAX];
};

/* APPROVAL, REFUSE, CASE_CLOSE, HISTORY_IMPORT, GRANT_CLOSE, STANDING_END */
struct front_numbered {
	uint32_t number; /* from 1 */
};

#define FRONT_CASE_CLIENTS  64u
#define FRONT_CASE_ROWS_MAX UINT64_C(100000000)
#define FRONT_CASE_DAYS_MAX 366u
#define FRONT_CASE_ROWS     UINT64_C(1000000) /* what a front asks for if it is told nothing */
#define FRONT_CASE_DAYS     14u
struct front_case_open {
	uint16_t reason;  /* enum reason */
	uint64_t rows;    /* 1 to FRONT_CASE_ROWS_MAX, in all its traces */
	uint32_t days;    /* 1 to FRONT_CASE_DAYS_MAX, from when it is approved */
	uint8_t has_hash; /* 0 or 1 */
	uint8_t hash[32]; /* SHA-256 of the only file that may be traced; zeros if there is none */
	uint8_t client_count; /* 0: all */
	char clients[FRONT_CASE_CLIENTS][LABEL_SIZE];
};

struct front_case_allow {
	uint32_t id;      /* of the case */
	uint8_t hash[32]; /* SHA-256 of the file */
};

struct front_trace_list {
	uint32_t id; /* of the case */
	char columns[FRONT_COLUMNS_MAX];
	char password[FRONT_PASSWORD_SIZE]; /* of an archive or workbook; "" if it has none */
};

#define FRONT_RECIPIENT_SIZE 64u

/*
 * Exactly what is allowed again and again: to hand a client's log, in words, to one recipient.
 */
#define FRONT_STATEMENT_ROWS UINT32_C(100000)
#define FRONT_STANDING_EVERY (366u * 86400u)
struct front_standing_add {
	char client[LABEL_SIZE];
	char recipient[FRONT_RECIPIENT_SIZE]; /* "age1…": what each statement is sealed to */
	uint32_t columns;                     /* bits 1 << enum statement_column; not 0 */
	uint32_t rows;                        /* 1 to FRONT_STATEMENT_ROWS, in each */
	uint32_t every; /* seconds from one to the next at least, 1 to FRONT_STANDING_EVERY */
	uint16_t opens, closes; /* minutes of the day, below 1440; the same: any hour */
	int32_t until;          /* the last day */
};

/* One use. What is not said is as it was approved; what is said and goes beyond that is refused. */
struct front_statement {
	uint32_t standing;                    /* from 1 */
	char recipient[FRONT_RECIPIENT_SIZE]; /* "" */
	uint32_t columns;                     /* 0 */
	uint32_t rows;                        /* 0 */
	uint64_t from; /* the first entry; UINT64_MAX: the first that no statement has had */
};

struct front_trace {
	uint32_t id; /* of the case */
	char recipient
	    [FRONT_RECIPIENT_SIZE]; /* an age recipient that the rows are sealed to; "": plain */
};

struct front_scan {
	uint32_t id;      /* of the case */
	uint32_t files;   /* how many are to be read */
	uint8_t hash[32]; /* SHA-256 over their paths, each with its NUL */
};

#define FRONT_HISTORY_ROWS_MAX UINT64_C(1000000000)
struct front_history_add {
	uint8_t hash[32]; /* SHA-256 of the file */
	uint64_t rows;    /* 1 to FRONT_HISTORY_ROWS_MAX */
	int64_t from_us, to_us;
};

struct front_approve {
	uint32_t number;
	uint8_t signature[64]; /* over the document, as proto/approval.h says */
};

struct front_ledger_export {
	char client[LABEL_SIZE]; /* "" for the house's log */
	uint64_t have;           /* size of the checkpoint of an older export; 0 for none */
	uint8_t root[32];        /* its root */
};

struct front_ledger_proof {
	char client[LABEL_SIZE]; /* "" for the house's log */
	uint64_t index;
};

#define FRONT_VKEY_SIZE       320u /* of a text, with its NUL */
#define FRONT_LIMIT_HOURS_MAX 8760u
#define FRONT_COSIGNED_MAX    16384u
struct front_witness_add {
	char label[LABEL_SIZE];
	char vkey[FRONT_VKEY_SIZE]; /* as others print it; the keeper checks its form */
};
struct front_witness_limit {
	uint32_t hours; /* 0: none; at most FRONT_LIMIT_HOURS_MAX */
};
struct front_cosigned {
	struct bytes note; /* 1 to FRONT_COSIGNED_MAX bytes; borrowed */
};

struct front_guard_sign_in {
	uint8_t key[32];
	uint8_t signature[64]; /* over the channel's hash, in FRONT_SIGN_IN_GUARD */
};

/* What a guard saw, in order; none: it is there. Answered with how far the house has durable entries ("last"). */
#define FRONT_EVENTS_MAX 64u
struct front_guard_report {
	uint64_t
	    first;     /* the number of the first event; they count from 1 for each authenticator */
	uint8_t count; /* at most FRONT_EVENTS_MAX */
	struct bytes events; /* so many of proto/endpoint.h, end to end; borrowed */
};

struct front_grant_add {
	char device[LABEL_SIZE];
	uint16_t vendor, product;
	uint8_t access;                  /* enum grant_access */
	char serial[ENDPOINT_TEXT_SIZE]; /* printable ASCII, not empty */
	int32_t until;                   /* the last day */
};

#define FRONT_PUT_MAX       UINT64_C(67108864) /* bytes of a file */
#define FRONT_PUT_BYTES_MAX 49152u             /* in one message */
struct front_put {
	uint32_t grant;
	uint64_t size;
	uint8_t sha256[32];
	char name[NAME_SIZE]; /* that it gets there: no '/', nothing that begins with a '.' */
	char users[128];      /* who is signed in there; printable ASCII, may be empty */
};

struct front_put_bytes {
	struct bytes bytes; /* borrowed; not empty */
};

struct front_put_written {
	uint8_t written; /* 1: whole, and read again; 2: not */
};

#define FRONT_PLUGGED_MAX 100u
struct front_plugged {
	char device[LABEL_SIZE]; /* "": all */
	uint64_t before; /* entries of the house's log of a lower index only; UINT64_MAX for all */
	uint32_t max;    /* 1 to FRONT_PLUGGED_MAX */
};

union front_request {
	struct front_sign_in sign_in;
	struct front_present present;
	struct front_loss loss;
	struct front_client_add client_add;
	struct front_named named;
	struct front_purpose_add purpose_add;
	struct front_staff_add staff_add;
	struct front_device_add device_add;
	struct front_entrust entrust;
	struct front_map map;
	struct front_disclose disclose;
	struct front_check check;
	struct front_slots slots;
	struct front_slot_give slot_give;
	struct front_zone_add zone_add;
	struct front_zone_role zone_role;
	struct front_hand_over hand_over;
	struct front_standing_add standing_add;
	struct front_statement statement;
	struct front_query query;
	struct front_correct correct;
	struct front_campaign_add campaign_add;
	struct front_attempt attempt;
	struct front_attempt_list attempt_list;
	struct front_receipt receipt;
	struct front_stop stop;
	struct front_restrict restriction;
	struct front_policy_add policy_add;
	struct front_policy_extend policy_extend;
	struct front_policy_close policy_close;
	struct front_ask ask;
	struct front_approvals approvals;
	struct front_numbered numbered;
	struct front_approve approve;
	struct front_case_open case_open;
	struct front_case_allow case_allow;
	struct front_trace_list trace_list;
	struct front_trace trace;
	struct front_scan scan;
	struct front_history_add history_add;
	struct front_ledger_export ledger_export;
	struct front_ledger_proof ledger_proof;
	struct front_witness_add witness_add;
	struct front_witness_limit witness_limit;
	struct front_cosigned cosigned;
	struct front_invite invite;
	struct front_rekey rekey;
	struct front_until until;
	struct front_enrol enrol;
	struct front_guard_sign_in guard_sign_in;
	struct front_guard_report guard_report;
	struct front_plugged plugged;
	struct front_put put;
	struct front_put_bytes put_bytes;
	struct front_put_written put_written;
	struct front_grant_add grant_add;
};

/* Whether a descriptor rides along with a request of that type: then one must, else none may. */
bool front_has_descriptor(uint16_t type);

/* The message's header and body, appended to buffer. AZ_INVALID: the request cannot be written. */
AZ_CHECKED enum az_status front_encode(enum front_message type, uint32_t id,
    const union front_request *request, struct buffer *buffer);

/* A message cut into header and body. AZ_INVALID: too short, or of another version. */
struct front_header {
	uint16_t type;
	uint32_t id;
};
AZ_CHECKED enum az_status front_open(
    struct bytes message, struct front_header *ret_header, struct bytes *ret_body);

/* Decodes the body of a request: lengths, labels, names, codes are checked. AZ_INVALID. */
AZ_CHECKED enum az_status front_decode(
    enum front_message type, struct bytes body, union front_request *ret_request);

/* The start of a reply: header, and for DONE and FAILED the heads. The rest is the caller's. */
struct wire_writer;
struct wire_reader;
void front_put_header(struct wire_writer *writer, enum front_message type, uint32_t id);
void front_put_heads(struct wire_writer *writer, const struct head *heads, uint32_t count);
/* At most max heads; on failure the reader has failed. Returns the count. */
uint32_t front_get_heads(struct wire_reader *reader, struct head *heads, uint32_t max);

#endif
