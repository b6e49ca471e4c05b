/* SPDX-License-Identifier: Apache-2.0 */
/* A push under way, as its parts see it. Private to push. */
#ifndef TART_REGISTRY_PUSH_RUN_H
#define TART_REGISTRY_PUSH_RUN_H

#include <stdbool.h>

#include "http/http.h"
#include "registry/push.h"
#include "registry/push_group.h"
#include "registry/push_image.h"
#include "registry/push_plan.h"
#include "registry/push_source.h"
#include "registry/push_target.h"

struct push_run {
	const struct home *home;
	const struct push_request *request;
	struct http *http;
	struct push_source source;
	struct known_manifest original; /* of a cached source: its manifest, byte for byte */
	struct push_plan plan;
	bool has_plan;
	struct disk_layers record; /* of the disk, once it has been pushed */
	bool has_record;
	char upload_time[sizeof("2025-01-02T03:04:05Z") + 12];
	struct push_groups groups;
};

/* The manifest under each tag of the group, announced line by line. */
bool push_put_manifests(const struct push_run *run, const struct push_group *group,
			struct push_target *target, const char *media_type, struct err *err);

/*
 * A cached image as it is: possible where the repository has its manifest, or all of its blobs, or can get them from the
 * repository that the image came from. *ret_done = false when it is not.
 */
bool push_cached(struct push_run *run, struct push_group *group, struct push_target *target,
		 bool *ret_done, struct err *err);

/* Puts what was pushed to a group into the cache, under all its names. */
bool push_populate(const struct push_run *run, const struct push_group *group, struct err *err);

#endif
