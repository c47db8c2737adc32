/*
 * Showing an exported log to a witness.
 */
#ifndef AZ_CLI_COSIGN_H
#define AZ_CLI_COSIGN_H

#include "cli/cli.h"

int ledger_cosign(const struct cli *cli, int argc, char **argv);

#endif
