/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware descriptors: what fits names two absolute paths, what does not leaves nothing behind. */
#include "machine/firmware.h"

#include "fuzz.h"

static void check_for(struct span text, enum guest_arch arch)
{
	CLEANUP(firmware_done) struct firmware fw = { 0 };
	struct err err = { 0 };
	bool fits = false;

	if (!firmware_descriptor_parse(text, arch, &fits, &fw, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && !fits && !fw.code_path);
		return;
	}
	fuzz_check(fits == (fw.code_path != NULL) && fits == (fw.vars_path != NULL));
	fuzz_check(!fits || (fw.code_path[0] == '/' && fw.vars_path[0] == '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);

	check_for(text, ARCH_AMD64);
	check_for(text, ARCH_ARM64);
	return 0;
}
