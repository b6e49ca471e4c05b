/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of `--dir`: which directory a guest sees under which name and tag, and how several of them go together.
 * Pure; sharing them is not done here. Source: cli.md 2.3 (--dir), 3.2.
 */
#ifndef TART_MACHINE_SHARE_ARG_H
#define TART_MACHINE_SHARE_ARG_H

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

#define SHARE_DEFAULT_TAG "com.apple.virtio-fs.automount"
#define SHARE_TAG_MAX     36 /* bytes: the field of the virtio-fs configuration */

struct share_arg {
	struct span name; /* ptr NULL when it has none; all borrowed from the argument */
	struct span path; /* a path or an http(s) URL */
	struct span tag;
	bool is_url;
	bool read_only;
};

/* ERR_USAGE: nothing to share, a name that no directory can have, an empty tag or one that is too long. */
bool share_arg_parse(struct span text, struct share_arg *ret, struct err *err);

/* All shares of one tag: one file system of the guest. */
struct share_group {
	struct span tag;
	bool is_root; /* a single unnamed share is the file system's root; else there is a directory per name */
	VEC(struct share_arg) shares;
};

struct share_groups {
	VEC(struct share_group) items; /* in the order in which their tags appear */
};

/* A later share replaces an earlier one of the same name and tag. ERR_USAGE when one among several of a tag has no
 * name. */
bool share_groups_make(const struct share_arg *args, size_t n_args, struct share_groups *ret,
		       struct err *err);
void share_groups_done(struct share_groups *groups);

#endif
