/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From argv to a command and its filled-in arguments, by the grammar of cli.md 1.1. Pure: reads nothing but argv.
 *
 * Order of complaints, as in Swift's ArgumentParser except for the last two, which come before validate() here
 * because a mistyped option explains what follows from it: malformed options and bad values in the order given;
 * --help and its kin; missing operands; unknown options; too many operands.
 */
#ifndef TART_CMD_PARSE_H
#define TART_CMD_PARSE_H

#include "base/str.h"
#include "cmd/command.h"

enum request {
	REQUEST_RUN,
	REQUEST_HELP,
	REQUEST_HELP_HIDDEN,
	REQUEST_DUMP,
	REQUEST_VERSION,
	REQUEST_SCRIPT,     /* completion script for `shell`, NULL = the user's */
	REQUEST_CANDIDATES, /* asked by a completion script: names of the kind `list` */
};

struct invocation {
	const struct program *program;
	int argc; /* as they came; argv is borrowed */
	char *const *argv;
	enum request request;
	const struct command *command; /* NULL = the program itself */
	void *args;                    /* owned, of command->args_size bytes */
	const char *shell;             /* borrowed from argv */
	const char *list;
	struct str hint; /* on failure: what the "Help:" line says, empty = no such line */
};

/*
 * Fills *ret, which must be zeroed. When it fails, with ERR_USAGE, *ret still says in `command` whose usage to show
 * and has `hint`; it must be freed after either outcome. `argv` must outlive it.
 */
bool invocation_parse(const struct program *program, int argc, char *const *argv,
		      struct invocation *ret, struct err *err);
void invocation_done(struct invocation *invocation);

#endif
