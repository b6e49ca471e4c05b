/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the files of a VM still are what its image was: `tart verify`.
 *
 * A cached image is checked against its manifest, and that against the digest the image goes by. Of a local VM only
 * the disk can be: a base that is the disk of a cached image against that image's manifest; else what its record of
 * layers (image/layers.h) says, as long as that holds. Whatever was written to since is checked against nothing.
 */
#ifndef TART_REGISTRY_VERIFY_H
#define TART_REGISTRY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "image/progress.h"
#include "registry/manifest.h"
#include "storage/home.h"

enum verify_basis { VERIFY_NOTHING, VERIFY_MANIFEST, VERIFY_RECORD };

struct verify_file {
	char *name;
	int fd; /* -1: it is not there */
	uint64_t size_bytes;
	uint64_t expected_bytes; /* so far, of those whose parts follow each other */
};

/* A stretch of a file. */
struct verify_check {
	size_t file;
	uint64_t start;
	uint64_t bytes;
	blob_digest expected; /* "": nothing should be there */
	blob_digest actual;   /* "": it is not there. Set by verify_run(), as is `differs` */
	bool is_whole;        /* all of the file, which is not counted in layers */
	bool differs;
};

struct verify {
	enum verify_basis basis;
	char *image;  /* HOST/NAMESPACE@DIGEST whose manifest it is; NULL unless VERIFY_MANIFEST */
	bool is_base; /* what is checked is the base of a local VM, the file of that image */
	char *reason; /* why nothing, or not all, can be checked; a sentence; NULL when there is none */
	int bundle_fd;
	VEC(struct verify_file) files;
	VEC(struct verify_check) checks;
};

#define VERIFY_INIT             \
	{                       \
		.bundle_fd = -1 \
	}
void verify_done(struct verify *verify); /* fits CLEANUP() */

/* Finds out what is to be checked. Access times stay as they are. ERR_VM_MISSING, ERR_VM_INCOMPLETE; ERR_GENERAL when
 * the manifest cannot be read. */
bool verify_plan(const struct home *home, const char *name, struct verify *ret, struct err *err);

/* Checks it, some stretches at once. A difference is no error. `progress` in bytes, by the caller's thread. */
bool verify_run(struct verify *verify, const struct progress_sink *progress, struct err *err);

size_t verify_count_differences(const struct verify *verify);

#endif
