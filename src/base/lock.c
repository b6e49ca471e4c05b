/* SPDX-License-Identifier: Apache-2.0 */
/* flock and record locks. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cancel.h"

enum lock_result lock_try(int fd, struct err *err)
{
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return LOCK_BUSY;
		if (errno == EINTR)
			continue;
		(void)err_sys(err, errno, "cannot lock");
		return LOCK_FAILED;
	}
	return LOCK_TAKEN;
}

bool lock_wait(int fd, struct err *err)
{
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_sys(err, errno, "cannot lock");
		if (!cancel_check(err))
			return false;
	}
	return true;
}

static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0 };
}

enum lock_result lock_record_try(int fd, struct err *err)
{
	struct flock lock = whole_file(F_WRLCK);

	while (fcntl(fd, F_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return LOCK_BUSY;
		if (errno == EINTR)
			continue;
		(void)err_sys(err, errno, "cannot lock");
		return LOCK_FAILED;
	}
	return LOCK_TAKEN;
}

void lock_record_release(int fd)
{
	struct flock lock = whole_file(F_UNLCK);

	(void)fcntl(fd, F_SETLK, &lock);
}

bool lock_record_is_held(int fd, pid_t *ret_pid)
{
	struct flock lock = whole_file(F_RDLCK);

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return false;
	*ret_pid = lock.l_pid > 0 ? lock.l_pid : 0;
	return true;
}
