/* SPDX-License-Identifier: Apache-2.0 */
/* One VM bundle: state, sizes, record lock, access time, and the errors that speak of it. */
#include "storage/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/lock.h"

bool bundle_is_initialized(int bundle_fd)
{
	return fs_exists(bundle_fd, BUNDLE_CONFIG) && fs_exists(bundle_fd, BUNDLE_DISK) &&
	       fs_exists(bundle_fd, BUNDLE_NVRAM);
}

static bool is_running(int bundle_fd, pid_t *ret_pid)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_CONFIG,
				      O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && lock_record_is_held(fd, ret_pid);
}

enum vm_state bundle_state(int bundle_fd, pid_t *ret_pid)
{
	pid_t pid = 0;
	enum vm_state state = is_running(bundle_fd, &pid)        ? VM_RUNNING :
			      fs_exists(bundle_fd, BUNDLE_STATE) ? VM_SUSPENDED :
								   VM_STOPPED;

	if (ret_pid)
		*ret_pid = pid;
	return state;
}

const char *vm_state_text(enum vm_state state)
{
	switch (state) {
	case VM_RUNNING:
		return "running";
	case VM_SUSPENDED:
		return "suspended";
	case VM_STOPPED:
		break;
	}
	return "stopped";
}

static bool add_file(int bundle_fd, const char *name, struct bundle_sizes *sizes, struct err *err)
{
	struct stat st;

	if (fstatat(bundle_fd, name, &st, 0) < 0)
		return err_sys(err, errno, "cannot read the size of '%s'", name);
	sizes->logical_bytes += (uint64_t)st.st_size;
	sizes->allocated_bytes += (uint64_t)st.st_blocks * 512;
	return true;
}

bool bundle_sizes(int bundle_fd, struct bundle_sizes *ret, struct err *err)
{
	struct bundle_sizes sizes = { 0 };
	struct disk_info disk;

	if (!add_file(bundle_fd, BUNDLE_CONFIG, &sizes, err) ||
	    !add_file(bundle_fd, BUNDLE_NVRAM, &sizes, err) || !disk_inspect(bundle_fd, &disk, err))
		return false;
	sizes.logical_bytes += disk.size_bytes;
	sizes.allocated_bytes += disk.allocated_bytes;
	*ret = sizes;
	return true;
}

bool bundle_edit_lock(int bundle_fd, struct err *err)
{
	return lock_wait(bundle_fd, err);
}

void bundle_edit_unlock(int bundle_fd)
{
	(void)flock(bundle_fd, LOCK_UN);
}

enum bundle_lock_result bundle_lock_try(int bundle_fd, struct bundle_lock *ret, struct err *err)
{
	for (;;) {
		CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_CONFIG,
					      O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		struct stat locked;
		struct stat named;

		if (fd < 0) {
			(void)err_sys(err, errno, "cannot open '%s'", BUNDLE_CONFIG);
			return BUNDLE_LOCK_FAILED;
		}
		switch (lock_record_try(fd, err)) {
		case LOCK_FAILED:
			(void)err_context(err, "'%s'", BUNDLE_CONFIG);
			return BUNDLE_LOCK_FAILED;
		case LOCK_BUSY:
			return BUNDLE_BUSY;
		case LOCK_TAKEN:
			break;
		}
		/* Replaced or removed since we opened it: what we hold is the lock of another file. */
		if (fstat(fd, &locked) == 0 && fstatat(bundle_fd, BUNDLE_CONFIG, &named, 0) == 0 &&
		    fs_same_inode(&locked, &named)) {
			ret->fd = TAKE_FD(fd);
			return BUNDLE_LOCKED;
		}
	}
}

void bundle_unlock(struct bundle_lock *lock)
{
	cleanup_close(&lock->fd);
	lock->fd = -1;
}

bool bundle_touch(int bundle_fd, const struct timespec *when, struct err *err)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) }, { .tv_nsec = UTIME_OMIT } };

	if (when)
		times[0] = *when;
	if (futimens(bundle_fd, times) < 0)
		return err_sys(err, errno, "cannot set the access time");
	return true;
}

bool bundle_accessed(int bundle_fd, struct timespec *ret, struct err *err)
{
	struct stat st;

	if (fstat(bundle_fd, &st) < 0)
		return err_sys(err, errno, "cannot read the access time");
	*ret = st.st_atim;
	return true;
}

bool err_vm_missing(struct err *err, const char *name)
{
	return err_set(err, ERR_VM_MISSING, "the specified VM \"%s\" does not exist", name);
}

bool err_vm_incomplete(struct err *err)
{
	return err_set(err, ERR_VM_INCOMPLETE, "VM is missing some of its files (%s, %s or %s)",
		       BUNDLE_CONFIG, BUNDLE_DISK, BUNDLE_NVRAM);
}

bool err_vm_running(struct err *err, const char *name)
{
	return err_set(err, ERR_VM_RUNNING, "VM \"%s\" is running", name);
}

bool err_vm_not_running(struct err *err, const char *name)
{
	return err_set(err, ERR_VM_NOT_RUNNING, "VM \"%s\" is not running", name);
}

bool err_vm_already_running(struct err *err, const char *name)
{
	return err_set(err, ERR_VM_ALREADY_RUNNING, "VM \"%s\" is already running!", name);
}
