/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/container_config.h. */
#include "registry/container_config.h"

#include <string.h>

#include "unit.h"

#define ID_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define CONFIG(arch, ids) "{\"architecture\":\"" arch "\",\"rootfs\":{\"diff_ids\":[" ids "]}}"

static const struct {
	const char *name;
	const char *text;
	size_t n_layers;
	bool ok;
} rows[] = {
	{ "one layer", CONFIG("amd64", "\"" ID_A "\""), 1, true },
	{ "two layers", CONFIG("arm64", "\"" ID_A "\",\"" ID_B "\""), 2, true },
	{ "none", CONFIG("amd64", ""), 0, true },
	{ "one too few", CONFIG("amd64", "\"" ID_A "\""), 2, false },
	{ "one too many", CONFIG("amd64", "\"" ID_A "\",\"" ID_B "\""), 1, false },
	{ "another architecture", CONFIG("s390x", "\"" ID_A "\""), 1, false },
	{ "no architecture", "{\"rootfs\":{\"diff_ids\":[]}}", 0, false },
	{ "another digest", CONFIG("amd64", "\"md5:aa\""), 1, false },
	{ "upper case",
	  CONFIG("amd64",
		 "\"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
	  1, false },
	{ "no text", CONFIG("amd64", "1"), 1, false },
	{ "no rootfs", "{\"architecture\":\"amd64\"}", 1, false },
	{ "no object", "[]", 0, false },
	{ "no JSON", "", 0, false },
};

static void parses(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(container_config_done) struct container_config config = { 0 };
		struct err err = { 0 };
		bool ok = container_config_parse(span_of(row->text), row->n_layers, &config, &err);

		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : err.text);
		check(!ok || config.diff_ids.n == row->n_layers, "%s: %zu", row->name,
		      config.diff_ids.n);
	}
}

static void keeps_order(void **state)
{
	CLEANUP(container_config_done) struct container_config config = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(container_config_parse(span_of(CONFIG("arm64", "\"" ID_A "\",\"" ID_B "\"")), 2,
					   &config, &err));
	assert_int_equal(config.arch, ARCH_ARM64);
	assert_string_equal(config.diff_ids.v[0], ID_A);
	assert_string_equal(config.diff_ids.v[1], ID_B);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(keeps_order),
	};

	return unit_main(tests);
}
