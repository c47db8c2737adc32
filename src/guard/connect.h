/*
 * A guard's end of the way to the house: key, connection, sign-in.
 */
#ifndef AZ_GUARD_CONNECT_H
#define AZ_GUARD_CONNECT_H

#include "channel/channel.h"
#include "guard/guard.h"

/* The key file of the guard, in its folder. AZ_NOT_FOUND, AZ_INVALID. */
#define GUARD_KEY_FILE "guard.key"
AZ_CHECKED enum az_status connect_key(int dirfd, struct key_file *ret_file, struct az_err *reterr);

/*
 * Connects to the socket at path, where a house that does not answer for wait_ms has gone, and fills in a sign-in of the guard, which the caller asks for: FRONT_GUARD_SIGN_IN, or
 * FRONT_PUT_SIGN_IN. AZ_GONE: the house cannot be reached. AZ_INVALID: the path is too long. Else as channel_open.
 */
AZ_CHECKED enum az_status connect_open(int dirfd, const struct key_file *key, const char *path,
    int wait_ms, struct front_channel **ret_channel, union front_request *ret_request,
    struct az_err *reterr);
/* Shows the house what was seen of its ledger before, which it must be able to follow. As channel_present. */
AZ_CHECKED enum az_status connect_present(
    int dirfd, const struct key_file *key, struct front_channel *channel, struct az_err *reterr);

/* The number "last" and the bytes "grants" of an answer. AZ_FORGED: it has no "last". */
AZ_CHECKED enum az_status connect_answer(const struct front_answer *answer, uint64_t *ret_last,
    struct bytes *ret_grants, struct az_err *reterr);
/* AZ_FORGED: these are no grants. */
AZ_CHECKED enum az_status connect_grants(
    struct bytes bytes, struct guard_grants *ret_grants, struct az_err *reterr);

#endif
