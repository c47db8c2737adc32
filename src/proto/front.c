/*
 * The requests of a front, each described once for both directions: a walk over the members of a request
 * either writes them or reads them, so that the two cannot disagree.
 *
 * What is read has been checked for its form (labels, names, codes, sizes) and for nothing else: whether a
 * client or a purpose exists, and who may ask, is for the keeper to say.
 */
#include "proto/front.h"

#include <assert.h>
#include <string.h>

#include "base/walk.h"
#include "base/wire.h"
#include "proto/endpoint.h"
#include "proto/parent.h"

static void
walk_days(struct walk *walk, int32_t *days)
{
	uint32_t value = (uint32_t)*days;

	walk_u32(walk, &value);
	*days = (int32_t)value;
}

/* A label, or nothing where that means "all". */
static void
walk_label(struct walk *walk, char label[LABEL_SIZE], bool may_be_empty)
{
	walk_text(walk, label, LABEL_SIZE);
	walk->bad |= !label_is_valid(label) && !(may_be_empty && label[0] == '\0');
}

static void
walk_name(struct walk *walk, char name[NAME_SIZE])
{
	walk_text(walk, name, NAME_SIZE);
	walk->bad |= name[0] != '\0' && !name_is_valid(name);
}

/* --- the requests ---------------------------------------------------------------------------- */

static void
walk_sign_in(struct walk *walk, struct front_sign_in *sign_in)
{
	walk_raw(walk, sign_in->staff_key, sizeof(sign_in->staff_key));
	walk_raw(walk, sign_in->staff_signature, sizeof(sign_in->staff_signature));
	walk_raw(walk, sign_in->device_key, sizeof(sign_in->device_key));
	walk_raw(walk, sign_in->device_signature, sizeof(sign_in->device_signature));
}

static void
walk_heads(struct walk *walk, struct head *heads, uint32_t *count, uint32_t max)
{
	walk_u32(walk, count);
	walk->bad |= *count > max;
	for (uint32_t i = 0; !walk->bad && i < *count; i++) {
		if (walk->writer != NULL)
			head_put(walk->writer, &heads[i]);
		else
			head_get(walk->reader, &heads[i]);
	}
}

static void
walk_client_add(struct walk *walk, struct front_client_add *add)
{
	walk_label(walk, add->label, false);
	walk_name(walk, add->name);
	walk_name(walk, add->category);
}

static void
walk_bounds(struct walk *walk, struct front_bounds *bounds)
{
	walk_u8(walk, &bounds->count);
	walk->bad |= bounds->count > FRONT_ZONES_MAX;
	for (uint8_t i = 0; !walk->bad && i < bounds->count; i++)
		walk_label(walk, bounds->zones[i], false);
	walk_u8(walk, &bounds->masked);
	walk->bad |= bounds->masked > (bounds->count > 0 ? 1 : 0);
}

static void
walk_zone_add(struct walk *walk, struct front_zone_add *add)
{
	walk_label(walk, add->label, false);
	walk_u8(walk, &add->change);
	walk_u8(walk, &add->network_count);
	walk->bad |= add->change > 1 || add->network_count > FRONT_NETWORKS_MAX;
	for (uint8_t i = 0; !walk->bad && i < add->network_count; i++) {
		walk_u8(walk, &add->networks[i].bits);
		walk_raw(walk, add->networks[i].address, sizeof(add->networks[i].address));
		walk->bad |= add->networks[i].bits > 128;
	}
	walk_u8(walk, &add->device_count);
	walk->bad |= add->device_count > FRONT_DEVICES_MAX;
	for (uint8_t i = 0; !walk->bad && i < add->device_count; i++)
		walk_label(walk, add->devices[i], false);
}

static void
walk_zone_role(struct walk *walk, struct front_zone_role *asked)
{
	walk_u8(walk, &asked->role);
	walk->bad |= role_name((enum role)asked->role) == NULL;
	walk_bounds(walk, &asked->bounds);
}

static void
walk_slots(struct walk *walk, struct front_slots *slots)
{
	walk_u8(walk, &slots->needed);
	walk_u8(walk, &slots->count);
	walk->bad |= slots->needed == 0 || slots->needed > FRONT_SLOTS_MAX || slots->count == 0 ||
	    slots->count > FRONT_SLOTS_MAX;
	for (uint8_t i = 0; !walk->bad && i < slots->count; i++)
		walk_label(walk, slots->officers[i], false);
}

static void
walk_purpose_add(struct walk *walk, struct front_purpose_add *add)
{
	walk_label(walk, add->client, false);
	walk_label(walk, add->label, false);
	walk_u32(walk, &add->roles);
	walk_days(walk, &add->until);
	walk_u32(walk, &add->allows);
	walk_u8(walk, &add->field_count);
	walk->bad |= add->field_count > FIELD_COUNT;
	for (uint8_t i = 0; !walk->bad && i < add->field_count; i++) {
		struct front_purpose_field *field = &add->fields[i];
		unsigned int known;

		walk_text(walk, field->name, sizeof(field->name));
		walk_u8(walk, &field->mask);
		walk_u8(walk, &field->class);
		walk_u8(walk, &field->unmask);
		walk->bad |= field->unmask > 1;
		walk->bad |= !field_parse(field->name, &known) && !field_is_x_name(field->name);
	}
	walk_bounds(walk, &add->bounds);
}

static void
walk_staff(struct walk *walk, struct front_staff_add *add)
{
	walk_label(walk, add->label, false);
	walk_name(walk, add->name);
	walk_u8(walk, &add->role);
	walk_name(walk, add->employer);
	walk_name(walk, add->agency);
	walk_u8(walk, &add->tier);
	walk_days(walk, &add->from);
	walk_days(walk, &add->until);
	walk->bad |= add->role == ROLE_NONE || add->role >= ROLE_COUNT;
}

static void
walk_staff_add(struct walk *walk, struct front_staff_add *add)
{
	walk_staff(walk, add);
	walk_raw(walk, add->key, sizeof(add->key));
}

static void
walk_invite(struct walk *walk, struct front_invite *invite)
{
	walk_staff(walk, &invite->staff);
	walk_raw(walk, invite->code_hash, sizeof(invite->code_hash));
	walk_u32(walk, &invite->seconds);
	walk->bad |= invite->seconds == 0 || invite->seconds > FRONT_INVITE_MAX_S;
}

static void
walk_rekey(struct walk *walk, struct front_rekey *rekey)
{
	walk_label(walk, rekey->label, false);
	walk_raw(walk, rekey->key, sizeof(rekey->key));
}

static void
walk_enrol(struct walk *walk, struct front_enrol *enrol)
{
	walk_raw(walk, enrol->code, sizeof(enrol->code));
	walk_sign_in(walk, &enrol->sign_in);
}

static void
walk_device_add(struct walk *walk, struct front_device_add *add)
{
	walk_label(walk, add->label, false);
	walk_raw(walk, add->key, sizeof(add->key));
}

static void
walk_entrust(struct walk *walk, struct front_entrust *entrust)
{
	walk_label(walk, entrust->client, false);
	walk_label(walk, entrust->purpose, false);
	walk_days(walk, &entrust->as_of);
	walk_u8(walk, &entrust->mode);
	walk_u16(walk, &entrust->join);
	walk_u8(walk, &entrust->strict);
	walk_text(walk, entrust->columns, sizeof(entrust->columns));
	walk_text(walk, entrust->password, sizeof(entrust->password));
	walk->bad |= entrust->strict > 1;
	walk->bad |= entrust->mode == LIST_NONE || entrust->mode >= LIST_MODES;
	walk->bad |= (entrust->join & ~JOIN_KINDS) != 0;
}

static void
walk_look(struct walk *walk, struct front_look *look)
{
	walk_label(walk, look->client, false);
	walk_label(walk, look->purpose, false);
	walk_u16(walk, &look->reason);
	walk_u8(walk, &look->basis);
	walk_label(walk, look->campaign, true);
	walk_text(walk, look->call, sizeof(look->call));
	walk->bad |= look->call[0] != '\0' && !call_is_valid(look->call);
	walk_u32(walk, &look->record);
	walk->bad |= look->record != 0 && look->basis != BASIS_HAND_OVER;
	walk_u8(walk, &look->by_count);
	walk->bad |= (look->by_count == 0) != (look->record != 0) || look->by_count > FRONT_BY_MAX;
	for (uint8_t i = 0; !walk->bad && i < look->by_count; i++) {
		struct front_by *by = &look->by[i];

		walk_u8(walk, &by->field);
		if (walk->writer != NULL)
			wire_put_bytes(walk->writer, by->value);
		else
			by->value = wire_get_bytes(walk->reader, FRONT_VALUE_MAX);
		walk->bad |= by->field >= FIELD_BUILTIN || by->value.size == 0 ||
		    by->value.size > FRONT_VALUE_MAX || !bytes_are_utf8(by->value);
	}
}

static void
walk_bytes(struct walk *walk, struct bytes *bytes, size_t max)
{
	if (walk->writer != NULL)
		wire_put_bytes(walk->writer, *bytes);
	else
		*bytes = wire_get_bytes(walk->reader, max);
	walk->bad |= bytes->size > max || !bytes_are_utf8(*bytes);
}

/* Matching passes over control characters, and what is approved is read in words: none may hide a part of a number. */
static bool
has_control(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		if (bytes.data[i] < 0x20 || bytes.data[i] == 0x7f)
			return true;
	}
	return false;
}

static void
walk_person(struct walk *walk, struct front_person *person)
{
	walk_label(walk, person->client, false);
	walk_label(walk, person->purpose, false);
	walk_u16(walk, &person->reason);
	walk_u32(walk, &person->record);
	walk_bytes(walk, &person->number, FRONT_VALUE_MAX);
	walk->bad |= reason_name((enum reason)person->reason) == NULL ||
	    (person->record == 0) != (person->number.size > 0) || has_control(person->number);
}

static void
walk_stop(struct walk *walk, struct front_stop *stop)
{
	walk_person(walk, &stop->person);
	walk_u8(walk, &stop->channels);
	walk_u8(walk, &stop->lift);
	walk->bad |= stop->channels == 0 || (stop->channels & ~CHANNELS_ALL) != 0 || stop->lift > 1;
}

static void
walk_field_name(struct walk *walk, char name[FIELD_NAME_MAX])
{
	unsigned int known;

	walk_text(walk, name, FIELD_NAME_MAX);
	walk->bad |= !field_parse(name, &known) && !field_is_x_name(name);
}

static void
walk_disclose(struct walk *walk, struct front_disclose *disclose)
{
	walk_look(walk, &disclose->look);
	walk_u8(walk, &disclose->unmask_count);
	walk->bad |= disclose->unmask_count > FRONT_UNMASK_MAX;
	for (uint8_t i = 0; !walk->bad && i < disclose->unmask_count; i++)
		walk_field_name(walk, disclose->unmask[i]);
	walk_bytes(walk, &disclose->why, FRONT_WHY_MAX);
	walk->bad |= (disclose->unmask_count == 0) != (disclose->why.size == 0);
}

static void
walk_hand_over(struct walk *walk, struct front_hand_over *hand_over)
{
	walk_person(walk, &hand_over->person);
	walk_label(walk, hand_over->to, false);
	walk_u16(walk, &hand_over->minutes);
	walk->bad |= hand_over->minutes == 0 || hand_over->minutes > FRONT_HAND_OVER_MINUTES;
}

static void
walk_check(struct walk *walk, struct front_check *check)
{
	walk_look(walk, &check->look);
	walk->bad |= check->look.record != 0;
	walk_field_name(walk, check->field);
	walk_bytes(walk, &check->value, FRONT_VALUE_MAX);
	walk->bad |= check->value.size == 0;
}

static void
walk_map(struct walk *walk, struct front_map *map)
{
	walk_label(walk, map->client, false);
	walk_text(walk, map->columns, sizeof(map->columns));
	walk->bad |= !bytes_are_utf8(bytes_of(map->columns));
}

static void
walk_campaign_add(struct walk *walk, struct front_campaign_add *add)
{
	walk_label(walk, add->client, false);
	walk_label(walk, add->purpose, false);
	walk_label(walk, add->label, false);
	walk_days(walk, &add->from);
	walk_days(walk, &add->until);
	walk_u16(walk, &add->opens);
	walk_u16(walk, &add->closes);
	walk->bad |= add->opens >= 1440 || add->closes >= 1440;
	walk_u8(walk, &add->staff_count);
	walk->bad |= add->staff_count > FRONT_CAMPAIGN_STAFF;
	for (uint8_t i = 0; !walk->bad && i < add->staff_count; i++)
		walk_label(walk, add->staff[i], false);
	walk_u8(walk, &add->list_count);
	walk->bad |= add->list_count > FRONT_CAMPAIGN_LISTS;
	for (uint8_t i = 0; !walk->bad && i < add->list_count; i++)
		walk_u64(walk, &add->lists[i]);
}

static void
walk_attempt(struct walk *walk, struct front_attempt *attempt)
{
	uint64_t callback = (uint64_t)attempt->callback_us;

	walk_person(walk, &attempt->person);
	walk_label(walk, attempt->campaign, true);
	walk_text(walk, attempt->call, sizeof(attempt->call));
	walk->bad |= attempt->call[0] != '\0' && !call_is_valid(attempt->call);
	walk_u8(walk, &attempt->outcome);
	walk_u64(walk, &callback);
	attempt->callback_us = (int64_t)callback;
	walk_bytes(walk, &attempt->note, FRONT_NOTE_MAX);
	walk->bad |= attempt_name((enum attempt)attempt->outcome) == NULL;
}

static void
walk_attempt_list(struct walk *walk, struct front_attempt_list *list)
{
	walk_person(walk, &list->person);
	walk_u32(walk, &list->max);
	walk->bad |= list->max == 0 || list->max > FRONT_ATTEMPTS_MAX;
}

static void
walk_correct(struct walk *walk, struct front_correct *correct)
{
	walk_person(walk, &correct->person);
	walk_text(walk, correct->call, sizeof(correct->call));
	walk->bad |= correct->call[0] != '\0' && !call_is_valid(correct->call);
	walk_u8(walk, &correct->field_count);
	walk->bad |= correct->field_count == 0 || correct->field_count > FRONT_FIELDS_MAX;
	for (uint8_t i = 0; !walk->bad && i < correct->field_count; i++) {
		walk_field_name(walk, correct->fields[i].name);
		walk_bytes(walk, &correct->fields[i].value, FRONT_VALUE_MAX);
	}
}

static void
walk_restrict(struct walk *walk, struct front_restrict *asked)
{
	bool opens;

	walk_person(walk, &asked->person);
	walk_u8(walk, &asked->mode);
	opens = asked->mode == RESTRICT_OPEN;
	walk_label(walk, asked->staff, !opens);
	walk_u16(walk, &asked->minutes);
	walk->bad |= asked->mode == RESTRICT_NONE || asked->mode >= RESTRICT_COUNT ||
	    opens != (asked->staff[0] != '\0') || opens != (asked->minutes != 0) ||
	    asked->minutes > FRONT_MINUTES_MAX;
	walk_u8(walk, &asked->field_count);
	walk->bad |= asked->field_count == 0 || asked->field_count > FRONT_FIELDS_MAX;
	for (uint8_t i = 0; !walk->bad && i < asked->field_count; i++)
		walk_field_name(walk, asked->fields[i]);
}

static void
walk_query(struct walk *walk, struct front_query *query)
{
	walk_label(walk, query->client, true);
	walk_u32(walk, &query->record);
	walk_label(walk, query->staff, true);
	walk_u64(walk, &query->before);
	walk_u32(walk, &query->max);
	walk->bad |= query->max == 0 || query->max > FRONT_QUERY_MAX;
	walk->bad |= query->record != 0 && query->staff[0] != '\0';
}

/* Of any kind, also what is no text. */
static void
walk_raw_bytes(struct walk *walk, struct bytes *bytes, size_t max)
{
	if (walk->writer != NULL)
		wire_put_bytes(walk->writer, *bytes);
	else
		*bytes = wire_get_bytes(walk->reader, max);
	walk->bad |= bytes->size > max;
}

static void
walk_guard_sign_in(struct walk *walk, struct front_guard_sign_in *sign_in)
{
	walk_raw(walk, sign_in->key, sizeof(sign_in->key));
	walk_raw(walk, sign_in->signature, sizeof(sign_in->signature));
}

static void
walk_guard_report(struct walk *walk, struct front_guard_report *report)
{
	struct wire_reader events;
	struct endpoint_event event;

	walk_u64(walk, &report->first);
	walk_u8(walk, &report->count);
	walk_raw_bytes(walk, &report->events, FRONT_EVENTS_MAX * ENDPOINT_EVENT_MAX);
	walk->bad |= report->count > FRONT_EVENTS_MAX ||
	    (report->first == 0) != (report->count == 0) ||
	    report->first > UINT64_MAX - FRONT_EVENTS_MAX;
	wire_reader_init(&events, report->events);
	for (uint8_t i = 0; !walk->bad && i < report->count; i++)
		walk->bad |= !endpoint_get(&events, &event);
	walk->bad |= !wire_end(&events);
}

static void
walk_grant_add(struct walk *walk, struct front_grant_add *add)
{
	walk_label(walk, add->device, false);
	walk_u16(walk, &add->vendor);
	walk_u16(walk, &add->product);
	walk_u8(walk, &add->access);
	walk->bad |= add->access != GRANT_READ && add->access != GRANT_WRITE;
	walk_text(walk, add->serial, sizeof(add->serial));
	walk_days(walk, &add->until);
	walk->bad |= add->serial[0] == '\0';
	for (const char *at = add->serial; *at != '\0'; at++)
		walk->bad |= (unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f;
}

static void
walk_plugged(struct walk *walk, struct front_plugged *plugged)
{
	walk_label(walk, plugged->device, true);
	walk_u64(walk, &plugged->before);
	walk_u32(walk, &plugged->max);
	walk->bad |= plugged->max == 0 || plugged->max > FRONT_PLUGGED_MAX;
}

static void
walk_limits(struct walk *walk, uint32_t limits[FRONT_LIMITS])
{
	for (size_t i = 0; i < FRONT_LIMITS; i++)
		walk_u32(walk, &limits[i]);
}

static void
walk_policy_add(struct walk *walk, struct front_policy_add *add)
{
	walk_u8(walk, &add->role);
	walk_limits(walk, add->house);
	walk_limits(walk, add->client);
	walk_u32(walk, &add->minute);
	walk_u32(walk, &add->hour);
	walk_u32(walk, &add->slow);
	walk->bad = walk->bad || role_name((enum role)add->role) == NULL;
}

static void
walk_policy_extend(struct walk *walk, struct front_policy_extend *extend)
{
	walk_label(walk, extend->staff, false);
	walk_u8(walk, &extend->class);
	walk_u32(walk, &extend->day);
	walk_u32(walk, &extend->month);
	walk_u32(walk, &extend->life);
	walk_days(walk, &extend->until);
	walk->bad = walk->bad || extend->class < 1 || extend->class > 2;
}

static void
walk_ask(struct walk *walk, struct front_ask *ask)
{
	walk_u32(walk, &ask->seconds);
	walk_name(walk, ask->note);
	walk_u16(walk, &ask->type);
	if (walk->writer != NULL)
		wire_put_bytes(walk->writer, ask->body);
	else
		ask->body = wire_get_bytes(walk->reader, FRONT_FRAME_MAX);
	walk->bad |= ask->type == FRONT_NONE || ask->type == FRONT_ASK;
}

static void
walk_standing_add(struct walk *walk, struct front_standing_add *add)
{
	walk_label(walk, add->client, false);
	walk_text(walk, add->recipient, sizeof(add->recipient));
	walk_u32(walk, &add->columns);
	walk_u32(walk, &add->rows);
	walk_u32(walk, &add->every);
	walk_u16(walk, &add->opens);
	walk_u16(walk, &add->closes);
	walk_days(walk, &add->until);
	walk->bad |= add->recipient[0] == '\0' || add->columns == 0 ||
	    add->columns >> STATEMENT_COUNT != 0 || add->rows == 0 ||
	    add->rows > FRONT_STATEMENT_ROWS || add->every == 0 ||
	    add->every > FRONT_STANDING_EVERY || add->opens >= 1440 || add->closes >= 1440;
}

/* A number that counts from 1. */
static void
walk_number(struct walk *walk, uint32_t *number)
{
	walk_u32(walk, number);
	walk->bad |= *number == 0;
}

static void
walk_put(struct walk *walk, struct front_put *put)
{
	walk_number(walk, &put->grant);
	walk_u64(walk, &put->size);
	walk_raw(walk, put->sha256, sizeof(put->sha256));
	walk_name(walk, put->name);
	walk_text(walk, put->users, sizeof(put->users));
	walk->bad |= put->size > FRONT_PUT_MAX || put->name[0] == '\0' || put->name[0] == '.' ||
	    strchr(put->name, '/') != NULL;
	for (const char *at = put->users; *at != '\0'; at++)
		walk->bad |= (unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f;
}

static void
walk_statement(struct walk *walk, struct front_statement *statement)
{
	walk_number(walk, &statement->standing);
	walk_text(walk, statement->recipient, sizeof(statement->recipient));
	walk_u32(walk, &statement->columns);
	walk_u32(walk, &statement->rows);
	walk_u64(walk, &statement->from);
	walk->bad |=
	    statement->columns >> STATEMENT_COUNT != 0 || statement->rows > FRONT_STATEMENT_ROWS;
}

static void
walk_ledger_export(struct walk *walk, struct front_ledger_export *export)
{
	walk_label(walk, export->client, true);
	walk_u64(walk, &export->have);
	walk_raw(walk, export->root, sizeof(export->root));
}

static void
walk_case_open(struct walk *walk, struct front_case_open *open)
{
	uint8_t any = 0;

	walk_u16(walk, &open->reason);
	walk->bad |= reason_name((enum reason)open->reason) == NULL || open->reason == REASON_NONE;
	walk_u64(walk, &open->rows);
	walk_u32(walk, &open->days);
	walk->bad |= open->rows == 0 || open->rows > FRONT_CASE_ROWS_MAX || open->days == 0 ||
	    open->days > FRONT_CASE_DAYS_MAX;
	walk_u8(walk, &open->has_hash);
	walk_raw(walk, open->hash, sizeof(open->hash));
	for (size_t i = 0; i < sizeof(open->hash); i++)
		any |= open->hash[i];
	walk->bad |= open->has_hash > 1 || (open->has_hash == 0 && any != 0);
	walk_u8(walk, &open->client_count);
	walk->bad |= open->client_count > FRONT_CASE_CLIENTS;
	for (uint8_t i = 0; !walk->bad && i < open->client_count; i++)
		walk_label(walk, open->clients[i], false);
}

static void
walk_history_add(struct walk *walk, struct front_history_add *add)
{
	uint64_t from = (uint64_t)add->from_us;
	uint64_t to = (uint64_t)add->to_us;

	walk_raw(walk, add->hash, sizeof(add->hash));
	walk_u64(walk, &add->rows);
	walk_u64(walk, &from);
	walk_u64(walk, &to);
	add->from_us = (int64_t)from;
	add->to_us = (int64_t)to;
	walk->bad |=
	    add->rows == 0 || add->rows > FRONT_HISTORY_ROWS_MAX || add->from_us > add->to_us;
}

static void
walk_request(struct walk *walk, enum front_message type, union front_request *request)
{
	switch (type) {
	case FRONT_SIGN_IN: walk_sign_in(walk, &request->sign_in); break;
	case FRONT_PRESENT:
		walk_heads(walk, request->present.heads, &request->present.count, FRONT_HEADS_MAX);
		break;
	case FRONT_DECLARE_LOSS:
		walk_heads(walk, request->loss.heads, &request->loss.count, FRONT_LOSS_MAX);
		walk->bad |= request->loss.count == 0;
		break;
	case FRONT_STATUS:
	case FRONT_BACKUP:
	case FRONT_BACKUP_END:
	case FRONT_CLIENT_LIST:
	case FRONT_RECIPIENT:
	case FRONT_CASE_LIST:
	case FRONT_GRANT_LIST:
	case FRONT_HISTORY_LIST:
	case FRONT_STAFF_LIST:
	case FRONT_SLOTS_LIST:
	case FRONT_STANDING_LIST:
	case FRONT_ZONE_LIST:
	case FRONT_WITNESS_LIST:
	case FRONT_DEVICE_LIST: break;
	case FRONT_CAMPAIGN_LIST:
	case FRONT_PURPOSE_LIST: walk_label(walk, request->named.client, true); break;
	case FRONT_CLIENT_ADD: walk_client_add(walk, &request->client_add); break;
	case FRONT_PURPOSE_ADD: walk_purpose_add(walk, &request->purpose_add); break;
	case FRONT_STAFF_ADD: walk_staff_add(walk, &request->staff_add); break;
	case FRONT_DEVICE_GUARD:
	case FRONT_DEVICE_ADD: walk_device_add(walk, &request->device_add); break;
	case FRONT_CAMPAIGN_CLOSE:
	case FRONT_PURPOSE_CLOSE:
		walk_label(walk, request->named.client, false);
		walk_label(walk, request->named.label, false);
		break;
	case FRONT_CLIENT_CLOSE:
	case FRONT_STAFF_END:
	case FRONT_ZONE_CLOSE:
	case FRONT_WITNESS_RETIRE:
	case FRONT_DEVICE_RETIRE: walk_label(walk, request->named.label, false); break;
	case FRONT_LEDGER_VERIFY: walk_label(walk, request->named.label, true); break;
	case FRONT_ENTRUST: walk_entrust(walk, &request->entrust); break;
	case FRONT_DISCLOSE: walk_disclose(walk, &request->disclose); break;
	case FRONT_SLOTS: walk_slots(walk, &request->slots); break;
	case FRONT_SLOT_GIVE:
		walk_bytes(walk, &request->slot_give.passphrase, FRONT_PASSPHRASE_MAX);
		walk->bad |= request->slot_give.passphrase.size == 0;
		break;
	case FRONT_ZONE_ADD: walk_zone_add(walk, &request->zone_add); break;
	case FRONT_ZONE_ROLE: walk_zone_role(walk, &request->zone_role); break;
	case FRONT_STANDING_ADD: walk_standing_add(walk, &request->standing_add); break;
	case FRONT_STATEMENT: walk_statement(walk, &request->statement); break;
	case FRONT_HAND_OVER: walk_hand_over(walk, &request->hand_over); break;
	case FRONT_CHECK: walk_check(walk, &request->check); break;
	case FRONT_MAP_SET:
	case FRONT_MAP_SHOW: walk_map(walk, &request->map); break;
	case FRONT_CAMPAIGN_ADD: walk_campaign_add(walk, &request->campaign_add); break;
	case FRONT_ATTEMPT: walk_attempt(walk, &request->attempt); break;
	case FRONT_ATTEMPT_LIST: walk_attempt_list(walk, &request->attempt_list); break;
	case FRONT_RECEIPT: walk_u64(walk, &request->receipt.consignment); break;
	case FRONT_CORRECT: walk_correct(walk, &request->correct); break;
	case FRONT_STOP: walk_stop(walk, &request->stop); break;
	case FRONT_RESTRICT: walk_restrict(walk, &request->restriction); break;
	case FRONT_LEDGER_QUERY: walk_query(walk, &request->query); break;
	case FRONT_POLICY_ADD: walk_policy_add(walk, &request->policy_add); break;
	case FRONT_POLICY_LIST: walk_label(walk, request->named.label, true); break;
	case FRONT_POLICY_EXTEND: walk_policy_extend(walk, &request->policy_extend); break;
	case FRONT_POLICY_CLOSE: walk_u32(walk, &request->policy_close.id); break;
	case FRONT_CASE_OPEN: walk_case_open(walk, &request->case_open); break;
	case FRONT_CASE_ALLOW:
		walk_number(walk, &request->case_allow.id);
		walk_raw(walk, request->case_allow.hash, sizeof(request->case_allow.hash));
		break;
	case FRONT_HISTORY_ADD: walk_history_add(walk, &request->history_add); break;
	case FRONT_TRACE_LIST:
		walk_number(walk, &request->trace_list.id);
		walk_text(walk, request->trace_list.columns, sizeof(request->trace_list.columns));
		walk_text(walk, request->trace_list.password, sizeof(request->trace_list.password));
		break;
	case FRONT_TRACE:
	case FRONT_TRACE_ROWS:
		walk_number(walk, &request->trace.id);
		walk_text(walk, request->trace.recipient, sizeof(request->trace.recipient));
		walk->bad |= type == FRONT_TRACE && request->trace.recipient[0] != '\0';
		break;
	case FRONT_SCAN:
		walk_number(walk, &request->scan.id);
		walk_u32(walk, &request->scan.files);
		walk_raw(walk, request->scan.hash, sizeof(request->scan.hash));
		break;
	case FRONT_ASK: walk_ask(walk, &request->ask); break;
	case FRONT_APPROVALS:
		walk_u8(walk, &request->approvals.all);
		walk->bad |= request->approvals.all > 1;
		break;
	case FRONT_APPROVAL:
	case FRONT_CASE_CLOSE:
	case FRONT_GRANT_CLOSE:
	case FRONT_STANDING_END:
	case FRONT_HISTORY_IMPORT:
	case FRONT_REFUSE: walk_number(walk, &request->numbered.number); break;
	case FRONT_INVITE: walk_invite(walk, &request->invite); break;
	case FRONT_REKEY: walk_rekey(walk, &request->rekey); break;
	case FRONT_UNTIL:
		walk_label(walk, request->until.label, false);
		walk_days(walk, &request->until.day);
		break;
	case FRONT_PUT_SIGN_IN:
	case FRONT_GUARD_SIGN_IN: walk_guard_sign_in(walk, &request->guard_sign_in); break;
	case FRONT_GUARD_REPORT: walk_guard_report(walk, &request->guard_report); break;
	case FRONT_GRANT_ADD: walk_grant_add(walk, &request->grant_add); break;
	case FRONT_LEDGER_PLUGGED: walk_plugged(walk, &request->plugged); break;
	case FRONT_PUT: walk_put(walk, &request->put); break;
	case FRONT_PUT_BYTES:
		walk_raw_bytes(walk, &request->put_bytes.bytes, FRONT_PUT_BYTES_MAX);
		walk->bad |= request->put_bytes.bytes.size == 0;
		break;
	case FRONT_PUT_END: break;
	case FRONT_PUT_WRITTEN:
		walk_u8(walk, &request->put_written.written);
		walk->bad |= request->put_written.written != 1 && request->put_written.written != 2;
		break;
	case FRONT_ENROL: walk_enrol(walk, &request->enrol); break;
	case FRONT_APPROVE:
		walk_number(walk, &request->approve.number);
		walk_raw(walk, request->approve.signature, sizeof(request->approve.signature));
		break;
	case FRONT_LEDGER_EXPORT: walk_ledger_export(walk, &request->ledger_export); break;
	case FRONT_LEDGER_CHECKPOINT: walk_label(walk, request->named.label, true); break;
	case FRONT_WITNESS_ADD:
		walk_label(walk, request->witness_add.label, false);
		walk_text(walk, request->witness_add.vkey, sizeof(request->witness_add.vkey));
		break;
	case FRONT_WITNESS_LIMIT:
		walk_u32(walk, &request->witness_limit.hours);
		walk->bad |= request->witness_limit.hours > FRONT_LIMIT_HOURS_MAX;
		break;
	case FRONT_COSIGNED:
		walk_bytes(walk, &request->cosigned.note, FRONT_COSIGNED_MAX);
		walk->bad |= request->cosigned.note.size == 0;
		break;
	case FRONT_LEDGER_PROOF:
		walk_label(walk, request->ledger_proof.client, true);
		walk_u64(walk, &request->ledger_proof.index);
		break;
	case FRONT_NONE:
	case FRONT_DONE:
	case FRONT_FAILED:
	case FRONT_ITEM:
	case FRONT_PROGRESS:
	default: walk->bad = true;
	}
}

bool
front_has_descriptor(uint16_t type)
{
	return type == FRONT_ENTRUST || type == FRONT_LEDGER_EXPORT || type == FRONT_TRACE_LIST ||
	    type == FRONT_HISTORY_IMPORT || type == FRONT_TRACE_ROWS || type == FRONT_SCAN ||
	    type == FRONT_STATEMENT;
}

/* --- messages -------------------------------------------------------------------------------- */

void
front_prologue(const uint8_t house[HOUSE_ID_SIZE], uint8_t data[FRONT_PROLOGUE_SIZE])
{
	memcpy(data, FRONT_PROLOGUE, sizeof(FRONT_PROLOGUE) - 1);
	memcpy(data + sizeof(FRONT_PROLOGUE) - 1, house, HOUSE_ID_SIZE);
}

size_t
front_signed(
    const char *context, const uint8_t hash[FRONT_HASH_SIZE], uint8_t data[FRONT_SIGNED_MAX])
{
	size_t size = strlen(context);

	assert(size + FRONT_HASH_SIZE <= FRONT_SIGNED_MAX);
	memcpy(data, context, size);
	memcpy(data + size, hash, FRONT_HASH_SIZE);
	return size + FRONT_HASH_SIZE;
}

void
front_put_header(struct wire_writer *writer, enum front_message type, uint32_t id)
{
	wire_put_u16(writer, (uint16_t)type);
	wire_put_u16(writer, FRONT_MESSAGE_VERSION);
	wire_put_u32(writer, id);
}

void
front_put_heads(struct wire_writer *writer, const struct head *heads, uint32_t count)
{
	wire_put_u32(writer, count);
	for (uint32_t i = 0; i < count; i++)
		head_put(writer, &heads[i]);
}

uint32_t
front_get_heads(struct wire_reader *reader, struct head *heads, uint32_t max)
{
	uint32_t count = wire_get_count(reader, max, 48);

	for (uint32_t i = 0; i < count; i++)
		head_get(reader, &heads[i]);
	return reader->failed ? 0 : count;
}

enum az_status
front_encode(
    enum front_message type, uint32_t id, const union front_request *request, struct buffer *buffer)
{
	struct wire_writer writer;
	struct walk walk = {.writer = &writer};
	size_t before = buffer->size;

	wire_writer_init(&writer, buffer);
	front_put_header(&writer, type, id);
	/* A walk that writes only reads from the request. */
	walk_request(&walk, type, (union front_request *)(uintptr_t)request);
	if (writer.status == AZ_OK && !walk.bad)
		return AZ_OK;
	buffer->size = before;
	return walk.bad ? AZ_INVALID : writer.status;
}

enum az_status
front_open(struct bytes message, struct front_header *ret_header, struct bytes *ret_body)
{
	struct wire_reader reader;
	struct front_header header;

	wire_reader_init(&reader, message);
	header.type = wire_get_u16(&reader);
	if (wire_get_u16(&reader) != FRONT_MESSAGE_VERSION)
		return AZ_INVALID;
	header.id = wire_get_u32(&reader);
	if (reader.failed)
		return AZ_INVALID;
	*ret_header = header;
	*ret_body = reader.rest;
	return AZ_OK;
}

enum az_status
front_decode(enum front_message type, struct bytes body, union front_request *ret_request)
{
	struct wire_reader reader;
	struct walk walk = {.reader = &reader};

	wire_reader_init(&reader, body);
	memset(ret_request, 0, sizeof(*ret_request));
	walk_request(&walk, type, ret_request);
	if (walk.bad || !wire_end(&reader)) {
		az_wipe(ret_request, sizeof(*ret_request));
		return AZ_INVALID;
	}
	return AZ_OK;
}
