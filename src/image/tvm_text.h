/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the export format (docs/FORMAT.storage.md) that are text, and how an export is told
 * from other files. Pure.
 *
 * An export is one zstd stream around a POSIX tar with these members:
 *
 *	tvm.json	{"format":"tart-export","version":1,"files":[{"name":…,"size":…},…]}
 *	each file	regular, sparse members in the GNU 1.0 pax form
 *	tvm.sha256	"HEX  NAME" for each file, over its logical content; without it the export
 *			was cut off
 */
#ifndef TART_IMAGE_TVM_TEXT_H
#define TART_IMAGE_TVM_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"

#define TVM_MANIFEST    "tvm.json"
#define TVM_SUMS        "tvm.sha256"
#define TVM_TEXT_MAX    65536 /* bytes of either */
#define TVM_FILES_MAX   64
#define TVM_NAME_MAX    255
#define TVM_MAGIC_BYTES 4 /* what tvm_detect() looks at */

enum tvm_kind {
	TVM_OURS,  /* a zstd frame: possibly ours */
	TVM_APPLE, /* Apple Archive or Apple Encrypted Archive */
	TVM_UNKNOWN,
};

/* By the first bytes of a file. */
enum tvm_kind tvm_detect(struct span start);

struct tvm_file {
	char *name; /* owned */
	uint64_t size_bytes;
	char digest[DIGEST_HEX_SIZE]; /* filled in by whoever reads or writes the content */
};

struct tvm_manifest {
	VEC(struct tvm_file) files;
};

void tvm_manifest_done(struct tvm_manifest *manifest);

/* Refuses other formats, newer versions, names that could be paths, and names that come twice.
 * Members that we do not know are ignored. */
bool tvm_manifest_parse(struct span text, struct tvm_manifest *ret, struct err *err);
void tvm_manifest_print(const struct tvm_manifest *manifest, struct str *out);

/* NULL when there is none. */
struct tvm_file *tvm_manifest_find(const struct tvm_manifest *manifest, const char *name);

/* Compares tvm.sha256 with the digests in the manifest: one line for each file, in any order,
 * and optionally one for tvm.json itself. */
bool tvm_sums_check(struct span text, const struct tvm_manifest *manifest,
		    const char manifest_digest[DIGEST_HEX_SIZE], struct err *err);
void tvm_sums_print(const struct tvm_manifest *manifest, struct str *out);

#endif
