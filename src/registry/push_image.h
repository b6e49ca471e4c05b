/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of an image but its disk: the small blobs, and the manifest that holds it together. Private to push. */
#ifndef TART_REGISTRY_PUSH_IMAGE_H
#define TART_REGISTRY_PUSH_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "registry/manifest.h"
#include "registry/push_plan.h"
#include "registry/push_source.h"
#include "registry/push_target.h"

/* A manifest that exists already: under a tag of the target, or beside a cached image. */
struct known_manifest {
	struct str bytes; /* empty: there is none */
	struct manifest parsed;
};
void known_manifest_done(struct known_manifest *known); /* fits CLEANUP() */

struct small_blob {
	struct str bytes;
	blob_digest digest;
};

struct push_image {
	struct small_blob vm_config;
	struct small_blob oci_config;
	struct small_blob index; /* empty: the disk is too large for one */
	blob_digest nvram_digest;
};
void push_image_done(struct push_image *image); /* fits CLEANUP() */

/* All but the index. `original` (may be NULL) is the manifest of the image that the source is: where the source's own
 * text of a config is what that had, it is used as it is. */
bool push_image_make(const struct push_source *source, const struct manifest_label *labels,
		     size_t n_labels, const struct known_manifest *original, struct push_image *ret,
		     struct err *err);

bool push_image_put_config(const struct push_image *image, struct push_target *target,
			   struct err *err);
bool push_image_put_nvram(const struct push_image *image, const struct push_source *source,
			  struct push_target *target, struct err *err);

/* Makes the index of a plan whose layers all are known, and puts it and the OCI config. */
bool push_image_put_rest(struct push_image *image, const struct push_plan *plan,
			 struct push_target *target, struct err *err);

/*
 * The manifest. If it is, but for the upload time, one of the `known` ones, that one's bytes are taken: pushing again what
 * is there already changes nothing. Else `upload_time` is in it.
 */
void push_image_print_manifest(const struct push_image *image, const struct push_source *source,
			       const struct push_plan *plan,
			       const struct known_manifest *const *known, size_t n_known,
			       const char *upload_time, struct str *out);

/* "sha256:..." of some bytes. */
void blob_digest_of(struct span bytes, blob_digest ret);
void blob_digest_from_hex(const char *hex, blob_digest ret);

#endif
