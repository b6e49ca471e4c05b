/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear when they are complete. */
#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"

struct fd_path {
	char text[32];
};

/* A name for a file that has none, for linkat(). */
static struct fd_path path_of(int fd)
{
	struct fd_path path;

	(void)snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

/* A FIFO waits here for its reader. */
static bool open_special(const char *path, struct output *output, struct err *err)
{
	do
		output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	while (output->fd < 0 && errno == EINTR && cancel_check(err));
	if (output->fd >= 0)
		return true;
	return cancel_requested() ? false : err_sys(err, errno, "cannot open '%s'", path);
}

/* The directory and name of a path without links in its last component. */
static bool split(const char *path, struct output *output, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");

	output->name = xstrdup(slash ? slash + 1 : path);
	output->part = xasprintf("%s.part", output->name);
	if (output->name[0] == '\0')
		return err_sys(err, EISDIR, "cannot create '%s'", path);
	return fs_open_dir(AT_FDCWD, dir, &output->dirfd, err);
}

static bool open_nameless(struct output *output, mode_t mode)
{
	int fd = openat(output->dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);

	/* Without /proc it could never get a name. */
	if (fd >= 0 && access(path_of(fd).text, F_OK) < 0)
		(void)close(TAKE_FD(fd));
	output->fd = fd;
	return fd >= 0;
}

/* Locked, so that two outputs to one name do not get mixed up; emptied only then. */
static bool open_part(struct output *output, mode_t mode, struct err *err)
{
	output->fd = openat(output->dirfd, output->part,
			    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
	if (output->fd < 0)
		return err_sys(err, errno, "cannot create '%s'", output->part);
	switch (lock_try(output->fd, err)) {
	case LOCK_FAILED:
		return false;
	case LOCK_BUSY:
		return err_set(err, ERR_GENERAL, "'%s' is being written by somebody else",
			       output->part);
	case LOCK_TAKEN:
		break;
	}
	/* Whoever had the lock may have finished: then this name is gone, or another file's. */
	if (!fs_is_current(output->dirfd, output->part, output->fd))
		return err_set(err, ERR_GENERAL, "'%s' is being written by somebody else",
			       output->part);
	output->part_is_ours = true;
	if (ftruncate(output->fd, 0) < 0)
		return err_sys(err, errno, "cannot write '%s'", output->part);
	return true;
}

static bool open_regular(const char *path, mode_t mode, struct output *output, struct err *err)
{
	return split(path, output, err) &&
	       (open_nameless(output, mode) || open_part(output, mode, err));
}

bool output_open(const char *path, mode_t mode, struct output *ret, struct err *err)
{
	CLEANUP(output_done) struct output output = OUTPUT_INIT;
	CLEANUP_FREE char *target = NULL;
	struct stat st;
	bool exists = stat(path, &st) == 0;
	bool ok;

	if (exists && S_ISDIR(st.st_mode))
		return err_sys(err, EISDIR, "cannot create '%s'", path);
	if (exists && S_ISREG(st.st_mode)) {
		target = realpath(path, NULL);
		if (!target)
			return err_sys(err, errno, "cannot find '%s'", path);
	}
	if (exists && !S_ISREG(st.st_mode))
		ok = open_special(path, &output, err);
	else
		ok = open_regular(target ? target : path, mode, &output, err);
	if (!ok)
		return false;
	*ret = output;
	output = (struct output)OUTPUT_INIT;
	return true;
}

/* The name is taken: the file gets that of its part, for a rename. */
static bool link_part(struct output *output, struct err *err)
{
	if (unlinkat(output->dirfd, output->part, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", output->part);
	if (linkat(AT_FDCWD, path_of(output->fd).text, output->dirfd, output->part,
		   AT_SYMLINK_FOLLOW) < 0)
		return err_sys(err, errno, "cannot create '%s'", output->part);
	output->part_is_ours = true;
	return true;
}

static bool give_name(struct output *output, struct err *err)
{
	if (!output->part_is_ours) {
		if (linkat(AT_FDCWD, path_of(output->fd).text, output->dirfd, output->name,
			   AT_SYMLINK_FOLLOW) == 0)
			return true;
		if (errno != EEXIST)
			return err_sys(err, errno, "cannot create '%s'", output->name);
		if (!link_part(output, err))
			return false;
	}
	if (renameat(output->dirfd, output->part, output->dirfd, output->name) < 0)
		return err_sys(err, errno, "cannot create '%s'", output->name);
	output->part_is_ours = false;
	return true;
}

bool output_commit(struct output *output, struct err *err)
{
	if (!output->name)
		return true;
	return fs_sync(output->fd, err) && give_name(output, err) && fs_sync(output->dirfd, err);
}

void output_done(struct output *output)
{
	if (output->part_is_ours)
		(void)unlinkat(output->dirfd, output->part, 0);
	cleanup_close(&output->fd);
	cleanup_close(&output->dirfd);
	free(output->name);
	free(output->part);
	*output = (struct output)OUTPUT_INIT;
}
