/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that wait, in order: put at the end, looked at and dropped at the front, without copying what is looked at. { 0 } is
 * empty. It grows with what it holds; bounding that is the caller's business. Each byte is moved once on average.
 */
#ifndef TART_BASE_QUEUE_H
#define TART_BASE_QUEUE_H

#include "base/span.h"
#include "base/str.h"

struct queue {
	struct str bytes;
	size_t at; /* of the first that waits */
};

static inline size_t queue_len(const struct queue *queue)
{
	return queue->bytes.len - queue->at;
}

void queue_put(struct queue *queue, struct span bytes);

/* All that waits, valid until the next call. */
struct span queue_front(const struct queue *queue);

/* At most queue_len() bytes. */
void queue_drop(struct queue *queue, size_t n);

void queue_done(struct queue *queue);

#endif
