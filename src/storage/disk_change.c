/* SPDX-License-Identifier: Apache-2.0 */
/* Changing disks under the locks that keep the VM from starting meanwhile. */
#include "storage/disk_change.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "image/copy.h"
#include "storage/bundle.h"
#include "storage/temp.h"

/*
 * Whoever sees the record lock takes the VM for running, and `run` would refuse to start it. With the home lock
 * around it `run` waits instead. Both are held for the change alone, not while data is copied.
 */
static bool lock_vm(const struct home *home, const char *name, int bundle_fd,
		    struct bundle_lock *ret, struct err *err)
{
	if (!home_lock(home, err))
		return false;
	switch (bundle_lock_try(bundle_fd, ret, err)) {
	case BUNDLE_LOCKED:
		return true;
	case BUNDLE_BUSY:
		(void)err_vm_running(err, name);
		break;
	case BUNDLE_LOCK_FAILED:
		(void)err_context(err, "VM \"%s\"", name);
		break;
	}
	home_unlock(home);
	return false;
}

static void unlock_vm(const struct home *home, struct bundle_lock *lock)
{
	bundle_unlock(lock);
	home_unlock(home);
}

static bool open_disk_file(const char *path, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", path);
	*ret_fd = TAKE_FD(fd);
	return true;
}

static bool copy(int from_fd, int to_fd, struct err *err)
{
	int why;

	return copy_reflink(from_fd, to_fd, &why, err) &&
	       (why == 0 || copy_sparse(from_fd, to_fd, NULL, err)) && fs_sync(to_fd, err);
}

bool vm_replace_disk(const struct home *home, const char *name, int bundle_fd, const char *path,
		     struct err *err)
{
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	struct bundle_lock lock = BUNDLE_LOCK_INIT;
	CLEANUP_CLOSE int fd = -1;
	bool ok;

	if (!open_disk_file(path, &fd, err) || !temp_make_vm_file(home, "set-disk-", &temp, err))
		return false;
	if (!copy(fd, temp.fd, err))
		return err_context(err, "copying '%s'", path);
	if (!lock_vm(home, name, bundle_fd, &lock, err))
		return false;
	ok = disk_replace(bundle_fd, temp.dir_fd, temp.name, err);
	unlock_vm(home, &lock);
	return ok;
}

bool vm_grow_disk(const struct home *home, const char *name, int bundle_fd, uint64_t size_bytes,
		  struct err *err)
{
	struct bundle_lock lock = BUNDLE_LOCK_INIT;
	bool ok;

	if (!lock_vm(home, name, bundle_fd, &lock, err))
		return false;
	ok = disk_grow(bundle_fd, size_bytes, err);
	unlock_vm(home, &lock);
	return ok;
}
