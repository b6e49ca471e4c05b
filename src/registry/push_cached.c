/* SPDX-License-Identifier: Apache-2.0 */
/* Cached images that move between repositories without being made again. */
#include <stdatomic.h>
#include <string.h>

#include "base/json.h"
#include "base/parallel.h"
#include "registry/push_run.h"

/* The repository has the very manifest already. What else may go wrong, the next request says better. */
static bool find_manifest(struct push_run *run, struct push_group *group,
			  struct push_target *target, bool *ret_found, char **ret_type,
			  struct err *err)
{
	CLEANUP(fetched_manifest_done) struct fetched_manifest fetched = { 0 };
	struct err why = { 0 };

	*ret_found = false;
	if (!registry_get_manifest(push_target_registry(target), run->source.digest, &fetched,
				   ret_found, &why)) {
		*ret_found = false;
		if (why.kind == ERR_GENERAL || why.kind == ERR_CORRUPT)
			return true;
		*err = why;
		return false;
	}
	if (*ret_found) {
		str_add_span(&group->manifest, str_span(&fetched.bytes));
		*ret_type = TAKE_PTR(fetched.media_type);
	}
	return true;
}

struct search {
	struct push_target *target;
	struct http *http;
	VEC(const struct descriptor *) blobs;
	struct push_mounts mounts;
	atomic_bool is_missing; /* some blob cannot be had */
};

static void search_done(struct search *search)
{
	vec_done(&search->blobs);
}

static bool find_blob(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct search *search = ctx;
	const struct descriptor *blob = search->blobs.v[job];
	bool found;

	(void)worker;
	if (atomic_load(&search->is_missing))
		return true;
	if (!push_target_find(search->target, blob->digest, &search->mounts, &found, err))
		return false;
	if (found)
		return true;
	push_target_give_up(search->target, blob->digest);
	atomic_store(&search->is_missing, true);
	return true;
}

static void stop(void *ctx)
{
	struct search *search = ctx;

	http_cancel(search->http);
}

/* Whether all blobs of the image are in the repository, at the latest now. */
static bool find_blobs(struct push_run *run, const struct push_group *group,
		       struct push_target *target, bool *ret_all, struct err *err)
{
	const struct remote_name *image = &run->source.image;
	const char *from = image->repository;
	bool is_other = strcmp(group->host, image->host) == 0 &&
			strcmp(group->repository, from) != 0;
	CLEANUP(search_done)
	struct search search = {
		.target = target,
		.http = run->http,
		.mounts = { .repositories = &from, .n = is_other ? 1 : 0 },
	};
	const struct parallel parallel = { .job = find_blob, .stop = stop, .ctx = &search };

	*vec_push(&search.blobs) = &run->original.parsed.config;
	vec_each(&run->original.parsed.layers, layer)
		*vec_push(&search.blobs) = layer;
	if (!parallel_run(&parallel, run->request->concurrency, search.blobs.n, err))
		return false;
	*ret_all = !atomic_load(&search.is_missing);
	return true;
}

static void take_type(struct span manifest, char **ret)
{
	CLEANUP_JSON struct json *root = NULL;
	struct err ignored;
	const char *type = json_parse(manifest, &root, &ignored) ?
				   json_member_text(root, "mediaType") :
				   NULL;

	*ret = xstrdup(type ? type : MEDIA_OCI_MANIFEST);
}

bool push_cached(struct push_run *run, struct push_group *group, struct push_target *target,
		 bool *ret_done, struct err *err)
{
	CLEANUP_FREE char *media_type = NULL;
	bool found;

	*ret_done = false;
	if (!find_manifest(run, group, target, &found, &media_type, err))
		return false;
	if (!found && run->original.bytes.len > 0) {
		if (!find_blobs(run, group, target, &found, err))
			return false;
		if (found)
			str_add_span(&group->manifest, str_span(&run->original.bytes));
	}
	if (!found)
		return true;
	if (!media_type)
		take_type(str_span(&group->manifest), &media_type);
	memcpy(group->digest, run->source.digest, sizeof(group->digest));
	*ret_done = true;
	return push_put_manifests(run, group, target, media_type, err);
}
