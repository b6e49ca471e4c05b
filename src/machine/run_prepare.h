/* SPDX-License-Identifier: Apache-2.0 */
/* What a run consists of, and all of its preparation that does not need the VM's lock. For run.c. */
#ifndef TART_MACHINE_RUN_PREPARE_H
#define TART_MACHINE_RUN_PREPARE_H

#include "machine/disk_open.h"
#include "machine/identity.h"
#include "machine/run.h"
#include "machine/wordlist.h"
#include "storage/bundle.h"
#include "storage/extras.h"

struct run {
	const struct run_options *options;
	int bundle_fd;
	struct config config;
	char *qemu_path;
	struct firmware firmware; /* empty when a kernel is booted */
	struct extras extras;
	struct identity identity;
	struct accel_choice accel;
	VEC(struct open_disk) disks; /* --disk; spec.disks holds copies of their specs */
	struct tty tty;
	char vnc_password[WORDLIST_PASSWORD_SIZE];
	struct screen_view view;
	struct lookup guest; /* of `view` */
	struct machine_spec spec;
	struct run_network network;
	struct bundle_lock lock;
	struct supervisor *supervisor;
};

#define RUN_INIT(options_)                                                                         \
	{                                                                                          \
		.options = (options_), .bundle_fd = -1, .tty = TTY_INIT, .lock = BUNDLE_LOCK_INIT, \
		.guest = LOOKUP_INIT, .network = RUN_NETWORK_INIT,                                 \
		.spec = { .kernel_fd = -1,                                                         \
			  .initramfs_fd = -1,                                                      \
			  .code_fd = -1,                                                           \
			  .vars_fd = -1,                                                           \
			  .net_life_fd = -1,                                                       \
			  .vsock_fd = -1,                                                          \
			  .root = DISK_SPEC_INIT },                                                \
	}

/* `bundle_fd` and `config` are there. Tells the user what is not as hoped for. */
bool run_prepare(struct run *run, struct err *err);

/* After KVM has failed: the machine as software emulation wants it. */
void run_use_emulation(struct run *run);

/* Lock and files go last, when QEMU has gone. */
void run_done(struct run *run);

#endif
