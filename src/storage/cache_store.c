/* SPDX-License-Identifier: Apache-2.0 */
/* Installing bundles, linking and marking them; cache_paths.c walks and makes the way to them. */
#include "storage/cache_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "image/copy.h"
#include "storage/bundle.h"
#include "storage/cache_paths.h"
#include "storage/dir.h"

static bool is_complete(int parent_fd, const char *digest)
{
	CLEANUP_CLOSE int fd = cache_open_subdir(parent_fd, digest);

	return fd >= 0 && bundle_is_initialized(fd);
}

bool cache_has(const struct home *home, const struct remote_name *name, const char *digest,
	       bool *ret, struct err *err)
{
	CLEANUP_CLOSE int parent_fd = -1;

	if (!cache_find_parent(home, name, &parent_fd, err))
		return false;
	*ret = parent_fd >= 0 && is_complete(parent_fd, digest);
	return true;
}

static bool is_index(const struct remote_name *name, const char *digest)
{
	return name->by_digest && strcmp(name->reference, digest) != 0;
}

static bool same_file(int fd_a, int fd_b)
{
	struct stat a;
	struct stat b;

	return fstat(fd_a, &a) == 0 && fstat(fd_b, &b) == 0 && fs_same_inode(&a, &b);
}

bool cache_is_linked(const struct home *home, const struct remote_name *name, const char *digest,
		     bool *ret, struct err *err)
{
	CLEANUP_CLOSE int parent_fd = -1;
	CLEANUP_CLOSE int bundle_fd = -1;
	CLEANUP_CLOSE int named_fd = -1;

	if (!cache_find_parent(home, name, &parent_fd, err))
		return false;
	if (parent_fd >= 0)
		bundle_fd = cache_open_subdir(parent_fd, digest);
	if (bundle_fd >= 0)
		named_fd = cache_open_reference(parent_fd, name);
	*ret = named_fd >= 0 && same_file(named_fd, bundle_fd) &&
	       bundle_is_initialized(bundle_fd) &&
	       (!name->by_digest || is_index(name, digest) || fs_exists(bundle_fd, BUNDLE_PULLED));
	return true;
}

/* With its times, by which disk.layers knows the disk. */
static bool copy_file_whole(int from_fd, int to_fd, const char *name, struct err *err)
{
	struct stat st;
	struct timespec times[2];

	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", name);
	if (!copy_file(from_fd, name, to_fd, name, st.st_mode & 0777, NULL, err))
		return false;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return utimensat(to_fd, name, times, AT_SYMLINK_NOFOLLOW) == 0 ||
	       err_sys(err, errno, "cannot set the times of '%s'", name);
}

/* What *temp holds moves to where it can be renamed into the cache. */
static bool move_near(const struct home *home, struct temp *temp, struct err *err)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	CLEANUP(temp_done) struct temp copy = TEMP_INIT;
	struct temp from = *temp;

	if (!dir_list(temp->fd, &list, err) || !temp_make_image(home, &copy, err))
		return false;
	vec_each(&list.names, name) {
		if (!copy_file_whole(temp->fd, copy.fd, *name, err))
			return false;
	}
	*temp = copy;
	copy = from;
	return fs_sync(temp->fd, err);
}

/* Room for a bundle where an incomplete one lies. */
static bool clear_place(const struct home *home, int parent_fd, const char *digest, struct err *err)
{
	bool unused;

	if (!cache_remove_unused(home, parent_fd, digest, &unused, err))
		return false;
	return unused ||
	       err_set(err, ERR_OCI, "%s is in use, although files of it are missing", digest);
}

/* Removes what keeps the bundle from being renamed. */
static bool overcome(const struct home *home, int parent_fd, const char *digest, struct temp *temp,
		     int why, struct err *err)
{
	switch (why) {
	case EEXIST:
	case ENOTEMPTY:
		return clear_place(home, parent_fd, digest, err);
	case EXDEV:
		return move_near(home, temp, err);
	default:
		return err_sys(err, why, "cannot move %s into the cache", digest);
	}
}

/* Both can be in the way, each once. */
static bool move_in(const struct home *home, int parent_fd, const char *digest, struct temp *temp,
		    struct err *err)
{
	for (int left = 2;; left--) {
		if (renameat(temp->dir_fd, temp->name, parent_fd, digest) == 0)
			return true;
		if (left == 0)
			return err_sys(err, errno, "cannot move %s into the cache", digest);
		if (!overcome(home, parent_fd, digest, temp, errno, err))
			return false;
	}
}

/* The files' names have to be on disk before the directory's is. */
static bool install(const struct home *home, int parent_fd, const char *digest, struct temp *temp,
		    struct err *err)
{
	if (!fs_sync(temp->fd, err) || !move_in(home, parent_fd, digest, temp, err))
		return false;
	temp_release(temp);
	return fs_sync(parent_fd, err);
}

bool cache_install(const struct home *home, const struct remote_name *name, const char *digest,
		   struct temp *temp, struct err *err)
{
	CLEANUP_CLOSE int parent_fd = -1;
	size_t n_made = 0;

	if (cache_make_parent(home, name, &parent_fd, &n_made, err) &&
	    cache_check_reference(parent_fd, name, err) &&
	    (is_complete(parent_fd, digest) || install(home, parent_fd, digest, temp, err)))
		return true;
	cache_unmake_parent(home, name, n_made);
	return false;
}

bool cache_check_path(const struct home *home, const struct remote_name *name, struct err *err)
{
	CLEANUP_CLOSE int parent_fd = -1;

	return cache_find_parent(home, name, &parent_fd, err) &&
	       (parent_fd < 0 || cache_check_reference(parent_fd, name, err));
}

/* Where a temporary link is made: its collector removes links whenever it sees them, so it may come in between. */
static bool replace_link(const struct home *home, const char *target, int parent_fd,
			 const char *name, struct err *err)
{
	const bool in_tmp = fs_same_file_system(home->cache_fd, home->tmp_fd);
	const int dir_fd = in_tmp ? home->tmp_fd : home->cache_fd;
	char temp[sizeof(TEMP_PREFIX) + RANDOM_UUID_SIZE] = "";

	do {
		if (!cancel_check(err))
			return false;
		(void)snprintf(temp, sizeof(temp), "%s", in_tmp ? "" : TEMP_PREFIX);
		random_uuid(temp + strlen(temp));
		if (symlinkat(target, dir_fd, temp) < 0)
			return err_sys(err, errno, "cannot create a link");
		if (renameat(dir_fd, temp, parent_fd, name) == 0)
			return fs_sync(parent_fd, err);
	} while (errno == ENOENT);
	(void)err_sys(err, errno, "cannot link '%s'", name);
	(void)unlinkat(dir_fd, temp, 0);
	return false;
}

/* Links are absolute: Tart on macOS compares their text. */
static bool link_to(const struct home *home, const struct remote_name *name, const char *digest,
		    int parent_fd, struct err *err)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_STR struct str target = { 0 };

	remote_name_path(name, &path);
	str_addf(&target, "%s/cache/OCIs", home->path);
	for (size_t i = 0; i + 1 < path.parts.n; i++)
		str_addf(&target, "/%s", path.parts.v[i]);
	str_addf(&target, "/%s", digest);
	return replace_link(home, str_text(&target), parent_fd, name->reference, err);
}

static bool mark(int bundle_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_PULLED,
				      O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", BUNDLE_PULLED);
	return fs_sync(bundle_fd, err);
}

bool cache_link(const struct home *home, const struct remote_name *name, const char *digest,
		struct err *err)
{
	const bool is_link = !name->by_digest || is_index(name, digest);
	CLEANUP_CLOSE int parent_fd = -1;
	CLEANUP_CLOSE int bundle_fd = -1;
	struct err ignored;

	if (!cache_find_parent(home, name, &parent_fd, err))
		return false;
	if (parent_fd >= 0 && !cache_check_reference(parent_fd, name, err))
		return false;
	if (parent_fd >= 0)
		bundle_fd = cache_open_subdir(parent_fd, digest);
	if (bundle_fd < 0 || !bundle_is_initialized(bundle_fd))
		return err_set(err, ERR_OCI, "%s/%s@%s is not in the cache", name->host,
			       name->repository, digest);
	if (is_link ? !link_to(home, name, digest, parent_fd, err) : !mark(bundle_fd, err))
		return false;
	(void)bundle_touch(bundle_fd, NULL, &ignored);
	return true;
}

bool cache_fade(const struct home *home, const struct remote_name *name, struct err *err)
{
	const struct timespec never = { 0 };
	CLEANUP_CLOSE int fd = name->by_digest ? -1 : cache_open_named(home, name);

	return fd < 0 || bundle_touch(fd, &never, err);
}
