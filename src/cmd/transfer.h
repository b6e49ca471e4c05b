/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands that talk to registries print: the lines of many threads and one progress, in order, on stdout.
 *
 *	CLEANUP(transfer_end) struct transfer transfer;
 *
 *	transfer_start(&transfer);
 *	request.notice = transfer_notice(&transfer);
 *	request.progress = transfer_progress(&transfer);
 */
#ifndef TART_CMD_TRANSFER_H
#define TART_CMD_TRANSFER_H

#include <pthread.h>

#include "cmd/progress.h"
#include "image/progress.h"
#include "registry/notice.h"

struct transfer {
	pthread_mutex_t mutex; /* of stdout and all below */
	struct progress_line line;
	uint64_t done_bytes; /* of the last update */
};

void transfer_start(struct transfer *transfer);
void transfer_end(struct transfer *transfer); /* fits CLEANUP() */

/* Status lines, escaped (much of them comes from servers). `transfer` must stay where it is. */
struct notice transfer_notice(struct transfer *transfer);

/* Progress in bytes. One that runs backwards is another one, from its start: the next attempt, the next group. */
struct progress_sink transfer_progress(struct transfer *transfer);

#endif
