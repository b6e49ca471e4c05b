/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/share_arg.h: cli.md 3.2. */
#include "machine/share_arg.h"

#include "base/str.h"

#include "unit.h"

#define URL "https://example.com/archive.tar.gz"

static const struct {
	const char *name;
	const char *text;
	const char *share_name; /* NULL = none */
	const char *path;
	bool read_only;
	const char *tag;
	bool is_url;
} good[] = {
	{ "named", "build:/Users/admin/build", "build", "/Users/admin/build", false,
	  SHARE_DEFAULT_TAG, false },
	{ "named, ro", "build:/Users/admin/build:ro", "build", "/Users/admin/build", true,
	  SHARE_DEFAULT_TAG, false },
	{ "path", "/Users/admin/build", NULL, "/Users/admin/build", false, SHARE_DEFAULT_TAG,
	  false },
	{ "path, ro", "/Users/admin/build:ro", NULL, "/Users/admin/build", true, SHARE_DEFAULT_TAG,
	  false },
	{ "path, tag", "/Users/admin/build:tag=foo-bar", NULL, "/Users/admin/build", false,
	  "foo-bar", false },
	{ "ro, tag", "/Users/admin/build:ro,tag=foo-bar", NULL, "/Users/admin/build", true,
	  "foo-bar", false },
	{ "tag, ro", "/Users/admin/build:tag=foo-bar,ro", NULL, "/Users/admin/build", true,
	  "foo-bar", false },
	{ "URL", URL, NULL, URL, false, SHARE_DEFAULT_TAG, true },
	{ "URL with options", URL ":ro,tag=sometag", NULL, URL, true, "sometag", true },
	{ "named URL with options", "somename:" URL ":ro,tag=sometag", "somename", URL, true,
	  "sometag", true },
	{ "named http URL", "somename:http://example.com/a", "somename", "http://example.com/a",
	  false, SHARE_DEFAULT_TAG, true },
	{ "URL with port", "http://example.com:8080/a:ro", NULL, "http://example.com:8080/a", true,
	  SHARE_DEFAULT_TAG, true },
	{ "two colons stay", "name:a::b", "name", "a::b", false, SHARE_DEFAULT_TAG, false },
	{ "two colons at the front", "name::b", "name", ":b", false, SHARE_DEFAULT_TAG, false },
	{ "unknown last part", "name:/path:foo", "name", "/path:foo", false, SHARE_DEFAULT_TAG,
	  false },
	{ "relative", "src", NULL, "src", false, SHARE_DEFAULT_TAG, false },
	{ "home", "~/src:ro", NULL, "~/src", true, SHARE_DEFAULT_TAG, false },
	{ "longest tag", "/a:tag=123456789012345678901234567890123456", NULL, "/a", false,
	  "123456789012345678901234567890123456", false },
	{ "unknown item beside ro", "/a:foo,ro", NULL, "/a", true, SHARE_DEFAULT_TAG, false },
	{ "name with blanks and dots", "my .. src:/a", "my .. src", "/a", false, SHARE_DEFAULT_TAG,
	  false },
};

static void reads_shares(void **state)
{
	(void)state;
	each_row(good, row) {
		struct share_arg got = { 0 };
		struct err err = { 0 };

		check(share_arg_parse(span_of(row->text), &got, &err), "%s: %s", row->name,
		      err.text);
		check(row->share_name ? got.name.ptr && span_is(got.name, row->share_name) :
					!got.name.ptr,
		      "%s: name '%.*s'", row->name, SPAN_ARG(got.name));
		check(span_is(got.path, row->path), "%s: path '%.*s'", row->name,
		      SPAN_ARG(got.path));
		check(got.read_only == row->read_only, "%s: read-only", row->name);
		check(span_is(got.tag, row->tag), "%s: tag '%.*s'", row->name, SPAN_ARG(got.tag));
		check(got.is_url == row->is_url, "%s: URL or not", row->name);
	}
}

static const struct {
	const char *name;
	const char *text;
} bad[] = {
	{ "empty", "" },
	{ "only options", "ro" },
	{ "only options after a colon", ":ro" },
	{ "name without path", "name:" },
	{ "name without path, ro", "name::ro" },
	{ "no name", ":/path" },
	{ "empty tag", "/path:tag=" },
	{ "tag too long", "/a:tag=1234567890123456789012345678901234567" },
	{ "name .", ".:/path" },
	{ "name ..", "..:/path" },
	{ "name with a slash", "a/b:/path" },
};

static void refuses_shares(void **state)
{
	(void)state;
	each_row(bad, row) {
		struct share_arg got = { .read_only = true };
		struct err err = { 0 };

		check(!share_arg_parse(span_of(row->text), &got, &err), "%s: accepted", row->name);
		check(err.kind == ERR_USAGE, "%s: kind %d", row->name, (int)err.kind);
		check(got.read_only && !got.path.ptr, "%s: output changed", row->name);
	}
}

/* "tag=name>path,name>path[;...]", a root without name as "tag/path". */
static void describe(const struct share_groups *groups, struct str *out)
{
	vec_each(&groups->items, group) {
		if (out->len > 0)
			str_add_char(out, ';');
		str_addf(out, "%.*s", SPAN_ARG(group->tag));
		vec_each(&group->shares, share) {
			if (group->is_root)
				str_addf(out, "/%.*s", SPAN_ARG(share->path));
			else
				str_addf(out, "%s%.*s>%.*s", share == group->shares.v ? "=" : ",",
					 SPAN_ARG(share->name), SPAN_ARG(share->path));
		}
	}
}

static const struct {
	const char *name;
	const char *args[4];
	const char *want; /* NULL = refused */
} groupings[] = {
	{ "none", { NULL }, "" },
	{ "one unnamed", { "x:tag=t" }, "t/x" },
	{ "one named", { "n:x:tag=t" }, "t=n>x" },
	{ "several named", { "n:x:tag=t", "m:y:tag=t" }, "t=n>x,m>y" },
	{ "two tags", { "x:tag=t", "y:tag=u" }, "t/x;u/y" },
	{ "tags in the order of their first share",
	  { "n:x:tag=t", "y:tag=u", "m:z:tag=t" },
	  "t=n>x,m>z;u/y" },
	{ "later replaces earlier", { "n:x:tag=t", "m:y:tag=t", "n:z:tag=t" }, "t=n>z,m>y" },
	{ "same name under two tags", { "n:x:tag=t", "n:y:tag=u" }, "t=n>x;u=n>y" },
	{ "named and unnamed", { "n:x:tag=t", "y:tag=t" }, NULL },
	{ "two unnamed", { "x:tag=t", "y:tag=t" }, NULL },
	{ "second tag at fault", { "x:tag=t", "y:tag=u", "n:z:tag=u" }, NULL },
};

static void groups_by_tag(void **state)
{
	(void)state;
	each_row(groupings, row) {
		CLEANUP_STR struct str got = { 0 };
		struct share_arg args[ARRAY_LEN(row->args)];
		struct share_groups groups = { 0 };
		struct err err = { 0 };
		size_t n = 0;
		bool ok;

		for (; n < ARRAY_LEN(row->args) && row->args[n]; n++)
			check(share_arg_parse(span_of(row->args[n]), &args[n], &err), "%s: %s",
			      row->name, err.text);
		ok = share_groups_make(args, n, &groups, &err);
		check(ok == (row->want != NULL), "%s: %s", row->name, ok ? "accepted" : err.text);
		if (!ok) {
			check(err.kind == ERR_USAGE &&
				      strcmp(err.text,
					     "invalid --dir syntax: for multiple directory shares "
					     "each one of them should be named") == 0,
			      "%s: %s", row->name, err.text);
			continue;
		}
		describe(&groups, &got);
		check(strcmp(str_text(&got), row->want) == 0, "%s: %s", row->name, str_text(&got));
		share_groups_done(&groups);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_shares),
		cmocka_unit_test(refuses_shares),
		cmocka_unit_test(groups_by_tag),
	};

	return unit_main(tests);
}
