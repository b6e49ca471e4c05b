/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's own address on an Ethernet device of the host. The kernel makes a character device for it (devices.h), which is opened
 * in place of a TAP.
 *
 * Unlike a TAP, the link stays when its descriptor is closed.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netd/links_private.h"

static bool make_link(struct links *links, const struct nic *nic, int lower, struct err *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct netlink_request request;
	size_t info, data;

	netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, NETLINK_HEAD(head));
	netlink_put_text(&request, IFLA_IFNAME, nic->tap);
	netlink_put_u32(&request, IFLA_LINK, (uint32_t)lower);
	netlink_put(&request, IFLA_ADDRESS, NETLINK_HEAD(nic->mac));
	info = netlink_nest(&request, IFLA_LINKINFO);
	netlink_put_text(&request, IFLA_INFO_KIND, "macvtap");
	data = netlink_nest(&request, IFLA_INFO_DATA);
	netlink_put_u32(&request, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	netlink_end(&request, data);
	netlink_end(&request, info);
	return netlink_ask(links->route, &request, NULL, NULL, err) ||
	       err_context(err, "cannot make a macvtap interface");
}

static bool open_device(const struct links *links, const struct link_info *info, int *ret_fd,
			struct err *err)
{
	struct device device = { .kind = DEVICE_MACVTAP, .ifindex = info->index };

	memcpy(device.tap, info->name, sizeof(device.tap));
	return opener_open(links->opener, &device, ret_fd, err);
}

/* As the TAPs are: QEMU asks what it has been given and sets the rest itself. */
static bool set_flags(int fd, struct err *err)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	return ioctl(fd, TUNSETIFF, &request) == 0 ||
	       err_sys(err, errno, "cannot set up the device");
}

/* All multicast: which groups the guest is in, only the guest knows; IPv6 does not work without. */
static bool set_up(struct links *links, const struct nic *nic, int *ret_fd, struct err *err)
{
	const struct link_change up = { .up = true, .all_multicast = true };
	CLEANUP_CLOSE int fd = -1;
	struct link_info info;

	if (!link_get(links, nic->tap, &info, err) || !open_device(links, &info, &fd, err) ||
	    !set_flags(fd, err) || !link_mute(nic->tap, err) ||
	    !link_change(links, info.index, &up, err))
		return false;
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool macvtap_open(struct links *links, const struct nic *nic, const struct link_info *lower,
		  int *ret_fd, struct err *err)
{
	struct err ignored = { 0 };

	if (!make_link(links, nic, lower->index, err))
		return false;
	if (set_up(links, nic, ret_fd, err))
		return true;
	(void)links_delete(links, nic->tap, &ignored);
	return false;
}
