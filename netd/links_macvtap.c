/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's own address on an Ethernet device of the host. The kernel makes a character device for it, /dev/tapN with the
 * link's index, which is opened in place of a TAP.
 *
 * Indices belong to network namespaces, but /dev is one for all: /dev/tapN may be the device of somebody else's link. What
 * ours is stands in /sys/class/net/LINK/tapN/dev. A node is opened only if it is that; else a private one is made
 * where that is permitted (CAP_MKNOD).
 *
 * udev gives the node to the keeper's user (dist/), a moment after it has appeared.
 *
 * Unlike a TAP, the link stays when its descriptor is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "netd/links_private.h"

#define UDEV_PATIENCE_MS 2000

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

/* "MAJOR:MINOR" */
static bool parse_device(struct span text, dev_t *ret)
{
	size_t colon = span_find(text, ':');
	uint64_t high, low;

	if (colon == text.len || !number_parse_u64(span_first(text, colon), UINT32_MAX, &high) ||
	    !number_parse_u64(span_from(text, colon + 1), UINT32_MAX, &low))
		return false;
	*ret = makedev((unsigned int)high, (unsigned int)low);
	return true;
}

static bool find_device(const struct link_info *info, dev_t *ret, struct err *err)
{
	char path[96], text[32];

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/tap%d/dev", info->name, info->index);
	if (!sysctl_read(path, text, sizeof(text), err))
		return err_context(err, "/sys is not that of this network namespace");
	return parse_device(span_of(text), ret) ||
	       err_set(err, ERR_GENERAL, "%s has no device number", path);
}

static bool is_device(int fd, dev_t device)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == device;
}

enum open_result { OPEN_DONE, OPEN_OTHER, OPEN_DENIED, OPEN_FAILED };

/* Looks before it opens: opening somebody else's would take some of his packets. */
static enum open_result try_open(const char *path, dev_t device, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char self[32];
	int fd;

	if (place < 0 || !is_device(place, device))
		return OPEN_OTHER;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	fd = open(self, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		*ret_fd = fd;
		return OPEN_DONE;
	}
	(void)err_sys(err, errno, "cannot open %s", path);
	return err->sys == EACCES ? OPEN_DENIED : OPEN_FAILED;
}

static int64_t clock_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A node that is not ours to open may become it when udev gets to it. */
static enum open_result wait_and_open(const char *path, dev_t device, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd change = { .fd = inotify, .events = POLLIN };
	int64_t end_ms = clock_ms() + UDEV_PATIENCE_MS;
	_Alignas(struct inotify_event) char events[512];
	/* All of the folder: what may not be read may not be watched. */
	bool is_watching = inotify >= 0 && inotify_add_watch(inotify, "/dev", IN_ATTRIB) >= 0;

	for (;;) {
		enum open_result result = try_open(path, device, ret_fd, err);
		int64_t left_ms = end_ms - clock_ms();

		if (result != OPEN_DENIED || !is_watching || left_ms <= 0 ||
		    poll(&change, 1, (int)left_ms) == 0)
			return result;
		(void)!read(inotify, events, sizeof(events));
	}
}

/* A node beside the others that is gone again before anybody else can open it. */
static enum open_result make_and_open(const struct nic *nic, dev_t device, int *ret_fd,
				      struct err *err)
{
	enum open_result result;
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/.%s", nic->tap);
	if (mknod(path, S_IFCHR | 0600, device) < 0) {
		(void)err_sys(err, errno, "cannot make a device node");
		return OPEN_FAILED;
	}
	result = try_open(path, device, ret_fd, err);
	(void)unlink(path);
	return result;
}

static bool open_device(const struct nic *nic, const struct link_info *info, int *ret_fd,
			struct err *err)
{
	enum open_result result;
	char path[32];
	dev_t device;

	(void)snprintf(path, sizeof(path), "/dev/tap%d", info->index);
	if (!find_device(info, &device, err))
		return false;
	result = wait_and_open(path, device, ret_fd, err);
	if (result == OPEN_DENIED)
		return err_context(err, "udev has not given the device to this user");
	if (result != OPEN_OTHER)
		return result == OPEN_DONE;
	if (make_and_open(nic, device, ret_fd, err) == OPEN_DONE)
		return true;
	return err_context(err, "%s is missing, or of another network namespace", path);
}

/* As the TAPs are: QEMU asks what it has been given and sets the rest itself. The name proves that it is ours. */
static bool set_flags(int fd, const struct nic *nic, struct err *err)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNGETIFF, &request) < 0)
		return err_sys(err, errno, "cannot set up the device");
	if (strncmp(request.ifr_name, nic->tap, sizeof(request.ifr_name)) != 0)
		return err_set(err, ERR_GENERAL, "the device is that of another interface");
	return true;
}

/* All multicast: which groups the guest is in, only the guest knows; IPv6 does not work without. */
static bool set_up(struct links *links, const struct nic *nic, int *ret_fd, struct err *err)
{
	const struct link_change up = { .up = true, .all_multicast = true };
	CLEANUP_CLOSE int fd = -1;
	struct link_info info;

	if (!link_get(links, nic->tap, &info, err) || !open_device(nic, &info, &fd, err) ||
	    !set_flags(fd, nic, err) || !link_mute(nic->tap, err) ||
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
