/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of trace/trace.h: what is read from the environment. */
#include "trace/trace.h"

#include <string.h>

#include "unit.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

static const struct {
	const char *name;
	const char *text;
	bool ok;
} parents[] = {
	{ "as the standard shows it", "00-" TRACE "-" SPAN "-01", true },
	{ "not sampled", "00-" TRACE "-" SPAN "-00", true },
	{ "a later version with more fields", "01-" TRACE "-" SPAN "-01-more", true },
	{ "version 0 with more fields", "00-" TRACE "-" SPAN "-01-more", false },
	{ "the forbidden version", "ff-" TRACE "-" SPAN "-01", false },
	{ "no trace", "00-00000000000000000000000000000000-" SPAN "-01", false },
	{ "no span", "00-" TRACE "-0000000000000000-01", false },
	{ "upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false },
	{ "a digit short", "00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01", false },
	{ "a digit long", "00-" TRACE "0-" SPAN "-01", false },
	{ "no flags", "00-" TRACE "-" SPAN, false },
	{ "no hexadecimal", "00-zbf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01", false },
	{ "nothing", "", false },
	{ "dashes", "---", false },
};

static void reads_parents(void **state)
{
	static const uint8_t span_id[] = { 0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7 };

	(void)state;
	each_row(parents, row) {
		struct trace_parent parent;
		bool ok = trace_parent_parse(span_of(row->text), &parent);

		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : "refused");
		check(!ok || (parent.trace_id[0] == 0x4b && parent.trace_id[15] == 0x36 &&
			      memcmp(parent.span_id, span_id, sizeof(span_id)) == 0),
		      "%s: wrong numbers", row->name);
	}
}

static const struct {
	const char *name;
	const char *text;
	bool percent_encoded;
	const char *pairs;
} lists[] = {
	{ "none", NULL, false, "" },
	{ "empty", "", false, "" },
	{ "two", "A=B,C=D", false, "A:B;C:D;" },
	{ "blanks around", " A = B , C=D ", false, "A:B;C:D;" },
	{ "an equals sign in the value", "a=b=c", false, "a:b=c;" },
	{ "no equals sign", "x,A=B,,y", false, "A:B;" },
	{ "no key", "=x,A=B", false, "A:B;" },
	{ "no value", "A=", false, "A:;" },
	{ "percent signs kept", "A=%41", false, "A:%41;" },
	{ "percent signs decoded", "%41=a%2Cb%3d", true, "A:a,b=;" },
	{ "percent signs that encode nothing", "A=5%,B=%zz,C=%4", true, "A:5%;B:%zz;C:%4;" },
	{ "an encoded NUL stays encoded", "A=%00", true, "A:%00;" },
};

static void collect(void *ctx, const char *key, struct span value)
{
	str_addf(ctx, "%s:%.*s;", key, SPAN_ARG(value));
}

static void reads_pairs(void **state)
{
	(void)state;
	each_row(lists, row) {
		CLEANUP_STR struct str got = { 0 };

		trace_each_pair(row->text, row->percent_encoded, collect, &got);
		check(span_is(str_span(&got), row->pairs), "%s: got %s", row->name, str_text(&got));
	}
}

static void nothing_without_a_trace(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(trace_begin(NULL, "list"));
	assert_null(trace_begin_child(NULL, "pull"));
	trace_set_text(NULL, "a", span_of("b"));
	trace_set_texts(NULL, "a", NULL, 0);
	trace_set_bytes(NULL, "a", 1);
	trace_set_error(NULL, &err);
	trace_end(NULL);
	trace_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_parents),
		cmocka_unit_test(reads_pairs),
		cmocka_unit_test(nothing_without_a_trace),
	};

	return unit_main(tests);
}
