/* SPDX-License-Identifier: Apache-2.0 */
/* Progress lines. */
#include "cmd/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/size.h"

#define INTERVAL_MS 1000

/* Longer is no information. */
#define LEFT_MAX_S ((uint64_t)100 * 3600)

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

/* The rate since the last line counts a quarter: a burst does not throw the estimate about, a change shows soon. */
static uint64_t rate_at(const struct progress_line *line, uint64_t done, uint64_t now_ms)
{
	uint64_t bytes = done > line->printed_bytes ? done - line->printed_bytes : 0;
	wide now_rate = (wide)bytes * 1000 / (now_ms - line->printed_ms);

	if (line->printed_ms == line->begun_ms)
		return (uint64_t)now_rate;
	return (uint64_t)(((wide)line->bytes_per_s * 3 + now_rate) / 4);
}

static void add_left(struct str *out, uint64_t seconds)
{
	unsigned rest = (unsigned)(seconds % 3600);

	if (seconds > LEFT_MAX_S)
		return;
	if (seconds >= 3600)
		str_addf(out, "  %u:%02u:%02u left", (unsigned)(seconds / 3600), rest / 60,
			 rest % 60);
	else
		str_addf(out, "  %u:%02u left", rest / 60, rest % 60);
}

static void compose(const struct progress_line *line, uint64_t done, uint64_t total,
		    struct str *out)
{
	str_addf(out, "%u%%", percent_of(done, total));
	if (!line->interactive || !line->started || done >= total)
		return;
	str_add(out, "  ");
	size_add_human(out, line->bytes_per_s);
	str_add(out, "/s");
	if (line->bytes_per_s > 0)
		add_left(out, (total - done) / line->bytes_per_s);
}

static void note(struct progress_line *line, uint64_t done, uint64_t now_ms)
{
	if (!line->started)
		line->begun_ms = now_ms;
	else if (now_ms > line->printed_ms)
		line->bytes_per_s = rate_at(line, done, now_ms);
	line->printed_ms = now_ms;
	line->printed_bytes = done;
}

void progress_line_add(struct progress_line *line, uint64_t done, uint64_t total, uint64_t now_ms,
		       struct str *out)
{
	CLEANUP_STR struct str text = STR_CAPPED(sizeof(line->text) - 1);
	struct progress_line next = *line;

	if (line->started && now_ms - line->printed_ms < INTERVAL_MS && done < total)
		return;
	note(&next, done, now_ms);
	compose(&next, done, total, &text);
	if (!line->started || strcmp(str_text(&text), line->text) != 0) {
		str_addf(out, "%s%s\n", line->started && line->interactive ? REWRITE : "",
			 str_text(&text));
		memcpy(next.text, str_text(&text), text.len + 1);
		next.started = true;
		next.is_over = done >= total;
	} else if (!line->interactive) {
		return; /* the next percent is told when it comes */
	}
	*line = next;
}

void progress_line_interrupt(const struct progress_line *line, const char *text, struct str *out)
{
	bool again = line->interactive && line->started && !line->is_over;

	str_addf(out, "%s%s\n", again ? REWRITE : "", text);
	if (again)
		str_addf(out, "%s\n", line->text);
}

void progress_line_restart(struct progress_line *line)
{
	*line = (struct progress_line){ .interactive = line->interactive };
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
