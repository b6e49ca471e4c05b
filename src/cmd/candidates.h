/* SPDX-License-Identifier: Apache-2.0 */
/* The names that completion scripts ask for. */
#ifndef TART_CMD_CANDIDATES_H
#define TART_CMD_CANDIDATES_H

#include "base/str.h"

/*
 * Appends the names of a list, one a line: "all" (local VMs, then cached remote names), "local", "running", or
 * "network-keys". In each of them ':' is written "\:", which is what zsh wants. Names that are no single line of text are
 * left out. Whatever goes wrong, and any other list, yields no names.
 */
void candidates_add(const char *list, struct str *out);

#endif
