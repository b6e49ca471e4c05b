/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, from accept(2) to their end.
 *
 *	idle		waits for a packet
 *	holding		has one, and waits until its user's account pays for it
 *	connecting	has asked for a connection to a guest, which is being made
 *	sending		waits until the peer takes what is in the queue
 *
 * A packet is read in `idle` only, so that one who sends many fills his own socket and nothing else.
 */
#include "netd/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "netd/connecting.h"
#include "netd/failure.h"
#include "netd/request.h"

struct client {
	struct clients *clients;
	struct client *next, *previous;
	int fd;
	struct loop_source *source;
	struct loop_source *deadline; /* idle, paying or sending: one at a time */
	struct caller caller;
	enum request_state state;
	struct str packet;             /* holding */
	struct connecting *connecting; /* connecting */
	VEC(struct answer) queue;      /* sending */
	bool tell_forwards;            /* forwarder: what it was told is old */
	bool end_when_sent;
};

struct clients {
	struct clients_options options;
	struct loop_source *source;
	struct loop_source *linger;
	struct loop_source *pause;
	struct loop_source *alone;
	struct client *first;
	struct client *forwarder;
	char buffer[NETD_MESSAGE_MAX + 1];
};

/* The forwarder is here for VMs; alone it is nobody. */
static bool has_clients(const struct clients *clients)
{
	const struct client *first = clients->first;

	return first && (first != clients->forwarder || first->next);
}

static void check_linger(struct clients *clients)
{
	bool is_idle = !has_clients(clients) && keeper_n_nics(clients->options.keeper) == 0;

	if (clients->options.linger_ms == 0)
		return;
	if (!is_idle)
		loop_disarm(clients->linger);
	else if (!loop_is_armed(clients->linger))
		loop_arm(clients->linger, clients->options.linger_ms);
}

static void unlink_client(struct client *client)
{
	if (client->previous)
		client->previous->next = client->next;
	else
		client->clients->first = client->next;
	if (client->next)
		client->next->previous = client->previous;
}

static void free_client(struct client *client)
{
	loop_remove(&client->source);
	loop_remove(&client->deadline);
	connecting_free(client->connecting);
	vec_each(&client->queue, answer)
		answer_done(answer);
	vec_done(&client->queue);
	str_done(&client->packet);
	cleanup_close(&client->fd);
	free(client);
}

/* The connection has ended; so has the client. */
static void end(struct client *client)
{
	struct clients *clients = client->clients;

	unlink_client(client);
	loop_remove(&client->source);
	if (clients->forwarder == client) {
		clients->forwarder = NULL;
		keeper_forget_aliases(clients->options.keeper);
		if (clients->options.needs_forwarder)
			loop_arm(clients->alone, CLIENT_ALONE_MS);
	}
	accounts_disconnect(keeper_accounts(clients->options.keeper), client->caller.uid,
			    client->state != REQUEST_FRESH);
	keeper_detach(clients->options.keeper, client);
	free_client(client);
	/* There is a descriptor again. */
	if (loop_is_armed(clients->pause))
		loop_arm(clients->pause, 0);
	check_linger(clients);
}

static void cut_off(struct client *client, const char *why)
{
	log_line(client->clients->options.log, "user %u is cut off: %s", client->caller.uid, why);
	end(client);
}

static void wait_for_packet(struct client *client)
{
	loop_want(client->source, EPOLLIN);
	if (client->state == REQUEST_FRESH)
		loop_arm(client->deadline, CLIENT_IDLE_MS);
	else
		loop_disarm(client->deadline);
}

static void queue_answer(struct client *client, struct answer *answer)
{
	*vec_push(&client->queue) = *answer;
	*answer = (struct answer)ANSWER_INIT;
}

static void queue_forwards(struct client *client)
{
	struct netd_forwards forwards;
	size_t first = 0;

	client->tell_forwards = false;
	do {
		struct answer answer = ANSWER_INIT;

		forwards = (struct netd_forwards){ .more = false };
		keeper_forwards(client->clients->options.keeper, first, &forwards);
		first += forwards.vms.n;
		netd_put_forwards(&forwards, &answer.bytes);
		queue_answer(client, &answer);
		vec_each(&forwards.vms, vm)
			vec_done(&vm->ports);
		vec_done(&forwards.vms);
	} while (forwards.more);
}

static enum sock_result send_one(struct client *client, struct err *err)
{
	struct answer *answer = &client->queue.v[0];
	size_t n_fds = 0;
	size_t sent;

	while (n_fds < NETD_FDS_MAX && answer->fds[n_fds] >= 0)
		n_fds++;
	return sock_send(client->fd, str_span(&answer->bytes), answer->fds, n_fds, &sent, err);
}

static void drop_first(struct client *client)
{
	answer_done(&client->queue.v[0]);
	client->queue.n--;
	memmove(client->queue.v, client->queue.v + 1, client->queue.n * sizeof(client->queue.v[0]));
}

/* Sends what there is, then goes on with what the client waits for. The client may be gone afterwards. */
static void flush(struct client *client)
{
	struct err err = { 0 };

	for (;;) {
		if (client->queue.n == 0 && client->tell_forwards)
			queue_forwards(client);
		if (client->queue.n == 0)
			break;
		switch (send_one(client, &err)) {
		case SOCK_DONE:
			drop_first(client);
			break;
		case SOCK_LATER:
			loop_want(client->source, EPOLLOUT);
			loop_arm(client->deadline, CLIENT_TAKE_MS);
			return;
		case SOCK_CLOSED:
		case SOCK_FAILED:
			end(client);
			return;
		}
	}
	if (client->end_when_sent) {
		end(client);
		return;
	}
	/* The forwarder hears of changes while it waits for a connection, too. */
	if (!client->connecting && client->packet.len == 0)
		wait_for_packet(client);
	else
		loop_want(client->source, 0);
}

static void refuse_and_end(struct client *client, enum netd_error code, const char *why)
{
	struct answer answer = ANSWER_INIT;
	struct netd_failure failure;

	log_line(client->clients->options.log, "user %u is cut off: %s", client->caller.uid, why);
	(void)refuse(&failure, code, "%s", why);
	answer_refuse(&answer, &failure);
	queue_answer(client, &answer);
	client->end_when_sent = true;
	flush(client);
}

static void client_on_connected(void *ctx, int fd, int errnum)
{
	struct client *client = ctx;
	struct answer answer = ANSWER_INIT;

	client->connecting = NULL;
	request_connected(fd, errnum, &answer);
	queue_answer(client, &answer);
	flush(client);
}

static void start_connecting(struct client *client, const struct answer *answer)
{
	struct answer failed = ANSWER_INIT;
	struct err err = { 0 };

	loop_want(client->source, 0);
	loop_disarm(client->deadline);
	if (connecting_start(client->clients->options.loop, answer->address, answer->port,
			     client_on_connected, client, &client->connecting, &err))
		return;
	request_connected(-1, err.sys, &failed);
	queue_answer(client, &failed);
	flush(client);
}

static void set_state(struct client *client, enum request_state state)
{
	struct clients *clients = client->clients;

	if (state == client->state)
		return;
	if (client->state == REQUEST_FRESH)
		accounts_set_busy(keeper_accounts(clients->options.keeper), client->caller.uid,
				  true);
	client->state = state;
	if (state != REQUEST_FORWARDER)
		return;
	/* A second one takes the first one's place, which is told nothing any more. */
	clients->forwarder = client;
	client->tell_forwards = true;
	loop_disarm(clients->alone);
	check_linger(clients);
}

static void handle(struct client *client, const struct netd_message *message)
{
	const struct request request = { .keeper = client->clients->options.keeper,
					 .owner = client,
					 .caller = client->caller,
					 .state = client->state,
					 .message = message };
	struct answer answer = ANSWER_INIT;

	request_handle(&request, &answer);
	set_state(client, answer.state);
	if (answer.wants_connection) {
		start_connecting(client, &answer);
		answer_done(&answer);
		return;
	}
	if (answer.bytes.len > 0)
		queue_answer(client, &answer);
	flush(client);
}

/* What it has sent, once its user can pay for it. */
static void handle_packet(struct client *client)
{
	struct accounts *accounts = keeper_accounts(client->clients->options.keeper);
	struct netd_message message;
	struct err err = { 0 };
	uint64_t wait_ms;
	unsigned cost;

	if (!netd_get(str_span(&client->packet), &message, &err)) {
		refuse_and_end(client, NETD_E_INVALID, err.text);
		return;
	}
	cost = request_cost(message.type);
	cost = cost > 0 ? cost : 1;
	wait_ms = accounts_pay(accounts, client->caller.uid, cost,
			       loop_now_ms(client->clients->options.loop));
	if (wait_ms > 0) {
		loop_want(client->source, 0);
		loop_arm(client->deadline, wait_ms);
	} else {
		str_clear(&client->packet);
		handle(client, &message);
	}
	netd_message_done(&message);
}

/* SOCK_SEQPACKET: one receive is one packet. Descriptors are not let in, and who sends some is none of ours. */
static enum sock_result receive(struct client *client, const char **ret_why)
{
	struct clients *clients = client->clients;
	struct iovec iov = { .iov_base = clients->buffer, .iov_len = sizeof(clients->buffer) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return SOCK_LATER;
	if (n <= 0)
		return SOCK_CLOSED;
	*ret_why = message.msg_flags & MSG_CTRUNC ? "it passes descriptors" :
		   n > NETD_MESSAGE_MAX           ? "its packet is too long" :
						    NULL;
	if (*ret_why)
		return SOCK_FAILED;
	str_clear(&client->packet);
	str_add_span(&client->packet, span_make(clients->buffer, (size_t)n));
	return SOCK_DONE;
}

static void client_on_event(void *ctx, uint32_t events)
{
	struct client *client = ctx;
	const char *why = NULL;

	if (events & EPOLLOUT) {
		flush(client);
		return;
	}
	if (!(events & EPOLLIN)) {
		end(client);
		return;
	}
	switch (receive(client, &why)) {
	case SOCK_DONE:
		handle_packet(client);
		break;
	case SOCK_LATER:
		break;
	case SOCK_CLOSED:
		end(client);
		break;
	case SOCK_FAILED:
		refuse_and_end(client, NETD_E_INVALID, why);
		break;
	}
}

static void client_on_deadline(void *ctx)
{
	struct client *client = ctx;

	if (client->queue.n > 0)
		cut_off(client, "it does not take its answer");
	else if (client->packet.len > 0)
		handle_packet(client);
	else
		cut_off(client, "it has been silent for too long");
}

/* In one line, to somebody who does not become a client. */
static void turn_away(int fd, enum netd_error code, const char *why)
{
	CLEANUP_STR struct str bytes = { 0 };
	struct netd_failure failure;
	struct err ignored = { 0 };
	size_t sent;

	(void)refuse(&failure, code, "%s", why);
	netd_put_error(&failure, &bytes);
	(void)sock_send(fd, str_span(&bytes), NULL, 0, &sent, &ignored);
}

static void admit(struct clients *clients, int *fd, const struct caller *caller)
{
	struct client *client = xcalloc(1, sizeof(*client));
	struct err err = { 0 };

	client->clients = clients;
	client->caller = *caller;
	client->state = REQUEST_FRESH;
	client->packet.cap = NETD_MESSAGE_MAX;
	client->fd = TAKE_FD(*fd);
	if (!loop_add_fd(clients->options.loop, client->fd, EPOLLIN, client_on_event, client,
			 &client->source, &err)) {
		log_line(clients->options.log, "%s", err.text);
		accounts_disconnect(keeper_accounts(clients->options.keeper), caller->uid, false);
		free_client(client);
		return;
	}
	client->deadline = loop_add_deadline(clients->options.loop, client_on_deadline, client);
	loop_arm(client->deadline, CLIENT_IDLE_MS);
	client->next = clients->first;
	if (client->next)
		client->next->previous = client;
	clients->first = client;
	check_linger(clients);
}

static void take_in(struct clients *clients, int *fd)
{
	struct accounts *accounts = keeper_accounts(clients->options.keeper);
	struct caller caller;
	struct err err = { 0 };

	if (!settings_judge(clients->options.settings, *fd, &caller, &err)) {
		log_line(clients->options.log, "%s", err.text);
		return;
	}
	if (!caller.is_allowed) {
		log_line(clients->options.log, "user %u is not let in", caller.uid);
		turn_away(
			*fd, NETD_E_DENIED,
			"you may not use the network of VMs on this host: 'users' of network.conf, group 'tart'");
		return;
	}
	if (!accounts_connect(accounts, caller.uid, loop_now_ms(clients->options.loop))) {
		log_line(clients->options.log, "user %u has too many connections", caller.uid);
		turn_away(*fd, NETD_E_LIMIT, "there are too many connections to the keeper");
		return;
	}
	admit(clients, fd, &caller);
}

/* Some at a time, so that those who are here get their turn. */
#define ACCEPTED_AT_ONCE 16

static void clients_on_connection(void *ctx, uint32_t events)
{
	struct clients *clients = ctx;

	(void)events;
	for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
		CLEANUP_CLOSE int fd = -1;
		struct err err = { 0 };

		switch (sock_accept(clients->options.listen_fd, &fd, &err)) {
		case SOCK_DONE:
			take_in(clients, &fd);
			break;
		case SOCK_FAILED:
			/* Mostly EMFILE: the connection stays waiting, and would wake us for ever. */
			log_line(clients->options.log, "%s", err.text);
			loop_want(clients->source, 0);
			loop_arm(clients->pause, CLIENT_PAUSE_MS);
			return;
		case SOCK_LATER:
		case SOCK_CLOSED:
			return;
		}
	}
}

static void clients_on_pause_over(void *ctx)
{
	struct clients *clients = ctx;

	loop_want(clients->source, EPOLLIN);
}

static void clients_on_alone(void *ctx)
{
	struct clients *clients = ctx;
	struct client *next;

	log_line(clients->options.log, "there is no forwarder any more");
	for (struct client *client = clients->first; client; client = next) {
		next = client->next;
		if (client->state != REQUEST_ATTACHED)
			continue;
		keeper_let_go(clients->options.keeper, client);
		end(client);
	}
	if (keeper_n_nics(clients->options.keeper) == 0)
		loop_stop(clients->options.loop);
}

static void clients_on_linger(void *ctx)
{
	struct clients *clients = ctx;

	log_line(clients->options.log, "nobody is here any more");
	loop_stop(clients->options.loop);
}

bool clients_new(const struct clients_options *options, struct clients **ret, struct err *err)
{
	struct clients *clients = xcalloc(1, sizeof(*clients));

	clients->options = *options;
	clients->linger = loop_add_deadline(options->loop, clients_on_linger, clients);
	clients->pause = loop_add_deadline(options->loop, clients_on_pause_over, clients);
	clients->alone = loop_add_deadline(options->loop, clients_on_alone, clients);
	if (!loop_add_fd(options->loop, options->listen_fd, EPOLLIN, clients_on_connection, clients,
			 &clients->source, err)) {
		clients_free(clients);
		return false;
	}
	check_linger(clients);
	*ret = clients;
	return true;
}

void clients_free(struct clients *clients)
{
	struct client *next;

	if (!clients)
		return;
	for (struct client *client = clients->first; client; client = next) {
		next = client->next;
		free_client(client);
	}
	loop_remove(&clients->source);
	loop_remove(&clients->linger);
	loop_remove(&clients->pause);
	loop_remove(&clients->alone);
	free(clients);
}

void clients_on_change(struct clients *clients)
{
	if (!clients)
		return;
	check_linger(clients);
	if (!clients->forwarder)
		return;
	clients->forwarder->tell_forwards = true;
	/* Else flush() is on its way already. */
	if (clients->forwarder->queue.n == 0)
		flush(clients->forwarder);
}
