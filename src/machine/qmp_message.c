/* SPDX-License-Identifier: Apache-2.0 */
/* QMP's messages. */
#include "machine/qmp_message.h"

#include <string.h>

#include "base/mem.h"

static void drop_read_part(struct qmp_splitter *splitter)
{
	if (splitter->start == 0)
		return;
	memmove(splitter->buf, splitter->buf + splitter->start, splitter->len - splitter->start);
	splitter->len -= splitter->start;
	splitter->scanned -= splitter->start;
	splitter->start = 0;
}

void qmp_splitter_add(struct qmp_splitter *splitter, struct span bytes)
{
	drop_read_part(splitter);
	while (splitter->room - splitter->len < bytes.len)
		splitter->buf = mem_grow(splitter->buf, &splitter->room, 1);
	if (bytes.len > 0)
		memcpy(splitter->buf + splitter->len, bytes.ptr, bytes.len);
	splitter->len += bytes.len;
}

/* Finds the end of the line at `start`; false when it has not arrived. */
static bool find_end(struct qmp_splitter *splitter, size_t *ret_end)
{
	const char *feed = NULL;

	if (splitter->scanned < splitter->len)
		feed = memchr(splitter->buf + splitter->scanned, '\n',
			      splitter->len - splitter->scanned);
	splitter->scanned = feed ? (size_t)(feed - splitter->buf) : splitter->len;
	*ret_end = splitter->scanned;
	return feed != NULL;
}

enum qmp_line qmp_splitter_next(struct qmp_splitter *splitter, struct span *ret)
{
	size_t end;

	while (find_end(splitter, &end)) {
		struct span line = span_make(splitter->buf + splitter->start,
					     end - splitter->start);

		if (line.len > QMP_LINE_MAX)
			return QMP_LINE_TOO_LONG;
		splitter->start = end + 1;
		splitter->scanned = end + 1;
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0) {
			*ret = line;
			return QMP_LINE_FOUND;
		}
	}
	return splitter->len - splitter->start > QMP_LINE_MAX ? QMP_LINE_TOO_LONG : QMP_LINE_NONE;
}

bool qmp_splitter_has_rest(const struct qmp_splitter *splitter)
{
	return splitter->start < splitter->len;
}

void qmp_splitter_done(struct qmp_splitter *splitter)
{
	free(splitter->buf);
	*splitter = (struct qmp_splitter){ 0 };
}

static bool understand_greeting(struct qmp_message *message, const struct json *value,
				struct err *err)
{
	if (!json_is_object(value))
		return err_set(err, ERR_GENERAL, "a greeting that is no object");
	message->kind = QMP_GREETING;
	message->data = json_member(value, "version");
	return true;
}

static bool understand_return(struct qmp_message *message, const struct json *value,
			      struct err *err)
{
	(void)err;
	message->kind = QMP_RETURN;
	message->data = value;
	return true;
}

static bool understand_error(struct qmp_message *message, const struct json *value, struct err *err)
{
	message->kind = QMP_ERROR;
	message->text = json_member_text(value, "desc");
	if (!message->text)
		return err_set(err, ERR_GENERAL, "an error without a description");
	return true;
}

static bool understand_event(struct qmp_message *message, const struct json *value, struct err *err)
{
	message->kind = QMP_EVENT;
	if (json_type(value) != JSON_STRING)
		return err_set(err, ERR_GENERAL, "an event without a name");
	message->text = json_text(value);
	message->data = json_member(message->tree, "data");
	if (message->data && !json_is_object(message->data))
		return err_set(err, ERR_GENERAL, "an event whose details are no object");
	return true;
}

/* The member that tells what a message is. */
static const struct {
	const char *key;
	bool (*understand)(struct qmp_message *message, const struct json *value, struct err *err);
} shapes[] = {
	{ "QMP", understand_greeting },
	{ "return", understand_return },
	{ "error", understand_error },
	{ "event", understand_event },
};

static bool understand(struct qmp_message *message, struct err *err)
{
	const struct json *id = json_member(message->tree, "id");
	size_t found = ARRAY_LEN(shapes);

	if (!json_is_object(message->tree))
		return err_set(err, ERR_GENERAL, "a message that is no object");
	message->has_id = id != NULL;
	if (id && !json_get_u64(id, &message->id))
		return err_set(err, ERR_GENERAL, "an id that is none of ours");
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (!json_member(message->tree, shapes[i].key))
			continue;
		if (found < ARRAY_LEN(shapes))
			return err_set(err, ERR_GENERAL, "a message of two kinds");
		found = i;
	}
	if (found == ARRAY_LEN(shapes))
		return err_set(err, ERR_GENERAL, "a message of no known kind");
	return shapes[found].understand(message, json_member(message->tree, shapes[found].key),
					err);
}

bool qmp_message_parse(struct span line, struct qmp_message *ret, struct err *err)
{
	struct qmp_message message = { 0 };

	if (!json_parse(line, &message.tree, err))
		return false;
	if (!understand(&message, err)) {
		qmp_message_done(&message);
		return false;
	}
	*ret = message;
	return true;
}

void qmp_message_done(struct qmp_message *message)
{
	json_free(message->tree);
	*message = (struct qmp_message){ 0 };
}

void qmp_command_print(const char *command, const struct json *arguments, uint64_t id,
		       struct str *out)
{
	CLEANUP_JSON struct json *tree = json_object();

	(void)json_set(tree, "execute", json_string(command));
	if (arguments)
		(void)json_set(tree, "arguments", json_dup(arguments));
	(void)json_set(tree, "id", json_u64(id));
	json_print(tree, JSON_COMPACT, out);
	str_add_char(out, '\n');
}
