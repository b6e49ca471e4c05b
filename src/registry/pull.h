/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulling an image into the cache: cli.md 2.11, image-format.md 8.
 *
 * Everything is made in a temporary bundle whose name follows from the image's name, so that the next pull of that name
 * goes on where this one ended, however it ended. journal.h says what of it can be relied on. It moves into the cache
 * when all of it has been verified and synced.
 *
 * Memory: for each of `concurrency` threads HTTP_BUFFER_BYTES between network and reader, a read buffer of 256 KiB, and an
 * encoded and a decoded block with its history (3 * 64 KiB in what Tart writes, BV4_BLOCK_MAX each at worst). Beside that
 * only what describes the image grows with it: manifest, index and journal, some 3 MB for each 50 GB of our own layers.
 * However large a layer or the disk is, none of its data is kept.
 */
#ifndef TART_REGISTRY_PULL_H
#define TART_REGISTRY_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/progress.h"
#include "registry/notice.h"
#include "storage/config.h"
#include "storage/home.h"
#include "storage/name.h"

struct pull_request {
	const struct remote_name *name;
	const char *user_agent;
	bool is_insecure;
	uint64_t concurrency; /* layers at a time, as far as there are descriptors for it */
	bool deduplicate;
	bool auto_prune;
	bool is_quiet;        /* without the line "pulling NAME...": for clone */
	struct notice notice; /* status lines, in the order of cli.md 2.11 */
	/* Bytes of blobs, of those that have to be fetched. Called by the caller's thread only. */
	struct progress_sink progress;
	/* Makes nvram.bin for images that come without (Vetu, containerDisk). Finding firmware is a matter of layers above. */
	bool (*make_nvram)(void *ctx, int bundle_fd, enum guest_arch arch, struct err *err);
	void *nvram_ctx;
};

/* Afterwards the image is cached and linked (or marked as explicitly pulled). */
bool image_pull(const struct home *home, const struct pull_request *request, struct err *err);

#endif
