/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers DNS for the guests. network.md 6.
 *
 *	OFF		network.conf names servers, or the network is down
 *	STARTING	dnsmasq was asked for; guests are told the gateway
 *	RUNNING		it serves
 *	FOREIGN		ours could not, but somebody answers at the gateway: a wildcard resolver of the host
 *	FAILED		nobody does: guests are told the host's own servers; dnsmasq is tried again by the starter
 */
#include <string.h>

#include "netd/keeper_private.h"
#include "netd/resolvers.h"

static const struct network_conf *conf_of(const struct keeper *keeper)
{
	return &keeper->parts.settings->conf;
}

void dns_for_guests(const struct keeper *keeper, ipv4 ret[NETWORK_DNS_MAX])
{
	if (!conf_of(keeper)->dns_is_gateway) {
		memcpy(ret, conf_of(keeper)->dns, NETWORK_DNS_MAX * sizeof(*ret));
		return;
	}
	memset(ret, 0, NETWORK_DNS_MAX * sizeof(*ret));
	if (keeper->dns == DNS_FAILED)
		resolvers_of_host(ret);
	if (ret[0] == 0)
		ret[0] = keeper->facts.subnet.gateway;
}

void dns_stop(struct keeper *keeper)
{
	resolvers_probe_end(keeper->probe);
	keeper->probe = NULL;
	if (keeper->dns != DNS_OFF)
		starter_stop_dns(keeper->parts.starter);
	keeper->dns = DNS_OFF;
}

void dns_start(struct keeper *keeper)
{
	struct starter_dns dns = { .listen = keeper->facts.subnet.gateway };
	struct err err = { 0 };

	if (!conf_of(keeper)->dns_is_gateway) {
		dns_stop(keeper);
		return;
	}
	if (keeper->dns != DNS_OFF)
		return;
	/* A resolver on the host's loopback is out of reach from a namespace of our own. */
	if (keeper->parts.is_rootless)
		resolvers_of_host(dns.upstream);
	keeper->dns = DNS_STARTING;
	if (starter_want_dns(keeper->parts.starter, &dns, &err))
		return;
	log_line(keeper->parts.log, "DNS: %s", err.text);
	keeper->dns = DNS_FAILED;
}

static void set(struct keeper *keeper, enum dns_state dns)
{
	keeper->dns = dns;
	host_refresh(keeper);
}

static void on_probed(void *ctx, bool answers)
{
	struct keeper *keeper = ctx;

	keeper->probe = NULL;
	if (keeper->dns == DNS_OFF)
		return;
	if (!answers) {
		log_line(keeper->parts.log,
			 "DNS: nobody answers at the gateway; guests are told the host's servers");
		set(keeper, DNS_FAILED);
		return;
	}
	if (keeper->dns_is_ours) {
		set(keeper, DNS_RUNNING);
		return;
	}
	log_line(keeper->parts.log, "DNS: another server of this host answers at the gateway");
	starter_stop_dns(keeper->parts.starter);
	set(keeper, DNS_FOREIGN);
}

static void ask(struct keeper *keeper)
{
	resolvers_probe_end(keeper->probe);
	keeper->probe = resolvers_probe(keeper->parts.loop, keeper->facts.subnet.gateway, on_probed,
					keeper);
	if (!keeper->probe)
		on_probed(keeper, false);
}

/* Once it has failed it is believed only when it answers: one that cannot have the port starts well, too. */
void dns_on_started(void *ctx)
{
	struct keeper *keeper = ctx;

	keeper->dns_is_ours = true;
	if (keeper->dns == DNS_STARTING)
		set(keeper, DNS_RUNNING);
	else if (keeper->dns == DNS_FAILED)
		ask(keeper);
}

void dns_on_ended(void *ctx, enum starter_dns_end how, const char *why)
{
	struct keeper *keeper = ctx;

	(void)how; /* whoever has the port, or nobody: an answer decides */
	keeper->dns_is_ours = false;
	if (keeper->dns == DNS_OFF || keeper->dns == DNS_FOREIGN)
		return;
	log_line(keeper->parts.log, "DNS: %s", why);
	(void)snprintf(keeper->dns_why, sizeof(keeper->dns_why), "%s", why);
	ask(keeper);
}
