/* SPDX-License-Identifier: Apache-2.0 */
/* Status lines and progress of transfers. */
#include "cmd/transfer.h"

#include <stdio.h>

void transfer_start(struct transfer *transfer)
{
	*transfer = (struct transfer){ .line = progress_line_start() };
	(void)pthread_mutex_init(&transfer->mutex, NULL);
}

void transfer_end(struct transfer *transfer)
{
	(void)pthread_mutex_destroy(&transfer->mutex);
}

static void tell(void *ctx, const char *line)
{
	struct transfer *transfer = ctx;
	CLEANUP_STR struct str escaped = { 0 };
	CLEANUP_STR struct str text = { 0 };

	str_add_escaped(&escaped, span_of(line));
	(void)pthread_mutex_lock(&transfer->mutex);
	progress_line_interrupt(&transfer->line, str_text(&escaped), &text);
	fputs(str_text(&text), stdout);
	(void)pthread_mutex_unlock(&transfer->mutex);
}

static void update(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct transfer *transfer = ctx;

	(void)pthread_mutex_lock(&transfer->mutex);
	if (done_bytes < transfer->done_bytes)
		progress_line_restart(&transfer->line);
	transfer->done_bytes = done_bytes;
	progress_line_update(&transfer->line, done_bytes, total_bytes);
	(void)pthread_mutex_unlock(&transfer->mutex);
}

struct notice transfer_notice(struct transfer *transfer)
{
	return (struct notice){ .tell = tell, .ctx = transfer };
}

struct progress_sink transfer_progress(struct transfer *transfer)
{
	return (struct progress_sink){ .update = update, .ctx = transfer };
}
