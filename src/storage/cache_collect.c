/* SPDX-License-Identifier: Apache-2.0 */
/* Removing cached images: by name, and the collector of those that no name leads to. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "storage/bundle.h"
#include "storage/cache.h"
#include "storage/cache_paths.h"
#include "storage/cache_store.h"
#include "storage/dir.h"
#include "storage/temp.h"

bool cache_remove_unused(const struct home *home, int dir_fd, const char *entry, bool *ret,
			 struct err *err)
{
	CLEANUP_CLOSE int fd = cache_open_subdir(dir_fd, entry);
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	CLEANUP(bundle_unlock) struct bundle_lock lock = BUNDLE_LOCK_INIT;

	*ret = true;
	if (fd < 0)
		return errno == ENOENT || err_sys(err, errno, "cannot open '%s'", entry);
	/* Without config.json there is nothing that anybody could be using. */
	if (fs_exists(fd, BUNDLE_CONFIG)) {
		switch (bundle_lock_try(fd, &lock, err)) {
		case BUNDLE_LOCK_FAILED:
			return false;
		case BUNDLE_BUSY:
			*ret = false;
			return true;
		case BUNDLE_LOCKED:
			break;
		}
	}
	return temp_hide(home, home->cache_fd, dir_fd, entry, &temp, err) &&
	       temp_remove(&temp, err);
}

/* The bundles that links lead to. */
struct linked {
	VEC(struct stat) bundles;
};

static bool note_linked(void *ctx, const struct cache_item *item, struct err *err)
{
	struct linked *linked = ctx;
	struct stat st;

	(void)err;
	if (item->is_link && item->bundle_fd >= 0 && fstat(item->bundle_fd, &st) == 0)
		*vec_push(&linked->bundles) = st;
	return true;
}

static bool is_linked(const struct linked *linked, int bundle_fd)
{
	struct stat st;

	if (fstat(bundle_fd, &st) < 0)
		return true;
	vec_each(&linked->bundles, bundle) {
		if (fs_same_inode(bundle, &st))
			return true;
	}
	return false;
}

struct collection {
	const struct home *home;
	const struct linked *linked;
};

static bool leads_nowhere(const struct cache_item *item)
{
	struct stat st;

	return fstatat(item->dir_fd, item->entry, &st, 0) < 0 &&
	       (errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
}

static bool collect_item(void *ctx, const struct cache_item *item, struct err *err)
{
	const struct collection *collection = ctx;
	bool unused;

	if (item->is_link) {
		if (leads_nowhere(item) && unlinkat(item->dir_fd, item->entry, 0) < 0 &&
		    errno != ENOENT)
			return err_sys(err, errno, "cannot remove '%s'", item->name);
		return true;
	}
	if (is_linked(collection->linked, item->bundle_fd) ||
	    fs_exists(item->bundle_fd, BUNDLE_PULLED))
		return true;
	return cache_remove_unused(collection->home, item->dir_fd, item->entry, &unused, err) ||
	       err_context(err, "%s", item->name);
}

/* Links are counted in the whole cache: nothing says that they stay within their host. */
static bool collect_host(const struct home *home, int host_fd, const char *host, struct err *err)
{
	struct linked linked = { 0 };
	struct collection collection = { .home = home, .linked = &linked };
	bool ok = cache_walk(home, note_linked, &linked, err) &&
		  cache_walk_host(host_fd, host, collect_item, &collection, true, err);

	vec_done(&linked.bundles);
	return ok;
}

bool cache_collect_host(const struct home *home, const struct cache_lock *lock, const char *host,
			struct err *err)
{
	CLEANUP_STR struct str name = { 0 };

	name_encode_host(host, &name);
	return collect_host(home, lock->fd, str_text(&name), err);
}

bool cache_collect(const struct home *home, const struct wait_notice *notice, struct err *err)
{
	CLEANUP_CLOSE int root_fd = cache_open_root(home);
	CLEANUP(name_list_done) struct name_list hosts = { 0 };

	if (root_fd < 0)
		return errno == ENOENT ||
		       err_sys(err, errno, "cannot open '%s/cache/OCIs'", home->path);
	if (!dir_list(root_fd, &hosts, err))
		return err_context(err, "%s/cache/OCIs", home->path);
	vec_each(&hosts.names, host) {
		CLEANUP_CLOSE int host_fd = cache_open_subdir(root_fd, *host);

		if (host_fd >= 0 && (!cache_lock_dir(host_fd, notice, err) ||
				     !collect_host(home, host_fd, *host, err)))
			return false;
	}
	return true;
}

/* The bundle a link leads to must not be in use. A link that leads nowhere may always go. */
static bool delete_link(int parent_fd, const char *tag, const char *text, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(parent_fd, tag, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!cache_is_link(parent_fd, tag))
		return err_vm_missing(err, text);
	if (fd >= 0 && bundle_state(fd, NULL) == VM_RUNNING)
		return err_vm_running(err, text);
	if (unlinkat(parent_fd, tag, 0) < 0)
		return err_sys(err, errno, "cannot remove '%s'", text);
	return true;
}

static bool delete_bundle(const struct home *home, int parent_fd, const char *digest,
			  const char *text, struct err *err)
{
	CLEANUP_CLOSE int fd = cache_open_subdir(parent_fd, digest);
	bool unused;

	if (fd < 0)
		return err_vm_missing(err, text);
	if (!cache_remove_unused(home, parent_fd, digest, &unused, err))
		return false;
	return unused || err_vm_running(err, text);
}

bool cache_delete(const struct home *home, const struct remote_name *name, const char *text,
		  const struct wait_notice *notice, struct err *err)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_CLOSE int root_fd = cache_open_root(home);
	CLEANUP_CLOSE int host_fd = -1;
	CLEANUP_CLOSE int parent_fd = -1;

	remote_name_path(name, &path);
	if (root_fd >= 0)
		host_fd = cache_open_subdir(root_fd, path.parts.v[0]);
	if (host_fd < 0)
		return err_vm_missing(err, text);
	if (!cache_lock_dir(host_fd, notice, err))
		return false;
	parent_fd = cache_open_parent(home, &path);
	if (parent_fd < 0)
		return err_vm_missing(err, text);
	if (name->by_digest && !cache_is_link(parent_fd, name->reference) ?
		    !delete_bundle(home, parent_fd, name->reference, text, err) :
		    !delete_link(parent_fd, name->reference, text, err))
		return false;
	return collect_host(home, host_fd, path.parts.v[0], err);
}

bool cache_remove(const struct home *home, const struct remote_name *name, bool *ret,
		  struct err *err)
{
	CLEANUP(name_path_done) struct name_path path = { 0 };
	CLEANUP_CLOSE int parent_fd = -1;

	remote_name_path(name, &path);
	parent_fd = cache_open_parent(home, &path);
	*ret = true;
	return parent_fd < 0 || cache_remove_unused(home, parent_fd, name->reference, ret, err);
}
