/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/name.h. */
#include "storage/name.h"

#include <stdio.h>

#include "unit.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	const char *name; /* the whole name, and the row's */
	const char *host, *repository, *reference;
	bool by_digest;
	const char *path;
} remote[] = {
	{ "ghcr.io/cirruslabs/ubuntu", "ghcr.io", "cirruslabs/ubuntu", "latest", false,
	  "ghcr.io/cirruslabs/ubuntu/latest" },
	{ "ghcr.io/a/b:latest", "ghcr.io", "a/b", "latest", false, "ghcr.io/a/b/latest" },
	{ "ghcr.io/a/b:1.2.3-RC-1", "ghcr.io", "a/b", "1.2.3-RC-1", false,
	  "ghcr.io/a/b/1.2.3-RC-1" },
	{ "ghcr.io/a/b@sha256:" HEX, "ghcr.io", "a/b", "sha256:" HEX, true,
	  "ghcr.io/a/b/sha256:" HEX },
	{ "127.0.0.1:8080/a/b", "127.0.0.1:8080", "a/b", "latest", false,
	  "127.0.0.1%3A8080/a/b/latest" },
	{ "localhost/x", "localhost", "x", "latest", false, "localhost/x/latest" },
	{ "my-host.example.com:5000/Team/img_1.x:V2", "my-host.example.com:5000", "Team/img_1.x",
	  "V2", false, "my-host.example.com%3A5000/Team/img_1.x/V2" },
	{ "a/b", "a", "b", "latest", false, "a/b/latest" },
	{ "h/a.", "h", "a.", "latest", false, "h/a./latest" },
	{ "h/a-/b_:t", "h", "a-/b_", "t", false, "h/a-/b_/t" },
};

static void join(const struct name_path *path, struct str *out)
{
	vec_each(&path->parts, part)
		str_addf(out, "%s%s", part == path->parts.v ? "" : "/", *part);
}

static void splits_remote_names(void **state)
{
	(void)state;
	each_row(remote, row) {
		CLEANUP(remote_name_done) struct remote_name name = { 0 };
		CLEANUP(name_path_done) struct name_path path = { 0 };
		CLEANUP_STR struct str joined = { 0 };
		struct err err = { 0 };

		check(remote_name_parse(span_of(row->name), &name, &err), "%s: %s", row->name,
		      err.text);
		check(strcmp(name.host, row->host) == 0, "%s: host %s", row->name, name.host);
		check(strcmp(name.repository, row->repository) == 0, "%s: repository %s", row->name,
		      name.repository);
		check(strcmp(name.reference, row->reference) == 0, "%s: reference %s", row->name,
		      name.reference);
		check(name.by_digest == row->by_digest, "%s: kind", row->name);
		remote_name_path(&name, &path);
		join(&path, &joined);
		check(strcmp(str_text(&joined), row->path) == 0, "%s: path %s", row->name,
		      str_text(&joined));
		check(name_is_remote(row->name), "%s: not remote", row->name);
	}
}

static void prints_what_it_parses(void **state)
{
	(void)state;
	each_row(remote, row) {
		CLEANUP(remote_name_done) struct remote_name name = { 0 };
		CLEANUP(remote_name_done) struct remote_name again = { 0 };
		CLEANUP_STR struct str text = { 0 };
		struct err err = { 0 };

		assert_true(remote_name_parse(span_of(row->name), &name, &err));
		remote_name_print(&name, &text);
		check(remote_name_parse(str_span(&text), &again, &err), "%s: %s: %s", row->name,
		      str_text(&text), err.text);
		check(remote_name_compare(&name, &again) == 0, "%s: %s", row->name,
		      str_text(&text));
		check(span_starts_with(str_span(&text), row->name), "%s: %s", row->name,
		      str_text(&text));
	}
}

static const struct {
	const char *name;
	size_t len; /* 0 = strlen */
	size_t character;
} local[] = {
	{ "", 0, 1 },
	{ "debian", 0, 7 },
	{ "debian:latest", 0, 8 },
	{ "127.0.0.1:/a/b", 0, 11 },
	{ "ghcr.io/a/../b/c:latest", 0, 11 },
	{ "../ghcr.io/a", 0, 1 },
	{ "ghcr.io/..", 0, 9 },
	{ "ghcr.io/.a", 0, 9 },
	{ "ghcr.io/./a", 0, 9 },
	{ "ghcr.io//a", 0, 9 },
	{ "ghcr.io/a//b", 0, 11 },
	{ "/a/b", 0, 1 },
	{ "ghcr.io/", 0, 9 },
	{ "ghcr.io/a:..", 0, 11 },
	{ "ghcr.io/a:.", 0, 11 },
	{ "ghcr.io/a:-x", 0, 11 },
	{ "ghcr.io/a:_x", 0, 11 },
	{ "ghcr.io/a:x..y", 0, 13 },
	{ "ghcr.io/a:x--y", 0, 13 },
	{ "ghcr.io/a:x.", 0, 13 },
	{ "ghcr.io/a:x/../../y", 0, 12 },
	{ "ghcr.io/a:", 0, 11 },
	{ "ghcr.io/a@", 0, 0 },
	{ "ghcr.io/a@sha256:", 0, 18 },
	{ "ghcr.io/a@sha256:abcd", 0, 18 },
	{ "ghcr.io/a@sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", 0,
	  18 },
	{ "ghcr.io/a@sha256:" HEX "0", 0, 82 },
	{ "ghcr.io/a@sha256:" HEX ":t", 0, 82 },
	{ "ghcr.io/a@md5:00000000000000000000000000000000", 0, 0 },
	{ "ghcr.io/a@sha256:../../../x", 0, 18 },
	{ "ghcr.io/a:t@sha256:" HEX, 0, 12 },
	{ "ghcr.io/%2e%2e/a", 0, 9 },
	{ "ghcr.io/a%2Fb", 0, 10 },
	{ "touch\xc3\xa9.fr/a/b", 0, 6 },
	{ "ghcr.io/tou/ch\xc3\xa9", 0, 15 },
	{ "ghcr.io/a/b:touch\xc3\xa9", 0, 18 },
	{ "ghcr.io/a b", 0, 10 },
	{ "ghcr.io/a\0b", 11, 10 },
	{ "ghcr.io/a\n", 0, 10 },
	{ "https://ghcr.io/a/b", 0, 7 },
	{ "-h/a", 0, 1 },
	{ "h-/a", 0, 3 },
	{ "h..x/a", 0, 3 },
	{ "h_x/a", 0, 2 },
	{ "h:80x/a", 0, 5 },
	{ "ghcr.io/a__b", 0, 11 },
	{ "ghcr.io/a--b", 0, 11 },
};

static void says_where_a_name_stops_being_remote(void **state)
{
	(void)state;
	each_row(local, row) {
		size_t len = row->len ? row->len : strlen(row->name);
		struct remote_name name = { .host = NULL };
		struct err err = { 0 };
		char where[32];

		check(!remote_name_parse(span_make(row->name, len), &name, &err), "%s: accepted",
		      row->name);
		check(!name.host && !name.repository && !name.reference, "%s: output touched",
		      row->name);
		check(err.kind == ERR_REMOTE_NAME, "%s: kind %d", row->name, (int)err.kind);
		(void)snprintf(where, sizeof(where), " (character %zu)", row->character);
		if (row->character > 0)
			check(span_ends_with(span_of(err.text), where), "%s: %s", row->name,
			      err.text);
		else
			check(strcmp(err.text, "failed to parse remote name: unknown reference "
					       "format") == 0,
			      "%s: %s", row->name, err.text);
	}
}

/* A name with `n` times the letter x in the middle. */
static char *long_name(const char *before, size_t n, const char *after)
{
	struct str out = { 0 };

	str_add(&out, before);
	while (n-- > 0)
		str_add_char(&out, 'x');
	str_add(&out, after);
	return str_take(&out);
}

static void limits_path_components(void **state)
{
	static const struct {
		const char *name, *before, *after;
		size_t most;
	} rows[] = {
		{ "host", "", "/a", 255 },
		{ "host with a port, which grows when encoded", "", ":80/a", 250 },
		{ "namespace component", "h/a/", "/b:t", 255 },
		{ "tag", "h/a:", "", 255 },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_FREE char *fits = long_name(row->before, row->most, row->after);
		CLEANUP_FREE char *too_long = long_name(row->before, row->most + 1, row->after);

		check(name_is_remote(fits), "%s: %zu refused", row->name, row->most);
		check(!name_is_remote(too_long), "%s: %zu accepted", row->name, row->most + 1);
	}
}

static void takes_linear_time(void **state)
{
	struct str text = { 0 };

	(void)state;
	/* A backtracking matcher would not come back from this one. */
	str_add(&text, "h/");
	for (int i = 0; i < 100000; i++)
		str_add(&text, "a.a/");
	str_add_char(&text, '!');
	assert_false(name_is_remote(str_text(&text)));
	str_done(&text);
}

static void orders_names(void **state)
{
	static const char *const sorted[] = {
		"a/z:b",
		"a/z@sha256:" HEX,
		"b:80/a:t",
		"b:80/a/b:latest",
		"b:80/a/b:latest.1",
		"b:80/a/b:z",
		"b:80/a/b@sha256:" HEX,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			CLEANUP(remote_name_done) struct remote_name a = { 0 };
			CLEANUP(remote_name_done) struct remote_name b = { 0 };
			struct err err = { 0 };
			int order;

			assert_true(remote_name_parse(span_of(sorted[i]), &a, &err));
			assert_true(remote_name_parse(span_of(sorted[j]), &b, &err));
			order = remote_name_compare(&a, &b);
			check((order < 0) == (i < j) && (order > 0) == (i > j), "%s, %s: %d",
			      sorted[i], sorted[j], order);
		}
	}
}

static const struct {
	const char *name;
	const char *text;
	const char *problem; /* NULL: fine */
} locals[] = {
	{ "plain", "ubuntu", NULL },
	{ "space", "my vm", NULL },
	{ "colon", "a:b", NULL },
	{ "leading dot", ".hidden", NULL },
	{ "three dots", "...", NULL },
	{ "not ASCII", "touch\xc3\xa9", NULL },
	{ "empty", "", "is empty" },
	{ "dot", ".", "means a directory" },
	{ "dot dot", "..", "means a directory" },
	{ "slash", "a/b", "contains a '/'" },
	{ "newline", "a\nb", "contains a control character" },
	{ "delete", "a\x7f", "contains a control character" },
	{ "C1 control", "a\xc2\x9b", "contains a control character" },
	{ "Latin-1", "a\xe9", "is not UTF-8" },
	{ "like a temporary entry", ".tmp-1",
	  "starts with '.tmp-', which marks temporary entries" },
};

static void checks_local_names(void **state)
{
	CLEANUP_FREE char *fits = long_name("", 255, "");
	CLEANUP_FREE char *too_long = long_name("", 256, "");

	(void)state;
	each_row(locals, row) {
		const char *problem = name_local_problem(row->text);

		check((problem == NULL) == (row->problem == NULL), "%s: %s", row->name,
		      problem ? problem : "accepted");
		check(!problem || strcmp(problem, row->problem) == 0, "%s: %s", row->name, problem);
	}
	assert_null(name_local_problem(fits));
	assert_string_equal(name_local_problem(too_long), "is longer than 255 bytes");
}

static void decodes_hosts(void **state)
{
	CLEANUP_STR struct str host = { 0 };

	(void)state;
	name_decode_host("127.0.0.1%3A8080", &host);
	assert_string_equal(str_text(&host), "127.0.0.1:8080");
	str_clear(&host);
	name_decode_host("a%2e%3", &host);
	assert_string_equal(str_text(&host), "a%2e%3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_remote_names),
		cmocka_unit_test(prints_what_it_parses),
		cmocka_unit_test(says_where_a_name_stops_being_remote),
		cmocka_unit_test(limits_path_components),
		cmocka_unit_test(takes_linear_time),
		cmocka_unit_test(orders_names),
		cmocka_unit_test(checks_local_names),
		cmocka_unit_test(decodes_hosts),
	};

	return unit_main(tests);
}
