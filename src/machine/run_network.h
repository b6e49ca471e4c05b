/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of a run: which way there is on this host, the NICs from it, and their life. For run.c.
 *
 * Default NAT falls back, with one line that says why: the keeper, a rootless keeper, QEMU's user network. Everything else
 * that is asked for comes as asked for, or the VM does not start. Source: network.md 2, 8, cli.md 2.3.
 */
#ifndef TART_MACHINE_RUN_NETWORK_H
#define TART_MACHINE_RUN_NETWORK_H

#include "machine/run_ui.h"
#include "machine/spec.h"
#include "vmnet/keeper.h"

/* What the options say; lists are parsed and checked already. */
struct network_wish {
	enum netd_mode mode;
	VEC(char *) bridged; /* interfaces, in order, at most NETD_NICS_MAX; bridged mode; owned */
	struct policy policy;
	expose_list expose;
	enum keeper_wish keeper;
};
void network_wish_done(struct network_wish *wish);

struct network_nic {
	struct netd_attached attached;
	int fd;       /* tap or macvtap */
	int vhost_fd; /* -1 = none */
};

/* No NICs: QEMU's user network. */
struct run_network {
	struct keeper keeper; /* its connection is the life of the NICs; QEMU inherits it, too */
	VEC(struct network_nic) nics;
};
#define RUN_NETWORK_INIT              \
	{                             \
		.keeper = KEEPER_INIT \
	}

/* Everything is borrowed. */
struct network_request {
	const struct network_wish *wish;
	const struct home *home;
	const char *vm;
	const struct mac *mac;
	const struct run_ui *ui;
};

/*
 * *ret_mac_in_use: another running VM of this host, maybe another user's, has this MAC address; nothing was attached; call
 * again with another one. Errors: ERR_SOFTNET with Softnet, else ERR_GENERAL; ERR_CANCELLED.
 */
bool run_network_open(const struct network_request *request, struct run_network *ret,
		      bool *ret_mac_in_use, struct err *err);

/* Makes the NICs those of the machine; the descriptors stay the network's. */
void run_network_fill(const struct run_network *network, const struct mac *mac,
		      struct machine_spec *spec);

void run_network_done(struct run_network *network); /* QEMU has gone */

#endif
