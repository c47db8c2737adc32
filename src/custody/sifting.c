/*
 * Sifting what was found for what is the house's: the lists, and what of it is whose.
 *
 * trace/sift.c does the work over numbers; here it gets the runs of the lists, twice, and the numbers get their names back.
 */
#include "custody/sifting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody/tracing.h"
#include "proto/scan.h"

#define SAMPLE_MAX  ((size_t)1 << 18) /* telephones looked at for whether they were counted up */
#define PRINTS_EACH 2u                /* telephones and mails of a row, about */

struct sifted_list {
	uint64_t consignment;
	uint32_t client; /* index into clients */
	int32_t as_of;
	struct secret *prints; /* the key of its run: a copy */
	uint8_t sha256[SHA256_SIZE];
	bool has_prints;
};

struct sifted_client {
	uint32_t id;
	char label[LABEL_SIZE];
};

struct sifting {
	struct custody *custody;
	struct trace_sift *sift;
	struct sifted_list *lists;
	size_t list_count, not_active;
	struct sifted_client *clients;
	size_t client_count;
	uint64_t rows;
	uint64_t *phones; /* as numbers */
	size_t phone_count;
	/* confirmed */
	struct sifting_share *shares; /* by client, of whom anything was found */
	size_t share_count;
	uint64_t people, places;
	uint8_t root[TREE_HASH_SIZE];
};

/* --- the lists -------------------------------------------------------------------------------- */

static enum az_status
add_client(struct sifting *sifting, uint32_t id, uint32_t *ret_index, struct az_err *reterr)
{
	const struct client *client = policy_client(sifting->custody->policy, id);
	struct sifted_client *grown;

	for (size_t i = 0; i < sifting->client_count; i++) {
		if (sifting->clients[i].id == id) {
			*ret_index = (uint32_t)i;
			return AZ_OK;
		}
	}
	grown = reallocarray(sifting->clients, sifting->client_count + 1, sizeof(*grown));
	if (grown == NULL || client == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	sifting->clients = grown;
	grown += sifting->client_count;
	*grown = (struct sifted_client){.id = id};
	(void)snprintf(grown->label, sizeof(grown->label), "%s", client->label);
	*ret_index = (uint32_t)sifting->client_count++;
	return AZ_OK;
}

static enum az_status
add_list(struct sifting *sifting, struct consignment *consignment, struct az_err *reterr)
{
	static const uint8_t none[SHA256_SIZE];
	struct sifted_list *list = &sifting->lists[sifting->list_count];
	enum az_status status = keys_of(sifting->custody, consignment, reterr);

	if (status != AZ_OK)
		return status;
	*list = (struct sifted_list){.consignment = consignment->id,
	    .as_of = consignment->as_of,
	    .has_prints = !bytes_equal(
		bytes_make(consignment->prints, SHA256_SIZE), bytes_make(none, sizeof(none)))};
	memcpy(list->sha256, consignment->prints, sizeof(list->sha256));
	sifting->list_count++;
	sifting->rows += list->has_prints ? consignment->accepted : 0;
	status = secret_new(KEY_SIZE, &list->prints, reterr);
	if (status != AZ_OK)
		return status;
	memcpy(secret_data(list->prints), secret_peek(consignment->keys->prints).data, KEY_SIZE);
	return add_client(sifting, consignment->client, &list->client, reterr);
}

enum az_status
sifting_new(struct custody *custody, const struct trace_case *of, struct sifting **ret_sifting,
    struct az_err *reterr)
{
	struct sifting *sifting = calloc(1, sizeof(*sifting));
	enum az_status status = AZ_OK;

	if (sifting != NULL) {
		sifting->custody = custody;
		sifting->lists = calloc(custody->consignment_count + 1, sizeof(*sifting->lists));
		sifting->phones = calloc(SAMPLE_MAX, sizeof(*sifting->phones));
	}
	if (sifting == NULL || sifting->lists == NULL || sifting->phones == NULL)
		status = az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	for (size_t i = 0; status == AZ_OK && i < custody->consignment_count; i++) {
		struct consignment *consignment = custody->consignments[i];

		if (of != NULL && !case_has_client(of, consignment->client))
			continue;
		if (consignment->active)
			status = add_list(sifting, consignment, reterr);
		else
			sifting->not_active++;
	}
	if (status == AZ_OK)
		*ret_sifting = sifting;
	else
		sifting_free(&sifting);
	return status;
}

void
sifting_free(struct sifting **sifting)
{
	struct sifting *freed = *sifting;

	if (freed == NULL)
		return;
	*sifting = NULL;
	trace_sift_free(&freed->sift);
	for (size_t i = 0; i < freed->list_count; i++)
		secret_free(&freed->lists[i].prints);
	free(freed->lists);
	free(freed->clients);
	if (freed->phones != NULL)
		az_wipe(freed->phones, freed->phone_count * sizeof(*freed->phones));
	free(freed->phones);
	free(freed->shares);
	free(freed);
}

/* --- their fingerprints ----------------------------------------------------------------------- */

struct visiting {
	struct sifting *sifting;
	const struct reading_end *end;
	uint32_t list;
};

static enum az_status
given_up(struct az_err *reterr)
{
	return az_fail(reterr, AZ_GONE, "scan: given up");
}

static enum az_status
add_prints(void *arg, enum match_kind kind, const struct trace_print *prints, size_t count,
    struct az_err *reterr)
{
	const struct visiting *visiting = arg;

	if (visiting->end->is_over(visiting->end->arg))
		return given_up(reterr);
	if (trace_sift_has_kind(kind))
		trace_sift_add(visiting->sifting->sift, prints, count);
	return AZ_OK;
}

static enum az_status
match_prints(void *arg, enum match_kind kind, const struct trace_print *prints, size_t count,
    struct az_err *reterr)
{
	const struct visiting *visiting = arg;

	if (visiting->end->is_over(visiting->end->arg))
		return given_up(reterr);
	return trace_sift_has_kind(kind)
	    ? trace_sift_match(visiting->sifting->sift, visiting->list, prints, count, reterr)
	    : AZ_OK;
}

static enum az_status
read_runs(struct sifting *sifting, const struct reading_end *end,
    enum az_status (*visit)(void *arg, enum match_kind kind, const struct trace_print *prints,
	size_t count, struct az_err *reterr),
    struct az_err *reterr)
{
	const struct custody *custody = sifting->custody;
	struct visiting visiting = {.sifting = sifting, .end = end};
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < sifting->list_count && status == AZ_OK; i++) {
		const struct sifted_list *list = &sifting->lists[i];

		if (!list->has_prints)
			continue;
		visiting.list = (uint32_t)i;
		status = trace_run_read(custody->trace_dirfd, custody->config.house,
		    list->consignment, list->prints, list->sha256, visit, &visiting, reterr);
		/* One that is missing was taken away: not a search of it that found nothing. */
		if (status == AZ_NOT_FOUND)
			status = az_fail(reterr, AZ_FORGED,
			    "consignment %llu: its fingerprints are missing",
			    (unsigned long long)list->consignment);
	}
	return status;
}

enum az_status
sifting_prepare(struct sifting *sifting, const struct reading_end *end, struct az_err *reterr)
{
	enum az_status status = trace_sift_new(sifting->custody->trace_keys,
	    (size_t)sifting->rows * PRINTS_EACH, &sifting->sift, reterr);

	return status == AZ_OK ? read_runs(sifting, end, add_prints, reterr) : status;
}

/* --- what was found --------------------------------------------------------------------------- */

/* Notes telephones, for whether they were counted up. What is malformed is trace_sift_take's to refuse. */
static void
sample(struct sifting *sifting, struct bytes tokens)
{
	for (size_t at = 4; at + 3 <= tokens.size && sifting->phone_count < SAMPLE_MAX;) {
		size_t size = wire_load_u16(tokens.data + at + 1);
		uint64_t number = 0;

		if (size > tokens.size - at - 3)
			return;
		for (size_t i = 0; i < size; i++) {
			uint8_t byte = tokens.data[at + 3 + i];

			if (byte >= '0' && byte <= '9')
				number = number * 10 + (byte - '0');
		}
		if (tokens.data[at] == SIFT_PHONE)
			sifting->phones[sifting->phone_count++] = number;
		at += 3 + size;
	}
}

enum az_status
sifting_take(struct sifting *sifting, struct bytes tokens, struct az_err *reterr)
{
	if (sifting->phone_count < SAMPLE_MAX)
		sample(sifting, tokens);
	return trace_sift_take(sifting->sift, tokens, reterr);
}

/* --- whose ------------------------------------------------------------------------------------ */

/* What counting the people of each client needs; one for each client. */
struct tally {
	struct sifting_share share;
	struct tree tree;
	uint32_t record, version; /* the last ones counted */
};

static uint32_t
client_of(const struct sifting *sifting, const struct trace_sift_found *found)
{
	return sifting->lists[found->source].client;
}

/* found comes by record and version. */
static void
tally_add(
    const struct sifting *sifting, struct tally *tallies, const struct trace_sift_found *found)
{
	const struct sifted_list *list = &sifting->lists[found->source];
	struct tally *tally = &tallies[list->client];

	if (tally->share.people == 0 || list->as_of < tally->share.from)
		tally->share.from = list->as_of;
	if (tally->share.people == 0 || list->as_of > tally->share.to)
		tally->share.to = list->as_of;
	if (tally->share.people == 0 || tally->record != found->record) {
		tally->share.people++;
		tally->share.versions++;
	} else if (tally->version != found->version) {
		tally->share.versions++;
	}
	tally->record = found->record;
	tally->version = found->version;
}

static void
tallies_begin(const struct sifting *sifting, struct tally *tallies)
{
	memset(tallies, 0, (sifting->client_count + 1) * sizeof(*tallies));
	for (size_t i = 0; i < sifting->client_count; i++) {
		tallies[i].share.client = sifting->clients[i].label;
		tallies[i].share.id = sifting->clients[i].id;
	}
}

enum az_status
sifting_places(const struct sifting *sifting,
    enum az_status (*visit)(void *arg, uint32_t place, uint32_t people,
	const struct sifting_share *shares, size_t count),
    void *arg)
{
	struct tally *tallies = calloc(sifting->client_count + 1, sizeof(*tallies));
	struct sifting_share *shares = calloc(sifting->client_count + 1, sizeof(*shares));
	size_t count = 0;
	const struct trace_sift_found *found = trace_sift_found(sifting->sift, &count);
	enum az_status status = tallies != NULL && shares != NULL ? AZ_OK : AZ_NO_MEMORY;

	for (size_t from = 0, to; from < count && status == AZ_OK; from = to) {
		uint32_t people = 0;
		size_t used = 0;

		tallies_begin(sifting, tallies);
		for (to = from; to < count && found[to].place == found[from].place; to++) {
			people += to == from || found[to].record != found[to - 1].record;
			tally_add(sifting, tallies, &found[to]);
		}
		for (size_t i = 0; i < sifting->client_count; i++) {
			if (tallies[i].share.people > 0)
				shares[used++] = tallies[i].share;
		}
		status = visit(arg, found[from].place, people, shares, used);
	}
	free(tallies);
	free(shares);
	return status;
}

static int
compare_records(const void *a, const void *b)
{
	const struct trace_sift_found *one = a;
	const struct trace_sift_found *other = b;

	if (one->record != other->record)
		return one->record < other->record ? -1 : 1;
	if (one->version != other->version)
		return one->version < other->version ? -1 : 1;
	return one->source < other->source ? -1 : one->source > other->source;
}

static bool
is_again(const struct trace_sift_found *found, const struct trace_sift_found *before)
{
	return compare_records(found, before) == 0;
}

/* The same people in many places are the same people. */
static void
tally_all(struct sifting *sifting, struct tally *tallies, const struct trace_sift_found *all,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct sifted_list *list = &sifting->lists[all[i].source];
		uint8_t leaf[16];
		uint8_t hash[TREE_HASH_SIZE];

		if (i > 0 && is_again(&all[i], &all[i - 1]))
			continue;
		sifting->people += i == 0 || all[i].record != all[i - 1].record;
		tally_add(sifting, tallies, &all[i]);
		wire_store_u32(leaf, all[i].record);
		wire_store_u32(leaf + 4, all[i].version);
		wire_store_u64(leaf + 8, list->consignment);
		tree_leaf(bytes_make(leaf, sizeof(leaf)), hash);
		tree_append(&tallies[list->client].tree, hash);
	}
	for (size_t i = 0; i < sifting->client_count; i++) {
		if (tallies[i].share.people == 0)
			continue;
		tree_root(&tallies[i].tree, tallies[i].share.root);
		sifting->shares[sifting->share_count++] = tallies[i].share;
	}
}

static void
make_root(struct sifting *sifting, const struct trace_sift_found *found, size_t count)
{
	struct tree tree = {0};

	for (size_t i = 0; i < count; i++) {
		uint8_t leaf[24];
		uint8_t hash[TREE_HASH_SIZE];

		sifting->places += i == 0 || found[i].place != found[i - 1].place;
		wire_store_u32(leaf, found[i].place);
		wire_store_u32(leaf + 4, sifting->clients[client_of(sifting, &found[i])].id);
		wire_store_u32(leaf + 8, found[i].record);
		wire_store_u32(leaf + 12, found[i].version);
		wire_store_u64(leaf + 16, sifting->lists[found[i].source].consignment);
		tree_leaf(bytes_make(leaf, sizeof(leaf)), hash);
		tree_append(&tree, hash);
	}
	tree_root(&tree, sifting->root);
}

static enum az_status
count_all(struct sifting *sifting, struct az_err *reterr)
{
	size_t count = 0;
	const struct trace_sift_found *found = trace_sift_found(sifting->sift, &count);
	struct tally *tallies = calloc(sifting->client_count + 1, sizeof(*tallies));
	struct trace_sift_found *all = reallocarray(NULL, count + 1, sizeof(*all));
	enum az_status status = AZ_OK;

	sifting->shares = calloc(sifting->client_count + 1, sizeof(*sifting->shares));
	if (tallies == NULL || all == NULL || sifting->shares == NULL) {
		status = az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
	} else {
		make_root(sifting, found, count);
		if (count > 0)
			memcpy(all, found, count * sizeof(*all));
		qsort(all, count, sizeof(*all), compare_records);
		tallies_begin(sifting, tallies);
		tally_all(sifting, tallies, all, count);
	}
	free(all);
	free(tallies);
	return status;
}

enum az_status
sifting_confirm(struct sifting *sifting, const struct reading_end *end, struct az_err *reterr)
{
	enum az_status status = trace_sift_close(sifting->sift, reterr);

	if (status == AZ_OK)
		status = read_runs(sifting, end, match_prints, reterr);
	if (status == AZ_OK)
		status = trace_sift_settle(sifting->sift, reterr);
	return status == AZ_OK ? count_all(sifting, reterr) : status;
}

/* --- results ---------------------------------------------------------------------------------- */

void
sifting_counts(const struct sifting *sifting, struct sifting_counts *ret_counts)
{
	*ret_counts = (struct sifting_counts){.people = sifting->people,
	    .places = sifting->places,
	    .lists = sifting->list_count,
	    .lists_not_active = sifting->not_active,
	    .clients = sifting->client_count};
	for (size_t i = 0; i < sifting->list_count; i++)
		ret_counts->lists_without += sifting->lists[i].has_prints ? 0 : 1;
	if (sifting->sift == NULL)
		return;
	ret_counts->taken = trace_sift_taken(sifting->sift);
	ret_counts->values = trace_sift_values(sifting->sift);
	ret_counts->common = trace_sift_common(sifting->sift);
}

const struct sifting_share *
sifting_clients(const struct sifting *sifting, size_t *ret_count)
{
	*ret_count = sifting->share_count;
	return sifting->shares;
}

void
sifting_root(const struct sifting *sifting, uint8_t ret_root[TREE_HASH_SIZE])
{
	memcpy(ret_root, sifting->root, TREE_HASH_SIZE);
}

bool
sifting_looks_made_up(const struct sifting *sifting, uint8_t ret_hash[SHA256_SIZE])
{
	struct sha256 hash;

	if (!tracing_are_counted(sifting->phones, sifting->phone_count))
		return false;
	/* They are sorted now: the same ones have the same hash, in whichever order they were read. */
	sha256_init(&hash);
	for (size_t i = 0; i < sifting->phone_count; i++) {
		uint8_t number[8];

		wire_store_u64be(number, sifting->phones[i]);
		if (i == 0 || sifting->phones[i] != sifting->phones[i - 1])
			sha256_update(&hash, number, sizeof(number));
	}
	sha256_final(&hash, ret_hash);
	return true;
}
