/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a command by name. */
#include "cmd/command.h"

#include <string.h>

const struct command *program_find(const struct program *program, const char *name)
{
	each_command(program, command)
	{
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}
