/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a keeper of the network could do its work here, tried in namespaces that vanish with the child that tries it. */
#ifndef TART_MACHINE_NETWORK_PROBE_H
#define TART_MACHINE_NETWORK_PROBE_H

#include <stdbool.h>

/* errno of each step, 0 = it works; in order: a step that needs one that failed has its errno. */
struct network_probe {
	int userns; /* a user namespace; not needed by root, who has 0 */
	int netns;  /* in it, a network namespace: refused where such users are confined */
	int tun;    /* opening /dev/net/tun, and making a TAP of it */
	int nft;    /* a question to the packet filter nf_tables */
};

void network_probe_run(struct network_probe *ret);

#endif
