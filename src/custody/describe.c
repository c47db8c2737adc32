/*
 * What a request asks, in the words that who approves it reads and signs. They are made from the very bytes
 * that are approved, and say all that is in them: what could not be read here could be slipped past.
 *
 * A request that has no words cannot be asked.
 */
#include <stdarg.h>
#include <stdio.h>

#include "custody/custody_internal.h"
#include "ledger/evidence.h"

/* Sticky: an overflow shows in the writer's status, and nothing is cut. */
struct words {
	struct buffer *text;
	enum az_status status;
};

static void AZ_PRINTF(2, 3) say(struct words *words, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (words->status != AZ_OK)
		return;
	if (size < 0 || (size_t)size >= sizeof(text))
		words->status = AZ_LIMIT;
	else
		words->status = buffer_append(words->text, bytes_make(text, (size_t)size));
}

static void
say_key(struct words *words, const uint8_t key[32])
{
	char text[2 * 32 + 1];

	hex_encode(bytes_make(key, 32), text);
	say(words, ", key %s", text);
}

static void
say_role(struct words *words, unsigned int role)
{
	const char *name = role_name((enum role)role);

	say(words, ", %s", name != NULL ? name : "no role");
}

static void
client_add(struct words *words, const union front_request *body)
{
	say(words, "add client %s", body->client_add.label);
	if (body->client_add.name[0] != '\0')
		say(words, ", %s", body->client_add.name);
	if (body->client_add.category[0] != '\0')
		say(words, ", category %s", body->client_add.category);
}

static void
client_close(struct words *words, const union front_request *body)
{
	say(words, "close client %s", body->named.label);
}

static void
say_bounds(struct words *words, const struct front_bounds *bounds)
{
	for (uint8_t i = 0; i < bounds->count; i++)
		say(words, "%s %s", i == 0 ? "; in the zones" : "", bounds->zones[i]);
	if (bounds->count > 0)
		say(words, "; outside of them %s", bounds->masked != 0 ? "masked" : "nothing");
}

static void
purpose_add(struct words *words, const union front_request *body)
{
	const struct front_purpose_add *add = &body->purpose_add;
	char until[11];

	say(words, "add purpose %s/%s: fields", add->client, add->label);
	for (uint8_t i = 0; i < add->field_count; i++) {
		const char *mask = mask_name((enum mask)add->fields[i].mask);

		say(words, " %s", add->fields[i].name);
		if (add->fields[i].mask != MASK_FULL)
			say(words, ":%s", mask != NULL ? mask : "?");
		if (class_name((enum field_class)add->fields[i].class) != NULL)
			say(words, "(%s)", class_name((enum field_class)add->fields[i].class));
		if (add->fields[i].unmask != 0)
			say(words, " (may be unmasked)");
	}
	for (unsigned int class = 1; class < 32; class ++) {
		const char *name = class_name((enum field_class) class);

		if ((add->allows & 1u << class) != 0)
			say(words, "; lists may hold %s", name != NULL ? name : "?");
	}
	say(words, "; roles");
	for (unsigned int role = ROLE_AGENT; role < ROLE_COUNT; role++) {
		if ((add->roles & 1u << role) != 0)
			say(words, " %s", role_name((enum role)role));
	}
	say_bounds(words, &add->bounds);
	date_format(add->until, until);
	say(words, "; until %s", until);
}

static void
zone_add(struct words *words, const union front_request *body)
{
	const struct front_zone_add *add = &body->zone_add;

	say(words, "%s zone %s:", add->change != 0 ? "change" : "add", add->label);
	for (uint8_t i = 0; i < add->network_count; i++) {
		char text[ZONE_NETWORK_TEXT];

		zone_network_text(add->networks[i].address, add->networks[i].bits, text);
		say(words, "%s %s", i == 0 ? " networks" : "", text);
	}
	for (uint8_t i = 0; i < add->device_count; i++)
		say(words, "%s %s",
		    i > 0                        ? ""
			: add->network_count > 0 ? " at the devices"
						 : " devices",
		    add->devices[i]);
}

static void
zone_close(struct words *words, const union front_request *body)
{
	say(words, "close zone %s", body->named.label);
}

static void
slots(struct words *words, const union front_request *body)
{
	const struct front_slots *asked = &body->slots;

	say(words, "let the passphrases of any %u of", asked->needed);
	for (uint8_t i = 0; i < asked->count; i++)
		say(words, "%s %s", i > 0 ? "," : "", asked->officers[i]);
	say(words, " open the house, and nobody else's");
}

static void
zone_role(struct words *words, const union front_request *body)
{
	const struct front_zone_role *asked = &body->zone_role;

	say(words, "let the role %s see", role_name((enum role)asked->role));
	if (asked->bounds.count == 0)
		say(words, " in any zone");
	say_bounds(words, &asked->bounds);
}

static void
purpose_close(struct words *words, const union front_request *body)
{
	say(words, "close purpose %s/%s", body->named.client, body->named.label);
}

static void
say_day(struct words *words, const char *what, int32_t day)
{
	char text[11];

	if (day == AZ_DATE_NONE)
		return;
	date_format(day, text);
	say(words, ", %s %s", what, text);
}

static void
say_staff(struct words *words, const struct front_staff_add *add)
{
	say(words, " %s", add->label);
	say_role(words, add->role);
	if (add->name[0] != '\0')
		say(words, ", %s", add->name);
	if (add->employer[0] != '\0')
		say(words, ", employer %s", add->employer);
	if (add->agency[0] != '\0')
		say(words, ", agency %s", add->agency);
	if (add->tier != 0)
		say(words, ", tier %u", add->tier);
	say_day(words, "from", add->from);
	say_day(words, "until", add->until);
}

static void
staff_add(struct words *words, const union front_request *body)
{
	say(words, "add staff");
	say_staff(words, &body->staff_add);
	say_key(words, body->staff_add.key);
}

static void
invite(struct words *words, const union front_request *body)
{
	say(words, "invite");
	say_staff(words, &body->invite.staff);
	say(words, ", by a code of use for %u seconds", body->invite.seconds);
}

static void
rekey(struct words *words, const union front_request *body)
{
	say(words, "give staff %s another key", body->rekey.label);
	say_key(words, body->rekey.key);
}

static void
staff_until(struct words *words, const union front_request *body)
{
	say(words, "staff %s", body->until.label);
	if (body->until.day == AZ_DATE_NONE)
		say(words, ", no last day");
	say_day(words, "last day", body->until.day);
}

static void
staff_end(struct words *words, const union front_request *body)
{
	say(words, "end staff %s", body->named.label);
}

static void
device_add(struct words *words, const union front_request *body)
{
	say(words, "add device %s", body->device_add.label);
	say_key(words, body->device_add.key);
}

static void
device_guard(struct words *words, const union front_request *body)
{
	say(words, "let a guard report for device %s", body->device_add.label);
	say_key(words, body->device_add.key);
}

static void
grant_add(struct words *words, const union front_request *body)
{
	const struct front_grant_add *add = &body->grant_add;
	char until[11];

	date_format(add->until, until);
	say(words, "let the USB memory %04x:%04x, serial %s, be %s at device %s until %s",
	    add->vendor, add->product, add->serial,
	    add->access == GRANT_WRITE ? "written by its guard, after the house's yes," : "read",
	    add->device, until);
}

static void
standing_add(struct words *words, const union front_request *body)
{
	const struct front_standing_add *add = &body->standing_add;
	char until[11];

	date_format(add->until, until);
	say(words, "let who asks hand the log of client %s out again and again, to %s, with",
	    add->client, add->recipient);
	for (unsigned int column = 0; column < STATEMENT_COUNT; column++) {
		if ((add->columns & 1u << column) != 0)
			say(words, " %s", statement_column_name(column));
	}
	say(words, ", at most %u rows in every %u seconds", add->rows, add->every);
	if (add->opens != add->closes)
		say(words, ", from %02u:%02u to %02u:%02u", add->opens / 60u, add->opens % 60u,
		    add->closes / 60u, add->closes % 60u);
	say(words, ", until %s", until);
}

static void
grant_close(struct words *words, const union front_request *body)
{
	say(words, "close the grant %u", body->numbered.number);
}

static void
device_retire(struct words *words, const union front_request *body)
{
	say(words, "retire device %s", body->named.label);
}

static void
say_limits(struct words *words, const char *of, const uint32_t limits[FRONT_LIMITS])
{
	say(words, "; %s: calls day %u month %u life %u, searches day %u month %u life %u", of,
	    limits[0], limits[1], limits[2], limits[3], limits[4], limits[5]);
}

static void
policy_add(struct words *words, const union front_request *body)
{
	const struct front_policy_add *add = &body->policy_add;

	say(words, "set the budget of the role %s", role_name((enum role)add->role));
	say_limits(words, "house", add->house);
	say_limits(words, "each client", add->client);
	say(words, "; questions minute %u hour %u, slowed %u", add->minute, add->hour, add->slow);
}

static void
policy_extend(struct words *words, const union front_request *body)
{
	const struct front_policy_extend *extend = &body->policy_extend;
	char until[11];

	if (extend->until == AZ_DATE_NONE) {
		say(words, "review %s: %u more people for life by %s", extend->staff, extend->life,
		    budget_class_name((enum budget_class)extend->class));
		return;
	}
	date_format(extend->until, until);
	say(words, "extend the budget of %s for %s until %s: day %u month %u life %u more",
	    extend->staff, budget_class_name((enum budget_class)extend->class), until, extend->day,
	    extend->month, extend->life);
}

static void
say_minute(struct words *words, unsigned int minute)
{
	say(words, "%02u:%02u", minute / 60, minute % 60);
}

static void
campaign_add(struct words *words, const union front_request *body)
{
	const struct front_campaign_add *add = &body->campaign_add;
	char from[11], until[11];

	date_format(add->from, from);
	date_format(add->until, until);
	say(words, "add campaign %s of %s/%s, from %s until %s", add->label, add->client,
	    add->purpose, from, until);
	if (add->opens != add->closes) {
		say(words, ", ");
		say_minute(words, add->opens);
		say(words, "-");
		say_minute(words, add->closes);
	}
	for (uint8_t i = 0; i < add->staff_count; i++)
		say(words, "%s %s", i == 0 ? "; staff" : "", add->staff[i]);
	for (uint8_t i = 0; i < add->list_count; i++)
		say(words, "%s %llu", i == 0 ? "; lists" : "", (unsigned long long)add->lists[i]);
}

static void
campaign_close(struct words *words, const union front_request *body)
{
	say(words, "close campaign %s/%s", body->named.client, body->named.label);
}

static void
restriction(struct words *words, const union front_request *body)
{
	static const char *const ways[RESTRICT_COUNT] = {[RESTRICT_NOBODY] = "show nobody",
	    [RESTRICT_PAIR] = "show only what two people open:",
	    [RESTRICT_LIFT] = "lift the restriction of",
	    [RESTRICT_OPEN] = "open"};
	const struct front_restrict *asked = &body->restriction;
	const char *way = asked->mode < RESTRICT_COUNT ? ways[asked->mode] : NULL;
	const char *reason = reason_name((enum reason)asked->person.reason);

	if (way == NULL) {
		words->status = AZ_INVALID;
		return;
	}
	say(words, "%s", way);
	for (uint8_t i = 0; i < asked->field_count; i++)
		say(words, " %s", asked->fields[i]);
	if (asked->person.record != 0)
		say(words, " of record %u", asked->person.record);
	else
		say(words, " of number %.*s", (int)asked->person.number.size,
		    (const char *)asked->person.number.data);
	say(words, " of %s/%s", asked->person.client, asked->person.purpose);
	if (asked->mode == RESTRICT_OPEN)
		say(words, " to %s for %u minutes", asked->staff, asked->minutes);
	say(words, "; reason %s", reason != NULL ? reason : "none");
}

static void
policy_close(struct words *words, const union front_request *body)
{
	say(words, "close the extension %u of a budget", body->policy_close.id);
}

static void
case_open(struct words *words, const union front_request *body)
{
	const struct front_case_open *open = &body->case_open;
	const char *reason = reason_name((enum reason)open->reason);
	char hash[2 * 32 + 1];

	say(words, "open a case: %s", reason != NULL ? reason : "no reason");
	say(words, ", %llu rows, %u days", (unsigned long long)open->rows, open->days);
	if (open->client_count == 0)
		say(words, ", all clients");
	for (uint8_t i = 0; i < open->client_count; i++)
		say(words, "%s %s", i == 0 ? ", clients" : "", open->clients[i]);
	if (open->has_hash == 0)
		return;
	hex_encode(bytes_make(open->hash, sizeof(open->hash)), hash);
	say(words, ", only the file %s", hash);
}

static void
case_allow(struct words *words, const union front_request *body)
{
	char hash[2 * 32 + 1];

	hex_encode(bytes_make(body->case_allow.hash, sizeof(body->case_allow.hash)), hash);
	say(words,
	    "in case %u, trace the file %s, which looks as if it had been made up to find out who "
	    "is here",
	    body->case_allow.id, hash);
}

static void
witness_add(struct words *words, const union front_request *body)
{
	struct note_key key;

	/* The verb has read it before it is asked. */
	if (note_key_parse(bytes_of(body->witness_add.vkey), &key, NULL) != AZ_OK) {
		words->status = AZ_INVALID;
		return;
	}
	say(words, "believe what the witness %s (%s) cosigns of the ledger",
	    body->witness_add.label, key.name);
	say_key(words, key.public_key);
}

static void
witness_retire(struct words *words, const union front_request *body)
{
	say(words, "retire the witness %s", body->named.label);
}

static void
witness_limit(struct words *words, const union front_request *body)
{
	if (body->witness_limit.hours == 0)
		say(words, "let cosignatures be of any age");
	else
		say(words,
		    "stop exports and cases while cosignatures of the ledger are older than %u "
		    "hours",
		    body->witness_limit.hours);
}

#define LOGS_SAID 32u
static void
declare_loss(struct words *words, const union front_request *body)
{
	const struct front_loss *seen = &body->loss;

	say(words,
	    "declare a loss, begin another generation of the ledger and take all budgets away; "
	    "seen "
	    "were");
	for (uint32_t i = 0; i < seen->count && i < LOGS_SAID; i++) {
		char root[2 * 32 + 1];

		hex_encode(bytes_make(seen->heads[i].root, sizeof(seen->heads[i].root)), root);
		say(words, "%s %llu entries of log %u (%.16s)", i == 0 ? "" : ",",
		    (unsigned long long)seen->heads[i].size, seen->heads[i].log, root);
	}
	if (seen->count > LOGS_SAID)
		say(words, " and entries of %u other logs", seen->count - LOGS_SAID);
}

static void
history_add(struct words *words, const union front_request *body)
{
	const struct front_history_add *add = &body->history_add;
	char hash[2 * 32 + 1], from[40], to[40];

	hex_encode(bytes_make(add->hash, sizeof(add->hash)), hash);
	clock_format_utc(add->from_us, from, sizeof(from));
	clock_format_utc(add->to_us, to, sizeof(to));
	say(words, "import the history %s, %llu rows, from %s to %s", hash,
	    (unsigned long long)add->rows, from, to);
}

static const struct {
	enum front_message type;
	void (*describe)(struct words *words, const union front_request *body);
} describers[] = {
    {FRONT_CLIENT_ADD, client_add},
    {FRONT_CLIENT_CLOSE, client_close},
    {FRONT_PURPOSE_ADD, purpose_add},
    {FRONT_PURPOSE_CLOSE, purpose_close},
    {FRONT_SLOTS, slots},
    {FRONT_WITNESS_ADD, witness_add},
    {FRONT_WITNESS_RETIRE, witness_retire},
    {FRONT_WITNESS_LIMIT, witness_limit},
    {FRONT_ZONE_ADD, zone_add},
    {FRONT_ZONE_CLOSE, zone_close},
    {FRONT_ZONE_ROLE, zone_role},
    {FRONT_STAFF_ADD, staff_add},
    {FRONT_STAFF_END, staff_end},
    {FRONT_INVITE, invite},
    {FRONT_REKEY, rekey},
    {FRONT_UNTIL, staff_until},
    {FRONT_DEVICE_ADD, device_add},
    {FRONT_DEVICE_GUARD, device_guard},
    {FRONT_GRANT_ADD, grant_add},
    {FRONT_GRANT_CLOSE, grant_close},
    {FRONT_STANDING_ADD, standing_add},
    {FRONT_DEVICE_RETIRE, device_retire},
    {FRONT_CAMPAIGN_ADD, campaign_add},
    {FRONT_CAMPAIGN_CLOSE, campaign_close},
    {FRONT_RESTRICT, restriction},
    {FRONT_DECLARE_LOSS, declare_loss},
    {FRONT_CASE_OPEN, case_open},
    {FRONT_CASE_ALLOW, case_allow},
    {FRONT_HISTORY_ADD, history_add},
    {FRONT_POLICY_ADD, policy_add},
    {FRONT_POLICY_EXTEND, policy_extend},
    {FRONT_POLICY_CLOSE, policy_close},
};

enum az_status
describe_request(enum front_message type, const union front_request *body, struct buffer *text)
{
	struct words words = {.text = text, .status = AZ_OK};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(describers); i++) {
		if (describers[i].type == type) {
			describers[i].describe(&words, body);
			return words.status;
		}
	}
	return AZ_INVALID;
}
