/*
 * Whether what was found somewhere is of the house: its fingerprints, opened for as long as a question lasts, and whose
 * they are. For a scan within a case (custody/scan.c), and for whoever else must know whether bytes hold data of the
 * house, such as what a guard is to write to a stick.
 *
 *	sifting_new      loop    the lists that are looked for: of the case's clients, or all
 *	sifting_prepare  thread  their fingerprints into a sieve
 *	sifting_take     thread  telephones and mails, as azukari-scanner finds them; again and again
 *	sifting_confirm  thread  what the sieve held back against the fingerprints again
 *	sifting_free     either
 *
 * Promises  neither fingerprints nor sieve leave this process, and both are gone with the sifting; nothing of the house is
 *           told before sifting_confirm, so its caller can have an entry durable first (I1).
 * Not       it writes no entry and knows no limits: its caller has both. A person with neither telephone nor mail in
 *           their list is not found.
 * Threads   one at a time; the lists may not be destroyed meanwhile.
 */
#ifndef AZ_CUSTODY_SIFTING_H
#define AZ_CUSTODY_SIFTING_H

#include "crypto/tree.h"
#include "custody/cases.h"
#include "custody/reading.h"
#include "trace/sift.h"

struct sifting;

/* of: whose clients; NULL: all. AZ_NO_MEMORY, and as keys_of. */
AZ_CHECKED enum az_status sifting_new(struct custody *custody, const struct trace_case *of,
    struct sifting **ret_sifting, struct az_err *reterr);
void sifting_free(struct sifting **sifting);

/* AZ_GONE: end says that it is over. AZ_FORGED: fingerprints are missing or not those that were kept. AZ_IO, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status sifting_prepare(
    struct sifting *sifting, const struct reading_end *end, struct az_err *reterr);
/* The body of a SIFT_TOKENS. As trace_sift_take. */
AZ_CHECKED enum az_status sifting_take(
    struct sifting *sifting, struct bytes tokens, struct az_err *reterr);
/* As sifting_prepare. */
AZ_CHECKED enum az_status sifting_confirm(
    struct sifting *sifting, const struct reading_end *end, struct az_err *reterr);

/* --- what was found, confirmed ---------------------------------------------------------------- */

/* Of one client: in one place, or in all. */
struct sifting_share {
	const char *client; /* its label, for as long as the sifting is there */
	uint32_t id;
	uint32_t people;   /* distinct records */
	uint32_t versions; /* distinct versions of them that have what was found */
	int32_t from, to;  /* as-of dates of the lists that have these, the first and the last */
	uint8_t
	    root[TREE_HASH_SIZE]; /* over record, version and list of each; in all places only */
};

struct sifting_counts {
	uint64_t taken;  /* values looked at */
	uint64_t values; /* distinct ones that are of the house: what a case is used up by */
	uint64_t common; /* those of them that too many people have */
	uint64_t people; /* distinct records */
	uint64_t places; /* with any of them */
	size_t lists, lists_without, lists_not_active, clients; /* that were looked for */
};
void sifting_counts(const struct sifting *sifting, struct sifting_counts *ret_counts);

/* How many people the house's clients have in a place: visit gets each place that has any, ascending, with its shares. */
AZ_CHECKED enum az_status sifting_places(const struct sifting *sifting,
    enum az_status (*visit)(void *arg, uint32_t place, uint32_t people,
	const struct sifting_share *shares, size_t count),
    void *arg);
/* By client, over all places; those of whom nothing was found are left out. Borrowed. */
const struct sifting_share *sifting_clients(const struct sifting *sifting, size_t *ret_count);
/* Over all that was found: place, client, record, version, list. */
void sifting_root(const struct sifting *sifting, uint8_t ret_root[TREE_HASH_SIZE]);
/*
 * Whether the telephones were made by counting, to find out who is here (as in a trace); then the hash of them, which
 * names them in an approval.
 */
bool sifting_looks_made_up(const struct sifting *sifting, uint8_t ret_hash[SHA256_SIZE]);

#endif
