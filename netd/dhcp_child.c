/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP child: the only process that reads what guests have sent to the host. It has packet sockets that others opened,
 * no capability, no file system, and a few system calls. network.md 4.2.
 *
 * A guest that asks without end costs little: each link has a bucket of answers. While it is empty the link's socket is not
 * read, and the kernel drops what comes.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/vec.h"
#include "netd/bucket.h"
#include "netd/dhcp_link.h"
#include "netd/dhcp_talk.h"
#include "netd/isolate.h"

#define FRAMES_BURST 20 /* of one link */
#define FRAMES_PER_S 10

struct served {
	struct dhcp_child *child;
	struct dhcp_order order;
	int fd;
	struct loop_source *source;
	struct bucket bucket;
	bool resting;
};

struct dhcp_child {
	struct loop *loop;
	int keeper_fd;
	VEC(struct served *) all;
	struct loop_source *wake;
};

static void served_free(struct served *served)
{
	loop_remove(&served->source);
	if (served->fd >= 0)
		(void)close(served->fd);
	free(served);
}

/* Blocks while the keeper does not read, so that nothing is lost; the keeper never waits for us. */
static void report(const struct served *served, enum dhcp_report_kind kind,
		   const struct dhcp_sighting *sighting)
{
	struct dhcp_report say = { .kind = kind };
	struct err ignored = { 0 };
	size_t sent;

	memcpy(say.tap, served->order.tap, sizeof(say.tap));
	if (sighting) {
		say.address = sighting->address;
		say.lease_s = sighting->lease_s;
		say.by_dhcp = sighting->by_dhcp;
	}
	(void)sock_send(served->child->keeper_fd, span_make((const char *)&say, sizeof(say)), NULL,
			0, &sent, &ignored);
}

/* What could not be sent has not happened: the client asks again. */
static void answer(const struct served *served, struct span frame)
{
	uint8_t bytes[DHCP_FRAME_MAX];
	size_t len;
	enum dhcp_event event = dhcp_answer(&served->order.offer, frame, bytes, &len);

	if (len > 0 && send(served->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		return;
	if (event == DHCP_BOUND)
		report(served, DHCP_REPORT_BOUND, NULL);
	else if (event == DHCP_RELEASED)
		report(served, DHCP_REPORT_RELEASED, NULL);
	else if (event == DHCP_DECLINED)
		report(served, DHCP_REPORT_DECLINED, NULL);
}

static void look_at(const struct served *served, struct span frame)
{
	struct dhcp_sighting sighting = { 0 };

	if (served->order.kind == DHCP_ORDER_SERVE)
		answer(served, frame);
	else if (dhcp_snoop(&served->order.offer.mac, frame, &sighting))
		report(served, DHCP_REPORT_SEEN, &sighting);
}

static void rest(struct served *served)
{
	struct loop_source *wake = served->child->wake;

	served->resting = true;
	loop_want(served->source, 0);
	if (!loop_is_armed(wake))
		loop_arm(wake, 1000 / FRAMES_PER_S);
}

static void child_on_wake(void *ctx)
{
	struct dhcp_child *child = ctx;

	vec_each(&child->all, slot) {
		struct served *served = *slot;

		if (!served->resting)
			continue;
		served->resting = false;
		loop_want(served->source, EPOLLIN);
	}
}

static void served_on_frame(void *ctx, uint32_t events)
{
	struct served *served = ctx;
	char frame[DHCP_FRAME_MAX];
	ssize_t n;

	bucket_fill(&served->bucket, loop_now_ms(served->child->loop), FRAMES_PER_S, FRAMES_BURST);
	if (!bucket_take(&served->bucket, 1)) {
		rest(served);
		return;
	}
	n = recv(served->fd, frame, sizeof(frame), MSG_DONTWAIT);
	if (n >= 0) {
		look_at(served, span_make(frame, (size_t)n));
		return;
	}
	/* The link is down or gone. ENETDOWN is told once; with a hang-up there is nothing to come, and it would be told for ever. */
	if (events & (EPOLLHUP | EPOLLERR) && errno == EAGAIN)
		loop_remove(&served->source);
}

static void forget(struct dhcp_child *child, const char *tap)
{
	for (size_t i = 0; i < child->all.n; i++) {
		if (strcmp(child->all.v[i]->order.tap, tap) != 0)
			continue;
		served_free(child->all.v[i]);
		child->all.v[i] = child->all.v[--child->all.n];
		return;
	}
}

/* Takes over `fd`. Without memory or descriptors the child ends, and another gets all orders anew. */
static bool serve(struct dhcp_child *child, const struct dhcp_order *order, int fd, struct err *err)
{
	struct served *served = xcalloc(1, sizeof(*served));

	served->child = child;
	served->order = *order;
	served->fd = fd;
	served->bucket.tokens = FRAMES_BURST;
	*vec_push(&child->all) = served;
	return loop_add_fd(child->loop, fd, EPOLLIN, served_on_frame, served, &served->source, err);
}

static bool obey(struct dhcp_child *child, const struct dhcp_order *order, int fd, struct err *err)
{
	forget(child, order->tap);
	if (order->kind == DHCP_ORDER_FORGET)
		return true;
	return fd >= 0 && serve(child, order, fd, err);
}

static void child_on_keeper(void *ctx, uint32_t events)
{
	struct dhcp_child *child = ctx;
	struct dhcp_order order;
	struct err ignored = { 0 };
	int fd = -1;
	size_t len = 0;
	size_t n_fds = 0;

	(void)events;
	switch (sock_recv(child->keeper_fd, &order, sizeof(order), &len, &fd, 1, &n_fds,
			  &ignored)) {
	case SOCK_LATER:
		return;
	case SOCK_DONE:
		if (len == sizeof(order) && obey(child, &order, n_fds > 0 ? fd : -1, &ignored))
			return;
		break;
	case SOCK_CLOSED:
	case SOCK_FAILED:
		break;
	}
	loop_stop(child->loop);
}

static bool run(struct dhcp_child *child, struct err *err)
{
	struct loop_source *keeper;

	if (!loop_new(&child->loop, err) || !loop_add_fd(child->loop, child->keeper_fd, EPOLLIN,
							 child_on_keeper, child, &keeper, err))
		return false;
	child->wake = loop_add_deadline(child->loop, child_on_wake, child);
	return loop_run(child->loop, err);
}

_Noreturn void dhcp_child_main(int fd)
{
	struct dhcp_child child = { .keeper_fd = fd };
	struct err err = { 0 };

	(void)prctl(PR_SET_NAME, "tart-netd-dhcp");
	_exit(isolate_identity(ISOLATE_DHCP, &err) && isolate_calls(ISOLATE_DHCP, NULL, &err) &&
			      run(&child, &err) ?
		      0 :
		      1);
}
