/* SPDX-License-Identifier: Apache-2.0 */
/* Telling saved states apart. */
#include "storage/saved_state.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/attrs.h"
#include "storage/bundle.h"

bool saved_state_is_ours(int bundle_fd)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_STATE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char start[sizeof(SAVED_STATE_MAGIC) - 1];

	return fd >= 0 && pread(fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
	       memcmp(start, SAVED_STATE_MAGIC, sizeof(start)) == 0;
}
