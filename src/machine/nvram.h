/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's variables of a VM: which file holds them, making it, keeping it sparse.
 *
 * nvram.bin is used as it is when it is a variable store of our firmware. Anything else in its place (a store made
 * by a Mac) is foreign: the firmware would crash on it or write over it, so it is never opened for writing and
 * `efivars.fd` beside it takes its part. Source: machine.md 3.5, image-format.md 2.4.
 */
#ifndef TART_MACHINE_NVRAM_H
#define TART_MACHINE_NVRAM_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "machine/firmware.h"

#define NVRAM_HEAD_SIZE 64

enum nvram_kind { NVRAM_OURS, NVRAM_FOREIGN };

/*
 * `head` is the first NVRAM_HEAD_SIZE bytes, or all there are; `all_zero` whether there is nothing but zeros in
 * the whole file. Ours: the template's size, and the header of an edk2 store or, for arm64, nothing yet (its
 * template is empty; on amd64 an empty store would silently keep nothing). Pure.
 */
enum nvram_kind nvram_classify(enum guest_arch arch, uint64_t size_bytes, uint64_t template_bytes,
			       struct span head, bool all_zero);

/* Creates `name` (mode 0600; it must not exist) as a fresh store: a sparse raw copy of the template. Synced. */
bool nvram_create(int dirfd, const char *name, const struct firmware *fw, struct err *err);

/* Opens the VM's store for reading and writing, making efivars.fd when it is needed and missing or not ours. The
 * caller holds the VM's record lock. */
bool nvram_open(int bundle_fd, enum guest_arch arch, const struct firmware *fw, int *ret_fd,
		struct err *err);

/* Gives blocks of zeros back to the file system: QEMU writes all 64 MiB of an arm64 store. Call it once QEMU has
 * ended. A file system without holes is no error. */
bool nvram_punch_zeros(int fd, struct err *err);

#endif
