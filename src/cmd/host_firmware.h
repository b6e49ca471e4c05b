/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware of this host, as the environment of the user says where to look for it. */
#ifndef TART_CMD_HOST_FIRMWARE_H
#define TART_CMD_HOST_FIRMWARE_H

#include "machine/firmware.h"

/* As firmware_find(), with TART_FIRMWARE_CODE, TART_FIRMWARE_VARS and XDG_CONFIG_HOME or HOME of the environment. */
bool host_firmware_find(enum guest_arch arch, struct firmware *ret, struct err *err);

#endif
