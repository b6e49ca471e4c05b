/* SPDX-License-Identifier: Apache-2.0 */
/* The handle of the kernel's links, and what there is of ours. */
#include "netd/links.h"

#include <linux/netlink.h>
#include <net/if.h>

#include "netd/links_private.h"

bool links_open(struct opener *opener, struct links **ret, struct err *err)
{
	struct links *links = xcalloc(1, sizeof(*links));

	links->opener = opener;
	if (!netlink_open(NETLINK_ROUTE, &links->route, err) ||
	    !netlink_open(NETLINK_NETFILTER, &links->flows, err)) {
		links_close(links);
		return false;
	}
	*ret = links;
	return true;
}

void links_close(struct links *links)
{
	if (!links)
		return;
	links_watch_end(links);
	netlink_close(links->route);
	netlink_close(links->flows);
	vec_done(&links->clean);
	free(links);
}

bool links_list(struct links *links, found_links *ret, struct err *err)
{
	link_infos infos = { 0 };

	if (!link_dump(links, &infos, err))
		return false;
	vec_each(&infos, info) {
		struct found_link *found;

		if (!link_is_tap_name(info->name))
			continue;
		found = vec_push(ret);
		memcpy(found->tap, info->name, sizeof(found->tap));
		found->index = info->index;
		found->macvtap = strcmp(info->kind, "macvtap") == 0;
		found->is_up = info->flags & IFF_UP;
		found->has_carrier = info->has_carrier;
	}
	vec_done(&infos);
	return true;
}

bool links_index(struct links *links, const char *tap, int *ret, struct err *err)
{
	struct link_info info;

	if (!link_get(links, tap, &info, err))
		return false;
	*ret = info.index;
	return true;
}

int links_open_vhost(struct links *links)
{
	const struct device vhost = { .kind = DEVICE_VHOST };
	struct err ignored = { 0 };
	int fd = -1;

	(void)opener_open(links->opener, &vhost, &fd, &ignored);
	return fd;
}
