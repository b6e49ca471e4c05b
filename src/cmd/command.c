/* SPDX-License-Identifier: Apache-2.0 */
/* Finding commands and verbs. */
#include "cmd/command.h"

#include <string.h>

const struct command *const *command_list(const struct program *program,
					  const struct command *group)
{
	return group ? group->verbs : program->commands;
}

const struct command *command_find(const struct program *program, const struct command *group,
				   const char *name)
{
	each_of_(command_list(program, group), command)
	{
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

static const struct command *next_sibling(const struct program *program,
					  const struct command *command)
{
	const struct command *const *slot = command_list(program, command->group);

	while (*slot != command)
		slot++;
	return slot[1];
}

const struct command *command_next(const struct program *program, const struct command *command)
{
	if (!command)
		return program->commands[0];
	if (command->verbs && command->verbs[0])
		return command->verbs[0];
	for (; command; command = command->group) {
		const struct command *next = next_sibling(program, command);

		if (next)
			return next;
	}
	return NULL;
}

void command_add_path(struct str *out, const struct command *command, char between)
{
	if (command->group) {
		command_add_path(out, command->group, between);
		str_add_char(out, between);
	}
	str_add(out, command->name);
}
