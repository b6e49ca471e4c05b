/* SPDX-License-Identifier: Apache-2.0 */
/* The status line of a command that has to wait for the lock of a registry host. */
#ifndef TART_CMD_WAIT_NOTICE_H
#define TART_CMD_WAIT_NOTICE_H

#include "storage/cache.h"

/* "waiting for lock..." */
extern const struct wait_notice wait_notice_line;

#endif
