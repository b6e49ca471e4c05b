/* SPDX-License-Identifier: Apache-2.0 */
/* The machines that test_qemu_argv.c compares with golden files and test_qemu_start.c really starts. */
#ifndef TART_TESTS_MACHINE_ROWS_H
#define TART_TESTS_MACHINE_ROWS_H

#include "machine/spec.h"

#define ROW_MEMORY_BYTES ((uint64_t)256 << 20)

/* Descriptors get numbers of their own, which the golden files show; a test that starts QEMU puts real ones there. */
enum row_fd {
	FD_RAM = 10,
	FD_QMP,
	FD_CON,
	FD_HVC,
	FD_CODE,
	FD_VARS,
	FD_ROOT,
	FD_OVERLAY,
	FD_DISK, /* and as many as there are disks */
	FD_KERNEL = FD_DISK + DISKS_MAX,
	FD_INITRAMFS,
	FD_NET_LIFE,
	FD_QGA,
	FD_VSOCK,
	FD_TAP, /* of NIC i at FD_TAP + 2 * i, its vhost-net behind it */
};

struct machine_row {
	const char *name;
	enum guest_arch arch;
	void (*change)(struct machine_spec *spec); /* NULL = the plain machine */
	bool startable;                            /* on any host, with nothing but files */
};

extern const struct machine_row machine_rows[];
extern const size_t n_machine_rows;

/* The plain machine of this architecture with the row's changes; free it with machine_row_done(). */
void machine_row_fill(const struct machine_row *row, struct machine_spec *ret);
void machine_row_done(struct machine_spec *spec);

#define each_machine_row(row)                                                                   \
	for (const struct machine_row *row = machine_rows; row < machine_rows + n_machine_rows; \
	     row++)

#endif
