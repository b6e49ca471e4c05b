/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/pull_plan.h. */
#include "registry/pull_plan.h"

#include <string.h>

#include "image/layers.h"
#include "unit.h"

/* A layer for the tests: its data is told by a letter, '0' for zeros. */
struct want {
	char data;
	uint64_t data_bytes;
};

static void add_layer(struct manifest *manifest, const struct want *want)
{
	struct descriptor *layer = vec_push(&manifest->layers);
	char hex[DIGEST_HEX_SIZE];
	struct err err = { 0 };

	memset(hex, want->data, DIGEST_HEX_SIZE - 1);
	hex[DIGEST_HEX_SIZE - 1] = '\0';
	if (want->data == '0')
		assert_true(zeros_digest(want->data_bytes, hex, &err));
	layer->kind = LAYER_TART_DISK;
	layer->data_bytes = want->data_bytes;
	layer->size_bytes = want->data == '0' ? want->data_bytes / 200 : want->data_bytes / 2;
	(void)snprintf(layer->data_digest, sizeof(layer->data_digest), "sha256:%s", hex);
}

static void make(const struct want *wants, size_t n, struct manifest *manifest,
		 struct pull_plan *plan)
{
	struct err err = { 0 };

	vec_push(&manifest->layers)->kind = LAYER_TART_CONFIG;
	for (size_t i = 0; i < n; i++)
		add_layer(manifest, &wants[i]);
	vec_push(&manifest->layers)->kind = LAYER_TART_NVRAM;
	assert_true(pull_plan_make(manifest, plan, &err));
}

static struct journal_entry entry(char data, uint64_t offset, uint64_t data_bytes)
{
	struct journal_entry made = { .offset = offset, .data_bytes = data_bytes };

	memset(made.data_digest, data, DIGEST_HEX_SIZE - 1);
	return made;
}

static const struct want mixed[] = {
	{ 'a', 1000 }, { '0', 10000 }, { 'b', 1000 }, { 'a', 1000 }, { 'a', 500 }, { 'c', 0 },
};

static void places_layers(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
	CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };

	(void)state;
	make(mixed, ARRAY_LEN(mixed), &manifest, &plan);
	assert_int_equal(plan.layers.n, 6);
	assert_int_equal(plan.disk_bytes, 13500);
	assert_int_equal(plan.blob_bytes, 500 + 50 + 500 + 500 + 250);
	assert_int_equal(plan.layers.v[2].offset, 11000);
	assert_int_equal(plan.layers.v[2].number, 3);
	assert_true(plan.layers.v[1].is_zeros);
	assert_false(plan.layers.v[0].is_zeros);
}

static void finds_equal_layers(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
	CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };
	struct journal_entry a = entry('a', 0, 1000);
	struct journal_entry z = entry('z', 0, 1000);

	(void)state;
	make(mixed, ARRAY_LEN(mixed), &manifest, &plan);
	/* a, b, the shorter a, c; zeros are none. */
	assert_int_equal(plan.contents.n, 4);
	assert_ptr_equal(pull_plan_next(&plan, &plan.layers.v[0]), &plan.layers.v[3]);
	assert_null(pull_plan_next(&plan, &plan.layers.v[3]));
	assert_null(pull_plan_next(&plan, &plan.layers.v[4]));
	assert_int_equal(pull_plan_find(&plan, a.data_digest, 1000), 0);
	assert_int_equal(pull_plan_find(&plan, a.data_digest, 500), 2);
	assert_int_equal(pull_plan_find(&plan, a.data_digest, 501), PLAN_NONE);
	assert_int_equal(pull_plan_find(&plan, z.data_digest, 1000), PLAN_NONE);
	for (size_t i = 0; i < plan.contents.n; i++) {
		const struct descriptor *d = pull_plan_content(&plan, i)->descriptor;

		assert_int_equal(pull_plan_find(&plan, descriptor_data_hex(d), d->data_bytes), i);
	}
}

/* What claims to be zeros without being as small as those is fetched, and so is what costs too much to find out. */
static void does_not_hash_any_length_of_zeros(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
	CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };
	struct want wants[PLAN_ZEROS_LENGTHS_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wants); i++)
		wants[i] = (struct want){ '0', 100000 + i };
	make(wants, ARRAY_LEN(wants), &manifest, &plan);
	for (size_t i = 0; i < ARRAY_LEN(wants); i++)
		check(plan.layers.v[i].is_zeros == (i < PLAN_ZEROS_LENGTHS_MAX), "length %zu", i);
}

static void fetches_zeros_that_are_large(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
	CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };
	struct err err = { 0 };
	const struct want zeros = { '0', 100000 };

	(void)state;
	add_layer(&manifest, &zeros);
	manifest.layers.v[0].size_bytes = 100000;
	assert_true(pull_plan_make(&manifest, &plan, &err));
	assert_false(plan.layers.v[0].is_zeros);
}

static const struct {
	const char *name;
	struct journal_entry entries[3];
	size_t n;
	bool there[6];
	bool is_elsewhere;
} journals[] = {
	{ .name = "nothing" },
	{ "in its place", { { 0, 1000, "a" } }, 1, { true }, false },
	{ "in another place of the same data", { { 12000, 1000, "a" } }, 1, { [3] = true }, false },
	{ "in both", { { 12000, 1000, "a" }, { 0, 1000, "a" } }, 2, { true, [3] = true }, false },
	{ "elsewhere", { { 500, 1000, "b" } }, 1, { false }, true },
	{ "elsewhere, but also there",
	  { { 0, 1000, "a" }, { 500, 1000, "a" } },
	  2,
	  { true },
	  false },
	{ "of another length", { { 0, 999, "a" } }, 1, { false }, false },
	{ "of another image", { { 0, 1000, "z" } }, 1, { false }, false },
};

static void trusts_a_journal(void **state)
{
	(void)state;
	each_row(journals, row) {
		CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
		CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };
		CLEANUP(journal_text_done) struct journal_text journal = { .disk = { 0 } };

		make(mixed, ARRAY_LEN(mixed), &manifest, &plan);
		for (size_t i = 0; i < row->n; i++)
			*vec_push(&journal.entries) = entry(row->entries[i].data_digest[0],
							    row->entries[i].offset,
							    row->entries[i].data_bytes);
		pull_plan_trust(&plan, &journal);
		for (size_t i = 0; i < ARRAY_LEN(mixed); i++)
			check(plan.layers.v[i].is_there == row->there[i], "%s: layer %zu",
			      row->name, i);
		check(pull_plan_is_elsewhere(&plan, &journal) == row->is_elsewhere, "%s",
		      row->name);
	}
}

static void writes_what_is_there(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { .disk_bytes = 0 };
	CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };
	CLEANUP(journal_text_done) struct journal_text journal = { .disk = { 0 } };
	const struct journal_entry want = entry('b', 11000, 1000);

	(void)state;
	make(mixed, ARRAY_LEN(mixed), &manifest, &plan);
	plan.layers.v[2].is_there = true;
	pull_plan_add_entries(&plan, &journal);
	assert_int_equal(journal.entries.n, 1);
	assert_int_equal(journal.entries.v[0].offset, want.offset);
	assert_int_equal(journal.entries.v[0].data_bytes, want.data_bytes);
	assert_string_equal(journal.entries.v[0].data_digest, want.data_digest);
	pull_plan_distrust(&plan);
	assert_null(pull_plan_there(&plan, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_layers),
		cmocka_unit_test(finds_equal_layers),
		cmocka_unit_test(does_not_hash_any_length_of_zeros),
		cmocka_unit_test(fetches_zeros_that_are_large),
		cmocka_unit_test(trusts_a_journal),
		cmocka_unit_test(writes_what_is_there),
	};

	return unit_main(tests);
}
