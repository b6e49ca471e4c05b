/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles into exports. */
#include "storage/export.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "image/tvm.h"
#include "storage/bundle.h"
#include "storage/cache.h"
#include "storage/local.h"
#include "storage/saved_state.h"

static bool open_cached(const struct home *home, const struct remote_name *name, int *ret_fd,
			struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!cache_open(home, name, ret_fd, err))
		return false;
	if (*ret_fd >= 0)
		return true;
	remote_name_print(name, &text);
	return err_vm_missing(err, str_text(&text));
}

bool export_open(const struct home *home, const char *name, struct export_source *ret,
		 struct err *err)
{
	CLEANUP(remote_name_done) struct remote_name remote = { 0 };
	struct err ignored;
	int fd = -1;

	if (remote_name_parse(span_of(name), &remote, &ignored)) {
		if (!open_cached(home, &remote, &fd, err))
			return false;
	} else if (!local_open(home, name, &fd, err)) {
		return false;
	}
	*ret = (struct export_source){ .name = name, .bundle_fd = fd };
	return true;
}

void export_close(struct export_source *source)
{
	if (source->bundle_fd >= 0)
		(void)close(TAKE_FD(source->bundle_fd));
}

#define FILES_MAX 5

struct content {
	struct tvm_source files[FILES_MAX];
	size_t n;
};

static void content_done(struct content *content)
{
	for (size_t i = 0; i < content->n; i++)
		extent_map_free(content->files[i].content);
}

static void add(struct content *content, const char *name, struct extent_map *map, time_t mtime)
{
	content->files[content->n++] = (struct tvm_source){
		.name = name,
		.content = map,
		.mtime = mtime,
	};
}

/* Through the descriptor that carries the lock: closing another one would drop it. */
static bool add_config(struct content *content, int config_fd, struct err *err)
{
	struct stat st;

	if (fstat(config_fd, &st) < 0)
		return err_sys(err, errno, "cannot stat '%s'", BUNDLE_CONFIG);
	add(content, BUNDLE_CONFIG, extent_map_of_file(config_fd, (uint64_t)st.st_size),
	    st.st_mtim.tv_sec);
	return true;
}

static bool add_file(struct content *content, int bundle_fd, const char *name, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct extent_map *map;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", name);
	map = extent_map_of_file(TAKE_FD(fd), (uint64_t)st.st_size);
	extent_map_adopt_fds(map);
	add(content, name, map, st.st_mtim.tv_sec);
	return true;
}

static bool add_if_there(struct content *content, int bundle_fd, const char *name, struct err *err)
{
	return !fs_exists(bundle_fd, name) || add_file(content, bundle_fd, name, err);
}

/* What the guest sees, whatever files it is made of. */
static bool add_disk(struct content *content, int bundle_fd, struct err *err)
{
	struct extent_map *map;
	struct stat st;

	if (fstatat(bundle_fd, BUNDLE_DISK, &st, 0) < 0)
		return err_sys(err, errno, "cannot stat '%s'", BUNDLE_DISK);
	if (!disk_check(bundle_fd, err) || !disk_open_extents(bundle_fd, &map, err))
		return false;
	add(content, BUNDLE_DISK, map, st.st_mtim.tv_sec);
	return true;
}

/* A saved state of Tart on macOS could be read by nobody here, and on a Mac only where it was
 * saved. */
static bool add_state(struct content *content, int bundle_fd, struct err *err)
{
	return !saved_state_is_ours(bundle_fd) || add_file(content, bundle_fd, BUNDLE_STATE, err);
}

static bool write_locked(const struct export_source *source, int config_fd, int fd,
			 void (*begin)(void), struct err *err)
{
	CLEANUP(content_done) struct content content = { .n = 0 };
	int bundle_fd = source->bundle_fd;

	if (!add_config(&content, config_fd, err) ||
	    !add_file(&content, bundle_fd, BUNDLE_NVRAM, err) ||
	    !add_disk(&content, bundle_fd, err) ||
	    !add_if_there(&content, bundle_fd, BUNDLE_EFIVARS, err) ||
	    !add_state(&content, bundle_fd, err))
		return false;
	if (begin)
		begin();
	return tvm_write(fd, content.files, content.n, err);
}

bool export_write(const struct export_source *source, int fd, void (*begin)(void), struct err *err)
{
	CLEANUP(bundle_unlock) struct bundle_lock lock = BUNDLE_LOCK_INIT;

	switch (bundle_lock_try(source->bundle_fd, &lock, err)) {
	case BUNDLE_LOCKED:
		return write_locked(source, lock.fd, fd, begin, err);
	case BUNDLE_BUSY:
		return err_vm_running(err, source->name);
	case BUNDLE_LOCK_FAILED:
		break;
	}
	return false;
}
