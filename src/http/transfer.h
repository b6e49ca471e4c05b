/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer, between two threads: the network thread feeds it, a reader takes from it. This is all they
 * share; nothing here knows the network.
 *
 * The network thread puts bytes until they do not fit; the transfer is paused then, and stays so until the reader has
 * taken half of them. It finishes a transfer exactly once, after which it never touches it again.
 */
#ifndef TART_HTTP_TRANSFER_H
#define TART_HTTP_TRANSFER_H

#include <pthread.h>

#include "base/err.h"
#include "http/head.h"
#include "http/http.h"
#include "http/ring.h"

struct transfer {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct head head;
	struct ring ring;
	bool is_paused;
	bool has_head; /* the reader may look at head, which stays as it is */
	bool has_news; /* bytes that the reader has not been told of */
	bool is_over;
	bool is_unwanted; /* the reader has given up */
	struct err err;   /* why it is over, or ERR_NONE */
};

void transfer_init(struct transfer *t);
void transfer_over(struct transfer *t); /* it is over, or was never given to the network thread */

/*
 * The reader's side; `wake` makes the network thread look at its transfers.
 */
struct waker {
	void (*wake)(void *ctx);
	void *ctx;
};

/* Waits for the head of the answer. */
bool transfer_wait_head(struct transfer *t, struct err *err);

/* Waits for bytes, then takes what is there; 0 = end. What has arrived before an error is given first. */
bool transfer_read(struct transfer *t, const struct waker *waker, void *buf, size_t room,
		   size_t *ret_len, struct err *err);

/* Waits until the network thread has let go of it. */
void transfer_give_up(struct transfer *t, const struct waker *waker);

/*
 * The network thread's side.
 */

/* A line of the head; false: *err says why the transfer has to end. */
bool transfer_put_line(struct transfer *t, struct span line, struct err *err);

/* Bytes of the body; false: paused, put them again later. Nobody keeps them when the reader has given up. */
bool transfer_put(struct transfer *t, const void *data, size_t len);

/* Tells the reader what has come since the last call: seldom rather than at once, for each time it is woken up costs more
 * than copying the bytes. A head is not shown at its last line for another reason, too: an answer without body is over at
 * the same time, and who gives it up between the two would cost its connection. */
void transfer_publish(struct transfer *t);

enum transfer_wish { TRANSFER_NOTHING, TRANSFER_RESUME, TRANSFER_END };
enum transfer_wish transfer_wish(
	struct transfer *t); /* what the reader wants; RESUME is told once */
bool transfer_is_paused(struct transfer *t);

/* NULL = well. */
void transfer_finish(struct transfer *t, const struct err *err);

#endif
