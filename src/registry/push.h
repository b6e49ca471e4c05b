/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushing a VM or a cached image: cli.md 2.12, image-format.md 7.
 *
 * What did not change since it was last pulled or pushed is known by digest (image/layers.h) and neither read nor
 * compressed; what the repository has is not sent. A layer that has to be sent is compressed into an unnamed temporary
 * file first: its digest has to be known before, and a broken upload goes on from there.
 */
#ifndef TART_REGISTRY_PUSH_H
#define TART_REGISTRY_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/progress.h"
#include "registry/manifest.h"
#include "registry/notice.h"
#include "storage/home.h"

struct push_request {
	const char *source; /* local VM or cached image, as typed */
	const struct remote_name *targets;
	size_t n_targets; /* at least 1; none by digest */
	const char *user_agent;
	bool is_insecure;
	uint64_t concurrency;
	uint64_t chunk_bytes; /* 0 = blobs in one piece */
	const struct manifest_label *labels;
	size_t n_labels;
	bool populate_cache;
	int64_t now; /* seconds since 1970, for upload-time */
	bool is_time_fixed; /* that time and no other: an image that is there already with an older one is made anew */
	struct notice notice;
	struct progress_sink progress; /* bytes of the disk; called by the caller's thread only */
};

/*
 * The VM counts as running meanwhile. What it needs of memory does not depend on the data: less than 16 MiB, 3 MiB for
 * each layer at work (one piece, plain and encoded, and what stands in the connection), and for each GiB of the disk's
 * size some 40 KiB (digests and sizes of pieces that are no zeros).
 */
bool image_push(const struct home *home, const struct push_request *request, struct err *err);

#endif
