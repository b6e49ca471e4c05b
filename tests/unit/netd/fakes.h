/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel and the helpers of the keeper, as its tests see them: links.h, rules.h, dhcp_link.h and starter.h without
 * either. Every call is written down in order, as "verb vm"; any can be told to fail.
 */
#ifndef TART_TESTS_NETD_FAKES_H
#define TART_TESTS_NETD_FAKES_H

#include "netd/dhcp_link.h"
#include "netd/links.h"
#include "netd/rules.h"
#include "netd/starter.h"

struct fakes {
	struct str calls;
	const char *fail;       /* the verb that fails */
	found_links links;      /* what there is */
	VEC(char *) registered; /* owned: taps with elements */
	enum rules_found found; /* for rules_open */
	int watch_fd;           /* of the rules; -1 = persistent */
	bool rules_gone;        /* what rules_check says */
	uint16_t listening;     /* a port of the host's */
	bool forward_denied;
	const char *firewalls;
	ipv4 busy; /* a network address that collides */
	struct rules_options options;
	struct dhcp_offer offer; /* the last one */
	struct starter_dns dns;
	const struct dhcp_link_events *dhcp_events;
	void *dhcp_ctx;
	const struct starter_events *starter_events;
	void *starter_ctx;
	links_gone_fn *gone;
	void *gone_ctx;
};
extern struct fakes fakes;

void fakes_reset(void);

/* The calls since the last time, which are forgotten. */
const char *fakes_calls(void);

/* A link that an earlier keeper has made. */
void fakes_add_link(const char *tap, bool macvtap, bool has_carrier);
bool fakes_has_link(const char *tap);

#endif
