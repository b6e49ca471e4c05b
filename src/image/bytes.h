/* SPDX-License-Identifier: Apache-2.0 */
/* Where bytes come from and where they go: what puts tar, zstd and files together, and lets
 * tests stand between. */
#ifndef TART_IMAGE_BYTES_H
#define TART_IMAGE_BYTES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct byte_source {
	/* The next bytes, valid until the next call; none at the end. */
	bool (*next)(void *ctx, struct span *ret, struct err *err);
	void *ctx;
};

struct byte_sink {
	/* Takes all of them. */
	bool (*add)(void *ctx, struct span bytes, struct err *err);
	void *ctx;
};

#endif
