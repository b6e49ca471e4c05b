/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of a registry host: an flock on its directory, which is never removed. */
#include <errno.h>
#include <fcntl.h>

#include "base/attrs.h"
#include "base/fs.h"
#include "base/lock.h"
#include "storage/cache_paths.h"
#include "storage/cache_store.h"

bool cache_lock_dir(int host_fd, const struct wait_notice *notice, struct err *err)
{
	switch (lock_try(host_fd, err)) {
	case LOCK_TAKEN:
		return true;
	case LOCK_FAILED:
		return false;
	case LOCK_BUSY:
		break;
	}
	if (notice)
		notice->tell(notice->ctx);
	return lock_wait(host_fd, err);
}

/* The host's directory, made when missing: *ret_name is its name. */
static bool open_host(const struct home *home, const char *host, struct str *ret_name, int *ret_fd,
		      struct err *err)
{
	CLEANUP_CLOSE int root_fd = -1;

	name_encode_host(host, ret_name);
	if (!fs_make_dir(home->cache_fd, "OCIs", 0777, err))
		return false;
	root_fd = cache_open_root(home);
	if (root_fd < 0)
		return err_sys(err, errno, "cannot open '%s/cache/OCIs'", home->path);
	if (!fs_make_dir(root_fd, str_text(ret_name), 0777, err))
		return false;
	*ret_fd = cache_open_subdir(root_fd, str_text(ret_name));
	return *ret_fd >= 0 || err_sys(err, errno, "cannot open '%s/cache/OCIs/%s'", home->path,
				       str_text(ret_name));
}

bool cache_lock_host(const struct home *home, const char *host, const struct wait_notice *notice,
		     struct cache_lock *ret, struct err *err)
{
	CLEANUP_STR struct str name = { 0 };
	CLEANUP_CLOSE int fd = -1;

	if (!open_host(home, host, &name, &fd, err))
		return false;
	if (!cache_lock_dir(fd, notice, err))
		return err_context(err, "%s/cache/OCIs/%s", home->path, str_text(&name));
	ret->fd = TAKE_FD(fd);
	return true;
}

void cache_unlock_host(struct cache_lock *lock)
{
	cleanup_close(&lock->fd);
	lock->fd = -1;
}
