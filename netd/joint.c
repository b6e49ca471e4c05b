/* SPDX-License-Identifier: Apache-2.0 */
/* Joining two connections. */
#include "netd/joint.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/mem.h"

/* The pipe between two sockets: as large as it is by default. */
#define PIPE_BYTES 65536

/* One direction. It reads only when its pipe is empty: what waits is at most one pipe full, and order is simple. */
struct stream {
	int in, out; /* sockets, of the joint */
	int pipe[2];
	size_t waiting; /* in the pipe */
	bool at_end;    /* of `in` */
	bool done;      /* and that was told to `out` */
};

struct side {
	struct joint *joint;
	struct loop_source *source; /* NULL: it has hung up, see joint_on_event() */
	int fd;
};

struct joint {
	struct side sides[2];
	struct stream streams[2]; /* streams[i] reads sides[i] */
	joint_ended_fn *ended;
	void *ctx;
};

enum progress { MOVED, STUCK, BROKEN };

static enum progress fill(struct stream *s)
{
	ssize_t n = splice(s->in, NULL, s->pipe[1], NULL, PIPE_BYTES,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n > 0) {
		s->waiting = (size_t)n;
		return MOVED;
	}
	if (n == 0) {
		s->at_end = true;
		return MOVED;
	}
	return errno == EAGAIN || errno == EINTR ? STUCK : BROKEN;
}

static enum progress drain(struct stream *s)
{
	ssize_t n = splice(s->pipe[0], NULL, s->out, NULL, s->waiting,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n > 0) {
		s->waiting -= (size_t)n;
		return MOVED;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? STUCK : BROKEN;
}

static enum progress step(struct stream *s)
{
	if (s->done)
		return STUCK;
	if (s->waiting > 0)
		return drain(s);
	if (!s->at_end)
		return fill(s);
	s->done = true;
	return shutdown(s->out, SHUT_WR) == 0 ? STUCK : BROKEN;
}

/* Some turns for each direction, so that one fast connection does not keep the others waiting. */
static bool pump(struct stream *s)
{
	for (int i = 0; i < 16; i++) {
		switch (step(s)) {
		case MOVED:
			break;
		case STUCK:
			return true;
		case BROKEN:
			return false;
		}
	}
	return true;
}

static uint32_t wants(const struct joint *joint, int i)
{
	const struct stream *from = &joint->streams[i];
	const struct stream *to = &joint->streams[1 - i];
	bool more = to->waiting > 0 || (!joint->sides[1 - i].source && !to->done);

	return (!from->at_end && from->waiting == 0 ? (uint32_t)EPOLLIN : 0) |
	       (more ? (uint32_t)EPOLLOUT : 0);
}

static void end(struct joint *joint)
{
	joint_ended_fn *ended = joint->ended;
	void *ctx = joint->ctx;

	joint_free(joint);
	ended(ctx);
}

/*
 * A connection that is closed in both directions is told to have hung up again and again, though what it has sent may still
 * have to be passed on, to somebody slow. It is not watched any longer then: all that it will ever send is in its buffer, and
 * the other side's readiness drives what is left.
 */
static void joint_on_event(void *arg, uint32_t events)
{
	struct side *side = arg;
	struct joint *joint = side->joint;

	if ((events & EPOLLERR) || !pump(&joint->streams[0]) || !pump(&joint->streams[1]) ||
	    (joint->streams[0].done && joint->streams[1].done)) {
		end(joint);
		return;
	}
	if (events & EPOLLHUP)
		loop_remove(&side->source);
	for (int i = 0; i < 2; i++)
		if (joint->sides[i].source)
			loop_want(joint->sides[i].source, wants(joint, i));
	if (!joint->sides[0].source && !joint->sides[1].source)
		end(joint); /* both are closed: nobody is left to take it */
}

static void no_delay(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct joint *make(const int fds[2])
{
	struct joint *joint = xcalloc(1, sizeof(*joint));

	for (int i = 0; i < 2; i++) {
		joint->sides[i] = (struct side){ .joint = joint, .fd = fds[i] };
		joint->streams[i] =
			(struct stream){ .in = fds[i], .out = fds[1 - i], .pipe = { -1, -1 } };
		no_delay(fds[i]);
	}
	return joint;
}

static bool watch(struct joint *joint, int i, struct loop *loop, struct err *err)
{
	struct side *side = &joint->sides[i];

	if (pipe2(joint->streams[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	return loop_add_fd(loop, side->fd, EPOLLIN, joint_on_event, side, &side->source, err);
}

bool joint_new(struct loop *loop, int one, int other, joint_ended_fn *fn, void *ctx,
	       struct joint **ret, struct err *err)
{
	struct joint *joint = make((const int[2]){ one, other });

	joint->ended = fn;
	joint->ctx = ctx;
	if (!watch(joint, 0, loop, err) || !watch(joint, 1, loop, err)) {
		joint_free(joint);
		return false;
	}
	*ret = joint;
	return true;
}

void joint_free(struct joint *joint)
{
	if (!joint)
		return;
	for (int i = 0; i < 2; i++) {
		loop_remove(&joint->sides[i].source);
		cleanup_close(&joint->sides[i].fd);
		cleanup_close(&joint->streams[i].pipe[0]);
		cleanup_close(&joint->streams[i].pipe[1]);
	}
	free(joint);
}
