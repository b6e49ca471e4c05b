/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lease databases of other DHCP servers, as text: dnsmasq's lease file and libvirt's status file. Pure. Source: cli.md 3.4
 * with its rules and vectors: latest expiry wins, ties go to the later entry, what is malformed is skipped.
 */
#ifndef TART_NET_LEASES_H
#define TART_NET_LEASES_H

#include "base/err.h"
#include "net/ipv4.h"
#include "net/mac.h"

#define LEASES_TEXT_MAX  ((size_t)16 << 20)
#define LEASE_NEVER_ENDS INT64_MAX

struct lease {
	ipv4 address;      /* 0 = none found yet */
	int64_t expires_s; /* seconds since 1970; LEASE_NEVER_ENDS */
};

/* Improves *best by what the text says about `mac`; only entries that expire after now_s count. */
void leases_of_dnsmasq(struct span text, const struct mac *mac, int64_t now_s, struct lease *best);

/* The same for libvirt's. ERR_GENERAL when it is not JSON of that shape; empty is no error. */
bool leases_of_libvirt(struct span text, const struct mac *mac, int64_t now_s, struct lease *best,
		       struct err *err);

#endif
