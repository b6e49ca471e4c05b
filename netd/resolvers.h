/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DNS servers of the host, for guests whose gateway cannot serve them. network.md 6: systemd-resolved's real
 * resolv.conf first; servers on a loopback address are of no use to a guest.
 */
#ifndef TART_NETD_RESOLVERS_H
#define TART_NETD_RESOLVERS_H

#include "base/loop.h"
#include "net/network_conf.h"

/* The IPv4 servers of a resolv.conf, at most NETWORK_DNS_MAX; 0 ends. Pure. Returns how many. */
size_t resolvers_parse(struct span text, ipv4 ret[NETWORK_DNS_MAX]);

/* Those of this host; none: all 0. */
void resolvers_of_host(ipv4 ret[NETWORK_DNS_MAX]);

/*
 * Asks a DNS server who it is and tells whether anything answered within RESOLVERS_PROBE_MS. Called back
 * from the loop, once; NULL, without a call, when it cannot even be asked.
 */
#define RESOLVERS_PROBE_MS 2000
struct resolvers_probe;
typedef void resolvers_probed_fn(void *ctx, bool answers);
struct resolvers_probe *resolvers_probe(struct loop *loop, ipv4 server, resolvers_probed_fn *fn,
					void *ctx);
void resolvers_probe_end(
	struct resolvers_probe *probe); /* before it has called back; accepts NULL */

#endif
