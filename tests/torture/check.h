/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a home: a fingerprint of each VM and image, to compare with later. */
#ifndef TART_TORTURE_CHECK_H
#define TART_TORTURE_CHECK_H

#include "base/digest.h"
#include "base/str.h"
#include "base/vec.h"

struct print {
	char *name; /* VM, HOST/NAMESPACE:TAG or HOST/NAMESPACE@DIGEST; owned */
	/* Of configuration but for the MAC, disk as the guest sees it, variables, saved state. */
	char hex[DIGEST_HEX_SIZE];
};

struct snapshot {
	VEC(struct print) prints;
};

/* Every VM must be whole: what cannot be read is described in *problem, and so is what is no VM. */
void snapshot_take(const char *home_path, struct snapshot *ret, struct str *problem);
void snapshot_done(struct snapshot *snapshot);
const char *snapshot_find(const struct snapshot *snapshot, const char *name); /* hex or NULL */
bool snapshot_has(const struct snapshot *snapshot, const char *hex);

/* Describes in *problem what is not as it was before or after the command. VMs of `aside` (NULL: none) may also be
 * found as "replaced-...", as is the case where names cannot be exchanged. */
void snapshot_compare(const struct snapshot *before, const struct snapshot *after,
		      const struct snapshot *now, const struct snapshot *aside,
		      struct str *problem);

/* Describes in *problem what temporary files there still are. */
void leftovers_find(const char *home_path, const char *also_below, struct str *problem);

#endif
