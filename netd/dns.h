/* SPDX-License-Identifier: Apache-2.0 */
/* dnsmasq as a DNS forwarder at the gateway, and nothing else: where it is, and what it is told. network.md 6. */
#ifndef TART_NETD_DNS_H
#define TART_NETD_DNS_H

#include "base/str.h"
#include "netd/starter.h"

/* Where distributions install it; not PATH, which is somebody else's. NULL when it is nowhere. Owned. */
char *dns_find(void);

/* The configuration's text; pure. It names no user: dnsmasq is started as the one that it is to be. */
void dns_print_config(const struct starter_dns *dns, struct str *out);

/* "dnsmasq exited with code 2: it cannot listen at its address", by its manual page, EXIT CODES. */
void dns_describe_end(int status, struct str *out);

#endif
