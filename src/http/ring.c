/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded buffer. */
#include "http/ring.h"

#include <assert.h>

#include "base/mem.h"

bool ring_put(struct ring *ring, size_t room, const void *data, size_t len)
{
	const char *from = data;
	size_t end;
	size_t first;

	if (len > room - ring->len)
		return false;
	if (len == 0)
		return true;
	if (!ring->bytes) {
		ring->bytes = xrealloc(NULL, room, 1);
		ring->room = room;
	}
	assert(room == ring->room);
	end = (ring->start + ring->len) % room;
	first = len < room - end ? len : room - end;
	memcpy(ring->bytes + end, from, first);
	memcpy(ring->bytes, from + first, len - first);
	ring->len += len;
	return true;
}

size_t ring_take(struct ring *ring, void *buf, size_t max)
{
	char *to = buf;
	size_t len = max < ring->len ? max : ring->len;
	size_t first;

	if (len == 0)
		return 0;
	first = len < ring->room - ring->start ? len : ring->room - ring->start;
	memcpy(to, ring->bytes + ring->start, first);
	memcpy(to + first, ring->bytes, len - first);
	ring->len -= len;
	/* Back to the front when empty: a reader that keeps up uses few pages of it. */
	ring->start = ring->len > 0 ? (ring->start + len) % ring->room : 0;
	return len;
}

void ring_done(struct ring *ring)
{
	free(ring->bytes);
	*ring = (struct ring){ 0 };
}
