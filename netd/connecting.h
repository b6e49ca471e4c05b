/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection that is being made, without waiting for it: to a guest, from the network namespace of the keeper. */
#ifndef TART_NETD_CONNECTING_H
#define TART_NETD_CONNECTING_H

#include "base/loop.h"
#include "net/ipv4.h"

#define CONNECTING_MS 10000 /* then it has failed: ETIMEDOUT */

struct connecting;

/* Called once, from the loop. fd is the callee's, non-blocking; or -1, and errnum says why. *connecting is freed already. */
typedef void connecting_done_fn(void *ctx, int fd, int errnum);

bool connecting_start(struct loop *loop, ipv4 address, uint16_t port, connecting_done_fn *fn,
		      void *ctx, struct connecting **ret, struct err *err);
void connecting_free(struct connecting *connecting); /* gives up, no call; accepts NULL */

#endif
