/* SPDX-License-Identifier: Apache-2.0 */
/* Making, growing, repairing, replacing and flattening disks. Clones are clone.c's. */
#include "image/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/fs.h"
#include "base/mem.h"
#include "image/copy.h"
#include "image/disk_files.h"
#include "image/extent.h"

static bool visible_size(const struct disk_files *files, uint64_t *ret, struct err *err)
{
	CLEANUP_FREE char *head = NULL;
	struct qcow2_header header;

	if (files->layout == DISK_LAYOUT_PLAIN) {
		*ret = (uint64_t)files->image.st_size;
		return true;
	}
	head = xcalloc(1, QCOW2_HEAD_BYTES);
	if (!qcow2_read_header(files->overlay_fd, head, &header, err))
		return err_context(err, "'%s'", DISK_OVERLAY_FILE);
	*ret = header.size_bytes;
	return true;
}

static uint64_t allocated(const struct disk_files *files)
{
	uint64_t blocks = files->image.st_nlink > 1 ? 0 : (uint64_t)files->image.st_blocks;

	if (files->layout == DISK_LAYOUT_OVERLAY)
		blocks += (uint64_t)files->overlay.st_blocks;
	return blocks * 512;
}

bool disk_inspect(int dirfd, struct disk_info *ret, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	uint64_t size;

	if (!disk_files_open(dirfd, &files, err) || !visible_size(&files, &size, err))
		return false;
	*ret = (struct disk_info){
		.layout = files.layout,
		.size_bytes = size,
		.allocated_bytes = allocated(&files),
	};
	return true;
}

/* What no longer counts, or does not count yet: an overlay whose base was replaced, a note
 * without an overlay. */
static bool drop_overlay(int dirfd, struct err *err)
{
	if (unlinkat(dirfd, DISK_OVERLAY_FILE, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", DISK_OVERLAY_FILE);
	if (unlinkat(dirfd, DISK_NOTE_FILE, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", DISK_NOTE_FILE);
	return true;
}

bool disk_check(int dirfd, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;

	if (!disk_files_open(dirfd, &files, err))
		return false;
	if (files.layout == DISK_LAYOUT_PLAIN)
		return drop_overlay(dirfd, err);
	return disk_files_check(dirfd, &files, err);
}

bool disk_is_asif(int dirfd, bool *ret, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;

	return disk_files_open(dirfd, &files, err) && disk_files_are_asif(&files, ret, err);
}

bool disk_create(int dirfd, uint64_t size_bytes, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, DISK_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				      0644);

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", DISK_FILE);
	if (ftruncate(fd, (off_t)size_bytes) == 0)
		return true;
	(void)err_sys(err, errno, "cannot create '%s' of %llu bytes", DISK_FILE,
		      (unsigned long long)size_bytes);
	(void)unlinkat(dirfd, DISK_FILE, 0);
	return false;
}

static bool grow_raw(int dirfd, uint64_t size_bytes, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, DISK_FILE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", DISK_FILE);
	if (ftruncate(fd, (off_t)size_bytes) < 0)
		return err_sys(err, errno, "cannot grow '%s'", DISK_FILE);
	return fs_sync(fd, err);
}

static bool grow_overlay(int dirfd, uint64_t size_bytes, struct err *err)
{
	char size[24];
	const char *const argv[] = { "qemu-img", "resize",          "-q", "-f",
				     "qcow2",    DISK_OVERLAY_FILE, size, NULL };

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)size_bytes);
	return disk_run_qemu_img(dirfd, argv, err);
}

bool disk_grow(int dirfd, uint64_t size_bytes, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	uint64_t current;
	bool is_asif;

	if (!disk_check(dirfd, err) || !disk_files_open(dirfd, &files, err) ||
	    !disk_files_are_asif(&files, &is_asif, err) || !visible_size(&files, &current, err))
		return false;
	if (is_asif)
		return err_set(err, ERR_GENERAL,
			       "a disk in Apple's Sparse Image Format cannot be resized on Linux");
	if (size_bytes < current)
		return err_set(err, ERR_DISK_SIZE,
			       "new disk size of %llu bytes should be larger than the current disk "
			       "size of %llu bytes",
			       (unsigned long long)size_bytes, (unsigned long long)current);
	if (size_bytes == current)
		return true;
	return files.layout == DISK_LAYOUT_PLAIN ? grow_raw(dirfd, size_bytes, err) :
						   grow_overlay(dirfd, size_bytes, err);
}

bool disk_repair(int dirfd, struct err *err)
{
	static const char *const argv[] = { "qemu-img", "check",           "-q",
					    "-f",       "qcow2",           "-r",
					    "leaks",    DISK_OVERLAY_FILE, NULL };
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;

	if (!disk_files_open(dirfd, &files, err))
		return false;
	return files.layout == DISK_LAYOUT_PLAIN || disk_run_qemu_img(dirfd, argv, err) ||
	       err_context(err, "repairing '%s'", DISK_OVERLAY_FILE);
}

/* Gives a file an identity that is neither of the two, so that after a kill the note tells which
 * disk is there. Steps of two seconds: the coarsest time stamps there are. */
static bool make_distinct(int dirfd, const char *name, const struct base_id *a,
			  const struct base_id *b, struct base_id *ret, struct err *err)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat st;

	(void)clock_gettime(CLOCK_REALTIME, &times[1]);
	do {
		times[1].tv_sec -= 2;
		if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ||
		    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, errno, "cannot set the time of '%s'", name);
		*ret = base_id_of(&st);
	} while (base_id_equal(ret, a) || base_id_equal(ret, b));
	return true;
}

/* In place and by one write, padded to what was there: a kill leaves one of the two texts. */
static bool rewrite_note(int dirfd, const struct note *note, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_CLOSE int fd = openat(dirfd, DISK_NOTE_FILE,
				      O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", DISK_NOTE_FILE);
	note_print(note, &text);
	while (st.st_size > 0 && text.len < (size_t)st.st_size)
		str_add_char(&text, '\n');
	return fs_pwrite_all(fd, text.ptr, text.len, 0, err) && fs_sync(fd, err);
}

/* Says in the note that a base of the new disk's identity makes the overlay obsolete. What the
 * note says about the present base stays: an overlay that was refused before must not become
 * acceptable. */
static bool announce_replacement(int dirfd, int from_dirfd, const char *name,
				 const struct base_id *current, struct err *err)
{
	struct err ignored;
	struct note note;

	if (!note_read(dirfd, &note, &ignored))
		note = (struct note){ .base = { .size_bytes = 0 } }; /* no file has this mtime */
	note.has_replacement = true;
	return make_distinct(from_dirfd, name, &note.base, current, &note.replacement, err) &&
	       rewrite_note(dirfd, &note, err);
}

bool disk_replace(int dirfd, int from_dirfd, const char *name, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	struct base_id current;

	if (!disk_files_open(dirfd, &files, err) ||
	    (files.is_replaced && !drop_overlay(dirfd, err)))
		return false;
	current = base_id_of(&files.image);
	if (files.layout == DISK_LAYOUT_OVERLAY &&
	    !announce_replacement(dirfd, from_dirfd, name, &current, err))
		return false;
	if (renameat(from_dirfd, name, dirfd, DISK_FILE) < 0)
		return err_sys(err, errno, "cannot replace '%s'", DISK_FILE);
	return fs_sync(dirfd, err) &&
	       (files.layout == DISK_LAYOUT_PLAIN || drop_overlay(dirfd, err));
}

bool disk_open_extents(int dirfd, struct extent_map **ret, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;

	if (!disk_files_open(dirfd, &files, err))
		return false;
	if (files.layout == DISK_LAYOUT_PLAIN)
		*ret = extent_map_of_file(files.image_fd, (uint64_t)files.image.st_size);
	else if (!extent_map_of_overlay(files.overlay_fd, files.image_fd, ret, err))
		return err_context(err, "'%s'", DISK_OVERLAY_FILE);
	extent_map_adopt_fds(*ret);
	files.image_fd = -1;
	files.overlay_fd = -1;
	return true;
}

bool disk_flatten(int dirfd, int dst_fd, const struct progress_sink *progress, struct err *err)
{
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;

	return disk_open_extents(dirfd, &map, err) && copy_extents(map, dst_fd, progress, err);
}
