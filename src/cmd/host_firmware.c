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

void host_firmware_init(struct host_firmware *ret)
{
	ret->user_dir = user_dir();
	ret->search = (struct firmware_search)FIRMWARE_SEARCH(
		getenv("TART_FIRMWARE_CODE"), getenv("TART_FIRMWARE_VARS"), ret->user_dir);
}

void host_firmware_done(struct host_firmware *host)
{
	free(host->user_dir);
	*host = (struct host_firmware){ 0 };
}

bool host_firmware_find(enum guest_arch arch, struct firmware *ret, struct err *err)
{
	CLEANUP(host_firmware_done) struct host_firmware host;

	host_firmware_init(&host);
	return firmware_find(&host.search, arch, ret, err);
}
