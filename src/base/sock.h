/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets between processes of one host: pairs, listeners, who is at the other end, passing descriptors.
 * Every descriptor made here is close-on-exec; no call raises SIGPIPE. Uses libc alone.
 */
#ifndef TART_BASE_SOCK_H
#define TART_BASE_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"

#define SOCK_FDS_MAX 8 /* descriptors in one message */

/* A connected pair. `ours` does not block; `theirs` does, as a program expects that inherits it. */
bool sock_pair(int *ret_ours, int *ret_theirs, struct err *err);

/*
 * Listens on a Unix socket `name` below a directory, however long the directory's own path is: the 107 bytes of a
 * socket address go to /proc/self/fd/N/name. Mode 0600 from the start. A socket of that name from an earlier
 * run is replaced; anything else in its place is an error. The caller removes the name in the end.
 */
bool sock_listen_unix(int dirfd, const char *name, int *ret_fd, struct err *err);
bool sock_connect_unix(int dirfd, const char *name, int *ret_fd, struct err *err);

/* The same for a socket of packets (SOCK_SEQPACKET); `mode`, less the umask, says who may connect. */
bool sock_listen_packets(int dirfd, const char *name, mode_t mode, int *ret_fd, struct err *err);

/* Connects to one. Does not wait while too many others do: EAGAIN. */
bool sock_connect_packets(int dirfd, const char *name, int *ret_fd, struct err *err);

/* Listens on 127.0.0.1, on a port that the system chooses. */
bool sock_listen_local_tcp(int *ret_fd, uint16_t *ret_port, struct err *err);

enum sock_result { SOCK_DONE, SOCK_LATER, SOCK_CLOSED, SOCK_FAILED };

/* Takes one waiting connection, non-blocking. SOCK_LATER: none, or it went away again. SOCK_FAILED sets *err;
 * with err->sys EMFILE or ENFILE the connection stays waiting. */
enum sock_result sock_accept(int listen_fd, int *ret_fd, struct err *err);

/* Who is at the other end of a Unix socket. */
bool sock_peer_uid(int fd, uid_t *ret, struct err *err);

/*
 * One send of bytes, and of descriptors that travel with the first of them (n_fds may be 0). *ret_sent may be less
 * than bytes.len, never 0 on SOCK_DONE; the descriptors have gone then. SOCK_CLOSED: nobody listens any more.
 */
enum sock_result sock_send(int fd, struct span bytes, const int *fds, size_t n_fds,
			   size_t *ret_sent, struct err *err);

/*
 * One receive of at most `room` bytes. Descriptors that came with them go to ret_fds, *ret_n_fds in all; if more
 * than max_fds came, all are closed and it is SOCK_FAILED. With max_fds 0, none are let in.
 */
enum sock_result sock_recv(int fd, void *buf, size_t room, size_t *ret_len, int *ret_fds,
			   size_t max_fds, size_t *ret_n_fds, struct err *err);

#endif
