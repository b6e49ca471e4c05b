/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's guest on arm64: EL1 with the MMU off, as after reset. The end is a second write, since WFI never
 * returns to user space.
 */
#include "machine/kvm_guest.h"

#include <string.h>
#include <sys/ioctl.h>

#define CODE       0x1000
#define WROTE_ADDR 0x100000 /* no memory there: a write comes out as KVM_EXIT_MMIO */
#define ENDED_ADDR 0x100004

static const uint32_t code[] = {
	0x52800000u | KVM_GUEST_LOOPS << 5, /* mov w0, #LOOPS */
	0x71000400u,                        /* 1: subs w0, w0, #1 */
	0x54ffffe1u,                        /* b.ne 1b */
	0xd5381002u,                        /* mrs x2, sctlr_el1: privileged */
	0xd2a00201u,                        /* mov x1, #0x100000 */
	0xb9000022u,                        /* str w2, [x1] */
	0xb9000422u,                        /* str w2, [x1, #4] */
	0x14000000u,                        /* b . */
};

static uint64_t core_reg(size_t offset)
{
	return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset / sizeof(uint32_t);
}

bool kvm_guest_prepare_vm(struct kvm_guest *guest)
{
	memcpy(guest->memory + CODE, code, sizeof(code));
	return true;
}

bool kvm_guest_prepare_vcpu(struct kvm_guest *guest)
{
	uint64_t pc = CODE;
	struct kvm_one_reg reg = {
		.id = core_reg(offsetof(struct kvm_regs, regs.pc)),
		.addr = (uint64_t)(uintptr_t)&pc,
	};
	struct kvm_vcpu_init init;

	memset(&init, 0, sizeof(init));
	return ioctl(guest->vm_fd, KVM_ARM_PREFERRED_TARGET, &init) == 0 &&
	       ioctl(guest->vcpu_fd, KVM_ARM_VCPU_INIT, &init) == 0 &&
	       ioctl(guest->vcpu_fd, KVM_SET_ONE_REG, &reg) == 0;
}

enum kvm_guest_event kvm_guest_event(const struct kvm_run *run)
{
	if (run->exit_reason == KVM_EXIT_INTR)
		return KVM_GUEST_GOES_ON;
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write)
		return KVM_GUEST_STRAYED;
	if (run->mmio.phys_addr == WROTE_ADDR)
		return KVM_GUEST_WROTE;
	return run->mmio.phys_addr == ENDED_ADDR ? KVM_GUEST_ENDED : KVM_GUEST_STRAYED;
}

bool kvm_guest_loops_left(const struct kvm_guest *guest, uint64_t *ret)
{
	uint64_t x0 = 0;
	struct kvm_one_reg reg = {
		.id = core_reg(offsetof(struct kvm_regs, regs.regs[0])),
		.addr = (uint64_t)(uintptr_t)&x0,
	};

	if (ioctl(guest->vcpu_fd, KVM_GET_ONE_REG, &reg) < 0)
		return false;
	*ret = x0 & 0xffffffff;
	return true;
}
