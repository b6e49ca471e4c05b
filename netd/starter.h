/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the keeper's two helpers again whenever that is needed, so that the keeper itself needs neither fork and exec nor
 * the right to become somebody else. A child forked before the keeper gives up its privileges; knows two fixed requests and
 * reads nothing that a guest or a caller has written.
 *
 *	the DHCP child	(dhcp_child.h) nobody, or the keeper's user; no capability; system-call filter
 *	dnsmasq		DNS only; no capability but, where the kernel wants it, that of binding port 53
 */
#ifndef TART_NETD_STARTER_H
#define TART_NETD_STARTER_H

#include "base/loop.h"
#include "netd/nic.h"

struct starter;

struct starter_dns {
	ipv4 listen; /* the gateway */
	char runtime_dir[256];
};

struct starter_events {
	/* `fd` is a connected SOCK_SEQPACKET to a fresh DHCP child, now the callee's. Also after one has died. */
	void (*dhcp_started)(void *ctx, int fd);
	void (*dns_started)(void *ctx);
	void (*dns_ended)(void *ctx,
			  const char *why); /* it is started again after a growing pause */
	void (*failed)(
		void *ctx,
		const char *why); /* the starter itself is gone: nothing can be started any more */
};

/* Before any privilege is given up; the parent goes on with *ret. */
bool starter_fork(struct starter **ret, struct err *err);
bool starter_watch(struct starter *starter, struct loop *loop, const struct starter_events *events,
		   void *ctx, struct err *err);
bool starter_want_dhcp(struct starter *starter, struct err *err);
bool starter_want_dns(struct starter *starter, const struct starter_dns *dns, struct err *err);
void starter_stop_dns(struct starter *starter);
void starter_free(struct starter *starter); /* ends both helpers; accepts NULL */

#endif
