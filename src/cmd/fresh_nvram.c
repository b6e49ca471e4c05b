/* SPDX-License-Identifier: Apache-2.0 */
/* From this host's firmware, if it has any. */
#include "cmd/fresh_nvram.h"

#include "base/fs.h"
#include "cmd/host_firmware.h"
#include "machine/nvram.h"
#include "storage/bundle.h"

static const char placeholder[] =
	"This host had no firmware for the VM when its image was pulled.\n";

bool fresh_nvram(void *ctx, int bundle_fd, enum guest_arch arch, struct err *err)
{
	CLEANUP(firmware_done) struct firmware firmware = { 0 };
	struct err ignored;

	(void)ctx;
	if (host_firmware_find(arch, &firmware, &ignored))
		return nvram_create(bundle_fd, BUNDLE_NVRAM, &firmware, err);
	return fs_replace_file(bundle_fd, BUNDLE_NVRAM, span_of(placeholder), 0600, err);
}
