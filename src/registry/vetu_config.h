/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a Vetu image: image-format.md 10. Pure; the text is from a registry and not trusted. */
#ifndef TART_REGISTRY_VETU_CONFIG_H
#define TART_REGISTRY_VETU_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "storage/config.h"

struct vetu_config {
	enum guest_arch arch;
	char *cmdline;         /* "" when absent */
	uint64_t cpu_count;    /* 0 = not given */
	uint64_t memory_bytes; /* 0 = not given */
	bool has_mac;
	struct mac mac;
	VEC(char *)
	disks; /* names that may become files of a bundle; the first is the boot disk and may be "disk.img" */
};

void vetu_config_done(struct vetu_config *config); /* fits CLEANUP() */
bool vetu_config_parse(struct span text, struct vetu_config *ret, struct err *err);

/* As a VM of ours: kernel and further disks are in its extras (storage/extras.h). */
void vetu_config_convert(const struct vetu_config *vetu, bool has_initramfs, struct config *ret);

#endif
