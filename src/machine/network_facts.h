/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the way of VMs' networks on this host: facts, and the checks made of them. Gathering asks a keeper that runs
 * (it starts none), tries what a keeper would need, and runs tart-netd to look at this host. network_report.c is pure.
 */
#ifndef TART_MACHINE_NETWORK_FACTS_H
#define TART_MACHINE_NETWORK_FACTS_H

#include "machine/network_probe.h"
#include "vmnet/keeper.h"

struct network_facts {
	bool is_root;
	enum keeper_wish wish;
	char *netd, *pasta, *dnsmasq; /* paths; NULL = not there */

	bool answers[2]; /* by enum keeper_kind: it runs, and answers us */
	struct netd_status status[2];
	struct err why_not[2];

	struct network_probe probe;
	bool userns_off;      /* by a sysctl of the kernel's or Debian's */
	bool userns_confined; /* by AppArmor */

	char *conf_path;
	struct err conf_err;  /* network.conf is wrong, or does not fit this host */
	int ip_forward;       /* 0, 1; -1 = not known */
	bool may_forward;     /* root can turn it on */
	unsigned port_start;  /* net.ipv4.ip_unprivileged_port_start */
	char *wireless;       /* names of Wi-Fi interfaces, with commas between; NULL = none */
	bool knows_firewalls; /* only root sees them, or a keeper tells */
	char *firewalls;      /* lines: each names one and the commands that help */
};

/* `home` NULL: no home directory. */
void network_facts_gather(const struct home *home, enum keeper_wish wish, const char *path_env,
			  struct network_facts *ret);
void network_facts_done(struct network_facts *facts); /* fits CLEANUP() */

/* The best that a VM of this user can have. */
enum network_backend { NETWORK_OF_HOST, NETWORK_OF_USER, NETWORK_OF_QEMU };
enum network_backend network_facts_backend(const struct network_facts *facts);
const char *network_backend_text(enum network_backend backend); /* "system", "rootless", "user" */

struct host_report;
void network_report_add(struct host_report *report, const struct network_facts *facts);

#endif
