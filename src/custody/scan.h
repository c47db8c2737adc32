/*
 * Scanning files and disks within a case (custody/scan.c): the loop's hooks.
 */
#ifndef AZ_CUSTODY_SCAN_H
#define AZ_CUSTODY_SCAN_H

#include "custody/custody_internal.h"

void verb_scan(struct request *request, const union front_request *body);
void scan_round(struct custody *custody);
/* The front has gone, which read the files; NULL: whosoever it is. */
void scan_front_gone(struct scanning *scanning, const struct custody_front *front);

#endif
