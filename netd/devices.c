/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening device nodes. Two have fixed names. Each macvtap interface has one of its own: the kernel makes /dev/tapN with the
 * link's index, at once (devtmpfs), and as root's.
 *
 * Indices belong to network namespaces, but /dev is one for all: /dev/tapN may be the device of somebody else's link. What
 * ours is stands in /sys/class/net/LINK/tapN/dev. A node is opened only if it is that; else a private one is made
 * where that is permitted (CAP_MKNOD): in containers, whose /dev the kernel does not fill. What has been opened says its
 * interface's name then.
 */
#include "netd/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/fs.h"
#include "base/number.h"

#define SYS_FILE_MAX 4096 /* what /sys says that each of its files is long */

static bool open_fixed(const char *path, int flags, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	*ret_fd = fd;
	return true;
}

/* NETD_TAP_PREFIX and hexadecimal digits, as the keeper names them: no path can be made of that. */
static bool is_tap_name(const char tap[NETD_IF_SIZE])
{
	static const size_t prefix = sizeof(NETD_TAP_PREFIX) - 1;
	const char *end = memchr(tap, '\0', NETD_IF_SIZE);

	return end && (size_t)(end - tap) > prefix && memcmp(tap, NETD_TAP_PREFIX, prefix) == 0 &&
	       strspn(tap + prefix, "0123456789abcdef") == (size_t)(end - tap) - prefix;
}

/* "MAJOR:MINOR\n" */
static bool parse_device(struct span text, dev_t *ret)
{
	size_t colon, newline = span_find(text, '\n');
	uint64_t high, low;

	text = span_first(text, newline);
	colon = span_find(text, ':');
	if (colon == text.len || !number_parse_u64(span_first(text, colon), UINT32_MAX, &high) ||
	    !number_parse_u64(span_from(text, colon + 1), UINT32_MAX, &low))
		return false;
	*ret = makedev((unsigned int)high, (unsigned int)low);
	return true;
}

static bool find_number(const struct device *device, dev_t *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	char path[96];

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/tap%d/dev", device->tap,
		       device->ifindex);
	if (!fs_read_file(AT_FDCWD, path, SYS_FILE_MAX, &text, err))
		return err_context(err, "/sys is not that of this network namespace");
	return parse_device(str_span(&text), ret) ||
	       err_set(err, ERR_GENERAL, "%s has no device number", path);
}

static bool is_device(int fd, dev_t number)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == number;
}

enum open_result { OPEN_DONE, OPEN_OTHER, OPEN_FAILED };

/* Looks before it opens: opening somebody else's would take some of his packets. */
static enum open_result try_open(const char *path, dev_t number, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char self[32];
	int fd;

	if (place < 0 || !is_device(place, number))
		return OPEN_OTHER;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	fd = open(self, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		*ret_fd = fd;
		return OPEN_DONE;
	}
	(void)err_sys(err, errno, "cannot open %s", path);
	return OPEN_FAILED;
}

/* A node beside the others that is gone again before anybody else can open it. */
static enum open_result make_and_open(const char *tap, dev_t number, int *ret_fd, struct err *err)
{
	enum open_result result;
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/.%s", tap);
	if (mknod(path, S_IFCHR | 0600, number) < 0) {
		(void)err_sys(err, errno, "cannot make a device node");
		return OPEN_FAILED;
	}
	result = try_open(path, number, ret_fd, err);
	(void)unlink(path);
	return result;
}

/* The name proves that it is the right one. */
static bool check_name(int fd, const char *tap, struct err *err)
{
	struct ifreq request = { .ifr_flags = 0 };

	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return err_sys(err, errno, "cannot look at the device");
	return strncmp(request.ifr_name, tap, sizeof(request.ifr_name)) == 0 ||
	       err_set(err, ERR_GENERAL, "the device is that of another interface");
}

static bool open_macvtap(const struct device *device, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	enum open_result result;
	char path[32];
	dev_t number;

	if (!is_tap_name(device->tap) || device->ifindex <= 0)
		return err_set(err, ERR_GENERAL, "that is no interface of a VM");
	(void)snprintf(path, sizeof(path), "/dev/tap%d", device->ifindex);
	if (!find_number(device, &number, err))
		return false;
	result = try_open(path, number, &fd, err);
	if (result == OPEN_FAILED)
		return false;
	if (result == OPEN_OTHER && make_and_open(device->tap, number, &fd, err) != OPEN_DONE)
		return err_context(err, "%s is missing, or of another network namespace", path);
	if (!check_name(fd, device->tap, err))
		return false;
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool device_open(const struct device *device, int *ret_fd, struct err *err)
{
	switch (device->kind) {
	case DEVICE_TUN:
		return open_fixed("/dev/net/tun", O_NONBLOCK, ret_fd, err);
	case DEVICE_VHOST:
		return open_fixed("/dev/vhost-net", 0, ret_fd, err);
	case DEVICE_MACVTAP:
		return open_macvtap(device, ret_fd, err);
	default:
		return err_set(err, ERR_GENERAL, "there is no such device");
	}
}
