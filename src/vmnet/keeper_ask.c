/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the keeper and its answers. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/cancel.h"
#include "base/mem.h"
#include "vmnet/keeper.h"

#define LIST_PAGES_MAX 1024 /* 131,072 NICs: more than a host can have */

static bool has_ended(struct err *err)
{
	return err_set(err, ERR_TRANSPORT, "the keeper of the network has closed the connection");
}

enum sock_result keeper_send(const struct keeper *keeper, const struct str *request,
			     struct err *err)
{
	size_t sent = 0; /* a packet goes as a whole */
	enum sock_result result = sock_send(keeper->fd, str_span(request), NULL, 0, &sent, err);

	if (result == SOCK_CLOSED)
		(void)has_ended(err);
	return result;
}

static void close_fds(const int fds[NETD_FDS_MAX], size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

enum sock_result keeper_receive(const struct keeper *keeper, struct netd_message *ret,
				int ret_fds[NETD_FDS_MAX], struct err *err)
{
	CLEANUP_FREE char *packet = xcalloc(1, NETD_MESSAGE_MAX);
	size_t max_fds = ret_fds ? NETD_FDS_MAX : 0;
	int fds[NETD_FDS_MAX];
	size_t n_fds = 0;
	size_t len = 0;
	enum sock_result result = sock_recv(keeper->fd, packet, NETD_MESSAGE_MAX, &len, fds,
					    max_fds, &n_fds, err);

	if (result == SOCK_CLOSED)
		(void)has_ended(err);
	if (result != SOCK_DONE)
		return result;
	if (!netd_get(span_make(packet, len), ret, err)) {
		close_fds(fds, n_fds);
		(void)err_context(err, "the keeper of the network has sent nonsense");
		return SOCK_FAILED;
	}
	for (size_t i = 0; i < max_fds; i++)
		ret_fds[i] = i < n_fds ? fds[i] : -1;
	return SOCK_DONE;
}

static int64_t clock_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Signals interrupt poll(2) again and again once one has asked for the end: cancel.h. */
static bool await(const struct keeper *keeper, short events, int64_t deadline_ms, struct err *err)
{
	for (;;) {
		struct pollfd fd = { .fd = keeper->fd, .events = events };
		int64_t left_ms = deadline_ms - clock_ms();
		int n;

		if (!cancel_check(err))
			return false;
		n = poll(&fd, 1, left_ms > 0 ? (int)left_ms : 0);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the keeper of the network");
		if (n == 0) {
			(void)err_set(err, ERR_TRANSPORT,
				      "the keeper of the network does not answer");
			err->sys = ETIMEDOUT;
			return false;
		}
	}
}

static bool send_request(const struct keeper *keeper, const struct str *request,
			 int64_t deadline_ms, struct err *err)
{
	for (;;) {
		enum sock_result result = keeper_send(keeper, request, err);

		if (result != SOCK_LATER)
			return result == SOCK_DONE;
		if (!await(keeper, POLLOUT, deadline_ms, err))
			return false;
	}
}

static bool receive_answer(const struct keeper *keeper, int64_t deadline_ms,
			   struct netd_message *ret, int ret_fds[NETD_FDS_MAX], struct err *err)
{
	for (;;) {
		enum sock_result result = keeper_receive(keeper, ret, ret_fds, err);

		if (result != SOCK_LATER)
			return result == SOCK_DONE;
		if (!await(keeper, POLLIN, deadline_ms, err))
			return false;
	}
}

static bool check_answer(const struct netd_message *answer, enum netd_type expected,
			 enum netd_error *ret_code, struct err *err)
{
	if (answer->type == expected)
		return true;
	if (answer->type == NETD_R_ERROR) {
		*ret_code = answer->failure.code;
		return err_set(err, ERR_GENERAL, "%s", answer->failure.text);
	}
	return err_set(err, ERR_GENERAL, "the keeper of the network has answered with %s, not %s",
		       netd_type_name(answer->type), netd_type_name(expected));
}

bool keeper_ask(const struct keeper *keeper, const struct str *request, enum netd_type expected,
		struct netd_message *ret, int ret_fds[NETD_FDS_MAX], enum netd_error *ret_code,
		struct err *err)
{
	int64_t deadline_ms = clock_ms() + keeper->timeout_ms;
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	enum netd_error code = 0;
	int fds[NETD_FDS_MAX] = { -1, -1 };

	if (ret_code)
		*ret_code = 0;
	if (!send_request(keeper, request, deadline_ms, err) ||
	    !receive_answer(keeper, deadline_ms, &answer, ret_fds ? fds : NULL, err))
		return false;
	if (!check_answer(&answer, expected, &code, err)) {
		for (size_t i = 0; i < NETD_FDS_MAX; i++)
			cleanup_close(&fds[i]);
		if (ret_code)
			*ret_code = code;
		return false;
	}
	if (ret_fds)
		memcpy(ret_fds, fds, sizeof(fds));
	*ret = answer;
	answer = (struct netd_message){ 0 };
	return true;
}

static bool ask_page(const struct keeper *keeper, const struct netd_list_request *page,
		     struct netd_message *ret, struct err *err)
{
	CLEANUP_STR struct str request = { 0 };

	netd_put_list_request(page, &request);
	return keeper_ask(keeper, &request, NETD_R_LIST, ret, NULL, NULL, err);
}

bool keeper_list(const struct keeper *keeper, const struct mac *mac, struct netd_list *ret,
		 struct err *err)
{
	struct netd_list_request page = { .has_mac = mac != NULL };
	struct netd_list all = { 0 };
	bool ok = true;
	bool more = true;

	if (mac)
		page.mac = *mac;
	for (int i = 0; ok && more && i < LIST_PAGES_MAX; i++) {
		CLEANUP(netd_message_done) struct netd_message answer = { 0 };

		ok = ask_page(keeper, &page, &answer, err);
		more = ok && answer.list.nics.n == NETD_LIST_MAX;
		vec_each(&answer.list.nics, nic) {
			*vec_push(&all.nics) = *nic;
			memcpy(page.after, nic->tap, sizeof(page.after));
		}
	}
	if (!ok) {
		vec_done(&all.nics);
		return false;
	}
	*ret = all;
	return true;
}
