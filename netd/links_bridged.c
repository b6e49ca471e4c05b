/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridged NICs: what an interface of the host is good for, and a VM's place on it. network.md 2.4.
 *
 *	a Linux bridge		a TAP as one of its ports
 *	another Ethernet device	macvtap beside it (links_macvtap.c)
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <unistd.h>

#include "base/number.h"
#include "netd/links_private.h"

#define HIGH_OCTET 0xfe /* a bridge takes the lowest address of its ports for its own: never ours */

static bool is_own(const struct link_info *info)
{
	return strcmp(info->name, LINKS_HOST) == 0 || link_is_tap_name(info->name);
}

/* What is known of a link besides stands in /sys, where that is the one of this network namespace. */
static bool sys_has(const struct link_info *info, const char *entry)
{
	char path[96], text[16];
	struct err ignored = { 0 };
	uint64_t index;

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", info->name);
	if (!sysctl_read(path, text, sizeof(text), &ignored) ||
	    !number_parse_u64(span_of(text), INT32_MAX, &index) || (int)index != info->index)
		return false;
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/%s", info->name, entry);
	return access(path, F_OK) == 0;
}

static bool is_wireless(const struct link_info *info)
{
	return sys_has(info, "phy80211") || sys_has(info, "wireless");
}

/* Only a VRF leaves what its members receive to others. */
static bool is_occupied(const struct link_info *info, const link_infos *all,
			const struct link_info **ret_master)
{
	*ret_master = info->master ? link_by_index(all, info->master) : NULL;
	return info->master && (!*ret_master || strcmp((*ret_master)->kind, "vrf") != 0);
}

static bool refuse_port(const struct link_info *info, const struct link_info *master,
			struct err *err)
{
	if (!master)
		return err_set(err, ERR_GENERAL, "interface '%s' is part of another one",
			       info->name);
	return err_set(err, ERR_GENERAL,
		       "interface '%s' is part of '%s' already: use --net-bridged=%s", info->name,
		       master->name, master->name);
}

static bool is_kind(const struct link_info *info, const char *kind)
{
	return strcmp(info->kind, kind) == 0;
}

static bool classify(const struct link_info *info, const link_infos *all, bool *ret_macvtap,
		     struct err *err)
{
	const struct link_info *master;

	if (is_own(info))
		return err_set(err, ERR_GENERAL, "interface '%s' is tart's own: use another one",
			       info->name);
	if (info->flags & IFF_LOOPBACK)
		return err_set(err, ERR_GENERAL,
			       "interface '%s' is the loopback: use one that is connected",
			       info->name);
	if (is_kind(info, "openvswitch"))
		return err_set(err, ERR_GENERAL,
			       "interface '%s' is an Open vSwitch bridge: use a Linux bridge",
			       info->name);
	*ret_macvtap = !is_kind(info, "bridge");
	if (!*ret_macvtap)
		return true;
	if (is_occupied(info, all, &master))
		return refuse_port(info, master, err);
	if (info->type != ARPHRD_ETHER)
		return err_set(err, ERR_GENERAL,
			       "interface '%s' is not an Ethernet device: use one that is",
			       info->name);
	if (is_wireless(info))
		return err_set(err, ERR_GENERAL,
			       "interface '%s' is wireless, and access points ignore guests behind "
			       "it: use a wired one, or NAT",
			       info->name);
	return true;
}

static const struct link_info *link_by_name(const link_infos *all, const char *name)
{
	vec_each(all, info) {
		if (strcmp(info->name, name) == 0)
			return info;
	}
	return NULL;
}

static void candidates_of(const link_infos *all, bridged_candidates *ret)
{
	struct err ignored = { 0 };
	bool is_macvtap;

	vec_each(all, info) {
		struct bridged_candidate *candidate;

		if (!classify(info, all, &is_macvtap, &ignored))
			continue;
		candidate = vec_push(ret);
		memcpy(candidate->name, info->name, sizeof(candidate->name));
		candidate->is_bridge = !is_macvtap;
	}
}

static bool refuse_unknown(const char *name, const link_infos *all, struct err *err)
{
	bridged_candidates candidates = { 0 };
	struct str list = { 0 };

	candidates_of(all, &candidates);
	vec_each(&candidates, candidate)
		str_addf(&list, "%s%s", list.len ? ", " : "", candidate->name);
	(void)err_set(err, ERR_GENERAL,
		      "no bridge interfaces matched \"%s\", available interfaces: %s", name,
		      list.len ? list.ptr : "none");
	err->sys = ENODEV;
	str_done(&list);
	vec_done(&candidates);
	return false;
}

bool links_classify(struct links *links, const char *interface, bool *ret_macvtap, struct err *err)
{
	link_infos all = { 0 };
	const struct link_info *info;
	bool is_macvtap = false;
	bool done;

	if (!link_dump(links, &all, err))
		return false;
	info = link_by_name(&all, interface);
	done = info ? classify(info, &all, &is_macvtap, err) : refuse_unknown(interface, &all, err);
	vec_done(&all);
	if (done)
		*ret_macvtap = is_macvtap;
	return done;
}

bool links_candidates(struct links *links, bridged_candidates *ret, struct err *err)
{
	link_infos all = { 0 };

	if (!link_dump(links, &all, err))
		return false;
	candidates_of(&all, ret);
	vec_done(&all);
	return true;
}

static bool join_bridge(struct links *links, int index, const struct link_info *bridge,
			struct err *err)
{
	const struct link_change join = { .master = bridge->index };
	const struct link_change up = { .up = true };

	if (link_change(links, index, &join, err))
		return link_change(links, index, &up, err);
	if (err->sys == EXFULL)
		return err_set(err, ERR_GENERAL, "bridge '%s' has no room for another port",
			       bridge->name);
	return err_context(err, "cannot join bridge '%s'", bridge->name);
}

/* The bridge's MTU is that of its smallest port: a TAP must not make it smaller. */
static bool set_up_port(struct links *links, const struct nic *nic, const struct link_info *bridge,
			struct err *err)
{
	struct mac mac = nic->mac;
	const struct link_change looks = { .mac = &mac, .mtu = bridge->mtu };
	struct link_info info;

	mac.octets[0] = HIGH_OCTET;
	return link_get(links, nic->tap, &info, err) &&
	       link_change(links, info.index, &looks, err) && link_mute(nic->tap, err) &&
	       join_bridge(links, info.index, bridge, err);
}

static bool add_port(struct links *links, const struct nic *nic, const struct link_info *bridge,
		     int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;

	if (!tap_open(links, nic->tap, &fd, err) || !set_up_port(links, nic, bridge, err))
		return false;
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool links_add_bridged(struct links *links, const struct nic *nic, int *ret_fd, struct err *err)
{
	struct link_info info;
	bool is_macvtap;

	assert(link_is_tap_name(nic->tap));
	if (!links_classify(links, nic->interface, &is_macvtap, err) ||
	    !link_get(links, nic->interface, &info, err))
		return false;
	if (is_macvtap != nic->macvtap)
		return err_set(err, ERR_GENERAL, "interface '%s' has just become another one",
			       nic->interface);
	if (!(is_macvtap ? macvtap_open(links, nic, &info, ret_fd, err) :
			   add_port(links, nic, &info, ret_fd, err)))
		return err_context(err, "NIC '%s' on '%s'", nic->tap, nic->interface);
	return true;
}
