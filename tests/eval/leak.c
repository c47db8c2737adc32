#include "leak.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 200

const char *
leak_class_name(enum leak_class leak_class)
{
	static const char *const names[LEAK_CLASSES] = {"agent, slowly", "agent, at once",
	    "maintainer, one export", "maintainer, many exports", "two agents", "the client",
	    "a foreign list", "outside the ledger", "photographed screens", "a trainee"};

	return names[leak_class];
}

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

void
leak_fini(struct leak *leak)
{
	free(leak->rows);
	*leak = (struct leak){0};
}

/* Rows point into themselves, so they never move. */
static void
make_room(struct leak *leak)
{
	if (leak->rows == NULL)
		leak->rows = must(calloc(LEAK_ROWS_MAX, sizeof(*leak->rows)));
	if (leak->count == LEAK_ROWS_MAX)
		abort();
}

/* A record's version as it was on the day it was taken; each record once. */
static bool
take(struct leak *leak, uint32_t record, uint8_t version, int day, bool with_birth)
{
	if (version == 0)
		return false;
	for (size_t i = 0; i < leak->count; i++) {
		if (leak->rows[i].record == record)
			return false;
	}
	make_room(leak);
	leak->rows[leak->count++] = (struct leak_row){
	    .record = record, .version = version, .day = day, .with_birth = with_birth};
	if (leak->count == 1 || day < leak->first_day)
		leak->first_day = day;
	if (leak->count == 1 || day > leak->last_day)
		leak->last_day = day;
	return true;
}

/* --- who takes what --------------------------------------------------------------------------- */

static void
take_shown(struct world *world, struct random *random, struct leak *leak,
    const struct world_carrier *carrier)
{
	const struct world_access *access;

	if (carrier->access_count == 0)
		return;
	access =
	    &world->accesses[carrier->first_access + random_below(random, carrier->access_count)];
	(void)take(leak, access->record, access->version, carrier->day, access->with_birth);
}

/* From the sessions of one agent between two days. */
static bool
take_from_agent(struct world *world, struct random *random, struct leak *leak, uint32_t staff,
    int from, int to, size_t n)
{
	uint32_t *carriers = must(calloc(world->carrier_count, sizeof(*carriers)));
	uint32_t count = 0;
	size_t until = leak->count + n;

	for (uint32_t i = 0; i < world->carrier_count; i++) {
		const struct world_carrier *carrier = &world->carriers[i];

		if (carrier->staff == staff && carrier->day >= from && carrier->day < to)
			carriers[count++] = i;
	}
	for (size_t tries = 0; count > 0 && leak->count < until && tries < n * TRIES; tries++)
		take_shown(
		    world, random, leak, &world->carriers[carriers[random_below(random, count)]]);
	free(carriers);
	return leak->count == until;
}

static uint32_t
some_agent(const struct world *world, struct random *random, int least_days)
{
	for (int tries = 0; tries < TRIES; tries++) {
		uint32_t s = random_below(random, world->staff_count);
		const struct world_staff *staff = &world->staff[s];

		if (!staff->maintainer && staff->to_day - staff->from_day >= least_days &&
		    staff->from_day + least_days < WORLD_DAYS)
			return s;
	}
	return WORLD_NOBODY;
}

static int
last_day(const struct world_staff *staff)
{
	return staff->to_day < WORLD_DAYS ? staff->to_day : WORLD_DAYS;
}

static bool
agent_slowly(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	uint32_t s = some_agent(world, random, 300);
	const struct world_staff *staff;
	int from, to;

	if (s == WORLD_NOBODY)
		return false;
	staff = &world->staff[s];
	from = staff->from_day +
	    (int)random_below(random, (uint32_t)(last_day(staff) - staff->from_day) / 2 + 1);
	to = from + 180 + (int)random_below(random, 1000);
	leak->staff[0] = s;
	return take_from_agent(world, random, leak, s, from, to, n);
}

static bool
agent_at_once(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	uint32_t s = some_agent(world, random, 100);
	const struct world_staff *staff;
	int from;

	if (s == WORLD_NOBODY)
		return false;
	staff = &world->staff[s];
	from = staff->from_day + 14 +
	    (int)random_below(random, (uint32_t)(last_day(staff) - staff->from_day - 28));
	leak->staff[0] = s;
	return take_from_agent(world, random, leak, s, from, from + 14, n);
}

static void
take_exported(struct world *world, struct random *random, struct leak *leak,
    const struct world_carrier *carrier)
{
	const struct world_client *client = &world->clients[carrier->client];
	uint32_t record;

	if (carrier->delivery < 0) {
		take_shown(world, random, leak, carrier);
		return;
	}
	record = client->first_record + random_below(random, client->record_count);
	(void)take(leak, record,
	    world_version_on(&world->records[record], client->deliveries[carrier->delivery].day),
	    carrier->day, true);
}

static bool
one_export(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	for (int tries = 0; tries < 100000; tries++) {
		uint32_t at = random_below(random, world->carrier_count);
		const struct world_carrier *carrier = &world->carriers[at];

		if (!carrier->is_export)
			continue;
		leak->staff[0] = carrier->staff;
		leak->carrier = at;
		for (size_t t = 0; t < n * TRIES && leak->count < n; t++)
			take_exported(world, random, leak, carrier);
		return leak->count == n;
	}
	return false;
}

static bool
many_exports(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	uint32_t s = world->staff_count - 1 - random_below(random, 6);

	leak->staff[0] = s;
	for (size_t t = 0; t < 4000 * n && leak->count < n; t++) {
		const struct world_carrier *carrier =
		    &world->carriers[random_below(random, world->carrier_count)];

		if (carrier->is_export && carrier->staff == s)
			take_exported(world, random, leak, carrier);
	}
	return leak->count == n;
}

static bool
two_agents(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	uint32_t one = some_agent(world, random, 300);
	uint32_t other = some_agent(world, random, 300);

	if (one == WORLD_NOBODY || other == WORLD_NOBODY || one == other)
		return false;
	leak->staff[0] = one;
	leak->staff[1] = other;
	return take_from_agent(world, random, leak, one, 0, WORLD_DAYS, n / 2) &&
	    take_from_agent(world, random, leak, other, 0, WORLD_DAYS, n - n / 2);
}

static bool
client_copy(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	int at = (int)random_below(random, WORLD_CLIENTS);
	const struct world_client *client = &world->clients[at];
	int day = client->deliveries[random_below(random, (uint32_t)client->delivery_count)].day;

	leak->client = at;
	for (size_t t = 0; t < n * TRIES && leak->count < n; t++) {
		uint32_t record = client->first_record + random_below(random, client->record_count);

		(void)take(leak, record, world_version_on(&world->records[record], day), day, true);
	}
	return leak->count == n;
}

/*
 * A copy of everything, of one client's list, or of the people that a team called. The last two are a client's people
 * as it had them then: nothing tells them from the client's own copy.
 */
static bool
outside(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	int day = 800 + (int)random_below(random, WORLD_DAYS - 800);
	uint32_t kind = random_below(random, 3);
	const struct world_pool *pool =
	    &world->pools[day / WORLD_QUARTER][random_below(random, WORLD_TEAMS)];

	if (kind == 0) {
		bool made = client_copy(world, random, leak, n);

		return made;
	}
	leak->client = kind == 2 ? pool->client : -1;
	for (size_t t = 0; t < n * TRIES && leak->count < n; t++) {
		uint32_t record = kind == 1 ? 1 + random_below(random, world->record_count)
					    : pool->records[random_below(random, WORLD_POOL)];

		(void)take(leak, record, world_version_on(&world->records[record], day), day, true);
	}
	return leak->count == n;
}

static bool
photographed(struct world *world, struct random *random, struct leak *leak)
{
	uint32_t s = some_agent(world, random, 60);

	if (s == WORLD_NOBODY)
		return false;
	leak->staff[0] = s;
	return take_from_agent(world, random, leak, s, 0, WORLD_DAYS, 3);
}

static bool
trainee(struct world *world, struct random *random, struct leak *leak, size_t n)
{
	for (int tries = 0; tries < TRIES; tries++) {
		uint32_t s = random_below(random, world->staff_count);
		const struct world_staff *staff = &world->staff[s];

		if (staff->mentor == WORLD_NOBODY)
			continue;
		leak->staff[0] = s;
		return take_from_agent(
		    world, random, leak, s, staff->from_day, staff->from_day + 60, n);
	}
	return false;
}

/* --- the broker ------------------------------------------------------------------------------- */

/* Somebody from another list; near: from the part of the population that a client draws on. */
static void
add_stranger(struct random *random, struct leak *leak, int day, uint8_t style, int near)
{
	struct leak_row *row;
	uint32_t person = near >= 0 ? (uint32_t)near * 20000 + random_below(random, 20000)
				    : random_below(random, WORLD_POPULATION);

	make_room(leak);
	row = &leak->rows[leak->count++];
	*row = (struct leak_row){.day = day};
	world_write(person,
	    world_epochs(person, day > 200 ? day - (int)random_below(random, 200) : day), style,
	    (uint16_t)random_next(random), true, row->text, &row->row);
}

/* A slip of the hand: a digit, or a letter left out. */
static void
damage(struct random *random, struct leak_row *row)
{
	static const enum field fields[] = {
	    FIELD_PHONE, FIELD_ADDRESS, FIELD_NAME, FIELD_POSTCODE, FIELD_BIRTH};
	enum field field = fields[random_below(random, 5)];
	struct bytes value = row->row.values[field];
	uint8_t *data = (uint8_t *)(uintptr_t)value.data;

	if (value.size < 8)
		return;
	for (int tries = 0; tries < 20; tries++) {
		uint32_t at = random_below(random, (uint32_t)value.size);

		if (data[at] >= '0' && data[at] <= '9') {
			data[at] = (uint8_t)('0' + random_below(random, 10));
			return;
		}
	}
	/* A name: its last letter is lost. */
	if (field == FIELD_NAME)
		row->row.values[field].size -= 3;
}

static void
drop_columns(struct random *random, struct leak *leak)
{
	uint64_t drop = 0;

	if (random_chance(random, 0.5))
		drop |= FIELD_BIT(FIELD_BIRTH);
	if (random_chance(random, 0.4))
		drop |= FIELD_BIT(FIELD_POSTCODE);
	if (random_chance(random, 0.15))
		drop |= FIELD_BIT(FIELD_PHONE);
	for (size_t i = 0; i < leak->count; i++) {
		for (unsigned int field = 0; field < FIELD_COUNT; field++) {
			if ((drop & FIELD_BIT(field)) != 0)
				leak->rows[i].row.values[field] = (struct bytes){0};
		}
	}
}

static void
write_stolen(struct world *world, struct random *random, struct leak *leak)
{
	/* Some brokers bring every row to their own spelling. */
	bool respell = random_chance(random, 0.35);
	uint8_t style = (uint8_t)random_below(random, 64);

	for (size_t i = 0; i < leak->count; i++) {
		struct leak_row *row = &leak->rows[i];
		const struct world_record *record = &world->records[row->record];

		if (row->record == 0)
			continue;
		world_write(record->person, record->versions[row->version - 1].epochs,
		    respell ? style : world->clients[record->client].style,
		    respell ? 1 : record->quirk, row->with_birth, row->text, &row->row);
	}
}

static bool
steal(struct world *world, struct random *random, enum leak_class leak_class, size_t n,
    struct leak *leak)
{
	switch (leak_class) {
	case LEAK_AGENT_SLOWLY: return agent_slowly(world, random, leak, n);
	case LEAK_AGENT_AT_ONCE: return agent_at_once(world, random, leak, n);
	case LEAK_EXPORT: return one_export(world, random, leak, n);
	case LEAK_EXPORTS: return many_exports(world, random, leak, n);
	case LEAK_TWO_AGENTS: return two_agents(world, random, leak, n);
	case LEAK_CLIENT: return client_copy(world, random, leak, n);
	case LEAK_OUTSIDE: return outside(world, random, leak, n);
	case LEAK_PHOTOGRAPHED: return photographed(world, random, leak);
	case LEAK_TRAINEE: return trainee(world, random, leak, n);
	case LEAK_FOREIGN:
	case LEAK_CLASSES: break;
	}
	return false;
}

bool
leak_make(struct world *world, struct random *random, enum leak_class leak_class, size_t n,
    double strangers, struct leak *ret_leak)
{
	struct leak leak = {.leak_class = leak_class,
	    .staff = {WORLD_NOBODY, WORLD_NOBODY},
	    .client = -1,
	    .carrier = WORLD_NOBODY};
	uint8_t style = (uint8_t)random_below(random, 64);
	size_t foreign;

	if (leak_class == LEAK_FOREIGN) {
		int day = 400 + (int)random_below(random, WORLD_DAYS - 400);
		int near =
		    random_chance(random, 0.7) ? (int)random_below(random, WORLD_CLIENTS) : -1;

		for (size_t i = 0; i < n; i++)
			add_stranger(random, &leak, day, style, near);
		leak.first_day = leak.last_day = day;
	} else {
		if (!steal(world, random, leak_class, n, &leak)) {
			leak_fini(&leak);
			return false;
		}
		write_stolen(world, random, &leak);
		foreign = (size_t)((double)leak.count * strangers / (1.0 - strangers) + 0.5);
		for (size_t i = 0; i < foreign; i++)
			add_stranger(random, &leak, leak.last_day, style, -1);
	}
	drop_columns(random, &leak);
	for (size_t i = 0; i < leak.count; i++) {
		if (random_chance(random, 0.06))
			damage(random, &leak.rows[i]);
	}
	*ret_leak = leak;
	return true;
}
