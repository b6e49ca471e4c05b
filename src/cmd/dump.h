/* SPDX-License-Identifier: Apache-2.0 */
/* The description of commands as JSON (--experimental-dump-help): version 0 of ArgumentParser's ToolInfo. */
#ifndef TART_CMD_DUMP_H
#define TART_CMD_DUMP_H

#include "base/json.h"
#include "cmd/command.h"

/* Of one command, or of the program with all its commands when it is NULL. Owned by the caller. */
struct json *dump_make(const struct program *program, const struct command *command);

/* On stdout. */
void dump_print(const struct program *program, const struct command *command);

#endif
