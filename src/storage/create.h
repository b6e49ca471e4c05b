/* SPDX-License-Identifier: Apache-2.0 */
/* Making a new Linux VM: a bundle with an empty disk, fresh firmware variables and a default configuration. */
#ifndef TART_STORAGE_CREATE_H
#define TART_STORAGE_CREATE_H

#include "storage/config.h"
#include "storage/home.h"

struct create_request {
	const char *name;
	enum guest_arch arch;
	uint64_t disk_bytes;
	/* Makes nvram.bin in the bundle and syncs it; finding firmware is a matter of layers above. */
	bool (*make_nvram)(void *ctx, int bundle_fd, struct err *err);
	void *ctx;
};

/* Replaces a VM of that name, unless it is running. */
bool create_linux(const struct home *home, const struct create_request *request, struct err *err);

#endif
