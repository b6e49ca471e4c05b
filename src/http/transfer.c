/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer, between two threads. */
#include "http/transfer.h"

#include <assert.h>

void transfer_init(struct transfer *t)
{
	*t = (struct transfer){ 0 };
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->changed, NULL);
}

void transfer_over(struct transfer *t)
{
	head_done(&t->head);
	ring_done(&t->ring);
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->lock);
}

static void lock(struct transfer *t)
{
	int failed = pthread_mutex_lock(&t->lock);

	assert(!failed);
	(void)failed;
}

static void unlock(struct transfer *t)
{
	(void)pthread_mutex_unlock(&t->lock);
}

static void wait_for_change(struct transfer *t)
{
	(void)pthread_cond_wait(&t->changed, &t->lock);
}

bool transfer_wait_head(struct transfer *t, struct err *err)
{
	bool ok;

	lock(t);
	while (!t->has_head && !t->is_over)
		wait_for_change(t);
	ok = t->has_head;
	if (!ok)
		*err = t->err;
	unlock(t);
	return ok;
}

static bool is_low(const struct transfer *t)
{
	return t->ring.len <= HTTP_BUFFER_BYTES / 2;
}

bool transfer_read(struct transfer *t, const struct waker *waker, void *buf, size_t room,
		   size_t *ret_len, struct err *err)
{
	size_t len;
	bool wakes;
	bool ok;

	lock(t);
	while (t->ring.len == 0 && !t->is_over)
		wait_for_change(t);
	/* Who cancels does not want the rest. */
	len = t->err.kind == ERR_CANCELLED ? 0 : ring_take(&t->ring, buf, room);
	wakes = t->is_paused && is_low(t) && !t->is_over;
	ok = len > 0 || room == 0 || t->err.kind == ERR_NONE;
	if (!ok)
		*err = t->err;
	unlock(t);
	if (wakes)
		waker->wake(waker->ctx);
	if (ok)
		*ret_len = len;
	return ok;
}

void transfer_give_up(struct transfer *t, const struct waker *waker)
{
	lock(t);
	t->is_unwanted = true;
	if (!t->is_over)
		waker->wake(waker->ctx);
	while (!t->is_over)
		wait_for_change(t);
	unlock(t);
}

bool transfer_put_line(struct transfer *t, struct span line, struct err *err)
{
	bool ok;

	lock(t);
	ok = head_add_line(&t->head, line, err);
	unlock(t);
	return ok;
}

bool transfer_put(struct transfer *t, const void *data, size_t len)
{
	bool fits;

	lock(t);
	fits = t->is_unwanted || ring_put(&t->ring, HTTP_BUFFER_BYTES, data, len);
	t->is_paused = !fits;
	t->has_news = true;
	unlock(t);
	return fits;
}

void transfer_publish(struct transfer *t)
{
	lock(t);
	if (t->has_news || (t->head.is_complete && !t->has_head)) {
		t->has_head = t->head.is_complete;
		t->has_news = false;
		(void)pthread_cond_broadcast(&t->changed);
	}
	unlock(t);
}

enum transfer_wish transfer_wish(struct transfer *t)
{
	enum transfer_wish wish = TRANSFER_NOTHING;

	lock(t);
	if (t->is_unwanted) {
		wish = TRANSFER_END;
	} else if (t->is_paused && is_low(t)) {
		t->is_paused = false;
		wish = TRANSFER_RESUME;
	}
	unlock(t);
	return wish;
}

bool transfer_is_paused(struct transfer *t)
{
	bool paused;

	lock(t);
	paused = t->is_paused;
	unlock(t);
	return paused;
}

void transfer_finish(struct transfer *t, const struct err *err)
{
	lock(t);
	assert(!t->is_over);
	if (err)
		t->err = *err;
	t->has_head = t->head.is_complete;
	t->is_over = true;
	(void)pthread_cond_broadcast(&t->changed);
	unlock(t);
}
