/* SPDX-License-Identifier: Apache-2.0 */
/* QMP: lines are the same however the bytes arrive, and what is understood as a message is one. */
#include "machine/qmp_message.h"

#include "fuzz.h"

static void check_message(struct span line)
{
	struct qmp_message message = { 0 };
	struct err err = { 0 };

	if (!qmp_message_parse(line, &message, &err)) {
		fuzz_check(!message.tree && err.kind == ERR_GENERAL && err.text[0]);
		return;
	}
	fuzz_check(json_is_object(message.tree));
	fuzz_check((message.kind == QMP_ERROR || message.kind == QMP_EVENT) ==
		   (message.text != NULL));
	fuzz_check(message.kind != QMP_RETURN || message.data);
	qmp_message_done(&message);
}

/* Cuts the whole input at once or byte by byte into one text with marks. */
static char *lines_of(struct span input, size_t step, bool parse)
{
	struct qmp_splitter splitter = { 0 };
	struct str out = { 0 };
	struct span line;

	while (input.len > 0) {
		size_t n = input.len < step ? input.len : step;

		qmp_splitter_add(&splitter, span_first(input, n));
		input = span_from(input, n);
		while (qmp_splitter_next(&splitter, &line) == QMP_LINE_FOUND) {
			fuzz_check(line.len > 0 && !memchr(line.ptr, '\n', line.len));
			str_add_escaped(&out, line);
			str_add_char(&out, '\n');
			if (parse)
				check_message(line);
		}
	}
	qmp_splitter_done(&splitter);
	return str_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	CLEANUP_FREE char *at_once = lines_of(input, size, true);
	CLEANUP_FREE char *by_bytes = lines_of(input, 1, false);
	CLEANUP_FREE char *by_sevens = lines_of(input, 7, false);

	fuzz_check(strcmp(at_once, by_bytes) == 0);
	fuzz_check(strcmp(at_once, by_sevens) == 0);
	return 0;
}
