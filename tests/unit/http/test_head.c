/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/head.h. */
#include "http/head.h"

#include "base/str.h"
#include "http/http.h"
#include "unit.h"

/* Gives the lines of a text, each with its line end, to *head. */
static bool add_text(struct head *head, const char *text, struct err *err)
{
	struct span rest = span_of(text);

	while (rest.len > 0) {
		size_t end = span_find(rest, '\n');
		size_t len = end < rest.len ? end + 1 : end;

		if (!head_add_line(head, span_first(rest, len), err))
			return false;
		rest = span_from(rest, len);
	}
	return true;
}

static void reads_statuses(void **state)
{
	static const struct {
		const char *name, *text;
		int status; /* 0: refused, with this kind */
	} rows[] = {
		{ "1.1", "HTTP/1.1 200 OK\r\n\r\n", 200 },
		{ "1.0 without reason", "HTTP/1.0 404\r\n\r\n", 404 },
		{ "2", "HTTP/2 503 \r\n\r\n", 503 },
		{ "bare line ends", "HTTP/1.1 206 Partial\n\n", 206 },
		{ "after an interim answer",
		  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\n", 201 },
		{ "two digits", "HTTP/1.1 20 OK\r\n\r\n", 0 },
		{ "four digits", "HTTP/1.1 2000 OK\r\n\r\n", 0 },
		{ "below 100", "HTTP/1.1 099 OK\r\n\r\n", 0 },
		{ "letters", "HTTP/1.1 OK\r\n\r\n", 0 },
		{ "sign", "HTTP/1.1 +20\r\n\r\n", 0 },
		{ "nothing", "HTTP/1.1\r\n\r\n", 0 },
		{ "no status line", "Content-Length: 5\r\n\r\n", 0 },
		{ "empty line", "\r\n", 0 },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(head_done) struct head head = { 0 };
		struct err err = { 0 };
		bool ok = add_text(&head, row->text, &err);

		check(ok == (row->status != 0), "%s: %s", row->name, ok ? "accepted" : err.text);
		check(!ok || (head.is_complete && head.status == row->status), "%s: got %d",
		      row->name, head.status);
		check(ok || err.kind == ERR_TRANSPORT, "%s: kind %d", row->name, (int)err.kind);
	}
}

static void finds_fields(void **state)
{
	CLEANUP(head_done) struct head head = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(add_text(&head,
			     "HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n"
			     "HTTP/1.1 200 OK\r\n"
			     "Link: \t one:two \t\r\n"
			     "link:second\r\n"
			     "Empty:\r\n"
			     "no colon\r\n"
			     ": no name\r\n"
			     "Blank : before the colon\r\n"
			     " Folded: line\r\n"
			     "\r\n"
			     "Link: trailer\r\n",
			     &err));
	assert_string_equal(head_find(&head, "LINK", 0), "one:two");
	assert_string_equal(head_find(&head, "link", 1), "second");
	assert_null(head_find(&head, "link", 2));
	assert_string_equal(head_find(&head, "empty", 0), "");
	assert_int_equal(head.fields.n, 3);
}

static void passes_over_nul(void **state)
{
	CLEANUP(head_done) struct head head = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(add_text(&head, "HTTP/1.1 200 OK\r\n", &err));
	assert_true(head_add_line(&head, span_make("A: b\0c\r\n", 8), &err));
	assert_true(head_add_line(&head, span_make("A\0: b\r\n", 7), &err));
	assert_int_equal(head.fields.n, 0);
}

/* Lines of 16 bytes until they are too many. */
static void size_is_capped(void **state)
{
	static const char *const starts[] = {
		"HTTP/1.1 200 \r\n",                      /* headers */
		"HTTP/1.1 200 \r\n\r\n",                  /* trailers */
		"HTTP/1.1 100 \r\n\r\nHTTP/1.1 100 \r\n", /* interim answers */
	};

	(void)state;
	each_row(starts, start) {
		CLEANUP(head_done) struct head head = { 0 };
		struct err err = { 0 };
		size_t n = 0;

		assert_true(add_text(&head, *start, &err));
		while (add_text(&head, "Name: 45678901\r\n", &err))
			assert_true(++n <= HTTP_HEADERS_MAX / 16);
		assert_int_equal(err.kind, ERR_GENERAL);
		assert_true(n >= HTTP_HEADERS_MAX / 16 - 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_statuses),
		cmocka_unit_test(finds_fields),
		cmocka_unit_test(passes_over_nul),
		cmocka_unit_test(size_is_capped),
	};

	return unit_main(tests);
}
