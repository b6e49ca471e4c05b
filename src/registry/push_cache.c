/* SPDX-License-Identifier: Apache-2.0 */
/* What was pushed, as if it had been pulled. */
#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "image/copy.h"
#include "image/disk.h"
#include "registry/push_run.h"
#include "storage/cache_store.h"

/* Sharing blocks with the VM where the file system can; without an overlay in any case. */
static bool copy_disk(const struct push_source *source, int dst_fd, struct err *err)
{
	CLEANUP_CLOSE int src_fd = -1;
	int why;

	if (source->disk.overlay.size_bytes > 0)
		return disk_flatten(source->bundle_fd, dst_fd, NULL, err);
	src_fd = openat(source->bundle_fd, DISK_FILE, O_RDONLY | O_CLOEXEC);
	if (src_fd < 0)
		return err_sys(err, errno, "cannot open '%s'", DISK_FILE);
	return copy_reflink(src_fd, dst_fd, &why, err) &&
	       (why == 0 || copy_sparse(src_fd, dst_fd, NULL, err));
}

static bool add_disk(const struct push_source *source, int dirfd, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, DISK_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				      0644);

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", DISK_FILE);
	return copy_disk(source, fd, err) && fs_sync(fd, err);
}

/* The copy has no overlay. A record that cannot be stored is none. */
static void add_record(const struct push_run *run, int dirfd)
{
	struct disk_layers record = run->record;
	VEC(struct disk_layer) items = { 0 };
	struct err ignored;

	if (!run->has_record)
		return;
	vec_each(&run->record.items, item) {
		struct disk_layer *copy = vec_push(&items);

		*copy = *item;
		copy->is_overlaid = false;
	}
	record.items.v = items.v;
	(void)disk_layers_store(dirfd, &record, &ignored);
	vec_done(&items);
}

/* A saved state stays where it is: a pull would not bring it either. */
static bool fill(const struct push_run *run, const struct push_group *group, int dirfd,
		 struct err *err)
{
	const struct push_source *source = &run->source;

	if (!fs_replace_file(dirfd, BUNDLE_CONFIG, str_span(&source->config_text), 0644, err) ||
	    !copy_file(source->bundle_fd, BUNDLE_NVRAM, dirfd, BUNDLE_NVRAM, 0644, NULL, err) ||
	    !add_disk(source, dirfd, err) ||
	    !fs_replace_file(dirfd, BUNDLE_MANIFEST, str_span(&group->manifest), 0644, err))
		return false;
	add_record(run, dirfd);
	return push_source_check_disk(source, err);
}

static void tell_waiting(void *ctx)
{
	notice_tell(ctx, "waiting for lock...");
}

static bool link_names(const struct push_run *run, const struct push_group *group, struct err *err)
{
	vec_each(&group->names, name) {
		if (!cache_link(run->home, *name, group->digest, err))
			return false;
	}
	return true;
}

bool push_populate(const struct push_run *run, const struct push_group *group, struct err *err)
{
	const struct remote_name *name = group->names.v[0];
	struct notice notice = run->request->notice;
	const struct wait_notice waiting = { .tell = tell_waiting, .ctx = &notice };
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	CLEANUP(cache_unlock_host) struct cache_lock lock = CACHE_LOCK_INIT;
	bool is_there;

	if (!cache_has(run->home, name, group->digest, &is_there, err))
		return false;
	if (!is_there &&
	    (!temp_make_image(run->home, &temp, err) || !fill(run, group, temp.fd, err)))
		return false;
	return cache_lock_host(run->home, group->host, &waiting, &lock, err) &&
	       (is_there || cache_install(run->home, name, group->digest, &temp, err)) &&
	       link_names(run, group, err);
}
