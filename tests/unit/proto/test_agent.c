/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of proto/agent.h: the bytes of guest-agent.md 5.1, what comes back from them, and what is refused. */
#include "proto/agent.h"

#include <string.h>

#include "base/mem.h"
#include "unit.h"

#define ROW_BYTES(text)                \
	{                              \
		text, sizeof(text) - 1 \
	}
#define BYTES(text) ((struct span)ROW_BYTES(text))

static const char *const cat_args[] = { "-n", "\xff", "", NULL };
static const char *const env[] = { "A=1", NULL };

static const struct {
	const char *name;
	struct agent_request request;
	struct span bytes;
} requests[] = {
	{ "command of 5.1",
	  { .kind = AGENT_COMMAND, .command = { .name = "cat", .interactive = true } },
	  ROW_BYTES("\x0a\x07\x0a\x03"
		    "cat\x18\x01") },
	{ "stdin of 5.1",
	  { .kind = AGENT_STDIN, .data = { "hi", 2 } },
	  ROW_BYTES("\x12\x04\x0a\x02hi") },
	{ "end of stdin", { .kind = AGENT_STDIN, .data = { "", 0 } }, ROW_BYTES("\x12\x00") },
	{ "resize",
	  { .kind = AGENT_RESIZE, .size = { 24, 80 } },
	  ROW_BYTES("\x1a\x04\x08\x18\x10\x50") },
	{ "signal", { .kind = AGENT_SIGNAL, .signal = 15 }, ROW_BYTES("\x22\x02\x08\x0f") },
	{ "arguments, terminal",
	  { .kind = AGENT_COMMAND,
	    .command = { .name = "cat",
			 .args = cat_args,
			 .n_args = 3,
			 .tty = true,
			 .has_size = true,
			 .size = { 1, 2 } } },
	  ROW_BYTES("\x0a\x16\x0a\x03"
		    "cat\x12\x02-n\x12\x01\xff\x12\x00\x20\x01\x2a\x04\x08\x01\x10\x02") },
	{ "environment, user, place",
	  { .kind = AGENT_COMMAND,
	    .command = { .name = "a",
			 .env = env,
			 .n_env = 1,
			 .cwd = "/",
			 .user = "u",
			 .clear_env = true } },
	  ROW_BYTES("\x0a\x10\x0a\x01"
		    "a\x32\x03"
		    "A=1\x3a\x01/\x42\x01u\x48\x01") },
	{ "nothing", { .kind = AGENT_REQUEST_OTHER }, ROW_BYTES("") },
};

static void same_text(const char *row, const char *got, const char *want)
{
	check(got && strcmp(got, want ? want : "") == 0, "%s: text", row);
}

static void same_texts(const char *row, const char *const *got, const char *const *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		same_text(row, got[i], want[i]);
	check(!got[n], "%s: list does not end", row);
}

static void same_command(const char *row, const struct agent_command *got,
			 const struct agent_command *want)
{
	check(got->n_args == want->n_args && got->n_env == want->n_env, "%s: counts", row);
	same_text(row, got->name, want->name);
	same_texts(row, got->args, want->args, want->n_args);
	same_texts(row, got->env, want->env, want->n_env);
	same_text(row, got->cwd, want->cwd);
	same_text(row, got->user, want->user);
	check(got->interactive == want->interactive && got->tty == want->tty &&
		      got->clear_env == want->clear_env && got->has_size == want->has_size &&
		      got->size.rows == want->size.rows && got->size.cols == want->size.cols,
	      "%s: flags or size", row);
}

static void requests_both_ways(void **state)
{
	(void)state;
	each_row(requests, row) {
		CLEANUP(agent_request_done) struct agent_request got = { 0 };
		CLEANUP_STR struct str bytes = { 0 };
		struct err err = { 0 };

		agent_request_encode(&row->request, &bytes);
		check(span_equal(str_span(&bytes), row->bytes), "%s: bytes", row->name);
		check(agent_request_decode(row->bytes, &got, &err), "%s: %s", row->name, err.text);
		check(got.kind == row->request.kind, "%s: kind", row->name);
		check(span_equal(got.data, row->request.data), "%s: data", row->name);
		check(got.signal == row->request.signal, "%s: signal", row->name);
		check(got.size.rows == row->request.size.rows &&
			      got.size.cols == row->request.size.cols,
		      "%s: size", row->name);
		if (got.kind == AGENT_COMMAND)
			same_command(row->name, &got.command, &row->request.command);
	}
}

static const struct {
	const char *name;
	struct agent_response response;
	struct span bytes;
} responses[] = {
	{ "exit 0", { .kind = AGENT_EXIT }, ROW_BYTES("\x0a\x00") },
	{ "exit 1", { .kind = AGENT_EXIT, .code = 1 }, ROW_BYTES("\x0a\x02\x08\x01") },
	{ "exit -1",
	  { .kind = AGENT_EXIT, .code = -1 },
	  ROW_BYTES("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") },
	{ "killed",
	  { .kind = AGENT_EXIT, .code = 137, .signal = 9 },
	  ROW_BYTES("\x0a\x05\x08\x89\x01\x10\x09") },
	{ "stdout",
	  { .kind = AGENT_STDOUT, .data = { "hi", 2 } },
	  ROW_BYTES("\x12\x04\x0a\x02hi") },
	{ "stderr",
	  { .kind = AGENT_STDERR, .data = { "\0", 1 } },
	  ROW_BYTES("\x1a\x03\x0a\x01\x00") },
	{ "started", { .kind = AGENT_STARTED, .pid = 7 }, ROW_BYTES("\x22\x02\x08\x07") },
	{ "start error",
	  { .kind = AGENT_START_ERROR, .error = 2, .error_text = "no" },
	  ROW_BYTES("\x2a\x06\x08\x02\x12\x02no") },
	{ "nothing", { .kind = AGENT_RESPONSE_OTHER }, ROW_BYTES("") },
};

static void responses_both_ways(void **state)
{
	(void)state;
	each_row(responses, row) {
		CLEANUP(agent_response_done) struct agent_response got = { 0 };
		CLEANUP_STR struct str bytes = { 0 };
		struct err err = { 0 };

		agent_response_encode(&row->response, &bytes);
		check(span_equal(str_span(&bytes), row->bytes), "%s: bytes", row->name);
		check(agent_response_decode(row->bytes, &got, &err), "%s: %s", row->name, err.text);
		check(got.kind == row->response.kind, "%s: kind", row->name);
		check(got.code == row->response.code && got.signal == row->response.signal &&
			      got.pid == row->response.pid && got.error == row->response.error,
		      "%s: numbers", row->name);
		check(span_equal(got.data, row->response.data), "%s: data", row->name);
		if (row->response.error_text)
			same_text(row->name, got.error_text, row->response.error_text);
	}
}

static const struct {
	const char *name;
	struct span bytes;
} bad_requests[] = {
	{ "cut in a length", ROW_BYTES("\x0a") },
	{ "cut in a field", ROW_BYTES("\x12\x04\x0a\x02h") },
	{ "inner beyond outer", ROW_BYTES("\x12\x02\x0a\x02hi") },
	{ "field number 0", ROW_BYTES("\x02\x00") },
	{ "a group", ROW_BYTES("\x0b\x0c") },
	{ "NUL in the name", ROW_BYTES("\x0a\x04\x0a\x02"
				       "a\0") },
	{ "NUL in an argument", ROW_BYTES("\x0a\x03\x12\x01\0") },
	{ "length of 2^64 - 1", ROW_BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") },
};

static void malformed_is_refused(void **state)
{
	(void)state;
	each_row(bad_requests, row) {
		struct agent_request got = { 0 };
		struct err err = { 0 };

		check(!agent_request_decode(row->bytes, &got, &err), "%s: accepted", row->name);
		check(err.kind == ERR_GENERAL && !got.memory, "%s: left something", row->name);
	}
}

static void unknown_fields_are_ignored(void **state)
{
	CLEANUP(agent_response_done) struct agent_response got = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(agent_response_decode(BYTES("\xfa\x01\x01x\x0a\x05\x08\x01\x9a\x06\x00"), &got,
					  &err));
	assert_int_equal(got.kind, AGENT_EXIT);
	assert_int_equal(got.code, 1);
	assert_true(agent_empty_decode(BYTES("\x0a\x01x"), &err));
	assert_false(agent_empty_decode(BYTES("\x0a\x02x"), &err));
}

/* Two bytes of input can ask for a struct: millions of them must not become hundreds of megabytes. */
static void memory_is_capped(void **state)
{
	enum { SIZE = 4 << 20 };
	CLEANUP_FREE char *bytes = xcalloc(SIZE + 5, 1);
	struct agent_request got = { 0 };
	struct err err = { 0 };

	(void)state;
	memcpy(bytes, "\x0a\x80\x80\x80\x02", 5); /* a command of 4 MiB: empty arguments */
	for (size_t i = 0; i < SIZE; i += 2)
		bytes[5 + i] = 0x12;
	assert_false(agent_request_decode(span_make(bytes, SIZE + 5), &got, &err));
	assert_null(got.memory);
}

static void addresses(void **state)
{
	CLEANUP(agent_ip_done) struct agent_ip got = { 0 };
	CLEANUP_STR struct str bytes = { 0 };
	struct err err = { 0 };

	(void)state;
	agent_ip_encode(&(struct agent_ip){ .ip = "10.0.2.15" }, &bytes);
	assert_true(span_equal(str_span(&bytes), BYTES("\x0a\x09"
						       "10.0.2.15")));
	assert_true(agent_ip_decode(str_span(&bytes), &got, &err));
	assert_string_equal(got.ip, "10.0.2.15");
	assert_false(agent_ip_decode(BYTES("\x0a\x01\0"), &got, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_both_ways),
		cmocka_unit_test(responses_both_ways),
		cmocka_unit_test(malformed_is_refused),
		cmocka_unit_test(unknown_fields_are_ignored),
		cmocka_unit_test(memory_is_capped),
		cmocka_unit_test(addresses),
	};

	return unit_main(tests);
}
