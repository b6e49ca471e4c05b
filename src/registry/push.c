/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things in a push. */
#include "registry/push.h"

#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "image/disk.h"
#include "registry/push_disk.h"
#include "registry/push_run.h"
#include "storage/cache_store.h"

static void run_done(struct push_run *run)
{
	push_groups_done(&run->groups);
	push_plan_done(&run->plan);
	disk_layers_done(&run->record);
	known_manifest_done(&run->original);
	push_source_done(&run->source);
	http_free(run->http);
}

/* False when it is not one that we can read, which is no error: somebody else's business, or none. */
static bool know_manifest(struct span bytes, struct known_manifest *ret)
{
	struct err ignored;

	if (!manifest_parse(bytes, &ret->parsed, &ignored))
		return false;
	str_add_span(&ret->bytes, bytes);
	return true;
}

/* The manifest beside a cached image; one that was not kept as it came (by other programs) is none. */
static void read_original(struct push_run *run)
{
	CLEANUP_STR struct str bytes = { 0 };
	struct err ignored;
	blob_digest digest;

	if (!run->source.is_cached ||
	    !fs_read_file(run->source.bundle_fd, BUNDLE_MANIFEST, MANIFEST_MAX, &bytes, &ignored))
		return;
	blob_digest_of(str_span(&bytes), digest);
	if (strcmp(digest, run->source.digest) == 0)
		(void)know_manifest(str_span(&bytes), &run->original);
}

static bool make_plan(struct push_run *run, struct err *err)
{
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;
	CLEANUP(disk_layers_done) struct disk_layers record = { 0 };
	enum layers_age age;

	if (run->has_plan)
		return true;
	if (!disk_layers_recall(run->source.bundle_fd, &record, &age, err) ||
	    !disk_open_extents(run->source.bundle_fd, &map, err) ||
	    !push_plan_make(map, &record, age, &run->plan, err))
		return false;
	run->has_plan = true;
	return true;
}

/* What is known of the disk by now is remembered, whatever became of the push. Failing to is no failure. */
static void keep_record(struct push_run *run)
{
	struct err ignored = { 0 };

	if (!run->has_plan || !push_source_check_disk(&run->source, &ignored) ||
	    !push_plan_take_record(&run->plan, &run->record))
		return;
	run->has_record = true;
	(void)disk_layers_store(run->source.bundle_fd, &run->record, &ignored);
}

/* Of an image that went out as it is, for its copy in the cache. */
static void recall_record(struct push_run *run)
{
	enum layers_age age;
	struct err ignored;

	run->has_record = run->has_record || (disk_layers_recall(run->source.bundle_fd,
								 &run->record, &age, &ignored) &&
					      age == LAYERS_TRUE);
}

bool push_put_manifests(const struct push_run *run, const struct push_group *group,
			struct push_target *target, const char *media_type, struct err *err)
{
	vec_each(&group->names, name) {
		notice_tell(&run->request->notice, "pushing manifest for %s...",
			    (*name)->reference);
		if (!registry_put_manifest(push_target_registry(target), (*name)->reference,
					   media_type, str_span(&group->manifest), err))
			return false;
	}
	return true;
}

/*
 * The first manifest that a tag of the group has now: the repository has its blobs. Errors that concern only this
 * request (no right to read, an unreadable manifest) are for the next request to meet.
 */
static bool learn(const struct push_group *group, struct push_target *target,
		  struct known_manifest *ret, struct err *err)
{
	for (size_t i = 0; i < group->names.n && ret->bytes.len == 0; i++) {
		CLEANUP(fetched_manifest_done) struct fetched_manifest fetched = { 0 };
		struct err why = { 0 };
		bool found = false;

		if (!registry_get_manifest(push_target_registry(target),
					   group->names.v[i]->reference, &fetched, &found, &why)) {
			if (why.kind == ERR_GENERAL || why.kind == ERR_CORRUPT)
				continue;
			*err = why;
			return false;
		}
		if (found)
			(void)know_manifest(str_span(&fetched.bytes), ret);
	}
	if (ret->bytes.len > 0)
		push_target_believe(target, &ret->parsed);
	return true;
}

/* The image on its way to one repository. */
struct upload {
	struct push_run *run;
	struct push_group *group;
	struct push_target *target;
	struct push_image image;
	struct known_manifest present; /* under one of the tags */
};

static void upload_done(struct upload *upload)
{
	push_image_done(&upload->image);
	known_manifest_done(&upload->present);
}

/* Where nothing is told, everything has been told before. */
static bool put_blobs(struct upload *upload, const struct notice *notice,
		      struct progress_sink progress, struct err *err)
{
	struct push_run *run = upload->run;
	const struct push_disk disk = {
		.home = run->home,
		.bundle_fd = run->source.bundle_fd,
		.http = run->http,
		.target = upload->target,
		.host = upload->group->host,
		.repository = upload->group->repository,
		.concurrency = run->request->concurrency,
		.progress = progress,
	};

	notice_tell(notice, "pushing config...");
	if (!push_image_put_config(&upload->image, upload->target, err))
		return false;
	notice_tell(notice, "pushing disk... this will take a while...");
	if (!push_disk_layers(&disk, &run->plan, err) || !push_source_check_disk(&run->source, err))
		return false;
	notice_tell(notice, "pushing NVRAM...");
	return push_image_put_nvram(&upload->image, &run->source, upload->target, err) &&
	       push_image_put_rest(&upload->image, &run->plan, upload->target, err);
}

/* The next group gets the same manifest if it can. */
static void make_manifest(struct upload *upload)
{
	struct push_run *run = upload->run;
	const struct known_manifest *const known[] = {
		run->request->is_time_fixed ? NULL : &upload->present,
		&run->original,
	};

	str_clear(&upload->group->manifest);
	push_image_print_manifest(&upload->image, &run->source, &run->plan, known, ARRAY_LEN(known),
				  run->upload_time, &upload->group->manifest);
	blob_digest_of(str_span(&upload->group->manifest), upload->group->digest);
}

static void tell_new_digest(const struct upload *upload)
{
	const struct push_run *run = upload->run;
	const struct push_group *group = upload->group;

	if (run->source.is_cached && strcmp(group->digest, run->source.digest) != 0)
		notice_tell(&run->request->notice,
			    "%s/%s gets another image of the same VM, %s: %s", group->host,
			    group->repository, group->digest,
			    run->request->n_labels > 0 ?
				    "labels belong to the image" :
				    "it could not get all blobs of the cached one");
}

static bool put_image(struct upload *upload, struct err *err)
{
	const struct push_request *request = upload->run->request;

	if (!put_blobs(upload, &request->notice, request->progress, err))
		return false;
	make_manifest(upload);
	tell_new_digest(upload);
	if (push_put_manifests(upload->run, upload->group, upload->target, MEDIA_OCI_MANIFEST, err))
		return true;
	/* Perhaps for a blob that the registry was believed to have. */
	if (err->kind != ERR_GENERAL || !push_target_doubt(upload->target))
		return false;
	return put_blobs(upload, NULL, (struct progress_sink){ .update = NULL }, err) &&
	       push_put_manifests(upload->run, upload->group, upload->target, MEDIA_OCI_MANIFEST,
				  err);
}

/* A cached image may hold more than ours have a place for. */
static bool check_bundle(const struct push_run *run, struct err *err)
{
	return push_check_bundle(&run->source.config, err) ||
	       err_context(err, "VM \"%s\"", run->source.name);
}

static bool push_anew(struct push_run *run, struct push_group *group, struct push_target *target,
		      struct err *err)
{
	CLEANUP(upload_done)
	struct upload upload = {
		.run = run,
		.group = group,
		.target = target,
	};

	return check_bundle(run, err) && learn(group, target, &upload.present, err) &&
	       make_plan(run, err) &&
	       push_image_make(&run->source, run->request->labels, run->request->n_labels,
			       &run->original, &upload.image, err) &&
	       put_image(&upload, err);
}

static bool push_group(struct push_run *run, struct push_group *group, struct err *err)
{
	const struct push_target_options options = {
		.http = run->http,
		.host = group->host,
		.repository = group->repository,
		.is_insecure = run->request->is_insecure,
		.chunk_bytes = run->request->chunk_bytes,
		.notice = run->request->notice,
	};
	CLEANUP_PUSH_TARGET struct push_target *target = NULL;
	CLEANUP_STR struct str where = { 0 };
	bool done = false;

	push_group_print(group, &where);
	notice_tell(&run->request->notice, "pushing %s to %s...", run->source.name,
		    str_text(&where));
	if (!push_target_new(&options, &target, err))
		return false;
	/* Labels are part of an image: with others it is another. */
	if (run->source.is_cached && run->request->n_labels == 0 &&
	    !push_cached(run, group, target, &done, err))
		return false;
	return done || push_anew(run, group, target, err);
}

static bool push_groups(struct push_run *run, struct err *err)
{
	vec_each(&run->groups.list, group) {
		if (!push_group(run, group, err))
			return false;
	}
	return true;
}

static bool populate_cache(struct push_run *run, struct err *err)
{
	recall_record(run);
	vec_each(&run->groups.list, group) {
		if (!push_populate(run, group, err))
			return false;
	}
	/* The collector may look at the source, too, and closing its config.json ends our lock. */
	bundle_unlock(&run->source.lock);
	return cache_collect(run->home, NULL, err);
}

/* Before anything is sent. */
static bool check_cache(const struct push_run *run, struct err *err)
{
	for (size_t i = 0; run->request->populate_cache && i < run->request->n_targets; i++) {
		if (!cache_check_path(run->home, &run->request->targets[i], err))
			return false;
	}
	return true;
}

static void set_time(struct push_run *run)
{
	time_t now = (time_t)run->request->now;
	struct tm tm = { 0 };

	(void)gmtime_r(&now, &tm);
	(void)strftime(run->upload_time, sizeof(run->upload_time), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool image_push(const struct home *home, const struct push_request *request, struct err *err)
{
	const struct http_options options = { .user_agent = request->user_agent };
	CLEANUP(run_done)
	struct push_run run = {
		.home = home,
		.request = request,
		.source = PUSH_SOURCE_INIT,
	};
	bool done;

	set_time(&run);
	if (!push_source_open(home, request->source, &run.source, err) || !check_cache(&run, err) ||
	    !http_new(&options, &run.http, err))
		return false;
	read_original(&run);
	push_groups_make(request->targets, request->n_targets, &run.groups);
	done = push_groups(&run, err);
	keep_record(&run);
	return done && (!request->populate_cache || populate_cache(&run, err) ||
			err_context(err, "the image was pushed, but not stored in the cache"));
}
