/* SPDX-License-Identifier: Apache-2.0 */
/* The way to where an image belongs: walked and made, and what may stand in it. */
#include "storage/cache_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "storage/bundle.h"

/* HOST/A/B of the first `n` parts of a path, the last after `sep`. */
static void add_parts(const struct name_path *path, size_t n, char sep, struct str *out)
{
	name_decode_host(path->parts.v[0], out);
	for (size_t i = 1; i < n; i++)
		str_addf(out, "%c%s", i + 1 == n ? sep : '/', path->parts.v[i]);
}

static bool err_collision(struct err *err, const struct remote_name *name, const struct str *what)
{
	CLEANUP_STR struct str text = { 0 };

	remote_name_print(name, &text);
	return err_set(err, ERR_OCI,
		       "%s cannot be cached: %s; delete what is there, or use another name",
		       str_text(&text), str_text(what));
}

/* What stands where part `i` of the path belongs, which has to be a namespace. */
static bool err_component(struct err *err, const struct remote_name *name,
			  const struct name_path *path, size_t i, bool is_link)
{
	CLEANUP_STR struct str what = { 0 };

	str_add(&what, is_link && i > 1 ? "the image " : "the cache's ");
	add_parts(path, i + 1, is_link && i > 1 ? ':' : '/', &what);
	str_add(&what, is_link && i > 1 ? " has the place of its namespace" :
					  " is not a directory of namespaces");
	return err_collision(err, name, &what);
}

/* A bundle is where images lie, not where others go. */
static bool open_component(int dir_fd, const struct remote_name *name, const struct name_path *path,
			   size_t i, int *ret_fd, struct err *err)
{
	const char *part = path->parts.v[i];
	CLEANUP_CLOSE int fd = cache_open_subdir(dir_fd, part);

	if (fd < 0 && errno == ENOENT) {
		*ret_fd = -1;
		return true;
	}
	if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
		return err_sys(err, errno, "cannot open '%s' in the cache", part);
	if (fd < 0 || (i > 0 && bundle_is_initialized(fd)))
		return err_component(err, name, path, i, cache_is_link(dir_fd, part));
	*ret_fd = TAKE_FD(fd);
	return true;
}

static bool open_root(const struct home *home, int *ret_fd, struct err *err)
{
	*ret_fd = cache_open_root(home);
	return *ret_fd >= 0 || errno == ENOENT ||
	       err_sys(err, errno, "cannot open '%s/cache/OCIs'", home->path);
}

bool cache_find_parent(const struct home *home, const struct remote_name *name, int *ret_fd,
		       struct err *err)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_CLOSE int fd = -1;

	remote_name_path(name, &path);
	if (!open_root(home, &fd, err))
		return false;
	for (size_t i = 0; fd >= 0 && i + 1 < path.parts.n; i++) {
		int next = -1;

		if (!open_component(fd, name, &path, i, &next, err))
			return false;
		(void)close(fd);
		fd = next;
	}
	*ret_fd = TAKE_FD(fd);
	return true;
}

/* *ret_made: whether it was not there before. */
static bool make_component(int dir_fd, const char *part, bool *ret_made, struct err *err)
{
	*ret_made = mkdirat(dir_fd, part, 0777) == 0;
	if (*ret_made)
		return fs_sync(dir_fd, err);
	return errno == EEXIST || err_sys(err, errno, "cannot create '%s' in the cache", part);
}

bool cache_make_parent(const struct home *home, const struct remote_name *name, int *ret_fd,
		       size_t *ret_made, struct err *err)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_CLOSE int fd = -1;

	*ret_made = 0;
	remote_name_path(name, &path);
	if (!fs_make_dir(home->cache_fd, "OCIs", 0777, err) || !open_root(home, &fd, err))
		return false;
	for (size_t i = 0; fd >= 0 && i + 1 < path.parts.n; i++) {
		bool made = false;
		int next = -1;
		bool ok = make_component(fd, path.parts.v[i], &made, err);

		/* The host's directory carries the lock and stays. */
		*ret_made += made && i > 0;
		if (!ok || !open_component(fd, name, &path, i, &next, err))
			return false;
		(void)close(fd);
		fd = next;
	}
	*ret_fd = TAKE_FD(fd);
	return *ret_fd >= 0 || err_set(err, ERR_OCI, "the cache is being removed");
}

void cache_unmake_parent(const struct home *home, const struct remote_name *name, size_t n_made)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };

	remote_name_path(name, &path);
	for (; n_made > 0; n_made--) {
		CLEANUP_CLOSE int fd = -1;

		/* Without the reference, the path leads to the namespace's own parent. */
		free(path.parts.v[--path.parts.n]);
		fd = cache_open_parent(home, &path);
		if (fd < 0 || unlinkat(fd, path.parts.v[path.parts.n - 1], AT_REMOVEDIR) < 0)
			return;
	}
}

bool cache_check_reference(int parent_fd, const struct remote_name *name, struct err *err)
{
	CLEANUP_STR struct str what = { 0 };
	struct stat st;

	if (fstatat(parent_fd, name->reference, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ||
		       err_sys(err, errno, "cannot look at '%s' in the cache", name->reference);
	if (S_ISLNK(st.st_mode) || (name->by_digest && S_ISDIR(st.st_mode)))
		return true;
	if (S_ISDIR(st.st_mode))
		str_addf(&what, "images of %s/%s/%s have the place of its tag", name->host,
			 name->repository, name->reference);
	else
		str_addf(&what, "the cache's %s/%s/%s is neither a link nor a directory",
			 name->host, name->repository, name->reference);
	return err_collision(err, name, &what);
}
