/* SPDX-License-Identifier: Apache-2.0 */
/* Claims, HEAD, mount, upload. */
#include "registry/push_target.h"

#include <pthread.h>

#include "base/mem.h"
#include "registry/blob_set.h"

enum blob_state {
	BLOB_UNKNOWN,
	BLOB_CLAIMED,  /* somebody is finding out, or sending it */
	BLOB_BELIEVED, /* a manifest says so */
	BLOB_THERE,
};

struct push_target {
	struct registry *registry;
	uint64_t chunk_bytes;
	pthread_mutex_t mutex; /* of all below */
	pthread_cond_t claim_ended;
	struct blob_set blobs;
	uint64_t n_sent;
	unsigned n_mounted;
	unsigned n_refused; /* mounts */
};

/* A registry that has mounted nothing when asked this often does not do it for us. */
#define REFUSALS_MAX 4

bool push_target_new(const struct push_target_options *options, struct push_target **ret,
		     struct err *err)
{
	const struct registry_options registry_options = {
		.host = options->host,
		.repository = options->repository,
		.is_insecure = options->is_insecure,
		.notice = options->notice,
	};
	struct registry *registry;
	struct push_target *target;

	if (!registry_new(options->http, &registry_options, &registry, err))
		return false;
	target = xcalloc(1, sizeof(*target));
	target->registry = registry;
	target->chunk_bytes = options->chunk_bytes;
	(void)pthread_mutex_init(&target->mutex, NULL);
	(void)pthread_cond_init(&target->claim_ended, NULL);
	*ret = target;
	return true;
}

void push_target_free(struct push_target *target)
{
	if (!target)
		return;
	registry_free(target->registry);
	(void)pthread_mutex_destroy(&target->mutex);
	(void)pthread_cond_destroy(&target->claim_ended);
	blob_set_done(&target->blobs);
	free(target);
}

struct registry *push_target_registry(struct push_target *target)
{
	return target->registry;
}

static void lock(struct push_target *target)
{
	(void)pthread_mutex_lock(&target->mutex);
}

static void unlock(struct push_target *target)
{
	(void)pthread_mutex_unlock(&target->mutex);
}

static void believe(struct push_target *target, const struct descriptor *blob)
{
	struct blob_entry *entry = blob_set_get(&target->blobs, blob->digest);

	if (entry->state == BLOB_UNKNOWN)
		entry->state = BLOB_BELIEVED;
}

void push_target_believe(struct push_target *target, const struct manifest *manifest)
{
	lock(target);
	believe(target, &manifest->config);
	vec_each(&manifest->layers, layer)
		believe(target, layer);
	unlock(target);
}

bool push_target_doubt(struct push_target *target)
{
	bool had_any = false;

	lock(target);
	for (struct blob_entry *entry = blob_set_next(&target->blobs, NULL); entry;
	     entry = blob_set_next(&target->blobs, entry)) {
		if (entry->state != BLOB_BELIEVED)
			continue;
		entry->state = BLOB_UNKNOWN;
		had_any = true;
	}
	unlock(target);
	return had_any;
}

/* False: it is there. True: the claim is ours. */
static bool claim(struct push_target *target, const blob_digest digest)
{
	struct blob_entry *entry;
	bool is_ours;

	lock(target);
	/* The set may have moved while we waited. */
	while ((entry = blob_set_get(&target->blobs, digest))->state == BLOB_CLAIMED)
		(void)pthread_cond_wait(&target->claim_ended, &target->mutex);
	is_ours = entry->state == BLOB_UNKNOWN;
	if (is_ours)
		entry->state = BLOB_CLAIMED;
	unlock(target);
	return is_ours;
}

static void end_claim(struct push_target *target, const blob_digest digest, enum blob_state state)
{
	lock(target);
	blob_set_get(&target->blobs, digest)->state = (int)state;
	(void)pthread_cond_broadcast(&target->claim_ended);
	unlock(target);
}

static bool mounts_are_worthwhile(struct push_target *target)
{
	bool ret;

	lock(target);
	ret = target->n_mounted > 0 || target->n_refused < REFUSALS_MAX;
	unlock(target);
	return ret;
}

static void count_mount(struct push_target *target, bool mounted)
{
	lock(target);
	if (mounted)
		target->n_mounted++;
	else
		target->n_refused++;
	unlock(target);
}

/* To be refused is no failure, whatever the reason (no right to read the other repository, say): the blob can be sent. */
static bool mount(struct push_target *target, const blob_digest digest, const char *repository,
		  bool *ret_mounted, struct err *err)
{
	struct err why = { 0 };

	*ret_mounted = false;
	if (!mounts_are_worthwhile(target))
		return true;
	if (!blob_mount(target->registry, digest, repository, ret_mounted, &why)) {
		*ret_mounted = false;
		if (why.kind == ERR_CANCELLED || why.kind == ERR_TRANSPORT) {
			*err = why;
			return false;
		}
	}
	count_mount(target, *ret_mounted);
	return true;
}

static bool look(struct push_target *target, const blob_digest digest,
		 const struct push_mounts *mounts, bool *ret_found, struct err *err)
{
	bool found;

	if (!blob_exists(target->registry, digest, &found, err))
		return false;
	for (size_t i = 0; mounts && !found && i < mounts->n; i++) {
		if (!mount(target, digest, mounts->repositories[i], &found, err))
			return false;
	}
	*ret_found = found;
	return true;
}

bool push_target_find(struct push_target *target, const blob_digest digest,
		      const struct push_mounts *mounts, bool *ret_found, struct err *err)
{
	bool found = true;

	if (!claim(target, digest)) {
		*ret_found = true;
		return true;
	}
	if (!look(target, digest, mounts, &found, err)) {
		end_claim(target, digest, BLOB_UNKNOWN);
		return false;
	}
	if (found)
		end_claim(target, digest, BLOB_THERE);
	*ret_found = found;
	return true;
}

bool push_target_send(struct push_target *target, const blob_digest digest,
		      const struct http_body *content, const struct push_sent *sent,
		      struct err *err)
{
	const struct blob_upload upload = {
		.digest = digest,
		.content = *content,
		.chunk_bytes = target->chunk_bytes,
		.sent = sent ? sent->sent : NULL,
		.ctx = sent ? sent->ctx : NULL,
	};
	bool done = blob_send(target->registry, &upload, err);

	if (done) {
		lock(target);
		target->n_sent++;
		unlock(target);
	}
	end_claim(target, digest, done ? BLOB_THERE : BLOB_UNKNOWN);
	return done;
}

void push_target_give_up(struct push_target *target, const blob_digest digest)
{
	end_claim(target, digest, BLOB_UNKNOWN);
}

bool push_target_put(struct push_target *target, const blob_digest digest,
		     const struct http_body *content, struct err *err)
{
	bool found;

	return push_target_find(target, digest, NULL, &found, err) &&
	       (found || push_target_send(target, digest, content, NULL, err));
}

uint64_t push_target_n_sent(struct push_target *target)
{
	uint64_t n;

	lock(target);
	n = target->n_sent;
	unlock(target);
	return n;
}
