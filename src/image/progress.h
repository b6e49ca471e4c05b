/* SPDX-License-Identifier: Apache-2.0 */
/* How long work on images tells its caller where it is; printing is the caller's business. */
#ifndef TART_IMAGE_PROGRESS_H
#define TART_IMAGE_PROGRESS_H

#include <stdint.h>

struct progress_sink {
	/* done_bytes grows from 0 to total_bytes; called every few MiB and once at the end. */
	void (*update)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *ctx;
};

/* `progress` may be NULL. */
static inline void progress_report(const struct progress_sink *progress, uint64_t done_bytes,
				   uint64_t total_bytes)
{
	if (progress)
		progress->update(progress->ctx, done_bytes, total_bytes);
}

#endif
