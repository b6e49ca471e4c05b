/* SPDX-License-Identifier: Apache-2.0 */
/* The program: its name, its version and the list of its commands. */
#ifndef TART_CMD_TABLE_H
#define TART_CMD_TABLE_H

#include "cmd/command.h"

extern const struct program tart_program;

#endif
