/*
 * Budgets and their extensions: setting, listing, extending, reviewing, closing. Each changes one thing.
 */
#include <stdio.h>
#include <string.h>

#include "custody/custody_internal.h"

#define EXTEND_DAYS_MAX 366

static void
limits_of(const uint32_t from[FRONT_LIMITS], struct budget_limits to[BUDGET_CLASSES])
{
	for (unsigned int class = BUDGET_CALLS; class < BUDGET_CLASSES; class ++) {
		const uint32_t *limits = from + 3 * (class - BUDGET_CALLS);

		to[class] =
		    (struct budget_limits){.day = limits[0], .month = limits[1], .life = limits[2]};
	}
}

static struct ledger_entry
policy_entry(const struct request *request, uint32_t subject, uint32_t detail)
{
	struct ledger_entry entry = request_entry(request, ENTRY_POLICY);

	entry.subject = subject;
	entry.detail = detail;
	return entry;
}

/* What detail says in an entry of policy. */
enum { DETAIL_BUDGET = 1, DETAIL_EXTENDED = 2, DETAIL_REVIEWED = 3, DETAIL_CLOSED = 4 };

void
verb_policy_add(struct request *request, const union front_request *body)
{
	const struct front_policy_add *add = &body->policy_add;
	struct budget budget = {.role = (enum role)add->role,
	    .minute = add->minute,
	    .hour = add->hour,
	    .slow = add->slow};
	struct payload payload;
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	limits_of(add->house, budget.house);
	limits_of(add->client, budget.client);
	payload_init(&payload);
	status = payload_put_budget(&payload, &budget);
	change_submit(request, policy_entry(request, budget.role, DETAIL_BUDGET), status, &payload,
	    "budget", budget.role, role_name(budget.role));
}

void
verb_policy_extend(struct request *request, const union front_request *body)
{
	const struct front_policy_extend *extend = &body->policy_extend;
	struct custody *custody = request->custody;
	const struct staff *staff;
	struct budget_extension extension = {.id = budget_next_extension(custody->budgets),
	    .class = (enum budget_class)extend->class,
	    .day = extend->day,
	    .month = extend->month,
	    .life = extend->life};
	bool review = extend->until == AZ_DATE_NONE;
	int32_t today = (int32_t)(house_now_us(request->custody) / AZ_US_PER_DAY);
	struct payload payload;
	struct az_err err = {0};
	enum az_status status = AZ_OK;

	if (!change_may_be_asked(request))
		return;
	staff = people_staff_labelled(custody->people, extend->staff);
	if (staff == NULL)
		status = az_fail(
		    &err, AZ_NOT_FOUND, "policy: there is nobody called %s here", extend->staff);
	/* Neither who asks it nor who approves it. */
	else if (staff->id == request->staff || staff->id == request->front->staff)
		status = az_fail(&err, AZ_DENIED, "policy: nobody extends a budget of their own");
	else if (review && (extension.day != 0 || extension.month != 0 || extension.life == 0))
		status = az_fail(&err, AZ_INVALID, "policy: a review adds people to life only");
	else if (!review && (extend->until < today || extend->until > today + EXTEND_DAYS_MAX))
		status = az_fail(&err, AZ_INVALID,
		    "policy: an extension ends today or later, and within %d days",
		    EXTEND_DAYS_MAX);
	else if (!review && extension.day == 0 && extension.month == 0 && extension.life == 0)
		status = az_fail(&err, AZ_INVALID, "policy: the extension adds nothing");
	if (status == AZ_DENIED) {
		request_refuse(request, &err);
		return;
	}
	if (status != AZ_OK) {
		request_fail(request, &err);
		return;
	}
	extension.staff = staff->id;
	extension.until_us = review ? 0 : ((int64_t)extend->until + 1) * AZ_US_PER_DAY;
	payload_init(&payload);
	status = payload_put_extension(&payload, &extension);
	change_submit(request,
	    policy_entry(request, extension.id, review ? DETAIL_REVIEWED : DETAIL_EXTENDED), status,
	    &payload, review ? "review" : "extension", extension.id, staff->label);
}

void
verb_policy_close(struct request *request, const union front_request *body)
{
	struct custody *custody = request->custody;
	const struct budget_extension *found;
	struct budget_extension extension;
	struct payload payload;
	struct az_err err = {0};
	enum az_status status;

	if (!change_may_be_asked(request))
		return;
	found = budget_extension_of(custody->budgets, body->policy_close.id);
	if (found == NULL || found->closed_us != 0 || found->until_us == 0) {
		(void)az_fail(&err, AZ_NOT_FOUND, "policy: there is no open extension %u",
		    body->policy_close.id);
		request_fail(request, &err);
		return;
	}
	extension = *found;
	extension.closed_us = house_now_us(request->custody);
	payload_init(&payload);
	status = payload_put_extension(&payload, &extension);
	change_submit(request, policy_entry(request, extension.id, DETAIL_CLOSED), status, &payload,
	    "extension", extension.id, "");
}

/* --- listing ---------------------------------------------------------------------------------- */

static void
answer_limits(
    struct wire_writer *writer, const char *name, const struct budget_limits limits[BUDGET_CLASSES])
{
	answer_object(writer, name);
	for (enum budget_class class = BUDGET_CALLS; class < BUDGET_CLASSES; class ++) {
		answer_object(writer, budget_class_name(class));
		answer_uint(writer, "day", limits[class].day);
		answer_uint(writer, "month", limits[class].month);
		answer_uint(writer, "life", limits[class].life);
		answer_end(writer);
	}
	answer_end(writer);
}

static void
list_budget(struct request *request, const struct budget *budget)
{
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);

	answer_object(&writer, NULL);
	answer_text(&writer, "role", role_name(budget->role));
	answer_limits(&writer, "house", budget->house);
	answer_limits(&writer, "client", budget->client);
	answer_uint(&writer, "minute", budget->minute);
	answer_uint(&writer, "hour", budget->hour);
	answer_uint(&writer, "slow", budget->slow);
	answer_end(&writer);
	reply_item(request, &writer);
}

static void
list_used(struct request *request, const struct staff *staff)
{
	struct custody *custody = request->custody;
	struct wire_writer writer = reply_begin(request, FRONT_ITEM);
	struct budget_use use;

	answer_object(&writer, NULL);
	answer_text(&writer, "staff", staff->label);
	answer_text(&writer, "role", role_name(staff->role));
	for (enum budget_class class = BUDGET_CALLS; class < BUDGET_CLASSES; class ++) {
		budget_used(
		    custody->budgets, staff->id, class, house_now_us(request->custody), &use);
		answer_object(&writer, budget_class_name(class));
		answer_uint(&writer, "day", use.day);
		answer_uint(&writer, "month", use.month);
		answer_uint(&writer, "life", use.life);
		answer_end(&writer);
	}
	answer_uint(&writer, "minute", use.minute);
	answer_uint(&writer, "hour", use.hour);
	answer_end(&writer);
	reply_item(request, &writer);
}

static void
list_extensions(struct request *request, uint32_t staff)
{
	const struct budget_book *book = request->custody->budgets;

	for (uint32_t id = 1; id < budget_next_extension(book); id++) {
		const struct budget_extension *extension = budget_extension_of(book, id);
		struct wire_writer writer;

		if (extension == NULL || extension->staff != staff)
			continue;
		writer = reply_begin(request, FRONT_ITEM);
		answer_object(&writer, NULL);
		answer_uint(&writer, "extension", extension->id);
		answer_text(&writer, "of", budget_class_name(extension->class));
		answer_uint(&writer, "day", extension->day);
		answer_uint(&writer, "month", extension->month);
		answer_uint(&writer, "life", extension->life);
		if (extension->until_us != 0)
			answer_time(&writer, "until", extension->until_us);
		if (extension->closed_us != 0)
			answer_time(&writer, "closed", extension->closed_us);
		answer_end(&writer);
		reply_item(request, &writer);
	}
}

void
verb_policy_list(struct request *request, const union front_request *body)
{
	const char *label = body->named.label;
	struct custody *custody = request->custody;
	const struct staff *staff = NULL;
	struct wire_writer writer;
	struct az_err err = {0};

	if (!change_is_permitted(request))
		return;
	if (label[0] != '\0') {
		staff = people_staff_labelled(custody->people, label);
		if (staff == NULL) {
			(void)az_fail(
			    &err, AZ_NOT_FOUND, "policy: there is nobody called %s here", label);
			request_fail(request, &err);
			return;
		}
		list_used(request, staff);
		list_extensions(request, staff->id);
	}
	for (enum role role = ROLE_AGENT; role < ROLE_COUNT && staff == NULL; role++) {
		const struct budget *budget = budget_of(custody->budgets, role);

		if (budget != NULL)
			list_budget(request, budget);
	}
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_end(&writer);
	reply_end(request, &writer);
}
