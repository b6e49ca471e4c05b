/* SPDX-License-Identifier: Apache-2.0 */
/* Finding programs, QEMU above all, and asking QEMU for its version. */
#ifndef TART_MACHINE_QEMU_H
#define TART_MACHINE_QEMU_H

#include "base/err.h"
#include "base/span.h"
#include "storage/config.h"

struct qemu_version {
	unsigned int major, minor, micro;
};

#define QEMU_VERSION_MIN_MAJOR 7
#define QEMU_VERSION_MIN_MINOR 2

/* The emulator for guests of this architecture: qemu-system-* in `path_env`, then where distributions hide it.
 * *ret_path is the caller's. ERR_GENERAL naming the package to install. */
bool qemu_find(enum guest_arch arch, enum guest_arch host, const char *path_env, char **ret_path,
	       struct err *err);

/* The first line of `--version`: "QEMU emulator version 7.2.22 (...)". Pure. */
bool qemu_version_parse(struct span text, struct qemu_version *ret);

/* Runs `path --version`: some 20 ms. A running QEMU tells its version over QMP. */
bool qemu_version_read(const char *path, struct qemu_version *ret, struct err *err);

/* ERR_GENERAL when it is older than what the command line needs. */
bool qemu_version_check(const struct qemu_version *version, struct err *err);

#endif
