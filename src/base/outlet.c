/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to other people's descriptors. */
#include "base/outlet.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((size_t)1 << 20)

struct outlet outlet_of(int fd)
{
	struct outlet outlet = { .fd = fd, .most = PIPE_BUF };
	struct stat st = { 0 };

	(void)fstat(fd, &st);
	outlet.is_socket = S_ISSOCK(st.st_mode);
	/* pipe(7): writable means that PIPE_BUF bytes fit. More than fit would wait. */
	if (S_ISREG(st.st_mode))
		outlet.most = FILE_MOST;
	return outlet;
}

ssize_t outlet_write(const struct outlet *outlet, struct span bytes)
{
	if (outlet->is_socket)
		return send(outlet->fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(outlet->fd, bytes.ptr, bytes.len < outlet->most ? bytes.len : outlet->most);
}
