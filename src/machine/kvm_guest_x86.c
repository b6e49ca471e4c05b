/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's guest on x86_64: 64-bit kernel mode from the first instruction. */
#include "machine/kvm_guest.h"

#include <string.h>
#include <sys/ioctl.h>

/* Guest addresses. */
#define PML4 0x1000
#define PDPT 0x2000
#define PD   0x3000
#define CODE 0x4000

#define PRESENT_WRITABLE 0x3
#define PAGE_2MIB        0x80

#define CR0_PE_MP_ET_NE_WP_AM_PG 0x80050033
#define CR4_PAE                  0x20
#define EFER_LME_LMA             0x500
#define RFLAGS_RESERVED          0x2
#define OUT_PORT                 0x80

/* Three pages that Intel's virtualisation needs below 4 GiB, where no guest memory is. */
#define TSS_ADDRESS 0xfffbd000

static const unsigned char code[] = {
	0xb9,
	KVM_GUEST_LOOPS & 0xff,
	KVM_GUEST_LOOPS >> 8,
	0,
	0, /* mov ecx, LOOPS */
	0xff,
	0xc9, /* 1: dec ecx */
	0x75,
	0xfc, /* jnz 1b */
	0x0f,
	0x20,
	0xd8, /* mov rax, cr3: privileged */
	0xe6,
	OUT_PORT, /* out OUT_PORT, al */
	0xf4,     /* hlt */
};

static void put64(struct kvm_guest *guest, size_t address, uint64_t value)
{
	memcpy(guest->memory + address, &value, sizeof(value));
}

bool kvm_guest_prepare_vm(struct kvm_guest *guest)
{
	put64(guest, PML4, PDPT | PRESENT_WRITABLE);
	put64(guest, PDPT, PD | PRESENT_WRITABLE);
	put64(guest, PD, 0 | PAGE_2MIB | PRESENT_WRITABLE);
	memcpy(guest->memory + CODE, code, sizeof(code));
	return ioctl(guest->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) == 0;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){ .limit = 0xffffffff,
				     .selector = selector,
				     .type = type,
				     .present = 1,
				     .s = 1,
				     .g = 1 };
}

static bool set_sregs(const struct kvm_guest *guest)
{
	struct kvm_sregs sregs;
	struct kvm_segment data = flat_segment(0x10, 3);

	if (ioctl(guest->vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return false;
	sregs.cs = flat_segment(0x8, 11);
	sregs.cs.l = 1;
	data.db = 1;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = CR0_PE_MP_ET_NE_WP_AM_PG;
	sregs.cr3 = PML4;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA;
	return ioctl(guest->vcpu_fd, KVM_SET_SREGS, &sregs) == 0;
}

bool kvm_guest_prepare_vcpu(struct kvm_guest *guest)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = RFLAGS_RESERVED };

	return set_sregs(guest) && ioctl(guest->vcpu_fd, KVM_SET_REGS, &regs) == 0;
}

enum kvm_guest_event kvm_guest_event(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
		return KVM_GUEST_GOES_ON;
	case KVM_EXIT_IO:
		return run->io.port == OUT_PORT && run->io.direction == KVM_EXIT_IO_OUT ?
			       KVM_GUEST_WROTE :
			       KVM_GUEST_STRAYED;
	case KVM_EXIT_HLT:
		return KVM_GUEST_ENDED;
	default:
		return KVM_GUEST_STRAYED;
	}
}

bool kvm_guest_loops_left(const struct kvm_guest *guest, uint64_t *ret)
{
	struct kvm_regs regs;

	if (ioctl(guest->vcpu_fd, KVM_GET_REGS, &regs) < 0)
		return false;
	*ret = regs.rcx & 0xffffffff;
	return true;
}
