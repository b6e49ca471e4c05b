/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One VM bundle: a directory with config.json, disk.img, nvram.bin and friends; its state, sizes, record lock
 * and access time. Where bundles lie is local.h's and cache.h's business. Source: image-format.md 2 and 3.
 */
#ifndef TART_STORAGE_BUNDLE_H
#define TART_STORAGE_BUNDLE_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "image/disk.h"
#include "image/layers.h"

#define BUNDLE_CONFIG   "config.json"
#define BUNDLE_DISK     DISK_FILE
#define BUNDLE_NVRAM    "nvram.bin"
#define BUNDLE_STATE    "state.vzvmsave"
#define BUNDLE_MANIFEST "manifest.json"
#define BUNDLE_PULLED   ".explicitly-pulled"
#define BUNDLE_SOCKET   "control.sock"
/* Ours, never pushed: */
#define BUNDLE_OVERLAY \
	DISK_OVERLAY_FILE /* beside an immutable disk.img: the writable part (machine.md 4) */
#define BUNDLE_OVERLAY_NOTE DISK_NOTE_FILE /* which base it belongs to */
#define BUNDLE_LAYERS       LAYERS_FILE /* what its stretches hashed to when it was pulled or pushed */
#define BUNDLE_EFIVARS      "efivars.fd" /* variables when nvram.bin is foreign (machine.md 3.5) */
#define BUNDLE_QEMU_LOG     "qemu.log"
#define BUNDLE_CONSOLE_LOG  "console.log"
#define BUNDLE_VNC_SOCKET   "vnc.sock"
#define BUNDLE_VSOCK_SOCKET "vsock.sock" /* to ports of the guest, telling why not */
#define BUNDLE_QGA_SOCKET   "qga.sock"   /* questions to a qemu-ga in the guest */
#define BUNDLE_KERNEL       "kernel"     /* booted directly, if config.json says so: extras.h */
#define BUNDLE_INITRAMFS    "initramfs"  /* with it */

enum vm_state { VM_STOPPED, VM_SUSPENDED, VM_RUNNING };

struct bundle_sizes {
	uint64_t logical_bytes; /* config + virtual disk + nvram */
	uint64_t
		allocated_bytes; /* st_blocks * 512; disk.img only while its link count is 1, plus the overlay */
};

bool bundle_is_initialized(int bundle_fd); /* all three required files */

/* Who runs it. Takes a dirfd of the bundle. *ret_pid (may be NULL) is 0 unless running with a known pid. */
enum vm_state bundle_state(int bundle_fd, pid_t *ret_pid);
const char *vm_state_text(enum vm_state state);

bool bundle_sizes(int bundle_fd, struct bundle_sizes *ret, struct err *err);

/*
 * The record lock on config.json. Taking it compares the locked inode with the named one and starts over when
 * they differ. While it is held, nothing in this process may open config.json again: closing that second
 * descriptor would drop the lock.
 */
struct bundle_lock {
	int fd;
};
#define BUNDLE_LOCK_INIT \
	{                \
		.fd = -1 \
	}

/*
 * Who reads config.json to write it back changed (set, run giving a new MAC) holds this one meanwhile, so that no
 * change is lost: an flock on the bundle's directory. Waits, ends early on cancellation; ends with `bundle_fd` at the
 * latest. Taken after the home lock where both are held.
 */
bool bundle_edit_lock(int bundle_fd, struct err *err);
void bundle_edit_unlock(int bundle_fd);

enum bundle_lock_result { BUNDLE_LOCKED, BUNDLE_BUSY, BUNDLE_LOCK_FAILED };
enum bundle_lock_result bundle_lock_try(int bundle_fd, struct bundle_lock *ret, struct err *err);
void bundle_unlock(struct bundle_lock *lock); /* fits CLEANUP() */

/* Access time: the LRU order of pruning. Touching leaves mtime alone; reading does not disturb it. */
bool bundle_touch(int bundle_fd, const struct timespec *when /* NULL = now, whole seconds */,
		  struct err *err);
bool bundle_accessed(int bundle_fd, struct timespec *ret, struct err *err);

/* The typed errors of cli.md 1.4; all return false. */
bool err_vm_missing(struct err *err, const char *name); /* the specified VM "x" does not exist */
bool err_vm_incomplete(struct err *err);
bool err_vm_running(struct err *err, const char *name); /* VM "x" is running */
bool err_vm_not_running(struct err *err, const char *name);
bool err_vm_already_running(struct err *err, const char *name); /* VM "x" is already running! */

#endif
