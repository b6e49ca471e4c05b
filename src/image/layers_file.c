/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of layers beside its disk: reading, storing, and how far it can be believed.
 *
 * The times of files go in steps, some milliseconds long. A file that is written twice within one step looks the same
 * after both. Therefore a record counts only if it is younger than the files it describes, by the same clock: then any
 * later write gives them a time that the record does not hold.
 */
#include "image/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/fs.h"
#include "image/disk.h"
#include "image/disk_files.h"

/* Text of LAYERS_MAX layers and the index. */
#define RECORD_MAX (LAYER_INDEX_MAX + ((size_t)16 << 20))

#define TICK_NS 1000000L

static bool is_younger(const struct stat *record, const struct stat *file)
{
	const struct timespec *a = &record->st_mtim;
	const struct timespec *b = &file->st_mtim;

	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

static bool is_same(const struct base_id *id, const struct stat *file, const struct stat *record)
{
	struct base_id now = base_id_of(file);

	return base_id_equal(id, &now) && is_younger(record, file);
}

static enum layers_age age_of(const struct disk_layers *layers, const struct stat *record,
			      const struct disk_files *files)
{
	bool has_overlay = files->layout == DISK_LAYOUT_OVERLAY;

	if (!is_same(&layers->disk, &files->image, record))
		return LAYERS_STALE;
	if (layers->has_overlay != has_overlay ||
	    (has_overlay && !is_same(&layers->overlay, &files->overlay, record)))
		return LAYERS_OF_BASE;
	return LAYERS_TRUE;
}

/* False when there is none or it is of no use: never an error, it is only a memory. */
static bool read_record(int dirfd, struct disk_layers *ret, struct stat *ret_st)
{
	CLEANUP_CLOSE int fd = openat(dirfd, LAYERS_FILE,
				      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };

	return fd >= 0 && fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode) &&
	       fs_read_fd(fd, RECORD_MAX, &text, &ignored) &&
	       disk_layers_parse(str_span(&text), ret, &ignored);
}

bool disk_layers_recall(int dirfd, struct disk_layers *ret, enum layers_age *ret_age,
			struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	struct stat st;

	if (!disk_files_open(dirfd, &files, err))
		return false;
	*ret_age = LAYERS_NONE;
	if (read_record(dirfd, ret, &st))
		*ret_age = age_of(ret, &st, &files);
	return true;
}

bool disk_layers_read(int dirfd, struct disk_layers *ret, bool *ret_found, struct err *err)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	enum layers_age age;

	if (!disk_layers_recall(dirfd, &layers, &age, err))
		return false;
	*ret_found = age == LAYERS_OF_BASE || age == LAYERS_TRUE;
	if (*ret_found) {
		*ret = layers;
		layers = (struct disk_layers){ 0 };
	}
	return true;
}

/* Gives the record the time of now until that is later than the disk's. */
static bool make_younger(int dirfd, const struct disk_files *files, bool *ret_done, struct err *err)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW },
						{ .tv_nsec = UTIME_NOW } };
	static const struct timespec tick = { .tv_nsec = TICK_NS };
	struct stat record;

	for (int i = 0; i < LAYERS_WAIT_MS; i++) {
		if (fstatat(dirfd, LAYERS_FILE, &record, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, errno, "cannot stat '%s'", LAYERS_FILE);
		*ret_done = is_younger(&record, &files->image) &&
			    (files->layout == DISK_LAYOUT_PLAIN ||
			     is_younger(&record, &files->overlay));
		if (*ret_done)
			return true;
		(void)nanosleep(&tick, NULL);
		if (utimensat(dirfd, LAYERS_FILE, now, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, errno, "cannot set the time of '%s'", LAYERS_FILE);
	}
	return true;
}

/* Stores what is already bound to the files. */
static bool store(int dirfd, const struct disk_layers *layers, const struct disk_files *files,
		  struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	bool done = false;

	disk_layers_print(layers, &text);
	if (!fs_replace_file(dirfd, LAYERS_FILE, str_span(&text), 0644, err) ||
	    !make_younger(dirfd, files, &done, err))
		return false;
	if (!done && unlinkat(dirfd, LAYERS_FILE, 0) < 0)
		return err_sys(err, errno, "cannot remove '%s'", LAYERS_FILE);
	return true;
}

static void bind_overlay(struct disk_layers *layers, const struct disk_files *files)
{
	layers->has_overlay = files->layout == DISK_LAYOUT_OVERLAY;
	if (layers->has_overlay)
		layers->overlay = base_id_of(&files->overlay);
}

bool disk_layers_store(int dirfd, struct disk_layers *layers, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;

	if (!disk_files_open(dirfd, &files, err))
		return false;
	layers->disk = base_id_of(&files.image);
	bind_overlay(layers, &files);
	return store(dirfd, layers, &files, err);
}

bool disk_layers_pass(int from_dirfd, int to_dirfd, struct err *err)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	enum layers_age age;

	if (!disk_layers_recall(from_dirfd, &layers, &age, err))
		return false;
	if (age != LAYERS_TRUE && age != LAYERS_OF_BASE)
		return true;
	if (!disk_files_open(to_dirfd, &files, err))
		return false;
	layers.disk = base_id_of(&files.image);
	/* Else it stays bound to an overlay, or to there being none, that is not that of the copy either. */
	if (age == LAYERS_TRUE)
		bind_overlay(&layers, &files);
	return store(to_dirfd, &layers, &files, err);
}

bool disk_layers_expect_writes(int dirfd, struct err *err)
{
	CLEANUP(disk_files_close) struct disk_files files = DISK_FILES_INIT;
	int fd;

	if (!fs_exists(dirfd, LAYERS_FILE))
		return true;
	if (!disk_files_open(dirfd, &files, err))
		return false;
	fd = files.layout == DISK_LAYOUT_OVERLAY ? files.overlay_fd : files.image_fd;
	if (futimens(fd, NULL) < 0)
		return err_sys(err, errno, "cannot set the time of the disk");
	return fs_sync(fd, err);
}
