/*
 * Receipts of consignments: signed JSON, kept and printed as the bytes that they are.
 */
#ifndef AZ_CLI_RECEIPT_H
#define AZ_CLI_RECEIPT_H

#include "cli/ask.h"

/* The document, to be freed; NULL after a message, with the exit code. */
char *receipt_ask(const struct cli *cli, uint64_t consignment, int *ret_code);
/* Writes it to a file; 0 or an exit code after a message. */
int receipt_write(const struct cli *cli, const char *path, const char *document);

#endif
