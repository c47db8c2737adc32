/*
 * Who may do what, for which client and purpose, and what of a row is shown. Decisions only: pure
 * functions over what they are given. Zero is never yes.
 *
 * Threads  one.
 */
#ifndef AZ_POLICY_H
#define AZ_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/approval.h"
#include "proto/front.h"
#include "proto/proto.h"

#define POLICY_CLIENTS_MAX   4096u
#define POLICY_PURPOSES_MAX  65536u
#define POLICY_APPROVALS_MAX (1u << 20)
#define POLICY_OPEN_MAX      256u /* requests of one human that wait at a time */

/* --- verbs ----------------------------------------------------------------------------------- */

enum decision {
	DECISION_DENY = 0,
	DECISION_ALLOW = 1,
	DECISION_ASK = 2, /* with an approval; an officer of an unsealed house approves by asking */
};

/* The table of who may do what. Anything not in it is DECISION_DENY. */
enum decision policy_decide(enum role role, enum verb verb);

/* How far a house holds to what a house is for. */
enum house_stage {
	STAGE_SEALED = 0,   /* two people decide */
	STAGE_SET_UP = 1,   /* a sealed one whose second officer has not enrolled yet */
	STAGE_UNSEALED = 2, /* for demonstrations and tests */
};

/* What follows from a decision in a house. */
enum permission {
	PERMIT_NO = 0,
	PERMIT_YES = 1, /* at once, and nobody needs to approve it */
	PERMIT_AT_ONCE =
	    2,          /* an officer's own, where asking approves it: unsealed, or setting up */
	PERMIT_ASK = 3, /* somebody else must approve it first */
};

/*
 * While a house is set up, officers invite the second one and add devices, and see what there is; nobody else does
 * anything. *reterr is written with PERMIT_NO: the verb and the role, for the refusal.
 */
enum permission policy_permit(
    enum role role, enum verb verb, enum house_stage stage, struct az_err *reterr);

/* --- zones ----------------------------------------------------------------------------------- */

#define ZONE_NETWORKS_MAX 16u
#define ZONE_DEVICES_MAX  64u

struct zone_network {
	uint8_t address[16]; /* IPv6; IPv4 behind its prefix ::ffff:0:0/96 */
	uint8_t bits;        /* at most 128; those beyond are zero */
};
bool network_is_valid(const struct zone_network *network);
bool network_has(const struct zone_network *network, const uint8_t address[16]);

/* Who is at one of the devices, if any are named, and behind one of the networks, if any are. */
struct zone {
	uint32_t id; /* from ZONE_FIRST, below ZONE_COUNT, never reused */
	char label[LABEL_SIZE];
	uint8_t network_count, device_count; /* not both 0 */
	struct zone_network networks[ZONE_NETWORKS_MAX];
	uint32_t devices[ZONE_DEVICES_MAX];
	int64_t added_us;
	int64_t closed_us; /* 0: open */
};

/* Where what a role or a purpose shows is shown: in some zones, or in any; outside of them nothing, or only masked. */
struct zone_bounds {
	uint64_t zones; /* bits ZONE_BIT; 0: in any */
	bool masked;    /* outside of them it is shown, but masked as far as a mask goes */
};

/* From where somebody asks, as far as it is known. */
struct origin {
	uint32_t device;
	bool is_local; /* on the keeper's own host */
	uint8_t address_count;
	uint8_t addresses[2][16];
};

/* --- clients and purposes -------------------------------------------------------------------- */

struct client {
	uint32_t id; /* from 1, never reused; also the number of its log */
	char label[LABEL_SIZE];
	char name[NAME_SIZE];
	char category[NAME_SIZE]; /* the client's own label, may be empty */
	int64_t added_us;
	int64_t closed_us; /* 0: open */
	uint8_t
	    x_count; /* its own fields so far, never reused: bit FIELD_X_FIRST + i is x_names[i] */
	char x_names[FIELD_COUNT - FIELD_X_FIRST][FIELD_NAME_MAX]; /* "x:ward" */
};

struct purpose {
	uint32_t id; /* from 1 in the house, never reused */
	uint32_t client;
	char label[LABEL_SIZE];
	uint32_t roles; /* bits 1 << enum role: who may see */
	int32_t until;  /* the last day, days since 1970-01-01 */
	int64_t added_us;
	int64_t closed_us;
	uint32_t allows; /* classes that its lists may hold, of CLASSES_TO_ALLOW: bits 1 << class */
	struct zone_bounds bounds;
	uint8_t field_count; /* at most FIELD_COUNT */
	struct purpose_field {
		char name[FIELD_NAME_MAX]; /* "phone", "x:ward"; a client need not have it yet */
		enum mask mask; /* MASK_HIDDEN: it stands here for its class, and is not shown */
		enum field_class class; /* a built-in field's is its own */
		bool
		    unmask; /* of one shown in part: it may be shown whole, for a reason in words */
	} fields[FIELD_COUNT];
};

struct policy;

AZ_CHECKED enum az_status policy_new(struct policy **ret_policy, struct az_err *reterr);
void policy_free(struct policy **policy);

/*
 * Whether it can be added: valid names, no open one of that label (of that client), at least one field that
 * is shown and none twice, none to be unmasked that is not shown in part, a class for each, a mask that fits the field (year: birth; domain: email), at least one of the roles that
 * may disclose and no other, an end date today or later, an open client. AZ_INVALID, AZ_CONFLICT,
 * AZ_NOT_FOUND, AZ_LIMIT with a reason.
 */
AZ_CHECKED enum az_status policy_may_add_client(
    const struct policy *policy, const struct client *client, struct az_err *reterr);
AZ_CHECKED enum az_status policy_may_add_purpose(const struct policy *policy,
    const struct purpose *purpose, int32_t today, struct az_err *reterr);

/* Puts one in, or replaces the one with its id: what was committed is taken as it is. */
AZ_CHECKED enum az_status policy_put_client(
    struct policy *policy, const struct client *client, struct az_err *reterr);
AZ_CHECKED enum az_status policy_put_purpose(
    struct policy *policy, const struct purpose *purpose, struct az_err *reterr);
uint32_t policy_next_client(const struct policy *policy);
uint32_t policy_next_purpose(const struct policy *policy);

/* NULL if there is none. By label: open ones only. Borrowed until a put. */
const struct client *policy_client(const struct policy *policy, uint32_t id);
const struct client *policy_client_labelled(const struct policy *policy, const char *label);
const struct purpose *policy_purpose(const struct policy *policy, uint32_t id);
const struct purpose *policy_purpose_labelled(
    const struct policy *policy, uint32_t client, const char *label);
void policy_each_client(
    const struct policy *policy, void (*visit)(void *arg, const struct client *client), void *arg);
/* Of one client, or of all with 0; by id. */
void policy_each_purpose(const struct policy *policy, uint32_t client,
    void (*visit)(void *arg, const struct purpose *purpose), void *arg);

/*
 * Whether a zone can be added: a valid label that no open one has, and not "loopback"; a network or a device; networks with no bits
 * beyond their width. AZ_INVALID, AZ_CONFLICT, AZ_LIMIT.
 */
AZ_CHECKED enum az_status policy_may_add_zone(
    const struct policy *policy, const struct zone *zone, struct az_err *reterr);
AZ_CHECKED enum az_status policy_put_zone(
    struct policy *policy, const struct zone *zone, struct az_err *reterr);
uint32_t policy_next_zone(const struct policy *policy);
/* NULL if there is none. Borrowed until a put. */
const struct zone *policy_zone(const struct policy *policy, uint32_t id);
/* ZONE_NONE if there is none; of open ones, and of loopback. */
uint32_t policy_zone_labelled(const struct policy *policy, const char *label);
/* Of any that ever was; NULL. */
const char *policy_zone_label(const struct policy *policy, uint32_t id);
/* What a role is bound to: to nothing, unless something was put. */
AZ_CHECKED enum az_status policy_put_bounds(
    struct policy *policy, enum role role, const struct zone_bounds *bounds, struct az_err *reterr);
const struct zone_bounds *policy_bounds(const struct policy *policy, enum role role);
/* The zones that somebody is in, as bits; 0: they are nowhere, and see nothing. */
uint64_t policy_zones_at(const struct policy *policy, const struct origin *origin);
/* The one that stands in entries: the first of an officer's making, else loopback, else none. */
uint8_t zone_code(uint64_t zones);
AZ_CHECKED enum az_status zone_encode(const struct zone *zone, struct buffer *buffer);
AZ_CHECKED enum az_status zone_decode(struct bytes bytes, struct zone *ret_zone);
AZ_CHECKED enum az_status bounds_encode(const struct zone_bounds *bounds, struct buffer *buffer);
AZ_CHECKED enum az_status bounds_decode(struct bytes bytes, struct zone_bounds *ret_bounds);

/* The stored and replayed forms; AZ_INVALID on reading anything else. docs/format/house-db.md. */
AZ_CHECKED enum az_status client_encode(const struct client *client, struct buffer *buffer);
AZ_CHECKED enum az_status client_decode(struct bytes bytes, struct client *ret_client);
AZ_CHECKED enum az_status purpose_encode(const struct purpose *purpose, struct buffer *buffer);
AZ_CHECKED enum az_status purpose_decode(struct bytes bytes, struct purpose *ret_purpose);

/* --- budgets --------------------------------------------------------------------------------- */

/*
 * How many distinct people somebody may see. Disclosures with a call reference and searches without one are counted
 * apart. A day is any 24 hours and a month any 30 days, both sliding, so that no midnight gives a second allowance.
 * A zero limit means none: where no budget is set, nobody is seen.
 */
enum budget_class { BUDGET_NONE = 0, BUDGET_CALLS = 1, BUDGET_SEARCHES = 2, BUDGET_CLASSES = 3 };
const char *budget_class_name(enum budget_class class); /* NULL for what is none */

struct budget_limits {
	uint32_t day, month; /* distinct people; at the limit, nobody new is seen */
	uint32_t life; /* distinct people after which a review is due; until then it goes slowly */
};

/* What everybody of a role has. */
struct budget {
	enum role role;
	struct budget_limits
	    house[BUDGET_CLASSES]; /* people of all clients; [BUDGET_NONE] is not used */
	struct budget_limits client[BUDGET_CLASSES]; /* people of any one client */
	uint32_t minute, hour; /* questions in any minute and in any hour, found or not */
	uint32_t slow;         /* questions in any hour while a review is due */
};

/* What an approval added for one human: to every limit of that class, for the house and each client alike. */
struct budget_extension {
	uint32_t id; /* from 1, never reused */
	uint32_t staff;
	enum budget_class class;
	uint32_t day, month, life;
	int64_t until_us;  /* ends then; 0: a review, which adds to life for good */
	int64_t closed_us; /* 0: open */
};

/* The stored forms; AZ_INVALID on reading anything else. docs/format/things.md. */
AZ_CHECKED enum az_status budget_encode(const struct budget *budget, struct buffer *buffer);
AZ_CHECKED enum az_status budget_decode(struct bytes bytes, struct budget *ret_budget);
AZ_CHECKED enum az_status extension_encode(
    const struct budget_extension *extension, struct buffer *buffer);
AZ_CHECKED enum az_status extension_decode(
    struct bytes bytes, struct budget_extension *ret_extension);

/* Who has seen whom, and what may still be seen. */
struct budget_book;

AZ_CHECKED enum az_status budget_book_new(struct budget_book **ret_book, struct az_err *reterr);
void budget_book_free(struct budget_book **book);

/* Puts one in, or replaces the one of its role, or of its id. */
AZ_CHECKED enum az_status budget_put(
    struct budget_book *book, const struct budget *budget, struct az_err *reterr);
AZ_CHECKED enum az_status budget_put_extension(
    struct budget_book *book, const struct budget_extension *extension, struct az_err *reterr);
uint32_t budget_next_extension(const struct budget_book *book);
/* NULL if there is none. Borrowed until a put. */
const struct budget *budget_of(const struct budget_book *book, enum role role);
const struct budget_extension *budget_extension_of(const struct budget_book *book, uint32_t id);

/* One question and what it found. */
struct budget_look {
	uint32_t staff;
	enum budget_class class;
	uint32_t client;
	uint32_t record; /* 0: nobody was shown, and only the rates count it */
	uint32_t along;  /* for the check: other questions of this one that are not counted yet */
	int64_t time_us;
};

/*
 * Whether role may have this look now. AZ_LIMIT says which limit is reached and when it will be open again;
 * AZ_DENIED: the role has no budget. AZ_NO_MEMORY. Nothing is counted.
 */
AZ_CHECKED enum az_status budget_check(struct budget_book *book, enum role role,
    const struct budget_look *look, struct az_err *reterr);
/*
 * Counts it: exactly once, when its entry has been submitted, or is replayed; looks of one member of staff come in
 * order of time, and one that is earlier than the one before counts as at the same time. *ret_review_is_due: by this look
 * role has come to the end of its life budget. AZ_NO_MEMORY: nothing was counted.
 */
AZ_CHECKED enum az_status budget_take(struct budget_book *book, enum role role,
    const struct budget_look *look, bool *ret_review_is_due, struct az_err *reterr);

/* What somebody has used by now. */
struct budget_use {
	uint32_t day, month, life;
	uint32_t minute, hour; /* questions, of both classes */
};
void budget_used(struct budget_book *book, uint32_t staff, enum budget_class class, int64_t now_us,
    struct budget_use *ret_use);

/*
 * All that was counted, not budgets and extensions, as bytes, so that a start need not count from the
 * beginning; reading replaces what the book counted. AZ_CORRUPT, AZ_NO_MEMORY: it is then empty.
 * docs/format/budgets.md.
 */
AZ_CHECKED enum az_status budget_save(const struct budget_book *book, struct buffer *buffer);
AZ_CHECKED enum az_status budget_load(
    struct budget_book *book, struct bytes bytes, struct az_err *reterr);

/* --- approvals ------------------------------------------------------------------------------- */

enum approval_state {
	APPROVAL_NONE = 0,
	APPROVAL_OPEN = 1, /* also one that has expired: that is a matter of the time */
	APPROVAL_USED = 2, /* carried out, once and for ever */
	APPROVAL_REFUSED = 3,
};
/* "open", "used", "refused"; NULL for others. */
const char *approval_state_name(enum approval_state state);

/* What somebody asked, and what others said to it. */
struct approval {
	enum approval_state state;
	int64_t decided_us; /* used or refused; else 0 */
	uint32_t refused_by;
	uint8_t given_count; /* at most APPROVALS_NEEDED_MAX */
	struct approval_given {
		uint32_t staff, device, session;
		int64_t time_us;
		uint8_t key[32]; /* that signed: who approved may get another one */
		uint8_t signature[64];
	} given[APPROVALS_NEEDED_MAX];
	struct bytes document;          /* exactly what is asked */
	struct approval_document asked; /* the same, decoded; borrows from document */
};

/* Who would approve. */
struct approver {
	uint32_t staff, device;
	enum role role;
	bool ended;        /* has left, or has not come yet */
	uint32_t keyed_by; /* who enrolled their authenticator, or re-keyed it; 0: the founding */
};

/*
 * Whether this request may be approved by this person now: it is open and has not expired; they are an officer who has
 * not ended; they neither asked nor approved it already; they sit at another device than who asked and than who
 * approved it before; who asked neither enrolled nor re-keyed their authenticator. In an unsealed house there is one device, and that
 * rule alone is waived. AZ_DENIED with the reason. Whether their signature is over the document is the caller's to check.
 */
AZ_CHECKED enum az_status policy_may_approve(const struct approval *approval,
    const struct approver *approver, bool unsealed, int64_t now_us, struct az_err *reterr);

/* Whether it is open and its time has passed. */
bool approval_has_expired(const struct approval *approval, int64_t now_us);

/* The document is copied. Replaces the one with its number: what was committed is taken as it is. AZ_NO_MEMORY, AZ_INVALID. */
AZ_CHECKED enum az_status policy_put_approval(
    struct policy *policy, const struct approval *approval, struct az_err *reterr);
/* NULL if there is none. Borrowed until a put of that number. */
const struct approval *policy_approval(const struct policy *policy, uint32_t number);
uint32_t policy_next_approval(const struct policy *policy);
/* In order of their numbers. */
void policy_each_approval(const struct policy *policy,
    void (*visit)(void *arg, const struct approval *approval), void *arg);
/* How many of staff's wait. */
size_t policy_open_approvals(const struct policy *policy, uint32_t staff, int64_t now_us);

/* The stored form. What is decoded borrows from bytes. */
AZ_CHECKED enum az_status approval_encode(const struct approval *approval, struct buffer *buffer);
AZ_CHECKED enum az_status approval_decode(struct bytes bytes, struct approval *ret_approval);

/* --- what is shown --------------------------------------------------------------------------- */

struct grant {
	uint32_t client;
	uint32_t purpose;
	uint64_t shown;    /* field bits that may be shown */
	uint64_t masked;   /* of these, the ones shown only in part */
	bool outside;      /* of the zones: only masked */
	uint8_t zone;      /* by which it is granted; for entries */
	uint64_t unmasked; /* of the masked ones, those that may be shown whole for a reason */
	uint64_t
	    checked; /* field bits that a value may be checked against: the shown ones, and others */
	uint8_t masks[FIELD_COUNT]; /* enum mask */
};

/* Where who asks is, and what their role is bound to. */
struct whereabouts {
	uint64_t zones; /* as policy_zones_at gives them; 0: nowhere */
	struct zone_bounds role;
};

/*
 * What role sees of client for purpose today, being there. AZ_DENIED: the purpose or client is closed or past its
 * end, the role is not among its roles, they are nowhere or outside of what role or purpose is bound to, or nothing would be shown.
 * Outside where it is masked, every field is masked at least as far as a mask that fits it goes, and nothing may be unmasked or checked.
 */
AZ_CHECKED enum az_status policy_grant(const struct client *client, const struct purpose *purpose,
    enum role role, const struct whereabouts *where, int32_t today, struct grant *ret_grant,
    struct az_err *reterr);

/* Shows fields whole, as far as the grant lets them be unmasked. */
void policy_unmask(struct grant *grant, uint64_t fields);

/* Leaves of a grant only what is shown in part, and lets nothing be unmasked or checked. AZ_DENIED: that is nothing. */
AZ_CHECKED enum az_status policy_narrow(struct grant *grant, struct az_err *reterr);

/*
 * The row as granted: hidden fields empty, masked ones in part, made in arena. ret_shown and ret_masked: of
 * the grant, the bits of fields that the row has. AZ_NO_MEMORY. A value that its mask does not fit (a birth
 * date without a year) is shown as "***". Of a value of fewer than eight letters and digits, last4 leaves
 * at most half.
 */
AZ_CHECKED enum az_status policy_mask(const struct grant *grant, const struct row *row,
    struct arena *arena, struct row *ret_row, uint64_t *ret_shown, uint64_t *ret_masked);

/* --- standing approvals (standing.c) ----------------------------------------------------------- */

#define STANDINGS_MAX 4096u

/* What may be done again and again, within exactly the limits that were signed. */
struct standing_approval {
	uint32_t id;      /* from 1 */
	uint32_t request; /* that was approved; 0: an officer's own, in an unsealed house */
	uint32_t asker, approver;
	int64_t approved_us;
	uint32_t
	    generation; /* of the ledger: what an entry that was lost had used up nobody knows */
	uint32_t uses;
	int64_t last_us;  /* the last use; 0: none */
	uint64_t next;    /* the first entry of the log that no use has had */
	int64_t ended_us; /* 0: it was not */
	uint32_t ended_by;
	struct front_standing_add limits;
};

/* A use as somebody wants it. */
struct standing_use {
	uint32_t staff;
	int64_t keyed_us; /* since when they have their key */
	uint32_t generation;
	const char *recipient; /* "": the approved one */
	uint32_t columns;      /* 0: the approved ones */
	uint32_t rows;         /* 0: as many as approved */
	int64_t now_us;
	uint16_t minute; /* of the day, where the house is */
};

/*
 * Whether it may be used so: by who asked, who has still the key of then; not ended; in the life of the ledger in which it
 * was approved; to its recipient, with no other columns and no more rows; until its last day (UTC), at its hours, and not before its
 * time has passed since the last use, by a clock that has not gone back behind it. AZ_DENIED with the reason. That
 * whoever approved it is still an officer is the caller's to know.
 */
AZ_CHECKED enum az_status policy_may_use(const struct standing_approval *standing,
    const struct standing_use *use, struct az_err *reterr);
/* When it may be used next, as far as its schedule goes. */
int64_t standing_next_us(const struct standing_approval *standing, int64_t now_us);
/* How often at most from now on; 0 where it has ended. */
uint64_t standing_left(const struct standing_approval *standing, int64_t now_us);
/* Whether these are the very same limits. */
bool standing_limits_equal(const struct front_standing_add *a, const struct front_standing_add *b);

AZ_CHECKED enum az_status standing_encode(
    const struct standing_approval *standing, struct buffer *buffer);
/* AZ_INVALID. */
AZ_CHECKED enum az_status standing_decode(
    struct bytes bytes, struct standing_approval *ret_standing);

#endif
