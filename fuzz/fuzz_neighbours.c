/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour tables: an address that is found is one of the text's. */
#include "net/neighbours.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mac mac = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 } };
	struct span input = span_make((const char *)data, size);
	char text[IPV4_TEXT_SIZE];
	ipv4 address = 0;

	if (!neighbours_of_proc(input, &mac, &address)) {
		fuzz_check(address == 0);
		return 0;
	}
	ipv4_print(address, text);
	fuzz_check(memmem(input.ptr, input.len, text, strlen(text)));
	return 0;
}
