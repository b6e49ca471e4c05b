/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest of kvm_probe.c: a loop of KVM_GUEST_LOOPS rounds in kernel mode, a privileged instruction, one write
 * that the host sees, the end. One file per processor architecture. Everything runs in a forked child: system
 * calls only.
 */
#ifndef TART_MACHINE_KVM_GUEST_H
#define TART_MACHINE_KVM_GUEST_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KVM_GUEST_LOOPS        50000u
#define KVM_GUEST_MEMORY_BYTES 65536

struct kvm_guest {
	int vm_fd, vcpu_fd;
	unsigned char *memory; /* KVM_GUEST_MEMORY_BYTES at guest address 0 */
};

enum kvm_guest_event {
	KVM_GUEST_GOES_ON, /* interrupted: run it again */
	KVM_GUEST_WROTE,   /* the write was seen */
	KVM_GUEST_ENDED,   /* it reached its end */
	KVM_GUEST_STRAYED, /* any other exit */
};

/* Puts code into memory and the processor at its start. The first makes calls that must precede KVM_CREATE_VCPU.
 * False with errno. */
bool kvm_guest_prepare_vm(struct kvm_guest *guest);
bool kvm_guest_prepare_vcpu(struct kvm_guest *guest);

enum kvm_guest_event kvm_guest_event(const struct kvm_run *run);

/* Rounds left in the loop, to tell how fast it went. */
bool kvm_guest_loops_left(const struct kvm_guest *guest, uint64_t *ret);

#endif
