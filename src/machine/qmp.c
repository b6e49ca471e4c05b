/* SPDX-License-Identifier: Apache-2.0 */
/* The QMP client: negotiation, a queue of commands, replies, events. */
#include "machine/qmp.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "machine/qmp_message.h"

#define READ_SIZE (64 * 1024)

enum qmp_state { QMP_GREETS, QMP_NEGOTIATES, QMP_READY, QMP_CLOSED };

struct command {
	struct command *next;
	char *name;
	struct str line;
	size_t sent;
	int fd; /* goes with the first byte; -1 = none, or gone */
	uint64_t id;
	qmp_reply_fn *on_reply;
	void *ctx;
};

struct qmp {
	struct loop *loop;
	int fd;
	struct loop_source *source;
	struct loop_source *deadline; /* of the greeting, then of the command under way */
	struct qmp_limits limits;
	struct qmp_handlers handlers;
	void *ctx;
	enum qmp_state state;
	struct qmp_splitter input;
	struct command *first; /* queue; in QMP_NEGOTIATES and QMP_READY its head is under way */
	struct command **last;
	uint64_t next_id;
};

static void command_free(struct command *command)
{
	free(command->name);
	str_done(&command->line);
	if (command->fd >= 0)
		(void)close(command->fd);
	free(command);
}

static struct command *take_first(struct qmp *qmp)
{
	struct command *command = qmp->first;

	qmp->first = command->next;
	if (!qmp->first)
		qmp->last = &qmp->first;
	return command;
}

static void drop_queue(struct qmp *qmp)
{
	while (qmp->first)
		command_free(take_first(qmp));
}

static void disconnect(struct qmp *qmp)
{
	qmp->state = QMP_CLOSED;
	loop_remove(&qmp->source);
	loop_remove(&qmp->deadline);
	if (qmp->fd >= 0)
		(void)close(TAKE_FD(qmp->fd));
	drop_queue(qmp);
}

static void end(struct qmp *qmp, enum qmp_end how, const struct err *why)
{
	disconnect(qmp);
	qmp->handlers.on_closed(qmp->ctx, how, why);
}

static void fail(struct qmp *qmp, const struct err *why)
{
	end(qmp, QMP_BROKEN, why);
}

static void fail_with(struct qmp *qmp, const char *why)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_GENERAL, "%s", why);
	fail(qmp, &err);
}

/* Sends as much of the head of the queue as the socket takes. */
static void push_first(struct qmp *qmp)
{
	struct command *command = qmp->first;
	struct err err = { 0 };

	while (command->sent < command->line.len) {
		struct span rest = span_from(str_span(&command->line), command->sent);
		size_t sent = 0;

		switch (sock_send(qmp->fd, rest, &command->fd, command->fd >= 0 ? 1 : 0, &sent,
				  &err)) {
		case SOCK_DONE:
			command->sent += sent;
			if (command->fd >= 0)
				(void)close(TAKE_FD(command->fd));
			break;
		case SOCK_LATER:
			loop_want(qmp->source, EPOLLIN | EPOLLOUT);
			return;
		case SOCK_FAILED:
			(void)shutdown(qmp->fd, SHUT_RDWR);
			__attribute__((fallthrough));
		case SOCK_CLOSED: /* reading tells, after what is left to read */
			loop_want(qmp->source, EPOLLIN);
			return;
		}
	}
	loop_want(qmp->source, EPOLLIN);
}

static void start_first(struct qmp *qmp)
{
	if (!qmp->first || qmp->state != QMP_READY)
		return;
	loop_arm(qmp->deadline, qmp->limits.reply_ms);
	push_first(qmp);
}

static struct command *command_new(struct qmp *qmp, const char *name, const struct json *arguments)
{
	struct command *command = xcalloc(1, sizeof(*command));

	command->name = xstrdup(name);
	command->fd = -1;
	command->id = qmp->next_id++;
	qmp_command_print(name, arguments, command->id, &command->line);
	return command;
}

void qmp_send(struct qmp *qmp, const char *name, struct json *arguments, int fd,
	      qmp_reply_fn *on_reply, void *ctx)
{
	CLEANUP_JSON struct json *owned_arguments = arguments;
	CLEANUP_CLOSE int owned_fd = fd;
	struct command *command;
	bool idle = !qmp->first;

	if (qmp->state == QMP_CLOSED)
		return;
	command = command_new(qmp, name, owned_arguments);
	command->fd = TAKE_FD(owned_fd);
	command->on_reply = on_reply;
	command->ctx = ctx;
	*qmp->last = command;
	qmp->last = &command->next;
	if (idle)
		start_first(qmp);
}

/* The head of the queue is done with, one way or the other. */
static void finish_first(struct qmp *qmp, const struct json *result, const struct err *why)
{
	struct command *command = take_first(qmp);
	qmp_reply_fn *on_reply = command->on_reply;
	void *ctx = command->ctx;

	command_free(command);
	loop_disarm(qmp->deadline);
	if (on_reply)
		on_reply(ctx, result, why);
	start_first(
		qmp); /* unless the callback has closed the connection, or sent another one first */
}

static void capabilities_on_reply(void *ctx, const struct json *result, const struct err *why)
{
	struct qmp *qmp = ctx;

	if (!result) {
		fail(qmp, why);
		return;
	}
	qmp->state = QMP_READY;
	qmp->handlers.on_ready(qmp->ctx);
}

/* Goes to the head of the queue: what is waiting there may only be sent afterwards. */
static void negotiate(struct qmp *qmp)
{
	struct command *command = command_new(qmp, "qmp_capabilities", NULL);

	command->on_reply = capabilities_on_reply;
	command->ctx = qmp;
	command->next = qmp->first;
	if (!qmp->first)
		qmp->last = &command->next;
	qmp->first = command;
	qmp->state = QMP_NEGOTIATES;
	push_first(qmp);
}

static void reply_on_arrival(struct qmp *qmp, const struct qmp_message *message)
{
	struct command *command = qmp->state == QMP_GREETS ? NULL : qmp->first;
	struct err err = { 0 };

	if (message->has_id && (!command || message->id != command->id)) {
		if (message->id >= qmp->next_id || (command && message->id > command->id))
			fail_with(qmp, "QEMU answered a command that it was not given");
		return; /* else a reply that came too late */
	}
	if (!command || !message->has_id) {
		fail_with(qmp, "QEMU answered without being asked");
		return;
	}
	if (message->kind == QMP_RETURN) {
		finish_first(qmp, message->data, NULL);
		return;
	}
	(void)err_set(&err, ERR_GENERAL, "QEMU refused '%s': %s", command->name, message->text);
	finish_first(qmp, NULL, &err);
}

static void message_on_arrival(struct qmp *qmp, const struct qmp_message *message)
{
	switch (message->kind) {
	case QMP_GREETING:
		if (qmp->state == QMP_GREETS)
			negotiate(qmp);
		else
			fail_with(qmp, "QEMU greeted twice");
		break;
	case QMP_EVENT: /* before the negotiation QEMU sends none */
		if (qmp->state == QMP_GREETS)
			fail_with(qmp, "QEMU sent an event before its greeting");
		else
			qmp->handlers.on_event(qmp->ctx, message->text, message->data);
		break;
	case QMP_RETURN:
	case QMP_ERROR:
		reply_on_arrival(qmp, message);
		break;
	}
}

static void line_on_arrival(struct qmp *qmp, struct span line)
{
	struct qmp_message message = { 0 };
	struct err err = { 0 };

	if (!qmp_message_parse(line, &message, &err)) {
		(void)err_context(&err, "QEMU does not keep to its protocol");
		fail(qmp, &err);
		return;
	}
	message_on_arrival(qmp, &message);
	qmp_message_done(&message);
}

static void read_lines(struct qmp *qmp)
{
	struct span line;

	while (qmp->state != QMP_CLOSED) {
		switch (qmp_splitter_next(&qmp->input, &line)) {
		case QMP_LINE_FOUND:
			line_on_arrival(qmp, line);
			break;
		case QMP_LINE_NONE:
			return;
		case QMP_LINE_TOO_LONG:
			fail_with(
				qmp,
				"QEMU does not keep to its protocol: a message of more than 1 MiB");
			return;
		}
	}
}

static void end_on_arrival(struct qmp *qmp)
{
	const char *how = qmp_splitter_has_rest(&qmp->input) ? " in the middle of a message" :
			  qmp->state == QMP_GREETS           ? " without a greeting" :
							       "";
	struct err why = { 0 };

	(void)err_set(&why, ERR_GENERAL, "QEMU closed its control connection%s", how);
	end(qmp, QMP_LEFT, &why);
}

/* One read; false when nothing is left for now. */
static bool read_some(struct qmp *qmp)
{
	struct err err = { 0 };
	char buf[READ_SIZE];
	size_t len = 0;

	if (qmp->state == QMP_CLOSED)
		return false;
	switch (sock_recv(qmp->fd, buf, sizeof(buf), &len, NULL, 0, NULL, &err)) {
	case SOCK_DONE:
		qmp_splitter_add(&qmp->input, span_make(buf, len));
		read_lines(qmp);
		return true;
	case SOCK_LATER:
		return false;
	case SOCK_CLOSED:
		end_on_arrival(qmp);
		return false;
	case SOCK_FAILED:
		(void)err_context(&err, "the connection to QEMU");
		fail(qmp, &err);
		return false;
	}
	return false;
}

static void qmp_on_ready_fd(void *ctx, uint32_t events)
{
	struct qmp *qmp = ctx;

	if (events & EPOLLOUT && qmp->first && qmp->state >= QMP_NEGOTIATES)
		push_first(qmp);
	if (events & ~(uint32_t)EPOLLOUT)
		(void)read_some(qmp);
}

static void qmp_on_deadline(void *ctx)
{
	struct qmp *qmp = ctx;
	struct err err = { 0 };

	if (qmp->state != QMP_READY) {
		fail_with(qmp, "QEMU does not answer on its control connection");
		return;
	}
	(void)err_set(&err, ERR_GENERAL, "QEMU did not answer '%s' within %" PRIu64 " ms",
		      qmp->first->name, qmp->limits.reply_ms);
	finish_first(qmp, NULL, &err);
}

bool qmp_new(struct loop *loop, int fd, const struct qmp_limits *limits,
	     const struct qmp_handlers *handlers, void *ctx, struct qmp **ret, struct err *err)
{
	struct qmp *qmp = xcalloc(1, sizeof(*qmp));

	qmp->loop = loop;
	qmp->fd = fd;
	qmp->limits = *limits;
	qmp->handlers = *handlers;
	qmp->ctx = ctx;
	qmp->last = &qmp->first;
	qmp->next_id = 1;
	if (!loop_add_fd(loop, fd, EPOLLIN, qmp_on_ready_fd, qmp, &qmp->source, err)) {
		qmp_free(qmp);
		return false;
	}
	qmp->deadline = loop_add_deadline(loop, qmp_on_deadline, qmp);
	loop_arm(qmp->deadline, limits->greeting_ms);
	*ret = qmp;
	return true;
}

void qmp_free(struct qmp *qmp)
{
	if (!qmp)
		return;
	disconnect(qmp);
	qmp_splitter_done(&qmp->input);
	free(qmp);
}

bool qmp_is_ready(const struct qmp *qmp)
{
	return qmp->state == QMP_READY;
}

void qmp_drain(struct qmp *qmp)
{
	/* An end that has died cannot add to what its socket holds, but a process of its own could hold it open. */
	for (int reads = 0; reads < 256 && read_some(qmp); reads++)
		;
}
