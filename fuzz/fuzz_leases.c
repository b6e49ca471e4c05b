/* SPDX-License-Identifier: Apache-2.0 */
/* Lease files of dnsmasq and libvirt: an address comes from the text and has not expired; another MAC's never replaces it. */
#include "net/leases.h"

#include "fuzz.h"

#define NOW 1700000000

static const struct mac mac = { { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66 } };

static void check_lease(const struct lease *lease)
{
	fuzz_check(lease->address ? lease->expires_s > NOW : lease->expires_s == 0);
}

static void check_is_in(struct span input, ipv4 address)
{
	char text[IPV4_TEXT_SIZE];

	ipv4_print(address, text);
	fuzz_check(memmem(input.ptr, input.len, text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	struct lease dnsmasq = { 0 };
	struct lease libvirt = { 0 };
	struct lease best = { .address = 1, .expires_s = LEASE_NEVER_ENDS - 1 };
	struct err err = { 0 };

	leases_of_dnsmasq(input, &mac, NOW, &dnsmasq);
	check_lease(&dnsmasq);
	if (dnsmasq.address)
		check_is_in(input, dnsmasq.address);
	if (!leases_of_libvirt(input, &mac, NOW, &libvirt, &err))
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && !libvirt.address);
	check_lease(&libvirt);
	/* What is better already stays. */
	leases_of_dnsmasq(input, &mac, NOW, &best);
	(void)leases_of_libvirt(input, &mac, NOW, &best, &err);
	fuzz_check(best.expires_s >= LEASE_NEVER_ENDS - 1);
	return 0;
}
