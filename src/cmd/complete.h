/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion scripts, generated from the command tables. Names of VMs are not in them: the scripts ask the program,
 * `tart ---completion LIST`, where LIST is one of those of candidates.h.
 */
#ifndef TART_CMD_COMPLETE_H
#define TART_CMD_COMPLETE_H

#include "base/err.h"
#include "base/str.h"
#include "cmd/command.h"

/* Prints the script for a shell, or for the one of $SHELL when `shell` is NULL. ERR_USAGE for other shells. */
bool complete_print_script(const struct program *program, const char *shell, struct err *err);

/* The scripts themselves, for complete.c and tests. */
void complete_add_bash(struct str *out, const struct program *program);
void complete_add_zsh(struct str *out, const struct program *program);
void complete_add_fish(struct str *out, const struct program *program);

/* Their common ground. */

/* "all", "local" and the like for what the program has to be asked for, else NULL. */
const char *complete_list(enum completes completes);

/* The words that an option offers, for one after the other: NULL when there are no more. */
const char *complete_word(const struct opt *opt, size_t i);

/* Appends `text` with `with` in place of every occurrence of the character `c`. */
void complete_add_replaced(struct str *out, const char *text, char c, const char *with);

#endif
