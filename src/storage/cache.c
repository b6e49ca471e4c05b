/* SPDX-License-Identifier: Apache-2.0 */
/* Finding cached images: the walk, and the way from a name to its bundle. cache_collect.c removes them. */
#include "storage/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "storage/bundle.h"
#include "storage/cache_paths.h"
#include "storage/dir.h"

/* Each level holds a descriptor. Namespaces of real images are two or three levels deep. */
#define DEPTH_MAX 64

struct walk {
	cache_visitor *visit;
	void *ctx;
	bool remove_empty;
	struct str path; /* decoded, of the directory being read */
	struct err *err;
};

int cache_open_root(const struct home *home)
{
	return openat(home->cache_fd, "OCIs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cache_open_subdir(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* What a link leads to: -1 unless it is an initialized bundle. */
static int open_linked(int dir_fd, const char *name)
{
	CLEANUP_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && bundle_is_initialized(fd) ? TAKE_FD(fd) : -1;
}

static bool show(struct walk *walk, int dir_fd, const char *entry, int bundle_fd, bool is_link)
{
	bool is_tag = is_link && !span_starts_with(span_of(entry), NAME_DIGEST_PREFIX);
	CLEANUP_STR struct str name = { 0 };

	str_addf(&name, "%s%c%s", str_text(&walk->path), is_tag ? ':' : '@', entry);
	return walk->visit(walk->ctx,
			   &(struct cache_item){ .name = str_text(&name),
						 .is_link = is_link,
						 .bundle_fd = bundle_fd,
						 .dir_fd = dir_fd,
						 .entry = entry },
			   walk->err);
}

static bool walk_dir(struct walk *walk, int dir_fd, int depth);

static bool walk_subdir(struct walk *walk, int dir_fd, const char *entry, int fd, int depth)
{
	size_t len = walk->path.len;
	bool ok;

	if (depth == DEPTH_MAX)
		return true;
	if (depth > 0)
		str_addf(&walk->path, "/%s", entry);
	else
		name_decode_host(entry, &walk->path);
	ok = walk_dir(walk, fd, depth + 1);
	str_truncate(&walk->path, len);
	/* A directory that still has something in it does not go away. The host's carries the lock. */
	if (ok && walk->remove_empty && depth > 0)
		(void)unlinkat(dir_fd, entry, AT_REMOVEDIR);
	return ok;
}

/* Depth 0 is OCIs itself, 1 a host; images lie below at least one namespace component. */
static bool walk_entry(struct walk *walk, int dir_fd, const char *entry, int depth)
{
	CLEANUP_CLOSE int fd = cache_open_subdir(dir_fd, entry);
	struct stat st;

	if (fd >= 0 && depth > 1 && bundle_is_initialized(fd))
		return show(walk, dir_fd, entry, fd, false);
	if (fd >= 0)
		return walk_subdir(walk, dir_fd, entry, fd, depth);
	if (depth < 2 || fstatat(dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISLNK(st.st_mode))
		return true;
	fd = open_linked(dir_fd, entry);
	return show(walk, dir_fd, entry, fd, true);
}

static bool walk_dir(struct walk *walk, int dir_fd, int depth)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err ignored;

	if (!dir_list(dir_fd, &list, &ignored))
		return true;
	vec_each(&list.names, name) {
		if (!walk_entry(walk, dir_fd, *name, depth))
			return false;
	}
	return true;
}

bool cache_walk(const struct home *home, cache_visitor *visit, void *ctx, struct err *err)
{
	CLEANUP_CLOSE int root_fd = cache_open_root(home);
	struct walk walk = { .visit = visit, .ctx = ctx, .err = err };
	bool ok;

	if (root_fd < 0)
		return errno == ENOENT ||
		       err_sys(err, errno, "cannot open '%s/cache/OCIs'", home->path);
	ok = walk_dir(&walk, root_fd, 0);
	str_done(&walk.path);
	return ok;
}

bool cache_walk_host(int host_fd, const char *host, cache_visitor *visit, void *ctx,
		     bool remove_empty, struct err *err)
{
	struct walk walk = { .visit = visit, .ctx = ctx, .remove_empty = remove_empty, .err = err };
	bool ok;

	name_decode_host(host, &walk.path);
	ok = walk_dir(&walk, host_fd, 1);
	str_done(&walk.path);
	return ok;
}

int cache_open_parent(const struct home *home, const struct name_path *path)
{
	CLEANUP_CLOSE int fd = cache_open_root(home);

	for (size_t i = 0; fd >= 0 && i + 1 < path->parts.n; i++) {
		int next = cache_open_subdir(fd, path->parts.v[i]);

		(void)close(fd);
		fd = next;
	}
	return TAKE_FD(fd);
}

bool cache_is_link(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* A tag has to be a link, a digest a directory or, if it is that of an index, a link; anything else in the place belongs
 * to another name. */
int cache_open_reference(int parent_fd, const struct remote_name *name)
{
	if (cache_is_link(parent_fd, name->reference))
		return openat(parent_fd, name->reference, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return name->by_digest ? cache_open_subdir(parent_fd, name->reference) : -1;
}

int cache_open_named(const struct home *home, const struct remote_name *name)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_CLOSE int parent_fd = -1;

	remote_name_path(name, &path);
	parent_fd = cache_open_parent(home, &path);
	return parent_fd < 0 ? -1 : cache_open_reference(parent_fd, name);
}

bool cache_peek(const struct home *home, const struct remote_name *name, int *ret_fd,
		struct err *err)
{
	CLEANUP_CLOSE int fd = cache_open_named(home, name);

	if (fd >= 0 && !bundle_is_initialized(fd))
		return err_vm_incomplete(err);
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool cache_open(const struct home *home, const struct remote_name *name, int *ret_fd,
		struct err *err)
{
	struct err ignored;

	if (!cache_peek(home, name, ret_fd, err))
		return false;
	if (*ret_fd >= 0)
		(void)bundle_touch(*ret_fd, NULL, &ignored);
	return true;
}

/* The name a directory has in the end, whatever links led to it. */
static bool real_name(int fd, struct str *out)
{
	char link[sizeof("/proc/self/fd/") + 12];
	char path[4096];
	struct span text;
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	if (len <= 0 || (size_t)len == sizeof(path))
		return false;
	text = span_make(path, (size_t)len);
	str_add_span(out, span_from(text, span_rfind(text, '/') + 1));
	return true;
}

bool cache_resolve(const struct home *home, const struct remote_name *name, struct str *out,
		   struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	CLEANUP_STR struct str digest = { 0 };
	CLEANUP_STR struct str full = { 0 };

	fd = cache_open_named(home, name);
	if (fd >= 0 && real_name(fd, &digest) &&
	    span_starts_with(str_span(&digest), NAME_DIGEST_PREFIX)) {
		str_add_span(out, str_span(&digest));
		return true;
	}
	if (name->by_digest) {
		str_add(out, name->reference);
		return true;
	}
	remote_name_print(name, &full);
	return err_set(err, ERR_OCI, "%s is not a digest and doesn't point to a digest",
		       str_text(&full));
}
