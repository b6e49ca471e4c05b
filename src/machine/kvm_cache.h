/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembering what the KVM probe found, in cache/kvm-probe.json of the home directory: good for one boot of the
 * kernel, one user and one /dev/kvm. Only `ok` and `emulated` are kept: what else stands in the way may be gone at
 * the next start. A file that is damaged or for something else counts as none.
 */
#ifndef TART_MACHINE_KVM_CACHE_H
#define TART_MACHINE_KVM_CACHE_H

#include <stdint.h>

#include "base/str.h"
#include "machine/kvm_probe.h"

#define KVM_CACHE_FILE "kvm-probe.json"

struct kvm_key {
	char boot_id[37]; /* the kernel's UUID of this boot */
	uint64_t uid;
	uint64_t device, inode; /* of /dev/kvm */
};

/* The present key for a user; false when there is no /dev/kvm or the kernel does not tell. */
bool kvm_key_now(uid_t uid, struct kvm_key *ret);

/* Pure. The reader gives false for anything but a cached verdict under this very key. */
void kvm_cache_print(const struct kvm_key *key, const struct kvm_probe *probe, struct str *out);
bool kvm_cache_parse(struct span text, const struct kvm_key *key, struct kvm_probe *ret);

bool kvm_cache_read(int cache_dirfd, const struct kvm_key *key, struct kvm_probe *ret);

/* Replaces the file at once. A verdict that is not kept is no error and changes nothing. */
bool kvm_cache_write(int cache_dirfd, const struct kvm_key *key, const struct kvm_probe *probe,
		     struct err *err);

#endif
