/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tart run`: from a name and options to a machine that runs, until it has ended. Source: cli.md 2.3, machine.md.
 *
 * Order, because others watch: the global lock; the MAC address is made unique among running VMs; everything that
 * can fail without the VM being ours is prepared (firmware, accelerator, terminals, further disks, network); signals become
 * events; the VM's lock; the global lock is released; then what only the holder of the VM's lock may touch: its disk,
 * its variables, its logs; QEMU. While the VM's lock is held nothing in this process opens config.json.
 */
#ifndef TART_MACHINE_RUN_H
#define TART_MACHINE_RUN_H

#include "machine/accel.h"
#include "machine/disk_arg.h"
#include "machine/firmware.h"
#include "machine/run_network.h"
#include "machine/run_ui.h"
#include "machine/supervisor.h"
#include "storage/home.h"

enum run_window {
	WINDOW_NONE,
	WINDOW_IF_POSSIBLE, /* else a notice */
	WINDOW_REQUIRED,    /* else an error */
};

/* Everything is borrowed. */
struct run_options {
	const char *name;
	const struct home *home;
	const struct run_ui *ui;

	enum accel_wish accel;
	bool nested;
	enum run_window window;
	bool grab_keys;
	bool vnc;       /* a port on 127.0.0.1 with a password */
	bool guest_vnc; /* what the guest itself serves at its address */
	bool open_url;  /* of either */
	bool serial;
	const char *serial_path; /* does not count with `serial` */
	bool no_audio, no_clipboard, no_keyboard, no_pointer;
	const struct disk_arg *disks;
	size_t n_disks;
	struct disk_opts root_disk;
	const struct network_wish *network;

	/* Of the environment; strings may be NULL. */
	bool (*find_firmware)(enum guest_arch arch, struct firmware *ret, struct err *err);
	struct viewer_env screen;
	const char *user_home;
	const char *qemu_user;  /* TART_QEMU_USER */
	const char *leases_env; /* TART_DHCP_LEASES */
	const char *version;    /* of tart */
	const struct supervisor_limits *limits;
};

/*
 * True when the guest has ended by itself or because the user wanted it. ERR_VM_MISSING, ERR_VM_INCOMPLETE,
 * ERR_VM_ALREADY_RUNNING, ERR_DISK_BUSY, ERR_BLOCK_DEVICE, ERR_SOFTNET, else ERR_GENERAL; ERR_CANCELLED while nothing was started.
 */
bool machine_run(const struct run_options *options, struct err *err);

#endif
