/* SPDX-License-Identifier: Apache-2.0 */
/* The targets of a push, one group for each repository. Private to push. */
#ifndef TART_REGISTRY_PUSH_GROUP_H
#define TART_REGISTRY_PUSH_GROUP_H

#include <stdbool.h>

#include "base/str.h"
#include "base/vec.h"
#include "registry/manifest.h"
#include "storage/name.h"

struct push_group {
	const char *host; /* borrowed from the names, as they are themselves */
	const char *repository;
	VEC(const struct remote_name *) names; /* no two with the same tag */
	/* What the repository has got: */
	struct str manifest;
	blob_digest digest;
};

struct push_groups {
	VEC(struct push_group) list; /* in the order in which they were named first */
};

void push_groups_make(const struct remote_name *targets, size_t n, struct push_groups *ret);
void push_groups_done(struct push_groups *groups); /* fits CLEANUP() */

/* "HOST/REPOSITORY:TAG", several tags as "{:A,:B}". */
void push_group_print(const struct push_group *group, struct str *out);

#endif
