/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind links.h share. */
#ifndef TART_NETD_LINKS_PRIVATE_H
#define TART_NETD_LINKS_PRIVATE_H

#include "base/vec.h"
#include "netd/links.h"
#include "netd/links_message.h"

#define LINKS_HOST "tart0" /* carries the gateway's address */

struct links_watched;

struct links {
	struct opener *opener;
	struct netlink *route; /* rtnetlink */
	struct netlink *flows; /* ctnetlink */
	struct links_watched *watched;
	VEC(ipv4)
	clean; /* addresses of former VMs; their connections were ended after their links */
};

typedef VEC(struct link_info) link_infos;
typedef VEC(struct address_info) address_infos;

/* links_link.c. A link by name or index; *ret_found false when there is none. */
bool link_find(struct links *links, const char *name, struct link_info *ret, bool *ret_found,
	       struct err *err);
/* The same, where it has to be there. */
bool link_get(struct links *links, const char *name, struct link_info *ret, struct err *err);
bool link_dump(struct links *links, link_infos *ret, struct err *err);
const struct link_info *link_by_index(const link_infos *infos, int index); /* NULL: none */
bool link_is_tap_name(const char *name);                                   /* starts with tart- */

bool link_dump_addresses(struct links *links, address_infos *ret, struct err *err);

/* What is zero or NULL stays as it is. */
struct link_change {
	bool up, down, all_multicast;
	const struct mac *mac;
	uint32_t mtu;
	int master;
	const char *alias;
};
bool link_change(struct links *links, int index, const struct link_change *change, struct err *err);
bool link_remove(struct links *links, int index, struct err *err); /* gone already: true */

/* links_sysctl.c. /proc/sys/net/FAMILY/conf/LINK/KEY; a family that the kernel does not have (ipv6) is no error. */
struct sysctl {
	const char *family, *table, *key, *value;
};
bool sysctl_set(const struct sysctl *sysctl, const char *link, struct err *err);
bool link_mute(const char *link, struct err *err); /* the host itself gets no IPv6 address there */
bool sysctl_read(const char *path, char *ret, size_t size,
		 struct err *err); /* without the newline */
bool sysctl_write(const char *path, const char *value, struct err *err);

/* links_flows.c. Forgets all connections that an address takes part in, on either side and after translation. */
bool flows_forget(struct netlink *netlink, ipv4 address, struct err *err);

/* links_tap.c. A fresh TAP of that name, down, which lives as long as *ret_fd. */
bool tap_open(const struct links *links, const char *name, int *ret_fd, struct err *err);

/* links_macvtap.c. A macvtap link of the NIC's name on `lower`, up, and its device. */
bool macvtap_open(struct links *links, const struct nic *nic, const struct link_info *lower,
		  int *ret_fd, struct err *err);

void links_watch_end(struct links *links); /* links_watch.c */

#endif
