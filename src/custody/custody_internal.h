/*
 * What the files of this folder share. All of it belongs to the loop thread, but what is said to be a
 * bulk thread's.
 */
#ifndef AZ_CUSTODY_INTERNAL_H
#define AZ_CUSTODY_INTERNAL_H

#include <pthread.h>

#include "base/clock.h"
#include "base/wire.h"
#include "catalogue/catalogue.h"
#include "crypto/hash.h"
#include "crypto/ring.h"
#include "crypto/seal.h"
#include "crypto/shares.h"
#include "custody/custody.h"
#include "custody/id_map.h"
#include "custody/numbered.h"
#include "ledger/ledger.h"
#include "match/match.h"
#include "people/people.h"
#include "policy/policy.h"
#include "proto/answer.h"
#include "proto/vault.h"
#include "state/state.h"
#include "trace/trace.h"

#define POLICY_VERSION 1u

/* --- things.c: what the ledger's payloads hold ------------------------------------------------ */

enum thing_kind {
	THING_HOUSE = 1,
	THING_CLIENT = 2,
	THING_PURPOSE = 3,
	THING_STAFF = 4,
	THING_DEVICE = 5,
	THING_CONSIGNMENT = 6,
	THING_RECORDS = 7,
	THING_SESSIONS = 8,
	THING_HOLD = 20,
	THING_CAMPAIGN = 21,
	THING_CORRECTION = 22,
	THING_LOSS = 30,
	THING_PLACE = 23,     /* where the entry of a consignment stands */
	THING_DESTROYED = 24, /* how far the destruction of a consignment has come */
	THING_MAP = 35,
	THING_BUDGET = 90,
	THING_EXTENSION = 91,
	THING_APPROVAL = 40,
	THING_CHECKS = 41, /* wrong answers about a record */
	THING_HAND_OVER = 42,
	THING_ZONE = 43,
	THING_BOUNDS = 44, /* of a role */
	THING_SLOTS = 45,  /* 0: in force, 1: wanted */
	THING_STANDING = 46,
	THING_CASE = 60,
	THING_HISTORY = 65,
	THING_GRANT = 71,
	THING_WITNESS = 80,
	THING_COSIGNED = 81, /* of a log, the newest that is known */
	THING_COSIGN_LIMIT =
	    82, /* 0: how old cosignatures may be, 1: since when they are too old was told */
	THING_COMMITTED = 83, /* the day on which the logs committed to each other last */
	THING_GUARD = 70,     /* how far the events of a device's guard have come */
};

/*
 * The house itself: its counters. They are three things, because each is put by others, and an entry that put
 * all of them would put back what another entry, submitted meanwhile, had counted up.
 */
struct house {
	/* THING_HOUSE: put at founding and at each start */
	int64_t founded_us;
	uint64_t starts;
	uint64_t ring_number; /* the ring must be at least this new */
	/* THING_RECORDS: put by each list */
	uint32_t next_record; /* the record number that the next new person gets */
	uint64_t list_ring_number;
	/* THING_SESSIONS: put by some sign-ins */
	uint32_t sessions_before; /* session numbers below it are used up */
};

/* How far its end has come. */
enum destruction { DESTRUCTION_NONE = 0, DESTRUCTION_BEGUN = 1, DESTRUCTION_DONE = 2 };

struct consignment {
	uint64_t id;
	uint32_t client;
	uint32_t purpose;
	int32_t as_of;
	uint8_t mode;  /* enum list_mode */
	uint16_t join; /* bits 1 << enum match_kind that its people were joined by; 0: by number */
	uint32_t withdrawn; /* whom it named and who could be found before it */
	uint32_t absent;    /* whom it did not name, and who could be found before it */
	uint32_t kept;      /* whom it names, and a later list has */
	uint32_t unknown;   /* whom it names, and no list has */
	uint32_t doubtful;  /* who may be somebody known, and was made a record of their own */
	uint16_t match_version;
	int64_t time_us;
	uint64_t fields; /* bits of the columns it has, in the client's numbering */
	uint32_t rows, accepted, refused, new_records, new_versions, unchanged, bad_births;
	uint8_t sha256[SHA256_SIZE]; /* of the list as it was delivered */
	uint8_t root[SHA256_SIZE];   /* over its sealed rows */
	uint8_t run[SHA256_SIZE];    /* of its run file */
	uint8_t prints[SHA256_SIZE]; /* of its fingerprints; zeros: it came before there were any */
	/* Below here it is not stored. */
	bool has_entry;
	enum destruction destruction; /* a thing of its own */
	int64_t destroyed_us;
	uint64_t entry_index;          /* in its client's log; kept as a thing of its own */
	bool active;                   /* its catalogue entries are loaded: it may be asked */
	struct consignment_keys *keys; /* derived at first use */
};

/*
 * A payload: u8 1, u32 count, each u8 kind, u64 id, bytes thing; then bytes text with 16 bytes of salt
 * before it, or nothing.
 */
struct payload {
	struct buffer buffer;
	struct wire_writer writer;
	uint32_t count;
};
void payload_init(struct payload *payload);
void payload_fini(struct payload *payload);
/* A thing that a file of its own encodes; status is that of encoding it, and thing is taken. */
AZ_CHECKED enum az_status payload_put_thing(struct payload *payload, enum thing_kind kind,
    uint64_t id, enum az_status status, struct buffer *thing);
AZ_CHECKED enum az_status payload_put_house(struct payload *payload, const struct house *house);
AZ_CHECKED enum az_status payload_put_records(struct payload *payload, const struct house *house);
AZ_CHECKED enum az_status payload_put_sessions(struct payload *payload, const struct house *house);
AZ_CHECKED enum az_status payload_put_client(struct payload *payload, const struct client *client);
AZ_CHECKED enum az_status payload_put_purpose(
    struct payload *payload, const struct purpose *purpose);
AZ_CHECKED enum az_status payload_put_staff(struct payload *payload, const struct staff *staff);
AZ_CHECKED enum az_status payload_put_device(struct payload *payload, const struct device *device);
AZ_CHECKED enum az_status payload_put_budget(struct payload *payload, const struct budget *budget);
AZ_CHECKED enum az_status payload_put_extension(
    struct payload *payload, const struct budget_extension *extension);
AZ_CHECKED enum az_status payload_put_approval(
    struct payload *payload, const struct approval *approval);
AZ_CHECKED enum az_status payload_put_consignment(
    struct payload *payload, const struct consignment *consignment);
/* Ends the payload; text may be NULL. The commitment goes into the entry. */
AZ_CHECKED enum az_status payload_end(
    struct payload *payload, const char *text, uint8_t ret_commitment[LEDGER_COMMITMENT_SIZE]);

/* The same with two texts, a call's reference and a note; either may be empty. */
AZ_CHECKED enum az_status payload_end_texts(struct payload *payload, struct bytes call,
    struct bytes note, uint8_t ret_call[LEDGER_COMMITMENT_SIZE],
    uint8_t ret_note[LEDGER_COMMITMENT_SIZE]);
/* Notes lie in the side store under their log's number with this bit, beside the entry's other text. */
#define NOTE_LOG UINT32_C(0x80000000)

/* Calls visit for each thing of a payload; then the texts, if there are any. AZ_CORRUPT. */
struct payload_text {
	uint8_t salt[LEDGER_SALT_SIZE];
	struct bytes text;
	uint8_t note_salt[LEDGER_SALT_SIZE];
	struct bytes note;
};
AZ_CHECKED enum az_status payload_read(struct bytes payload,
    enum az_status (*visit)(
	void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr),
    void *arg, struct payload_text *ret_text, struct az_err *reterr);

/* The thing that says where a consignment's entry stands: put when the entry is, since it does not know that itself. */
#define ENTRY_PLACE_SIZE 9u
void place_encode(uint64_t index, uint8_t ret_thing[ENTRY_PLACE_SIZE]);

/* Takes one thing into memory, as it was committed. arg: the custody. */
AZ_CHECKED enum az_status thing_apply(
    void *arg, uint8_t kind, uint64_t id, struct bytes thing, struct az_err *reterr);

/* --- keys.c: what is derived from the keys of the ring ---------------------------------------- */

struct consignment_keys {
	struct seal_key *row;            /* the loop's */
	struct mac *tokens[MATCH_ASKED]; /* by kind; NULL for number */
	struct mac *block;               /* over token blocks */
	struct secret *run;              /* seals the catalogue's run file */
	struct secret *prints;           /* seals the fingerprints */
};
void consignment_keys_free(struct consignment_keys **keys);
/* From a key of the ring. */
AZ_CHECKED enum az_status consignment_keys_new(const struct secret *key,
    const uint8_t house[HOUSE_ID_SIZE], struct consignment_keys **ret_keys, struct az_err *reterr);
/* Those of a consignment, derived once. AZ_FORGED: the ring has no key for it. */
AZ_CHECKED enum az_status keys_of(
    struct custody *custody, struct consignment *consignment, struct az_err *reterr);

/* Keyed digests of a client's numbers and contents. */
struct client_keys {
	uint32_t client;
	struct mac *number;
	struct mac *content;
	struct mac *corrected; /* match keys of corrected versions */
};
/* Borrowed, for as long as the house is open; made at first use. */
AZ_CHECKED enum az_status keys_of_client(struct custody *custody, uint32_t client,
    const struct client_keys **ret_keys, struct az_err *reterr);
void number_digest(
    const struct client_keys *keys, struct bytes key, uint8_t ret_digest[CATALOGUE_DIGEST_SIZE]);
void content_digest(const struct client_keys *keys, struct bytes encoded,
    uint8_t ret_digest[CATALOGUE_DIGEST_SIZE]);
void token_make(const struct consignment_keys *keys, enum match_kind kind, struct bytes key,
    uint8_t ret_token[TOKEN_SIZE]);
void block_mac(
    const struct consignment_keys *keys, struct bytes block, uint8_t ret_mac[TOKEN_MAC_SIZE]);

/* The associated data of a sealed row. */
#define ROW_PLACE_SIZE 38u
#define ROW_LAYOUT     1u
struct row_place {
	uint8_t bytes[ROW_PLACE_SIZE];
};
void row_place(const uint8_t house[HOUSE_ID_SIZE], uint32_t client, uint64_t consignment,
    uint32_t record, uint32_t version, struct row_place *ret_place);

/* --- the custody ------------------------------------------------------------------------------ */

/*
 * Consignments of a purpose, the newest first: highest as-of, then latest arrival. Whom a full list does not have is
 * absent, so nobody is asked for in the lists behind the newest full one.
 */
struct live_list {
	struct consignment **items; /* lists that have people */
	size_t count;
	size_t asked; /* of these, those up to the newest full one */
	struct consignment **withdrawals;
	size_t withdrawal_count;
};

/* A question to the vault, by the id of its frame. */
struct vault_call {
	void (*done)(void *arg, const struct frame *frame);
	void *arg;
	bool lookup; /* its answer has rows, which are counted */
};

enum custody_phase {
	PHASE_STARTING, /* the vault has not answered yet */
	PHASE_SERVING,
	PHASE_STOPPING,
	PHASE_STOPPED,
};

/* A host secret that is being made anew (renew.h). */
struct renewal {
	void (*done)(void *arg, const struct az_err *err); /* NULL: none is */
	void *arg;
	bool with_slots;
};

/* Whose passphrases open the house. */
struct slot_set {
	uint8_t needed, count;
	uint32_t staff[SHARES_MAX];
	int64_t since_us;
};

struct bulk;
struct destroying;
struct stating;
struct guard_post;
struct device_grant;
struct putting;
struct verifying;
struct publishing;
struct attribution;
struct importing;
struct tracing;
struct scanning;

struct custody {
	struct custody_config config;
	enum custody_phase phase;
	bool stop_is_logged;
	int ledger_dirfd;
	int catalogue_dirfd;
	int trace_dirfd;
	bool unsealed;
	bool is_set_up; /* a sealed house has had two officers */
	int64_t since_us;
	struct house house;
	struct ring *ring;
	struct ledger *ledger;
	struct catalogue *catalogue;
	struct catalogue_reader *reader;
	bool reader_is_fresh;
	struct people *people;
	struct policy *policy;
	struct state *state;
	struct id_map corrections;     /* by purpose and record */
	struct id_map correction_keys; /* by the start of a digest: chains of them */
	bool corrections_are_open;
	bool carry_due;      /* some may not lie under the newest lists yet */
	bool carry_is_busy;  /* an entry of it is on its way; changes wait */
	size_t carry_at;     /* how far a walk over them has come */
	uint32_t correcting; /* the purpose of the correction at work; 0: none */
	struct column_map *maps;
	size_t map_count;
	struct numbered campaigns;              /* struct campaign */
	struct numbered cases;                  /* struct trace_case */
	struct slot_set slots, slots_wanted;    /* count 0: those of the founding; none */
	struct secret *passphrases[SHARES_MAX]; /* given for slots_wanted */
	struct renewal renewal;
	struct numbered standings; /* struct standing_approval */
	struct stating *stating;   /* a statement that is being made */
	bool renewal_is_due;       /* at start: a key was dropped, and older rings still open */
	struct clock_watch clock;
	int64_t latest_us;         /* house_now_us */
	struct id_map takeovers;   /* the latest of each human, by staff */
	struct id_map current;     /* whom each human has seen last, by staff */
	struct id_map hand_overs;  /* by client and record */
	struct numbered histories; /* struct history */
	struct numbered witnesses; /* struct witness */
	struct numbered cosigned;  /* struct cosigned, by log + 1 */
	uint32_t cosign_hours;     /* how old it may be; 0: no limit is set */
	int64_t cosign_since_us;   /* since when that is so */
	int64_t cosign_alarmed_us; /* since when they were too old, as the last alarm had it */
	int32_t crossed_day;       /* on which the logs committed to each other last */
	uint32_t crossing_log;     /* how far they have today */
	struct importing *importing;
	struct id_map checks;      /* wrong answers, by client and record */
	struct id_map holds;       /* what holds for a record, whatever is delivered */
	struct guard_post *guards; /* by device */
	size_t guard_room;
	struct device_grant *grants; /* by id */
	size_t grant_count;
	struct putting *putting; /* a file for a granted memory, of the line that sends it */
	struct secret *catalogue_key;
	struct secret *intake_identity; /* opens lists that are sealed to the house */
	struct secret *histories_key;   /* from which the key of each history's file is derived */
	struct secret *budgets_key;     /* seals what was counted */
	struct budget_book *budgets;
	struct trace_keys *trace_keys;
	struct client_keys **client_keys; /* by client */
	size_t client_keys_room;

	struct consignment **consignments; /* by id */
	size_t consignment_count;
	struct live_list *live; /* by purpose */
	size_t live_room;

	struct vault_call *calls; /* slot = frame id - 1 */
	size_t call_room;
	size_t calls_open;
	size_t lookups_open;
	size_t call_hint; /* where a free slot is looked for first */
	uint64_t vault_request;
	uint64_t rows_served; /* by the vault's answers */
	bool reconciling;     /* lookups wait */
	bool counting;        /* the vault was asked */
	int64_t reconciled_us;
	struct look *held;    /* lookups that wait for a reconciliation */
	size_t drops_waiting; /* at start */

	struct custody_front *fronts;
	struct request *changes; /* the first is at work, the others wait */
	bool change_is_due;      /* the first has not begun */
	bool list_is_committing; /* changes wait: its entry puts the client, as they do */
	struct bulk *bulk;
	struct destroying *destroying; /* a consignment, one at a time */
	struct verifying *verifying;
	struct publishing *publishing;
	struct loss *losses; /* by generation */
	size_t loss_count;
	bool restart_is_due;
	struct custody_front *backup_front; /* for whom files hold still */
	int64_t backup_us;
	struct attribution *attribution;
	struct tracing *tracing;
	bool trace_is_committing; /* changes wait: its entry puts the case, as they do */
	struct scanning *scanning;
	bool scan_is_committing; /* the same */
	uint32_t next_child;

	uint32_t unauthenticated; /* since the last tick that counted them */
	int64_t unauthenticated_us;
	uint32_t next_session;
	uint64_t disclosed;  /* since the start */
	struct arena *arena; /* one disclosure's plaintext at a time */
	struct buffer reply;
	union front_request *scratch;

	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* --- request.c: requests and replies ---------------------------------------------------------- */

struct custody_front {
	struct custody *custody;
	void *arg; /* NULL once the connection has gone */
	uint8_t challenge[32];
	bool signed_in;
	bool is_guard;  /* of device: staff and session are 0 */
	bool is_putter; /* a guard's other line: puts files, and does not report */
	bool dead;      /* hung up: nothing more is read from it */
	uint32_t session, staff, device;
	int64_t keyed_us; /* of the key that signed in */
	size_t in_flight;
	struct custody_front *next, *previous; /* of the custody's */
	int64_t window_us;                     /* of logged refusals */
	uint32_t window_refusals;
	uint64_t unlogged;
	struct ledger_entry last_unlogged;
};

struct request {
	struct custody *custody;
	struct custody_front *front;
	uint32_t id;
	enum front_message type;
	enum verb verb;
	/* In whose name it is done: the front's; or, of what was asked and is approved, who asked. */
	uint32_t staff, device, session;
	bool approved;    /* an officer's own, in an unsealed house; or asked and approved */
	bool is_ask;      /* somebody wants it asked, though they might do it at once */
	bool must_ask;    /* it may be asked and not done: change_submit asks */
	uint32_t seconds; /* until it expires, if it is asked; 0: as the house says */
	char note[NAME_SIZE];
	struct carrying *carrying;  /* the approval that it is carried out by */
	enum front_message replied; /* what the last reply was */
	int fd;
	uint32_t log;         /* whose head the reply carries beside the house's */
	struct request *next; /* in the queue of changes */
	struct buffer body;   /* of one that waits */
};

/* What a verb's function gets; it or what it starts ends the request. */
struct verb_entry {
	enum front_message type;
	enum verb verb;
	bool changes; /* the house: one after the other */
	void (*run)(struct request *request, const union front_request *body);
};
const struct verb_entry *verb_of(uint16_t type); /* verbs.c */

/* Runs a request's verb with this body; what was decoded before is gone. */
void request_run(struct request *request, struct bytes body);
/* The zones that who asks is in now. */
uint64_t request_zones(const struct request *request);
/* The same for a grant to role. */
struct whereabouts request_whereabouts(const struct request *request, enum role role);
/* An entry of the house log with who asks, ready to be added to. */
struct ledger_entry request_entry(const struct request *request, enum entry_type type);
/* Writes the start of a reply into the custody's buffer; the caller adds an answer. */
struct wire_writer reply_begin(struct request *request, enum front_message type);
/* Sends what was written. An ITEM leaves the request open. */
void reply_item(struct request *request, struct wire_writer *writer);
/* Sends it and frees the request. */
void reply_end(struct request *request, struct wire_writer *writer);
/* FAILED with err; frees the request. */
void request_fail(struct request *request, const struct az_err *err);
/* The same, with that status. */
void request_fail_with(struct request *request, enum az_status status, struct az_err *err);
/* The same; but what is denied is refused, with an entry. */
void request_end_with(struct request *request, enum az_status status, struct az_err *err);
/* The same, with the place of the entry that tells of it. */
void request_fail_at(
    struct request *request, const struct az_err *err, const struct az_ticket *ticket);
/* An entry of the refusal, then FAILED; frees the request. */
void request_refuse(struct request *request, const struct az_err *err);
void request_progress(struct request *request, uint64_t done, uint64_t of, const char *what);
void answer_ledger(
    struct wire_writer *writer, const struct custody *custody, const struct az_ticket *ticket);
/* Begins the changes that wait, one after the other. */
void changes_round(struct custody *custody);

/* --- change.c: verbs that change the house ---------------------------------------------------- */

/*
 * What a verb's function begins with. True: it may be done now, by this role or because it was approved (then
 * request->approved is set, and carrying if others approved it). Else the request has ended: it was refused,
 * with an entry, or, where the role must ask, it was asked (ask_submit).
 */
bool change_is_permitted(struct request *request);
/* What it changes is durable, and its reply takes longer: the next change need not wait for that. */
void change_release(struct request *request);

/*
 * The same for functions that end in change_submit and would rather check first what is asked: true also where the role must ask.
 * change_submit then asks instead of changing.
 */
bool change_may_be_asked(struct request *request);

/*
 * Submits entry with what payload holds (taken), preceded by an approval if the request has one. On its
 * ticket the payload is taken into memory and the answer {kind, id, label} is sent. put: whether the things could be
 * put into payload; else the request fails with it.
 */
void change_submit(struct request *request, struct ledger_entry entry, enum az_status put,
    struct payload *payload, const char *kind, uint32_t id, const char *label);

/* --- asking.c, approvals.c: what somebody else must approve first ------------------------------- */

/*
 * Makes a request to be approved out of this one, and answers with its number. payload (taken; may be NULL) has
 * things that the asking itself puts, such as the case that is opened when it is approved; kind, id and label go into the answer
 * if kind is not NULL. When it has been approved, the verb's function runs again, with request->approved and
 * request->carrying set and who asked in request->staff.
 */
void ask_submit(struct request *request, struct payload *payload, const char *kind, uint32_t id,
    const char *label);
/* The number that ask_submit will give. */
uint32_t ask_number(const struct request *request);
/* The number of the request that is carried out; 0 if it was not asked. */
uint32_t carrying_number(const struct request *request);
/* Who approved it; 0: nobody. */
uint32_t carrying_approver(const struct request *request);

/*
 * Of a request that is carried out: submits the entry of the approval, and puts into payload what says that it is used
 * up. A function that does not end in change_submit calls it right before it submits its own entry with that payload, and
 * does nothing but fail where it fails. Nothing is done for what was not asked.
 */
AZ_CHECKED enum az_status approval_use(
    struct request *request, struct payload *payload, struct az_err *reterr);
/* An entry about an approval, with the hash of its document. */
struct ledger_entry approval_entry(
    const struct request *request, enum entry_type type, const struct approval *approval);
/* The one of that number, or NULL after a reply. */
const struct approval *approval_or_fail(struct request *request, uint32_t number);
void carrying_free(struct carrying **carrying);
/* True also of what was not asked. */
bool carrying_is_used(const struct request *request);

/* attempt.c: the note of an entry, unless it has none or it was erased. */
void answer_note(
    struct wire_writer *writer, const struct custody *custody, uint32_t log, uint64_t index);

/* describe.c: what a request asks, in words. AZ_INVALID: it is none that can be asked. */
AZ_CHECKED enum az_status describe_request(
    enum front_message type, const union front_request *body, struct buffer *text);

/* --- the verbs -------------------------------------------------------------------------------- */

void verb_sign_in(struct request *request, const union front_request *body);
void verb_present(struct request *request, const union front_request *body);
void verb_status(struct request *request, const union front_request *body);
void verb_client_add(struct request *request, const union front_request *body);
void verb_client_list(struct request *request, const union front_request *body);
void verb_recipient(struct request *request, const union front_request *body);
void verb_client_close(struct request *request, const union front_request *body);
void verb_purpose_add(struct request *request, const union front_request *body);
void verb_purpose_list(struct request *request, const union front_request *body);
void verb_purpose_close(struct request *request, const union front_request *body);
void verb_staff_add(struct request *request, const union front_request *body);
void verb_staff_list(struct request *request, const union front_request *body);
void verb_staff_end(struct request *request, const union front_request *body);
void verb_staff_until(struct request *request, const union front_request *body);
void verb_invite(struct request *request, const union front_request *body);
void verb_rekey(struct request *request, const union front_request *body);
void verb_enrol(struct request *request, const union front_request *body);
void verb_device_add(struct request *request, const union front_request *body);
void verb_device_list(struct request *request, const union front_request *body);
void verb_device_retire(struct request *request, const union front_request *body);
void verb_entrust(struct request *request, const union front_request *body);
void verb_disclose(struct request *request, const union front_request *body);
void verb_hand_over(struct request *request, const union front_request *body);
void verb_slots(struct request *request, const union front_request *body);
void verb_slot_give(struct request *request, const union front_request *body);
void verb_slots_list(struct request *request, const union front_request *body);
void verb_zone_add(struct request *request, const union front_request *body);
void verb_zone_list(struct request *request, const union front_request *body);
void verb_zone_close(struct request *request, const union front_request *body);
void verb_zone_role(struct request *request, const union front_request *body);
void verb_check(struct request *request, const union front_request *body);
void verb_correct(struct request *request, const union front_request *body);
void verb_map_set(struct request *request, const union front_request *body);
void verb_map_show(struct request *request, const union front_request *body);
void verb_campaign_add(struct request *request, const union front_request *body);
void verb_campaign_list(struct request *request, const union front_request *body);
void verb_campaign_close(struct request *request, const union front_request *body);
void verb_attempt(struct request *request, const union front_request *body);
void verb_attempt_list(struct request *request, const union front_request *body);
void verb_receipt(struct request *request, const union front_request *body);
void verb_stop(struct request *request, const union front_request *body);
void verb_restrict(struct request *request, const union front_request *body);
void verb_ledger_verify(struct request *request, const union front_request *body);
void verb_policy_add(struct request *request, const union front_request *body);
void verb_policy_list(struct request *request, const union front_request *body);
void verb_policy_extend(struct request *request, const union front_request *body);
void verb_policy_close(struct request *request, const union front_request *body);
void verb_ledger_query(struct request *request, const union front_request *body);
void verb_ask(struct request *request, const union front_request *body);
void verb_approvals(struct request *request, const union front_request *body);
void verb_approval(struct request *request, const union front_request *body);
void verb_approve(struct request *request, const union front_request *body);
void verb_refuse(struct request *request, const union front_request *body);
void verb_ledger_export(struct request *request, const union front_request *body);
void verb_ledger_checkpoint(struct request *request, const union front_request *body);
void verb_ledger_proof(struct request *request, const union front_request *body);

/* The session of a front ends: its connection has gone, or somebody took it over. */
void session_leave(struct custody_front *front);
/*
 * Ends a request that showed a head, or a checkpoint, which our log does not continue: with an alarm in the ledger, and nothing
 * more for this front.
 */
void head_alarm(struct request *request, const struct head *head, const struct az_err *err);
void sessions_end_connections(struct custody *custody, uint32_t session);
/* Counts a sign-in that failed, for the entry of the minute. */
void session_tick(struct custody *custody, int64_t now_us);

/* --- moments.c: what is unusual in time ------------------------------------------------------- */

void moments_free(struct custody *custody);
/*
 * The latest wall clock time that this house has seen, in an entry or since: a clock that is set back makes it stand still. Whatever
 * ends is decided by it.
 */
int64_t house_now_us(struct custody *custody);
/* The same, without remembering it. */
int64_t house_time_us(const struct custody *custody);
/* At start, the ledger being open: a clock that is behind the last entry has gone back meanwhile. */
void moments_started(struct custody *custody, int64_t last_us);
void moments_tick(struct custody *custody);
/* Somebody took a session over; too many of them in a short time are an alarm. */
void moments_taken_over(struct request *request);

/* --- crossing.c: the logs commit to each other, once a day -------------------------------------- */

AZ_CHECKED enum az_status crossing_apply(
    struct custody *custody, struct bytes thing, struct az_err *reterr);
void crossing_tick(struct custody *custody);

/* --- zones.c ---------------------------------------------------------------------------------- */

/* What somebody asks to be bound to. AZ_NOT_FOUND: there is no such zone. */
AZ_CHECKED enum az_status zone_bounds_read(const struct policy *policy,
    const struct front_bounds *asked, struct zone_bounds *ret_bounds, struct az_err *reterr);
/* "192.0.2.0/24", "2001:db8::/32" */
#define ZONE_NETWORK_TEXT 64u
void zone_network_text(const uint8_t address[16], uint8_t bits, char text[ZONE_NETWORK_TEXT]);
/* "zones" and "outside". */
void answer_bounds(
    struct wire_writer *writer, const struct policy *policy, const struct zone_bounds *bounds);

/* --- slots.c ---------------------------------------------------------------------------------- */

void slots_fini(struct custody *custody);
/* A set as it was committed. AZ_CORRUPT. */
AZ_CHECKED enum az_status slots_apply(
    struct custody *custody, uint64_t id, struct bytes thing, struct az_err *reterr);

/* --- budgets.c: whom each human has seen ------------------------------------------------------ */

/* At founding: what each role has until an officer says otherwise. */
AZ_CHECKED enum az_status budgets_found(struct payload *payload);
/* At start, things being in memory: counts what the logs say. */
AZ_CHECKED enum az_status budgets_count(struct custody *custody, struct az_err *reterr);
/* At stop, settled: keeps what was counted, so that the next start need not count it again. */
void budgets_keep(struct custody *custody);
/*
 * Whether the entry may be submitted, after so many others of the same question: disclosed, unmasked, checked, ambiguous, not found. AZ_LIMIT, AZ_DENIED with a reason. Once it is
 * submitted, budgets_counted must follow in the same turn of the loop.
 */
AZ_CHECKED enum az_status budgets_allow(struct custody *custody, const struct ledger_entry *entry,
    bool call, uint32_t along, struct az_err *reterr);
void budgets_counted(struct custody *custody, const struct ledger_entry *entry, bool call);

/* --- consignments.c --------------------------------------------------------------------------- */

/* Where its entry stands, once that is known. */
void consignment_stands_at(struct custody *custody, uint64_t id, uint64_t index);
struct consignment *consignment_of(const struct custody *custody, uint64_t id);
/* Takes it over into the list; an older one of that id is replaced. */
AZ_CHECKED enum az_status consignment_put(
    struct custody *custody, struct consignment *consignment, struct az_err *reterr);
/* It may be asked from now on. */
AZ_CHECKED enum az_status consignment_activate(
    struct custody *custody, struct consignment *consignment, struct az_err *reterr);
/* It is asked no more. */
void consignment_deactivate(struct custody *custody, struct consignment *consignment);
const struct live_list *live_of(const struct custody *custody, uint32_t purpose);

/*
 * Where a record stands for a purpose: in which list it is current, and whether it was withdrawn since. Fed with all the
 * record's catalogue entries; lists are those that count, the rest is passed over.
 */
struct standing {
	const struct custody *custody;
	uint32_t purpose;
	struct consignment *const *lists;
	size_t list_count;
	bool found;
	struct catalogue_entry entry; /* of the newest of the lists */
	bool was_withdrawn;
	struct catalogue_entry withdrawal; /* the newest */
};
void standing_take(struct standing *standing, const struct catalogue_entry *entry);
/* Whether the record may be found: some list has it, and none withdraws it that is newer. */
bool standing_is_callable(const struct standing *standing);
/* Whether a is asked before b. */
bool consignment_is_newer(int32_t as_of_a, uint64_t a, int32_t as_of_b, uint64_t b);

/* --- vault.c: the port to the vault ----------------------------------------------------------- */

/* A slot for a question; 0 if there is no memory or too many are open. */
uint32_t vault_call_new(struct custody *custody, bool lookup,
    void (*done)(void *arg, const struct frame *frame), void *arg);
void vault_call_forget(struct custody *custody, uint32_t id);
/* A frame; done is called with its answer. */
AZ_CHECKED enum az_status vault_put(struct custody *custody, enum vault_message type,
    struct bytes body, void (*done)(void *arg, const struct frame *frame), void *arg,
    struct az_err *reterr);
/* An empty frame, or one with a consignment, as a question. */
AZ_CHECKED enum az_status vault_ask(struct custody *custody, enum vault_message type,
    const uint64_t *consignment, void (*done)(void *arg, const struct frame *frame), void *arg,
    struct az_err *reterr);
/* The status and text of a VAULT_FAILED; AZ_FORGED of what is none, or says what a vault cannot know. */
enum az_status vault_failed(const struct frame *frame, struct az_err *reterr);
void vault_start(struct custody *custody);
/* Compares the vault's count of rows with ours, once nothing is in flight. */
bool vault_reconcile_is_due(const struct custody *custody);
void vault_reconcile_begin(struct custody *custody);
void vault_reconcile_round(struct custody *custody);

/* --- look_find.c ------------------------------------------------------------------------------ */

void looks_resume(struct custody *custody);

/* --- entrust.c -------------------------------------------------------------------------------- */

void entrust_child(struct bulk *bulk, int socket, int pipe);
void entrust_child_failed(struct bulk *bulk, const struct az_err *err);
uint32_t entrust_child_id(const struct bulk *bulk);
void entrust_woken(struct custody *custody);
/* Hands frames of the bulk threads on to the vault, as far as it takes them. */
void entrust_round(struct custody *custody);
/* The front has gone: a list that is not committed yet is given up. */
void entrust_front_gone(struct bulk *bulk, const struct custody_front *front);

/* --- verify.c --------------------------------------------------------------------------------- */

void verify_child(struct verifying *verifying, int socket);
void verify_child_failed(struct verifying *verifying, const struct az_err *err);
uint32_t verify_child_id(const struct verifying *verifying);

/* --- publish.c -------------------------------------------------------------------------------- */

void publish_child(struct publishing *publishing, int socket);
void publish_child_failed(struct publishing *publishing, const struct az_err *err);
uint32_t publish_child_id(const struct publishing *publishing);
/* The front has gone: nobody reads what is written. */
void publish_front_gone(struct publishing *publishing, const struct custody_front *front);
/* In the child. */
AZ_CHECKED enum az_status publish_in_child(
    struct link *link, struct frame *frame, int dirfd, struct az_err *reterr);

/* --- trace.c ---------------------------------------------------------------------------------- */

void verb_trace_list(struct request *request, const union front_request *body);
void verb_trace(struct request *request, const union front_request *body);
void trace_child(struct tracing *tracing, int socket, int pipe);
void trace_child_failed(struct tracing *tracing, const struct az_err *err);
/* Of the intake that is waited for; 0: none is. */
uint32_t trace_child_id(const struct tracing *tracing);
void trace_round(struct custody *custody);
/* The front has gone, and with it what it had read; NULL: whosoever it is. */
void trace_front_gone(struct tracing *tracing, const struct custody_front *front);

/* staff.c: how far the house holds to what a house is for. */
enum house_stage custody_stage(struct custody *custody);
void custody_fatal(struct custody *custody, const struct az_err *err);
void custody_ready(struct custody *custody);
void custody_may_stop(struct custody *custody);

#endif
