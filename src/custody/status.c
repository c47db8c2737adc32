/*
 * What the house says of itself: counts and warnings, nothing of any record.
 */
#include "crypto/age.h"
#include "custody/guards.h"
#include "custody/witnesses.h"

#define ALARMS_LOOKED_AT 1000u /* entries of the house's log, the newest */
#define ALARMS_TOLD      10u

struct guards {
	struct custody *custody;
	struct wire_writer *writer;
};

struct counts {
	uint64_t staff, devices, clients, purposes;
};

static void
count_staff(void *arg, const struct staff *staff)
{
	struct counts *counts = arg;

	counts->staff += staff->ended_us == 0 ? 1 : 0;
}

static void
count_device(void *arg, const struct device *device)
{
	struct counts *counts = arg;

	counts->devices += device->retired_us == 0 ? 1 : 0;
}

static void
count_client(void *arg, const struct client *client)
{
	struct counts *counts = arg;

	counts->clients += client->closed_us == 0 ? 1 : 0;
}

static void
count_purpose(void *arg, const struct purpose *purpose)
{
	struct counts *counts = arg;

	counts->purposes += purpose->closed_us == 0 ? 1 : 0;
}

static uint64_t
count_consignments(const struct custody *custody)
{
	uint64_t count = 0;

	for (size_t i = 0; i < custody->consignment_count; i++)
		count += custody->consignments[i]->active ? 1 : 0;
	return count;
}

/* What an unsealed house does not hold to. */
static void
answer_waivers(struct wire_writer *writer, const struct custody *custody)
{
	answer_array(writer, "waivers");
	if (custody->unsealed) {
		answer_text(writer, NULL, "the root key lies in a plain file");
		answer_text(writer, NULL, "one officer founded it and approves alone");
		answer_text(writer, NULL, "who asks and who approves may sit at one device");
		answer_text(writer, NULL, "values to look for may stand in arguments");
	}
	answer_end(writer);
}

/* Whom lists for the house are sealed to: "age1…". */
static enum az_status
answer_recipient(struct wire_writer *writer, const struct custody *custody, struct az_err *reterr)
{
	uint8_t recipient[AGE_KEY_SIZE];
	char text[AGE_RECIPIENT_SIZE];
	enum az_status status = age_recipient(custody->intake_identity, recipient, reterr);

	if (status != AZ_OK)
		return status;
	age_recipient_text(recipient, text);
	answer_text(writer, "recipient", text);
	return AZ_OK;
}

void
verb_recipient(struct request *request, const union front_request *body)
{
	struct wire_writer writer;
	struct az_err err = {0};

	(void)body;
	if (!change_is_permitted(request))
		return;
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	if (answer_recipient(&writer, request->custody, &err) != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	answer_end(&writer);
	reply_end(request, &writer);
}

static void
answer_guard(void *arg, const struct device *device)
{
	struct guards *guards = arg;
	enum guard_state state = guard_state_of(guards->custody, device->id);
	int64_t heard_us = guard_heard_us(guards->custody, device->id);

	if (state == GUARD_NONE || device->retired_us != 0)
		return;
	answer_object(guards->writer, NULL);
	answer_text(guards->writer, "device", device->label);
	answer_text(guards->writer, "state", guard_state_name(state));
	if (heard_us != 0)
		answer_time(guards->writer, "heard", heard_us);
	answer_end(guards->writer);
}

/* The newest alarms, as far as they are settled. */
static void
answer_alarms(struct wire_writer *writer, struct custody *custody)
{
	struct head head;
	uint64_t index;
	unsigned int told = 0;

	ledger_head(custody->ledger, LEDGER_HOUSE_LOG, &head);
	index = head.size;
	answer_array(writer, "alarms");
	for (unsigned int looked = 0; index > 0 && looked < ALARMS_LOOKED_AT && told < ALARMS_TOLD;
	     looked++) {
		const struct device *device;
		struct ledger_read read;

		/* The newest may not be written yet; a log that cannot be read is for ledger verify to tell. */
		if (ledger_entry_at(custody->ledger, LEDGER_HOUSE_LOG, --index, &read, NULL) !=
			AZ_OK ||
		    alarm_text(&read.entry) == NULL)
			continue;
		device = people_device(custody->people, plugged_device(&read.entry));
		answer_object(writer, NULL);
		answer_uint(writer, "index", index);
		answer_time(writer, "time", read.entry.time_us);
		answer_text(writer, "alarm", alarm_text(&read.entry));
		if (device != NULL)
			answer_text(writer, "device", device->label);
		answer_end(writer);
		told++;
	}
	answer_end(writer);
}

void
verb_status(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	struct counts counts = {0};
	struct wire_writer writer;
	struct guards guards = {.custody = custody, .writer = &writer};
	char name[HOUSE_NAME_SIZE];

	(void)body;
	if (!change_is_permitted(request))
		return;
	people_each_staff(custody->people, count_staff, &counts);
	people_each_device(custody->people, count_device, &counts);
	policy_each_client(custody->policy, count_client, &counts);
	policy_each_purpose(custody->policy, 0, count_purpose, &counts);
	house_name(custody->config.house, name);
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_text(&writer, "house", name);
	answer_bool(&writer, "unsealed", custody->unsealed);
	answer_bool(&writer, "set_up", custody_stage(custody) != STAGE_SET_UP);
	answer_waivers(&writer, custody);
	answer_time(&writer, "founded", custody->house.founded_us);
	answer_time(&writer, "since", custody->since_us);
	answer_uint(&writer, "starts", custody->house.starts);
	answer_uint(&writer, "staff", counts.staff);
	answer_uint(&writer, "devices", counts.devices);
	answer_uint(&writer, "sessions", people_session_count(custody->people));
	answer_uint(&writer, "clients", counts.clients);
	answer_uint(&writer, "purposes", counts.purposes);
	answer_uint(&writer, "consignments", count_consignments(custody));
	answer_uint(&writer, "records", custody->house.next_record - 1);
	answer_uint(&writer, "disclosed", custody->disclosed);
	answer_uint(&writer, "logs", ledger_log_count(custody->ledger));
	answer_uint(&writer, "generation", ledger_generation(custody->ledger));
	answer_bool(&writer, "space_is_low", ledger_space_is_low(custody->ledger));
	answer_array(&writer, "guards");
	people_each_device(custody->people, answer_guard, &guards);
	answer_end(&writer);
	answer_witnesses(&writer, custody);
	answer_alarms(&writer, custody);
	answer_uint(&writer, "unlocked_memory", secret_unlocked_count());
	answer_end(&writer);
	reply_end(request, &writer);
}
