/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries bytes both ways between a pair of descriptors (standard input and output, say) and a connected stream socket.
 *
 *	in  ─► socket	when `in` ends, the socket's sending half is shut down
 *	out ◄─ socket	when the socket ends, `out` is: a socket is shut down, and the descriptor becomes /dev/null
 *
 * Each way goes on when the other has ended. The flags of `in` and `out` are left alone, for they may be shared with other
 * programs; nothing blocks nevertheless, as long as nobody else writes to the same pipe. One buffer for each way: who reads
 * slowly slows the other side down. Where nothing can be done, nothing is asked for, so that poll(2) sleeps.
 */
#ifndef TART_BASE_RELAY_H
#define TART_BASE_RELAY_H

#include <poll.h>
#include <stdbool.h>

#include "base/err.h"

#define RELAY_FDS 3

struct relay;

/* The descriptors are borrowed, and must stay open until relay_free(). */
struct relay *relay_new(int in_fd, int out_fd, int socket_fd);
void relay_free(struct relay *relay); /* accepts NULL */

/* Carries everything, until both ways have ended. ERR_GENERAL when something could not be carried; ERR_CANCELLED. */
bool relay_run(struct relay *relay, struct err *err);

/* The parts of it: what to wait for, and what to do when some of that has come. */
bool relay_is_over(const struct relay *relay);
void relay_wants(const struct relay *relay, struct pollfd ret[RELAY_FDS]);
bool relay_turn(struct relay *relay, const struct pollfd fds[RELAY_FDS], struct err *err);

#endif
