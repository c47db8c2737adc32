/* The options that name one person, for commands that show nothing of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/values.h"

bool
record_parse(const char *text, uint32_t *ret_record)
{
	char *rest = NULL;
	unsigned long long record = strtoull(text, &rest, 10);

	if (rest == text || *rest != '\0' || text[0] == '-' || record == 0 || record > UINT32_MAX)
		return false;
	*ret_record = (uint32_t)record;
	return true;
}

/* number, number=VALUE, number=@N */
static bool
read_number(const char *text, struct front_person *person, struct person_values *values)
{
	if (strncmp(text, "number", 6) != 0 || (text[6] != '\0' && text[6] != '=') ||
	    !value_read("number", text[6] == '=' ? text + 7 : NULL, values->number,
		sizeof(values->number), &values->in_argument))
		return false;
	person->number = bytes_of(values->number);
	return bytes_are_utf8(person->number);
}

bool
person_option(int option, const char *argument, struct front_person *person,
    struct person_values *values, bool *ret_good)
{
	enum reason reason = REASON_NONE;

	switch (option) {
	case 'c': *ret_good &= copy_argument(person->client, LABEL_SIZE, argument); return true;
	case 'p': *ret_good &= copy_argument(person->purpose, LABEL_SIZE, argument); return true;
	case 'r':
		*ret_good &= reason_parse(argument, &reason);
		person->reason = (uint16_t)reason;
		return true;
	case 'R': *ret_good &= record_parse(argument, &person->record); return true;
	case 'b': *ret_good &= read_number(argument, person, values); return true;
	default: return false;
	}
}

const char *
person_problem(const struct front_person *person)
{
	if (!label_is_valid(person->client) || !label_is_valid(person->purpose))
		return "--client and --purpose are needed";
	if ((person->record == 0) != (person->number.size > 0))
		return "one of --by number=VALUE and --record N is needed";
	if (person->reason == REASON_NONE)
		return "--reason is needed, one of the codes";
	return NULL;
}
