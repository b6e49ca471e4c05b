/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the keeper's two helpers, and starts them again when they have ended, so that the keeper itself needs neither fork
 * and exec nor the right to become somebody else. A process forked before the keeper gives up its privileges; it knows
 * three fixed requests and reads nothing that a guest or a caller has written. starter.c has the theory of operation.
 *
 *	the DHCP child	nobody, or the starter's user where it cannot be anybody else; no capability; system-call filter
 *	dnsmasq		DNS only; user tart-netd, else nobody, else as above; no capability but, where the kernel wants it,
 *			that of binding port 53
 */
#ifndef TART_NETD_STARTER_H
#define TART_NETD_STARTER_H

#include "base/loop.h"
#include "net/ipv4.h"

struct starter;

#define STARTER_UPSTREAM_MAX 3

struct starter_dns {
	ipv4 listen; /* the gateway, which is an address of this host already */
	/* Whom to ask, ended by 0 or the array's end; none: those of this host's /etc/resolv.conf, and what becomes of them. */
	ipv4 upstream[STARTER_UPSTREAM_MAX];
};

enum starter_dns_end {
	STARTER_DNS_MISSING,    /* dnsmasq is not installed */
	STARTER_DNS_PORT_TAKEN, /* another program has the address's port 53 */
	STARTER_DNS_DIED,
};

struct starter_events {
	/* `fd` is a connected SOCK_SEQPACKET to a fresh DHCP child, now the callee's. Also after one has died. */
	void (*dhcp_started)(void *ctx, int fd);
	void (*dns_started)(void *ctx); /* it listens */
	/* It is tried again after a pause, which grows to STARTER_PAUSE_MAX_MS: each time that also fails, this says so. */
	void (*dns_ended)(void *ctx, enum starter_dns_end end, const char *why);
	/* The starter itself is gone: nothing can be started any more. dnsmasq has gone with it; the DHCP child goes on. */
	void (*failed)(void *ctx, const char *why);
};

#define STARTER_PAUSE_MAX_MS 30000

/* Before any privilege is given up, and with few descriptors: the parent goes on with *ret. */
bool starter_fork(struct starter **ret, struct err *err);

/* `events` stays the caller's and must last. */
bool starter_watch(struct starter *starter, struct loop *loop, const struct starter_events *events,
		   void *ctx, struct err *err);

/*
 * A DHCP child; events.dhcp_started follows. When the keeper has lost the one that it was given last (dhcp_link's
 * `ended`), this asks for another; asking again meanwhile does nothing.
 */
bool starter_want_dhcp(struct starter *starter, struct err *err);

/* dnsmasq, until starter_stop_dns(). One that runs with other settings is ended first. */
bool starter_want_dns(struct starter *starter, const struct starter_dns *dns, struct err *err);
void starter_stop_dns(struct starter *starter);

/* Ends the starter, and it both helpers; waits for it, but not long. Accepts NULL. */
void starter_free(struct starter *starter);

#endif
