/* SPDX-License-Identifier: Apache-2.0 */
/* An image of Tart: configuration, disk, variables, and the record of which layers the disk was made. */
#include <stdlib.h>
#include <string.h>

#include "image/disk.h"
#include "image/layers.h"
#include "registry/blob.h"
#include "registry/pull_job.h"
#include "registry/pull_plan.h"
#include "storage/bundle.h"
#include "storage/config.h"

static bool check_format(const struct config *config, struct err *err)
{
	if (config->disk_format != DISK_ASIF)
		return true;
	return err_set(
		err, ERR_GENERAL,
		"its disk is an Apple sparse image (ASIF), which only macOS can read: push the "
		"VM with a raw disk from there");
}

/* Before gigabytes are fetched. It stays as it came: what this version does not know is somebody's. */
static bool pull_config(const struct pull_job *job, struct config *ret, struct err *err)
{
	const struct descriptor *layer = manifest_layer(job->manifest, LAYER_TART_CONFIG);
	CLEANUP_STR struct str text = { 0 };

	return pull_small_file(job, layer, CONFIG_SIZE_MAX, BUNDLE_CONFIG, &text, err) &&
	       ((config_parse(str_span(&text), ret, err) && check_format(ret, err)) ||
		err_context(err, "the configuration of this image, %s", layer->digest));
}

static const char *hex_of(const blob_digest digest)
{
	return digest + sizeof(NAME_DIGEST_PREFIX) - 1;
}

static void fill_record(const struct pull_job *job, struct disk_layers *record)
{
	const struct remote_name *name = job->request->name;

	*vec_push(&record->origins) = xasprintf("%s/%s", name->host, name->repository);
	vec_each(&job->manifest->layers, layer) {
		struct disk_layer *item;

		if (layer->kind != LAYER_TART_DISK)
			continue;
		item = vec_push(&record->items);
		item->data_bytes = layer->data_bytes;
		item->blob_bytes = layer->size_bytes;
		item->origins = 1;
		memcpy(item->data_digest, hex_of(layer->data_digest), DIGEST_HEX_SIZE);
		memcpy(item->blob_digest, hex_of(layer->digest), DIGEST_HEX_SIZE);
	}
}

static bool index_fits(const struct layer_index *index, const struct disk_layers *record)
{
	if (index->layers.n != record->items.n)
		return false;
	for (size_t i = 0; i < record->items.n; i++) {
		const struct disk_layer *item = &record->items.v[i];
		const struct layer_pieces *pieces = &index->layers.v[i];

		if (layer_pieces_are_known(pieces) ?
			    !layer_pieces_fit(pieces, item->data_bytes, item->blob_bytes) :
			    pieces->data_bytes != item->data_bytes)
			return false;
	}
	return true;
}

/* The index is for whoever reads parts of the image, or pushes it on: a disk that has been verified does not need it. */
static bool fill_index(const struct pull_job *job, struct disk_layers *record, struct err *err)
{
	const struct descriptor *layer = manifest_layer(job->manifest, LAYER_DISK_INDEX);
	CLEANUP_STR struct str bytes = { 0 };
	struct layer_index index = { 0 };
	struct err ignored;

	if (!layer || layer->size_bytes > LAYER_INDEX_MAX)
		return true;
	if (!blob_fetch_text(job->registry, layer->digest, layer->size_bytes, LAYER_INDEX_MAX,
			     &bytes, err))
		return err_context(err, "the index of the layers");
	if (layer_index_parse(str_span(&bytes), &index, &ignored) && index_fits(&index, record)) {
		record->index = index;
		return true;
	}
	layer_index_done(&index);
	return true;
}

static bool store_record(const struct pull_job *job, struct err *err)
{
	struct disk_layers record = { .has_overlay = false };
	bool ok;

	fill_record(job, &record);
	ok = fill_index(job, &record, err) && disk_layers_store(job->dir_fd, &record, err);
	disk_layers_done(&record);
	return ok;
}

/* It can be kept and pushed on, and is no disk that any machine could start from. */
static bool warn_of_asif(const struct pull_job *job, const struct config *config, struct err *err)
{
	bool is_asif;

	if (!disk_is_asif(job->dir_fd, &is_asif, err))
		return false;
	if (is_asif && config->disk_format == DISK_RAW)
		notice_tell(&job->request->notice,
			    "the disk of this image is an Apple sparse image, although its "
			    "configuration says that it is raw");
	return true;
}

bool pull_tart(const struct pull_job *job, struct err *err)
{
	static const char *const names[] = { BUNDLE_CONFIG, BUNDLE_DISK, BUNDLE_NVRAM,
					     LAYERS_FILE };
	const struct descriptor *nvram = manifest_layer(job->manifest, LAYER_TART_NVRAM);
	CLEANUP(config_done) struct config config = { 0 };

	if (!pull_config(job, &config, err) || !pull_disk(job, err) ||
	    !warn_of_asif(job, &config, err))
		return false;
	notice_tell(&job->request->notice, "pulling NVRAM...");
	return pull_file(job, nvram, BUNDLE_NVRAM, NULL, err) && store_record(job, err) &&
	       pull_seal(job, names, ARRAY_LEN(names), err);
}
