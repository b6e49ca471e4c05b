/* SPDX-License-Identifier: Apache-2.0 */
/* Directory shares, one a line: parts lie inside the text, names can be directories, groups lose and invent nothing. */
#include "machine/share_arg.h"

#include "fuzz.h"

#define ARGS_MAX 16

static void check_inside(struct span part, struct span whole)
{
	fuzz_check(part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_share(const struct share_arg *share, struct span text)
{
	check_inside(share->path, text);
	fuzz_check(share->path.len > 0);
	fuzz_check(share->tag.len >= 1 && share->tag.len <= SHARE_TAG_MAX);
	if (!share->name.ptr)
		return;
	check_inside(share->name, text);
	fuzz_check(share->name.len > 0 && span_find(share->name, '/') == share->name.len);
	fuzz_check(!span_is(share->name, ".") && !span_is(share->name, ".."));
}

static void check_group(const struct share_group *group)
{
	fuzz_check(group->shares.n > 0);
	fuzz_check(!group->is_root || group->shares.n == 1);
	for (size_t i = 0; i < group->shares.n; i++) {
		const struct share_arg *share = &group->shares.v[i];

		fuzz_check(span_equal(share->tag, group->tag));
		fuzz_check((share->name.ptr == NULL) == group->is_root);
		for (size_t j = 0; j < i; j++)
			fuzz_check(!span_equal(share->name, group->shares.v[j].name));
	}
}

static void check_groups(const struct share_arg *args, size_t n)
{
	struct share_groups groups = { 0 };
	struct err err = { 0 };
	size_t total = 0;

	if (!share_groups_make(args, n, &groups, &err)) {
		fuzz_check(n >= 2 && err.kind == ERR_USAGE && !groups.items.v);
		return;
	}
	vec_each(&groups.items, group) {
		check_group(group);
		total += group->shares.n;
	}
	fuzz_check(total <= n && (total > 0) == (n > 0));
	share_groups_done(&groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size);
	struct share_arg args[ARGS_MAX];
	struct span line;
	size_t n = 0;

	while (n < ARGS_MAX && span_next(&rest, '\n', &line)) {
		struct err err = { 0 };

		if (!share_arg_parse(line, &args[n], &err)) {
			fuzz_check(err.kind == ERR_USAGE && err.text[0]);
			continue;
		}
		check_share(&args[n++], line);
	}
	check_groups(args, n);
	return 0;
}
