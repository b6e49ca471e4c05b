/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/prune.h: the choices. tests/cli/prune.bats has what is then removed. */
#include "storage/prune.h"

#include "unit.h"

#define ITEMS_MAX 6

/* Latest access first, as the lists are: sizes, and how many seconds after 0 each was accessed. */
struct candidates {
	size_t n;
	uint64_t bytes[ITEMS_MAX];
	time_t accessed[ITEMS_MAX];
};

static void make_list(const struct candidates *c, struct prune_list *ret)
{
	static const char *const names[ITEMS_MAX] = { "a", "b", "c", "d", "e", "f" };

	for (size_t i = 0; i < c->n; i++)
		*vec_push(&ret->items) = (struct prune_candidate){
			.name = xstrdup(names[i]),
			.allocated_bytes = c->bytes[i],
			.accessed = { .tv_sec = c->accessed[i] },
		};
}

/* The names of the chosen ones, in order. */
static void chosen(const struct prune_list *list, char ret[ITEMS_MAX + 1])
{
	size_t n = 0;

	vec_each(&list->items, item) {
		if (item->chosen)
			ret[n++] = item->name[0];
	}
	ret[n] = 0;
}

static const struct {
	const char *name;
	struct candidates candidates;
	uint64_t budget;
	const char *chosen;
} budgets[] = {
	{ "nothing there", { 0, { 0 }, { 0 } }, 10, "" },
	{ "all fit", { 3, { 1, 2, 3 }, { 9, 8, 7 } }, 6, "" },
	{ "the oldest does not", { 3, { 1, 2, 3 }, { 9, 8, 7 } }, 5, "c" },
	{ "an older one that is smaller still fits",
	  { 4, { 6, 5, 3, 2 }, { 9, 8, 7, 6 } },
	  10,
	  "bd" },
	{ "exactly used up", { 3, { 4, 6, 1 }, { 9, 8, 7 } }, 10, "c" },
	{ "empty ones always fit", { 3, { 0, 1, 0 }, { 9, 8, 7 } }, 0, "b" },
	{ "no budget", { 2, { 1, 1 }, { 9, 8 } }, 0, "ab" },
	{ "the largest there is", { 2, { UINT64_MAX, 1 }, { 9, 8 } }, UINT64_MAX, "b" },
};

static void keeps_what_fits(void **state)
{
	(void)state;
	each_row(budgets, row) {
		CLEANUP(prune_list_done) struct prune_list list = { 0 };
		char names[ITEMS_MAX + 1];

		make_list(&row->candidates, &list);
		prune_choose_over_budget(&list, row->budget);
		chosen(&list, names);
		check(strcmp(names, row->chosen) == 0, "%s: chose %s", row->name, names);
	}
}

static void age_goes_before_space(void **state)
{
	static const struct candidates c = { 4, { 3, 4, 3, 1 }, { 9, 8, 7, 6 } };
	CLEANUP(prune_list_done) struct prune_list list = { 0 };
	char names[ITEMS_MAX + 1];

	(void)state;
	make_list(&c, &list);
	prune_choose_older(&list, 7);
	chosen(&list, names);
	assert_string_equal(names, "cd");
	/* What is gone already takes none of the budget. */
	prune_choose_over_budget(&list, 7);
	chosen(&list, names);
	assert_string_equal(names, "cd");
	prune_choose_over_budget(&list, 6);
	chosen(&list, names);
	assert_string_equal(names, "bcd");
}

static void age_counts_whole_seconds(void **state)
{
	static const struct candidates c = { 3, { 1, 1, 1 }, { 101, 100, 99 } };
	static const struct {
		const char *name;
		time_t when;
		const char *chosen;
	} rows[] = {
		{ "at the limit", 100, "bc" },
		{ "all", 101, "abc" },
		{ "none", 98, "" },
		{ "before time began", -1, "" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(prune_list_done) struct prune_list list = { 0 };
		char names[ITEMS_MAX + 1];

		make_list(&c, &list);
		prune_choose_older(&list, row->when);
		chosen(&list, names);
		check(strcmp(names, row->chosen) == 0, "%s: chose %s", row->name, names);
	}
}

static void knows_what_could_be_freed(void **state)
{
	static const struct candidates c = { 3, { 5, 3, 2 }, { 9, 8, 7 } };
	static const struct candidates huge = { 2, { UINT64_MAX, 1 }, { 9, 8 } };
	CLEANUP(prune_list_done) struct prune_list list = { 0 };
	CLEANUP(prune_list_done) struct prune_list huge_list = { 0 };

	(void)state;
	make_list(&c, &list);
	assert_true(prune_could_free(&list, 10, NULL));
	assert_false(prune_could_free(&list, 11, NULL));
	assert_true(prune_could_free(&list, 5, "a"));
	assert_false(prune_could_free(&list, 6, "a"));
	assert_true(prune_could_free(&list, 10, "z"));
	make_list(&huge, &huge_list);
	assert_true(prune_could_free(&huge_list, UINT64_MAX, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_fits),
		cmocka_unit_test(age_goes_before_space),
		cmocka_unit_test(age_counts_whole_seconds),
		cmocka_unit_test(knows_what_could_be_freed),
	};

	return unit_main(tests);
}
