/* SPDX-License-Identifier: Apache-2.0 */
/* Finding virtiofsd, which serves a directory of the host to a guest. Source: machine.md 7. */
#ifndef TART_MACHINE_VIRTIOFSD_H
#define TART_MACHINE_VIRTIOFSD_H

#include <stdbool.h>

#include "base/span.h"

#define VIRTIOFSD_DESCRIPTOR_DIR "/usr/share/qemu/vhost-user"

/* By QEMU's descriptors in `descriptor_dir` (lowest file name first), the usual folders, then `path_env` ($PATH, may
 * be NULL). NULL when there is none; else the caller frees it. */
char *virtiofsd_find(const char *descriptor_dir, const char *path_env);

/* The program a descriptor (QEMU's docs/interop/vhost-user.json) names, when it is for file systems; else NULL. Pure. */
char *virtiofsd_descriptor_parse(struct span text);

#endif
