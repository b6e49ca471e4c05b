/* SPDX-License-Identifier: Apache-2.0 */
/* The disk of an image: all contents at once, each from where it is cheapest, and the journal beside them. */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "base/size.h"
#include "image/copy.h"
#include "registry/pull_job.h"
#include "registry/pull_layer.h"
#include "registry/pull_resume.h"
#include "registry/pull_threads.h"
#include "registry/reuse.h"

/* Less is not worth a line, nor a disk that begins as a clone. */
#define WORTHWHILE_BYTES ((uint64_t)1 << 30)

#define DEDUPLICATED_XATTR "user.run.tart.deduplicated-bytes"

struct disk {
	const struct pull_job *job;
	struct pull_plan plan;
	struct pull_disk_file file;
	struct reuse reuse;
	bool is_clone; /* began as that of the best image */
	struct journal *journal;
	VEC(size_t) todo; /* contents of which not every layer is there */
	struct pull_meter meter;
};

static void disk_done(struct disk *disk)
{
	journal_free(disk->journal);
	reuse_done(&disk->reuse);
	pull_disk_close(&disk->file);
	vec_done(&disk->todo);
	pull_plan_done(&disk->plan);
}

static struct layer_place place_of(const struct disk *disk, const struct plan_layer *layer)
{
	return (struct layer_place){
		.fd = disk->file.fd,
		.offset = layer->offset,
		.data_bytes = layer->descriptor->data_bytes,
		.hex = descriptor_data_hex(layer->descriptor),
		.is_fresh = !disk->is_clone,
	};
}

static bool note_there(struct disk *disk, struct plan_layer *layer, struct err *err)
{
	struct journal_entry entry = pull_plan_entry(layer);

	layer->is_there = true;
	return journal_add(disk->journal, &entry, err);
}

/* In a clone of the best image, its data at the same place is there if anything is. */
static bool may_be_there(const struct disk *disk, size_t content, const struct layer_place *place,
			 bool *ret, struct err *err)
{
	const struct reuse_place *reuse = &disk->reuse.places.v[content];

	*ret = false;
	if (disk->is_clone) {
		*ret = reuse->fd == disk->reuse.best_fd && reuse->offset == place->offset;
		return true;
	}
	return disk->file.is_new || layer_has_data(place, ret, err);
}

/* A place that is not known to hold its data holds it all the same, or is made to hold zeros. An earlier pull may have
 * been killed between writing a layer and noting it; what it did not finish has to go. */
static bool look_at_place(struct disk *disk, size_t content, struct plan_layer *layer,
			  struct err *err)
{
	const struct layer_place place = place_of(disk, layer);
	bool is_there = false;
	bool is_worthwhile;

	if (!may_be_there(disk, content, &place, &is_worthwhile, err))
		return false;
	if (is_worthwhile && !layer_check(&place, &is_there, err))
		return false;
	if (is_there)
		return note_there(disk, layer, err);
	return !is_worthwhile || !place.is_fresh || layer_clear(&place, err);
}

static bool look_at_places(struct disk *disk, size_t content, struct err *err)
{
	struct plan_layer *layer = pull_plan_content(&disk->plan, content);

	for (; layer; layer = pull_plan_next(&disk->plan, layer)) {
		if (!layer->is_there && !look_at_place(disk, content, layer, err))
			return false;
	}
	return true;
}

/* The first layer of a content, of which none is there. */
static bool bring_first(struct disk *disk, size_t content, struct plan_layer *layer,
			struct err *err)
{
	const struct reuse_place *reuse = &disk->reuse.places.v[content];
	const struct layer_place place = place_of(disk, layer);
	bool is_there = false;

	if (reuse->fd >= 0 && !layer_copy(reuse->fd, reuse->offset, &place, &is_there, err))
		return false;
	if (is_there)
		disk->meter.done_bytes += layer->descriptor->size_bytes;
	else if (!layer_fetch(disk->job->registry, layer->descriptor, LAYER_BV4, &place,
			      &disk->meter, err))
		return false;
	return note_there(disk, layer, err);
}

static bool bring_equal(struct disk *disk, const struct plan_layer *from, struct plan_layer *layer,
			struct err *err)
{
	const struct layer_place place = place_of(disk, layer);
	bool is_same;

	if (!layer_copy(disk->file.fd, from->offset, &place, &is_same, err))
		return false;
	if (!is_same)
		return err_set(err, ERR_CORRUPT,
			       "what was written to the disk before is not what is read of it");
	return note_there(disk, layer, err);
}

static bool layer_context(const struct disk *disk, const struct plan_layer *layer, struct err *err)
{
	return err_context(err, "layer %zu of %zu, %s", layer->number, disk->plan.layers.n,
			   layer->descriptor->digest);
}

static bool bring_content(struct disk *disk, size_t content, struct err *err)
{
	struct plan_layer *first = pull_plan_content(&disk->plan, content);
	struct plan_layer *there = pull_plan_there(&disk->plan, content);
	bool counts =
		!there; /* for progress: its blob is one of those that may have to be fetched */

	if (!look_at_places(disk, content, err))
		return layer_context(disk, first, err);
	there = pull_plan_there(&disk->plan, content);
	if (there && counts)
		disk->meter.done_bytes += first->descriptor->size_bytes;
	if (!there && !bring_first(disk, content, first, err))
		return layer_context(disk, first, err);
	if (!there)
		there = first;
	for (struct plan_layer *layer = first; layer; layer = pull_plan_next(&disk->plan, layer)) {
		if (!layer->is_there && !bring_equal(disk, there, layer, err))
			return layer_context(disk, layer, err);
	}
	return true;
}

static bool bring_todo(void *ctx, size_t number, struct err *err)
{
	struct disk *disk = ctx;

	return bring_content(disk, disk->todo.v[number], err);
}

static bool bring_contents(struct disk *disk, struct err *err)
{
	const struct pull_threads threads = {
		.job = disk->job, .meter = &disk->meter, .bring = bring_todo, .ctx = disk
	};

	return pull_threads_run(&threads, disk->todo.n, err) && journal_end(disk->journal, err);
}

static void list_todo(struct disk *disk)
{
	const struct pull_plan *plan = &disk->plan;

	for (size_t i = 0; i < plan->contents.n; i++) {
		struct plan_layer *first = pull_plan_content(plan, i);
		struct plan_layer *layer = first;

		while (layer && layer->is_there)
			layer = pull_plan_next(plan, layer);
		if (!layer)
			continue;
		*vec_push(&disk->todo) = i;
		if (!pull_plan_there(plan, i))
			disk->meter.total_bytes += first->descriptor->size_bytes;
	}
}

/* The whole disk of the best image; of its layers that this one has at the same place, none has to be copied then. */
static bool clone_best(struct disk *disk, struct err *err)
{
	char text[24];
	int why;

	if (!copy_reflink(disk->reuse.best_fd, disk->file.fd, &why, err))
		return false;
	if (why != 0)
		return true;
	disk->is_clone = true;
	disk->file.is_new = false;
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)disk->reuse.best_bytes);
	(void)fsetxattr(disk->file.fd, DEDUPLICATED_XATTR, text, strlen(text), 0);
	return true;
}

static bool use_best(struct disk *disk, struct err *err)
{
	const struct pull_request *request = disk->job->request;
	CLEANUP_STR struct str size = { 0 };

	if (disk->reuse.best_bytes <= WORTHWHILE_BYTES)
		return true;
	if (request->deduplicate && disk->file.is_new && !clone_best(disk, err))
		return false;
	size_add_human(&size, disk->reuse.best_bytes);
	if (disk->is_clone)
		notice_tell(&request->notice,
			    "found an image %s that will allow us to deduplicate %s, using it as a "
			    "base...",
			    disk->reuse.best_name, str_text(&size));
	else
		notice_tell(&request->notice,
			    "found an image %s that will allow us to avoid fetching %s, will try "
			    "use it...",
			    disk->reuse.best_name, str_text(&size));
	return true;
}

/* Holes that nobody knows of beforehand may make it fit. */
static void warn_of_space(const struct disk *disk)
{
	CLEANUP_STR struct str need = { 0 };
	CLEANUP_STR struct str have = { 0 };
	uint64_t bytes = 0;
	uint64_t available;
	struct statvfs fs;

	vec_each(&disk->todo, content)
		bytes += pull_plan_content(&disk->plan, *content)->descriptor->data_bytes;
	if (disk->is_clone || fstatvfs(disk->job->dir_fd, &fs) < 0)
		return;
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (available == 0 || bytes <= available)
		return;
	size_add_human(&need, bytes);
	size_add_human(&have, available);
	notice_tell(&disk->job->request->notice,
		    "the disk may need up to %s, and %s are free: it fits if enough of it is empty",
		    str_text(&need), str_text(&have));
}

/* What earlier pulls and other images have of it. */
static bool open_disk(struct disk *disk, struct err *err)
{
	const struct pull_job *job = disk->job;
	struct pull_disk_file *file = &disk->file;

	if (!pull_plan_make(job->manifest, &disk->plan, err) ||
	    !pull_disk_open(job->dir_fd, &disk->plan, file, err) ||
	    !reuse_find(job->home, &disk->plan, &disk->reuse, err))
		return false;
	if (file->old_fd >= 0)
		reuse_adopt(&disk->reuse, &disk->plan, TAKE_FD(file->old_fd), &file->old_journal);
	return use_best(disk, err) &&
	       pull_disk_prepare(job->dir_fd, &disk->plan, file, &disk->journal, err);
}

bool pull_disk(const struct pull_job *job, struct err *err)
{
	CLEANUP(disk_done)
	struct disk disk = {
		.job = job,
		.file = PULL_DISK_FILE_INIT,
		.reuse = REUSE_INIT,
	};

	if (!open_disk(&disk, err))
		return false;
	list_todo(&disk);
	warn_of_space(&disk);
	notice_tell(&job->request->notice, "pulling disk (%.1f GB compressed)...",
		    (double)disk.plan.blob_bytes / 1e9);
	return bring_contents(&disk, err);
}
