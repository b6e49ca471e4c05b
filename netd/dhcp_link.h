/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's side of the DHCP child: opens a filtered packet socket on a link and hands it over with what is to be
 * answered there; hears what came of it. Only the child reads what guests have written (net/dhcp.h). What the child says is
 * checked: a fixed-size message about a link that it was given.
 */
#ifndef TART_NETD_DHCP_LINK_H
#define TART_NETD_DHCP_LINK_H

#include "base/loop.h"
#include "net/dhcp.h"
#include "netd/nic.h"

struct dhcp_link;

struct dhcp_link_events {
	void (*bound)(void *ctx, const char *tap, int64_t now_s, uint32_t lease_s);
	void (*released)(void *ctx, const char *tap);
	void (*declined)(void *ctx, const char *tap);
	void (*seen)(void *ctx, const char *tap,
		     const struct dhcp_sighting *sighting); /* bridged */
	void (*ended)(void *ctx); /* the child has died: ask the starter for another */
};

bool dhcp_link_new(struct loop *loop, const struct dhcp_link_events *events, void *ctx,
		   struct dhcp_link **ret, struct err *err);
void dhcp_link_free(struct dhcp_link *link);

/* Another child, after starter_events.dhcp_started: all links are handed over again. Adopts fd. */
bool dhcp_link_connect(struct dhcp_link *link, int fd, struct err *err);

/* Answer there from now on; replaces what was said of this tap before. Without a child, when there is one. */
bool dhcp_link_serve(struct dhcp_link *link, const char *tap, int ifindex,
		     const struct dhcp_offer *offer, struct err *err);
/* Only listen, for the address of `mac`. */
bool dhcp_link_snoop(struct dhcp_link *link, const char *tap, int ifindex, const struct mac *mac,
		     struct err *err);
void dhcp_link_forget(struct dhcp_link *link, const char *tap);

/* The child's whole life, after the fork, with its end of the socket pair; never returns. */
_Noreturn void dhcp_child_main(int fd);

#endif
