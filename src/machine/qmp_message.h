/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of QEMU's machine protocol (QMP): cutting a byte stream into lines, understanding one line. Pure.
 *
 * Source: QEMU's docs/interop/qmp-spec. Each message is a JSON object on a line of its own. QEMU is not trusted:
 * a guest may have taken it over.
 */
#ifndef TART_MACHINE_QMP_MESSAGE_H
#define TART_MACHINE_QMP_MESSAGE_H

#include "base/err.h"
#include "base/json.h"
#include "base/span.h"

#define QMP_LINE_MAX \
	(1024 * 1024) /* bytes of one message; QEMU's longest here have some thousand */

/* Starts as { 0 }. */
struct qmp_splitter {
	char *buf;
	size_t len;
	size_t room;
	size_t start;   /* of the line that is next */
	size_t scanned; /* no line feed between start and here */
};

void qmp_splitter_add(struct qmp_splitter *splitter, struct span bytes);

enum qmp_line { QMP_LINE_FOUND, QMP_LINE_NONE, QMP_LINE_TOO_LONG };

/* The next whole line without its line end; empty ones are left out. It stays valid until the next add. A line
 * that is too long is told as soon as that is certain, before its end arrives, and again at every later call. */
enum qmp_line qmp_splitter_next(struct qmp_splitter *splitter, struct span *ret);

/* Whether there is the beginning of a line left. */
bool qmp_splitter_has_rest(const struct qmp_splitter *splitter);
void qmp_splitter_done(struct qmp_splitter *splitter);

enum qmp_kind {
	QMP_GREETING, /* data: the version */
	QMP_RETURN,   /* data: what the command returns */
	QMP_ERROR,    /* text: why the command failed */
	QMP_EVENT,    /* text: its name; data: its details, an object or NULL */
};

struct qmp_message {
	enum qmp_kind kind;
	bool has_id;
	uint64_t id; /* of the command answered */
	const char *text;
	const struct json *data;
	struct json *tree; /* owns text and data */
};

bool qmp_message_parse(struct span line, struct qmp_message *ret, struct err *err);
void qmp_message_done(struct qmp_message *message);

/* A command as a line with its end. `arguments` may be NULL. */
void qmp_command_print(const char *command, const struct json *arguments, uint64_t id,
		       struct str *out);

#endif
