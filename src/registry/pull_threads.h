/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing many blobs at once: as many threads as were asked for, progress, and the end of all when one fails. Private to
 * pull. */
#ifndef TART_REGISTRY_PULL_THREADS_H
#define TART_REGISTRY_PULL_THREADS_H

#include <stddef.h>

#include "registry/pull_job.h"
#include "registry/pull_layer.h"

struct pull_threads {
	const struct pull_job *job;
	struct pull_meter *meter;                                 /* shown as the pull's progress */
	bool (*bring)(void *ctx, size_t number, struct err *err); /* in a thread of its own */
	void *ctx;
};

/* Brings the items 0 to n - 1. The first that fails cancels the requests of the others. */
bool pull_threads_run(const struct pull_threads *threads, size_t n, struct err *err);

#endif
