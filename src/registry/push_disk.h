/* SPDX-License-Identifier: Apache-2.0 */
/* Getting all layers of a disk to a repository, by some threads at once. Private to push. */
#ifndef TART_REGISTRY_PUSH_DISK_H
#define TART_REGISTRY_PUSH_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/progress.h"
#include "registry/push_plan.h"
#include "registry/push_target.h"
#include "storage/home.h"

struct push_disk {
	const struct home *home;
	int bundle_fd;
	struct http *http;
	struct push_target *target;
	const char *host;
	const char *repository;
	uint64_t concurrency; /* as far as there are descriptors for it */
	struct progress_sink progress;
};

/*
 * Afterwards all layers of the plan are known, and the repository has them. On failure the plan holds what became known,
 * too. The record may turn out to be wrong (somebody has set back the time of a file): then it is forgotten, and what
 * came from it is looked at again.
 */
bool push_disk_layers(const struct push_disk *disk, struct push_plan *plan, struct err *err);

#endif
