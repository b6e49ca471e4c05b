/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: the host's network, and the NICs of the VMs that run. Knows nothing of sockets and messages (client.h,
 * request.h); `owner` stands for the connection whose end is the end of its NICs.
 *
 * The host's network (tart0, rules, DNS, the pool of addresses) comes up with the first VM that needs it and stays until
 * keeper_end(). One NIC is brought up in the steps of network.md 4.1, keeper_nic.c, and taken down by their undoing in
 * reverse. A NIC of an earlier keeper is adopted, keeper_adopt.c: it has no owner until one reattaches, and ends when its
 * link does.
 *
 * Refused requests change nothing, and set *failure. uid is the caller's; an admin is root or the keeper's own user.
 */
#ifndef TART_NETD_KEEPER_H
#define TART_NETD_KEEPER_H

#include "base/loop.h"
#include "netd/accounts.h"
#include "netd/log.h"
#include "netd/opener.h"
#include "netd/settings.h"
#include "netd/starter.h"
#include "netd/state.h"
#include "proto/netd.h"

struct keeper;

/* What it is made of: borrowed, and outlives it. */
struct keeper_parts {
	struct loop *loop;
	const struct state *state;
	struct settings *settings;
	struct starter *starter;
	struct opener *opener; /* NULL: device nodes are opened by this process */
	struct log *log;       /* NULL = nowhere */
	bool is_rootless;      /* in namespaces of one user */
	bool never_persist;
	const char *die_at;         /* tests: the step after which to die by SIGKILL; NULL = none */
	void (*changed)(void *ctx); /* VMs, or what is told to the forwarder, have changed */
	void *ctx;
};

bool keeper_new(const struct keeper_parts *parts, struct keeper **ret, struct err *err);

/* Takes over what an earlier keeper has left, and removes what is nobody's. Once, before the first request. */
bool keeper_adopt(struct keeper *keeper, struct err *err);

/*
 * The end: VMs that still run keep their network, filtered, for the next keeper; without any, nothing is left of us.
 * Accepts NULL.
 */
void keeper_free(struct keeper *keeper);

size_t keeper_n_nics(const struct keeper *keeper);
struct accounts *keeper_accounts(struct keeper *keeper);

/* ret_fds: owned, -1 = none. */
bool keeper_attach(struct keeper *keeper, const void *owner, const struct caller *caller,
		   const struct netd_attach *wish, struct netd_attached *ret,
		   int ret_fds[NETD_FDS_MAX], struct netd_failure *failure);
bool keeper_reattach(struct keeper *keeper, const void *owner, const struct caller *caller,
		     const char *tap, struct netd_attached *ret, struct netd_failure *failure);

/* The connection is to end without its NICs, which wait for another one to reattach them. */
void keeper_let_go(struct keeper *keeper, const void *owner);

/* The connection has ended: so do its NICs. */
void keeper_detach(struct keeper *keeper, const void *owner);

void keeper_list(const struct keeper *keeper, const struct caller *caller,
		 const struct netd_list_request *wish, struct netd_list *ret);
void keeper_status(struct keeper *keeper, struct netd_status *ret);

/* Changes the lists that wish->set_* names; *ret has all of them, and is owned. */
bool keeper_policy(struct keeper *keeper, const struct caller *caller,
		   const struct netd_policy *wish, struct netd_policy *ret,
		   struct netd_failure *failure);
bool keeper_stats(struct keeper *keeper, const struct caller *caller, const char *tap,
		  struct netd_stats *ret, struct netd_failure *failure);

/* The address of a VM that the caller may connect to. */
bool keeper_address(const struct keeper *keeper, const struct caller *caller, const char *tap,
		    ipv4 *ret, struct netd_failure *failure);

/* Reads network.conf anew, if it has changed. */
bool keeper_reload(struct keeper *keeper, struct netd_failure *failure);

/* The forwarder's: where it listens for a VM. All are forgotten when it comes and when it goes. */
void keeper_forget_aliases(struct keeper *keeper);
bool keeper_set_alias(struct keeper *keeper, const struct netd_alias *alias,
		      struct netd_failure *failure);

/* The VMs in order, for the forwarder: at most NETD_FORWARDS_MAX from `first` on; *ret is owned. */
void keeper_forwards(const struct keeper *keeper, size_t first, struct netd_forwards *ret);

#endif
