/*
 * azukari-guard: refuses what could carry data away, and tells the house. Runs as root for as long as the machine; says on
 * standard output what it decided, one line each. The ports stay closed when it ends, however it ends.
 *
 *	azukari-guard            the guard
 *	azukari-guard key        makes its key
 *	azukari-guard deliver    what is in the queue, once, where no guard is at work
 *	azukari-guard forward    what the logs of other machines say of devices (forward.h)
 *	azukari-guard put        a file onto a granted memory, after the house's yes (put.h)
 *	azukari-guard tell       the guard's other half (teller.h), which it starts itself
 *	azukari-guard lines      who reads those logs (lines.h), which forward starts itself
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "config.h"
#include "guard/forward.h"
#include "guard/guard.h"
#include "guard/hold.h"
#include "guard/keys.h"
#include "guard/lines.h"
#include "guard/put.h"
#include "guard/teller.h"
#include "guard/witness.h"

#define EXIT_USAGE 2
#define STATE      "/var/lib/azukari-guard"
/* Of the other half, as witness.c gives them. */
#define TELL_FD_FOLDER PROC_FD_FIRST
#define TELL_FD_GUARD  (PROC_FD_FIRST + 1)
/* Of the reader of logs, as forward.c gives them. */
#define LINES_FD       PROC_FD_FIRST
#define LINES_FD_INPUT (PROC_FD_FIRST + 1)

struct options {
	const char *state, *connect, *house;
	const char *file; /* of forward and put */
	const char *name; /* of put */
};

static void
print_time(void)
{
	char text[40];

	clock_format_utc(clock_now_us(), text, sizeof(text));
	(void)printf("%s ", text);
}

static void
on_decided(
    void *arg, const struct usb_interface *interface, enum guard_verdict verdict, uint32_t grant)
{
	char name[16];

	/* Evidence first: who reads the line finds the event kept. */
	if (arg != NULL)
		witness_interface(arg, interface, verdict, grant);
	print_time();
	(void)printf("%s usb %s %s vendor=%s product=%s serial=\"%s\" label=\"%s\"\n",
	    verdict == GUARD_ALLOW        ? "allowed"
		: verdict != GUARD_REFUSE ? "granted"
					  : "refused",
	    interface->name, usb_class_name(interface->interface_class, name), interface->vendor,
	    interface->product, interface->serial, interface->label);
	(void)fflush(stdout);
}

static void
on_disk(void *arg, const char *path)
{
	if (arg != NULL)
		witness_disk(arg, path);
	print_time();
	(void)printf("disk %s\n", path);
	(void)fflush(stdout);
}

/* SIGTERM and SIGINT, as a descriptor. */
static int
stop_signals(void)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int
fail(const struct az_err *err)
{
	(void)fprintf(stderr, "azukari-guard: %s\n", err->text);
	return az_exit_code(err->status);
}

static enum az_status
open_state(const char *path, bool create, int *ret_fd, struct az_err *reterr)
{
	return dir_open(AT_FDCWD, path, create, 0700, ret_fd, reterr);
}

static enum az_status
on_teller(void *arg, struct az_err *reterr)
{
	return witness_hear(arg, reterr);
}

/* Opens what the reports go to, if there is a house to tell. */
static enum az_status
open_witness(const struct options *options, struct guard_report *report,
    struct witness **ret_witness, struct az_err *reterr)
{
	enum az_status status = AZ_OK;

	if (options->connect == NULL)
		return AZ_OK;
	report->readable_fd = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = open_state(options->state, true, &report->writable_fd, reterr);
	if (status == AZ_OK)
		status = witness_open(report->writable_fd,
		    &(struct witness_config){
			.run_fd = report->readable_fd, .socket_path = options->connect},
		    ret_witness, reterr);
	if (status == AZ_OK) {
		report->arg = *ret_witness;
		report->fd = witness_fd(*ret_witness);
		report->readable = on_teller;
		report->grants = witness_grants(*ret_witness);
		report->dev_fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		status = hold_open(report->writable_fd, report->dev_fd, &report->hold, reterr);
	}
	return status;
}

static int
run(const struct options *options)
{
	struct guard_report report = {.decided = on_decided,
	    .disk = on_disk,
	    .fd = -1,
	    .writable_fd = -1,
	    .readable_fd = -1,
	    .dev_fd = -1};
	struct witness *witness = NULL;
	struct az_err err = {0};
	int root = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int stop = stop_signals();
	enum az_status status = AZ_OK;

	if (root < 0 || stop < 0)
		status = az_fail_errno(&err, AZ_IO, errno, "start");
	/* The ports first: what keeps the house from being told must not leave them open. */
	if (status == AZ_OK)
		status = sysfs_close_ports(root, &err);
	if (status == AZ_OK)
		status = open_witness(options, &report, &witness, &err);
	if (status == AZ_OK)
		status = guard_run(root, stop, &report, &err);
	witness_close(&witness);
	hold_close(&report.hold);
	fd_close(&report.writable_fd);
	fd_close(&report.readable_fd);
	fd_close(&report.dev_fd);
	fd_close(&root);
	fd_close(&stop);
	return status == AZ_OK ? 0 : fail(&err);
}

/* --- its key and its queue -------------------------------------------------------------------- */

static int
make_key(const struct options *options)
{
	uint8_t public[SIGN_PUBLIC_SIZE];
	char text[2 * SIGN_PUBLIC_SIZE + 1];
	struct az_err err = {0};
	int dirfd = -1;
	enum az_status status = open_state(options->state, true, &dirfd, &err);

	if (status == AZ_OK)
		status = keys_make(dirfd, options->house, public, &err);
	fd_close(&dirfd);
	if (status != AZ_OK)
		return fail(&err);
	hex_encode(bytes_make(public, sizeof(public)), text);
	(void)puts(text);
	return 0;
}

static int
deliver(const struct options *options)
{
	struct az_err err = {0};
	int dirfd = -1;
	int lock = -1;
	enum az_status status = open_state(options->state, false, &dirfd, &err);

	if (status == AZ_OK)
		status = witness_lock(dirfd, &lock, &err);
	if (status == AZ_OK)
		status = teller_run(dirfd, -1, options->connect, &err);
	fd_close(&lock);
	fd_close(&dirfd);
	return status == AZ_OK ? 0 : fail(&err);
}

static int
tell(const char *socket_path)
{
	struct az_err err = {0};
	enum az_status status;

	proc_name("azukari-teller");
	status = teller_run(TELL_FD_FOLDER, TELL_FD_GUARD, socket_path, &err);
	/* The guard has ended, and this half with it. */
	return status == AZ_OK || status == AZ_GONE ? 0 : fail(&err);
}

/* --- others' logs ----------------------------------------------------------------------------- */

/* Standard input for "-". */
static enum az_status
open_input(const char *path, int *ret_fd, struct az_err *reterr)
{
	*ret_fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? az_fail_errno(reterr, AZ_IO, errno, "%s", path) : AZ_OK;
}

static int
forward(const struct options *options)
{
	struct forward_config config = {
	    .dirfd = -1, .input_fd = -1, .socket_path = options->connect};
	struct forward_result result = {0};
	struct az_err err = {0};
	enum az_status status = open_input(options->file, &config.input_fd, &err);

	if (status == AZ_OK)
		status = open_state(options->state, false, &config.dirfd, &err);
	if (status == AZ_OK)
		status = forward_run(&config, &result, &err);
	fd_close(&config.input_fd);
	fd_close(&config.dirfd);
	(void)printf("lines=%llu kept=%llu known=%llu other=%llu refused=%llu waiting=%llu\n",
	    (unsigned long long)result.lines, (unsigned long long)result.kept,
	    (unsigned long long)result.known, (unsigned long long)result.others,
	    (unsigned long long)result.refused, (unsigned long long)result.waiting);
	if (status != AZ_OK)
		return fail(&err);
	/* Where not one line could be read, this is no such log. */
	return result.refused > 0 && result.refused == result.lines ? 1 : 0;
}

/* --- a granted memory ------------------------------------------------------------------------- */

static int
put(const struct options *options)
{
	struct put_config config = {.state = options->state,
	    .socket_path = options->connect,
	    .file = options->file,
	    .name = options->name};
	struct put_result result = {0};
	struct az_err err = {0};

	if (put_run(&config, &result, &err) != AZ_OK)
		return fail(&err);
	(void)printf("written name=\"%s\" size=%llu sha256=%s disk=%s\n", result.name,
	    (unsigned long long)result.size, result.sha256, result.disk);
	return 0;
}

/* --- arguments -------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: azukari-guard [--state DIR] [--connect SOCKET]\n"
    "       azukari-guard key [--state DIR] --house DIR\n"
    "       azukari-guard deliver [--state DIR] --connect SOCKET\n"
    "       azukari-guard forward [--state DIR] [--connect SOCKET] FILE\n"
    "       azukari-guard put [--state DIR] --connect SOCKET [--as NAME] FILE\n"
    "  Refuses every USB interface but audio, input, hubs and smart cards, and says so, until\n"
    "  SIGTERM. The ports stay closed afterwards. Needs root.\n"
    "  --connect SOCKET  tell the house that listens there\n"
    "  --state DIR       the guard's key and queue; " STATE " without it\n"
    "  key               makes the key, and prints its public half for azukari device guard\n"
    "  --house DIR       the house, or its public file: whom the key is for\n"
    "  deliver           what waits in the queue, once, where no guard is at work\n"
    "  forward           what the logs of other machines say of devices: Windows events or\n"
    "                    osquery results, a line of JSON each, in FILE or (-) on standard input\n"
    "  put               FILE onto the granted memory, if the house finds none of its data in it\n"
    "  --as NAME         what it is called there; FILE's own name without it\n"
    "example: azukari-guard --connect /srv/house/run/keeper.sock\n";

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"state", required_argument, NULL, 's'},
	    {"connect", required_argument, NULL, 'c'}, {"house", required_argument, NULL, 'h'},
	    {"as", required_argument, NULL, 'a'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 's': options->state = optarg; break;
		case 'c': options->connect = optarg; break;
		case 'h': options->house = optarg; break;
		case 'a': options->name = optarg; break;
		default: return false;
		}
	}
	if (options->file != NULL && optind < argc)
		options->file = argv[optind++];
	return optind == argc;
}

static int
wrong_usage(void)
{
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct options options = {.state = STATE};
	const char *command = argc >= 2 && argv[1][0] != '-' ? argv[1] : "";

	if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("azukari-guard %s\n", AZ_VERSION);
		return 0;
	}
	if (argc == 3 && strcmp(command, "tell") == 0)
		return tell(argv[2]);
	if (argc == 2 && strcmp(command, "lines") == 0) {
		proc_name("azukari-lines");
		return lines_run(LINES_FD, LINES_FD_INPUT);
	}
	if (strcmp(command, "forward") == 0 || strcmp(command, "put") == 0)
		options.file = "";
	if (command[0] != '\0') {
		argc--;
		argv++;
	}
	if (!read_options(argc, argv, &options))
		return wrong_usage();
	(void)signal(SIGPIPE, SIG_IGN);
	secret_raise_lock_limit();
	proc_name("azukari-guard");
	if (strcmp(command, "key") == 0)
		return options.house != NULL && options.connect == NULL ? make_key(&options)
									: wrong_usage();
	if (options.house != NULL || (options.name != NULL && strcmp(command, "put") != 0))
		return wrong_usage();
	if (strcmp(command, "put") == 0)
		return options.file[0] != '\0' && options.connect != NULL ? put(&options)
									  : wrong_usage();
	if (strcmp(command, "forward") == 0)
		return options.file[0] != '\0' ? forward(&options) : wrong_usage();
	if (strcmp(command, "deliver") == 0)
		return options.connect != NULL ? deliver(&options) : wrong_usage();
	return command[0] == '\0' ? run(&options) : wrong_usage();
}
