/* Whom a command looks for. */
#include "cli/look.h"

#include <stdlib.h>
#include <string.h>

/* FIELD, FIELD=VALUE, FIELD=@N */
static bool
read_by(char *argument, struct front_look *look, struct look_values *values)
{
	char *equals = strchr(argument, '=');
	unsigned int field;
	struct front_by *by;
	char *text;
	bool good;

	if (look->by_count == FRONT_BY_MAX)
		return false;
	if (equals != NULL)
		*equals = '\0';
	if (!field_parse(argument, &field))
		return false;
	text = values->text[look->by_count];
	by = &look->by[look->by_count++];
	by->field = (uint8_t)field;
	good = value_read(argument, equals != NULL ? equals + 1 : NULL, text, FRONT_VALUE_MAX + 1,
	    &values->in_argument);
	by->value = bytes_of(text);
	return good && bytes_are_utf8(by->value);
}

static const char *
read_reason(const char *argument, struct front_look *look)
{
	enum reason reason = REASON_NONE;

	if (!reason_parse(argument, &reason))
		return "--reason is not one of the codes";
	look->reason = (uint16_t)reason;
	return NULL;
}

static const char *
read_basis(const char *argument, struct front_look *look)
{
	enum basis basis = BASIS_NONE;

	if (!basis_parse(argument, &basis))
		return "--basis is not one of the codes";
	look->basis = (uint8_t)basis;
	return NULL;
}

bool
look_option(int option, char *argument, struct front_look *look, struct look_values *values,
    const char **ret_problem)
{
	const char *problem = NULL;

	switch (option) {
	case 'c':
		if (!copy_argument(look->client, LABEL_SIZE, argument))
			problem = "--client needs a label";
		break;
	case 'p':
		if (!copy_argument(look->purpose, LABEL_SIZE, argument))
			problem = "--purpose needs a label";
		break;
	case 'g':
		if (!copy_argument(look->campaign, LABEL_SIZE, argument) ||
		    !label_is_valid(look->campaign))
			problem = "--campaign needs a label";
		break;
	case 'b':
		if (!read_by(argument, look, values))
			problem = "--by needs FIELD=VALUE, FIELD or FIELD=@N";
		break;
	case 'r': problem = read_reason(argument, look); break;
	case 'B': problem = read_basis(argument, look); break;
	case 'C':
		if (!copy_argument(look->call, CALL_SIZE, argument) || !call_is_valid(look->call))
			problem = "--call is not a valid reference";
		break;
	default: return false;
	}
	if (problem != NULL)
		*ret_problem = problem;
	return true;
}

const char *
look_problem(struct front_look *look)
{
	if (!label_is_valid(look->client) || !label_is_valid(look->purpose))
		return "--client and --purpose are needed";
	if (look->by_count == 0 && look->record == 0)
		return "--by is needed: whom the call is about";
	if (look->by_count > 0 && look->record != 0)
		return "--by or --record, not both";
	if (look->record != 0 && look->basis == BASIS_NONE)
		look->basis = BASIS_HAND_OVER;
	if (look->record != 0 && look->basis != BASIS_HAND_OVER)
		return "--record is for whom somebody has handed over";
	if (look->reason == REASON_NONE)
		return "--reason is needed";
	if (look->basis == BASIS_NONE)
		look->basis =
		    (uint8_t)(look->call[0] != '\0' ? BASIS_INBOUND_MATCH : BASIS_MANUAL_SEARCH);
	return NULL;
}
