/*
 * What the commands of an investigation share.
 */
#ifndef AZ_CLI_INVESTIGATE_H
#define AZ_CLI_INVESTIGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A number from 1 to most, in digits. */
bool read_count(
    const char *text, unsigned long long most, unsigned long long *ret_count) AZ_CHECKED;
/* The number of a case. */
bool read_case(const char *text, uint32_t *ret_case) AZ_CHECKED;

#endif
