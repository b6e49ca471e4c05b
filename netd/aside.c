/* SPDX-License-Identifier: Apache-2.0 */
/* Writing aside and renaming. */
#include "netd/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/fs.h"
#include "base/mem.h"

static bool write_new(int dirfd, const char *name, struct span content, mode_t mode,
		      struct err *err)
{
	CLEANUP_CLOSE int fd =
		openat(dirfd, name,
		       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);

	if (fd < 0)
		return err_sys(err, errno, "cannot create");
	/* Whatever the umask, and whatever a file of that name was before. */
	if (fchmod(fd, mode) < 0)
		return err_sys(err, errno, "cannot set the mode");
	return fs_write_all(fd, content, err);
}

bool aside_replace(int dirfd, const char *name, struct span content, mode_t mode, struct err *err)
{
	CLEANUP_FREE char *temp = xasprintf(ASIDE_PREFIX "%s", name);

	if (write_new(dirfd, temp, content, mode, err)) {
		if (renameat(dirfd, temp, dirfd, name) == 0)
			return true;
		(void)err_sys(err, errno, "cannot rename");
	}
	(void)unlinkat(dirfd, temp, 0);
	return err_context(err, "writing '%s'", name);
}
