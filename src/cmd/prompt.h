/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a person: on the terminal (/dev/tty), else the answers come from stdin, a line each.
 *
 * What is typed unseen is unseen only while it is asked for: whichever signal ends or stops the program, the terminal is
 * as it was before. Answers are at most PROMPT_MAX bytes; one too long is an error, never cut off.
 */
#ifndef TART_CMD_PROMPT_H
#define TART_CMD_PROMPT_H

#include <stdbool.h>

#include "base/err.h"

#define PROMPT_MAX 8192

struct prompt {
	int fd;
	bool is_terminal;
	bool is_ours; /* to be closed */
};

#define PROMPT_INIT       \
	{                 \
		.fd = -1, \
	}

void prompt_open(struct prompt *ret);
void prompt_done(struct prompt *prompt); /* fits CLEANUP() */

enum prompt_echo { PROMPT_SEEN, PROMPT_UNSEEN };

/* The answer without its newline; an empty one or none at all is an error: "no <what> was given". Owned, a secret. */
bool prompt_ask(const struct prompt *prompt, const char *question, enum prompt_echo echo,
		const char *what, char **ret, struct err *err);

/* All of stdin, without the newlines at its end. */
bool prompt_read_stdin(const char *what, char **ret, struct err *err);

#endif
