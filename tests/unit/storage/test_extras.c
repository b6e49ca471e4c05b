/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/extras.h. */
#include "storage/extras.h"

#include <string.h>

#include "unit.h"

#define CONFIG(extra)                                                           \
	"{\"version\":1,\"os\":\"linux\",\"arch\":\"amd64\",\"cpuCountMin\":1," \
	"\"cpuCount\":1,\"memorySizeMin\":1,\"memorySize\":1,"                  \
	"\"macAddress\":\"52:54:00:12:34:56\"" extra "}"

static const struct {
	const char *name;
	const char *config;
	bool ok;
	const char *cmdline; /* NULL = boots from firmware */
	bool has_initramfs;
	size_t n_disks;
} rows[] = {
	{ "none", CONFIG(""), true, NULL, false, 0 },
	{ "an empty object", CONFIG(",\"tartLinux\":{}"), true, NULL, false, 0 },
	{ "members of a later version", CONFIG(",\"tartLinux\":{\"more\":[1]}"), true, NULL, false,
	  0 },
	{ "a kernel", CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":\"quiet\"}}"), true, "quiet",
	  false, 0 },
	{ "a kernel without arguments", CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":\"\"}}"),
	  true, "", false, 0 },
	{ "an initramfs", CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":\"\",\"initramfs\":true}}"),
	  true, "", true, 0 },
	{ "disks", CONFIG(",\"tartLinux\":{\"disks\":[\"a.img\",\"b_2-c\"]}"), true, NULL, false,
	  2 },
	{ "no object", CONFIG(",\"tartLinux\":[]"), false, NULL, false, 0 },
	{ "boot is no object", CONFIG(",\"tartLinux\":{\"boot\":true}"), false, NULL, false, 0 },
	{ "no cmdline", CONFIG(",\"tartLinux\":{\"boot\":{}}"), false, NULL, false, 0 },
	{ "cmdline is no text", CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":1}}"), false, NULL,
	  false, 0 },
	{ "a line break in cmdline", CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":\"a\\nb\"}}"),
	  false, NULL, false, 0 },
	{ "initramfs is no flag",
	  CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":\"\",\"initramfs\":1}}"), false, NULL,
	  false, 0 },
	{ "disks are no list", CONFIG(",\"tartLinux\":{\"disks\":\"a\"}"), false, NULL, false, 0 },
	{ "a disk that is no text", CONFIG(",\"tartLinux\":{\"disks\":[1]}"), false, NULL, false,
	  0 },
	{ "a disk that is a path", CONFIG(",\"tartLinux\":{\"disks\":[\"../a\"]}"), false, NULL,
	  false, 0 },
	{ "the first disk", CONFIG(",\"tartLinux\":{\"disks\":[\"disk.img\"]}"), false, NULL, false,
	  0 },
	{ "a disk twice", CONFIG(",\"tartLinux\":{\"disks\":[\"a\",\"a\"]}"), false, NULL, false,
	  0 },
	{ "thirteen disks",
	  CONFIG(",\"tartLinux\":{\"disks\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
		 "\"10\",\"11\",\"12\",\"13\"]}"),
	  false, NULL, false, 0 },
};

static void reads(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(config_done) struct config config = { 0 };
		CLEANUP(extras_done) struct extras extras = { 0 };
		struct err err = { 0 };
		bool ok;

		check(config_parse(span_of(row->config), &config, &err), "%s: %s", row->name,
		      err.text);
		ok = extras_read(&config, &extras, &err);
		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : err.text);
		if (!ok)
			continue;
		check(extras.boots_kernel == (row->cmdline != NULL), "%s: kernel", row->name);
		check(!row->cmdline || strcmp(extras.cmdline, row->cmdline) == 0, "%s: cmdline",
		      row->name);
		check(extras.has_initramfs == row->has_initramfs, "%s: initramfs", row->name);
		check(extras.disks.n == row->n_disks, "%s: disks", row->name);
	}
}

static void a_long_cmdline_is_refused(void **state)
{
	CLEANUP_FREE char *text = NULL;
	struct err err = { 0 };
	char cmdline[EXTRAS_CMDLINE_MAX + 2];

	(void)state;
	for (size_t len = EXTRAS_CMDLINE_MAX; len <= EXTRAS_CMDLINE_MAX + 1; len++) {
		CLEANUP(config_done) struct config config = { 0 };
		CLEANUP(extras_done) struct extras extras = { 0 };

		memset(cmdline, 'x', len);
		cmdline[len] = '\0';
		free(text);
		text = xasprintf(CONFIG(",\"tartLinux\":{\"boot\":{\"cmdline\":\"%s\"}}"), cmdline);
		assert_true(config_parse(span_of(text), &config, &err));
		assert_int_equal(extras_read(&config, &extras, &err), len == EXTRAS_CMDLINE_MAX);
	}
}

static void what_is_stored_is_read(void **state)
{
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP(extras_done) struct extras stored = { .boots_kernel = true, .has_initramfs = true };
	CLEANUP(extras_done) struct extras got = { 0 };
	CLEANUP(extras_done) struct extras none = { 0 };
	struct err err = { 0 };

	(void)state;
	config_init_linux(&config, ARCH_ARM64);
	stored.cmdline = xstrdup("a \"b\" c");
	*vec_push(&stored.disks) = xstrdup("data.img");
	extras_store(&config, &stored);
	assert_true(extras_read(&config, &got, &err));
	assert_true(got.boots_kernel && got.has_initramfs);
	assert_string_equal(got.cmdline, stored.cmdline);
	assert_int_equal(got.disks.n, 1);
	assert_string_equal(got.disks.v[0], "data.img");
	extras_store(&config, &none);
	assert_null(json_member(config.tree, EXTRAS_KEY));
}

static const struct {
	const char *name;
	bool ok;
} names[] = {
	{ "a", true },
	{ "disk2.img", true },
	{ "a.b.c", true },
	{ "-_-", true },
	{ "", false },
	{ ".a", false },
	{ "a.", false },
	{ "..", false },
	{ "a/b", false },
	{ "a b", false },
	{ "\xc3\xa4", false },
	{ "config.json", false },
	{ "kernel", false },
	{ "initramfs", false },
	{ "overlay.qcow2", false },
	{ "disk.layers", false },
};

static void allows_names(void **state)
{
	(void)state;
	each_row(names, row)
		check(extras_disk_name_is_allowed(span_of(row->name)) == row->ok, "'%s'",
		      row->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(a_long_cmdline_is_refused),
		cmocka_unit_test(what_is_stored_is_read),
		cmocka_unit_test(allows_names),
	};

	return unit_main(tests);
}
