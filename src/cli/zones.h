/*
 * The options that bind something to zones.
 */
#ifndef AZ_CLI_ZONES_H
#define AZ_CLI_ZONES_H

#include "cli/ask.h"

/* "floor,annex"; cuts text in place. */
bool zones_read(char *text, struct front_bounds *bounds) AZ_CHECKED;
/* "masked", "nothing" */
bool outside_read(const char *text, struct front_bounds *bounds) AZ_CHECKED;

#endif
