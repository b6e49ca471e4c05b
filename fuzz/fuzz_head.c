/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers: what is complete stays as it is, every field can be found, nothing exceeds the cap. */
#include "http/head.h"

#include "fuzz.h"
#include "http/http.h"

static bool is_trimmed(const char *value)
{
	size_t len = strlen(value);

	return len == 0 || (!strchr(" \t", value[0]) && !strchr(" \t", value[len - 1]));
}

static void check_fields(const struct head *head)
{
	vec_each(&head->fields, field) {
		fuzz_check(field->name[0] && !strpbrk(field->name, ":\n"));
		fuzz_check(!strchr(field->value, '\n') && is_trimmed(field->value));
		fuzz_check(head_find(head, field->name, 0) != NULL);
	}
}

static void check_state(const struct head *head)
{
	fuzz_check(head->bytes <= HTTP_HEADERS_MAX);
	fuzz_check(head->status == 0 || (head->status >= 100 && head->status <= 999));
	fuzz_check(!head->is_complete || head->status >= 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size);
	CLEANUP(head_done) struct head head = { 0 };
	struct err err = { 0 };

	while (rest.len > 0) {
		size_t end = span_find(rest, '\n');
		size_t len = end < rest.len ? end + 1 : end;
		const bool was_complete = head.is_complete;
		const int status = head.status;
		const size_t n = head.fields.n;

		if (!head_add_line(&head, span_first(rest, len), &err)) {
			fuzz_check(err.kind == ERR_GENERAL || err.kind == ERR_TRANSPORT);
			break;
		}
		fuzz_check(!was_complete || (head.status == status && head.fields.n == n));
		check_state(&head);
		rest = span_from(rest, len);
	}
	check_fields(&head);
	return 0;
}
