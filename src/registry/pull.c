/* SPDX-License-Identifier: Apache-2.0 */
/* A pull from the manifest to the link in the cache. */
#include "registry/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/checked.h"
#include "base/fs.h"
#include "http/retry.h"
#include "registry/pull_job.h"
#include "registry/pull_resume.h"
#include "storage/bundle.h"
#include "storage/cache_store.h"
#include "storage/config.h"
#include "storage/prune.h"
#include "trace/trace.h"

/* Beside the disk: image-format.md 4.4. */
#define RECLAIM_EXTRA_BYTES ((uint64_t)128 << 20)

struct pull {
	const struct home *home;
	const struct pull_request *request;
	struct http *http;
	struct registry *registry;
	struct fetched_manifest fetched;
	struct manifest manifest;
	char *full_name;   /* HOST/NAMESPACE:TAG or @DIGEST, as asked for */
	char *digest_name; /* HOST/NAMESPACE@DIGEST of what it is */
	struct trace_span *span;
};

static void disconnect(struct pull *pull)
{
	registry_free(pull->registry);
	http_free(pull->http);
	pull->registry = NULL;
	pull->http = NULL;
}

static void pull_done(struct pull *pull)
{
	disconnect(pull);
	fetched_manifest_done(&pull->fetched);
	manifest_done(&pull->manifest);
	free(pull->full_name);
	free(pull->digest_name);
	trace_end(pull->span);
}

static bool connect_registry(struct pull *pull, struct err *err)
{
	const struct pull_request *request = pull->request;
	const struct http_options http = { .user_agent = request->user_agent };
	const struct registry_options options = {
		.host = request->name->host,
		.repository = request->name->repository,
		.is_insecure = request->is_insecure,
		.notice = request->notice,
	};

	return http_new(&http, &pull->http, err) &&
	       registry_new(pull->http, &options, &pull->registry, err);
}

/* The entry of an index for guests of this host. It is fetched by its digest, and checked against that. */
static bool choose_from_index(struct pull *pull, struct err *err)
{
	CLEANUP(fetched_manifest_done) struct fetched_manifest chosen = { .media_type = NULL };
	const struct span index = str_span(&pull->fetched.bytes);
	blob_digest digest;
	uint64_t size_bytes;

	if (!index_choose(index, guest_arch_of_host(), digest, &size_bytes, err) ||
	    !registry_get_manifest(pull->registry, digest, &chosen, NULL, err))
		return false;
	if (chosen.bytes.len != size_bytes)
		return err_set(err, ERR_GENERAL, "%s has %zu bytes, and the index says %llu",
			       digest, chosen.bytes.len, (unsigned long long)size_bytes);
	fetched_manifest_done(&pull->fetched);
	pull->fetched = chosen;
	chosen = (struct fetched_manifest){ .media_type = NULL };
	return true;
}

static bool get_manifest(struct pull *pull, struct err *err)
{
	const struct remote_name *name = pull->request->name;
	struct fetched_manifest *fetched = &pull->fetched;

	if (!registry_get_manifest(pull->registry, name->reference, fetched, NULL, err))
		return false;
	if ((manifest_is_index(str_span(&fetched->bytes), fetched->media_type) &&
	     !choose_from_index(pull, err)) ||
	    !manifest_parse(str_span(&fetched->bytes), &pull->manifest, err))
		return err_context(err, "manifest of %s", pull->full_name);
	pull->digest_name = xasprintf("%s/%s@%s", name->host, name->repository, fetched->digest);
	return true;
}

static bool image_context(const struct pull_job *job, struct err *err)
{
	CLEANUP_STR struct str name = { 0 };

	remote_name_print(job->request->name, &name);
	return err_context(err, "image %s", str_text(&name));
}

static bool pull_kind(const struct pull_job *job, struct err *err)
{
	switch (job->manifest->kind) {
	case IMAGE_TART:
		return pull_tart(job, err);
	case IMAGE_VETU:
		return pull_vetu(job, err) || image_context(job, err);
	case IMAGE_CONTAINER:
		break;
	}
	return pull_container(job, err) || image_context(job, err);
}

/* A thread that fails cancels the requests of the others, and with them the whole connection: each attempt has its own. */
static bool attempt(struct pull *pull, int dir_fd, struct err *err)
{
	const struct pull_job job = {
		.home = pull->home,
		.request = pull->request,
		.http = pull->http,
		.registry = pull->registry,
		.manifest = &pull->manifest,
		.manifest_text = str_span(&pull->fetched.bytes),
		.dir_fd = dir_fd,
	};

	return pull_kind(&job, err);
}

static bool reconnect(struct pull *pull, unsigned attempts, struct err *err)
{
	const struct attempt_failure failure = { .attempts = attempts };
	struct err why = *err;

	if (why.kind != ERR_TRANSPORT)
		return false;
	disconnect(pull);
	if (!connect_registry(pull, err))
		return false;
	*err = why;
	return registry_pause(pull->registry, "pulling image", failure, err);
}

static bool fill(struct pull *pull, int dir_fd, struct err *err)
{
	unsigned attempts = 0;

	while (!attempt(pull, dir_fd, err)) {
		if (!reconnect(pull, ++attempts, err))
			return false;
	}
	return true;
}

/* Whatever goes wrong while making room does not concern the pull: it may fit all the same. */
static void make_room(const struct pull *pull)
{
	uint64_t bytes;
	struct err ignored;

	if (!cache_fade(pull->home, pull->request->name, &ignored))
		return;
	if (!pull->request->auto_prune || pull->manifest.hint_bytes == 0 ||
	    ckd_add(&bytes, pull->manifest.hint_bytes, RECLAIM_EXTRA_BYTES))
		return;
	(void)prune_reclaim(pull->home, bytes, NULL, &ignored);
}

static bool explain(struct err *err)
{
	if (err->sys == ENOSPC || err->sys == EDQUOT)
		return err_context(
			err,
			"no room for the image (make some and pull again: what has come is kept)");
	return false;
}

/* Whether some of the disk has come, so that the next pull need not fetch it again. */
static bool is_worth_keeping(int dir_fd)
{
	CLEANUP_CLOSE int disk_fd = openat(dir_fd, BUNDLE_DISK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(journal_text_done) struct journal_text journal = { .disk = { 0 } };

	if (disk_fd >= 0)
		journal_read(dir_fd, JOURNAL_FILE, disk_fd, &journal);
	return journal.entries.n > 0 || fs_exists(dir_fd, OLD_DISK_FILE) ||
	       pull_vetu_has_begun(dir_fd) || pull_container_has_begun(dir_fd);
}

/* What a failure leaves is for the next pull of this name. */
static bool bring(struct pull *pull, struct err *err)
{
	struct temp temp = TEMP_INIT;

	if (!temp_open_pull(pull->home, pull->full_name, &temp, err))
		return false;
	make_room(pull);
	if (!fill(pull, temp.fd, err) ||
	    !cache_install(pull->home, pull->request->name, pull->fetched.digest, &temp, err)) {
		if (is_worth_keeping(temp.fd))
			temp_release(&temp);
		else
			temp_done(&temp);
		return explain(err);
	}
	temp_done(&temp);
	return true;
}

static void tell_waiting(void *ctx)
{
	const struct pull *pull = ctx;

	notice_tell(&pull->request->notice, "waiting for lock...");
}

/* Somebody else may have pulled it while we waited. */
static bool bring_if_missing(struct pull *pull, struct err *err)
{
	bool is_there;

	if (!cache_has(pull->home, pull->request->name, pull->fetched.digest, &is_there, err))
		return false;
	if (!is_there)
		return bring(pull, err);
	notice_tell(&pull->request->notice, "%s image is already cached! creating a symlink...",
		    pull->digest_name);
	return true;
}

static bool store(struct pull *pull, struct err *err)
{
	const struct remote_name *name = pull->request->name;
	const struct wait_notice waiting = { .tell = tell_waiting, .ctx = pull };
	CLEANUP(cache_unlock_host) struct cache_lock lock = CACHE_LOCK_INIT;

	return cache_lock_host(pull->home, name->host, &waiting, &lock, err) &&
	       bring_if_missing(pull, err) &&
	       cache_link(pull->home, name, pull->fetched.digest, err) &&
	       cache_collect_host(pull->home, &lock, name->host, err);
}

static void record(const struct pull *pull)
{
	uint64_t compressed_bytes = 0;

	vec_each(&pull->manifest.layers, layer) {
		if (layer->kind == LAYER_TART_DISK)
			compressed_bytes += layer->size_bytes;
	}
	trace_set_text(pull->span, "oci.image-name", span_of(pull->full_name));
	trace_set_bytes(pull->span, "oci.image-uncompressed-disk-size-bytes",
			pull->manifest.disk_bytes);
	trace_set_bytes(pull->span, "compressed_disk_size_bytes", compressed_bytes);
}

static bool pull_image(struct pull *pull, struct err *err)
{
	const struct pull_request *request = pull->request;
	bool is_linked;

	if (!request->is_quiet)
		notice_tell(&request->notice, "pulling %s...", pull->full_name);
	notice_tell(&request->notice, "pulling manifest...");
	if (!cache_check_path(pull->home, request->name, err) || !connect_registry(pull, err) ||
	    !get_manifest(pull, err) ||
	    !cache_is_linked(pull->home, request->name, pull->fetched.digest, &is_linked, err))
		return false;
	record(pull);
	if (!is_linked)
		return store(pull, err);
	notice_tell(&request->notice, "%s image is already cached and linked!", pull->digest_name);
	return true;
}

bool image_pull(const struct home *home, const struct pull_request *request, struct err *err)
{
	CLEANUP(pull_done)
	struct pull pull = {
		.home = home,
		.request = request,
		.span = trace_begin_child(home->span, "pull"),
	};
	CLEANUP_STR struct str name = { 0 };

	remote_name_print(request->name, &name);
	pull.full_name = str_take(&name);
	if (pull_image(&pull, err))
		return true;
	trace_set_error(pull.span, err);
	return false;
}
