/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the keeper share; nobody else includes it. */
#ifndef TART_NETD_KEEPER_PRIVATE_H
#define TART_NETD_KEEPER_PRIVATE_H

#include "netd/addresses.h"
#include "netd/dhcp_link.h"
#include "netd/failure.h"
#include "netd/keeper.h"
#include "netd/links.h"
#include "netd/rules.h"

#define ADOPTED_MS \
	120000 /* for how long a macvtap without an owner is kept: it does not end by itself */
#define ORPHANS_EVERY_MS 15000
#define STORE_AFTER_MS   1000  /* the file of addresses, after a change */
#define FIREWALLS_MS     60000 /* for how long what is known of other firewalls is believed */

struct held_nic {
	struct nic nic;
	const void *owner; /* NULL: adopted */
	uint64_t since_ms;
	int ifindex;
	ipv4 alias; /* the forwarder's, 0 = none */
};

struct resolvers_probe;

/* What the rules and the guests were told about; differs from the settings until it is told again. */
struct host_facts {
	struct subnet subnet;
	bool chosen; /* by `auto` */
	bool isolate_vms;
	uint16_t mtu;
	ipv4 dns[NETWORK_DNS_MAX]; /* what guests are told; 0 ends */
};

enum dns_state { DNS_OFF, DNS_STARTING, DNS_RUNNING, DNS_FOREIGN, DNS_FAILED };

struct keeper {
	struct keeper_parts parts;
	struct links *links;
	struct dhcp_link *dhcp;
	struct accounts accounts;
	VEC(struct held_nic *) nics; /* by name of TAP */
	bool dhcp_wanted;

	/* While the host's network is up: */
	bool is_up;
	struct host_facts facts;
	struct rules *rules;
	struct loop_source *rules_source;
	struct addresses *addresses;
	enum dns_state dns;
	bool dns_is_ours; /* dnsmasq runs */
	char dns_why[256];
	struct resolvers_probe *probe;

	struct loop_source *store_deadline;
	struct loop_source *orphans_deadline;
	struct loop_source *restore_deadline;

	struct str notices;    /* lines for every user: what is wrong with this host */
	struct str firewalls;  /* the same about other firewalls */
	uint64_t firewalls_ms; /* as of when; 0 = never */
};

/* keeper.c */
struct held_nic *keeper_find(const struct keeper *keeper, const char *tap);
/* What the caller may see; what he may not is not there. */
struct held_nic *keeper_find_for(const struct keeper *keeper, const struct caller *caller,
				 const char *tap, struct netd_failure *failure);
void keeper_insert(struct keeper *keeper, struct held_nic *held);
void keeper_take_out(struct keeper *keeper, struct held_nic *held); /* does not free it */
void keeper_changed(struct keeper *keeper);
int64_t keeper_now_s(void);
void keeper_save(struct keeper *keeper, const struct held_nic *held);
void keeper_add_warnings(struct keeper *keeper, struct str *out);

/* keeper_host.c */
bool host_up(struct keeper *keeper, struct netd_failure *failure);
/* Whether VMs can get beyond this host, which NAT and Softnet are for. */
bool host_forwards(struct keeper *keeper, struct netd_failure *failure);
void host_down(struct keeper *keeper);
void host_keep(struct keeper *keeper); /* lets go of it, but leaves it as it is */
/* That one, whatever the settings say. */
bool host_use_subnet(struct keeper *keeper, const struct subnet *subnet, bool chosen,
		     struct netd_failure *failure);
void restore_on_deadline(void *ctx);
bool host_want_dhcp(struct keeper *keeper, struct err *err);
void host_refresh(struct keeper *keeper); /* settings or DNS have changed: tells rules and guests */
bool host_differs(const struct keeper *keeper, const struct network_conf *conf);

/* keeper_dns.c */
void dns_start(struct keeper *keeper);
void dns_stop(struct keeper *keeper);
void dns_on_started(void *ctx);
void dns_on_ended(void *ctx, enum starter_dns_end how, const char *why);
void dns_for_guests(const struct keeper *keeper, ipv4 ret[NETWORK_DNS_MAX]);

/* keeper_nic.c */
bool nic_up(struct keeper *keeper, struct held_nic *held, int *ret_fd,
	    struct netd_failure *failure);
void nic_down(struct keeper *keeper, struct held_nic *held); /* and out of the list; frees it */
bool nic_serve(struct keeper *keeper, const struct held_nic *held, struct err *err);
void nic_free(struct held_nic *held);
void keeper_step(const struct keeper *keeper, const char *name); /* may be the last one */

/* keeper_adopt.c */
void orphans_on_deadline(void *ctx);
void orphans_watch(struct keeper *keeper); /* arms the deadline if there are any */

/* keeper_expose.c */
bool expose_check(const struct keeper *keeper, const struct held_nic *held, const expose_list *wish,
		  struct netd_failure *failure);

#endif
