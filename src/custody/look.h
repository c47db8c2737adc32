/*
 * Looking for exactly one person, by what is known of them, for a purpose. What is done with the person when there is one is the
 * verb's own: disclose shows fields (disclose.c), check compares one (check.c).
 *
 *	request ── policy: role, purpose, zone ── refused: entry, denied
 *	   │ match key
 *	   ├─ by number: the catalogue knows the record ─────────────┐
 *	   └─ else: tokens ─► vault ─► blocks, checked by their MAC ─┤
 *	                                                             ▼
 *	                              catalogue: which of them are current
 *	         none                      one                        several
 *	   entry not-found          the verb's own entry        entry ambiguous
 *	         │                  flushed: ticket              flushed: ticket
 *	         ▼                         ▼                           ▼
 *	      exit 1                  the verb's own           open, compare, wipe: which
 *	                                                        kinds would tell them apart
 *
 * Nothing is opened before the ticket.
 */
#ifndef AZ_CUSTODY_LOOK_H
#define AZ_CUSTODY_LOOK_H

#include "custody/corrections.h"
#include "custody/open.h"

#define MATCHES_MAX VAULT_ROWS_MAX

/* A record that has the key, in its current version. */
struct candidate {
	struct row_named named;
	uint8_t *sealed; /* as the vault gave it; NULL until then */
	size_t sealed_size;
};

struct look;

/* What a verb does with whom it finds. */
struct look_kind {
	size_t size; /* of its own struct, which begins with a struct look */
	/* There is exactly one, and the row is here: writes the entry that must come first (look_log_within_budget), or ends. */
	void (*found)(struct look *look);
	void (*fini)(struct look *look); /* of what is its own; NULL: nothing */
};

struct look {
	const struct look_kind *kind;
	struct request *request;
	struct look *next; /* held while the vault's count is compared */
	struct grant grant;
	uint32_t campaign; /* 0: none */
	struct match_key key;
	uint8_t key_digest[CORRECTION_KEY_SIZE]; /* as corrections keep it */
	struct ledger_entry entry;               /* of what comes out */
	char call[CALL_SIZE];
	uint32_t record;  /* asked by that, which was handed over; 0: by the key */
	uint32_t call_id; /* of the question that is open */
	bool fetched;     /* rows that the first answer did not have were asked for */
	size_t
	    matches; /* current records that have the key; above MATCHES_MAX not all are in the list */
	size_t count;
	struct candidate candidates[MATCHES_MAX];
	/* The consignments asked, the newest first: what is entrusted meanwhile is not looked at. */
	size_t asked_count;
	struct consignment **asked;
};

/*
 * A look for who is asked for, if who asks may; NULL after a reply. It is the caller's to complete, and then look_find's;
 * look_free, look_fail and look_refuse end it.
 */
struct look *look_new(
    struct request *request, const struct front_look *asked, const struct look_kind *kind);
void look_find(struct look *look);

void look_free(struct look *look);
/* Ends the request, too; without an entry, and with one. */
void look_fail(struct look *look, enum az_status status, struct az_err *err);
void look_refuse(struct look *look, enum az_status status, struct az_err *err);
/* "disclose", "check": what messages begin with. */
const char *look_verb(const struct look *look);

/* With a call's reference disclosures have a budget of their own. */
bool look_is_of_call(const struct look *look);
/* Submits the entry; done, or what it calls, ends the look. On failure it is ended here. */
void look_log(struct look *look, enum entry_type type, enum az_status outcome,
    void (*done)(void *arg, const struct az_ticket *ticket));
/* The same, if the budget of who asks has room for it; else refuses. */
void look_log_within_budget(struct look *look, enum entry_type type, enum az_status outcome,
    void (*done)(void *arg, const struct az_ticket *ticket));

/* Opens the row of the one that was found, with the ticket of its entry. As row_open. */
AZ_CHECKED enum az_status look_open(struct look *look, const struct az_ticket *ticket,
    struct row *ret_row, uint64_t *ret_corrected, struct az_err *reterr);
/* The end of one whose row did not open: withheld, not found any more, or failed. */
void look_did_not_open(struct look *look, enum az_status status, struct az_err *err);
/* What the vault has is not what was entrusted: the entry says so, and nothing is shown. */
void look_withhold(struct look *look, uint32_t record, uint32_t version);

/* look_find.c calls it: all that can be known without opening is known. */
void look_decide(struct look *look);

#endif
