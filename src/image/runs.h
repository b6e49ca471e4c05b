/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of data of a sparse file as a list that stays short however scattered the data is. */
#ifndef TART_IMAGE_RUNS_H
#define TART_IMAGE_RUNS_H

#include <stdint.h>

#include "base/vec.h"

/* Longer lists are shortened by taking the smallest holes for data. */
#define RUNS_MAX 32768

struct run {
	uint64_t start;
	uint64_t len;
};

struct runs {
	VEC(struct run) list; /* ascending, apart from each other by at least min_gap */
	uint64_t min_gap;     /* smaller holes are data */
};

#define RUNS_INIT                \
	{                        \
		.min_gap = 65536 \
	}

/* Runs come in ascending order, none before the end of the last one. */
void runs_add(struct runs *runs, uint64_t start, uint64_t len);
void runs_done(struct runs *runs);

#endif
