/*
 * Budgets: how many distinct people each human may see, and how fast.
 *
 * A look at somebody who was seen within a window costs that window nothing, so going back to the person of the
 * last call is always possible. The limits of the house and of the client both hold. Rates count every question, so
 * that trying values out is slow as well. Once a lifetime's number is used up, a review is due: an approval adds to
 * it; until then the slow rate holds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "policy/budget_internal.h"

#define EXTENSIONS_MAX  1000000u
#define HOLDERS_A_HUMAN 2u

static const char *const class_names[BUDGET_CLASSES] = {
    [BUDGET_NONE] = NULL, [BUDGET_CALLS] = "calls", [BUDGET_SEARCHES] = "searches"};

const char *budget_class_name(enum budget_class class)
{
	return (unsigned int)class < BUDGET_CLASSES ? class_names[class] : NULL;
}

enum az_status
budget_book_new(struct budget_book **ret_book, struct az_err *reterr)
{
	struct budget_book *book = calloc(1, sizeof(*book));

	if (book == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "budgets: out of memory");
	*ret_book = book;
	return AZ_OK;
}

void
budget_book_free(struct budget_book **book)
{
	struct budget_book *freed = *book;

	if (freed == NULL)
		return;
	for (size_t i = 0; i < freed->holder_room; i++)
		holder_fini(&freed->holders[i]);
	free(freed->holders);
	free(freed->extensions);
	free(freed);
	*book = NULL;
}

struct holder *
holder_of(struct budget_book *book, uint32_t staff, enum budget_class class, bool create)
{
	size_t at = HOLDERS_A_HUMAN * (size_t)staff + (class == BUDGET_SEARCHES ? 1 : 0);

	if (at >= book->holder_room) {
		size_t room = HOLDERS_A_HUMAN * ((size_t)staff + 1) * 2;
		struct holder *holders;

		if (!create)
			return NULL;
		holders = reallocarray(book->holders, room, sizeof(*holders));
		if (holders == NULL)
			return NULL;
		for (size_t i = book->holder_room; i < room; i++)
			holders[i] = (struct holder){0};
		book->holders = holders;
		book->holder_room = room;
	}
	return &book->holders[at];
}

/* --- what is set ------------------------------------------------------------------------------ */

enum az_status
budget_put(struct budget_book *book, const struct budget *budget, struct az_err *reterr)
{
	if (budget->role == ROLE_NONE || (unsigned int)budget->role >= ROLE_COUNT)
		return az_fail(reterr, AZ_INVALID, "budget: it has no role");
	book->budgets[budget->role] = *budget;
	return AZ_OK;
}

const struct budget *
budget_of(const struct budget_book *book, enum role role)
{
	if (role == ROLE_NONE || (unsigned int)role >= ROLE_COUNT)
		return NULL;
	return book->budgets[role].role == role ? &book->budgets[role] : NULL;
}

static uint32_t
add_limits(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

enum az_status
budget_put_extension(
    struct budget_book *book, const struct budget_extension *extension, struct az_err *reterr)
{
	if (extension->id == 0 || extension->id > EXTENSIONS_MAX)
		return az_fail(reterr, AZ_LIMIT, "budget: there are too many extensions");
	if (extension->id > book->extension_room) {
		size_t room = 2 * (size_t)extension->id;
		struct budget_extension *extensions =
		    reallocarray(book->extensions, room, sizeof(*extensions));

		if (extensions == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "budgets: out of memory");
		for (size_t i = book->extension_room; i < room; i++)
			extensions[i] = (struct budget_extension){0};
		book->extensions = extensions;
		book->extension_room = room;
	}
	if (extension->until_us == 0 && book->extensions[extension->id - 1].id == 0) {
		struct holder *holder = holder_of(book, extension->staff, extension->class, true);

		if (holder == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "budgets: out of memory");
		holder->reviewed = add_limits(holder->reviewed, extension->life);
	}
	book->extensions[extension->id - 1] = *extension;
	if (extension->id > book->extension_count)
		book->extension_count = extension->id;
	return AZ_OK;
}

uint32_t
budget_next_extension(const struct budget_book *book)
{
	return (uint32_t)book->extension_count + 1;
}

const struct budget_extension *
budget_extension_of(const struct budget_book *book, uint32_t id)
{
	if (id == 0 || id > book->extension_count || book->extensions[id - 1].id == 0)
		return NULL;
	return &book->extensions[id - 1];
}

static bool
has_ended(const struct budget_extension *extension, int64_t now_us)
{
	return extension->id == 0 || extension->closed_us != 0 || extension->until_us <= now_us;
}

/* The limits and what approvals add to them now. */
static struct budget_limits
extended(struct budget_book *book, struct budget_limits limits, const struct budget_look *look)
{
	const struct holder *holder = holder_of(book, look->staff, look->class, false);

	if (holder != NULL)
		limits.life = add_limits(limits.life, holder->reviewed);
	while (book->first_open < book->extension_count &&
	    has_ended(&book->extensions[book->first_open], look->time_us))
		book->first_open++;
	for (size_t i = book->first_open; i < book->extension_count; i++) {
		const struct budget_extension *more = &book->extensions[i];

		if (more->staff != look->staff || more->class != look->class ||
		    has_ended(more, look->time_us))
			continue;
		limits.day = add_limits(limits.day, more->day);
		limits.month = add_limits(limits.month, more->month);
		limits.life = add_limits(limits.life, more->life);
	}
	return limits;
}

/* --- counting --------------------------------------------------------------------------------- */

void
budget_used(struct budget_book *book, uint32_t staff, enum budget_class class, int64_t now_us,
    struct budget_use *ret_use)
{
	*ret_use = (struct budget_use){0};
	for (enum budget_class each = BUDGET_CALLS; each < BUDGET_CLASSES; each++) {
		struct holder *holder = holder_of(book, staff, each, false);

		if (holder == NULL)
			continue;
		holder_advance(holder, now_us);
		ret_use->minute += (uint32_t)(holder->end - holder->minute_first);
		ret_use->hour += (uint32_t)(holder->end - holder->hour_first);
		if (each != class)
			continue;
		ret_use->day = holder->day;
		ret_use->month = holder->month;
		for (size_t i = 0; i < holder->client_count; i++)
			ret_use->life += holder->clients[i].life;
	}
}

/* Whether one more person fits into day and month. */
static enum az_status
check_people(const struct budget_limits *limits, const struct budget_use *used,
    struct holder_seen had, enum budget_class class, const char *of, struct az_err *reterr)
{
	if (!had.day && used->day >= limits->day)
		return az_fail(reterr, AZ_LIMIT,
		    "budget: %u people of %s were seen by %s in 24 hours, and no more may be",
		    used->day, of, budget_class_name(class));
	if (!had.month && used->month >= limits->month)
		return az_fail(reterr, AZ_LIMIT,
		    "budget: %u people of %s were seen by %s in 30 days, and no more may be",
		    used->month, of, budget_class_name(class));
	return AZ_OK;
}

static enum az_status
check_rates(const struct budget *budget, const struct budget_use *used, bool review_is_due,
    struct az_err *reterr)
{
	if (used->minute >= budget->minute)
		return az_fail(reterr, AZ_LIMIT, "budget: %u questions in a minute are the most",
		    budget->minute);
	if (used->hour >= budget->hour)
		return az_fail(
		    reterr, AZ_LIMIT, "budget: %u questions in an hour are the most", budget->hour);
	if (review_is_due && used->hour >= budget->slow)
		return az_fail(reterr, AZ_LIMIT,
		    "budget: a review is due; until then %u questions in an hour are the most",
		    budget->slow);
	return AZ_OK;
}

/* What was used of one client. */
static struct budget_use
used_of_client(const struct holder *holder, uint32_t client)
{
	const struct client_count *count = holder == NULL ? NULL : holder_client(holder, client);

	if (count == NULL)
		return (struct budget_use){0};
	return (struct budget_use){.day = count->day, .month = count->month, .life = count->life};
}

static bool is_class(enum budget_class class)
{
	return class == BUDGET_CALLS || class == BUDGET_SEARCHES;
}

enum az_status
budget_check(
    struct budget_book *book, enum role role, const struct budget_look *look, struct az_err *reterr)
{
	const struct budget *budget = budget_of(book, role);
	struct holder_seen had = {0};
	struct budget_limits house, client;
	struct budget_use used, of_client;
	const struct holder *holder;
	enum az_status status;
	bool due;

	if (budget == NULL || !is_class(look->class) || look->staff == 0)
		return az_fail(reterr, AZ_DENIED, "budget: none is set for this role");
	budget_used(book, look->staff, look->class, look->time_us, &used);
	used.minute = add_limits(used.minute, look->along);
	used.hour = add_limits(used.hour, look->along);
	holder = holder_of(book, look->staff, look->class, false);
	if (holder != NULL && look->record != 0)
		had = holder_has(holder, look->record);
	house = extended(book, budget->house[look->class], look);
	client = extended(book, budget->client[look->class], look);
	of_client = used_of_client(holder, look->client);
	due = used.life >= house.life || of_client.life >= client.life;
	status = check_rates(budget, &used, due && !had.life, reterr);
	if (status != AZ_OK || look->record == 0)
		return status;
	status = check_people(&house, &used, had, look->class, "the house", reterr);
	if (status == AZ_OK)
		status = check_people(&client, &of_client, had, look->class, "this client", reterr);
	return status;
}

enum az_status
budget_take(struct budget_book *book, enum role role, const struct budget_look *look,
    bool *ret_review_is_due, struct az_err *reterr)
{
	const struct budget *budget = budget_of(book, role);
	struct holder *holder;
	struct seen seen = {
	    .record = look->record, .client = look->client, .time_us = look->time_us};
	struct budget_use before, after;

	*ret_review_is_due = false;
	if (!is_class(look->class) || look->staff == 0)
		return az_fail(reterr, AZ_INVALID, "budget: a look of nobody");
	holder = holder_of(book, look->staff, look->class, true);
	if (holder == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "budgets: out of memory");
	budget_used(book, look->staff, look->class, look->time_us, &before);
	if (!holder_add(holder, &seen))
		return az_fail(reterr, AZ_NO_MEMORY, "budgets: out of memory");
	if (budget != NULL && look->record != 0) {
		uint32_t life = extended(book, budget->house[look->class], look).life;

		budget_used(book, look->staff, look->class, look->time_us, &after);
		*ret_review_is_due = before.life < life && after.life >= life;
	}
	return AZ_OK;
}
