/* SPDX-License-Identifier: Apache-2.0 */
/* Finding firmware with the environment's help. */
#include "cmd/host_firmware.h"

#include <stdlib.h>

#include "base/mem.h"

/* NULL when the user has no folder for it. */
static char *user_dir(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (config && config[0])
		return xasprintf("%s/qemu/firmware", config);
	return home && home[0] ? xasprintf("%s/.config/qemu/firmware", home) : NULL;
}

bool host_firmware_find(enum guest_arch arch, struct firmware *ret, struct err *err)
{
	CLEANUP_FREE char *dir = user_dir();
	struct firmware_search search = FIRMWARE_SEARCH(getenv("TART_FIRMWARE_CODE"),
							getenv("TART_FIRMWARE_VARS"), dir);

	return firmware_find(&search, arch, ret, err);
}
