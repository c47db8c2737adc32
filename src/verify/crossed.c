/*
 * Two logs of one house, which commit to each other once a day: a client's and the house's own.
 *
 * Each was hashed again and leads to a root that its key signed. But that key is the house's, and whoever has it can sign a log that was
 * put back, or written anew: then the other log, a copy of which somebody else holds, still says how long this one was, and
 * with which root.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "verify/verify_internal.h"

#define HOUSE_TAIL "house"

struct visit {
	const struct crossed_log *from, *to;
	uint32_t subject; /* the number of to, as from knows it */
	struct log_commitments *found;
	enum az_status status;
	struct az_err err;
};

/* "azukari/HOUSE/gN/3" in its two parts. */
static enum az_status
cut_origin(const char *name, struct bytes *ret_life, uint32_t *ret_log, struct az_err *reterr)
{
	const char *tail = strrchr(name, '/');
	uint64_t number = 0;

	if (tail == NULL)
		return az_fail(reterr, AZ_INVALID, "%s is no log of a house", name);
	*ret_life = bytes_make(name, (size_t)(tail - name));
	tail++;
	if (strcmp(tail, HOUSE_TAIL) != 0 &&
	    (!evidence_number(bytes_of(tail), &number) || number == 0 || number > UINT32_MAX))
		return az_fail(reterr, AZ_INVALID, "%s is no log of a house", name);
	*ret_log = (uint32_t)number;
	return AZ_OK;
}

static enum az_status
check_one(struct visit *visit, uint64_t index, const struct ledger_entry *entry)
{
	const struct log_check *to = visit->to->check;
	uint8_t root[TREE_HASH_SIZE];
	char when[48];
	enum az_status status;

	clock_format_utc(entry->time_us, when, sizeof(when));
	if (entry->detail64 > to->size)
		return az_fail(&visit->err, AZ_FORGED,
		    "%s had %llu entries on %s, as entry %llu of %s says, and here are %llu: "
		    "export "
		    "it again, or entries are missing",
		    to->key->name, (unsigned long long)entry->detail64, when,
		    (unsigned long long)index, visit->from->check->key->name,
		    (unsigned long long)to->size);
	status = published_root(visit->to->source, to->size, entry->detail64, root, &visit->err);
	if (status == AZ_OK && !hash_is_equal(root, entry->document))
		status = az_fail(&visit->err, AZ_FORGED,
		    "the first %llu entries of %s are not those of %s, to which entry %llu of %s "
		    "commits",
		    (unsigned long long)entry->detail64, to->key->name, when,
		    (unsigned long long)index, visit->from->check->key->name);
	return status;
}

static void
visit_entry(void *arg, uint64_t index, const struct ledger_read *read)
{
	struct visit *visit = arg;

	if (visit->status != AZ_OK || read == NULL || read->entry.type != ENTRY_COMMITTED ||
	    read->entry.subject != visit->subject)
		return;
	visit->status = check_one(visit, index, &read->entry);
	visit->found->count++;
	visit->found->last_us = read->entry.time_us;
	visit->found->last_size = read->entry.detail64;
}

/* What one says about the other. */
static enum az_status
check_way(const struct crossed_log *from, const struct crossed_log *to, uint32_t subject,
    struct log_commitments *ret_found, struct az_err *reterr)
{
	struct visit visit = {
	    .from = from, .to = to, .subject = subject, .found = ret_found, .status = AZ_OK};
	enum az_status status;

	*ret_found = (struct log_commitments){0};
	status = log_visit(from->source, from->check, visit_entry, &visit, reterr);
	if (status == AZ_OK && visit.status != AZ_OK)
		status = az_fail(reterr, visit.status, "%s", visit.err.text);
	return status;
}

enum az_status
log_check_crossed(const struct crossed_log *a, const struct crossed_log *b,
    struct log_commitments ret_found[2], struct az_err *reterr)
{
	struct bytes life_a, life_b;
	uint32_t log_a, log_b;
	enum az_status status = cut_origin(a->check->key->name, &life_a, &log_a, reterr);

	if (status == AZ_OK)
		status = cut_origin(b->check->key->name, &life_b, &log_b, reterr);
	if (status != AZ_OK)
		return status;
	if (!bytes_equal(life_a, life_b))
		return az_fail(reterr, AZ_INVALID,
		    "%s and %s are not of one house in one generation, and cannot be compared",
		    a->check->key->name, b->check->key->name);
	if (log_a == log_b || (log_a != LEDGER_HOUSE_LOG && log_b != LEDGER_HOUSE_LOG))
		return az_fail(reterr, AZ_INVALID,
		    "%s and %s: one must be the house's own log, the other a client's",
		    a->check->key->name, b->check->key->name);
	status = check_way(a, b, log_b, &ret_found[0], reterr);
	return status == AZ_OK ? check_way(b, a, log_a, &ret_found[1], reterr) : status;
}
