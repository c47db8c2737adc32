/* Stream sockets in the file system: unix(7). */
#ifndef AZ_BASE_SOCKET_H
#define AZ_BASE_SOCKET_H

#include "base/status.h"

/*
 * Listens at dirfd/name, non-blocking, for everyone on the host: who may do what is shown over the
 * socket. The name appears once it can be connected to, in place of one that was left behind, so the
 * caller holds what keeps a second one away. AZ_IO; the caller closes *ret_fd.
 */
AZ_CHECKED enum az_status socket_listen(
    int dirfd, const char *name, int backlog, int *ret_fd, struct az_err *reterr);

/*
 * Connects to path, below dirfd unless it is AT_FDCWD, blocking. AZ_GONE if nobody listens, with the
 * system's reason behind absent; AZ_IO. The caller closes *ret_fd.
 */
AZ_CHECKED enum az_status socket_connect(
    int dirfd, const char *path, const char *absent, int *ret_fd, struct az_err *reterr);

#endif
