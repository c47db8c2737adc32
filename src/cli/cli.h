/*
 * The command line: a table of commands, each of which parses its arguments, asks the keeper one thing,
 * and prints the answer. To add one: write its man page, a file with its function, and a line in the table
 * of main.c.
 *
 * Exit codes are the command contract's: 0 done; 1 failed, nothing changed; 2 usage; 3 denied; 4 evidence of
 * tampering; 5 limit, busy, several matches, or no keeper.
 */
#ifndef AZ_CLI_H
#define AZ_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/proto.h"

#define CLI_EXIT_USAGE 2

/* What `azukari ask` says of the command that it asks. */
struct cli_asking {
	uint32_t seconds; /* until it expires; 0: as long as the house lets it be */
	char note[NAME_SIZE];
};

struct cli {
	const char *house; /* --house or AZUKARI_HOUSE; NULL if neither */
	const char *key;   /* --key or AZUKARI_KEY; NULL if neither */
	bool json;
	bool despite_loss;               /* --despite-loss: do not present what was seen */
	const struct cli_asking *asking; /* NULL: what is asked is done, as far as it may be */
};

/* argv[0] is the command's own name; returns the exit code. */
struct command {
	const char *name; /* "purpose"; its subcommands ("add") are its own affair */
	int (*run)(const struct cli *cli, int argc, char **argv);
	const char *summary; /* one line */
	const char *usage;   /* the usage line, options and one example, as -h prints them */
};

int cmd_init(const struct cli *cli, int argc, char **argv);
int cmd_serve(const struct cli *cli, int argc, char **argv);
int cmd_status(const struct cli *cli, int argc, char **argv);
int cmd_client(const struct cli *cli, int argc, char **argv);
int cmd_policy(const struct cli *cli, int argc, char **argv);
int cmd_purpose(const struct cli *cli, int argc, char **argv);
int cmd_staff(const struct cli *cli, int argc, char **argv);
int cmd_device(const struct cli *cli, int argc, char **argv);
int cmd_inspect(const struct cli *cli, int argc, char **argv);
int cmd_entrust(const struct cli *cli, int argc, char **argv);
int cmd_disclose(const struct cli *cli, int argc, char **argv);
int cmd_statement(const struct cli *cli, int argc, char **argv);
int cmd_hand_over(const struct cli *cli, int argc, char **argv);
int cmd_zone(const struct cli *cli, int argc, char **argv);
int cmd_witness(const struct cli *cli, int argc, char **argv);
int cmd_key(const struct cli *cli, int argc, char **argv);
int cmd_check(const struct cli *cli, int argc, char **argv);
int cmd_grant(const struct cli *cli, int argc, char **argv);
int cmd_campaign(const struct cli *cli, int argc, char **argv);
int cmd_attempt(const struct cli *cli, int argc, char **argv);
int cmd_receipt(const struct cli *cli, int argc, char **argv);
int cmd_correct(const struct cli *cli, int argc, char **argv);
int cmd_stop(const struct cli *cli, int argc, char **argv);
int cmd_restrict(const struct cli *cli, int argc, char **argv);
int cmd_ledger(const struct cli *cli, int argc, char **argv);
int cmd_scan(const struct cli *cli, int argc, char **argv);
int cmd_case(const struct cli *cli, int argc, char **argv);
int cmd_history(const struct cli *cli, int argc, char **argv);
int cmd_trace(const struct cli *cli, int argc, char **argv);
int cmd_ask(const struct cli *cli, int argc, char **argv);
int cmd_approve(const struct cli *cli, int argc, char **argv);
int cmd_refuse(const struct cli *cli, int argc, char **argv);
int cmd_approvals(const struct cli *cli, int argc, char **argv);
int cmd_unlock(const struct cli *cli, int argc, char **argv);
int cmd_invite(const struct cli *cli, int argc, char **argv);
int cmd_backup(const struct cli *cli, int argc, char **argv);
/* Of cmd_key: argv[0] is "backup". */
int cmd_key_backup(const struct cli *cli, int argc, char **argv);
int cmd_restore(const struct cli *cli, int argc, char **argv);
int cmd_demo(const struct cli *cli, int argc, char **argv);

/* Runs the command argv[0]; returns its exit code. */
int cli_run(const struct cli *cli, int argc, char **argv);
/* Prints "azukari: " and the error on stderr and returns its exit code. */
int cli_fail(const struct az_err *err);
/* Prints the command's usage on stderr and returns CLI_EXIT_USAGE. */
int cli_usage(const char *command, const char *problem);

/*
 * Makes sure that something serves the unsealed house: starts `serve --transient`, which ends a second after
 * its last front has gone, and waits until it listens. Does nothing if it is served already.
 * AZ_BUSY: the house is sealed and nobody serves it, or the start took too long; else why the start
 * failed.
 */
AZ_CHECKED enum az_status serve_ensure(const char *house, struct az_err *reterr);

#endif
