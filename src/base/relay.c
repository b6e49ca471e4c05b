/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between two descriptors and a socket. */
#include "base/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/mem.h"
#include "base/outlet.h"

#define ROOM 65536

enum slot { SLOT_IN, SLOT_OUT, SLOT_SOCKET };

/* One way: what was read and is to be written. */
struct flow {
	char bytes[ROOM];
	size_t at, len;
	bool ended; /* nothing more can be read */
	bool over;  /* and all is written, and who reads it knows */
};

struct relay {
	int in_fd, socket_fd;
	struct outlet out;
	bool lost;        /* the socket refuses what `in` still had */
	struct flow up;   /* in to socket */
	struct flow down; /* socket to out */
};

struct relay *relay_new(int in_fd, int out_fd, int socket_fd)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));

	relay->in_fd = in_fd;
	relay->out = outlet_of(out_fd);
	relay->socket_fd = socket_fd;
	return relay;
}

void relay_free(struct relay *relay)
{
	free(relay);
}

bool relay_is_over(const struct relay *relay)
{
	return relay->up.over && relay->down.over;
}

static bool has_bytes(const struct flow *flow)
{
	return flow->at < flow->len;
}

static bool can_read(const struct flow *flow)
{
	return !flow->ended && !has_bytes(flow);
}

void relay_wants(const struct relay *relay, struct pollfd ret[RELAY_FDS])
{
	const struct flow *up = &relay->up;
	const struct flow *down = &relay->down;
	short socket_events = (short)((can_read(down) ? POLLIN : 0) |
				      (has_bytes(up) ? POLLOUT : 0));

	/* Even without events, poll(2) tells of ends and errors: nobody may ask who could do nothing about them. */
	ret[SLOT_IN] = (struct pollfd){ .fd = can_read(up) ? relay->in_fd : -1, .events = POLLIN };
	ret[SLOT_OUT] = (struct pollfd){ .fd = down->over ? -1 : relay->out.fd,
					 .events = has_bytes(down) ? POLLOUT : 0 };
	ret[SLOT_SOCKET] = (struct pollfd){
		.fd = socket_events != 0 || down->over ? relay->socket_fd : -1,
		.events = socket_events,
	};
}

static bool is_transient(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool read_in(struct relay *relay, struct err *err)
{
	struct flow *up = &relay->up;
	ssize_t n = read(relay->in_fd, up->bytes, sizeof(up->bytes));

	if (is_transient(n))
		return true;
	if (n < 0)
		return err_sys(err, errno, "cannot read the standard input");
	up->at = 0;
	up->len = (size_t)n;
	up->ended = n == 0;
	return true;
}

static bool read_socket(struct relay *relay, struct err *err)
{
	struct flow *down = &relay->down;
	ssize_t n = recv(relay->socket_fd, down->bytes, sizeof(down->bytes), MSG_DONTWAIT);

	if (is_transient(n))
		return true;
	if (n < 0)
		return err_sys(err, errno, "the connection has broken");
	down->at = 0;
	down->len = (size_t)n;
	down->ended = n == 0;
	return true;
}

/* Nothing more can be sent. What comes the other way may still be of interest, so that this is no end yet. */
static void end_up(struct relay *relay)
{
	relay->lost = relay->lost || has_bytes(&relay->up);
	relay->up.at = relay->up.len;
	relay->up.ended = true;
}

static bool write_socket(struct relay *relay, struct err *err)
{
	struct flow *up = &relay->up;
	ssize_t n = send(relay->socket_fd, up->bytes + up->at, up->len - up->at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (is_transient(n))
		return true;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		end_up(relay);
	else if (n < 0)
		return err_sys(err, errno, "the connection has broken");
	else
		up->at += (size_t)n;
	return true;
}

static bool write_out(struct relay *relay, struct err *err)
{
	struct flow *down = &relay->down;
	ssize_t n = outlet_write(&relay->out,
				 span_make(down->bytes + down->at, down->len - down->at));

	if (is_transient(n))
		return true;
	if (n < 0)
		return err_sys(err, errno, "cannot write to the standard output");
	down->at += (size_t)n;
	return true;
}

/* A descriptor that is only closed could be taken by the next file that somebody opens. */
static void end_out(const struct relay *relay)
{
	CLEANUP_CLOSE int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (relay->out.is_socket)
		(void)shutdown(relay->out.fd, SHUT_WR);
	if (null_fd >= 0)
		(void)dup2(null_fd, relay->out.fd);
}

static void finish_flows(struct relay *relay)
{
	struct flow *up = &relay->up;
	struct flow *down = &relay->down;

	if (up->ended && !has_bytes(up) && !up->over) {
		(void)shutdown(relay->socket_fd, SHUT_WR);
		up->over = true;
	}
	if (down->ended && !has_bytes(down) && !down->over) {
		end_out(relay);
		down->over = true;
	}
}

/* The other side ended its sending before; an error or the end of the other half, too, is the end of the connection. */
static bool is_dead(const struct relay *relay, short socket_events)
{
	return relay->down.over && (socket_events & (POLLERR | POLLHUP));
}

static bool move(struct relay *relay, const struct pollfd fds[RELAY_FDS], struct err *err)
{
	const short gone = POLLERR | POLLHUP | POLLNVAL;
	short in = fds[SLOT_IN].revents;
	short out = fds[SLOT_OUT].revents;
	short sock = fds[SLOT_SOCKET].revents;

	if ((sock & (POLLOUT | gone)) && has_bytes(&relay->up) && !write_socket(relay, err))
		return false;
	if ((in & (POLLIN | gone)) && can_read(&relay->up) && !read_in(relay, err))
		return false;
	if ((sock & (POLLIN | gone)) && can_read(&relay->down) && !read_socket(relay, err))
		return false;
	if ((out & (POLLOUT | gone)) && has_bytes(&relay->down) && !write_out(relay, err))
		return false;
	if ((out & gone) && !has_bytes(&relay->down) && !relay->down.ended)
		return err_sys(err, EPIPE, "cannot write to the standard output");
	if (is_dead(relay, sock) && !relay->up.over)
		end_up(relay);
	return true;
}

bool relay_turn(struct relay *relay, const struct pollfd fds[RELAY_FDS], struct err *err)
{
	if (!move(relay, fds, err))
		return false;
	finish_flows(relay);
	if (relay_is_over(relay) && relay->lost)
		return err_set(err, ERR_GENERAL,
			       "the connection was closed before everything was sent");
	return true;
}

bool relay_run(struct relay *relay, struct err *err)
{
	while (!relay_is_over(relay)) {
		struct pollfd fds[RELAY_FDS];

		if (!cancel_check(err))
			return false;
		relay_wants(relay, fds);
		if (poll(fds, RELAY_FDS, -1) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait");
		if (!relay_turn(relay, fds, err))
			return false;
	}
	return true;
}
