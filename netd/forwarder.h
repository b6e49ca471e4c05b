/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rootless forwarder: listens on loopback aliases of the host's network namespace (net/alias.h), and on exposed ports
 * of all its addresses, and joins who connects there with the guest, whose end the keeper opens in its own namespace
 * (NETD_CONNECT). It is told of VMs by NETD_R_FORWARDS and tells their aliases back. Needs no privilege.
 */
#ifndef TART_NETD_FORWARDER_H
#define TART_NETD_FORWARDER_H

#include "base/loop.h"

#define FORWARDER_CONNECTIONS_MAX 1024

struct forwarder;

/* What an administrator would want to read; once per occasion. */
typedef void forwarder_log_fn(void *ctx, const char *line);
typedef void forwarder_lost_fn(
	void *ctx); /* the keeper has closed the connection: there is nothing left to do */

struct forwarder_options {
	int dirfd; /* of netd.sock; stays the caller's, for the forwarder's life */
	uint32_t unprivileged_start; /* net.ipv4.ip_unprivileged_port_start */
	forwarder_log_fn *log;
	forwarder_lost_fn *lost;
	void *ctx;
};

/* Connects to the keeper and registers. */
bool forwarder_new(struct loop *loop, const struct forwarder_options *options,
		   struct forwarder **ret, struct err *err);
void forwarder_free(struct forwarder *forwarder); /* accepts NULL */

#endif
