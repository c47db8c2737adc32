/* azukari-guard key: the guard's own key, made where it stays. */
#ifndef AZ_GUARD_KEYS_H
#define AZ_GUARD_KEYS_H

#include "base/status.h"
#include "crypto/sign.h"

/*
 * Makes the key of the guard in its folder, for the house whose public file (or folder) is at path. AZ_CONFLICT: there is one.
 */
AZ_CHECKED enum az_status keys_make(
    int dirfd, const char *house_path, uint8_t ret_public[SIGN_PUBLIC_SIZE], struct az_err *reterr);

#endif
