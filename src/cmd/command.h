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
 */
#ifndef TART_CMD_COMMAND_H
#define TART_CMD_COMMAND_H

#include "base/err.h"
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
	const char *name;
	const char *summary;            /* one line for the list of commands and OVERVIEW */
	const char *discussion;         /* longer text for OVERVIEW, NULL = none */
	const struct operand *operands; /* NULL = none */
	const struct opt *opts;         /* NULL = none */
	size_t args_size;
	bool hidden;    /* works, but is not listed */
	unsigned needs; /* enum command_needs, or-ed */
	bool (*validate)(struct tart *tart, void *args, struct err *err); /* may be NULL */
	bool (*run)(struct tart *tart, void *args, struct err *err);
	void (*done)(void *args); /* may be NULL */
};

/* The program as a whole, so that tests can bring their own. */
struct program {
	const char *name;
	const char *version;
	const struct command *const
		*commands; /* NULL-terminated, in the order in which they are listed */
};

#define each_command(program, command)                                           \
	for (const struct command *const *slot_ = (program)->commands, *command; \
	     (command = *slot_) != NULL; slot_++)

/* NULL when there is none of that name. */
const struct command *program_find(const struct program *program, const char *name);

#endif
