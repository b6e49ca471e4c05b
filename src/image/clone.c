/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloning disks. disk.h explains layouts and the order that makes turning a plain disk into base
 * and overlay safe against kills; make_base() is that order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "image/copy.h"
#include "image/disk.h"
#include "image/disk_files.h"

/* In the clone's directory until they are moved into the source's. */
#define SOURCE_OVERLAY ".source-" DISK_OVERLAY_FILE
#define SOURCE_NOTE    ".source-" DISK_NOTE_FILE

struct clone {
	int src_dirfd;
	int dst_dirfd;
	enum clone_source source;
	enum clone_policy policy;
	const struct disk_files *files;
	const struct progress_sink *progress;
	enum clone_method how;
};

bool clone_policy_parse(struct span text, enum clone_policy *ret)
{
	static const struct {
		const char *text;
		enum clone_policy policy;
	} policies[] = {
		{ "auto", CLONE_AUTO },
		{ "reflink", CLONE_REFLINK },
		{ "overlay", CLONE_OVERLAY },
		{ "copy", CLONE_COPY },
	};

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		if (span_is(text, policies[i].text)) {
			*ret = policies[i].policy;
			return true;
		}
	}
	return false;
}

static bool create(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	*ret_fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (*ret_fd < 0)
		return err_sys(err, errno, "cannot create '%s'", name);
	return true;
}

static bool write_overlay(int dirfd, const char *name, uint64_t size_bytes, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;

	return create(dirfd, name, &fd, err) &&
	       qcow2_create_overlay(fd, size_bytes, DISK_FILE, err) && fs_sync(fd, err);
}

static bool write_note(int dirfd, const char *name, const struct stat *base, struct err *err)
{
	const struct note note = { .base = base_id_of(base) };
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_CLOSE int fd = -1;

	note_print(&note, &text);
	return create(dirfd, name, &fd, err) && fs_write_all(fd, str_span(&text), err) &&
	       fs_sync(fd, err);
}

/* A base is not written by anybody: neither by accident nor by tools that know nothing about
 * overlays. Failing to say so (the file of another user) does not change what we do. */
static void protect_base(int fd, const struct stat *st)
{
	(void)fchmod(fd, st->st_mode & 0555);
}

static bool move_to_source(const struct clone *c, const char *name, const char *new_name,
			   struct err *err)
{
	if (renameat(c->dst_dirfd, name, c->src_dirfd, new_name) < 0)
		return err_sys(err, errno, "cannot move '%s' into place", new_name);
	return fs_sync(c->src_dirfd, err);
}

/* The source's disk.img becomes a base; the second move is the moment it does. */
static bool make_base(const struct clone *c, struct err *err)
{
	const struct stat *image = &c->files->image;

	return write_note(c->dst_dirfd, SOURCE_NOTE, image, err) &&
	       write_overlay(c->dst_dirfd, SOURCE_OVERLAY, (uint64_t)image->st_size, err) &&
	       move_to_source(c, SOURCE_NOTE, DISK_NOTE_FILE, err) &&
	       move_to_source(c, SOURCE_OVERLAY, DISK_OVERLAY_FILE, err);
}

/* ret_errno = 0, or why it cannot be linked: another file system, no right to, too many links. A
 * symbolic link in its place is ELOOP: what it points to may be written under another name. */
static void link_image(const struct clone *c, int *ret_errno)
{
	*ret_errno = 0;
	if (!fs_is_current(c->src_dirfd, DISK_FILE, c->files->image_fd))
		*ret_errno = ELOOP;
	else if (linkat(c->src_dirfd, DISK_FILE, c->dst_dirfd, DISK_FILE, 0) < 0)
		*ret_errno = errno;
}

/* Link to the base and an empty overlay. */
static bool finish_overlay(struct clone *c, struct err *err)
{
	const struct stat *image = &c->files->image;

	if (!write_note(c->dst_dirfd, DISK_NOTE_FILE, image, err) ||
	    !write_overlay(c->dst_dirfd, DISK_OVERLAY_FILE, (uint64_t)image->st_size, err) ||
	    (c->source == CLONE_SOURCE_STOPPED && !make_base(c, err)))
		return false;
	protect_base(c->files->image_fd, image);
	c->how = CLONED_BY_OVERLAY;
	return true;
}

/* A file of its own; *ret_errno as in copy_reflink() when only a reflink will do, else 0. */
static bool duplicate(const struct clone *c, int src_fd, const char *name, bool may_reflink,
		      bool may_copy, int *ret_errno, struct err *err)
{
	CLEANUP_CLOSE int dst_fd = -1;
	int why = EOPNOTSUPP;

	if (!create(c->dst_dirfd, name, &dst_fd, err) ||
	    (may_reflink && !copy_reflink(src_fd, dst_fd, &why, err)))
		return false;
	*ret_errno = why;
	if (why == 0)
		return fs_sync(dst_fd, err);
	if (!may_copy)
		return unlinkat(c->dst_dirfd, name, 0) == 0 ||
		       err_sys(err, errno, "cannot remove '%s'", name);
	return copy_sparse(src_fd, dst_fd, c->progress, err) && fs_sync(dst_fd, err);
}

static bool err_no_reflink(int why, struct err *err)
{
	return err_sys(err, why, "the disk cannot be cloned by reflink");
}

static bool err_no_overlay(int why, struct err *err)
{
	return err_sys(err, why, "the disk cannot be cloned as an overlay: cannot link '%s'",
		       DISK_FILE);
}

/* Why this disk cannot be a base, whatever the file system; NULL when it can. */
static bool overlay_obstacle(const struct clone *c, const char **ret, struct err *err)
{
	bool is_asif;

	if (!disk_files_are_asif(c->files, &is_asif, err))
		return false;
	*ret = is_asif                           ? "it is in Apple's Sparse Image Format" :
	       c->source == CLONE_SOURCE_RUNNING ? "the VM is running" :
						   NULL;
	return true;
}

static bool clone_by_overlay(struct clone *c, bool *ret_done, struct err *err)
{
	const char *obstacle;
	int why;

	*ret_done = false;
	if (!overlay_obstacle(c, &obstacle, err))
		return false;
	if (obstacle)
		return c->policy == CLONE_AUTO ||
		       err_set(err, ERR_GENERAL, "the disk cannot be cloned as an overlay: %s",
			       obstacle);
	link_image(c, &why);
	if (why != 0)
		return c->policy == CLONE_AUTO || err_no_overlay(why, err);
	if (!finish_overlay(c, err))
		return false;
	*ret_done = true;
	return true;
}

/*
 * A disk with hardly anything on it is copied as fast as an overlay is made, and a plain disk.img is what tools
 * expect that write to it directly.
 */
static bool is_small(const struct clone *c)
{
	return (uint64_t)c->files->image.st_blocks * 512 <= CLONE_SMALL_BYTES;
}

static bool clone_plain(struct clone *c, struct err *err)
{
	int src_fd = c->files->image_fd;
	int why = EOPNOTSUPP;
	bool done;

	if (c->policy == CLONE_AUTO || c->policy == CLONE_REFLINK) {
		c->how = CLONED_BY_REFLINK;
		if (!duplicate(c, src_fd, DISK_FILE, true, false, &why, err))
			return false;
		if (why == 0)
			return true;
		if (c->policy == CLONE_REFLINK)
			return err_no_reflink(why, err);
	}
	if (c->policy == CLONE_OVERLAY || (c->policy == CLONE_AUTO && !is_small(c))) {
		if (!clone_by_overlay(c, &done, err))
			return false;
		if (done)
			return true;
	}
	c->how = CLONED_BY_COPY;
	return duplicate(c, src_fd, DISK_FILE, false, true, &why, err);
}

/* A base of its own keeps the mtime, and with it the identity that the note gives. */
static bool duplicate_base(struct clone *c, struct stat *ret_base, struct err *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, c->files->image.st_mtim };
	bool may_reflink = c->policy != CLONE_COPY;
	bool may_copy = c->policy != CLONE_REFLINK;
	CLEANUP_CLOSE int fd = -1;
	int why;

	if (!duplicate(c, c->files->image_fd, DISK_FILE, may_reflink, may_copy, &why, err))
		return false;
	if (why != 0 && !may_copy)
		return err_no_reflink(why, err);
	c->how = why == 0 ? CLONED_BY_REFLINK : CLONED_BY_COPY;
	fd = openat(c->dst_dirfd, DISK_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || futimens(fd, times) < 0 || fstat(fd, ret_base) < 0)
		return err_sys(err, errno, "cannot set the time of '%s'", DISK_FILE);
	protect_base(fd, ret_base);
	return true;
}

static bool share_base(struct clone *c, struct stat *ret_base, struct err *err)
{
	int why;

	if (c->policy == CLONE_AUTO || c->policy == CLONE_OVERLAY) {
		link_image(c, &why);
		if (why == 0) {
			c->how = CLONED_BY_OVERLAY;
			*ret_base = c->files->image;
			return true;
		}
		if (c->policy == CLONE_OVERLAY)
			return err_no_overlay(why, err);
	}
	return duplicate_base(c, ret_base, err);
}

/* A copy that was made while QEMU wrote is not the file of any one moment: its reference counts
 * and tables may disagree. Like the guest's file system, it has to be put in order. */
static bool settle_overlay(const struct clone *c, struct err *err)
{
	static const char *const argv[] = { "qemu-img", "check",           "-q",
					    "-f",       "qcow2",           "-r",
					    "all",      DISK_OVERLAY_FILE, NULL };

	return disk_run_qemu_img(c->dst_dirfd, argv, err) ||
	       err_context(err, "the disk of a running VM");
}

/* The base is shared, the overlay copied: the chain stays one deep. */
static bool clone_overlay(struct clone *c, struct err *err)
{
	bool may_reflink = c->policy != CLONE_COPY;
	bool may_copy = c->policy != CLONE_REFLINK;
	struct stat base;
	int why;

	if (!share_base(c, &base, err) || !write_note(c->dst_dirfd, DISK_NOTE_FILE, &base, err) ||
	    !duplicate(c, c->files->overlay_fd, DISK_OVERLAY_FILE, may_reflink, may_copy, &why,
		       err))
		return false;
	if (why != 0 && !may_copy)
		return err_no_reflink(why, err);
	return why == 0 || c->source != CLONE_SOURCE_RUNNING || settle_overlay(c, err);
}

bool disk_clone(int src_dirfd, enum clone_source source, int dst_dirfd, enum clone_policy policy,
		const struct progress_sink *progress, enum clone_method *ret_how, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	struct clone c = {
		.src_dirfd = src_dirfd,
		.dst_dirfd = dst_dirfd,
		.source = source,
		.policy = policy,
		.files = &files,
		.progress = progress,
	};

	/* Without the lock there is nothing to tidy up, only to look at. */
	if ((source == CLONE_SOURCE_STOPPED && !disk_check(src_dirfd, err)) ||
	    !disk_files_open(src_dirfd, &files, err) || !disk_files_check(src_dirfd, &files, err))
		return false;
	if (!(files.layout == DISK_LAYOUT_OVERLAY ? clone_overlay(&c, err) : clone_plain(&c, err)))
		return false;
	if (ret_how)
		*ret_how = c.how;
	return fs_sync(dst_dirfd, err);
}
