/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's side of the DHCP child.
 *
 * What is to be answered is kept here for each TAP, so that a child can be replaced: whatever it has not been told yet is
 * `due`, and goes out as the socket takes it. Nothing here waits for the child.
 *
 * A packet socket is opened at once, so that no request is missed, and only the child has it once it has been sent. Another
 * child gets another socket. Closing the last descriptor of one waits for all processors (synchronize_net, 10 ms and
 * more), so that is the child's to do.
 */
#include "netd/dhcp_link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/vec.h"
#include "netd/dhcp_socket.h"
#include "netd/dhcp_talk.h"

/* When the kernel will not pass on more descriptors for a moment (ETOOMANYREFS). */
#define RETRY_MS 100

struct served {
	struct dhcp_order order;
	int ifindex;
	int fd; /* opened, not sent yet; else -1 */
	bool due;
};

struct dhcp_link {
	struct loop *loop;
	const struct dhcp_link_events *events;
	void *ctx;
	int fd; /* to the child; -1 = there is none */
	struct loop_source *source;
	struct loop_source *retry;
	VEC(struct served) all;
};

static struct served *find(const struct dhcp_link *link, const char *tap)
{
	vec_each(&link->all, served)
		if (strcmp(served->order.tap, tap) == 0)
			return served;
	return NULL;
}

static void remove_served(struct dhcp_link *link, struct served *served)
{
	if (served->fd >= 0)
		(void)close(served->fd);
	*served = link->all.v[--link->all.n];
}

static void disconnect(struct dhcp_link *link)
{
	loop_remove(&link->source);
	loop_disarm(link->retry);
	if (link->fd >= 0)
		(void)close(TAKE_FD(link->fd));
}

/* The owner may do anything then, also free the link. */
static void lose_child(struct dhcp_link *link)
{
	disconnect(link);
	link->events->ended(link->ctx);
}

static bool open_socket(struct served *served, struct err *err)
{
	if (served->fd >= 0)
		return true;
	switch (served->order.kind) {
	case DHCP_ORDER_SERVE:
		return dhcp_socket_serve(served->ifindex, &served->fd, err);
	case DHCP_ORDER_SNOOP:
		return dhcp_socket_snoop(served->ifindex, &served->order.offer.mac, &served->fd,
					 err);
	default:
		return true;
	}
}

static enum sock_result send_order(const struct dhcp_link *link, struct served *served,
				   struct err *err)
{
	struct span bytes = span_make((const char *)&served->order, sizeof(served->order));
	size_t sent;
	enum sock_result result = sock_send(link->fd, bytes, &served->fd, served->fd >= 0 ? 1 : 0,
					    &sent, err);

	if (result != SOCK_DONE)
		return result;
	served->due = false;
	if (served->fd >= 0)
		(void)close(TAKE_FD(served->fd));
	return SOCK_DONE;
}

/*
 * Sends what is due, as far as the child takes it. A TAP that has gone meanwhile is left out: somebody will tell us to forget it.
 * That the child has gone is seen by reading.
 */
static void flush(struct dhcp_link *link)
{
	struct err ignored = { 0 };

	for (size_t i = link->all.n; i-- > 0;) {
		struct served *served = &link->all.v[i];

		if (!served->due)
			continue;
		if (!open_socket(served, &ignored)) {
			served->due = false;
			continue;
		}
		switch (send_order(link, served, &ignored)) {
		case SOCK_DONE:
			if (served->order.kind == DHCP_ORDER_FORGET)
				remove_served(link, served);
			continue;
		case SOCK_LATER:
			loop_want(link->source, EPOLLIN | EPOLLOUT);
			return;
		case SOCK_FAILED:
			loop_arm(link->retry, RETRY_MS);
			break;
		case SOCK_CLOSED:
			break;
		}
		break;
	}
	loop_want(link->source, EPOLLIN);
}

static void on_retry(void *ctx)
{
	flush(ctx);
}

bool dhcp_link_new(struct loop *loop, const struct dhcp_link_events *events, void *ctx,
		   struct dhcp_link **ret, struct err *err)
{
	struct dhcp_link *link = xcalloc(1, sizeof(*link));

	(void)err;
	link->loop = loop;
	link->events = events;
	link->ctx = ctx;
	link->fd = -1;
	link->retry = loop_add_deadline(loop, on_retry, link);
	*ret = link;
	return true;
}

void dhcp_link_free(struct dhcp_link *link)
{
	if (!link)
		return;
	disconnect(link);
	loop_remove(&link->retry);
	while (link->all.n > 0)
		remove_served(link, link->all.v);
	vec_done(&link->all);
	free(link);
}

/* False: what a report says does not fit what was ordered. Otherwise the owner has been told, who may have done anything. */
static bool hand_on(const struct dhcp_link *link, const struct dhcp_report *report)
{
	struct dhcp_sighting sighting = { .address = report->address,
					  .by_dhcp = report->by_dhcp != 0,
					  .lease_s = report->lease_s };
	const struct dhcp_link_events *events = link->events;
	struct dhcp_order order;
	struct served *served;

	if (memchr(report->tap, '\0', sizeof(report->tap)) == NULL)
		return false;
	served = find(link, report->tap);
	if (!served || served->order.kind == DHCP_ORDER_FORGET)
		return true; /* the report was on its way when we forgot */
	order = served->order;
	if ((report->kind == DHCP_REPORT_SEEN) != (order.kind == DHCP_ORDER_SNOOP))
		return false;
	switch (report->kind) {
	case DHCP_REPORT_BOUND:
		events->bound(link->ctx, order.tap, time(NULL), order.offer.lease_s);
		return true;
	case DHCP_REPORT_RELEASED:
		events->released(link->ctx, order.tap);
		return true;
	case DHCP_REPORT_DECLINED:
		events->declined(link->ctx, order.tap);
		return true;
	case DHCP_REPORT_SEEN:
		events->seen(link->ctx, order.tap, &sighting);
		return true;
	default:
		return false;
	}
}

static void link_on_child(void *ctx, uint32_t events)
{
	struct dhcp_link *link = ctx;
	union {
		struct dhcp_report report;
		char bytes[sizeof(struct dhcp_report) + 1];
	} buf;
	struct err ignored = { 0 };
	size_t len = 0;

	if (events & EPOLLOUT)
		flush(link);
	switch (sock_recv(link->fd, &buf, sizeof(buf), &len, NULL, 0, NULL, &ignored)) {
	case SOCK_LATER:
		return;
	case SOCK_DONE:
		if (len == sizeof(buf.report) && hand_on(link, &buf.report))
			return;
		break; /* one that talks nonsense is as good as dead */
	case SOCK_CLOSED:
	case SOCK_FAILED:
		break;
	}
	lose_child(link);
}

bool dhcp_link_connect(struct dhcp_link *link, int fd, struct err *err)
{
	disconnect(link);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
	    !loop_add_fd(link->loop, fd, EPOLLIN, link_on_child, link, &link->source, err)) {
		(void)close(fd);
		return err_context(err, "cannot talk to the DHCP child");
	}
	link->fd = fd;
	vec_each(&link->all, served)
		served->due = true;
	flush(link);
	return true;
}

static bool order(struct dhcp_link *link, const struct dhcp_order *order, int ifindex,
		  struct err *err)
{
	struct served fresh = { .order = *order, .ifindex = ifindex, .fd = -1, .due = true };
	struct served *served = find(link, order->tap);

	if (!open_socket(&fresh, err))
		return false;
	if (served)
		remove_served(link, served);
	*vec_push(&link->all) = fresh;
	if (link->fd >= 0)
		flush(link);
	return true;
}

static void name_tap(struct dhcp_order *order, const char *tap)
{
	assert(strlen(tap) < sizeof(order->tap));
	memcpy(order->tap, tap, strlen(tap) + 1);
}

bool dhcp_link_serve(struct dhcp_link *link, const char *tap, int ifindex,
		     const struct dhcp_offer *offer, struct err *err)
{
	struct dhcp_order serve = { .kind = DHCP_ORDER_SERVE, .offer = *offer };

	name_tap(&serve, tap);
	return order(link, &serve, ifindex, err);
}

bool dhcp_link_snoop(struct dhcp_link *link, const char *tap, int ifindex, const struct mac *mac,
		     struct err *err)
{
	struct dhcp_order snoop = { .kind = DHCP_ORDER_SNOOP, .offer.mac = *mac };

	name_tap(&snoop, tap);
	return order(link, &snoop, ifindex, err);
}

void dhcp_link_forget(struct dhcp_link *link, const char *tap)
{
	struct served *served = find(link, tap);

	if (!served)
		return;
	if (link->fd < 0) {
		remove_served(link, served);
		return;
	}
	if (served->fd >= 0)
		(void)close(TAKE_FD(served->fd));
	served->order.kind = DHCP_ORDER_FORGET;
	served->due = true;
	flush(link);
}
