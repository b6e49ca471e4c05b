/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for a guest's address. */
#include "vmnet/lookup.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <time.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/number.h"
#include "net/alias.h"
#include "vmnet/neighbour_table.h"

/* Where DHCP servers of Linux hosts keep their leases; network services of users' own come first. */
#define HOME_LEASES "dhcp.leases"
static const char *const lease_files[] = {
	"/var/lib/libvirt/dnsmasq/*.status",
	"/var/lib/misc/dnsmasq.leases",
	"/var/lib/dnsmasq/dnsmasq.leases",
	"/var/lib/NetworkManager/dnsmasq-*.leases",
};

#define PORT_START_FILE "/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define SSH_PORT        22

/* What one attempt has found so far. */
struct search {
	struct lookup *lookup;
	int64_t now_s;
	struct lease best;
	bool routed; /* a keeper knows a NIC that is the only one to have an address */
	struct lookup_result result;
};

void lookup_done(struct lookup *lookup)
{
	keeper_close(&lookup->system);
	keeper_close(&lookup->rootless);
}

static void add_notice(struct lookup_result *result)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	uint64_t start = 0;
	int ssh;

	if (!fs_read_file(AT_FDCWD, PORT_START_FILE, 64, &text, &ignored) || text.len == 0)
		return;
	str_truncate(&text, text.len - 1); /* its newline */
	if (!number_parse_u64(str_span(&text), UINT16_MAX + 1, &start))
		return;
	ssh = alias_port(SSH_PORT, (uint32_t)start);
	if (ssh == SSH_PORT)
		return;
	(void)snprintf(
		result->notice, sizeof(result->notice),
		"Ports of the guest below %u are at their number plus %d there: ssh -p %d. To have them at "
		"their own: sysctl net.ipv4.ip_unprivileged_port_start=%d",
		(unsigned int)start, ssh - SSH_PORT, ssh, SSH_PORT);
}

static bool is_current(const struct search *search, const struct netd_nic *nic)
{
	switch (search->lookup->resolver) {
	case LOOKUP_DHCP:
		return nic->bound_at_s > 0 && nic->expires_s > search->now_s;
	case LOOKUP_ARP:
		return nic->seen_arp_s > 0 || nic->bound_at_s > 0;
	case LOOKUP_AGENT:
		break;
	}
	return false;
}

/* A rootless keeper's addresses are those of its own namespace: here, only the alias stands for one. */
static void take_nic(struct search *search, enum keeper_kind kind, const struct netd_nic *nic)
{
	bool forwarded = kind == KEEPER_ROOTLESS;
	ipv4 address = forwarded ? nic->forward : nic->address;

	search->result.kept = true;
	search->routed = search->routed || nic->mode != NETD_BRIDGED;
	if (!search->lookup->running || address == 0 || !is_current(search, nic))
		return;
	if (search->best.address != 0 && nic->expires_s < search->best.expires_s)
		return;
	search->best = (struct lease){ .address = address, .expires_s = nic->expires_s };
	search->result.forwarded = forwarded;
}

static bool list_nics(struct lookup *lookup, struct keeper *keeper, enum keeper_wish way,
		      struct netd_list *ret, struct err *err)
{
	bool found = keeper->fd >= 0;

	if (!found && !keeper_connect(lookup->home, way, keeper, &found, err))
		return false;
	keeper->timeout_ms = lookup->timeout_ms;
	return found && keeper_list(keeper, &lookup->mac, ret, err);
}

/* False only when the user wants no more of it: a keeper that cannot be asked is as good as none. */
static bool ask_keeper(struct search *search, struct keeper *keeper, enum keeper_wish way,
		       struct err *err)
{
	struct netd_list list = { 0 };
	struct err why = { 0 };

	if (!list_nics(search->lookup, keeper, way, &list, &why)) {
		keeper_close(keeper);
		return cancel_check(err);
	}
	vec_each(&list.nics, nic)
		take_nic(search, keeper->kind, nic);
	vec_done(&list.nics);
	return true;
}

static bool ask_keepers(struct search *search, struct err *err)
{
	struct lookup *lookup = search->lookup;

	if (lookup->wish != KEEPER_NONE && lookup->wish != KEEPER_ONLY_ROOTLESS &&
	    !ask_keeper(search, &lookup->system, KEEPER_ONLY_SYSTEM, err))
		return false;
	return lookup->wish == KEEPER_NONE || lookup->wish == KEEPER_ONLY_SYSTEM ||
	       ask_keeper(search, &lookup->rootless, KEEPER_ONLY_ROOTLESS, err);
}

/* libvirt's are JSON; what is absent, unreadable or no file counts as empty. */
static bool read_leases(struct search *search, int dirfd, const char *path, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	const struct mac *mac = &search->lookup->mac;

	if (!fs_read_file(dirfd, path, LEASES_TEXT_MAX, &text, &ignored))
		return true;
	if (span_ends_with(span_of(path), ".status"))
		return leases_of_libvirt(str_span(&text), mac, search->now_s, &search->best, err) ||
		       err_context(err, "%s", path);
	leases_of_dnsmasq(str_span(&text), mac, search->now_s, &search->best);
	return true;
}

static bool read_listed_leases(struct search *search, const char *paths, struct err *err)
{
	struct span rest = span_of(paths);
	struct span item;

	while (span_next(&rest, ':', &item)) {
		CLEANUP_FREE char *path = xstrndup(item.ptr, item.len);

		if (item.len > 0 && !read_leases(search, AT_FDCWD, path, err))
			return false;
	}
	return true;
}

static bool read_matching_leases(struct search *search, const char *pattern, struct err *err)
{
	glob_t found = { 0 };
	bool ok = true;

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; ok && i < found.gl_pathc; i++)
			ok = read_leases(search, AT_FDCWD, found.gl_pathv[i], err);
	globfree(&found);
	return ok;
}

static bool read_all_leases(struct search *search, struct err *err)
{
	const struct lookup *lookup = search->lookup;

	if (lookup->leases_env)
		return read_listed_leases(search, lookup->leases_env, err);
	if (!read_leases(search, lookup->home->root_fd, HOME_LEASES, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(lease_files); i++)
		if (!read_matching_leases(search, lease_files[i], err))
			return false;
	return true;
}

/* A lease of the VM's last run may be in somebody's database for a day: of a NIC that a keeper serves only it knows. */
static bool find_by_dhcp(struct search *search, struct err *err)
{
	return search->routed || read_all_leases(search, err);
}

static bool find_by_arp(struct search *search, struct err *err)
{
	return search->best.address != 0 ||
	       neighbour_table_find(&search->lookup->mac, &search->best.address, err);
}

static bool find(struct search *search, struct err *err)
{
	switch (search->lookup->resolver) {
	case LOOKUP_DHCP:
		return ask_keepers(search, err) && find_by_dhcp(search, err);
	case LOOKUP_ARP:
		return ask_keepers(search, err) && find_by_arp(search, err);
	case LOOKUP_AGENT:
		break;
	}
	return true;
}

bool lookup_once(struct lookup *lookup, struct lookup_result *ret, struct err *err)
{
	struct search search = { .lookup = lookup, .now_s = (int64_t)time(NULL) };

	if (!find(&search, err))
		return false;
	search.result.address = search.best.address;
	if (search.result.address == 0)
		search.result.forwarded = false;
	if (search.result.forwarded)
		add_notice(&search.result);
	*ret = search.result;
	return true;
}
