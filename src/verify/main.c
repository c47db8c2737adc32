/*
 * azukari-verify: for the clients of a house, and whoever audits it for them. It needs no house and no key of one: what it
 * reads was exported or handed out, and verification keys that were learned before.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "verify/commands.h"

enum option_bit {
	OPTION_VKEY = 1,
	OPTION_HOUSE_VKEY = 2,
	OPTION_WITNESS = 4,
	OPTION_NEWEST = 8,
	OPTION_LOG = 16,
	OPTION_PROOF = 32,
	OPTION_LIST = 64,
	OPTION_STORY = 128,
	OPTION_INIT = 256,
	OPTION_LISTEN = 512,
	OPTION_OTHER = 1024,
	OPTION_OTHER_VKEY = 2048,
};

static const struct command {
	const char *name;
	int (*run)(const struct verify_options *options);
	int arguments;
	unsigned int allowed, needed;
	const char *usage;
} commands[] = {
    {"checkpoint", verify_checkpoint, 1, OPTION_VKEY | OPTION_WITNESS, OPTION_VKEY,
	"checkpoint FILE --vkey KEY [--witness KEY]\n"
	"      that the log's key signed it, and the witness, if one is given"},
    {"consistency", verify_consistency, 2, OPTION_VKEY | OPTION_LOG | OPTION_PROOF, OPTION_VKEY,
	"consistency OLD NEW --vkey KEY (--log DIR | --proof FILE)\n"
	"      that the log of checkpoint NEW begins with the whole log of checkpoint OLD"},
    {"inclusion", verify_inclusion, 1, OPTION_VKEY, OPTION_VKEY,
	"inclusion FILE --vkey KEY\n"
	"      that the entry in an offline proof is in the signed log; tells it"},
    {"receipt", verify_receipt, 1, OPTION_VKEY | OPTION_HOUSE_VKEY | OPTION_LIST, 0,
	"receipt FILE [--vkey KEY] [--house-vkey KEY] [--list FILE]\n"
	"      that a receipt is signed, is of the list, and stands in the client's log"},
    {"bundle", verify_bundle, 1, OPTION_HOUSE_VKEY, 0,
	"bundle DIR [--house-vkey KEY]\n"
	"      that a trace's lists and verdicts are those of the signed logs"},
    {"log", verify_log, 1,
	OPTION_VKEY | OPTION_NEWEST | OPTION_WITNESS | OPTION_STORY | OPTION_OTHER |
	    OPTION_OTHER_VKEY,
	0,
	"log DIR [--vkey KEY] [--newest CHECKPOINT] [--witness KEY] [--other DIR]\n"
	"      [--other-vkey KEY] [--story]\n"
	"      that every entry of an exported log is as it was signed"},
    {"witness", verify_witness, 1, OPTION_INIT | OPTION_LISTEN, 0,
	"witness DIR (--init NAME | --listen ADDRESS:PORT)\n"
	"      cosigns checkpoints of the logs whose keys are DIR/logs/*.vkey, over HTTP"},
};

static void
print_help(FILE *file)
{
	(void)fputs("usage: azukari-verify [--json] COMMAND …\n", file);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(commands); i++)
		(void)fprintf(file, "  %s\n", commands[i].usage);
	(void)fputs(
	    "  --vkey KEY         file with the log's verification key, known from elsewhere\n"
	    "  --house-vkey KEY   the same of the house's own log, which signs receipts\n"
	    "  --witness KEY      file with the key of a witness that must have cosigned\n"
	    "  --newest FILE      the newest checkpoint that you have of the log: as it is, or in "
	    "a\n"
	    "                     receipt or an offline proof\n"
	    "  --log DIR          an exported log, out of which the proof is made\n"
	    "  --proof FILE       the proof, a hash in base64 a line\n"
	    "  --list FILE        the list as you delivered it\n"
	    "  --other DIR        the exported log of the house itself, or of the client: the two "
	    "say "
	    "daily\n"
	    "                     how long the other is\n"
	    "  --other-vkey KEY   its verification key, known from elsewhere\n"
	    "  --story            each entry in words, and who saw how many\n"
	    "  --init NAME        makes the witness's key and prints what others know it by\n"
	    "  --listen A:P       answers there until it is told to stop; port 0: any\n"
	    "  --json             one JSON document on standard output\n"
	    "  --version, -h\n"
	    "\nexit: 0 as it was signed; 1 cannot be read; 2 usage; 4 evidence of tampering\n"
	    "example: azukari-verify log c01-log --vkey c01.vkey --newest march.checkpoint\n",
	    file);
}

static int
usage(const char *problem)
{
	(void)fprintf(stderr, "azukari-verify: %s\n", problem);
	print_help(stderr);
	return VERIFY_EXIT_USAGE;
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Notes one option; false if it is none. */
static bool
take_option(int option, struct verify_options *options, unsigned int *given)
{
	const struct {
		unsigned int bit;
		const char **place;
	} texts[] = {
	    {OPTION_VKEY, &options->vkey},
	    {OPTION_HOUSE_VKEY, &options->house_vkey},
	    {OPTION_WITNESS, &options->witness},
	    {OPTION_NEWEST, &options->newest},
	    {OPTION_LOG, &options->log},
	    {OPTION_PROOF, &options->proof},
	    {OPTION_LIST, &options->list},
	    {OPTION_INIT, &options->init},
	    {OPTION_LISTEN, &options->listen},
	    {OPTION_OTHER, &options->other},
	    {OPTION_OTHER_VKEY, &options->other_vkey},
	};

	if (option == 'j') {
		options->json = true;
		return true;
	}
	/* The bits stand behind all characters. */
	if (option < 256)
		return false;
	*given |= (unsigned int)option - 256u;
	if ((unsigned int)option - 256u == OPTION_STORY)
		options->story = true;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(texts); i++) {
		if (texts[i].bit == (unsigned int)option - 256u)
			*texts[i].place = optarg;
	}
	return true;
}

/* What could not be printed was not told. */
static int
finish(int code)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return code;
	(void)fputs("azukari-verify: standard output cannot be written\n", stderr);
	return code != 0 ? code : az_exit_code(AZ_IO);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {{"json", no_argument, NULL, 'j'},
	    {"vkey", required_argument, NULL, 256 + OPTION_VKEY},
	    {"house-vkey", required_argument, NULL, 256 + OPTION_HOUSE_VKEY},
	    {"witness", required_argument, NULL, 256 + OPTION_WITNESS},
	    {"newest", required_argument, NULL, 256 + OPTION_NEWEST},
	    {"log", required_argument, NULL, 256 + OPTION_LOG},
	    {"proof", required_argument, NULL, 256 + OPTION_PROOF},
	    {"list", required_argument, NULL, 256 + OPTION_LIST},
	    {"init", required_argument, NULL, 256 + OPTION_INIT},
	    {"listen", required_argument, NULL, 256 + OPTION_LISTEN},
	    {"other", required_argument, NULL, 256 + OPTION_OTHER},
	    {"other-vkey", required_argument, NULL, 256 + OPTION_OTHER_VKEY},
	    {"story", no_argument, NULL, 256 + OPTION_STORY}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {0}};
	struct verify_options options = {0};
	const struct command *command;
	unsigned int given = 0;
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (option == 'h') {
			print_help(stdout);
			return 0;
		}
		if (option == 'V') {
			(void)printf("azukari-verify %s\n", AZ_VERSION);
			return 0;
		}
		if (!take_option(option, &options, &given))
			return usage("that is no option");
	}
	if (optind >= argc)
		return usage("a command is needed");
	command = find(argv[optind]);
	if (command == NULL)
		return usage("there is no such command");
	if (argc - optind - 1 != command->arguments)
		return usage("too many files, or too few");
	if ((given & ~command->allowed) != 0)
		return usage("this command has no such option");
	if ((given & command->needed) != command->needed)
		return usage("--vkey is needed: the key of the log, known from elsewhere");
	if (options.other_vkey != NULL && options.other == NULL)
		return usage("--other-vkey is the key of --other");
	if (command->run == verify_witness && (options.init != NULL) == (options.listen != NULL))
		return usage("--init or --listen is needed");
	options.arguments = (const char *const *)argv + optind + 1;
	return finish(command->run(&options));
}
