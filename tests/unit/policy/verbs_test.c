#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

/* The table of the design once more, letter by letter: agent, supervisor, officer, investigator, maintainer. */
static const struct {
	enum verb verb;
	const char *cells; /* y may, a asks, - may not */
} design[] = {
    {VERB_STATUS, "--y-y"},
    {VERB_CLIENT, "-aa--"},
    {VERB_PURPOSE, "-aa--"},
    {VERB_STAFF, "-aa--"},
    {VERB_DEVICE, "-aa--"},
    {VERB_ENTRUST, "-y---"},
    {VERB_DISCLOSE, "yy---"},
    {VERB_CHECK, "yy---"},
    {VERB_ZONE, "--a--"},
    {VERB_SLOTS, "--a--"},
    {VERB_SLOT_GIVE, "--y--"},
    {VERB_SLOTS_LIST, "--y--"},
    {VERB_ZONE_LIST, "-yy--"},
    {VERB_HAND_OVER, "yy---"},
    {VERB_LEDGER_VERIFY, "--yyy"},
    {VERB_LEDGER_QUERY, "--y--"},
    {VERB_LEDGER_EXPORT, "--yyy"},
    {VERB_WITNESS, "--a--"},
    {VERB_WITNESS_LIST, "--yyy"},
    {VERB_COSIGNED, "--yyy"},
    {VERB_CLIENT_LIST, "yyy--"},
    {VERB_PURPOSE_LIST, "yyy--"},
    {VERB_STAFF_LIST, "-yy--"},
    {VERB_DEVICE_LIST, "-yy--"},
    {VERB_MAP, "-y---"},
    {VERB_MAP_SHOW, "-yy--"},
    {VERB_CORRECT, "yy---"},
    {VERB_STOP, "yy---"},
    {VERB_RESTRICT, "-aa--"},
    {VERB_CAMPAIGN, "-aa--"},
    {VERB_CAMPAIGN_LIST, "yyy--"},
    {VERB_ATTEMPT, "yy---"},
    {VERB_RECEIPT, "-yy--"},
    {VERB_GUARD, "-----"},
    {VERB_GRANT, "-aa--"},
    {VERB_GRANT_LIST, "-yy--"},
    {VERB_POLICY, "--a--"},
    {VERB_POLICY_LIST, "-yy--"},
    {VERB_STANDING, "-aa--"},
    {VERB_STATEMENT, "-yy--"},
    {VERB_CASE, "---a-"},
    {VERB_CASE_LIST, "--yy-"},
    {VERB_CASE_CLOSE, "--yy-"},
    {VERB_TRACE, "---y-"},
    {VERB_SCAN, "---y-"},
    {VERB_HISTORY, "---a-"},
    {VERB_HISTORY_IMPORT, "---y-"},
    {VERB_HISTORY_LIST, "--yy-"},
    {VERB_APPROVE, "--y--"},
    {VERB_REFUSE, "--y--"},
    {VERB_APPROVALS, "-yyy-"},
    {VERB_INVITE, "-aa--"},
    {VERB_AUTHENTICATOR, "-aa--"},
    {VERB_BACKUP, "--y-y"},
    {VERB_DECLARE_LOSS, "--a--"},
};

static void
every_cell_is_the_designs(void **state)
{
	size_t verbs = 0;

	(void)state;
	for (unsigned int verb = 0; verb < VERB_COUNT; verb++)
		verbs += verb_name((enum verb)verb) != NULL ? 1 : 0;
	assert_int_equal(AZ_ARRAY_SIZE(design), verbs);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(design); i++) {
		for (unsigned int role = ROLE_AGENT; role < ROLE_COUNT; role++) {
			char cell = design[i].cells[role - ROLE_AGENT];

			assert_int_equal(policy_decide((enum role)role, design[i].verb),
			    cell == 'y'       ? DECISION_ALLOW
				: cell == 'a' ? DECISION_ASK
					      : DECISION_DENY);
		}
	}
}

static void
i9_what_is_not_in_the_table_is_denied(void **state)
{
	(void)state;
	for (unsigned int verb = 0; verb < VERB_COUNT + 5; verb++) {
		assert_int_equal(policy_decide(ROLE_NONE, (enum verb)verb), DECISION_DENY);
		assert_int_equal(policy_decide(ROLE_COUNT, (enum verb)verb), DECISION_DENY);
		assert_int_equal(policy_decide((enum role)99, (enum verb)verb), DECISION_DENY);
	}
	for (unsigned int role = 0; role < ROLE_COUNT; role++) {
		assert_int_equal(policy_decide((enum role)role, VERB_NONE), DECISION_DENY);
		assert_int_equal(policy_decide((enum role)role, VERB_COUNT), DECISION_DENY);
		assert_int_equal(policy_decide((enum role)role, (enum verb)1000), DECISION_DENY);
	}
}

/* Every verb, every role, both kinds of house: what follows from the cell. */
static void
only_an_officer_of_an_unsealed_house_approves_by_asking(void **state)
{
	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(design); i++) {
		for (unsigned int role = ROLE_AGENT; role < ROLE_COUNT; role++) {
			char cell = design[i].cells[role - ROLE_AGENT];
			struct az_err err = {.status = AZ_OK};

			assert_int_equal(
			    policy_permit((enum role)role, design[i].verb, STAGE_SEALED, &err),
			    cell == 'y'       ? PERMIT_YES
				: cell == 'a' ? PERMIT_ASK
					      : PERMIT_NO);
			assert_int_equal(err.status, cell == '-' ? AZ_DENIED : AZ_OK);
			assert_int_equal(
			    policy_permit((enum role)role, design[i].verb, STAGE_UNSEALED, NULL),
			    cell == 'y'                               ? PERMIT_YES
				: cell == 'a' && role == ROLE_OFFICER ? PERMIT_AT_ONCE
				: cell == 'a'                         ? PERMIT_ASK
								      : PERMIT_NO);
		}
	}
	assert_int_equal(policy_permit(ROLE_NONE, VERB_STAFF, STAGE_UNSEALED, NULL), PERMIT_NO);
	assert_int_equal(policy_permit(ROLE_OFFICER, VERB_NONE, STAGE_UNSEALED, NULL), PERMIT_NO);
}

/* A house that is being set up: an officer looks, invites, adds devices; nobody does anything else. */
static void
i7_until_the_second_officer_has_enrolled_only_set_up_verbs_work(void **state)
{
	(void)state;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(design); i++) {
		for (unsigned int role = ROLE_AGENT; role < ROLE_COUNT; role++) {
			enum verb verb = design[i].verb;
			char cell = design[i].cells[role - ROLE_AGENT];
			enum permission expected = PERMIT_NO;

			if (role == ROLE_OFFICER && cell == 'y' && verb != VERB_APPROVE)
				expected = PERMIT_YES;
			if (role == ROLE_OFFICER && (verb == VERB_INVITE || verb == VERB_DEVICE))
				expected = PERMIT_AT_ONCE;
			assert_int_equal(
			    policy_permit((enum role)role, verb, STAGE_SET_UP, NULL), expected);
		}
	}
}

/* --- the page that people read ----------------------------------------------------------------- */

/* The next cell of a row of a table in Markdown, without blanks around it; NULL at the end. */
static char *
next_cell(char **rest)
{
	char *cell = *rest;
	char *end = cell == NULL ? NULL : strchr(cell, '|');

	if (end == NULL)
		return NULL;
	*rest = end + 1;
	*end = '\0';
	while (*cell == ' ')
		cell++;
	while (end > cell && end[-1] == ' ')
		*--end = '\0';
	return cell;
}

static enum verb
verb_named(const char *name)
{
	for (unsigned int verb = 0; verb < VERB_COUNT; verb++) {
		if (verb_name((enum verb)verb) != NULL &&
		    strcmp(verb_name((enum verb)verb), name) == 0)
			return (enum verb)verb;
	}
	return VERB_NONE;
}

static enum decision
decision_named(const char *cell)
{
	if (strcmp(cell, "yes") == 0)
		return DECISION_ALLOW;
	if (strcmp(cell, "ask") == 0)
		return DECISION_ASK;
	assert_string_equal(cell, "–");
	return DECISION_DENY;
}

/* One row: every cell is what the keeper decides. */
static void
check_row(char *line, bool seen[VERB_COUNT])
{
	char *rest = line + 1;
	const char *name = next_cell(&rest);
	enum verb verb = verb_named(name);

	if (verb == VERB_NONE)
		fail_msg("docs/roles.md: there is no verb %s", name);
	assert_false(seen[verb]);
	seen[verb] = true;
	for (unsigned int role = ROLE_AGENT; role < ROLE_COUNT; role++) {
		const char *cell = next_cell(&rest);

		assert_non_null(cell);
		if (decision_named(cell) != policy_decide((enum role)role, verb))
			fail_msg("docs/roles.md: %s for %s is not what the keeper decides", name,
			    role_name((enum role)role));
	}
}

static void
the_page_says_what_the_keeper_decides(void **state)
{
	const char *path = getenv("AZUKARI_ROLES");
	FILE *page = path != NULL ? fopen(path, "r") : NULL;
	bool seen[VERB_COUNT] = {false};
	bool in_table = false;
	char line[1024];

	(void)state;
	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL) {
		if (strncmp(line, "| Verb |", 8) == 0)
			in_table = true;
		else if (line[0] != '|')
			in_table = false;
		else if (in_table && line[1] == ' ')
			check_row(line, seen);
	}
	(void)fclose(page);
	for (unsigned int verb = 0; verb < VERB_COUNT; verb++) {
		if (verb_name((enum verb)verb) != NULL && !seen[verb])
			fail_msg("docs/roles.md: there is no row for the verb %s",
			    verb_name((enum verb)verb));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_is_the_designs),
	    cmocka_unit_test(i9_what_is_not_in_the_table_is_denied),
	    cmocka_unit_test(i7_until_the_second_officer_has_enrolled_only_set_up_verbs_work),
	    cmocka_unit_test(the_page_says_what_the_keeper_decides),
	    cmocka_unit_test(only_an_officer_of_an_unsealed_house_approves_by_asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
