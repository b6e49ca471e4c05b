/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that wait. */
#include "base/queue.h"

#include <assert.h>

/* Memory that an empty queue may keep. */
#define KEPT_BYTES ((size_t)256 << 10)

void queue_put(struct queue *queue, struct span bytes)
{
	str_add_span(&queue->bytes, bytes);
}

struct span queue_front(const struct queue *queue)
{
	return span_from(str_span(&queue->bytes), queue->at);
}

/* Only when more has been dropped than is moved for it. */
static void close_gap(struct queue *queue)
{
	struct span rest = queue_front(queue);

	if (rest.len >= queue->at)
		return;
	if (rest.len > 0)
		memmove(queue->bytes.ptr, rest.ptr, rest.len);
	str_truncate(&queue->bytes, rest.len);
	queue->at = 0;
}

void queue_drop(struct queue *queue, size_t n)
{
	assert(n <= queue_len(queue));
	queue->at += n;
	close_gap(queue);
	if (queue->bytes.len == 0 && queue->bytes.room > KEPT_BYTES)
		queue_done(queue);
}

void queue_done(struct queue *queue)
{
	str_done(&queue->bytes);
	queue->at = 0;
}
