/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloning a local VM or a cached image into a local VM. Source: cli.md 2.2, machine.md 4.
 *
 * The home lock is held throughout: a `run` or `delete` of the source waits. A running source is copied as it is,
 * which is what a power cut would leave of it. A stopped one has its record lock taken while its disk is cloned where
 * that may turn it into base and overlay (image/disk.h).
 */
#ifndef TART_STORAGE_CLONE_H
#define TART_STORAGE_CLONE_H

#include <stdint.h>

#include "image/disk.h"
#include "storage/home.h"

struct clone_request {
	const char *source; /* local name, or remote name of a cached image */
	const char *new_name;
	enum clone_policy policy;
	bool auto_prune;            /* make room for what the clone may grow to */
	uint64_t prune_limit_bytes; /* at most this much */
};

/* Replaces a VM of that name, unless it is running. ERR_GENERAL when a remote name is not cached. */
bool clone_vm(const struct home *home, const struct clone_request *request, struct err *err);

#endif
