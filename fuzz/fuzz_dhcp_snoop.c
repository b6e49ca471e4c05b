/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a bridged link: what they seem to tell is an address that a host can have. */
#include "fuzz.h"
#include "net/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mac mac = { { 0x52, 0x54, 0x00, 0xaa, 0x00, 0x01 } };
	struct dhcp_sighting seen = { 0 };

	if (!dhcp_snoop(&mac, span_make((const char *)data, size), &seen)) {
		fuzz_check(seen.address == 0);
		return 0;
	}
	fuzz_check(seen.address >> 24 != 0 && seen.address >> 24 != 127 && seen.address >> 28 < 14);
	fuzz_check(seen.by_dhcp == (seen.lease_s != 0));
	return 0;
}
