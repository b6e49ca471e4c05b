/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to a descriptor that somebody else gave us, such as standard output. Its flags are left alone, for they may be
 * shared with other programs; a write waits for nothing nevertheless once poll(2) has said POLLOUT, as long as nobody else
 * writes to the same pipe.
 */
#ifndef TART_BASE_OUTLET_H
#define TART_BASE_OUTLET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/span.h"

struct outlet {
	int fd; /* borrowed */
	size_t most; /* bytes that one write can take without waiting, once poll(2) says that it takes some */
	bool is_socket;
};

struct outlet outlet_of(int fd);

/* As write(2), of some of the bytes; never raises SIGPIPE for a socket. */
ssize_t outlet_write(const struct outlet *outlet, struct span bytes);

#endif
