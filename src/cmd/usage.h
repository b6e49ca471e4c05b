/* SPDX-License-Identifier: Apache-2.0 */
/* How options, operands and whole commands are written in usage lines, messages and help labels. */
#ifndef TART_CMD_USAGE_H
#define TART_CMD_USAGE_H

#include "base/str.h"
#include "cmd/command.h"

/* "tart create <name> [--linux] ...": from 13 elements on, options shrink to "[<options>]".
 * `command` NULL is the program; `hidden` includes options of SHOW_HIDDEN. No final newline. */
void usage_add_line(struct str *out, const struct program *program, const struct command *command,
		    bool hidden);

/* "-t, --timeout <timeout>", "--refit/--no-refit", "<name>". */
void usage_add_opt_label(struct str *out, const struct opt *opt);
void usage_add_operand_label(struct str *out, const struct operand *operand);

/* An operand as a usage line has it, without the brackets of optional ones: "<name> ...". */
void usage_add_operand(struct str *out, const struct operand *operand);

/* "4", "text", or nothing. */
void usage_add_default(struct str *out, const struct opt *opt);

/* "(default: 4)", "(values: text, json; default: text)", or nothing. */
void usage_add_defaults(struct str *out, const struct opt *opt);

/* True when texts that include hidden things (or not) mention this option. */
bool usage_shows(const struct opt *opt, bool hidden);

/* The long option of the command nearest to `typed` (without dashes), NULL when none is near. `*ret_negated` says
 * that its "no-" form is meant. */
const struct opt *usage_suggest(const struct command *command, const char *typed,
				bool *ret_negated);

/* The text after a usage error: "Help:  ..." when there is a hint, "Usage: ...", "  See '...' for more information.",
 * newlines included. */
void usage_add_trailer(struct str *out, const struct program *program,
		       const struct command *command, const char *hint);

#endif
