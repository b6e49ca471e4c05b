/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of the network, once for all VMs: tart0, rules, DNS, the pool of addresses. network.md 4.1, 5.1, 7. */
#include <string.h>

#include "netd/keeper_private.h"

#define RESTORE_EVERY_MS 1000

static const struct network_conf *conf_of(const struct keeper *keeper)
{
	return &keeper->parts.settings->conf;
}

static void note(struct keeper *keeper, struct str *lines)
{
	log_lines(keeper->parts.log, str_text(lines));
	str_add_span(&keeper->notices, str_span(lines));
	str_clear(lines);
}

/* "kept until reboot": a VM's address stays the same while nothing collides. */
static bool choose_auto(struct keeper *keeper, struct subnet *ret, struct err *err)
{
	CLEANUP_STR struct str lines = { 0 };
	struct err ignored = { 0 };
	char net[CIDR_TEXT_SIZE];
	bool chosen;

	if (state_load_subnet(keeper->parts.state, ret, &chosen) && chosen &&
	    ret->cidr.prefix == conf_of(keeper)->auto_prefix &&
	    links_check_subnet(keeper->links, ret, &lines, &ignored)) {
		note(keeper, &lines);
		return true;
	}
	str_clear(&lines);
	if (!links_choose_subnet(keeper->links, conf_of(keeper)->auto_prefix, ret, err))
		return false;
	(void)links_check_subnet(keeper->links, ret, &lines, &ignored); /* for its warnings */
	cidr_print(&ret->cidr, net);
	if (!cidr_has(&ret->cidr, 0xc0a84001)) /* 192.168.64.1, where all looking begins */
		str_addf(&lines, "192.168.64.1 is in use on this host: VMs are in %s\n", net);
	note(keeper, &lines);
	return true;
}

static bool choose_subnet(struct keeper *keeper, struct subnet *ret, struct netd_failure *failure)
{
	const struct network_conf *conf = conf_of(keeper);
	CLEANUP_STR struct str lines = { 0 };
	struct err err = { 0 };

	if (conf->subnet_auto)
		return choose_auto(keeper, ret, &err) || refuse_err(failure, NETD_E_CONFIG, &err);
	*ret = (struct subnet){ .cidr = conf->subnet, .gateway = conf->gateway };
	if (!links_check_subnet(keeper->links, ret, &lines, &err))
		return refuse(failure, NETD_E_CONFIG, "%s: subnet: %s",
			      keeper->parts.settings->path, err.text);
	note(keeper, &lines);
	return true;
}

bool host_differs(const struct keeper *keeper, const struct network_conf *conf)
{
	const struct subnet *subnet = &keeper->facts.subnet;

	if (conf->subnet_auto)
		return !keeper->facts.chosen || subnet->cidr.prefix != conf->auto_prefix;
	return subnet->gateway != conf->gateway || subnet->cidr.prefix != conf->subnet.prefix;
}

/* Elements of VMs that are gone. Their names never come again, so it is tidying up. */
static void forget_strangers(struct keeper *keeper)
{
	CLEANUP(tap_names_done) tap_names names = { 0 };
	struct err err = { 0 };

	if (!rules_registered(keeper->rules, &names, &err)) {
		log_line(keeper->parts.log, "%s", err.text);
		return;
	}
	vec_each(&names, name)
		if (!keeper_find(keeper, *name) && !rules_forget(keeper->rules, *name, &err))
			log_line(keeper->parts.log, "%s: %s", *name, err.text);
}

static void take_links(struct keeper *keeper, bool up)
{
	vec_each(&keeper->nics, held) {
		struct err err = { 0 };

		if ((*held)->nic.mode != NETD_BRIDGED &&
		    !links_set_up(keeper->links, &(*held)->nic, &keeper->facts.subnet, up, &err))
			log_line(keeper->parts.log, "%s: %s", (*held)->nic.tap, err.text);
	}
}

static bool restore(struct keeper *keeper, struct err *err)
{
	VEC(const struct nic *) nics = { 0 };
	bool ok;

	vec_each(&keeper->nics, held)
		if ((*held)->nic.mode != NETD_BRIDGED)
			*vec_push(&nics) = &(*held)->nic;
	ok = rules_restore(keeper->rules, nics.v, nics.n, err);
	vec_done(&nics);
	return ok;
}

/* Somebody has deleted our tables (`nft flush ruleset`) on a kernel that lets him: nothing passes until they are back. */
static void restore_rules(struct keeper *keeper)
{
	struct err err = { 0 };

	take_links(keeper, false);
	if (!restore(keeper, &err)) {
		log_line(keeper->parts.log, "the rules are gone, and cannot be made anew: %s",
			 err.text);
		loop_arm(keeper->restore_deadline, RESTORE_EVERY_MS);
		return;
	}
	take_links(keeper, true);
	loop_disarm(keeper->restore_deadline);
	log_line(keeper->parts.log, "somebody had deleted our rules; they are back");
}

static void rules_on_change(void *ctx, uint32_t events)
{
	struct keeper *keeper = ctx;
	struct err err = { 0 };
	bool gone = false;

	(void)events;
	if (!rules_check(keeper->rules, &gone, &err))
		log_line(keeper->parts.log, "%s", err.text);
	if (gone)
		restore_rules(keeper);
}

static bool open_rules(struct keeper *keeper, struct err *err)
{
	struct rules_options options = {
		.subnet = keeper->facts.subnet,
		.never_persist = keeper->parts.never_persist,
	};
	enum rules_found found;
	int fd;

	if (keeper->facts.dns[0] != keeper->facts.subnet.gateway)
		memcpy(options.dns, keeper->facts.dns, sizeof(options.dns));
	if (!rules_open(&options, &keeper->rules, &found, err))
		return false;
	if (found == RULES_ADOPTED)
		forget_strangers(keeper);
	fd = rules_watch_fd(keeper->rules);
	return fd < 0 || loop_add_fd(keeper->parts.loop, fd, EPOLLIN, rules_on_change, keeper,
				     &keeper->rules_source, err);
}

static void close_rules(struct keeper *keeper, bool keep)
{
	loop_remove(&keeper->rules_source);
	rules_close(keeper->rules, keep);
	keeper->rules = NULL;
}

/* Rules with other options: fresh tables, in which every VM is registered again. */
static void reopen_rules(struct keeper *keeper)
{
	struct err err = { 0 };

	close_rules(keeper, true);
	if (!open_rules(keeper, &err)) {
		close_rules(keeper, true);
		take_links(keeper, false);
		log_line(keeper->parts.log, "the rules cannot be made anew: %s", err.text);
		loop_arm(keeper->restore_deadline, RESTORE_EVERY_MS);
		return;
	}
	vec_each(&keeper->nics, held)
		if ((*held)->nic.mode != NETD_BRIDGED &&
		    !rules_add(keeper->rules, &(*held)->nic, &err))
			log_line(keeper->parts.log, "%s: %s", (*held)->nic.tap, err.text);
}

void restore_on_deadline(void *ctx)
{
	struct keeper *keeper = ctx;

	if (!keeper->is_up)
		return;
	if (keeper->rules) {
		restore_rules(keeper);
		return;
	}
	reopen_rules(keeper);
	if (keeper->rules)
		take_links(keeper, true);
}

bool host_use_subnet(struct keeper *keeper, const struct subnet *subnet, bool chosen,
		     struct netd_failure *failure)
{
	CLEANUP_STR struct str lines = { 0 };
	struct err err = { 0 };
	bool forward_denied = false;

	keeper->facts = (struct host_facts){ .subnet = *subnet,
					     .chosen = chosen,
					     .isolate_vms = conf_of(keeper)->isolate_vms,
					     .mtu = conf_of(keeper)->mtu };
	state_mark_up(keeper->parts.state, true);
	if (!links_up(keeper->links, subnet, &forward_denied, &lines, &err))
		return refuse_err(failure, NETD_E_KERNEL, &err);
	log_lines(keeper->parts.log, str_text(&lines));
	str_clear(&lines);
	if (forward_denied)
		str_add(&lines,
			"net.ipv4.ip_forward is off and cannot be turned on: VMs reach this host only\n");
	note(keeper, &lines);
	dns_for_guests(keeper, keeper->facts.dns);
	if (!open_rules(keeper, &err)) {
		close_rules(keeper, keeper->nics.n > 0);
		if (keeper->nics.n == 0)
			(void)links_down(keeper->links, &(struct err){ 0 });
		return refuse_err(failure, NETD_E_KERNEL, &err);
	}
	keeper->addresses = addresses_new(subnet);
	if (!addresses_load(keeper->addresses, keeper->parts.state->addresses_fd, &err))
		log_line(keeper->parts.log, "%s", err.text);
	keeper->is_up = true;
	dns_start(keeper);
	if (!state_save_subnet(keeper->parts.state, subnet, chosen, &err))
		log_line(keeper->parts.log, "%s", err.text);
	return true;
}

bool host_up(struct keeper *keeper, struct netd_failure *failure)
{
	struct subnet subnet;

	if (keeper->is_up)
		return keeper->rules || refuse(failure, NETD_E_KERNEL,
					       "the rules that isolate VMs cannot be installed");
	str_clear(&keeper->notices);
	return choose_subnet(keeper, &subnet, failure) &&
	       host_use_subnet(keeper, &subnet, conf_of(keeper)->subnet_auto, failure);
}

bool host_forwards(struct keeper *keeper, struct netd_failure *failure)
{
	CLEANUP_STR struct str lines = { 0 };
	struct err err = { 0 };
	bool denied;

	if (!links_forward(&denied, &lines, &err))
		return refuse_err(failure, NETD_E_KERNEL, &err);
	log_lines(keeper->parts.log, str_text(&lines));
	return !denied ||
	       refuse(failure, NETD_E_KERNEL,
		      "net.ipv4.ip_forward is off and cannot be turned on here, so a VM would reach this "
		      "host only: turn it on outside of this container, or use --net-host");
}

static void let_go(struct keeper *keeper, bool keep)
{
	struct err err = { 0 };

	dns_stop(keeper);
	close_rules(keeper, keep);
	loop_disarm(keeper->restore_deadline);
	loop_disarm(keeper->store_deadline);
	if (keeper->addresses &&
	    !addresses_store(keeper->addresses, keeper->parts.state->addresses_fd, &err))
		log_line(keeper->parts.log, "%s", err.text);
	addresses_free(keeper->addresses);
	keeper->addresses = NULL;
	keeper->is_up = false;
}

void host_down(struct keeper *keeper)
{
	struct err err = { 0 };

	if (!keeper->is_up)
		return;
	let_go(keeper, false);
	if (!links_down(keeper->links, &err))
		log_line(keeper->parts.log, "%s", err.text);
	str_clear(&keeper->notices);
	state_mark_up(keeper->parts.state, false);
}

void host_keep(struct keeper *keeper)
{
	if (keeper->is_up)
		let_go(keeper, true);
}

bool host_want_dhcp(struct keeper *keeper, struct err *err)
{
	if (!keeper->dhcp_wanted && !starter_want_dhcp(keeper->parts.starter, err))
		return false;
	keeper->dhcp_wanted = true;
	return true;
}

static void refresh_nic(struct keeper *keeper, struct held_nic *held, bool mtu_differs)
{
	struct nic *nic = &held->nic;
	bool peer = nic->mode == NETD_NAT ? !keeper->facts.isolate_vms : nic->peer;
	struct err err = { 0 };

	if (peer != nic->peer) {
		nic->peer = peer;
		if (!links_set_peer(keeper->links, nic->tap, peer, &err))
			log_line(keeper->parts.log, "%s: %s", nic->tap, err.text);
	}
	if (nic->mode == NETD_BRIDGED)
		return;
	if (mtu_differs && !links_set_mtu(keeper->links, nic->tap, keeper->facts.mtu, &err))
		log_line(keeper->parts.log, "%s: %s", nic->tap, err.text);
	if (!nic_serve(keeper, held, &err))
		log_line(keeper->parts.log, "%s: %s", nic->tap, err.text);
}

void host_refresh(struct keeper *keeper)
{
	struct host_facts was = keeper->facts;

	if (!keeper->is_up)
		return;
	keeper->facts.isolate_vms = conf_of(keeper)->isolate_vms;
	keeper->facts.mtu = conf_of(keeper)->mtu;
	dns_start(keeper);
	dns_for_guests(keeper, keeper->facts.dns);
	vec_each(&keeper->nics, held)
		refresh_nic(keeper, *held, was.mtu != keeper->facts.mtu);
	if (was.isolate_vms != keeper->facts.isolate_vms ||
	    memcmp(was.dns, keeper->facts.dns, sizeof(was.dns)) != 0)
		reopen_rules(keeper);
}
