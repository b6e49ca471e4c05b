/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's command line for a machine: a pure function from struct machine_spec to argv. Source: machine.md 3.
 *
 * The line is the same for every VM but for the numbers in it: no host configuration is read (-nodefaults,
 * -no-user-config), every device has a fixed PCI slot (else adding a disk would rename the guest's network
 * interface), every file is a descriptor. PCI slots of bus pcie.0:
 *
 *	0x1 display   0x2-0x5 NICs   0x6 keyboard (arm64: USB)   0x7 tablet   0x8 entropy   0x9 balloon
 *	0xa consoles  0xb sound      0xc panic                   0xd root port of the vsock device
 *	0x10 root disk               0x11-0x1c further disks
 */
#ifndef TART_MACHINE_QEMU_ARGV_H
#define TART_MACHINE_QEMU_ARGV_H

#include "base/vec.h"
#include "machine/spec.h"

/* What the device of the channel into the guest is made of, also when it is plugged in later: vsock_plug.c. */
#define VSOCK_DRIVER    "vhost-user-vsock-pci"
#define VSOCK_DEVICE    "vsock0"
#define VSOCK_CHARDEV   "vsock"
#define VSOCK_ROOT_PORT "rp-vsock"

struct qemu_argv {
	/* Owned; after building, followed by a NULL that is not counted in args.n. */
	VEC(char *) args;
	/* What QEMU must inherit: the descriptors the line names, and net_life_fd; borrowed. */
	VEC(int) fds;
};

/* `program` becomes argv[0]. The spec's disks and NICs are within their limits. */
void qemu_argv_build(const char *program, const struct machine_spec *spec, struct qemu_argv *ret);
void qemu_argv_done(struct qemu_argv *argv);

/* The SMBIOS UUID of a VM: constant but for the MAC, so that it is stable. */
#define MACHINE_UUID_SIZE 37
void machine_uuid(const struct mac *mac, char ret[MACHINE_UUID_SIZE]);

#endif
