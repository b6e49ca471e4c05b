/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's log: lines with the time in front, to a file that stays small, or to standard error. What callers and guests
 * can cause is limited: beyond LOG_BURST lines at once, LOG_PER_S for each second after, lines are counted and left out.
 */
#ifndef TART_NETD_LOG_H
#define TART_NETD_LOG_H

#include <stdint.h>

#include "base/err.h"

#define LOG_FILE      "keeper.log"
#define LOG_FILE_MAX  (1 << 20) /* bytes; then it becomes keeper.log.1, which is overwritten */
#define LOG_BURST     200
#define LOG_PER_S     5
#define LOG_LINE_SIZE 1024

struct log;

/* Appends to LOG_FILE below net_dirfd (borrowed). `also_stderr`: in the foreground. */
bool log_open(int net_dirfd, bool also_stderr, struct log **ret, struct err *err);
void log_close(struct log *log); /* accepts NULL */

/* One line; control characters are escaped. NULL: nowhere. Keeps errno. */
void log_line(struct log *log, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Each line of a text. */
void log_lines(struct log *log, const char *text);

#endif
