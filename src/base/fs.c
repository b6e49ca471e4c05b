/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories below a directory descriptor. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"
#include "base/random.h"

bool fs_open_dir(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open directory '%s'", name);
	*ret_fd = fd;
	return true;
}

bool fs_make_dir(int dirfd, const char *name, mode_t mode, struct err *err)
{
	struct stat st;

	if (mkdirat(dirfd, name, mode) == 0)
		return true;
	if (errno == EEXIST && fstatat(dirfd, name, &st, 0) == 0) {
		if (S_ISDIR(st.st_mode))
			return true;
		errno = ENOTDIR;
	}
	return err_sys(err, errno, "cannot create directory '%s'", name);
}

static bool append_all(int fd, size_t max, struct str *out, struct err *err)
{
	char buf[16384];
	size_t total = 0;

	for (;;) {
		ssize_t n = pread(fd, buf, sizeof(buf), (off_t)total);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return true;
		total += (size_t)n;
		if (total > max)
			return err_set(err, ERR_GENERAL, "larger than %zu bytes", max);
		str_add_span(out, span_make(buf, (size_t)n));
	}
}

bool fs_read_fd(int fd, size_t max, struct str *out, struct err *err)
{
	size_t before = out->len;

	if (append_all(fd, max, out, err))
		return true;
	str_truncate(out, before);
	return false;
}

bool fs_read_file(int dirfd, const char *name, size_t max, struct str *out, struct err *err)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hang us. */
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", name);
	if (!fs_read_fd(fd, max, out, err))
		return err_context(err, "'%s'", name);
	return true;
}

bool fs_pwrite_all(int fd, const void *data, size_t len, uint64_t offset, struct err *err)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO, "cannot write");
		at += n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return true;
}

bool fs_write_all(int fd, struct span data, struct err *err)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.ptr, data.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO, "cannot write");
		data = span_from(data, (size_t)n);
	}
	return true;
}

bool fs_sync(int fd, struct err *err)
{
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return err_sys(err, errno, "cannot sync");
	return true;
}

static bool write_synced(int dirfd, const char *name, struct span content, mode_t mode,
			 struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", name);
	return fs_write_all(fd, content, err) && fs_sync(fd, err);
}

bool fs_replace_file(int dirfd, const char *name, struct span content, mode_t mode, struct err *err)
{
	char suffix[RANDOM_UUID_SIZE];
	CLEANUP_FREE char *temp = NULL;

	random_uuid(suffix);
	temp = xasprintf(".%s.%s", name, suffix);
	if (write_synced(dirfd, temp, content, mode, err)) {
		if (renameat(dirfd, temp, dirfd, name) == 0)
			return fs_sync(dirfd, err);
		(void)err_sys(err, errno, "cannot rename");
	}
	(void)unlinkat(dirfd, temp, 0);
	return err_context(err, "writing '%s'", name);
}

static bool remove_entry(int dirfd, const char *name, int depth, struct err *err);

static bool remove_content(int fd, int depth, struct err *err)
{
	DIR *dir = fdopendir(fd);
	bool ok = true;

	if (!dir) {
		(void)close(fd);
		return err_sys(err, errno, "cannot list");
	}
	while (ok) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			if (errno != 0)
				ok = err_sys(err, errno, "cannot list");
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ok = remove_entry(fd, entry->d_name, depth, err);
	}
	(void)closedir(dir);
	return ok;
}

/* Each level holds a descriptor: the cap keeps a hostile tree from using them all up. */
#define REMOVE_DEPTH_MAX 128

static bool remove_dir(int dirfd, const char *name, int depth, struct err *err)
{
	int fd;

	if (depth == REMOVE_DEPTH_MAX)
		return err_set(err, ERR_GENERAL, "nested too deeply: '%s'", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || err_sys(err, errno, "cannot open '%s'", name);
	if (!remove_content(fd, depth + 1, err))
		return err_context(err, "'%s'", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", name);
	return true;
}

static bool remove_entry(int dirfd, const char *name, int depth, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, errno, "cannot remove '%s'", name);
	return remove_dir(dirfd, name, depth, err);
}

bool fs_remove_tree(int dirfd, const char *name, struct err *err)
{
	return remove_entry(dirfd, name, 0, err);
}

bool fs_exists(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == 0;
}

bool fs_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool fs_same_file_system(int fd_a, int fd_b)
{
	struct stat a;
	struct stat b;

	return fstat(fd_a, &a) == 0 && fstat(fd_b, &b) == 0 && a.st_dev == b.st_dev;
}

bool fs_is_current(int dirfd, const char *name, int fd)
{
	struct stat named;
	struct stat open;

	return fstat(fd, &open) == 0 && fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fs_same_inode(&named, &open);
}
