/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI config of a container image, as far as a containerDisk needs it: image-format.md 11. Pure. */
#ifndef TART_REGISTRY_CONTAINER_CONFIG_H
#define TART_REGISTRY_CONTAINER_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "registry/manifest.h"
#include "storage/config.h"

struct container_config {
	enum guest_arch arch;
	VEC(blob_digest) diff_ids; /* of the layers, unpacked */
};

void container_config_done(struct container_config *config); /* fits CLEANUP() */

/* Refuses other architectures, and anything but exactly n_layers digests. */
bool container_config_parse(struct span text, size_t n_layers, struct container_config *ret,
			    struct err *err);

#endif
