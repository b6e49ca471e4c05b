/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing one NIC up and taking it down. Source: network.md 4.1.
 *
 *	address		out of the pool
 *	state		the file that tells the next keeper, should this one die from here on
 *	rules		elements, in one transaction
 *	link		conntrack, TAP, sysctls, up, route, neighbour: links_add_tap()
 *	dhcp		socket to the child
 *	(reply		the caller's)
 *
 * Down is the undoing of each in reverse, so that rules outlive the link, and the file outlives both. A keeper that dies in
 * between leaves the file, and the next one does the rest.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "netd/keeper_private.h"

struct bringing {
	struct keeper *keeper;
	struct held_nic *held;
	int fd;
	enum netd_error code; /* of a failure, set by the step where it is not the kernel's */
};

void nic_free(struct held_nic *held)
{
	if (!held)
		return;
	nic_done(&held->nic);
	free(held);
}

void keeper_step(const struct keeper *keeper, const char *name)
{
	if (keeper->parts.die_at && strcmp(keeper->parts.die_at, name) == 0)
		(void)kill(getpid(), SIGKILL);
}

static bool is_bridged(const struct held_nic *held)
{
	return held->nic.mode == NETD_BRIDGED;
}

static bool take_address(struct bringing *b, struct err *err)
{
	struct addresses *pool = b->keeper->addresses;
	struct nic *nic = &b->held->nic;
	char net[CIDR_TEXT_SIZE];

	if (is_bridged(b->held))
		return true;
	cidr_print(&b->keeper->facts.subnet.cidr, net);
	switch (addresses_take(pool, &nic->mac, nic->uid, keeper_now_s(), &nic->address)) {
	case ADDRESSES_DONE:
		loop_arm(b->keeper->store_deadline, STORE_AFTER_MS);
		return true;
	case ADDRESSES_EXHAUSTED:
		b->code = NETD_E_EXHAUSTED;
		return err_set(err, ERR_GENERAL, "all %zu addresses of %s are used by running VMs",
			       addresses_total(pool), net);
	case ADDRESSES_UNFAIR:
		break;
	}
	b->code = NETD_E_LIMIT;
	return err_set(
		err, ERR_GENERAL,
		"you have your share of the addresses of %s: the last ones are kept for other users",
		net);
}

static void release_address(struct keeper *keeper, struct held_nic *held)
{
	if (is_bridged(held) || !keeper->addresses)
		return;
	addresses_release(keeper->addresses, held->nic.address, keeper_now_s());
	loop_arm(keeper->store_deadline, STORE_AFTER_MS);
}

static bool save_state(struct bringing *b, struct err *err)
{
	return state_save_nic(b->keeper->parts.state, &b->held->nic, err);
}

static void forget_state(struct keeper *keeper, struct held_nic *held)
{
	state_forget_nic(keeper->parts.state, held->nic.tap);
}

static bool add_rules(struct bringing *b, struct err *err)
{
	return is_bridged(b->held) || rules_add(b->keeper->rules, &b->held->nic, err);
}

static void remove_rules(struct keeper *keeper, struct held_nic *held)
{
	struct err err = { 0 };

	/* Stale elements name an interface that never comes again: an ugly thing, not a hole. */
	if (!is_bridged(held) && keeper->rules && !rules_remove(keeper->rules, &held->nic, &err))
		log_line(keeper->parts.log, "%s: %s", held->nic.tap, err.text);
}

static bool add_link(struct bringing *b, struct err *err)
{
	const struct keeper *keeper = b->keeper;
	const struct nic *nic = &b->held->nic;
	bool ok = is_bridged(b->held) ?
			  links_add_bridged(keeper->links, nic, &b->fd, err) :
			  links_add_tap(keeper->links, nic, &keeper->facts.subnet,
					keeper->parts.settings->conf.mtu, &b->fd, err);

	if (!ok)
		return false;
	if (links_index(keeper->links, nic->tap, &b->held->ifindex, err))
		return true;
	(void)links_remove(keeper->links, nic, &(struct err){ 0 });
	return false;
}

static void remove_link(struct keeper *keeper, struct held_nic *held)
{
	struct err err = { 0 };

	if (!links_remove(keeper->links, &held->nic, &err))
		log_line(keeper->parts.log, "%s: %s", held->nic.tap, err.text);
}

static void fill_offer(const struct keeper *keeper, const struct nic *nic, struct dhcp_offer *ret)
{
	const struct network_conf *conf = &keeper->parts.settings->conf;

	*ret = (struct dhcp_offer){
		.mac = nic->mac,
		.gateway_mac = nic_gateway_mac,
		.address = nic->address,
		.gateway = keeper->facts.subnet.gateway,
		.prefix = keeper->facts.subnet.cidr.prefix,
		.no_router = nic->mode == NETD_HOST,
		.lease_s = conf->lease_time_s,
		.mtu = conf->mtu,
	};
	memcpy(ret->dns, keeper->facts.dns, sizeof(ret->dns));
	/* Nothing but the gateway can be reached. */
	if (nic->mode == NETD_HOST)
		memset(ret->dns, 0, sizeof(ret->dns));
	if (nic->mode == NETD_HOST && keeper->facts.dns[0] == keeper->facts.subnet.gateway)
		ret->dns[0] = keeper->facts.subnet.gateway;
}

bool nic_serve(struct keeper *keeper, const struct held_nic *held, struct err *err)
{
	struct dhcp_offer offer;

	if (is_bridged(held))
		return dhcp_link_snoop(keeper->dhcp, held->nic.tap, held->ifindex, &held->nic.mac,
				       err);
	fill_offer(keeper, &held->nic, &offer);
	return dhcp_link_serve(keeper->dhcp, held->nic.tap, held->ifindex, &offer, err);
}

static bool start_dhcp(struct bringing *b, struct err *err)
{
	return nic_serve(b->keeper, b->held, err);
}

static void stop_dhcp(struct keeper *keeper, struct held_nic *held)
{
	dhcp_link_forget(keeper->dhcp, held->nic.tap);
}

static const struct {
	const char *name; /* for --die-at; "down-<name>" after its undoing */
	bool (*up)(struct bringing *b, struct err *err);
	void (*down)(struct keeper *keeper, struct held_nic *held);
} steps[] = {
	{ "address", take_address, release_address },
	{ "state", save_state, forget_state },
	{ "rules", add_rules, remove_rules },
	{ "link", add_link, remove_link },
	{ "dhcp", start_dhcp, stop_dhcp },
};

static void undo(struct keeper *keeper, struct held_nic *held, size_t n_steps)
{
	while (n_steps-- > 0) {
		char name[32];

		steps[n_steps].down(keeper, held);
		(void)snprintf(name, sizeof(name), "down-%s", steps[n_steps].name);
		keeper_step(keeper, name);
	}
}

bool nic_up(struct keeper *keeper, struct held_nic *held, int *ret_fd, struct netd_failure *failure)
{
	struct bringing b = { .keeper = keeper, .held = held, .fd = -1, .code = NETD_E_KERNEL };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (!steps[i].up(&b, &err)) {
			/* The link lives as long as its descriptor. */
			cleanup_close(&b.fd);
			undo(keeper, held, i);
			return refuse_err(failure, b.code, &err);
		}
		keeper_step(keeper, steps[i].name);
	}
	*ret_fd = b.fd;
	return true;
}

void nic_down(struct keeper *keeper, struct held_nic *held)
{
	undo(keeper, held, ARRAY_LEN(steps));
	keeper_take_out(keeper, held);
	accounts_remove_nic(&keeper->accounts, held->nic.uid);
	log_line(keeper->parts.log, "%s: VM '%s' of user %u is gone", held->nic.tap, held->nic.vm,
		 held->nic.uid);
	nic_free(held);
	keeper_changed(keeper);
}
