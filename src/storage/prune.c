/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates, choices and removal. */
#include "storage/prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cancel.h"
#include "base/checked.h"
#include "base/fs.h"
#include "storage/bundle.h"
#include "storage/cache.h"
#include "storage/local.h"
#include "storage/temp.h"

/* Latest access first; the name decides between equals, so that runs do not differ. */
static int by_access(const void *a, const void *b)
{
	const struct prune_candidate *left = a;
	const struct prune_candidate *right = b;

	if (left->accessed.tv_sec != right->accessed.tv_sec)
		return left->accessed.tv_sec > right->accessed.tv_sec ? -1 : 1;
	if (left->accessed.tv_nsec != right->accessed.tv_nsec)
		return left->accessed.tv_nsec > right->accessed.tv_nsec ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void sort(struct prune_list *list)
{
	if (list->items.n > 1)
		qsort(list->items.v, list->items.n, sizeof(*list->items.v), by_access);
}

void prune_list_done(struct prune_list *list)
{
	vec_each(&list->items, item)
		free(item->name);
	vec_done(&list->items);
}

/* A bundle that cannot be measured, perhaps because it is vanishing, is no candidate. */
static void add_bundle(struct prune_list *list, const char *name, enum prune_kind kind,
		       int bundle_fd)
{
	struct bundle_sizes sizes;
	struct timespec accessed;
	struct prune_candidate *item;
	struct err ignored;

	if (!bundle_sizes(bundle_fd, &sizes, &ignored) ||
	    !bundle_accessed(bundle_fd, &accessed, &ignored))
		return;
	item = vec_push(&list->items);
	item->name = xstrdup(name);
	item->kind = kind;
	item->allocated_bytes = sizes.allocated_bytes;
	item->accessed = accessed;
}

static bool add_image(void *ctx, const struct cache_item *item, struct err *err)
{
	(void)err;
	if (!item->is_link)
		add_bundle(ctx, item->name, PRUNE_IMAGE, item->bundle_fd);
	return true;
}

static int open_ipsws(const struct home *home)
{
	return openat(home->cache_fd, "IPSWs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool add_ipsws(const struct home *home, struct prune_list *list, struct err *err)
{
	CLEANUP_CLOSE int dir_fd = open_ipsws(home);
	CLEANUP(name_list_done) struct name_list names = { 0 };
	struct stat st;

	if (dir_fd < 0)
		return errno == ENOENT ||
		       err_sys(err, errno, "cannot open '%s/cache/IPSWs'", home->path);
	if (!dir_list(dir_fd, &names, err))
		return err_context(err, "%s/cache/IPSWs", home->path);
	vec_each(&names.names, name) {
		if (span_ends_with(span_of(*name), ".ipsw") &&
		    fstatat(dir_fd, *name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			*vec_push(&list->items) = (struct prune_candidate){
				.name = TAKE_PTR(*name),
				.kind = PRUNE_IPSW,
				.allocated_bytes = (uint64_t)st.st_blocks * 512,
				.accessed = st.st_atim,
			};
	}
	return true;
}

bool prune_list_caches(const struct home *home, struct prune_list *ret, struct err *err)
{
	struct prune_list list = { 0 };

	if (!cache_walk(home, add_image, &list, err) || !add_ipsws(home, &list, err)) {
		prune_list_done(&list);
		return false;
	}
	sort(&list);
	*ret = list;
	return true;
}

bool prune_list_vms(const struct home *home, struct prune_list *ret, struct err *err)
{
	CLEANUP(name_list_done) struct name_list names = { 0 };
	struct prune_list list = { 0 };
	struct err ignored;

	if (!local_list(home, &names, err))
		return false;
	vec_each(&names.names, name) {
		CLEANUP_CLOSE int fd = -1;

		if (local_peek(home, *name, &fd, &ignored) && bundle_state(fd, NULL) != VM_RUNNING)
			add_bundle(&list, *name, PRUNE_VM, fd);
	}
	sort(&list);
	*ret = list;
	return true;
}

void prune_choose_older(struct prune_list *list, time_t when)
{
	vec_each(&list->items, item) {
		if (item->accessed.tv_sec <= when)
			item->chosen = true;
	}
}

void prune_choose_over_budget(struct prune_list *list, uint64_t budget_bytes)
{
	vec_each(&list->items, item) {
		if (item->chosen)
			continue;
		item->chosen = item->allocated_bytes > budget_bytes;
		if (!item->chosen)
			budget_bytes -= item->allocated_bytes;
	}
}

static bool is_excepted(const struct prune_candidate *item, const char *except)
{
	return except && strcmp(item->name, except) == 0;
}

bool prune_could_free(const struct prune_list *list, uint64_t bytes, const char *except)
{
	uint64_t sum = 0;

	vec_each(&list->items, item) {
		if (!is_excepted(item, except) && ckd_add(&sum, sum, item->allocated_bytes))
			return true;
	}
	return sum >= bytes;
}

/* What bears no name that we could have given it is not ours to remove. */
static bool remove_image(const struct home *home, const char *text, bool *ret, struct err *err)
{
	CLEANUP(remote_name_done) struct remote_name name = { 0 };

	*ret = false;
	return !remote_name_parse(span_of(text), &name, err) || cache_remove(home, &name, ret, err);
}

static bool remove_ipsw(const struct home *home, const char *name, struct err *err)
{
	CLEANUP_CLOSE int dir_fd = open_ipsws(home);

	if (dir_fd >= 0 && unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", name);
	return true;
}

static bool remove_vm(const struct home *home, const char *name, bool *ret, struct err *err)
{
	*ret = local_delete(home, name, err);
	return *ret || err->kind == ERR_VM_RUNNING || err->kind == ERR_VM_MISSING;
}

/* *ret = false when it is in use. */
static bool remove_candidate(const struct home *home, const struct prune_candidate *item, bool *ret,
			     struct err *err)
{
	if (!cancel_check(err))
		return false;
	switch (item->kind) {
	case PRUNE_VM:
		return remove_vm(home, item->name, ret, err);
	case PRUNE_IMAGE:
		return remove_image(home, item->name, ret, err);
	case PRUNE_IPSW:
		break;
	}
	*ret = true;
	return remove_ipsw(home, item->name, err);
}

bool prune_remove_chosen(const struct home *home, const struct prune_list *list, struct err *err)
{
	bool removed;

	for (size_t i = list->items.n; i > 0; i--) {
		const struct prune_candidate *item = &list->items.v[i - 1];

		if (item->chosen && !remove_candidate(home, item, &removed, err))
			return false;
	}
	return true;
}

/* What this user may still write; 0 when it cannot be told. */
static uint64_t free_bytes(const struct home *home)
{
	struct statvfs fs;

	return fstatvfs(home->cache_fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

/* Removing frees less than the sizes add up to where files share blocks, so the file system is asked each time. When
 * the sum says that it should do by now, the file system may only be late in counting. */
static bool has_room(const struct home *home, uint64_t need_bytes, uint64_t short_bytes,
		     uint64_t removed_bytes)
{
	if (free_bytes(home) > need_bytes)
		return true;
	if (removed_bytes > short_bytes)
		(void)syncfs(home->cache_fd);
	return free_bytes(home) > need_bytes;
}

static bool free_oldest(const struct home *home, const struct prune_list *list, uint64_t need_bytes,
			uint64_t short_bytes, const char *except, struct err *err)
{
	uint64_t removed_bytes = 0;
	bool removed;

	for (size_t i = list->items.n; i > 0; i--) {
		const struct prune_candidate *item = &list->items.v[i - 1];

		if (has_room(home, need_bytes, short_bytes, removed_bytes))
			break;
		if (is_excepted(item, except))
			continue;
		if (!remove_candidate(home, item, &removed, err))
			return false;
		if (removed)
			removed_bytes += item->allocated_bytes;
	}
	return true;
}

static bool reclaim(const struct home *home, uint64_t need_bytes, uint64_t available,
		    const char *except, struct err *err)
{
	CLEANUP(prune_list_done) struct prune_list list = { 0 };
	struct err ignored;

	/* What nobody may ever finish is worth less than anything whole. */
	(void)temp_collect_pulls(home, &ignored);
	available = free_bytes(home);
	if (need_bytes < available)
		return true;
	if (!prune_list_caches(home, &list, err))
		return false;
	if (!prune_could_free(&list, need_bytes - available, except))
		return true;
	return free_oldest(home, &list, need_bytes, need_bytes - available, except, err);
}

bool prune_reclaim(const struct home *home, uint64_t need_bytes, const char *except,
		   struct err *err)
{
	CLEANUP_TRACE_SPAN struct trace_span *span = trace_begin_child(home->span, "prune");
	uint64_t available = free_bytes(home);
	bool ok;

	trace_set_bytes(span, "prune.required-bytes", need_bytes);
	trace_set_bytes(span, "prune.volume-available-capacity-bytes", available);
	if (available == 0 || need_bytes < available)
		return true;
	ok = reclaim(home, need_bytes, available, except, err);
	if (!ok)
		trace_set_error(span, err);
	return ok;
}
