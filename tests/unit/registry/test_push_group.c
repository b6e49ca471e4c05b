/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/push_group.h. */
#include "registry/push_group.h"

#include <string.h>

#include "unit.h"

#define NAMES_MAX 6

static const struct {
	const char *name;
	const char *targets[NAMES_MAX];
	const char *want; /* the groups as they print, a line each */
} cases[] = {
	{ "one", { "h/a" }, "h/a:latest\n" },
	{ "two tags", { "h/a:1", "h/a:2" }, "h/a{:1,:2}\n" },
	{ "the same twice", { "h/a:latest", "h/a" }, "h/a:latest\n" },
	{ "tags in their order", { "h/a:z", "h/a:y", "h/a:x" }, "h/a{:z,:y,:x}\n" },
	{ "two repositories", { "h/a", "h/b" }, "h/a:latest\nh/b:latest\n" },
	{ "two hosts", { "h/a", "i/a" }, "h/a:latest\ni/a:latest\n" },
	{ "ports are part of the host", { "h:1/a", "h:2/a" }, "h:1/a:latest\nh:2/a:latest\n" },
	{ "mixed", { "h/a:1", "i/a:1", "h/a:2", "h/a/b:1" }, "h/a{:1,:2}\ni/a:1\nh/a/b:1\n" },
};

static void groups_by_repository(void **state)
{
	(void)state;
	each_row(cases, row) {
		struct remote_name names[NAMES_MAX] = { 0 };
		CLEANUP(push_groups_done) struct push_groups groups = { 0 };
		CLEANUP_STR struct str text = { 0 };
		struct err err = { 0 };
		size_t n = 0;

		for (; n < NAMES_MAX && row->targets[n]; n++)
			check(remote_name_parse(span_of(row->targets[n]), &names[n], &err),
			      "%s: %s", row->name, err.text);
		push_groups_make(names, n, &groups);
		vec_each(&groups.list, group) {
			push_group_print(group, &text);
			str_add_char(&text, '\n');
		}
		check(strcmp(str_text(&text), row->want) == 0, "%s: %s", row->name,
		      str_text(&text));
		for (size_t i = 0; i < n; i++)
			remote_name_done(&names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_by_repository),
	};

	return unit_main(tests);
}
