/* SPDX-License-Identifier: Apache-2.0 */
/* Whether QEMU can use io_uring for its disks. */
#ifndef TART_MACHINE_IO_URING_H
#define TART_MACHINE_IO_URING_H

#include <stdbool.h>

/* Tried in this process: where the kernel refuses (too old, switched off, a container's filter), a QEMU told to
 * use it would not start. */
bool io_uring_works(void);

#endif
