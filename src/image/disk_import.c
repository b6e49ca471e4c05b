/* SPDX-License-Identifier: Apache-2.0 */
/* Converting a foreign disk. */
#include "image/disk_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "image/disk.h"
#include "image/disk_files.h"
#include "image/qcow2.h"

#define SECTOR_BYTES 512

static bool check_qcow2(int fd, char *head, struct err *err)
{
	struct qcow2_header header;

	if (!qcow2_read_header(fd, head, &header, err))
		return false;
	if (header.backing_file.len > 0)
		return err_set(err, ERR_GENERAL, "it needs a backing file");
	if (header.incompatible & QCOW2_INCOMPATIBLE_DATA_FILE)
		return err_set(err, ERR_GENERAL, "its data lies in another file");
	if (header.incompatible & QCOW2_INCOMPATIBLE_CORRUPT)
		return err_set(err, ERR_GENERAL, "QEMU has marked it as corrupt");
	if (header.crypt_method != 0)
		return err_set(err, ERR_GENERAL, "it is encrypted");
	if (header.size_bytes == 0)
		return err_set(err, ERR_GENERAL, "its disk is empty");
	return true;
}

static bool is_qcow2(int fd, char *head, bool *ret, struct err *err)
{
	ssize_t n = pread(fd, head, QCOW2_HEAD_BYTES, 0);

	if (n < 0)
		return err_sys(err, errno, "cannot read a disk");
	*ret = qcow2_is_magic(span_make(head, (size_t)n));
	return true;
}

static bool convert(int dirfd, const char *name, struct err *err)
{
	const char *const argv[] = { "qemu-img", "convert", "-f", "qcow2",   "-O",
				     "raw",      "--",      name, DISK_FILE, NULL };

	if (!disk_run_qemu_img(dirfd, argv, err)) {
		(void)unlinkat(dirfd, DISK_FILE, 0);
		return err_context(err, "cannot convert the qcow2 disk");
	}
	return unlinkat(dirfd, name, 0) == 0 || err_sys(err, errno, "cannot remove '%s'", name);
}

static bool keep(int dirfd, const char *name, int fd, struct err *err)
{
	struct stat st;
	off_t rest;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat '%s'", name);
	rest = st.st_size % SECTOR_BYTES;
	if (st.st_size == 0)
		return err_set(err, ERR_GENERAL, "the disk is empty");
	if (rest > 0 && ftruncate(fd, st.st_size - rest + SECTOR_BYTES) < 0)
		return err_sys(err, errno, "cannot grow '%s'", name);
	return renameat(dirfd, name, dirfd, DISK_FILE) == 0 ||
	       err_sys(err, errno, "cannot rename '%s'", name);
}

static bool sync_disk(int dirfd, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, DISK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", DISK_FILE);
	return fs_sync(fd, err);
}

bool disk_import(int dirfd, const char *name, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FREE char *head = xcalloc(1, QCOW2_HEAD_BYTES);
	bool qcow2;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!is_qcow2(fd, head, &qcow2, err))
		return false;
	if (qcow2) {
		if (!check_qcow2(fd, head, err))
			return err_context(err, "the qcow2 disk cannot be used");
		if (!convert(dirfd, name, err))
			return false;
	} else if (!keep(dirfd, name, fd, err)) {
		return false;
	}
	return sync_disk(dirfd, err);
}
