/* SPDX-License-Identifier: Apache-2.0 */
/* Where to look for this host's firmware, as the environment of the user says. */
#ifndef TART_CMD_HOST_FIRMWARE_H
#define TART_CMD_HOST_FIRMWARE_H

#include "machine/firmware.h"

struct host_firmware {
	struct firmware_search search;
	char *user_dir; /* which search points to */
};

/* With TART_FIRMWARE_CODE, TART_FIRMWARE_VARS and XDG_CONFIG_HOME or HOME of the environment. */
void host_firmware_init(struct host_firmware *ret);
void host_firmware_done(struct host_firmware *host); /* fits CLEANUP() */

/* firmware_find() with that search. */
bool host_firmware_find(enum guest_arch arch, struct firmware *ret, struct err *err);

#endif
