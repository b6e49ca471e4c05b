/* SPDX-License-Identifier: Apache-2.0 */
/* Network settings below /proc/sys/net: those of the caller's network namespace, writable with CAP_NET_ADMIN alone. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "netd/links_private.h"

bool sysctl_read(const char *path, char *ret, size_t size, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	n = read(fd, ret, size - 1);
	if (n < 0)
		return err_sys(err, errno, "cannot read %s", path);
	if (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n] = '\0';
	return true;
}

bool sysctl_write(const char *path, const char *value, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(value);

	if (fd < 0)
		return err_sys(err, errno, "cannot open %s", path);
	if (write(fd, value, len) != (ssize_t)len)
		return err_sys(err, errno, "cannot write '%s' to %s", value, path);
	return true;
}

/* Only what differs is written: in a container that may read but not write them, what is right already will do. */
static bool need_value(const char *path, const char *value, struct err *err)
{
	char now[32];

	return sysctl_read(path, now, sizeof(now), err) &&
	       (strcmp(now, value) == 0 || sysctl_write(path, value, err));
}

bool sysctl_set(const struct sysctl *sysctl, const char *link, struct err *err)
{
	char path[128];
	int n = snprintf(path, sizeof(path), "/proc/sys/net/%s/%s/%s/%s", sysctl->family,
			 sysctl->table, link, sysctl->key);

	assert(n > 0 && (size_t)n < sizeof(path));
	/* A kernel without IPv6 has none that could be turned off. */
	if (strcmp(sysctl->family, "ipv6") == 0 && access("/proc/sys/net/ipv6", F_OK) < 0)
		return true;
	return need_value(path, sysctl->value, err);
}

bool link_mute(const char *link, struct err *err)
{
	const struct sysctl no_ipv6 = { "ipv6", "conf", "disable_ipv6", "1" };

	return sysctl_set(&no_ipv6, link, err);
}
