/* azukari purpose add, list, close */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/zones.h"

/* The next of "a,b,c"; NULL at the end. Cuts in place. */
static char *
next_part(char **rest)
{
	char *part = *rest;

	if (part == NULL)
		return NULL;
	*rest = strchr(part, ',');
	if (*rest != NULL)
		*(*rest)++ = '\0';
	return part;
}

/* "name", "phone:last4", "x:ward", "x:ward:first"; without a mask, MASK_HIDDEN stands for its class's. */
static bool
read_field(char *part, struct front_purpose_field *field)
{
	enum mask mask = MASK_HIDDEN;
	bool is_x = part[0] == 'x' && part[1] == ':';
	char *colon = strchr(is_x ? part + 2 : part, ':');
	unsigned int known;

	if (colon != NULL) {
		*colon = '\0';
		if (!mask_parse(colon + 1, &mask))
			return false;
	}
	field->mask = (uint8_t)mask;
	field->class = CLASS_OTHER;
	return copy_argument(field->name, sizeof(field->name), part) &&
	    (field_parse(field->name, &known) || field_is_x_name(field->name));
}

static bool
read_fields(char *text, struct front_purpose_add *purpose)
{
	char *part;

	while ((part = next_part(&text)) != NULL) {
		if (purpose->field_count == FIELD_COUNT ||
		    !read_field(part, &purpose->fields[purpose->field_count++]))
			return false;
	}
	return true;
}

/* The field of that name, added as one that is not shown if it is not there. */
static struct front_purpose_field *
field_named(struct front_purpose_add *purpose, const char *name)
{
	struct front_purpose_field *field;

	for (uint8_t i = 0; i < purpose->field_count; i++) {
		if (strcmp(purpose->fields[i].name, name) == 0)
			return &purpose->fields[i];
	}
	if (purpose->field_count == FIELD_COUNT)
		return NULL;
	field = &purpose->fields[purpose->field_count++];
	*field = (struct front_purpose_field){.mask = MASK_HIDDEN, .class = CLASS_OTHER};
	return copy_argument(field->name, sizeof(field->name), name) ? field : NULL;
}

/* "x:account=financial,…", after the fields and their masks. */
static bool
read_classes(char *text, struct front_purpose_add *purpose)
{
	char *part;

	while ((part = next_part(&text)) != NULL) {
		char *equals = strchr(part, '=');
		enum field_class class = CLASS_NONE;
		struct front_purpose_field *field;

		if (equals == NULL)
			return false;
		*equals = '\0';
		if (!field_is_x_name(part) || !class_parse(equals + 1, &class))
			return false;
		field = field_named(purpose, part);
		if (field == NULL)
			return false;
		field->class = (uint8_t) class;
	}
	return true;
}

/* The class of each built-in field, and the mask of each that is shown and has none given. */
static void
fill_in(struct front_purpose_add *purpose, uint8_t shown)
{
	for (uint8_t i = 0; i < purpose->field_count; i++) {
		struct front_purpose_field *field = &purpose->fields[i];
		unsigned int known;

		if (field_parse(field->name, &known))
			field->class = (uint8_t)field_class(known);
		if (i < shown && field->mask == MASK_HIDDEN)
			field->mask = (uint8_t)class_mask((enum field_class)field->class);
	}
}

/* "phone,email", after the fields and their masks. */
static bool
read_unmask(char *text, struct front_purpose_add *purpose)
{
	char *part;

	while ((part = next_part(&text)) != NULL) {
		bool found = false;

		for (uint8_t i = 0; i < purpose->field_count; i++) {
			if (strcmp(purpose->fields[i].name, part) != 0)
				continue;
			purpose->fields[i].unmask = 1;
			found = true;
		}
		if (!found)
			return false;
	}
	return true;
}

static bool
read_allowed(char *text, uint32_t *allows)
{
	enum field_class class;
	char *part;

	while ((part = next_part(&text)) != NULL) {
		if (!class_parse(part, &class) || (CLASSES_TO_ALLOW & 1u << class) == 0)
			return false;
		*allows |= UINT32_C(1) << class;
	}
	return true;
}

static bool
read_roles(char *text, uint32_t *roles)
{
	enum role role;
	char *part;

	while ((part = next_part(&text)) != NULL) {
		if (!role_parse(part, &role))
			return false;
		*roles |= UINT32_C(1) << role;
	}
	return true;
}

static int
add(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"fields", required_argument, NULL, 'f'},
	    {"roles", required_argument, NULL, 'r'}, {"until", required_argument, NULL, 'u'},
	    {"class", required_argument, NULL, 'c'}, {"allow", required_argument, NULL, 'a'},
	    {"unmask", required_argument, NULL, 'm'}, {"zones", required_argument, NULL, 'z'},
	    {"outside", required_argument, NULL, 'o'}, {0}};
	union front_request request = {0};
	struct front_purpose_add *purpose = &request.purpose_add;
	char *classes = NULL;
	char *unmask = NULL;
	uint8_t shown;
	bool allowed = true;
	bool bound = true;
	bool fields = false;
	bool roles = false;
	bool until = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			fields = read_fields(optarg, purpose);
		else if (option == 'r')
			roles = read_roles(optarg, &purpose->roles);
		else if (option == 'u')
			until = date_parse(optarg, &purpose->until);
		else if (option == 'c')
			classes = optarg;
		else if (option == 'z')
			bound = zones_read(optarg, &purpose->bounds) && bound;
		else if (option == 'o')
			bound = outside_read(optarg, &purpose->bounds) && bound;
		else if (option == 'm')
			unmask = optarg;
		else if (option == 'a')
			allowed = read_allowed(optarg, &purpose->allows);
		else
			return cli_usage("purpose", NULL);
	}
	if (optind + 1 != argc || !cut_purpose(argv[optind], purpose->client, purpose->label))
		return cli_usage("purpose", "one CLIENT/LABEL is needed");
	if (!fields)
		return cli_usage("purpose", "--fields needs fields, each with a mask or without");
	shown = purpose->field_count;
	if (classes != NULL && !read_classes(classes, purpose))
		return cli_usage("purpose", "--class needs x:FIELD=CLASS,…");
	if (unmask != NULL && !read_unmask(unmask, purpose))
		return cli_usage("purpose", "--unmask needs fields of --fields");
	if (!allowed)
		return cli_usage("purpose", "--allow needs card, my-number or both");
	if (!bound || (purpose->bounds.masked != 0 && purpose->bounds.count == 0))
		return cli_usage(
		    "purpose", "--zones needs zones; --outside is masked or nothing, with it");
	fill_in(purpose, shown);
	if (!roles)
		return cli_usage("purpose", "--roles needs roles");
	if (!until)
		return cli_usage("purpose", "--until needs a date: YYYY-MM-DD");
	return ask_and_print(cli, FRONT_PURPOSE_ADD, &request, -1, NULL);
}

int
cmd_purpose(const struct cli *cli, int argc, char **argv)
{
	union front_request request = {0};
	struct front_named *named = &request.named;

	if (argc >= 2 && strcmp(argv[1], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask_and_print(cli, FRONT_PURPOSE_LIST, &request, -1, "purposes");
	if (argc == 3 && strcmp(argv[1], "list") == 0 &&
	    copy_argument(named->client, sizeof(named->client), argv[2]) &&
	    label_is_valid(named->client))
		return ask_and_print(cli, FRONT_PURPOSE_LIST, &request, -1, "purposes");
	if (argc == 3 && strcmp(argv[1], "close") == 0 &&
	    cut_purpose(argv[2], named->client, named->label))
		return ask_and_print(cli, FRONT_PURPOSE_CLOSE, &request, -1, NULL);
	return cli_usage("purpose", "add, list or close");
}
