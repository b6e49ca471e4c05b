/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's answer: the first line of input is a header, the rest the body of an error. */
#include "base/utf8.h"
#include "fuzz.h"
#include "registry/headers.h"
#include "registry/session_error.h"

static void check_header(struct span header)
{
	struct content_range range = { 0 };
	CLEANUP_STR struct str text = { 0 };
	uint64_t end = 0;

	if (content_range_parse(header, &range)) {
		fuzz_check(range.first <= range.last);
		fuzz_check(!range.has_total || range.last < range.total);
	}
	if (upload_range_parse(header, &end))
		fuzz_check(end > 1);
	if (warning_parse(header, &text)) {
		fuzz_check(text.len > 0 && text.len <= WARNING_TEXT_MAX);
		return;
	}
	fuzz_check(text.len == 0);
}

static size_t characters(const char *text)
{
	struct span rest = span_of(text);
	size_t n = 0;

	while (rest.len > 0) {
		size_t len = utf8_len(rest);

		rest = span_from(rest, len > 0 ? len : 1);
		n++;
	}
	return n;
}

static void check_body(struct span body)
{
	static const int statuses[] = { 400, 401, 403, 404, 429, 500 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		for (int view = REFUSAL_PULL; view <= REFUSAL_ANONYMOUS_TOKEN; view++) {
			struct err err = { 0 };

			fuzz_check(!refusal_describe(statuses[i], body, (enum refusal_view)view,
						     &err));
			fuzz_check(strncmp(err.text, "HTTP ", 5) == 0 && !strchr(err.text, '\n'));
			fuzz_check(!strchr(err.detail, '\n'));
			fuzz_check(characters(err.detail) <= REFUSAL_SHOWN_MAX + 3);
			fuzz_check(view < REFUSAL_TOKEN || !err.detail[0]);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(size > 0 ? (const char *)data : "", size);
	struct span header = span_make("", 0);

	(void)span_next(&rest, '\n', &header);
	check_header(header);
	check_body(rest.ptr ? rest : span_make("", 0));
	return 0;
}
