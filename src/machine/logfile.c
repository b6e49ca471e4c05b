/* SPDX-License-Identifier: Apache-2.0 */
/* Logs with a cap. */
#include "machine/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

bool logfile_open(int dirfd, const char *name, uint64_t cap_bytes, struct logfile *ret,
		  struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;

	/* O_NONBLOCK: a FIFO in its place must not make us wait. */
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is no regular file", name);
	if (ftruncate(fd, 0) < 0)
		return err_sys(err, errno, "cannot empty '%s'", name);
	*ret = (struct logfile){ .fd = TAKE_FD(fd), .cap_bytes = cap_bytes };
	return true;
}

/* Keeps about half a cap of the newest text; nothing if it cannot be read back. */
static void drop_older_half(struct logfile *log)
{
	uint64_t want = log->cap_bytes / 2;
	uint64_t from = log->size_bytes > want ? log->size_bytes - want : 0;
	CLEANUP_FREE char *kept = xcalloc(want, 1);
	ssize_t n = pread(log->fd, kept, want, (off_t)from);
	struct span text = span_make(kept, n > 0 ? (size_t)n : 0);
	size_t line_end = span_find(text, '\n');
	struct err ignored = { 0 };

	if (line_end < text.len)
		text = span_from(text, line_end + 1);
	log->size_bytes = 0;
	if (ftruncate(log->fd, 0) == 0 && fs_pwrite_all(log->fd, text.ptr, text.len, 0, &ignored))
		log->size_bytes = text.len;
}

void logfile_add(struct logfile *log, struct span text)
{
	struct err ignored = { 0 };

	if (log->fd < 0)
		return;
	if (text.len > log->cap_bytes / 2)
		text = span_from(text, text.len - log->cap_bytes / 2);
	if (log->size_bytes + text.len > log->cap_bytes)
		drop_older_half(log);
	if (fs_pwrite_all(log->fd, text.ptr, text.len, log->size_bytes, &ignored))
		log->size_bytes += text.len;
}

void logfile_close(struct logfile *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	*log = (struct logfile)LOGFILE_INIT;
}
