/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "<n>%" lines on stdout, at most one a second and none twice: cli.md 1.5.
 *
 * On a terminal an update rewrites the line before it, and says how fast it goes and how long it will take:
 *
 *	42%  118 MB/s  0:12 left
 *
 * Nothing else may be printed in between but by way of progress_line_interrupt(). transfer.h does that for commands
 * whose lines come from many threads.
 */
#ifndef TART_CMD_PROGRESS_H
#define TART_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct progress_line {
	bool interactive;
	bool started;
	bool is_over;      /* the last line was that of the end */
	char text[64];     /* last printed */
	uint64_t begun_ms; /* when the first was printed */
	uint64_t printed_ms;
	uint64_t printed_bytes; /* done by then */
	uint64_t bytes_per_s;   /* smoothed over the last updates */
};

/* Interactive when stdout is a terminal that can move its cursor and CI is not set. */
struct progress_line progress_line_start(void);

/* What image/progress.h calls; `line` is a struct progress_line. */
void progress_line_update(void *line, uint64_t done, uint64_t total);

/* The decision behind both: appends what to print for an update at the time `now_ms`, or nothing. */
void progress_line_add(struct progress_line *line, uint64_t done, uint64_t total, uint64_t now_ms,
		       struct str *out);

/* Appends what to print so that `text`, a line without its newline, stands above the progress. */
void progress_line_interrupt(const struct progress_line *line, const char *text, struct str *out);

/* What comes next is another progress, from its start. */
void progress_line_restart(struct progress_line *line);

/* For progress_line_start(): the values of $CI and $TERM (NULL = unset). */
bool progress_line_is_interactive(bool stdout_is_tty, const char *ci, const char *term);

#endif
