/* SPDX-License-Identifier: Apache-2.0 */
/* Lines with a time, limited in size and rate. */
#include "netd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "netd/bucket.h"

struct log {
	int net_dirfd;
	int fd;
	bool also_stderr;
	struct bucket bucket;
	uint64_t n_left_out;
};

static bool open_file(struct log *log, struct err *err)
{
	log->fd = openat(log->net_dirfd, LOG_FILE,
			 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	return log->fd >= 0 || err_sys(err, errno, "cannot open '" LOG_FILE "'");
}

bool log_open(int net_dirfd, bool also_stderr, struct log **ret, struct err *err)
{
	CLEANUP_FREE struct log *log = xcalloc(1, sizeof(*log));

	log->net_dirfd = net_dirfd;
	log->also_stderr = also_stderr;
	log->bucket = (struct bucket){ .tokens = LOG_BURST };
	if (!open_file(log, err))
		return false;
	*ret = TAKE_PTR(log);
	return true;
}

void log_close(struct log *log)
{
	if (!log)
		return;
	cleanup_close(&log->fd);
	free(log);
}

static void rotate_if_large(struct log *log)
{
	struct err ignored = { 0 };
	struct stat st;

	if (fstat(log->fd, &st) < 0 || st.st_size < LOG_FILE_MAX)
		return;
	if (renameat(log->net_dirfd, LOG_FILE, log->net_dirfd, LOG_FILE ".1") < 0)
		return;
	cleanup_close(&log->fd);
	(void)open_file(log, &ignored);
}

static void put(struct log *log, const char *text)
{
	CLEANUP_STR struct str line = STR_CAPPED(2 * LOG_LINE_SIZE);
	struct timespec now = { 0 };
	struct tm parts = { 0 };
	char when[32] = "";

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
	str_addf(&line, "%s ", when);
	str_add_escaped(&line, span_of(text));
	str_add_char(&line, '\n');
	rotate_if_large(log);
	if (log->fd >= 0)
		(void)!write(log->fd, line.ptr, line.len);
	if (log->also_stderr)
		(void)!write(STDERR_FILENO, line.ptr, line.len);
}

static bool is_let_through(struct log *log)
{
	struct timespec now = { 0 };
	char text[64];

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	bucket_fill(&log->bucket, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
		    LOG_PER_S, LOG_BURST);
	if (!bucket_take(&log->bucket, 1)) {
		log->n_left_out++;
		return false;
	}
	if (log->n_left_out > 0) {
		(void)snprintf(text, sizeof(text), "(%llu lines left out)",
			       (unsigned long long)log->n_left_out);
		log->n_left_out = 0;
		put(log, text);
	}
	return true;
}

void log_line(struct log *log, const char *fmt, ...)
{
	char text[LOG_LINE_SIZE];
	int kept = errno;
	va_list ap;

	if (!log || !is_let_through(log)) {
		errno = kept;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(log, text);
	errno = kept;
}

void log_lines(struct log *log, const char *text)
{
	struct span rest = span_of(text);
	struct span line;

	while (span_next(&rest, '\n', &line))
		if (line.len > 0)
			log_line(log, "%.*s", SPAN_ARG(line));
}
