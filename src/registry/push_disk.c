/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job for each layer that may need work.
 *
 * What is known is looked for first; only what the repository lacks is read and encoded. What is a guess is compared.
 * What has to be read is encoded before its digest can be asked for.
 */
#include "registry/push_disk.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "registry/push_image.h"
#include "registry/push_layer.h"

struct run {
	const struct push_disk *disk;
	struct push_plan *plan;
	struct push_worker *workers;
	size_t n_workers;
	uint32_t origin; /* the bit of this repository */
	_Atomic uint64_t done_bytes;
	atomic_bool is_stopping;
	atomic_bool record_is_wrong;
};

/* How much of a layer counts as done: half when it is encoded, the rest as it is sent. Never runs backwards. */
struct credit {
	struct run *run;
	uint64_t of;    /* data_bytes of the layer */
	uint64_t given; /* so far */
	uint64_t encoded;
	uint64_t blob_bytes;
};

static void credit_up_to(struct credit *credit, uint64_t bytes)
{
	if (bytes <= credit->given)
		return;
	atomic_fetch_add(&credit->run->done_bytes, bytes - credit->given);
	credit->given = bytes;
}

static bool credit_encoded(void *ctx, uint64_t data_bytes, struct err *err)
{
	struct credit *credit = ctx;

	credit->encoded += data_bytes;
	credit_up_to(credit, credit->encoded / 2);
	return !atomic_load(&credit->run->is_stopping) || err_set(err, ERR_CANCELLED, "cancelled");
}

static void credit_sent(void *ctx, uint64_t total_bytes)
{
	struct credit *credit = ctx;
	uint64_t half = credit->of / 2;
	uint64_t sent = total_bytes < credit->blob_bytes ? total_bytes : credit->blob_bytes;

	/* Layers are at most 2^29 bytes, and blobs not much longer: no overflow. */
	credit_up_to(credit, half + (credit->of - half) * sent / credit->blob_bytes);
}

/* Repositories of this host that have the layer, the latest first. */
static struct push_mounts mounts_of(const struct run *run, const struct push_layer *layer,
				    const char *room[LAYERS_ORIGINS_MAX])
{
	const struct push_plan *plan = run->plan;
	size_t host_len = strlen(run->disk->host);
	size_t n = 0;

	for (size_t i = plan->origins.n; i > 0; i--) {
		const char *origin = plan->origins.v[i - 1];
		uint32_t bit = (uint32_t)1 << (i - 1);

		if ((layer->item.origins & bit) && bit != run->origin &&
		    strncmp(origin, run->disk->host, host_len) == 0 && origin[host_len] == '/')
			room[n++] = origin + host_len + 1;
	}
	return (struct push_mounts){ .repositories = room, .n = n };
}

static bool find(struct run *run, const struct push_layer *layer, bool *ret_found, struct err *err)
{
	const char *room[LAYERS_ORIGINS_MAX];
	const struct push_mounts mounts = mounts_of(run, layer, room);
	blob_digest digest;

	blob_digest_from_hex(layer->item.blob_digest, digest);
	return push_target_find(run->disk->target, digest, &mounts, ret_found, err);
}

static bool send(struct run *run, const struct push_layer *layer, struct push_worker *worker,
		 struct credit *credit, struct err *err)
{
	const struct http_body content = { .fd = worker->blob_fd,
					   .fd_len = layer->item.blob_bytes };
	const struct push_sent sent = { .sent = credit_sent, .ctx = credit };
	blob_digest digest;

	blob_digest_from_hex(layer->item.blob_digest, digest);
	credit->blob_bytes = layer->item.blob_bytes;
	return push_target_send(run->disk->target, digest, &content, &sent, err);
}

/* Reads and encodes a layer; item and pieces then say what it is, whatever they said before. */
static bool encode(struct push_layer *layer, struct push_worker *worker, struct credit *credit,
		   struct err *err)
{
	const struct push_watch watch = { .step = credit_encoded, .ctx = credit };
	struct disk_layer item = layer->item;
	struct layer_pieces pieces = { 0 };

	credit->encoded = 0;
	if (!push_layer_encode(worker, layer->start, item.data_bytes, &watch, &item, &pieces, err))
		return false;
	if (strcmp(item.blob_digest, layer->item.blob_digest) != 0)
		item.origins = 0;
	layer_pieces_done(&layer->pieces);
	layer->pieces = pieces;
	layer->item = item;
	layer->state = PUSH_KNOWN;
	layer->is_remembered = false;
	return true;
}

/* What has just been encoded. */
static bool put_encoded(struct run *run, const struct push_layer *layer, struct push_worker *worker,
			struct credit *credit, struct err *err)
{
	bool found;

	return find(run, layer, &found, err) && (found || send(run, layer, worker, credit, err));
}

/*
 * The repository lacks a layer whose digest is known; the claim to it is ours. Encoding it again may give another blob,
 * if another version of the compressor was at work then: that one is sent. Other data means that the record is wrong.
 */
static bool make_again(struct run *run, struct push_layer *layer, struct push_worker *worker,
		       struct credit *credit, struct err *err)
{
	const struct disk_layer before = layer->item;
	bool is_remembered = layer->is_remembered;
	blob_digest digest;

	blob_digest_from_hex(before.blob_digest, digest);
	if (!encode(layer, worker, credit, err)) {
		push_target_give_up(run->disk->target, digest);
		return false;
	}
	if (strcmp(layer->item.blob_digest, before.blob_digest) == 0)
		return send(run, layer, worker, credit, err);
	push_target_give_up(run->disk->target, digest);
	if (is_remembered && strcmp(layer->item.data_digest, before.data_digest) != 0)
		atomic_store(&run->record_is_wrong, true);
	return put_encoded(run, layer, worker, credit, err);
}

/* A layer that is what it was becomes known. */
static bool follow_guess(struct push_layer *layer, struct push_worker *worker, struct err *err)
{
	bool same;

	if (!push_layer_compare(worker, layer->start, &layer->pieces, &same, err))
		return false;
	layer->state = same ? PUSH_KNOWN : PUSH_READ;
	return true;
}

static bool put_layer(struct run *run, struct push_layer *layer, struct push_worker *worker,
		      struct credit *credit, struct err *err)
{
	bool found;

	if (layer->state == PUSH_GUESS && !follow_guess(layer, worker, err))
		return false;
	if (layer->state == PUSH_READ)
		return encode(layer, worker, credit, err) &&
		       put_encoded(run, layer, worker, credit, err);
	return find(run, layer, &found, err) &&
	       (found || make_again(run, layer, worker, credit, err));
}

static bool do_layer(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct run *run = ctx;
	struct push_layer *layer = &run->plan->layers.v[job];
	struct credit credit = { .run = run, .of = layer->item.data_bytes };

	if (!put_layer(run, layer, &run->workers[worker], &credit, err))
		return false;
	layer->item.origins |= run->origin;
	credit_up_to(&credit, credit.of);
	return true;
}

static void tick(void *ctx)
{
	struct run *run = ctx;
	const struct progress_sink *progress = &run->disk->progress;

	if (progress->update)
		progress->update(progress->ctx, atomic_load(&run->done_bytes),
				 run->plan->disk_bytes);
}

static void stop(void *ctx)
{
	struct run *run = ctx;

	atomic_store(&run->is_stopping, true);
	http_cancel(run->disk->http);
}

/* A worker holds up to three files and a connection; half of the descriptors that we may have are left to others. */
#define WORKER_FDS 4

static size_t count_workers(const struct run *run)
{
	uint64_t n = run->disk->concurrency;
	struct rlimit limit;

	if (n > run->plan->layers.n)
		n = run->plan->layers.n;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && n > limit.rlim_cur / (2 * WORKER_FDS))
		n = limit.rlim_cur / (2 * WORKER_FDS);
	return n > 0 ? (size_t)n : 1;
}

static bool open_workers(struct run *run, struct err *err)
{
	size_t n = count_workers(run);

	run->workers = xcalloc(n + 1, sizeof(*run->workers));
	for (; run->n_workers < n; run->n_workers++) {
		if (!push_worker_open(run->disk->home, run->disk->bundle_fd,
				      &run->workers[run->n_workers], err))
			return false;
	}
	return true;
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->n_workers; i++)
		push_worker_done(&run->workers[i]);
	free(run->workers);
}

static bool put_layers(struct run *run, struct err *err)
{
	const struct parallel parallel = {
		.job = do_layer,
		.tick = tick,
		.stop = stop,
		.ctx = run,
	};

	atomic_store(&run->done_bytes, 0);
	atomic_store(&run->record_is_wrong, false);
	return parallel_run(&parallel, run->n_workers, run->plan->layers.n, err);
}

bool push_disk_layers(const struct push_disk *disk, struct push_plan *plan, struct err *err)
{
	CLEANUP_STR struct str origin = { 0 };
	CLEANUP(run_done) struct run run = { .disk = disk, .plan = plan };

	str_addf(&origin, "%s/%s", disk->host, disk->repository);
	run.origin = push_plan_origin(plan, str_text(&origin));
	if (!open_workers(&run, err) || !put_layers(&run, err))
		return false;
	if (!atomic_load(&run.record_is_wrong))
		return true;
	push_plan_forget(plan);
	return put_layers(&run, err);
}
