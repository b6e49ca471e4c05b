/* SPDX-License-Identifier: Apache-2.0 */
/* Progress lines. */
#include "cmd/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS 1000

__extension__ typedef unsigned __int128 wide;

/* Up one line, to its start, and clear from there. */
#define REWRITE "\033[1A\r\033[J"

bool progress_line_is_interactive(bool stdout_is_tty, const char *ci, const char *term)
{
	return stdout_is_tty && !ci && term && strcmp(term, "dumb") != 0;
}

struct progress_line progress_line_start(void)
{
	return (struct progress_line){
		.interactive = progress_line_is_interactive(isatty(STDOUT_FILENO), getenv("CI"),
							    getenv("TERM")),
	};
}

/* Truncated; nothing to do is done. */
static unsigned percent_of(uint64_t done, uint64_t total)
{
	if (done >= total)
		return 100;
	return (unsigned)((wide)done * 100 / total);
}

void progress_line_add(struct progress_line *line, uint64_t done, uint64_t total, uint64_t now_ms,
		       struct str *out)
{
	unsigned percent = percent_of(done, total);

	if (line->started) {
		if (percent == line->percent)
			return;
		if (done < total && now_ms - line->printed_ms < INTERVAL_MS)
			return;
		if (line->interactive)
			str_add(out, REWRITE);
	}
	str_addf(out, "%u%%\n", percent);
	line->started = true;
	line->percent = percent;
	line->printed_ms = now_ms;
}

void progress_line_update(void *line, uint64_t done, uint64_t total)
{
	CLEANUP_STR struct str text = { 0 };
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	progress_line_add(line, done, total,
			  (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, &text);
	if (text.len > 0)
		fputs(text.ptr, stdout);
}
