/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "<n>%" lines on stdout, at most one a second and none twice: cli.md 1.5.
 *
 *	struct progress_line line = progress_line_start();
 *	const struct progress progress = { progress_line_update, &line };
 *
 *	copy_sparse(src_fd, dst_fd, &progress, err)
 *
 * On a terminal an update rewrites the line before it, so nothing else may be printed in between.
 */
#ifndef TART_CMD_PROGRESS_H
#define TART_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct progress_line {
	bool interactive;
	bool started;
	unsigned percent;    /* last printed */
	uint64_t printed_ms; /* when that was */
};

/* Interactive when stdout is a terminal that can move its cursor and CI is not set. */
struct progress_line progress_line_start(void);

/* What image/progress.h calls; `line` is a struct progress_line. */
void progress_line_update(void *line, uint64_t done, uint64_t total);

/* The decision behind both: appends what to print for an update at the time `now_ms`, or nothing. */
void progress_line_add(struct progress_line *line, uint64_t done, uint64_t total, uint64_t now_ms,
		       struct str *out);

/* For progress_line_start(): the values of $CI and $TERM (NULL = unset). */
bool progress_line_is_interactive(bool stdout_is_tty, const char *ci, const char *term);

#endif
