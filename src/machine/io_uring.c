/* SPDX-License-Identifier: Apache-2.0 */
/* Whether QEMU can use io_uring. */
#include "machine/io_uring.h"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

bool io_uring_works(void)
{
	struct io_uring_params params = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}
