/*
 * azukari-guard: refuses what could carry data away. Runs as root for as long as the machine; says on standard output what
 * it decided, one line each. The ports stay closed when it ends, however it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "config.h"
#include "guard/guard.h"

#define EXIT_USAGE 2

static void
print_time(void)
{
	char text[40];

	clock_format_utc(clock_now_us(), text, sizeof(text));
	(void)printf("%s ", text);
}

static void
on_decided(void *arg, const struct usb_interface *interface, enum guard_verdict verdict)
{
	char name[16];

	print_time();
	(void)printf("%s usb %s %s vendor=%s product=%s serial=\"%s\" label=\"%s\"\n",
	    verdict == GUARD_ALLOW ? "allowed" : "refused", interface->name,
	    usb_class_name(interface->interface_class, name), interface->vendor, interface->product,
	    interface->serial, interface->label);
	(void)fflush(stdout);
}

static void
on_disk(void *arg, const char *path)
{
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

static int
run(void)
{
	struct guard_report report = {.decided = on_decided, .disk = on_disk};
	struct az_err err = {0};
	int root = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int stop = stop_signals();
	enum az_status status;

	if (root < 0 || stop < 0)
		status = az_fail_errno(&err, AZ_IO, errno, "start");
	else
		status = guard_run(root, stop, &report, &err);
	fd_close(&root);
	fd_close(&stop);
	return status == AZ_OK ? 0 : fail(&err);
}

int
main(int argc, char **argv)
{
	static const char usage[] =
	    "usage: azukari-guard\n"
	    "  Refuses every USB interface but audio, input, hubs and smart cards, and says so,\n"
	    "  until SIGTERM. The ports stay closed afterwards. Needs root.\n"
	    "example: azukari-guard\n";

	if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("azukari-guard %s\n", AZ_VERSION);
		return 0;
	}
	if (argc != 1) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	proc_name("azukari-guard");
	return run();
}
