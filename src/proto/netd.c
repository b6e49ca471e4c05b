/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's messages as bytes. */
#include "proto/netd.h"

const char *const netd_counter_names[NETD_COUNTERS] = {
	[NETD_C_SPOOFED] = "spoofed", [NETD_C_ARP] = "arp",         [NETD_C_SERVER] = "dhcp-server",
	[NETD_C_REFUSED] = "refused", [NETD_C_DROPPED] = "dropped", [NETD_C_PEER] = "peer",
	[NETD_C_INBOUND] = "inbound",
};
