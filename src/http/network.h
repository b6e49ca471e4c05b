/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread: everything that moves on any connection, moves here.
 *
 * It owns libcurl's multi handle, and with it the pool of connections. Other threads hand it an exchange, wake it, and
 * wait until it has finished with it. A few times a second it looks whether it has been cancelled and which transfers
 * have been at it or without a byte for too long; one that waits for its own reader is not idle. It blocks all signals: they are
 * for the main thread.
 */
#ifndef TART_HTTP_NETWORK_H
#define TART_HTTP_NETWORK_H

#include "base/err.h"
#include "http/easy.h"

struct network;

bool network_new(uint64_t idle_ms, struct network **ret, struct err *err);
void network_free(struct network *network); /* accepts NULL; has no exchanges any more */

bool network_is_cancelled(struct network *network);
void network_cancel(struct network *network);

/* Begins an exchange; transfer_finish() says that the thread does not know it any more, always. */
void network_add(struct network *network, struct easy *easy);

/* The clock of its limits. */
uint64_t network_now_ms(void);

/* For the readers. */
void network_wake(void *network);

#endif
