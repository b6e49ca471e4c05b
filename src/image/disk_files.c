/* SPDX-License-Identifier: Apache-2.0 */
/* The files a disk consists of, and whether they belong together. */
#include "image/disk_files.h"

#include <errno.h>
#include <fcntl.h>

#include "base/child.h"
#include "base/fs.h"
#include "base/mem.h"

#define QEMU_IMG_OUTPUT_MAX 65536

/* Read-only and close-on-exec; a FIFO in the file's place neither hangs nor passes. */
static bool open_regular(int dirfd, const char *name, int *ret_fd, struct stat *ret_st,
			 struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	*ret_fd = fd;
	if (fstat(fd, ret_st) < 0)
		return err_sys(err, errno, "cannot stat '%s'", name);
	if (!S_ISREG(ret_st->st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", name);
	return true;
}

/* An overlay whose note cannot be read still is one: disk_files_check() will say what is wrong. */
static bool is_replaced(int dirfd, const struct stat *image)
{
	struct base_id id = base_id_of(image);
	struct err ignored;
	struct note note;

	return note_read(dirfd, &note, &ignored) && note.has_replacement &&
	       base_id_equal(&note.replacement, &id);
}

bool disk_files_open(int dirfd, struct disk_files *ret, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;

	if (!open_regular(dirfd, DISK_FILE, &files.image_fd, &files.image, err))
		return false;
	if (!open_regular(dirfd, DISK_OVERLAY_FILE, &files.overlay_fd, &files.overlay, err)) {
		if (err->sys != ENOENT)
			return false;
		err_clear(err);
	} else if (is_replaced(dirfd, &files.image)) {
		(void)close(TAKE_FD(files.overlay_fd));
		files.is_replaced = true;
	} else {
		files.layout = DISK_LAYOUT_OVERLAY;
	}
	*ret = files;
	files.image_fd = -1;
	files.overlay_fd = -1;
	return true;
}

void disk_files_close(struct disk_files *files)
{
	if (files->image_fd >= 0)
		(void)close(TAKE_FD(files->image_fd));
	if (files->overlay_fd >= 0)
		(void)close(TAKE_FD(files->overlay_fd));
}

static bool check_header(int overlay_fd, struct err *err)
{
	CLEANUP_FREE char *head = xcalloc(1, QCOW2_HEAD_BYTES);
	struct qcow2_header header;

	if (!qcow2_read_header(overlay_fd, head, &header, err))
		return false;
	if (!span_is(header.backing_file, DISK_FILE) || !span_is(header.backing_format, "raw"))
		return err_set(err, ERR_GENERAL, "it is not backed by a raw '%s'", DISK_FILE);
	if (header.incompatible & QCOW2_INCOMPATIBLE_DATA_FILE)
		return err_set(err, ERR_GENERAL, "its data lies in another file");
	if (header.incompatible & QCOW2_INCOMPATIBLE_CORRUPT)
		return err_set(err, ERR_GENERAL, "QEMU has marked it as corrupt");
	return true;
}

bool disk_files_check(int dirfd, const struct disk_files *files, struct err *err)
{
	struct base_id id = base_id_of(&files->image);
	struct note note;

	if (files->layout == DISK_LAYOUT_PLAIN)
		return true;
	if (!note_read(dirfd, &note, err))
		return err_context(err, "cannot tell what '%s' was made on", DISK_OVERLAY_FILE);
	if (!base_id_equal(&note.base, &id))
		return err_set(
			err, ERR_GENERAL,
			"'%s' is not the disk that '%s' was made on: %llu bytes written at %s, "
			"expected %llu bytes written at %s",
			DISK_FILE, DISK_OVERLAY_FILE, (unsigned long long)id.size_bytes, id.mtime,
			(unsigned long long)note.base.size_bytes, note.base.mtime);
	return check_header(files->overlay_fd, err) || err_context(err, "'%s'", DISK_OVERLAY_FILE);
}

bool disk_files_are_asif(const struct disk_files *files, bool *ret, struct err *err)
{
	static const char magic[4] = { 's', 'h', 'd', 'w' };
	char start[sizeof(magic)];
	ssize_t n = pread(files->image_fd, start, sizeof(start), 0);

	if (n < 0)
		return err_sys(err, errno, "cannot read '%s'", DISK_FILE);
	*ret = n == (ssize_t)sizeof(magic) && memcmp(start, magic, sizeof(magic)) == 0;
	return true;
}

bool disk_run_qemu_img(int dirfd, const char *const *argv, struct err *err)
{
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.cwd_fd = dirfd;
	if (child_run_spec(&spec, QEMU_IMG_OUTPUT_MAX, NULL, err))
		return true;
	if (err->sys == ENOENT)
		return err_set(
			err, ERR_GENERAL,
			"qemu-img is needed, but not installed (Debian: package qemu-utils)");
	return false;
}
