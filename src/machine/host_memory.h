/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a guest's memory fits into this host. A guest's memory is taken page by page as the guest touches it, and
 * given back when the guest frees it, so that too little is a warning and no reason to refuse.
 */
#ifndef TART_MACHINE_HOST_MEMORY_H
#define TART_MACHINE_HOST_MEMORY_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

struct host_memory {
	uint64_t total_bytes,
		available_bytes; /* RAM; available without swapping, as the kernel estimates it */
	uint64_t swap_total_bytes, swap_free_bytes;
};

/* The text of /proc/meminfo; false when a line is missing or is no number. Pure. */
bool host_memory_parse(struct span meminfo, struct host_memory *ret);
bool host_memory_read(struct host_memory *ret, struct err *err);

enum memory_fit {
	MEMORY_FITS,
	MEMORY_TIGHT,     /* more than is free now */
	MEMORY_EXCESSIVE, /* more than there is, swap included */
};

/* Appends one line for the user unless it fits. Pure. */
enum memory_fit host_memory_fit(const struct host_memory *host, uint64_t guest_bytes,
				struct str *notice);

#endif
