/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what an earlier pull left. */
#include "registry/pull_resume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/size.h"
#include "image/sparse_writer.h"
#include "storage/bundle.h"

void pull_disk_close(struct pull_disk_file *file)
{
	cleanup_close(&file->fd);
	cleanup_close(&file->old_fd);
	journal_text_done(&file->old_journal);
	*file = (struct pull_disk_file)PULL_DISK_FILE_INIT;
}

static bool open_disk(int dir_fd, int flags, int *ret_fd)
{
	struct stat st;
	CLEANUP_CLOSE int fd = openat(dir_fd, BUNDLE_DISK,
				      O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return false;
	*ret_fd = TAKE_FD(fd);
	return true;
}

/* What is no file of our own making is not written to: it makes room for one. */
static bool open_or_make(int dir_fd, struct pull_disk_file *file, struct err *err)
{
	if (open_disk(dir_fd, 0, &file->fd))
		return true;
	if (!fs_remove_tree(dir_fd, BUNDLE_DISK, err))
		return false;
	file->is_new = true;
	return open_disk(dir_fd, O_CREAT | O_EXCL, &file->fd) ||
	       err_sys(err, errno, "cannot create '%s'", BUNDLE_DISK);
}

static bool remove_old(int dir_fd, struct err *err)
{
	return fs_remove_tree(dir_fd, OLD_DISK_FILE, err) &&
	       fs_remove_tree(dir_fd, OLD_JOURNAL_FILE, err);
}

/* First the journal: without it the disk is only looked through, not believed. */
static bool set_aside(int dir_fd, struct pull_disk_file *file, struct err *err)
{
	if (!remove_old(dir_fd, err))
		return false;
	if (renameat(dir_fd, JOURNAL_FILE, dir_fd, OLD_JOURNAL_FILE) < 0 ||
	    renameat(dir_fd, BUNDLE_DISK, dir_fd, OLD_DISK_FILE) < 0)
		return err_sys(err, errno, "cannot set aside what an earlier pull left");
	cleanup_close(&file->fd);
	file->fd = -1;
	return open_or_make(dir_fd, file, err);
}

/* What was set aside, now or by an earlier pull, is kept as long as something of it is wanted. */
static bool open_old(int dir_fd, const struct pull_plan *plan, struct pull_disk_file *file,
		     struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dir_fd, OLD_DISK_FILE,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		journal_read(dir_fd, OLD_JOURNAL_FILE, fd, &file->old_journal);
	if (!pull_plan_is_elsewhere(plan, &file->old_journal))
		return remove_old(dir_fd, err);
	file->old_fd = TAKE_FD(fd);
	return true;
}

static bool open_files(int dir_fd, struct pull_plan *plan, struct pull_disk_file *file,
		       struct err *err)
{
	CLEANUP(journal_text_done) struct journal_text journal = { .disk = { 0 } };

	if (!open_or_make(dir_fd, file, err))
		return false;
	journal_read(dir_fd, JOURNAL_FILE, file->fd, &journal);
	pull_plan_trust(plan, &journal);
	if (pull_plan_is_elsewhere(plan, &journal)) {
		pull_plan_distrust(plan);
		if (!set_aside(dir_fd, file, err))
			return false;
	}
	return open_old(dir_fd, plan, file, err);
}

bool pull_disk_open(int dir_fd, struct pull_plan *plan, struct pull_disk_file *ret, struct err *err)
{
	CLEANUP(pull_disk_close) struct pull_disk_file file = PULL_DISK_FILE_INIT;

	if (!open_files(dir_fd, plan, &file, err))
		return false;
	*ret = file;
	file = (struct pull_disk_file)PULL_DISK_FILE_INIT;
	return true;
}

static bool set_length(int fd, uint64_t bytes, struct err *err)
{
	CLEANUP_STR struct str size = { 0 };
	struct stat st;

	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size == bytes)
		return true;
	if (ftruncate(fd, (off_t)bytes) == 0)
		return true;
	size_add_human(&size, bytes);
	return err_sys(err, errno, "cannot make a file for the disk of %s", str_text(&size));
}

static bool clear_zeros(const struct pull_plan *plan, int fd, struct err *err)
{
	vec_each(&plan->layers, layer) {
		if (layer->is_zeros &&
		    !sparse_zero(fd, layer->offset, layer->descriptor->data_bytes, err))
			return false;
	}
	return true;
}

bool pull_disk_prepare(int dir_fd, const struct pull_plan *plan, const struct pull_disk_file *file,
		       struct journal **ret, struct err *err)
{
	CLEANUP(journal_text_done) struct journal_text entries = { .disk = { 0 } };

	pull_plan_add_entries(plan, &entries);
	return set_length(file->fd, plan->disk_bytes, err) &&
	       journal_begin(dir_fd, file->fd, &entries, ret, err) &&
	       (file->is_new || clear_zeros(plan, file->fd, err));
}
