/* SPDX-License-Identifier: Apache-2.0 */
/* Checking the name that a command is to give to a VM. */
#ifndef TART_CMD_NEW_NAME_H
#define TART_CMD_NEW_NAME_H

#include "base/err.h"

/* For validate(): ERR_USAGE "<new-name> should be a local name"; `operand` is the operand's name without brackets. */
bool new_name_check(const char *operand, const char *name, struct err *err);

#endif
