/* SPDX-License-Identifier: Apache-2.0 */
/* A first-in first-out buffer of bounded size; its memory is taken when the first byte arrives. { 0 } is empty. */
#ifndef TART_HTTP_RING_H
#define TART_HTTP_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
	char *bytes;
	size_t room;
	size_t start;
	size_t len;
};

/* All of the bytes, or none and false when they do not fit. `room` is the size of the buffer: the same in every call. */
bool ring_put(struct ring *ring, size_t room, const void *data, size_t len);

/* Up to `max` bytes; how many there were. */
size_t ring_take(struct ring *ring, void *buf, size_t max);

void ring_done(struct ring *ring);

#endif
