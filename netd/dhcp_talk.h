/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper and its DHCP child say to each other, over a SOCK_SEQPACKET pair: one struct per packet, as they lie in
 * memory, because one process is a fork of the other. The keeper checks every field of a report; the child trusts orders.
 */
#ifndef TART_NETD_DHCP_TALK_H
#define TART_NETD_DHCP_TALK_H

#include "net/dhcp.h"
#include "proto/netd.h"

enum dhcp_order_kind {
	DHCP_ORDER_SERVE, /* with a packet socket: answer there; replaces an earlier order about this TAP */
	DHCP_ORDER_SNOOP, /* with a packet socket: listen there */
	DHCP_ORDER_FORGET,
};

struct dhcp_order {
	uint32_t kind;
	char tap[NETD_IF_SIZE];
	struct dhcp_offer offer; /* SERVE; of SNOOP only the MAC address counts */
};

enum dhcp_report_kind {
	DHCP_REPORT_BOUND,
	DHCP_REPORT_RELEASED,
	DHCP_REPORT_DECLINED,
	DHCP_REPORT_SEEN,
};

struct dhcp_report {
	uint32_t kind;
	char tap[NETD_IF_SIZE];
	ipv4 address; /* SEEN, as all below */
	uint32_t lease_s;
	uint32_t by_dhcp; /* no bool: what else may stand in its byte has no meaning in C */
};

#endif
