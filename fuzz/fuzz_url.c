/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: a base and a reference, one a line. What is accepted prints as what it was, and leads nowhere unexpected. */
#include "http/url.h"

#include "base/mem.h"
#include "fuzz.h"

static void check_same(const struct url *a, const struct url *b)
{
	fuzz_check(url_same_origin(a, b));
	fuzz_check(strcmp(a->target, b->target) == 0);
}

static void check_prints_the_same(const struct url *url)
{
	CLEANUP(url_done) struct url again = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	url_print(url, &text);
	fuzz_check(url_parse(str_span(&text), &again, &err));
	check_same(url, &again);
}

static void check_parts(const struct url *url)
{
	fuzz_check(url->port != 0 && url->host[0] && url->target[0] == '/');
	fuzz_check(!strpbrk(url->host, "/?#@\\% "));
	for (const char *c = url->target; *c; c++)
		fuzz_check((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f && *c != '#');
}

static void check_resolved(const char *base, struct span reference)
{
	CLEANUP(url_done) struct url url = { 0 };
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	if (!url_resolve(base, reference, &out, &err)) {
		fuzz_check(out.len == 0 && err.kind == ERR_GENERAL);
		return;
	}
	fuzz_check(url_parse(str_span(&out), &url, &err));
	check_parts(&url);
	fuzz_check(!strstr(url.target, "/../") || strchr(url.target, '?'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size);
	CLEANUP(url_done) struct url url = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };
	struct span line;

	if (size == 0 || !span_next(&rest, '\n', &line))
		return 0;
	if (!url_parse(line, &url, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && !url.host);
		return 0;
	}
	check_parts(&url);
	check_prints_the_same(&url);
	url_print(&url, &text);
	if (rest.ptr)
		check_resolved(str_text(&text), rest);
	return 0;
}
