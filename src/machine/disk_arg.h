/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of `--disk` and `--root-disk-opts`: a target, and options after the last colon. Pure; opening what
 * they name is disk_open.h's. Source: cli.md 2.3 (--disk), 3.3.
 */
#ifndef TART_MACHINE_DISK_ARG_H
#define TART_MACHINE_DISK_ARG_H

#include "base/err.h"
#include "base/span.h"
#include "machine/spec.h"

struct disk_opts {
	bool read_only;
	struct span sync;    /* ptr NULL when not given; borrowed from the argument */
	struct span caching; /* likewise */
};

struct disk_arg {
	struct span target; /* borrowed */
	struct disk_opts opts;
};

/* Never fails: a last part without any option it knows belongs to the target. */
void disk_arg_parse(struct span text, struct disk_arg *ret);

/* The option list alone; unknown items are ignored. */
void disk_opts_parse(struct span text, struct disk_opts *ret);

enum disk_target { DISK_TARGET_NBD, DISK_TARGET_BLOCK, DISK_TARGET_IMAGE, DISK_TARGET_FILE };

/* What is at a path; a folder or a socket counts as missing. */
enum path_kind { PATH_MISSING, PATH_FILE, PATH_BLOCK };

/* Which kind a target is: an NBD URL, else what exists under the path, else a remote name, else a file that is not
 * there. `at_path` is what the caller found at the target's path. */
enum disk_target disk_target_kind(struct span target, enum path_kind at_path);

/* Fills sync, caching and read_only of *ret. ERR_GENERAL `unsupported disk [image ]synchronization mode: "x"`, or
 * `... caching mode ...`. Of a cached image's copy both are ignored, of a device and NBD caching is. */
bool disk_opts_apply(enum disk_target kind, const struct disk_opts *opts, struct disk_spec *ret,
		     struct err *err);

/* ERR_USAGE when the name says that the medium is for the other architecture: "...-amd64.iso", "...-arm64.iso". */
bool disk_arg_check_arch(const struct disk_arg *arg, enum guest_arch arch, struct err *err);

#endif
