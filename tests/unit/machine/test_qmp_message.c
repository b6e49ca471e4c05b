/* SPDX-License-Identifier: Apache-2.0 */
/* QMP lines and messages as a pure matter of bytes. */
#include "machine/qmp_message.h"

#include <string.h>

#include "base/mem.h"
#include "unit.h"

/* Feeds `text` in pieces of `step` bytes; the lines found, each followed by '|'. */
static char *lines_of(const char *text, size_t step)
{
	struct qmp_splitter splitter = { 0 };
	struct span rest = span_of(text);
	struct span line;
	struct str out = { 0 };

	while (rest.len > 0) {
		size_t n = rest.len < step ? rest.len : step;

		qmp_splitter_add(&splitter, span_first(rest, n));
		rest = span_from(rest, n);
		while (qmp_splitter_next(&splitter, &line) == QMP_LINE_FOUND) {
			str_add_span(&out, line);
			str_add_char(&out, '|');
		}
	}
	str_add(&out, qmp_splitter_has_rest(&splitter) ? "..." : "");
	qmp_splitter_done(&splitter);
	return str_take(&out);
}

static void cuts_lines_wherever_the_reads_end(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *want;
	} rows[] = {
		{ "one", "{}\r\n", "{}|" },
		{ "two", "{}\r\n[1]\r\n", "{}|[1]|" },
		{ "no carriage return", "a\nb\n", "a|b|" },
		{ "empty lines are left out", "\r\n\n\r\na\n\n", "a|" },
		{ "a beginning stays", "a\nb", "a|..." },
		{ "carriage return inside", "a\rb\r\n", "a\rb|" },
	};

	(void)state;
	each_row(rows, row) {
		for (size_t step = 1; step <= 8; step++) {
			CLEANUP_FREE char *got = lines_of(row->text, step);

			check(strcmp(got, row->want) == 0, "%s, steps of %zu: got %s", row->name,
			      step, got);
		}
	}
}

static void a_line_has_a_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool ended;
		enum qmp_line want;
	} rows[] = {
		{ "just fits", QMP_LINE_MAX, true, QMP_LINE_FOUND },
		{ "may still fit", QMP_LINE_MAX, false, QMP_LINE_NONE },
		{ "one more", QMP_LINE_MAX + 1, true, QMP_LINE_TOO_LONG },
		{ "one more, not ended", QMP_LINE_MAX + 1, false, QMP_LINE_TOO_LONG },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_FREE char *text = xcalloc(row->len + 1, 1);
		struct qmp_splitter splitter = { 0 };
		struct span line;

		memset(text, 'x', row->len);
		text[row->len] = '\n';
		qmp_splitter_add(&splitter, span_make(text, row->len + (row->ended ? 1 : 0)));
		check(qmp_splitter_next(&splitter, &line) == row->want, "%s", row->name);
		if (row->want == QMP_LINE_TOO_LONG)
			check(qmp_splitter_next(&splitter, &line) == row->want, "%s, again",
			      row->name);
		qmp_splitter_done(&splitter);
	}
}

static void understands_messages(void **state)
{
	static const struct {
		const char *name;
		const char *line;
		enum qmp_kind kind;
		bool has_id;
		uint64_t id;
		const char *text;
		const char *data; /* compact, NULL = none */
	} rows[] = {
		{ "greeting",
		  "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22}}, \"capabilities\": [\"oob\"]}}",
		  QMP_GREETING, false, 0, NULL, "{\"qemu\":{\"micro\":22}}" },
		{ "greeting of few words", "{\"QMP\": {}}", QMP_GREETING, false, 0, NULL, NULL },
		{ "return", "{\"return\": {}, \"id\": 1}", QMP_RETURN, true, 1, NULL, "{}" },
		{ "return of a text", "{\"return\": \"000000\\r\\n\", \"id\": 12}", QMP_RETURN,
		  true, 12, NULL, "\"000000\\r\\n\"" },
		{ "error",
		  "{\"id\": 3, \"error\": {\"class\": \"GenericError\", \"desc\": \"no such VM\"}}",
		  QMP_ERROR, true, 3, "no such VM", NULL },
		{ "error about a line",
		  "{\"error\": {\"class\": \"GenericError\", \"desc\": \"bad JSON\"}}", QMP_ERROR,
		  false, 0, "bad JSON", NULL },
		{ "event",
		  "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"SHUTDOWN\", \"data\": "
		  "{\"guest\": true, \"reason\": \"guest-shutdown\"}}",
		  QMP_EVENT, false, 0, "SHUTDOWN",
		  "{\"guest\":true,\"reason\":\"guest-shutdown\"}" },
		{ "event without data", "{\"event\": \"STOP\"}", QMP_EVENT, false, 0, "STOP",
		  NULL },
	};

	(void)state;
	each_row(rows, row) {
		struct qmp_message message = { 0 };
		CLEANUP_STR struct str data = { 0 };
		struct err err = { 0 };

		check(qmp_message_parse(span_of(row->line), &message, &err), "%s: %s", row->name,
		      err.text);
		check(message.kind == row->kind, "%s: kind", row->name);
		check(message.has_id == row->has_id && message.id == row->id, "%s: id", row->name);
		check((message.text == NULL) == (row->text == NULL), "%s: text", row->name);
		check(!row->text || strcmp(message.text, row->text) == 0, "%s: text", row->name);
		check((message.data == NULL) == (row->data == NULL), "%s: data", row->name);
		if (row->data) {
			json_print(message.data, JSON_COMPACT, &data);
			check(strcmp(str_text(&data), row->data) == 0, "%s: %s", row->name,
			      str_text(&data));
		}
		qmp_message_done(&message);
	}
}

static void refuses_what_is_no_message(void **state)
{
	static const struct {
		const char *name;
		const char *line;
	} rows[] = {
		{ "no JSON", "hello" },
		{ "no object", "[]" },
		{ "no kind", "{\"id\": 1}" },
		{ "two kinds", "{\"return\": {}, \"event\": \"STOP\"}" },
		{ "greeting that is no object", "{\"QMP\": 1}" },
		{ "error without a description", "{\"error\": {\"class\": \"GenericError\"}}" },
		{ "error that is a text", "{\"error\": \"x\"}" },
		{ "event without a name", "{\"event\": 3}" },
		{ "event with data that is a list", "{\"event\": \"STOP\", \"data\": []}" },
		{ "an id of a foreign kind", "{\"return\": {}, \"id\": \"a\"}" },
		{ "a negative id", "{\"return\": {}, \"id\": -1}" },
		{ "two objects", "{\"return\": {}}{\"return\": {}}" },
	};

	(void)state;
	each_row(rows, row) {
		struct qmp_message message = { .text = "untouched" };
		struct err err = { 0 };

		check(!qmp_message_parse(span_of(row->line), &message, &err), "%s: taken",
		      row->name);
		check(err.kind == ERR_GENERAL && err.text[0] != '\0', "%s: no reason", row->name);
		check(strcmp(message.text, "untouched") == 0, "%s: result touched", row->name);
	}
}

static void prints_commands(void **state)
{
	CLEANUP_JSON struct json *arguments = json_object();
	CLEANUP_STR struct str out = { 0 };

	(void)state;
	(void)json_set(arguments, "password", json_string("a\"b"));
	qmp_command_print("quit", NULL, 7, &out);
	qmp_command_print("set_password", arguments, 8, &out);
	assert_string_equal(
		str_text(&out),
		"{\"execute\":\"quit\",\"id\":7}\n"
		"{\"execute\":\"set_password\",\"arguments\":{\"password\":\"a\\\"b\"},\"id\":8}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lines_wherever_the_reads_end),
		cmocka_unit_test(a_line_has_a_limit),
		cmocka_unit_test(understands_messages),
		cmocka_unit_test(refuses_what_is_no_message),
		cmocka_unit_test(prints_commands),
	};

	return unit_main(tests);
}
