/* SPDX-License-Identifier: Apache-2.0 */
/* Opening disks for QEMU. */
#include "machine/disk_open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"
#include "image/copy.h"
#include "image/disk.h"
#include "machine/nbd_url.h"
#include "storage/bundle.h"
#include "storage/cache.h"

void open_disk_done(struct open_disk *disk)
{
	disk_spec_done(&disk->spec);
	temp_done(&disk->copy);
	*disk = (struct open_disk)OPEN_DISK_INIT;
}

char *path_expand_home(struct span path, const char *user_home)
{
	bool has_tilde = path.len > 0 && path.ptr[0] == '~' &&
			 (path.len == 1 || path.ptr[1] == '/');

	if (!has_tilde || !user_home)
		return xstrndup(path.ptr, path.len);
	return xasprintf("%s%.*s", user_home, (int)path.len - 1, path.ptr + 1);
}

static enum path_kind look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return PATH_MISSING;
	if (S_ISBLK(st.st_mode))
		return PATH_BLOCK;
	return S_ISREG(st.st_mode) ? PATH_FILE : PATH_MISSING;
}

static int access_mode(const struct disk_spec *spec)
{
	return spec->read_only ? O_RDONLY : O_RDWR;
}

/* QEMU will turn on direct access through its copy of the descriptor. */
static bool check_direct(int fd, const char *path, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0 &&
	    fcntl(fd, F_SETFL, flags) == 0)
		return true;
	return err_set(err, ERR_GENERAL,
		       "the file system of '%s' does not support caching mode \"uncached\"", path);
}

static bool open_file(const char *path, struct disk_spec *spec, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, access_mode(spec) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_GENERAL, "disk '%s' does not exist", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open disk '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "disk '%s' is neither a file nor a block device",
			       path);
	if (!spec->read_only) {
		switch (lock_try(fd, err)) {
		case LOCK_TAKEN:
			break;
		case LOCK_BUSY:
			return err_set(err, ERR_DISK_BUSY, "disk %s seems to be already in use",
				       path);
		case LOCK_FAILED:
			return err_context(err, "disk '%s'", path);
		}
	}
	if (spec->caching == CACHING_DIRECT && !check_direct(fd, path, err))
		return false;
	spec->source = DISK_SOURCE_FILE;
	spec->fd = TAKE_FD(fd);
	return true;
}

static bool open_block(const char *path, struct disk_spec *spec, struct err *err)
{
	/* Claimed for us alone: a mounted device gives EBUSY. Reading disturbs nobody. */
	int claim = spec->read_only ? 0 : O_EXCL;
	int fd = open(path, access_mode(spec) | claim | O_CLOEXEC);

	if (fd < 0 && errno == EBUSY)
		return err_set(err, ERR_BLOCK_DEVICE,
			       "failed to open block device %s: it is in use, unmount it first",
			       path);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return err_set(
			err, ERR_BLOCK_DEVICE,
			"failed to open block device %s: permission denied, consider changing its "
			"owner or group",
			path);
	if (fd < 0) {
		(void)err_sys(err, errno, "failed to open block device %s", path);
		return err_reclass(err, ERR_BLOCK_DEVICE);
	}
	spec->source = DISK_SOURCE_BLOCK;
	spec->fd = fd;
	return true;
}

static bool open_nbd(struct span url, struct disk_spec *spec, struct err *err)
{
	if (!nbd_url_parse(url, &spec->nbd, err))
		return false;
	/* QEMU's working directory is not ours. */
	if (spec->nbd.unix_path && spec->nbd.unix_path[0] != '/') {
		CLEANUP_FREE char *cwd = getcwd(NULL, 0);
		CLEANUP_FREE char *relative = spec->nbd.unix_path;

		spec->nbd.unix_path = NULL;
		if (!cwd)
			return err_sys(err, errno, "cannot tell the working directory");
		spec->nbd.unix_path = xasprintf("%s/%s", cwd, relative);
	}
	spec->source = DISK_SOURCE_NBD;
	return true;
}

static bool copy_disk(int src_fd, int dst_fd, struct err *err)
{
	int why = 0;

	if (!copy_reflink(src_fd, dst_fd, &why, err))
		return false;
	return why == 0 || copy_sparse(src_fd, dst_fd, NULL, err);
}

static bool open_cached(int image_fd, const struct home *home, struct open_disk *disk,
			struct err *err)
{
	CLEANUP_CLOSE int src_fd = openat(image_fd, DISK_FILE, O_RDONLY | O_CLOEXEC);

	if (src_fd < 0)
		return err_sys(err, errno, "cannot open '%s'", DISK_FILE);
	if (!temp_make_file(home, "run-disk-", "", &disk->copy, err) ||
	    !copy_disk(src_fd, disk->copy.fd, err))
		return false;
	/* By name: the descriptor that holds the lock stays ours, and the access mode is the disk's. */
	disk->spec.fd = openat(disk->copy.dir_fd, disk->copy.name,
			       access_mode(&disk->spec) | O_NOFOLLOW | O_CLOEXEC);
	if (disk->spec.fd < 0)
		return err_sys(err, errno, "cannot open '%s'", disk->copy.name);
	disk->spec.source = DISK_SOURCE_FILE;
	return true;
}

static bool open_image(const char *text, const struct home *home, struct open_disk *disk,
		       struct err *err)
{
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	CLEANUP_CLOSE int image_fd = -1;

	if (!remote_name_parse(span_of(text), &name, err) ||
	    !cache_open(home, &name, &image_fd, err))
		return false;
	if (image_fd < 0)
		return err_vm_missing(err, text);
	return open_cached(image_fd, home, disk, err) || err_context(err, "disk '%s'", text);
}

static bool open_target(const struct disk_arg *arg, const struct home *home, const char *user_home,
			struct open_disk *disk, struct err *err)
{
	CLEANUP_FREE char *text = xstrndup(arg->target.ptr, arg->target.len);
	CLEANUP_FREE char *path = path_expand_home(arg->target, user_home);
	enum disk_target kind = disk_target_kind(arg->target, look_at(path));

	if (!disk_opts_apply(kind, &arg->opts, &disk->spec, err))
		return false;
	switch (kind) {
	case DISK_TARGET_NBD:
		return open_nbd(arg->target, &disk->spec, err);
	case DISK_TARGET_BLOCK:
		return open_block(path, &disk->spec, err);
	case DISK_TARGET_IMAGE:
		return open_image(text, home, disk, err);
	case DISK_TARGET_FILE:
		break;
	}
	return open_file(path, &disk->spec, err);
}

bool disk_open(const struct disk_arg *arg, const struct home *home, const char *user_home,
	       struct open_disk *ret, struct err *err)
{
	CLEANUP(open_disk_done) struct open_disk disk = OPEN_DISK_INIT;

	if (!open_target(arg, home, user_home, &disk, err))
		return false;
	*ret = disk;
	disk = (struct open_disk)OPEN_DISK_INIT;
	return true;
}

/* Opens `name` of the bundle; *ret_fd = -1 when there is none. */
static bool open_bundle_file(int bundle_fd, const char *name, int mode, int *ret_fd,
			     struct err *err)
{
	*ret_fd = openat(bundle_fd, name, mode | O_CLOEXEC | O_NONBLOCK);
	return *ret_fd >= 0 || errno == ENOENT || err_sys(err, errno, "cannot open '%s'", name);
}

bool disk_open_root(int bundle_fd, const struct disk_opts *opts, struct disk_spec *ret,
		    struct err *err)
{
	CLEANUP(disk_spec_done) struct disk_spec spec = DISK_SPEC_INIT;

	if (!disk_opts_apply(DISK_TARGET_FILE, opts, &spec, err) ||
	    !open_bundle_file(bundle_fd, DISK_OVERLAY_FILE, access_mode(&spec), &spec.overlay_fd,
			      err) ||
	    !open_bundle_file(bundle_fd, DISK_FILE,
			      spec.overlay_fd >= 0 ? O_RDONLY : access_mode(&spec), &spec.fd, err))
		return false;
	if (spec.fd < 0)
		return err_vm_incomplete(err);
	if (spec.caching == CACHING_DIRECT && !check_direct(spec.fd, DISK_FILE, err))
		return false;
	spec.source = DISK_SOURCE_FILE;
	*ret = spec;
	spec = (struct disk_spec)DISK_SPEC_INIT;
	return true;
}

bool disk_open_further(int bundle_fd, const char *name, struct disk_spec *ret, struct err *err)
{
	struct disk_spec spec = DISK_SPEC_INIT;

	spec.fd = openat(bundle_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (spec.fd < 0)
		return err_sys(err, errno, "cannot open the disk '%s'", name);
	spec.source = DISK_SOURCE_FILE;
	*ret = spec;
	return true;
}
