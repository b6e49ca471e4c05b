/* SPDX-License-Identifier: Apache-2.0 */
/* Finding data in the cache. */
#include "registry/reuse.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "image/layers.h"
#include "storage/bundle.h"
#include "storage/cache.h"

void reuse_done(struct reuse *reuse)
{
	vec_each(&reuse->fds, fd)
		cleanup_close(fd);
	vec_done(&reuse->fds);
	vec_done(&reuse->places);
	free(reuse->best_name);
	*reuse = (struct reuse)REUSE_INIT;
}

/* Contents that one image has. */
struct match {
	size_t content;
	uint64_t offset;
};

struct matches {
	VEC(struct match) list; /* each content once */
	bool *is_known;         /* by content */
	uint64_t blob_bytes;
};

static void matches_done(struct matches *matches)
{
	vec_done(&matches->list);
	free(matches->is_known);
}

struct search {
	const struct pull_plan *plan;
	struct reuse *reuse;
};

static void add_match(const struct pull_plan *plan, struct matches *matches, const char *hex,
		      uint64_t data_bytes, uint64_t offset)
{
	size_t content = pull_plan_find(plan, hex, data_bytes);

	if (content == PLAN_NONE || pull_plan_there(plan, content))
		return;
	if (matches->is_known[content])
		return;
	matches->is_known[content] = true;
	*vec_push(&matches->list) = (struct match){ .content = content, .offset = offset };
	matches->blob_bytes += pull_plan_content(plan, content)->descriptor->size_bytes;
}

static bool match_record(int bundle_fd, const struct pull_plan *plan, struct matches *matches)
{
	struct disk_layers record = { .has_overlay = false };
	uint64_t offset = 0;
	struct err ignored;
	bool is_found = false;

	if (!disk_layers_read(bundle_fd, &record, &is_found, &ignored) || !is_found)
		return false;
	vec_each(&record.items, item) {
		if (item->blob_bytes > 0 && !item->is_overlaid)
			add_match(plan, matches, item->data_digest, item->data_bytes, offset);
		offset += item->data_bytes;
	}
	disk_layers_done(&record);
	return true;
}

static void match_manifest(int bundle_fd, const struct pull_plan *plan, struct matches *matches)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
	uint64_t offset = 0;
	struct err ignored;

	if (!fs_read_file(bundle_fd, BUNDLE_MANIFEST, MANIFEST_MAX, &text, &ignored) ||
	    !manifest_parse(str_span(&text), &manifest, &ignored) || manifest.kind != IMAGE_TART)
		return;
	vec_each(&manifest.layers, descriptor) {
		if (descriptor->kind != LAYER_TART_DISK)
			continue;
		add_match(plan, matches, descriptor_data_hex(descriptor), descriptor->data_bytes,
			  offset);
		offset += descriptor->data_bytes;
	}
}

/* The best image's places come before those of others: the fewer files, the better. */
static void take_places(struct reuse *reuse, const struct matches *matches, int fd, bool is_best)
{
	vec_each(&matches->list, match) {
		struct reuse_place *place = &reuse->places.v[match->content];

		if (is_best || place->fd < 0)
			*place = (struct reuse_place){ .fd = fd, .offset = match->offset };
	}
}

static bool look_at(void *ctx, const struct cache_item *item, struct err *err)
{
	const struct search *search = ctx;
	struct reuse *reuse = search->reuse;
	CLEANUP(matches_done) struct matches matches = { .blob_bytes = 0 };
	bool is_best;
	int fd;

	if (!cancel_check(err))
		return false;
	if (item->is_link || reuse->fds.n == REUSE_IMAGES_MAX)
		return true;
	matches.is_known = xcalloc(search->plan->contents.n + 1, sizeof(*matches.is_known));
	if (!match_record(item->bundle_fd, search->plan, &matches))
		match_manifest(item->bundle_fd, search->plan, &matches);
	is_best = matches.blob_bytes > reuse->best_bytes;
	if (matches.list.n == 0)
		return true;
	fd = openat(item->bundle_fd, BUNDLE_DISK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return true;
	*vec_push(&reuse->fds) = fd;
	take_places(reuse, &matches, fd, is_best);
	if (is_best) {
		free(reuse->best_name);
		reuse->best_name = xstrdup(item->name);
		reuse->best_fd = fd;
		reuse->best_bytes = matches.blob_bytes;
	}
	return true;
}

bool reuse_find(const struct home *home, const struct pull_plan *plan, struct reuse *ret,
		struct err *err)
{
	CLEANUP(reuse_done) struct reuse reuse = REUSE_INIT;
	struct search search = { .plan = plan, .reuse = &reuse };

	for (size_t i = 0; i < plan->contents.n; i++)
		*vec_push(&reuse.places) = (struct reuse_place){ .fd = -1 };
	if (!cache_walk(home, look_at, &search, err))
		return false;
	*ret = reuse;
	reuse = (struct reuse)REUSE_INIT;
	return true;
}

void reuse_adopt(struct reuse *reuse, const struct pull_plan *plan, int fd,
		 const struct journal_text *journal)
{
	*vec_push(&reuse->fds) = fd;
	vec_each(&journal->entries, entry) {
		size_t content = pull_plan_find(plan, entry->data_digest, entry->data_bytes);

		if (content != PLAN_NONE)
			reuse->places.v[content] = (struct reuse_place){ .fd = fd,
									 .offset = entry->offset };
	}
}
