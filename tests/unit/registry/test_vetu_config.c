/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/vetu_config.h. */
#include "registry/vetu_config.h"

#include <string.h>

#include "storage/extras.h"
#include "unit.h"

#define CONFIG(more) \
	"{\"version\":1,\"arch\":\"arm64\",\"disks\":[{\"name\":\"root.img\"}]" more "}"

static const struct {
	const char *name;
	const char *text;
	bool ok;
} rows[] = {
	{ "the least", CONFIG(""), true },
	{ "everything",
	  CONFIG(",\"cmdline\":\"console=hvc0\",\"cpuCount\":255,\"memorySize\":4294967296,"
		 "\"macAddress\":\"52:54:00:00:00:01\""),
	  true },
	{ "zeros mean defaults", CONFIG(",\"cpuCount\":0,\"memorySize\":0,\"macAddress\":\"\""),
	  true },
	{ "nulls", CONFIG(",\"cmdline\":null,\"cpuCount\":null,\"macAddress\":null"), true },
	{ "unknown keys", CONFIG(",\"more\":{}"), true },
	{ "the first disk is disk.img",
	  "{\"version\":1,\"arch\":\"amd64\",\"disks\":[{\"name\":\"disk.img\"},{\"name\":\"b\"}]}",
	  true },
	{ "no JSON", "{", false },
	{ "no object", "[]", false },
	{ "no version", "{\"arch\":\"arm64\",\"disks\":[{\"name\":\"a\"}]}", false },
	{ "another version", "{\"version\":2,\"arch\":\"arm64\",\"disks\":[{\"name\":\"a\"}]}",
	  false },
	{ "no architecture", "{\"version\":1,\"disks\":[{\"name\":\"a\"}]}", false },
	{ "another architecture",
	  "{\"version\":1,\"arch\":\"riscv64\",\"disks\":[{\"name\":\"a\"}]}", false },
	{ "no disks", "{\"version\":1,\"arch\":\"arm64\"}", false },
	{ "an empty list of disks", "{\"version\":1,\"arch\":\"arm64\",\"disks\":[]}", false },
	{ "a disk without a name", "{\"version\":1,\"arch\":\"arm64\",\"disks\":[{}]}", false },
	{ "a disk that is a path",
	  "{\"version\":1,\"arch\":\"arm64\",\"disks\":[{\"name\":\"../a\"}]}", false },
	{ "a disk named as the configuration",
	  "{\"version\":1,\"arch\":\"arm64\",\"disks\":[{\"name\":\"config.json\"}]}", false },
	{ "the second disk is disk.img",
	  "{\"version\":1,\"arch\":\"arm64\",\"disks\":[{\"name\":\"a\"},{\"name\":\"disk.img\"}]}",
	  false },
	{ "two disks of one name",
	  "{\"version\":1,\"arch\":\"arm64\",\"disks\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
	  false },
	{ "256 CPUs", CONFIG(",\"cpuCount\":256"), false },
	{ "negative memory", CONFIG(",\"memorySize\":-1"), false },
	{ "a MAC that is none", CONFIG(",\"macAddress\":\"52:54\""), false },
	{ "a line break in cmdline", CONFIG(",\"cmdline\":\"a\\nb\""), false },
	{ "a number as cmdline", CONFIG(",\"cmdline\":1"), false },
};

static void parses(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(vetu_config_done) struct vetu_config vetu = { 0 };
		struct err err = { 0 };
		bool ok = vetu_config_parse(span_of(row->text), &vetu, &err);

		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : err.text);
	}
}

static void becomes_a_vm(void **state)
{
	static const char text[] =
		"{\"version\":1,\"arch\":\"arm64\",\"cmdline\":\"root=/dev/vda1\",\"cpuCount\":3,"
		"\"memorySize\":1073741824,\"macAddress\":\"52:54:00:00:00:01\","
		"\"disks\":[{\"name\":\"root.img\"},{\"name\":\"data.img\"}]}";
	CLEANUP(vetu_config_done) struct vetu_config vetu = { 0 };
	CLEANUP(config_done) struct config made = { 0 };
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP(extras_done) struct extras extras = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	struct err err = { 0 };
	char mac[MAC_TEXT_SIZE];

	(void)state;
	assert_true(vetu_config_parse(span_of(text), &vetu, &err));
	vetu_config_convert(&vetu, true, &made);
	config_print(&made, &printed);
	check(config_parse(str_span(&printed), &config, &err), "%s", err.text);
	assert_int_equal(config.os, OS_LINUX);
	assert_int_equal(config.arch, ARCH_ARM64);
	assert_int_equal(config.cpu_count, 3);
	assert_int_equal(config.cpu_count_min, 3);
	assert_int_equal(config.memory_bytes, 1 << 30);
	assert_int_equal(config.memory_min_bytes, 1 << 30);
	mac_print(&config.mac, mac);
	assert_string_equal(mac, "52:54:00:00:00:01");
	assert_true(extras_read(&config, &extras, &err));
	assert_true(extras.boots_kernel && extras.has_initramfs);
	assert_string_equal(extras.cmdline, "root=/dev/vda1");
	assert_int_equal(extras.disks.n, 1);
	assert_string_equal(extras.disks.v[0], "data.img");
}

static void defaults_are_ours(void **state)
{
	CLEANUP(vetu_config_done) struct vetu_config vetu = { 0 };
	CLEANUP(config_done) struct config config = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(vetu_config_parse(span_of(CONFIG("")), &vetu, &err));
	vetu_config_convert(&vetu, false, &config);
	assert_int_equal(config.cpu_count, 4);
	assert_int_equal(config.memory_bytes, (uint64_t)4096 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(becomes_a_vm),
		cmocka_unit_test(defaults_are_ours),
	};

	return unit_main(tests);
}
