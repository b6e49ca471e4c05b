/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether KVM works, found out by running guest code for a few milliseconds.
 *
 * That /dev/kvm opens says little: hosts exist where every call succeeds and kernel-mode guest code is emulated
 * one instruction at a time, a thousand times slower than without KVM. Only speed, or KVM's own counter of
 * emulated instructions, tells them apart. Source: machine.md 2.1, 2.2.
 *
 * The test runs in a forked child, which takes the identity QEMU will have, changes no signal disposition of ours
 * and can be left behind should the kernel never come back from a call. Call it from the main thread.
 */
#ifndef TART_MACHINE_KVM_PROBE_H
#define TART_MACHINE_KVM_PROBE_H

#include <stdint.h>

#include "base/child.h"
#include "base/str.h"

enum kvm_verdict {
	KVM_OK,
	KVM_EMULATED, /* works, but the host emulates what the guest's kernel does */
	KVM_FAILED,   /* a call failed or the guest code did not do what it should */
	KVM_NONE,     /* no /dev/kvm, or nothing behind it */
	KVM_DENIED,   /* no permission */
	KVM_BUSY,     /* another hypervisor has the processor */
	KVM_VERDICT_COUNT
};

struct kvm_probe {
	enum kvm_verdict verdict;
	uint64_t rate;     /* EMULATED: guest instructions per second */
	int sys;           /* errno of the call that decided, or 0 */
	bool foreign_user; /* tested for a user who is not the caller: `uid` */
	uid_t uid;
	char detail[96]; /* FAILED: what happened */
};

/* Takes at most 0.5 s of time and 30 ms of processor time (2 s when the kernel hangs), and a few milliseconds
 * normally. `identity` as in struct child_spec: whose access to /dev/kvm counts. */
void kvm_probe(const struct child_identity *identity, struct kvm_probe *ret);

/* "ok", "emulated", ... for reports and the cache. */
const char *kvm_verdict_name(enum kvm_verdict verdict);
bool kvm_verdict_parse(struct span name, enum kvm_verdict *ret);

/* Appends one clause that says why, such as "no permission to open /dev/kvm, add yourself to group kvm". */
void kvm_probe_explain(const struct kvm_probe *probe, struct str *out);

/* Whether the host's KVM lets guests run virtual machines (--nested). */
bool kvm_is_nestable(void);

#endif
