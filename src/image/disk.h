/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot disk of a bundle: what files it consists of, creating, growing, cloning, replacing,
 * flattening it.
 *
 * Theory of operation. A disk is one of
 *
 *	plain		disk.img is the disk, raw (or foreign: ASIF), written by the guest;
 *	overlay		disk.img is an immutable raw base (mode 0444, usually hard-linked into several bundles),
 *			overlay.qcow2 holds what changed since, overlay.json says which base that is.
 *
 * The presence of overlay.qcow2 decides; config.json says `raw` either way. A base is never opened
 * for writing. A chain is never deeper than one: the clone of an overlay disk links the same base
 * and copies the overlay.
 *
 * overlay.json holds size and mtime of the base. Whoever uses the disk calls disk_check() first,
 * which refuses a base that is another one: reading through a wrong base gives garbage without any
 * error.
 *
 * Turning a plain disk into base + overlay happens while its VM is stopped and locked, with
 * everything made aside in the new clone's temporary directory (where the collector of tmp/ finds
 * it) and moved in by two renames: first the note, which means nothing without an overlay, then the
 * overlay, which is the moment the disk changes its layout. A kill before it leaves a plain disk,
 * after it an overlay disk; both show the guest the same bytes. Only then the base loses its write
 * bits: the other order would leave a plain disk its owner cannot write.
 *
 * All calls take the bundle's directory descriptor. Locks are the caller's business; each call says
 * which.
 */
#ifndef TART_IMAGE_DISK_H
#define TART_IMAGE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "image/extent.h"
#include "image/progress.h"

#define DISK_FILE         "disk.img"
#define DISK_OVERLAY_FILE "overlay.qcow2"
#define DISK_NOTE_FILE    "overlay.json"

enum disk_layout { DISK_LAYOUT_PLAIN, DISK_LAYOUT_OVERLAY };

struct disk_info {
	enum disk_layout layout;
	uint64_t size_bytes; /* of the disk the guest sees */
	/* st_blocks * 512: the overlay, and disk.img while its link count is 1. */
	uint64_t allocated_bytes;
};

/* Cheap (two files opened; an overlay costs two small reads more): for listings. Does not compare
 * the base. No lock. */
bool disk_inspect(int dirfd, struct disk_info *ret, struct err *err);

/* To be called before a disk is used (run, clone, export, growing): a plain disk is always fine;
 * of an overlay the header must be one we could have made (backed by disk.img, raw; no other
 * files) and the base must be the one of the note. Clears away what a killed disk_clone() or
 * disk_replace() left. The caller holds the VM's record lock. */
bool disk_check(int dirfd, struct err *err);

/* Whether disk.img starts with the magic of Apple's Sparse Image Format, which we only store. */
bool disk_is_asif(int dirfd, bool *ret, struct err *err);

/* Creates disk.img, which must not exist: raw, all hole, exactly size_bytes. */
bool disk_create(int dirfd, uint64_t size_bytes, struct err *err);

/* Grows to size_bytes; the same size is a no-op, less is an error (the caller compares first:
 * its message names both sizes in GB), and so is ASIF. An overlay needs qemu-img. The caller
 * holds the VM's record lock. */
bool disk_grow(int dirfd, uint64_t size_bytes, struct err *err);

/* After an unclean end of QEMU: lets qemu-img drop leaked clusters of the overlay. Nothing to do
 * for a plain disk. The caller holds the VM's record lock. */
bool disk_repair(int dirfd, struct err *err);

/* Moves `name` of `from_dirfd` (a disk on the same file system, complete and synced; its mtime may
 * be changed) into the disk's place, whatever the layout was. Works for a disk that disk_check()
 * refuses. A kill at any moment leaves the old or the new disk. The caller holds the VM's record
 * lock. */
bool disk_replace(int dirfd, int from_dirfd, const char *name, struct err *err);

/* Where the bytes that the guest sees lie; the map owns its descriptors. Nobody may write
 * meanwhile: the caller holds the VM's record lock, and has called disk_check(). */
bool disk_open_extents(int dirfd, struct extent_map **ret, struct err *err);

/* Writes the disk the guest sees into dst_fd (empty, open for writing) as a sparse raw file. Not
 * synced. Conditions as for disk_open_extents(). */
bool disk_flatten(int dirfd, int dst_fd, const struct progress_sink *progress, struct err *err);

/* Allocated bytes of a plain disk up to which CLONE_AUTO copies rather than making it a base. */
#define CLONE_SMALL_BYTES ((uint64_t)32 << 20)

/* $TART_CLONE */
enum clone_policy {
	CLONE_AUTO,    /* reflink; else copy what is small; else overlay, else copy */
	CLONE_REFLINK, /* or fail */
	CLONE_OVERLAY, /* or fail */
	CLONE_COPY,    /* files of its own in any case; the copy of an overlay disk still is one */
};

/* "auto", "copy", "overlay", "reflink"; false for anything else. */
bool clone_policy_parse(struct span text, enum clone_policy *ret);

enum clone_source {
	CLONE_SOURCE_STOPPED,   /* the caller holds its record lock; may become base + overlay */
	CLONE_SOURCE_RUNNING,   /* somebody may be writing: never changes its layout */
	CLONE_SOURCE_IMMUTABLE, /* never written (a cached image): linked as base, stays plain */
};

enum clone_method { CLONED_BY_REFLINK, CLONED_BY_OVERLAY, CLONED_BY_COPY };

/* Clones the disk of src_dirfd into dst_dirfd: a temporary bundle without disk files that nobody
 * else uses, which the caller throws away on failure. What was made is synced. The
 * source is checked as by disk_check(). *ret_how (may be NULL) says how it went: only
 * CLONED_BY_COPY costs time and space in the order of the data. A forced policy that cannot be
 * had is an error with the reason. */
bool disk_clone(int src_dirfd, enum clone_source source, int dst_dirfd, enum clone_policy policy,
		const struct progress_sink *progress, enum clone_method *ret_how, struct err *err);

#endif
