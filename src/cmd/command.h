/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is: one constant object in one file, src/cmd/<name>.c, listed in table.c.
 *
 * A command's life, as main() leads it:
 *	1. Its arguments are parsed into a zeroed struct of `args_size` bytes, defaults filled in (options.h).
 *	2. validate() refuses combinations that the tables cannot express.
 *	3. Temporary files that nobody owns any more are collected, unless KEEPS_TMP is set.
 *	4. run() does the work and prints the results.
 *	5. done() frees what validate() or run() put into the struct. It runs after every outcome of 2 to 4.
 *
 * Errors. ERR_USAGE from validate() is shown with the usage of the command, ERR_USAGE from run() with that of the
 * program: cli.md 1.1. Any other kind may come from both and is shown as err.h says; `run` reports a missing VM
 * from validate() as ERR_GENERAL, where others use ERR_VM_MISSING.
 *
 * A group is a command that has commands of its own, its verbs, and nothing else: `tart network show`. A verb is a command
 * like others, src/cmd/<group>_<verb>.c; it names its group, and the group lists it.
 */
#ifndef TART_CMD_COMMAND_H
#define TART_CMD_COMMAND_H

#include "base/err.h"
#include "base/str.h"
#include "cmd/options.h"

struct home;
struct program;

/* What a command is handed beside its own arguments. */
struct tart {
	const struct program *program;
	const struct home *home; /* NULL unless the command needs it; its span is the command's */
};

enum command_needs {
	NEEDS_HOME = 1 << 0,             /* tart->home is open in run() */
	NEEDS_HOME_TO_VALIDATE = 1 << 1, /* and in validate() already */
	KEEPS_TMP = 1 << 2,              /* leaves tmp/ alone: a transfer may be resumed from it */
};

struct command {
	const char *name;            /* "show" */
	const struct command *group; /* whose verb it is; NULL = none's */
	const struct command *const
		*verbs;         /* makes it a group; NULL-terminated, in the order of help */
	const char *summary;    /* one line for the list of commands and OVERVIEW */
	const char *discussion; /* longer text for OVERVIEW, NULL = none */
	const struct operand *operands; /* NULL = none */
	const struct opt *opts;         /* NULL = none */
	size_t args_size;
	bool hidden;    /* works, but is not listed */
	unsigned needs; /* enum command_needs, or-ed */
	bool (*validate)(struct tart *tart, void *args, struct err *err); /* may be NULL */
	bool (*run)(struct tart *tart, void *args, struct err *err);      /* NULL for a group */
	void (*done)(void *args);                                         /* may be NULL */
};

/* The program as a whole, so that tests can bring their own. */
struct program {
	const char *name;
	const char *version;
	const struct command *const
		*commands; /* NULL-terminated, in the order in which they are listed */
};

#define each_of_(list, var)                                          \
	for (const struct command *const *slot_##var = (list), *var; \
	     slot_##var && (var = *slot_##var) != NULL; slot_##var++)

/* The program's own commands; a group's verbs (nothing for other commands). */
#define each_command(program, var) each_of_((program)->commands, var)
#define each_verb(group, var)      each_of_((group)->verbs, var)

/* All of them, each group before its verbs. */
#define each_command_and_verb(program, var)                                  \
	for (const struct command *var = command_next((program), NULL); var; \
	     var = command_next((program), var))

/* What a group offers, or the program (`group` NULL); NULL for a command without verbs. */
const struct command *const *command_list(const struct program *program,
					  const struct command *group);

/* NULL when there is none of that name in the group or, with `group` NULL, in the program. */
const struct command *command_find(const struct program *program, const struct command *group,
				   const char *name);

/* The one after `command` in the order of each_command_and_verb(), the first for NULL; NULL at the end. */
const struct command *command_next(const struct program *program, const struct command *command);

/* "network show", with that character between group and verb. */
void command_add_path(struct str *out, const struct command *command, char between);

#endif
