/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier keeper has left. network.md 7.
 *
 * A saved NIC whose link is there, and held by somebody, is a running VM: it is taken over with its address, and waits for
 * its tart to reattach. Everything else that bears our name is nobody's: links, elements, files, connections.
 */
#include <string.h>

#include "netd/keeper_private.h"

static const struct found_link *find_link(const found_links *links, const char *tap)
{
	vec_each(links, link)
		if (strcmp(link->tap, tap) == 0)
			return link;
	return NULL;
}

/* A TAP that was made persistent outlives its holder; it has no carrier then. */
static bool is_alive(const struct nic *nic, const struct found_link *link)
{
	return link && link->macvtap == nic->macvtap && (nic->macvtap || link->has_carrier);
}

static void clear_away(struct keeper *keeper, const struct nic *nic)
{
	struct err err = { 0 };

	if (!links_remove(keeper->links, nic, &err))
		log_line(keeper->parts.log, "%s: %s", nic->tap, err.text);
	state_forget_nic(keeper->parts.state, nic->tap);
	log_line(keeper->parts.log, "%s: VM '%s' has ended without a keeper", nic->tap, nic->vm);
}

static void remove_strays(struct keeper *keeper, const found_links *links)
{
	vec_each(links, link) {
		struct err err = { 0 };

		if (keeper_find(keeper, link->tap))
			continue;
		log_line(keeper->parts.log, "%s: nobody's", link->tap);
		if (!links_delete(keeper->links, link->tap, &err))
			log_line(keeper->parts.log, "%s: %s", link->tap, err.text);
	}
}

/* Takes the NIC, whose place in the list is empty afterwards. */
static void insert(struct keeper *keeper, struct nic *nic, const struct found_link *link)
{
	struct held_nic *held = xcalloc(1, sizeof(*held));

	held->nic = *nic;
	held->ifindex = link->index;
	held->since_ms = loop_now_ms(keeper->parts.loop);
	memset(nic, 0, sizeof(*nic));
	keeper_insert(keeper, held);
}

static void sort_out(struct keeper *keeper, nic_list *saved, const found_links *links)
{
	vec_each(saved, nic) {
		const struct found_link *link = find_link(links, nic->tap);

		if (is_alive(nic, link) && accounts_add_nic(&keeper->accounts, nic->uid))
			insert(keeper, nic, link);
		else
			clear_away(keeper, nic);
	}
	remove_strays(keeper, links);
}

static bool has_routed(const struct keeper *keeper)
{
	vec_each(&keeper->nics, held)
		if ((*held)->nic.mode != NETD_BRIDGED)
			return true;
	return false;
}

/* VMs that run decide about the subnet, whatever network.conf says by now; what is left of others does not. */
static bool bring_host_up(struct keeper *keeper, struct netd_failure *failure)
{
	struct subnet subnet;
	bool chosen;

	if (has_routed(keeper) && state_load_subnet(keeper->parts.state, &subnet, &chosen))
		return host_use_subnet(keeper, &subnet, chosen, failure);
	return host_up(keeper, failure);
}

/* False: it cannot have what it had. */
static bool take_over(struct keeper *keeper, struct held_nic *held, struct err *err)
{
	struct nic *nic = &held->nic;

	if (nic->mode == NETD_BRIDGED)
		return nic_serve(keeper, held, err);
	if (!addresses_take_this(keeper->addresses, &nic->mac, nic->uid, keeper_now_s(),
				 nic->address))
		return err_set(err, ERR_GENERAL, "its address cannot be had");
	nic->peer = nic->mode == NETD_SOFTNET ? policy_makes_peer(&nic->policy) :
						nic->mode == NETD_NAT && !keeper->facts.isolate_vms;
	return rules_add(keeper->rules, nic, err) && nic_serve(keeper, held, err);
}

static void take_over_all(struct keeper *keeper)
{
	for (size_t i = keeper->nics.n; i-- > 0;) {
		struct held_nic *held = keeper->nics.v[i];
		struct err err = { 0 };

		if (take_over(keeper, held, &err)) {
			log_line(keeper->parts.log, "%s: VM '%s' of user %u is adopted",
				 held->nic.tap, held->nic.vm, held->nic.uid);
			continue;
		}
		log_line(keeper->parts.log, "%s: %s", held->nic.tap, err.text);
		nic_down(keeper, held);
	}
}

bool keeper_adopt(struct keeper *keeper, struct err *err)
{
	CLEANUP(nic_list_done) nic_list saved = { 0 };
	CLEANUP_STR struct str log = { 0 };
	found_links links = { 0 };
	struct netd_failure failure;

	if (!state_load_nics(keeper->parts.state, &saved, &log, err) ||
	    !links_list(keeper->links, &links, err))
		return false;
	log_lines(keeper->parts.log, str_text(&log));
	sort_out(keeper, &saved, &links);
	vec_done(&links);
	if ((has_routed(keeper) || state_is_marked_up(keeper->parts.state)) &&
	    !bring_host_up(keeper, &failure)) {
		if (has_routed(keeper))
			return err_set(err, ERR_GENERAL, "%s", failure.text);
		log_line(keeper->parts.log, "%s", failure.text);
	}
	if (keeper->nics.n > 0 && !host_want_dhcp(keeper, err))
		return false;
	take_over_all(keeper);
	orphans_watch(keeper);
	return true;
}

void orphans_watch(struct keeper *keeper)
{
	vec_each(&keeper->nics, held)
		if (!(*held)->owner)
			loop_arm(keeper->orphans_deadline, ORPHANS_EVERY_MS);
}

/* The end of a link is told (links_watch); this is for links that do not end by themselves. */
void orphans_on_deadline(void *ctx)
{
	struct keeper *keeper = ctx;
	uint64_t now_ms = loop_now_ms(keeper->parts.loop);
	found_links links = { 0 };
	struct err err = { 0 };

	if (!links_list(keeper->links, &links, &err)) {
		log_line(keeper->parts.log, "%s", err.text);
		orphans_watch(keeper);
		return;
	}
	for (size_t i = keeper->nics.n; i-- > 0;) {
		struct held_nic *held = keeper->nics.v[i];

		if (held->owner)
			continue;
		if (!is_alive(&held->nic, find_link(&links, held->nic.tap)) ||
		    (held->nic.macvtap && now_ms - held->since_ms > ADOPTED_MS))
			nic_down(keeper, held);
	}
	vec_done(&links);
	orphans_watch(keeper);
}
