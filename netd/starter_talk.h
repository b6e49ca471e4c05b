/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper and its starter say to each other, over a SOCK_SEQPACKET pair: one struct per packet, as they lie in memory,
 * because one process is a fork of the other.
 */
#ifndef TART_NETD_STARTER_TALK_H
#define TART_NETD_STARTER_TALK_H

#include "netd/starter.h"

enum starter_order_kind { STARTER_WANT_DHCP, STARTER_WANT_DNS, STARTER_STOP_DNS };

struct starter_order {
	uint32_t kind;
	uint32_t generation; /* WANT_DHCP: of the child that the keeper has lost; 0 = it had none */
	struct starter_dns dns; /* WANT_DNS */
};

enum starter_report_kind {
	STARTER_DHCP_STARTED, /* with its socket */
	STARTER_DNS_STARTED,
	STARTER_DNS_ENDED,
	STARTER_FAILED,
};

struct starter_report {
	uint32_t kind;
	uint32_t generation; /* DHCP_STARTED: counts from 1 */
	uint32_t end;        /* DNS_ENDED: enum starter_dns_end */
	char why[1024];      /* DNS_ENDED, FAILED; as long as an error's text */
};

/* The starter's whole life, after the fork, with its end of the pair. */
_Noreturn void starter_main(int fd);

#endif
