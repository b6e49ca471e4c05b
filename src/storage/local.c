/* SPDX-License-Identifier: Apache-2.0 */
/* The local VMs: finding and listing them, and the moves between vms and tmp. */
#include "storage/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "storage/config.h"
#include "storage/name.h"

/* -1 when there is no vms yet; looking something up creates nothing. */
static int open_vms(const struct home *home)
{
	return openat(home->root_fd, "vms", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The directory of that name, complete or not: -1 when there is none. A symbolic link to one counts. */
static int open_dir(int vms_fd, const char *name)
{
	if (vms_fd < 0 || name_local_problem(name))
		return -1;
	return openat(vms_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_absent(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP;
}

bool local_peek(const struct home *home, const char *name, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = -1;
	CLEANUP_CLOSE int fd = -1;

	errno = ENOENT;
	vms_fd = open_vms(home);
	fd = open_dir(vms_fd, name);
	if (fd < 0 && !is_absent(errno))
		return err_sys(err, errno, "cannot open VM \"%s\"", name);
	if (fd < 0)
		return err_vm_missing(err, name);
	if (!bundle_is_initialized(fd))
		return err_vm_incomplete(err);
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool local_open(const struct home *home, const char *name, int *ret_fd, struct err *err)
{
	struct err ignored;

	if (!local_peek(home, name, ret_fd, err))
		return false;
	/* Only the order of pruning depends on it: no reason to refuse a VM of a read-only file system. */
	(void)bundle_touch(*ret_fd, NULL, &ignored);
	return true;
}

static bool is_complete(int vms_fd, const char *name)
{
	CLEANUP_CLOSE int fd = open_dir(vms_fd, name);

	return fd >= 0 && bundle_is_initialized(fd);
}

bool local_exists(const struct home *home, const char *name)
{
	CLEANUP_CLOSE int vms_fd = open_vms(home);

	return is_complete(vms_fd, name);
}

bool local_list(const struct home *home, struct name_list *ret, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = open_vms(home);
	CLEANUP(name_list_done) struct name_list all = { 0 };
	struct name_list complete = { 0 };

	if (vms_fd < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot open '%s/vms'", home->path);
	if (vms_fd >= 0 && !dir_list(vms_fd, &all, err))
		return err_context(err, "%s/vms", home->path);
	vec_each(&all.names, name) {
		if (is_complete(vms_fd, *name))
			*vec_push(&complete.names) = TAKE_PTR(*name);
	}
	*ret = complete;
	return true;
}

/* The record lock of what bears this name, if there is something that can be locked. */
static bool lock_target(int vms_fd, const char *name, struct bundle_lock *ret, struct err *err)
{
	CLEANUP_CLOSE int fd = open_dir(vms_fd, name);

	if (fd < 0 || !fs_exists(fd, BUNDLE_CONFIG))
		return true;
	switch (bundle_lock_try(fd, ret, err)) {
	case BUNDLE_LOCKED:
		return true;
	case BUNDLE_BUSY:
		return err_vm_running(err, name);
	case BUNDLE_LOCK_FAILED:
		break;
	}
	return err_context(err, "VM \"%s\"", name);
}

/*
 * For file systems without RENAME_EXCHANGE (NFS, CIFS, some FUSE). Two renames cannot be one, so between them the
 * old VM keeps a name among the VMs: a kill then loses the new one, never the old one, which `tart list` shows under
 * that name.
 */
static bool exchange_in_steps(int vms_fd, const struct temp *temp, const char *name,
			      struct err *err)
{
	char uuid[RANDOM_UUID_SIZE];
	char aside[sizeof("replaced-") + RANDOM_UUID_SIZE];

	random_uuid(uuid);
	(void)snprintf(aside, sizeof(aside), "replaced-%s", uuid);
	if (renameat(vms_fd, name, vms_fd, aside) < 0)
		return err_sys(err, errno, "cannot move VM \"%s\" aside", name);
	if (renameat(temp->dir_fd, temp->name, vms_fd, name) < 0) {
		(void)err_sys(err, errno, "cannot replace VM \"%s\"", name);
		(void)renameat(vms_fd, aside, vms_fd, name);
		return false;
	}
	if (!fs_sync(vms_fd, err))
		return false;
	if (renameat(vms_fd, aside, temp->dir_fd, temp->name) < 0)
		return err_sys(err, errno, "cannot remove '%s'", aside);
	return true;
}

static bool exchange(int vms_fd, const struct temp *temp, const char *name, struct err *err)
{
	CLEANUP(bundle_unlock) struct bundle_lock lock = BUNDLE_LOCK_INIT;

	if (!lock_target(vms_fd, name, &lock, err))
		return false;
	if (renameat2(temp->dir_fd, temp->name, vms_fd, name, RENAME_EXCHANGE) == 0)
		return true;
	if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
		return exchange_in_steps(vms_fd, temp, name, err);
	return err_sys(err, errno, "cannot replace VM \"%s\"", name);
}

/* Moves a directory to a name that is free, or that of an empty directory. *ret = false when it is taken. */
static bool move_to_free(int from_fd, const char *from, int vms_fd, const char *name, bool *ret,
			 struct err *err)
{
	*ret = renameat(from_fd, from, vms_fd, name) == 0;
	if (*ret || errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
		return true;
	return err_sys(err, errno, "cannot create VM \"%s\"", name);
}

bool local_install(const struct home *home, struct temp *temp, const char *name, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = -1;
	bool done;

	if (!fs_sync(temp->fd, err) || !home_open_vms(home, &vms_fd, err) ||
	    !move_to_free(temp->dir_fd, temp->name, vms_fd, name, &done, err))
		return false;
	if (!done && !exchange(vms_fd, temp, name, err))
		return false;
	return fs_sync(vms_fd, err);
}

static bool rename_locked(int vms_fd, const char *name, const char *new_name, struct err *err)
{
	bool done;

	if (!is_complete(vms_fd, name))
		return err_set(err, ERR_USAGE, "failed to rename a non-existent local VM: %s",
			       name);
	/* Renaming to the same name would succeed. */
	done = strcmp(name, new_name) != 0;
	if (done && !move_to_free(vms_fd, name, vms_fd, new_name, &done, err))
		return false;
	if (!done)
		return err_set(
			err, ERR_USAGE,
			"failed to rename VM %s, target VM %s already exists, delete it first!",
			name, new_name);
	return fs_sync(vms_fd, err);
}

bool local_rename(const struct home *home, const char *name, const char *new_name, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = open_vms(home);
	bool ok;

	if (!home_lock(home, err))
		return false;
	ok = rename_locked(vms_fd, name, new_name, err);
	home_unlock(home);
	return ok;
}

static bool hide(const struct home *home, int vms_fd, const char *name, struct bundle_lock *lock,
		 struct temp *temp, struct err *err)
{
	CLEANUP_CLOSE int fd = open_dir(vms_fd, name);

	if (fd < 0 || !fs_exists(fd, BUNDLE_CONFIG))
		return err_vm_missing(err, name);
	return lock_target(vms_fd, name, lock, err) &&
	       temp_hide(home, vms_fd, vms_fd, name, temp, err);
}

bool local_delete(const struct home *home, const char *name, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = open_vms(home);
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	/* Held until nothing is left, or somebody who opened the VM before could still start it. */
	CLEANUP(bundle_unlock) struct bundle_lock lock = BUNDLE_LOCK_INIT;
	bool ok;

	if (!home_lock(home, err))
		return false;
	ok = hide(home, vms_fd, name, &lock, &temp, err);
	home_unlock(home);
	return ok && temp_remove(&temp, err);
}

static bool has_mac(int vms_fd, const char *name, const struct mac *mac, enum mac_scope scope)
{
	CLEANUP_CLOSE int fd = open_dir(vms_fd, name);
	CLEANUP(config_done) struct config config = { 0 };
	struct err ignored;

	if (fd < 0 || (scope == MAC_OF_RUNNING && bundle_state(fd, NULL) != VM_RUNNING))
		return false;
	return config_read(fd, &config, &ignored) && mac_equal(&config.mac, mac);
}

bool local_has_mac(const struct home *home, const struct mac *mac, const char *except,
		   enum mac_scope scope, bool *ret, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = open_vms(home);
	CLEANUP(name_list_done) struct name_list list = { 0 };
	bool found = false;

	if (!local_list(home, &list, err))
		return false;
	vec_each(&list.names, name) {
		if (!except || strcmp(*name, except) != 0)
			found = found || has_mac(vms_fd, *name, mac, scope);
	}
	*ret = found;
	return true;
}
