/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to run: everything qemu_argv.c needs to know to write QEMU's command line, decided beforehand by others
 * (accel.c, firmware.c, disk_arg.c, the supervisor). Plain data, no I/O.
 *
 * QEMU gets every file as an inherited descriptor: bundle files, extra disks, firmware, RAM, sockets. So it needs
 * no right to any path, can run as a user who owns nothing, and no name of the user's is ever quoted into an
 * option. A descriptor for a block node goes through an fdset (-add-fd), which keeps QEMU's image locks working.
 */
#ifndef TART_MACHINE_SPEC_H
#define TART_MACHINE_SPEC_H

#include <stdint.h>

#include "base/vec.h"
#include "net/mac.h"
#include "storage/config.h"

enum accel_kind { ACCEL_KVM, ACCEL_TCG };

enum disk_source {
	DISK_SOURCE_FILE,  /* raw image or ISO, by fd */
	DISK_SOURCE_BLOCK, /* host block device, by fd */
	DISK_SOURCE_NBD,   /* network block device: `nbd` */
};

enum disk_sync { SYNC_FULL, SYNC_NONE }; /* flushes are passed on / ignored */
enum disk_caching { CACHING_CACHED, CACHING_DIRECT };

struct nbd_target {
	bool tls;
	char *unix_path; /* absolute, or NULL and host + port */
	char *host;
	char *port;
	char *export_name; /* "" when none */
	char *tls_dir; /* with tls: folder of ca-cert.pem and, if the server asks, client-cert.pem, client-key.pem */
	char *tls_hostname; /* with tls: the name the certificate must bear, NULL = host */
};

struct disk_spec {
	enum disk_source source;
	int fd;         /* FILE, BLOCK */
	int overlay_fd; /* qcow2 on top of fd, which then is its read-only raw base; -1 = none */
	struct nbd_target nbd;
	bool read_only;
	enum disk_sync sync;
	enum disk_caching caching;
};

enum net_backend {
	NET_USER, /* QEMU's own user-mode NAT: the host cannot reach the guest */
	NET_TAP,  /* a tap or macvtap that was made for this NIC, by descriptor */
};

struct net_spec {
	enum net_backend backend;
	struct mac mac;
	int fd;       /* NET_TAP */
	int vhost_fd; /* NET_TAP: the kernel moves the packets; -1 = QEMU does */
};

struct machine_spec {
	const char *vm_name;
	enum guest_arch arch;
	enum guest_arch host_arch;
	enum accel_kind accel;
	bool nested; /* the guest may run virtual machines itself */
	uint64_t cpu_count;
	uint64_t memory_bytes; /* a multiple of 1 MiB */
	struct mac mac;        /* of the VM: its UUID is made of it */

	int ram_fd;   /* memfd of memory_bytes */
	int qmp_fd;   /* QEMU's end of a socketpair */
	int con_fd;   /* QEMU's end: first serial port (ttyS0, ttyAMA0) */
	int hvc_fd;   /* QEMU's end: virtio console hvc0 */
	int qga_fd;   /* QEMU's end: the port of a qemu-ga in the guest */
	int vsock_fd; /* QEMU's end: vhost-user to tart-vsockd; -1 = no vsock device, perhaps later */
	/* A kernel instead of firmware: -1 = firmware. QEMU opens these two by their descriptors' names, so they are
	 * files that its user may read. */
	int kernel_fd;
	int initramfs_fd;    /* -1 = none */
	const char *cmdline; /* of the kernel */
	int code_fd;         /* firmware, read-only */
	bool code_qcow2;
	int vars_fd; /* its variables, raw, read-write */

	struct disk_spec root;
	VEC(struct disk_spec) disks; /* --disk, in order; at most DISKS_MAX */
	bool io_uring;
	VEC(struct net_spec) nics; /* at most NICS_MAX */
	int net_life_fd; /* the taps live while somebody holds this: QEMU inherits it, unused; -1 = none */

	uint32_t display_width, display_height;
	bool no_keyboard, no_pointer;
	bool audio; /* a sound device; its backend is "none" unless audio_backend is set */
	const char *audio_backend; /* "pipewire", "pa", NULL */
	bool clipboard;            /* the SPICE agent channel, with QEMU's own vdagent */
	bool vnc_password;
	const char *version; /* of tart, for the port tart-version-<version> */
};

#define DISKS_MAX 12 /* PCI slots 0x11 to 0x1c */
#define NICS_MAX  4  /* PCI slots 0x2 to 0x5 */

/* Frees what the disk owns; its descriptors are closed. */
void disk_spec_done(struct disk_spec *disk);
#define DISK_SPEC_INIT                     \
	{                                  \
		.fd = -1, .overlay_fd = -1 \
	}

void nbd_target_done(struct nbd_target *nbd);

#endif
