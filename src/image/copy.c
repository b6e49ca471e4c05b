/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse copies and reflinks. */
#include "image/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/random.h"
#include "image/extent.h"

/* One step between two looks at cancellation: some ten milliseconds of work. */
#define PIECE_BYTES  ((size_t)16 << 20)
#define BUFFER_BYTES ((size_t)1 << 20)

bool copy_reflink(int src_fd, int dst_fd, int *ret_errno, struct err *err)
{
	while (ioctl(dst_fd, FICLONE, src_fd) < 0) {
		switch (errno) {
		case EINTR:
			if (!cancel_check(err))
				return false;
			continue;
		case EIO:
		case ENOSPC:
		case EDQUOT:
			return err_sys(err, errno, "cannot share blocks");
		default: /* EOPNOTSUPP, EXDEV, EINVAL, ENOTTY, ENOSYS, EPERM: asked the wrong file system */
			*ret_errno = errno;
			return true;
		}
	}
	*ret_errno = 0;
	return true;
}

static bool range_by_hand(int src_fd, uint64_t from, int dst_fd, uint64_t to, uint64_t len,
			  struct err *err)
{
	CLEANUP_FREE char *buf = xcalloc(1, BUFFER_BYTES);

	while (len > 0) {
		size_t want = len < BUFFER_BYTES ? (size_t)len : BUFFER_BYTES;
		ssize_t n = pread(src_fd, buf, want, (off_t)from);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return err_set(err, ERR_GENERAL, "it got shorter while it was read");
		if (n > 0) {
			if (!fs_pwrite_all(dst_fd, buf, (size_t)n, to, err))
				return false;
			from += (size_t)n;
			to += (size_t)n;
			len -= (size_t)n;
		}
		if (!cancel_check(err))
			return false;
	}
	return true;
}

bool copy_range(int src_fd, uint64_t src_offset, int dst_fd, uint64_t dst_offset, uint64_t len,
		struct err *err)
{
	off_t from = (off_t)src_offset;
	off_t to = (off_t)dst_offset;

	while (len > 0) {
		size_t want = len < PIECE_BYTES ? (size_t)len : PIECE_BYTES;
		ssize_t n = copy_file_range(src_fd, &from, dst_fd, &to, want, 0);

		if (n < 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
			return err_sys(err, errno, "cannot copy");
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (
			n <=
			0) /* not between these two files, or not here: EXDEV, EINVAL, EOPNOTSUPP */
			return range_by_hand(src_fd, (uint64_t)from, dst_fd, (uint64_t)to, len,
					     err);
		len -= (size_t)n;
		if (!cancel_check(err))
			return false;
	}
	return true;
}

static bool file_size(int fd, uint64_t *ret, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat");
	*ret = (uint64_t)st.st_size;
	return true;
}

static bool copy_extent(const struct extent *extent, int dst_fd, uint64_t total,
			const struct progress_sink *progress, struct err *err)
{
	for (uint64_t done = 0; done < extent->len;) {
		uint64_t left = extent->len - done;
		uint64_t len = left < PIECE_BYTES ? left : PIECE_BYTES;

		if (!copy_range(extent->fd, extent->fd_offset + done, dst_fd, extent->start + done,
				len, err))
			return false;
		done += len;
		progress_report(progress, extent->start + done, total);
	}
	return true;
}

bool copy_extents(struct extent_map *map, int dst_fd, const struct progress_sink *progress,
		  struct err *err)
{
	uint64_t size = extent_map_size(map);
	struct extent extent = { .len = 0 };

	/* First the size: a last page that is only partly data, or a hole at the end, comes out
	 * right. */
	if (ftruncate(dst_fd, (off_t)size) < 0)
		return err_sys(err, errno, "cannot set the size to %llu bytes",
			       (unsigned long long)size);
	for (uint64_t at = 0; at < size; at = extent.start + extent.len) {
		if (!extent_map_next(map, at, &extent, err))
			return false;
		if (extent.len == 0)
			break;
		if (!copy_extent(&extent, dst_fd, size, progress, err))
			return false;
	}
	progress_report(progress, size, size);
	return true;
}

bool copy_sparse(int src_fd, int dst_fd, const struct progress_sink *progress, struct err *err)
{
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;
	uint64_t size;
	uint64_t size_after;

	if (!file_size(src_fd, &size, err))
		return false;
	map = extent_map_of_file(src_fd, size);
	if (!copy_extents(map, dst_fd, progress, err) || !file_size(src_fd, &size_after, err))
		return false;
	if (size_after < size)
		return err_set(err, ERR_GENERAL, "it got shorter while it was read");
	return true;
}

static bool fill(int src_fd, int dst_fd, const struct progress_sink *progress, struct err *err)
{
	uint64_t size;
	int why;

	if (!file_size(src_fd, &size, err) || !copy_reflink(src_fd, dst_fd, &why, err))
		return false;
	if (why == 0)
		progress_report(progress, size, size);
	else if (!copy_sparse(src_fd, dst_fd, progress, err))
		return false;
	return fs_sync(dst_fd, err);
}

bool copy_file(int src_dirfd, const char *src_name, int dst_dirfd, const char *dst_name,
	       mode_t mode, const struct progress_sink *progress, struct err *err)
{
	CLEANUP_CLOSE int src_fd = openat(src_dirfd, src_name, O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int dst_fd = -1;

	if (src_fd < 0)
		return err_sys(err, errno, "cannot open '%s'", src_name);
	dst_fd = openat(dst_dirfd, dst_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (dst_fd < 0)
		return err_sys(err, errno, "cannot create '%s'", dst_name);
	if (fill(src_fd, dst_fd, progress, err))
		return true;
	(void)unlinkat(dst_dirfd, dst_name, 0);
	return err_context(err, "copying '%s'", src_name);
}

static bool open_nameless(int dirfd, int *ret_fd, struct err *err)
{
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char name[1 + RANDOM_UUID_SIZE] = ".";

	if (fd < 0) { /* NFS knows reflinks but no O_TMPFILE */
		random_uuid(name + 1);
		fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(err, errno, "cannot create a file");
		(void)unlinkat(dirfd, name, 0);
	}
	*ret_fd = fd;
	return true;
}

bool copy_can_reflink(int dirfd, bool *ret, struct err *err)
{
	static const char block[4096] = { 1 };
	CLEANUP_CLOSE int src_fd = -1;
	CLEANUP_CLOSE int dst_fd = -1;
	int why;

	if (!open_nameless(dirfd, &src_fd, err) || !open_nameless(dirfd, &dst_fd, err) ||
	    !fs_pwrite_all(src_fd, block, sizeof(block), 0, err) ||
	    !copy_reflink(src_fd, dst_fd, &why, err))
		return false;
	*ret = why == 0;
	return true;
}
