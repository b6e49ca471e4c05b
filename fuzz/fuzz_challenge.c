/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate: a line of input is a header. What is chosen, printed with quotes, is parsed as the same again. */
#include "registry/challenge.h"

#include "base/str.h"
#include "fuzz.h"

static void print(const struct challenge *challenge, struct str *out)
{
	const char *separator = " ";

	str_add(out, challenge->scheme_text);
	vec_each(&challenge->params, p) {
		str_addf(out, "%s%s=\"", separator, p->key);
		for (const char *c = p->value; *c; c++) {
			if (*c == '"' || *c == '\\')
				str_add_char(out, '\\');
			str_add_char(out, *c);
		}
		str_add_char(out, '"');
		separator = ", ";
	}
}

static void check_parses_again(const struct challenge *challenge)
{
	CLEANUP(challenge_list_done) struct challenge_list again = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	print(challenge, &text);
	if (text.len > CHALLENGE_HEADER_MAX)
		return;
	fuzz_check(challenge_list_parse(str_span(&text), &again, &err));
	fuzz_check(again.items.n == 1 && again.items.v->scheme == challenge->scheme);
	fuzz_check(again.items.v->params.n == challenge->params.n);
	for (size_t i = 0; i < challenge->params.n; i++)
		fuzz_check(strcmp(again.items.v->params.v[i].value, challenge->params.v[i].value) ==
			   0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(challenge_done) struct challenge challenge = { 0 };
	struct span rest = span_make(size > 0 ? (const char *)data : "", size);
	struct span headers[4];
	struct err err = { 0 };
	size_t n = 0;

	while (n < 3 && span_next(&rest, '\n', &headers[n]))
		n++;
	if (rest.ptr)
		headers[n++] = rest;
	if (!challenge_choose(headers, n, &challenge, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && !challenge.scheme_text);
		return 0;
	}
	fuzz_check(challenge.scheme != CHALLENGE_BEARER || *challenge.realm);
	fuzz_check(challenge.scheme == CHALLENGE_BASIC || challenge.params.n > 0);
	check_parses_again(&challenge);
	return 0;
}
