/*
 * The result of a trace with the evidence behind it, in a folder that can be handed on.
 *
 *	result.json             the answer, as --json prints it
 *	house.vkey              verification key of the house's log; client-LABEL.vkey of a client's
 *	house-INDEX.proof       offline proof (c2sp.org/tlog-proof@v1) of an entry of that log
 *
 * azukari-verify bundle checks it, without the house.
 */
#ifndef AZ_CLI_TRACE_BUNDLE_H
#define AZ_CLI_TRACE_BUNDLE_H

#include <jansson.h>

#include "cli/front.h"

/*
 * Makes the folder and fills it. tree has "entries", each with "entry", "index" and, if it is of a client's log, "client".
 * AZ_CONFLICT: the folder is there. AZ_IO; what front_ask says.
 */
AZ_CHECKED enum az_status trace_bundle_write(
    struct front *front, const char *path, const json_t *tree, struct az_err *reterr);

#endif
