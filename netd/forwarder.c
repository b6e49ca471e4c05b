/* SPDX-License-Identifier: Apache-2.0 */
/* Listening for guests outside of their namespace. */
#include "netd/forwarder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "net/alias.h"
#include "netd/joint.h"
#include "proto/netd.h"

/* One who has connected: until the keeper has opened the guest's end, `ask_fd` is where its answer comes. */
struct caller {
	struct forwarder *forwarder;
	int client_fd;
	int ask_fd;
	struct loop_source *source;
	struct joint *joint;
	struct caller *prev, *next;
};

struct door {
	struct forwarder *forwarder;
	char tap[NETD_IF_SIZE];
	uint16_t internal;
	int fd;
	struct loop_source *source;
};
typedef VEC(struct door *) door_list;

struct guest {
	char tap[NETD_IF_SIZE];
	ipv4 alias; /* 0 = none could be had */
	door_list usual, exposed;
	expose_list ports;
	bool is_there; /* in the list that is being read */
};

struct forwarder {
	struct loop *loop;
	struct forwarder_options options;
	int fd; /* to the keeper */
	struct loop_source *source;
	VEC(struct guest *) guests;
	VEC(struct netd_forward) news; /* parts of a list that has not come to its end */
	struct caller *callers;
	size_t n_callers;
	bool paused; /* no more descriptors or too many callers: doors are not watched */
};

PRINTF_LIKE(2, 3) static void say(const struct forwarder *f, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	f->options.log(f->options.ctx, line);
}

static void watch_doors(struct forwarder *f, bool on)
{
	f->paused = !on;
	vec_each(&f->guests, guest) {
		vec_each(&(*guest)->usual, door)
			loop_want((*door)->source, on ? (uint32_t)EPOLLIN : 0);
		vec_each(&(*guest)->exposed, door)
			loop_want((*door)->source, on ? (uint32_t)EPOLLIN : 0);
	}
}

/* Frees what is in no list any more. */
static void caller_free(struct caller *caller)
{
	loop_remove(&caller->source);
	joint_free(caller->joint);
	cleanup_close(&caller->client_fd);
	cleanup_close(&caller->ask_fd);
	free(caller);
}

static void forget(struct caller *caller)
{
	struct forwarder *f = caller->forwarder;

	if (caller->prev)
		caller->prev->next = caller->next;
	else
		f->callers = caller->next;
	if (caller->next)
		caller->next->prev = caller->prev;
	f->n_callers--;
	caller_free(caller);
}

/* Also makes room for the next. */
static void caller_end(struct caller *caller)
{
	struct forwarder *f = caller->forwarder;

	forget(caller);
	if (f->paused)
		watch_doors(f, true);
}

static void joint_on_end(void *ctx)
{
	struct caller *caller = ctx;

	caller->joint = NULL; /* it has freed itself */
	caller_end(caller);
}

/* The keeper's word about a guest's port: a descriptor, or why there is none, which the client learns by being cut off. */
static bool receive_end(struct caller *caller, int *ret_fd)
{
	CLEANUP_FREE char *packet = xcalloc(1, NETD_MESSAGE_MAX);
	CLEANUP(netd_message_done) struct netd_message message = { 0 };
	struct err ignored = { 0 };
	size_t n_fds = 0;
	size_t len = 0;
	int fd = -1;

	if (sock_recv(caller->ask_fd, packet, NETD_MESSAGE_MAX, &len, &fd, 1, &n_fds, &ignored) !=
		    SOCK_DONE ||
	    n_fds != 1)
		return false;
	if (!netd_get(span_make(packet, len), &message, &ignored) ||
	    message.type != NETD_R_CONNECTED) {
		(void)close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}

static void caller_on_answer(void *ctx, uint32_t events)
{
	struct caller *caller = ctx;
	struct err ignored = { 0 };
	int guest_fd;

	(void)events;
	if (!receive_end(caller, &guest_fd)) {
		caller_end(caller);
		return;
	}
	loop_remove(&caller->source);
	(void)close(TAKE_FD(caller->ask_fd));
	if (!joint_new(caller->forwarder->loop, TAKE_FD(caller->client_fd), guest_fd, joint_on_end,
		       caller, &caller->joint, &ignored))
		caller_end(caller);
}

static bool ask_for_end(struct caller *caller, const struct door *door, struct err *err)
{
	const struct forwarder *f = caller->forwarder;
	CLEANUP_STR struct str request = { 0 };
	struct netd_connect connect = { .port = door->internal };
	size_t sent;

	(void)snprintf(connect.tap, sizeof(connect.tap), "%s", door->tap);
	netd_put_connect(&connect, &request);
	return sock_connect_packets(f->options.dirfd, NETD_SOCKET, &caller->ask_fd, err) &&
	       sock_send(caller->ask_fd, str_span(&request), NULL, 0, &sent, err) == SOCK_DONE &&
	       loop_add_fd(f->loop, caller->ask_fd, EPOLLIN, caller_on_answer, caller,
			   &caller->source, err);
}

static void admit(struct forwarder *f, const struct door *door, int client_fd)
{
	struct caller *caller = xcalloc(1, sizeof(*caller));
	struct err why = { 0 };

	*caller = (struct caller){
		.forwarder = f, .client_fd = client_fd, .ask_fd = -1, .next = f->callers
	};
	if (f->callers)
		f->callers->prev = caller;
	f->callers = caller;
	f->n_callers++;
	if (!ask_for_end(caller, door, &why)) {
		say(f, "port %u of %s: %s", door->internal, door->tap, why.text);
		forget(caller);
	}
}

static void door_on_caller(void *ctx, uint32_t events)
{
	struct door *door = ctx;
	struct forwarder *f = door->forwarder;
	struct err why = { 0 };
	int fd;

	(void)events;
	switch (sock_accept(door->fd, &fd, &why)) {
	case SOCK_DONE:
		admit(f, door, fd);
		break;
	case SOCK_FAILED:
		/* Who waits goes on waiting until somebody has left. */
		say(f, "port %u of %s: %s", door->internal, door->tap, why.text);
		watch_doors(f, f->n_callers == 0);
		return;
	case SOCK_LATER:
	case SOCK_CLOSED:
		break;
	}
	if (f->n_callers >= FORWARDER_CONNECTIONS_MAX)
		watch_doors(f, false);
}

static int listen_at(ipv4 address, uint16_t port)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(address) };
	CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&where, sizeof(where)) < 0 || listen(fd, 64) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* Adopts fd. */
static bool open_door(struct forwarder *f, const char *tap, int fd, uint16_t internal,
		      door_list *doors)
{
	struct door *door = xcalloc(1, sizeof(*door));
	struct err why = { 0 };

	door->forwarder = f;
	door->fd = fd;
	door->internal = internal;
	(void)snprintf(door->tap, sizeof(door->tap), "%s", tap);
	if (!loop_add_fd(f->loop, fd, f->paused ? 0 : (uint32_t)EPOLLIN, door_on_caller, door,
			 &door->source, &why)) {
		say(f, "%s: %s", tap, why.text);
		(void)close(fd);
		free(door);
		return false;
	}
	*vec_push(doors) = door;
	return true;
}

static void close_doors(door_list *doors)
{
	vec_each(doors, door) {
		loop_remove(&(*door)->source);
		cleanup_close(&(*door)->fd);
		free(*door);
	}
	vec_done(doors);
}

static bool open_usual(struct forwarder *f, struct guest *guest, ipv4 alias)
{
	for (const uint16_t *port = alias_ports; *port; port++) {
		int fd = listen_at(alias, alias_port(*port, f->options.unprivileged_start));

		if (fd < 0 || !open_door(f, guest->tap, fd, *port, &guest->usual)) {
			close_doors(&guest->usual);
			return false;
		}
	}
	return true;
}

static void tell_alias(struct forwarder *f, const struct guest *guest)
{
	CLEANUP_STR struct str message = { 0 };
	struct netd_alias alias = { .alias = guest->alias };
	struct err why = { 0 };
	size_t sent;

	(void)snprintf(alias.tap, sizeof(alias.tap), "%s", guest->tap);
	netd_put_alias(&alias, &message);
	if (sock_send(f->fd, str_span(&message), NULL, 0, &sent, &why) != SOCK_DONE)
		say(f, "the keeper does not hear: %s", why.text);
}

/* Another user's guest, or one of another home, may have the first choice already. */
static void choose_alias(struct forwarder *f, struct guest *guest, ipv4 address)
{
	for (unsigned int i = 0; i < ALIAS_ATTEMPTS && guest->alias == 0; i++)
		if (open_usual(f, guest, alias_of(address, i)))
			guest->alias = alias_of(address, i);
	if (guest->alias == 0)
		say(f, "%s: no address below 127.64.0.0/11 is free for it", guest->tap);
	tell_alias(f, guest);
}

static bool same_ports(const expose_list *a, const expose_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].external != b->v[i].external || a->v[i].internal != b->v[i].internal)
			return false;
	return true;
}

static void open_exposed(struct forwarder *f, struct guest *guest, const expose_list *ports)
{
	close_doors(&guest->exposed);
	guest->ports.n = 0;
	vec_each(ports, port) {
		int fd = listen_at(INADDR_ANY, port->external);

		*vec_push(&guest->ports) = *port;
		if (fd < 0)
			say(f, "port %u cannot be exposed: %s", port->external, strerror(errno));
		else
			(void)open_door(f, guest->tap, fd, port->internal, &guest->exposed);
	}
}

static void guest_free(struct guest *guest)
{
	close_doors(&guest->usual);
	close_doors(&guest->exposed);
	vec_done(&guest->ports);
	free(guest);
}

static struct guest *find_guest(const struct forwarder *f, const char *tap)
{
	vec_each(&f->guests, guest)
		if (strcmp((*guest)->tap, tap) == 0)
			return *guest;
	return NULL;
}

static void welcome(struct forwarder *f, const struct netd_forward *news)
{
	struct guest *guest = find_guest(f, news->tap);

	if (!guest) {
		guest = xcalloc(1, sizeof(*guest));
		(void)snprintf(guest->tap, sizeof(guest->tap), "%s", news->tap);
		*vec_push(&f->guests) = guest;
		choose_alias(f, guest, news->address);
	}
	guest->is_there = true;
	if (!same_ports(&guest->ports, &news->ports))
		open_exposed(f, guest, &news->ports);
}

static void forget_news(struct forwarder *f)
{
	vec_each(&f->news, item)
		vec_done(&item->ports);
	vec_done(&f->news);
}

/* The list has come to its end: who is not in it has gone. First those, since others may want their ports. */
static void apply_news(struct forwarder *f)
{
	size_t kept = 0;

	vec_each(&f->news, item) {
		struct guest *guest = find_guest(f, item->tap);

		if (guest)
			guest->is_there = true;
	}
	for (size_t i = 0; i < f->guests.n; i++) {
		struct guest *guest = f->guests.v[i];

		if (guest->is_there)
			f->guests.v[kept++] = guest;
		else
			guest_free(guest);
	}
	f->guests.n = kept;
	vec_each(&f->news, item)
		welcome(f, item);
	vec_each(&f->guests, guest)
		(*guest)->is_there = false;
	forget_news(f);
}

static void hear(struct forwarder *f, struct netd_message *message)
{
	switch (message->type) {
	case NETD_R_FORWARDS:
		vec_each(&message->forwards.vms, vm) {
			*vec_push(&f->news) = *vm;
			*vm = (struct netd_forward){ 0 };
		}
		if (!message->forwards.more)
			apply_news(f);
		break;
	case NETD_R_ERROR:
		say(f, "the keeper says: %s", message->failure.text);
		break;
	default:
		break;
	}
}

static void forwarder_on_message(void *ctx, uint32_t events)
{
	struct forwarder *f = ctx;
	CLEANUP_FREE char *packet = xcalloc(1, NETD_MESSAGE_MAX);
	CLEANUP(netd_message_done) struct netd_message message = { 0 };
	struct err why = { 0 };
	size_t n_fds = 0;
	size_t len = 0;

	(void)events;
	switch (sock_recv(f->fd, packet, NETD_MESSAGE_MAX, &len, NULL, 0, &n_fds, &why)) {
	case SOCK_DONE:
		if (netd_get(span_make(packet, len), &message, &why)) {
			hear(f, &message);
			return;
		}
		say(f, "the keeper says nonsense: %s", why.text);
		break;
	case SOCK_LATER:
		return;
	case SOCK_CLOSED:
	case SOCK_FAILED:
		break;
	}
	loop_remove(&f->source);
	f->options.lost(f->options.ctx);
}

static bool enrol(struct forwarder *f, struct err *err)
{
	CLEANUP_STR struct str request = { 0 };
	size_t sent;

	netd_put_empty(NETD_FORWARD, &request);
	return sock_connect_packets(f->options.dirfd, NETD_SOCKET, &f->fd, err) &&
	       sock_send(f->fd, str_span(&request), NULL, 0, &sent, err) == SOCK_DONE &&
	       loop_add_fd(f->loop, f->fd, EPOLLIN, forwarder_on_message, f, &f->source, err);
}

bool forwarder_new(struct loop *loop, const struct forwarder_options *options,
		   struct forwarder **ret, struct err *err)
{
	struct forwarder *f = xcalloc(1, sizeof(*f));

	f->loop = loop;
	f->options = *options;
	f->fd = -1;
	if (!enrol(f, err)) {
		forwarder_free(f);
		return false;
	}
	*ret = f;
	return true;
}

void forwarder_free(struct forwarder *f)
{
	if (!f)
		return;
	for (struct caller *caller = f->callers, *next; caller; caller = next) {
		next = caller->next;
		caller_free(caller);
	}
	vec_each(&f->guests, guest)
		guest_free(*guest);
	vec_done(&f->guests);
	forget_news(f);
	loop_remove(&f->source);
	cleanup_close(&f->fd);
	free(f);
}
