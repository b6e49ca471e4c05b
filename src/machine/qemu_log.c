/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's own output. */
#include "machine/qemu_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void keep_tail(struct qemu_log *log, struct span text)
{
	size_t room = sizeof(log->tail);
	size_t keep;

	if (text.len > room)
		text = span_from(text, text.len - room);
	keep = room - text.len < log->tail_len ? room - text.len : log->tail_len;
	memmove(log->tail, log->tail + log->tail_len - keep, keep);
	memcpy(log->tail + keep, text.ptr, text.len);
	log->tail_len = keep + text.len;
}

static bool read_some(struct qemu_log *log)
{
	char buf[4096];
	ssize_t n = read(log->fd, buf, sizeof(buf));

	if (n > 0) {
		struct span text = span_make(buf, (size_t)n);

		logfile_add(&log->log, text);
		keep_tail(log, text);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	qemu_log_stop(log);
	return false;
}

static void qemu_log_on_data(void *ctx, uint32_t events)
{
	(void)events;
	(void)read_some(ctx);
}

bool qemu_log_start(struct qemu_log *log, struct loop *loop, int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	log->fd = fd;
	log->tail_len = 0;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot read what QEMU prints");
	return loop_add_fd(loop, fd, EPOLLIN, qemu_log_on_data, log, &log->source, err);
}

void qemu_log_drain(struct qemu_log *log)
{
	for (int reads = 0; reads < 256 && log->fd >= 0 && read_some(log); reads++)
		;
}

static struct span without_program_name(struct span line)
{
	size_t colon = span_find(line, ':');

	/* argv[0] as we gave it, perhaps with a path, perhaps a wrapper's name; messages follow after ": ". */
	if (colon + 2 < line.len && line.ptr[colon + 1] == ' ' &&
	    memmem(line.ptr, colon, "qemu-system", 11))
		return span_from(line, colon + 2);
	return line;
}

/* Cuts the last line that is not empty off *text. */
static struct span take_last_line(struct span *text)
{
	struct span line;
	size_t feed;

	while (text->len > 0 &&
	       (text->ptr[text->len - 1] == '\n' || text->ptr[text->len - 1] == '\r'))
		text->len--;
	feed = span_rfind(*text, '\n');
	line = feed < text->len ? span_from(*text, feed + 1) : *text;
	text->len -= line.len;
	return without_program_name(line);
}

void qemu_log_add_last_lines(const struct qemu_log *log, struct str *out)
{
	struct span text = span_make(log->tail, log->tail_len);
	struct span last = take_last_line(&text);
	struct span before = take_last_line(&text);

	str_add_escaped(out, before);
	str_add(out, before.len > 0 && last.len > 0 ? "; " : "");
	str_add_escaped(out, last);
}

void qemu_log_stop(struct qemu_log *log)
{
	loop_remove(&log->source);
	if (log->fd >= 0)
		(void)close(TAKE_FD(log->fd));
}

void qemu_log_done(struct qemu_log *log)
{
	qemu_log_stop(log);
	logfile_close(&log->log);
}
