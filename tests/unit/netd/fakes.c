/* SPDX-License-Identifier: Apache-2.0 */
/* Writing calls down. */
#include "fakes.h"

#include <fcntl.h>
#include <string.h>

struct fakes fakes = { .watch_fd = -1 };

static struct str told;

static bool call(struct err *err, const char *verb, const char *what)
{
	str_addf(&fakes.calls, "%s%s%s\n", verb, *what ? " " : "", what);
	if (fakes.fail && strcmp(fakes.fail, verb) == 0)
		return err_set(err, ERR_GENERAL, "%s fails", verb);
	return true;
}

void fakes_reset(void)
{
	str_done(&fakes.calls);
	str_done(&told);
	vec_done(&fakes.links);
	vec_each(&fakes.registered, name)
		free(*name);
	vec_done(&fakes.registered);
	fakes = (struct fakes){ .watch_fd = -1 };
}

const char *fakes_calls(void)
{
	str_done(&told);
	told = fakes.calls;
	fakes.calls = (struct str){ 0 };
	return str_text(&told);
}

static struct found_link *find(const char *tap)
{
	vec_each(&fakes.links, link)
		if (strcmp(link->tap, tap) == 0)
			return link;
	return NULL;
}

bool fakes_has_link(const char *tap)
{
	return find(tap) != NULL;
}

void fakes_add_link(const char *tap, bool macvtap, bool has_carrier)
{
	struct found_link *link = vec_push(&fakes.links);

	(void)snprintf(link->tap, sizeof(link->tap), "%s", tap);
	link->index = (int)fakes.links.n;
	link->macvtap = macvtap;
	link->has_carrier = has_carrier;
}

static void drop_link(const char *tap)
{
	struct found_link *link = find(tap);

	if (link)
		*link = fakes.links.v[--fakes.links.n];
}

/* links.h */

bool links_open(struct opener *opener, struct links **ret, struct err *err)
{
	(void)opener;
	*ret = NULL;
	return call(err, "links_open", "");
}

void links_close(struct links *links)
{
	(void)links;
}

bool links_up(struct links *links, const struct subnet *subnet, bool *ret_forward_denied,
	      struct str *log, struct err *err)
{
	char net[CIDR_TEXT_SIZE];

	(void)links, (void)log;
	cidr_print(&subnet->cidr, net);
	*ret_forward_denied = fakes.forward_denied;
	return call(err, "links_up", net);
}

bool links_forward(bool *ret_denied, struct str *log, struct err *err)
{
	(void)log, (void)err;
	*ret_denied = fakes.forward_denied;
	return true;
}

bool links_down(struct links *links, struct err *err)
{
	(void)links;
	return call(err, "links_down", "");
}

bool links_check_subnet(struct links *links, const struct subnet *subnet, struct str *warnings,
			struct err *err)
{
	(void)links, (void)warnings;
	return subnet->cidr.network != fakes.busy || err_set(err, ERR_GENERAL, "is in use by eth0");
}

bool links_choose_subnet(struct links *links, uint8_t prefix, struct subnet *ret, struct err *err)
{
	ipv4 network = 0xc0a84000;

	(void)links;
	if (network == fakes.busy)
		network += 256;
	*ret = (struct subnet){ .cidr = { network, prefix }, .gateway = network + 1 };
	return call(err, "choose_subnet", "");
}

static bool add_link(const char *verb, const struct nic *nic, int *ret_fd, struct err *err)
{
	if (!call(err, verb, nic->vm))
		return false;
	*ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	fakes_add_link(nic->tap, nic->macvtap, true);
	return true;
}

bool links_add_tap(struct links *links, const struct nic *nic, const struct subnet *subnet,
		   uint16_t mtu, int *ret_fd, struct err *err)
{
	(void)links, (void)subnet, (void)mtu;
	return add_link("add_tap", nic, ret_fd, err);
}

bool links_classify(struct links *links, const char *interface, bool *ret_macvtap, struct err *err)
{
	(void)links;
	*ret_macvtap = strncmp(interface, "eth", 3) == 0;
	return call(err, "classify", interface);
}

bool links_add_bridged(struct links *links, const struct nic *nic, int *ret_fd, struct err *err)
{
	(void)links;
	return add_link("add_bridged", nic, ret_fd, err);
}

bool links_remove(struct links *links, const struct nic *nic, struct err *err)
{
	(void)links;
	drop_link(nic->tap);
	return call(err, "remove", nic->vm);
}

bool links_set_up(struct links *links, const struct nic *nic, const struct subnet *subnet, bool up,
		  struct err *err)
{
	(void)links, (void)subnet;
	return call(err, up ? "set_up" : "set_down", nic->vm);
}

bool links_set_mtu(struct links *links, const char *tap, uint16_t mtu, struct err *err)
{
	(void)links, (void)tap;
	return call(err, mtu == 1400 ? "mtu_1400" : "mtu", "");
}

bool links_set_peer(struct links *links, const char *tap, bool peer, struct err *err)
{
	(void)links, (void)tap;
	return call(err, peer ? "peer" : "no_peer", "");
}

bool links_list(struct links *links, found_links *ret, struct err *err)
{
	(void)links, (void)err;
	vec_each(&fakes.links, link)
		*vec_push(ret) = *link;
	return true;
}

bool links_index(struct links *links, const char *tap, int *ret, struct err *err)
{
	(void)links;
	if (!call(err, "index", "") || !find(tap))
		return false;
	*ret = find(tap)->index;
	return true;
}

bool links_delete(struct links *links, const char *tap, struct err *err)
{
	(void)links;
	drop_link(tap);
	return call(err, "delete", tap);
}

bool links_end_flows(struct links *links, const struct nic *nic, bool outgoing, bool exposed,
		     struct err *err)
{
	(void)links, (void)nic;
	return call(err,
		    outgoing && exposed ? "end_flows" :
		    outgoing            ? "end_outgoing" :
					  "end_exposed",
		    "");
}

bool links_watch(struct links *links, struct loop *loop, links_gone_fn *fn, void *ctx,
		 struct err *err)
{
	(void)links, (void)loop, (void)err;
	fakes.gone = fn;
	fakes.gone_ctx = ctx;
	return true;
}

bool links_port_is_listening(uint16_t port, bool *ret, struct err *err)
{
	*ret = port == fakes.listening;
	return call(err, "port", "");
}

int links_open_vhost(struct links *links)
{
	(void)links;
	return -1;
}

/* rules.h */

bool rules_open(const struct rules_options *options, struct rules **ret,
		enum rules_found *ret_found, struct err *err)
{
	fakes.options = *options;
	if (!call(err, "rules_open", ""))
		return false;
	*ret = (struct rules *)&fakes;
	*ret_found = fakes.found;
	return true;
}

void rules_close(struct rules *rules, bool keep)
{
	if (rules)
		(void)call(&(struct err){ 0 }, keep ? "rules_keep" : "rules_delete", "");
}

bool rules_are_persistent(const struct rules *rules)
{
	(void)rules;
	return fakes.watch_fd < 0;
}

bool rules_add(struct rules *rules, const struct nic *nic, struct err *err)
{
	(void)rules;
	return call(err, "rules_add", nic->vm);
}

bool rules_remove(struct rules *rules, const struct nic *nic, struct err *err)
{
	(void)rules;
	return call(err, "rules_remove", nic->vm);
}

bool rules_change(struct rules *rules, const struct nic *was, const struct nic *now,
		  struct err *err)
{
	(void)rules, (void)was;
	return call(err, "rules_change", now->vm);
}

bool rules_count(struct rules *rules, const struct nic *nic, struct netd_count ret[NETD_COUNTERS],
		 struct err *err)
{
	(void)rules, (void)nic;
	ret[NETD_C_REFUSED].packets = 3;
	return call(err, "rules_count", "");
}

void tap_names_done(tap_names *names)
{
	vec_each(names, name)
		free(*name);
	vec_done(names);
}

bool rules_registered(struct rules *rules, tap_names *ret, struct err *err)
{
	(void)rules, (void)err;
	vec_each(&fakes.registered, name)
		*vec_push(ret) = xstrdup(*name);
	return true;
}

bool rules_forget(struct rules *rules, const char *tap, struct err *err)
{
	(void)rules;
	return call(err, "rules_forget", tap);
}

int rules_watch_fd(const struct rules *rules)
{
	(void)rules;
	return fakes.watch_fd;
}

bool rules_check(struct rules *rules, bool *ret_gone, struct err *err)
{
	(void)rules, (void)err;
	*ret_gone = fakes.rules_gone;
	fakes.rules_gone = false;
	return true;
}

bool rules_restore(struct rules *rules, const struct nic *const *nics, size_t n, struct err *err)
{
	char count[32];

	(void)rules, (void)nics;
	(void)snprintf(count, sizeof(count), "%zu", n);
	return call(err, "rules_restore", count);
}

bool rules_foreign(struct rules *rules, struct str *out, struct err *err)
{
	(void)rules, (void)err;
	if (fakes.firewalls)
		str_add(out, fakes.firewalls);
	return true;
}

/* dhcp_link.h */

bool dhcp_link_new(struct loop *loop, const struct dhcp_link_events *events, void *ctx,
		   struct dhcp_link **ret, struct err *err)
{
	(void)loop, (void)err;
	fakes.dhcp_events = events;
	fakes.dhcp_ctx = ctx;
	*ret = NULL;
	return true;
}

void dhcp_link_free(struct dhcp_link *link)
{
	(void)link;
}

bool dhcp_link_connect(struct dhcp_link *link, int fd, struct err *err)
{
	(void)link;
	(void)close(fd);
	return call(err, "dhcp_connect", "");
}

bool dhcp_link_serve(struct dhcp_link *link, const char *tap, int ifindex,
		     const struct dhcp_offer *offer, struct err *err)
{
	(void)link, (void)tap, (void)ifindex;
	fakes.offer = *offer;
	return call(err, "serve", "");
}

bool dhcp_link_snoop(struct dhcp_link *link, const char *tap, int ifindex, const struct mac *mac,
		     struct err *err)
{
	(void)link, (void)tap, (void)ifindex, (void)mac;
	return call(err, "snoop", "");
}

void dhcp_link_forget(struct dhcp_link *link, const char *tap)
{
	(void)link, (void)tap;
	(void)call(&(struct err){ 0 }, "forget", "");
}

/* starter.h */

bool starter_watch(struct starter *starter, struct loop *loop, const struct starter_events *events,
		   void *ctx, struct err *err)
{
	(void)starter, (void)loop, (void)err;
	fakes.starter_events = events;
	fakes.starter_ctx = ctx;
	return true;
}

bool starter_want_dhcp(struct starter *starter, struct err *err)
{
	(void)starter;
	return call(err, "want_dhcp", "");
}

bool starter_want_dns(struct starter *starter, const struct starter_dns *dns, struct err *err)
{
	(void)starter;
	fakes.dns = *dns;
	return call(err, "want_dns", "");
}

void starter_stop_dns(struct starter *starter)
{
	(void)starter;
	(void)call(&(struct err){ 0 }, "stop_dns", "");
}
