/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VM or cached image that is pushed: open, locked, its small parts in memory. Private to push.
 *
 * It counts as running as long as the source is open. config.json is read once, through the descriptor that carries the
 * lock, and must not be opened again: see storage/bundle.h.
 */
#ifndef TART_REGISTRY_PUSH_SOURCE_H
#define TART_REGISTRY_PUSH_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "image/note.h"
#include "registry/manifest.h"
#include "storage/bundle.h"
#include "storage/config.h"
#include "storage/home.h"
#include "storage/name.h"

/* How the files of a disk looked. */
struct disk_look {
	struct base_id image;
	struct base_id overlay; /* size_bytes 0: there is none */
};

struct push_source {
	const char *name; /* as typed; borrowed */
	bool is_cached;
	struct remote_name image; /* if it is cached, */
	blob_digest digest;       /* and that of its manifest */
	int bundle_fd;
	struct bundle_lock lock;
	struct config config;
	struct str config_text; /* config.json as it is */
	int nvram_fd;
	uint64_t nvram_bytes;
	struct disk_look disk;
};

#define PUSH_SOURCE_INIT                                                   \
	{                                                                  \
		.bundle_fd = -1, .nvram_fd = -1, .lock = BUNDLE_LOCK_INIT, \
	}

/* ERR_VM_MISSING, ERR_VM_INCOMPLETE, ERR_VM_RUNNING; ERR_GENERAL for what cannot be an image. A cached bundle is not
 * asked push_check_bundle(): it may go out as the image it is. */
bool push_source_open(const struct home *home, const char *name, struct push_source *ret,
		      struct err *err);
void push_source_done(struct push_source *source); /* fits CLEANUP() */

/* Whether a bundle can be pushed: only config, NVRAM and one disk travel, so the VM has to boot from these. */
bool push_check_bundle(const struct config *config, struct err *err);

/* The disk is the one that was opened, unchanged. */
bool push_source_check_disk(const struct push_source *source, struct err *err);

/* The VM config as it travels: compact, sorted, `os` and `arch` always there. */
void push_source_print_config(const struct push_source *source, struct str *out);

#endif
