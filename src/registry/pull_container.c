/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KubeVirt's containerDisks: image-format.md 11.
 *
 * Which file is the disk is known only when the last layer has been read. So the layers are fetched first, into files of
 * the temporary bundle that the next attempt finds again, and verified before anything is unpacked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/container_disk.h"
#include "image/unpack.h"
#include "registry/blob.h"
#include "registry/blob_set.h"
#include "registry/container_config.h"
#include "registry/pull_job.h"
#include "registry/pull_threads.h"
#include "storage/bundle.h"
#include "storage/dir.h"

#define LAYER_PREFIX "layer-"

typedef char layer_file[sizeof(LAYER_PREFIX) + 64];

struct container {
	const struct pull_job *job;
	struct container_config config;
	VEC(size_t) todo; /* layers to be fetched, each digest once */
	struct pull_meter meter;
};

static void container_done(struct container *container)
{
	container_config_done(&container->config);
	vec_done(&container->todo);
}

static void name_file(const struct descriptor *layer, layer_file ret)
{
	(void)snprintf(ret, sizeof(layer_file), LAYER_PREFIX "%s",
		       layer->digest + strlen(NAME_DIGEST_PREFIX));
}

static bool fetch_config(struct container *container, struct err *err)
{
	const struct manifest *manifest = container->job->manifest;
	CLEANUP_STR struct str text = { 0 };

	return blob_fetch_text(container->job->registry, manifest->config.digest,
			       manifest->config.size_bytes, IMAGE_CONFIG_MAX, &text, err) &&
	       container_config_parse(str_span(&text), manifest->layers.n, &container->config, err);
}

static bool fetch_layer(void *ctx, size_t number, struct err *err)
{
	struct container *container = ctx;
	const struct manifest *manifest = container->job->manifest;
	size_t layer = container->todo.v[number];
	layer_file name;

	name_file(&manifest->layers.v[layer], name);
	return pull_file(container->job, &manifest->layers.v[layer], name, &container->meter,
			 err) ||
	       err_context(err, "layer %zu of %zu", layer + 1, manifest->layers.n);
}

/* The same layer may be there twice: it is one file, which one thread writes. */
static void list_todo(struct container *container)
{
	const struct manifest *manifest = container->job->manifest;
	struct blob_set seen = { 0 };

	for (size_t i = 0; i < manifest->layers.n; i++) {
		struct blob_entry *entry = blob_set_get(&seen, manifest->layers.v[i].digest);

		if (entry->state)
			continue;
		entry->state = 1;
		*vec_push(&container->todo) = i;
		container->meter.total_bytes += manifest->layers.v[i].size_bytes;
	}
	blob_set_done(&seen);
}

static bool fetch_layers(struct container *container, struct err *err)
{
	const struct pull_threads threads = {
		.job = container->job,
		.meter = &container->meter,
		.bring = fetch_layer,
		.ctx = container,
	};

	list_todo(container);
	notice_tell(&container->job->request->notice, "pulling disk (%.1f GB compressed)...",
		    (double)container->meter.total_bytes / 1e9);
	return pull_threads_run(&threads, container->todo.n, err);
}

/* Hashes what an unpacker gives. */
struct hashed {
	struct byte_source source;
	struct digest *digest;
};

static bool next_hashed(void *ctx, struct span *ret, struct err *err)
{
	struct hashed *hashed = ctx;

	if (!hashed->source.next(hashed->source.ctx, ret, err))
		return false;
	digest_add(hashed->digest, ret->ptr, ret->len);
	return true;
}

static enum unpack_codec codec_of(const struct descriptor *layer)
{
	switch (layer->tar_codec) {
	case TAR_GZIP:
		return UNPACK_GZIP;
	case TAR_ZSTD:
		return UNPACK_ZSTD;
	case TAR_PLAIN:
		break;
	}
	return UNPACK_PLAIN;
}

static bool unpack(struct container_disk *disk, const struct descriptor *layer, int fd,
		   const char *diff_id, struct err *err)
{
	struct unpacker *unpacker CLEANUP(unpacker_cleanup) = unpacker_new(fd, codec_of(layer));
	struct digest *digest CLEANUP(digest_cleanup) = digest_new();
	struct hashed hashed = { .source = unpacker_source(unpacker), .digest = digest };
	char hex[DIGEST_HEX_SIZE];

	if (!container_disk_add_layer(
		    disk, (struct byte_source){ .next = next_hashed, .ctx = &hashed }, err))
		return false;
	digest_finish(digest, hex);
	if (strcmp(hex, diff_id + strlen(NAME_DIGEST_PREFIX)) != 0)
		return err_set(err, ERR_GENERAL,
			       "its content does not match the diff_id in the image's config");
	return true;
}

static bool apply_layer(const struct container *container, struct container_disk *disk, size_t i,
			struct err *err)
{
	const struct descriptor *layer = &container->job->manifest->layers.v[i];
	CLEANUP_CLOSE int fd = -1;
	layer_file name;

	name_file(layer, name);
	fd = openat(container->job->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open a layer");
	return unpack(disk, layer, fd, container->config.diff_ids.v[i], err);
}

/* What an earlier attempt has left but layers. */
static bool clear(int dir_fd, struct err *err)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };

	if (!dir_list(dir_fd, &list, err))
		return false;
	vec_each(&list.names, name) {
		if (!span_starts_with(span_of(*name), LAYER_PREFIX) &&
		    !fs_remove_tree(dir_fd, *name, err))
			return false;
	}
	return true;
}

static bool make_disk(const struct container *container, struct err *err)
{
	struct container_disk *disk CLEANUP(container_disk_cleanup) =
		container_disk_new(container->job->dir_fd);

	if (!clear(container->job->dir_fd, err))
		return false;
	for (size_t i = 0; i < container->job->manifest->layers.n; i++) {
		if (!apply_layer(container, disk, i, err))
			return err_context(err, "layer %zu of %zu", i + 1,
					   container->job->manifest->layers.n);
	}
	return container_disk_finish(disk, err);
}

bool pull_container_has_begun(int dir_fd)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err ignored;

	if (!dir_list(dir_fd, &list, &ignored))
		return false;
	vec_each(&list.names, name) {
		if (span_starts_with(span_of(*name), LAYER_PREFIX))
			return true;
	}
	return false;
}

bool pull_container(const struct pull_job *job, struct err *err)
{
	static const char *const names[] = { BUNDLE_CONFIG, BUNDLE_NVRAM, BUNDLE_DISK };
	CLEANUP(container_done) struct container container = { .job = job };
	CLEANUP(config_done) struct config config = { 0 };

	if (!fetch_config(&container, err) || !fetch_layers(&container, err) ||
	    !make_disk(&container, err))
		return false;
	config_init_linux(&config, container.config.arch);
	return pull_generated(job, &config, err) && pull_seal(job, names, ARRAY_LEN(names), err);
}
