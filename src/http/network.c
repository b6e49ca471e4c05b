/* SPDX-License-Identifier: Apache-2.0 */
/* The network thread. */
#include "http/network.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/cancel.h"
#include "base/vec.h"

#define TICK_MS       200  /* how late cancellation may be noticed */
#define LINGER_MS     1000 /* how long the rest of an unwanted answer may take */
#define QUIET_MS      60000
#define KEPT_OPEN_MAX 16L /* idle connections */

typedef VEC(struct easy *) easy_list;

struct network {
	pthread_t thread;
	CURLM *multi;
	uint64_t idle_ms;
	atomic_bool is_cancelled;
	atomic_bool is_ending;
	pthread_mutex_t lock; /* of `arrived` */
	easy_list arrived;
	easy_list running; /* the thread's own */
};

uint64_t network_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool network_is_cancelled(struct network *network)
{
	return atomic_load(&network->is_cancelled) || cancel_requested();
}

/* Exchanges are few; their order means nothing. */
static void forget(struct network *network, const struct easy *easy)
{
	for (size_t i = 0; i < network->running.n; i++) {
		if (network->running.v[i] == easy) {
			network->running.v[i] = network->running.v[--network->running.n];
			return;
		}
	}
}

/* The last time that the thread touches it. */
static void finish(struct network *network, struct easy *easy, const struct err *err)
{
	(void)curl_multi_remove_handle(network->multi, easy->curl);
	forget(network, easy);
	transfer_finish(&easy->transfer, err);
}

static void begin(struct network *network, struct easy *easy)
{
	struct err err = { 0 };
	CURLMcode code = curl_multi_add_handle(network->multi, easy->curl);

	easy->active_ms = network_now_ms();
	*vec_push(&network->running) = easy;
	if (code == CURLM_OK)
		return;
	(void)err_set(&err, ERR_GENERAL, "libcurl cannot begin a request: %s",
		      curl_multi_strerror(code));
	finish(network, easy, &err);
}

static void begin_arrived(struct network *network)
{
	easy_list arrived;

	(void)pthread_mutex_lock(&network->lock);
	arrived = network->arrived;
	network->arrived = (easy_list){ 0 };
	(void)pthread_mutex_unlock(&network->lock);
	vec_each(&arrived, easy)
		begin(network, *easy);
	vec_done(&arrived);
}

/* Whether nothing has come or gone for too long, and not because of us. */
static bool is_idle(const struct network *network, struct easy *easy, uint64_t now)
{
	if (easy->was_active || transfer_is_paused(&easy->transfer)) {
		easy->was_active = false;
		easy->active_ms = now;
	}
	return now - easy->active_ms >= network->idle_ms;
}

static void finish_idle(struct network *network, struct easy *easy)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_TRANSPORT, "%s: nothing received or sent for %.3g seconds",
		      easy->peer, (double)network->idle_ms / 1000);
	finish(network, easy, &err);
}

static void finish_late(struct network *network, struct easy *easy)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_TRANSPORT, "%s: the exchange takes too long", easy->peer);
	finish(network, easy, &err);
}

static void finish_cancelled(struct network *network, struct easy *easy)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_CANCELLED, "cancelled");
	finish(network, easy, &err);
}

/* Its reader has gone. Closing the connection is the last resort: the next would have to shake hands again. */
static bool lingers(struct easy *easy, uint64_t now)
{
	if (easy->unwanted_ms == 0) {
		easy->unwanted_ms = now;
		(void)curl_easy_pause(easy->curl, CURLPAUSE_CONT);
	}
	return now - easy->unwanted_ms < LINGER_MS && easy_is_near_end(easy);
}

static void look_after(struct network *network, struct easy *easy, uint64_t now)
{
	switch (transfer_wish(&easy->transfer)) {
	case TRANSFER_END:
		if (!lingers(easy, now)) {
			finish_cancelled(network, easy);
			return;
		}
		break;
	case TRANSFER_RESUME:
		easy->was_active = true;
		(void)curl_easy_pause(easy->curl, CURLPAUSE_CONT);
		break;
	case TRANSFER_NOTHING:
		break;
	}
	if (network_is_cancelled(network))
		finish_cancelled(network, easy);
	else if (is_idle(network, easy, now))
		finish_idle(network, easy);
	else if (easy->end_ms != 0 && now >= easy->end_ms)
		finish_late(network, easy);
}

/* Backwards: what is finished is replaced by one that has been looked at. */
static void look_after_all(struct network *network)
{
	uint64_t now = network_now_ms();

	for (size_t i = network->running.n; i > 0; i--)
		look_after(network, network->running.v[i - 1], now);
}

static void finish_by_code(struct network *network, struct easy *easy, CURLcode code)
{
	struct err err = { 0 };

	if (code != CURLE_OK)
		easy_explain(easy, code, &err);
	finish(network, easy, code == CURLE_OK ? NULL : &err);
}

static void collect(struct network *network)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(network->multi, &left))) {
		struct easy *easy = NULL;
		CURLcode code = message->data.result;

		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &easy);
		assert(easy && message->msg == CURLMSG_DONE);
		finish_by_code(network, easy, code);
	}
	vec_each(&network->running, easy)
		transfer_publish(&(*easy)->transfer);
}

static void fail_all(struct network *network, CURLMcode code)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_GENERAL, "libcurl cannot go on: %s", curl_multi_strerror(code));
	while (network->running.n > 0)
		finish(network, network->running.v[network->running.n - 1], &err);
}

static int turn_ms(const struct network *network)
{
	uint64_t ms = TICK_MS;

	if (network->running.n == 0)
		return QUIET_MS;
	if (network->idle_ms / 2 < ms)
		ms = network->idle_ms / 2 + 1;
	return (int)ms;
}

static void *network_main(void *ctx)
{
	struct network *network = ctx;

	while (!atomic_load(&network->is_ending)) {
		CURLMcode code;
		int n_running;

		begin_arrived(network);
		look_after_all(network);
		code = curl_multi_perform(network->multi, &n_running);
		collect(network);
		if (code == CURLM_OK)
			code = curl_multi_poll(network->multi, NULL, 0, turn_ms(network), NULL);
		if (code != CURLM_OK)
			fail_all(network, code);
	}
	return NULL;
}

/* The thread inherits the mask; so do those that libcurl makes to ask for names. SIGPIPE of a TLS connection thereby
 * stays with the thread that cannot see it. */
static int start_thread(struct network *network)
{
	sigset_t all;
	sigset_t before;
	int errnum;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(&network->thread, NULL, network_main, network);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

static void release(struct network *network)
{
	if (network->multi)
		(void)curl_multi_cleanup(network->multi);
	curl_global_cleanup();
	(void)pthread_mutex_destroy(&network->lock);
	vec_done(&network->arrived);
	vec_done(&network->running);
	free(network);
}

/* MULTIPLEX: exchanges share a connection where HTTP/2 lets them. */
static bool set_up(CURLM *multi)
{
	return curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, KEPT_OPEN_MAX) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK;
}

bool network_new(uint64_t idle_ms, struct network **ret, struct err *err)
{
	struct network *network;
	int errnum;

	/* Counted, and safe in any thread, by libcurl itself (7.84 on). */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_GENERAL, "libcurl cannot be used");
	network = xcalloc(1, sizeof(*network));
	network->idle_ms = idle_ms;
	(void)pthread_mutex_init(&network->lock, NULL);
	network->multi = curl_multi_init();
	if (!network->multi || !set_up(network->multi)) {
		release(network);
		return err_set(err, ERR_GENERAL, "libcurl cannot be used");
	}
	errnum = start_thread(network);
	if (errnum) {
		release(network);
		return err_sys(err, errnum, "cannot start the network thread");
	}
	*ret = network;
	return true;
}

void network_free(struct network *network)
{
	if (!network)
		return;
	atomic_store(&network->is_ending, true);
	network_wake(network);
	(void)pthread_join(network->thread, NULL);
	assert(network->running.n == 0 && network->arrived.n == 0);
	release(network);
}

void network_cancel(struct network *network)
{
	atomic_store(&network->is_cancelled, true);
	network_wake(network);
}

void network_add(struct network *network, struct easy *easy)
{
	(void)pthread_mutex_lock(&network->lock);
	*vec_push(&network->arrived) = easy;
	(void)pthread_mutex_unlock(&network->lock);
	network_wake(network);
}

void network_wake(void *network)
{
	(void)curl_multi_wakeup(((struct network *)network)->multi);
}
