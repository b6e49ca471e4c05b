/* SPDX-License-Identifier: Apache-2.0 */
/* The text of --help, and wrapping. */
#ifndef TART_CMD_HELP_H
#define TART_CMD_HELP_H

#include "base/str.h"
#include "cmd/command.h"

/* Columns to fill: the text of $COLUMNS (may be NULL) when it is a positive number, else the width of the terminal
 * behind `fd`, else 80. */
size_t help_width(const char *columns, int fd);

/* Help for a command, or for the program when it is NULL. */
void help_add(struct str *out, const struct program *program, const struct command *command,
	      bool hidden, size_t width);

/* The same on stdout, as wide as the terminal or $COLUMNS says. */
void help_print(const struct program *program, const struct command *command, bool hidden);

/* Appends `text` broken at blanks so that no line exceeds `width` (single words may), each line indented. Line
 * breaks in the text are kept. No final newline. */
void help_add_wrapped(struct str *out, const char *text, size_t width, size_t indent);

#endif
