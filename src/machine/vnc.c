/* SPDX-License-Identifier: Apache-2.0 */
/* The doors to QEMU's VNC server. */
#include "machine/vnc.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "storage/bundle.h"

/* On the port: so many connections at once, then one more each second. */
#define PORT_BURST     8
#define PORT_REFILL_MS 1000

/* When descriptors or memory are short, a connection stays waiting; we must not spin on it. */
#define PAUSE_MS 200

struct door {
	struct vnc *vnc;
	int fd;
	struct loop_source *source;
	bool skip_password; /* also: a Unix socket, whose peer is known */
};

struct vnc {
	struct loop *loop;
	struct door socket;
	struct door port;
	uint16_t port_number;
	struct qmp *qmp; /* NULL while shut */
	struct loop_source *pause;
	unsigned int tokens;
	uint64_t refilled_ms;
	uint64_t n_clients;
};

static bool is_friend(int fd)
{
	struct err ignored = { 0 };
	uid_t uid;

	return sock_peer_uid(fd, &uid, &ignored) && (uid == geteuid() || uid == 0);
}

static bool take_token(struct vnc *vnc)
{
	uint64_t now_ms = loop_now_ms(vnc->loop);
	uint64_t more = (now_ms - vnc->refilled_ms) / PORT_REFILL_MS;

	if (more > 0) {
		vnc->tokens = more < PORT_BURST - vnc->tokens ? vnc->tokens + (unsigned int)more :
								PORT_BURST;
		vnc->refilled_ms = now_ms;
	}
	if (vnc->tokens == 0)
		return false;
	vnc->tokens--;
	return true;
}

/* QEMU keeps the descriptor under a name of our choice until add_client takes it. */
static void hand_over(struct vnc *vnc, int fd, bool skip_password)
{
	struct json *getfd = json_object();
	struct json *add = json_object();
	char name[32];

	(void)snprintf(name, sizeof(name), "vnc-%" PRIu64, vnc->n_clients++);
	(void)json_set(getfd, "fdname", json_string(name));
	(void)json_set(add, "protocol", json_string("vnc"));
	(void)json_set(add, "fdname", json_string(name));
	(void)json_set(add, "skipauth", json_bool(skip_password));
	qmp_send(vnc->qmp, "getfd", getfd, fd, NULL, NULL);
	qmp_send(vnc->qmp, "add_client", add, -1, NULL, NULL);
}

static void pause_doors(struct vnc *vnc, uint64_t ms)
{
	if (vnc->socket.source)
		loop_want(vnc->socket.source, 0);
	if (vnc->port.source)
		loop_want(vnc->port.source, 0);
	loop_arm(vnc->pause, ms);
}

static void pause_on_end(void *ctx)
{
	struct vnc *vnc = ctx;

	if (vnc->socket.source)
		loop_want(vnc->socket.source, EPOLLIN);
	if (vnc->port.source)
		loop_want(vnc->port.source, EPOLLIN);
}

static void door_on_knock(void *ctx, uint32_t events)
{
	struct door *door = ctx;
	struct vnc *vnc = door->vnc;
	CLEANUP_CLOSE int fd = -1;
	struct err ignored = { 0 };

	(void)events;
	if (!door->skip_password && !take_token(vnc)) {
		loop_want(door->source, 0);
		loop_arm(vnc->pause, PORT_REFILL_MS);
		return;
	}
	switch (sock_accept(door->fd, &fd, &ignored)) {
	case SOCK_DONE:
		break;
	case SOCK_LATER:
	case SOCK_CLOSED:
		return;
	case SOCK_FAILED:
		pause_doors(vnc, PAUSE_MS);
		return;
	}
	if (!door->skip_password || is_friend(fd))
		hand_over(vnc, TAKE_FD(fd), door->skip_password);
}

static bool open_door(struct vnc *vnc, struct door *door, struct err *err)
{
	return loop_add_fd(vnc->loop, door->fd, 0, door_on_knock, door, &door->source, err);
}

bool vnc_new(struct loop *loop, int bundle_fd, bool local_port, struct vnc **ret, struct err *err)
{
	struct vnc *vnc = xcalloc(1, sizeof(*vnc));

	vnc->loop = loop;
	vnc->socket = (struct door){ .vnc = vnc, .fd = -1, .skip_password = true };
	vnc->port = (struct door){ .vnc = vnc, .fd = -1 };
	vnc->tokens = PORT_BURST;
	vnc->refilled_ms = loop_now_ms(loop);
	vnc->pause = loop_add_deadline(loop, pause_on_end, vnc);
	if (sock_listen_unix(bundle_fd, BUNDLE_VNC_SOCKET, &vnc->socket.fd, err) &&
	    open_door(vnc, &vnc->socket, err) &&
	    (!local_port || (sock_listen_local_tcp(&vnc->port.fd, &vnc->port_number, err) &&
			     open_door(vnc, &vnc->port, err)))) {
		*ret = vnc;
		return true;
	}
	vnc_free(vnc);
	return false;
}

static void close_door(struct door *door)
{
	loop_remove(&door->source);
	cleanup_close(&door->fd);
}

void vnc_free(struct vnc *vnc)
{
	if (!vnc)
		return;
	close_door(&vnc->socket);
	close_door(&vnc->port);
	loop_remove(&vnc->pause);
	free(vnc);
}

uint16_t vnc_port(const struct vnc *vnc)
{
	return vnc->port_number;
}

void vnc_open(struct vnc *vnc, struct qmp *qmp)
{
	vnc->qmp = qmp;
	pause_on_end(vnc);
}

void vnc_shut(struct vnc *vnc)
{
	pause_doors(vnc, 0);
	loop_disarm(vnc->pause);
	vnc->qmp = NULL;
}

bool vnc_had_client(const struct vnc *vnc)
{
	return vnc->n_clients > 0;
}
