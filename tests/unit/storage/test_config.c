/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/config.h: the text. test_config_file.c has the file. */
#include "storage/config.h"

#include "unit.h"

#define COUNTS                                            \
	"\"version\":1,\"cpuCountMin\":2,\"cpuCount\":3," \
	"\"memorySizeMin\":1073741824,\"memorySize\":18446744073709551615"
#define MAC  "\"macAddress\":\"7A:65:E4:3F:B2:2\""
#define BASE COUNTS "," MAC ",\"os\":\"linux\""

static const struct {
	const char *name;
	const char *text;
	const char *problem; /* NULL: accepted */
} rows[] = {
	{ "least for linux", "{" BASE "}", NULL },
	{ "nulls count as absent",
	  "{" BASE ",\"arch\":null,\"display\":null,\"displayRefit\":null,\"diskFormat\":null}",
	  NULL },
	{ "macOS",
	  "{" COUNTS "," MAC ",\"os\":\"darwin\",\"ecid\":\"YQ==\",\"hardwareModel\":\"\"}", NULL },
	{ "macOS by default", "{" COUNTS "," MAC ",\"ecid\":\"YQ==\",\"hardwareModel\":\"YQ==\"}",
	  NULL },
	{ "macOS without ecid", "{" COUNTS "," MAC ",\"hardwareModel\":\"YQ==\"}",
	  "config.json: 'ecid' must be a string (this is a macOS VM)" },
	{ "macOS without hardware model", "{" COUNTS "," MAC ",\"ecid\":\"YQ==\"}",
	  "config.json: 'hardwareModel' must be a string (this is a macOS VM)" },
	{ "unknown disk format", "{" BASE ",\"diskFormat\":\"qcow3\"}", NULL },
	{ "display with unit and more",
	  "{" BASE ",\"display\":{\"unit\":\"px\",\"width\":1,\"height\":2,\"x\":[]}}", NULL },
	{ "not JSON", "{", "config.json: invalid JSON at byte 1: not a JSON string" },
	{ "not an object", "[1]", "config.json is not a JSON object" },
	{ "empty", "", "config.json: invalid JSON at byte 0: not a JSON value" },
	{ "key twice", "{" BASE ",\"os\":\"linux\"}",
	  "config.json: invalid JSON at byte 152: a key given twice" },
	{ "no memory",
	  "{\"version\":1,\"cpuCountMin\":2,\"cpuCount\":2,\"memorySizeMin\":1," MAC
	  ",\"os\":\"linux\"}",
	  "config.json: 'memorySize' must be a positive integer" },
	{ "negative CPUs",
	  "{\"version\":1,\"cpuCountMin\":2,\"cpuCount\":-4,\"memorySizeMin\":1,\"memorySize\":1," MAC
	  "}",
	  "config.json: 'cpuCount' must be a positive integer" },
	{ "fraction of a CPU",
	  "{\"version\":1,\"cpuCountMin\":2,\"cpuCount\":1.5,\"memorySizeMin\":1,\"memorySize\":1," MAC
	  "}",
	  "config.json: 'cpuCount' must be a positive integer" },
	{ "CPUs as text",
	  "{\"version\":1,\"cpuCountMin\":2,\"cpuCount\":\"4\",\"memorySizeMin\":1,\"memorySize\":1," MAC
	  "}",
	  "config.json: 'cpuCount' must be a positive integer" },
	{ "no version", "{\"cpuCount\":1}", "config.json: 'version' must be a positive integer" },
	{ "no MAC", "{" COUNTS ",\"os\":\"linux\"}",
	  "config.json: 'macAddress' must be six hexadecimal octets separated by colons" },
	{ "bad MAC", "{" COUNTS ",\"os\":\"linux\",\"macAddress\":\"../../x\"}",
	  "config.json: 'macAddress' must be six hexadecimal octets separated by colons" },
	{ "bad os", "{" COUNTS "," MAC ",\"os\":\"beos\"}",
	  "config.json: 'os' must be \"darwin\" or \"linux\"" },
	{ "bad arch", "{" BASE ",\"arch\":\"riscv\"}",
	  "config.json: 'arch' must be \"arm64\" or \"amd64\"" },
	{ "arch that is no text", "{" BASE ",\"arch\":1}",
	  "config.json: 'arch' must be \"arm64\" or \"amd64\"" },
	{ "half a display", "{" BASE ",\"display\":{\"width\":800}}",
	  "config.json: 'display' must be an object with width, height and perhaps unit (pt or px)" },
	{ "unit of a display", "{" BASE ",\"display\":{\"width\":1,\"height\":1,\"unit\":\"cm\"}}",
	  "config.json: 'display' must be an object with width, height and perhaps unit (pt or px)" },
	{ "refit", "{" BASE ",\"displayRefit\":1}",
	  "config.json: 'displayRefit' must be true or false" },
	{ "disk format", "{" BASE ",\"diskFormat\":{}}",
	  "config.json: 'diskFormat' must be a string" },
};

static void validates(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(config_done) struct config config = { 0 };
		struct err err = { 0 };
		bool ok = config_parse(span_of(row->text), &config, &err);

		check(ok == (row->problem == NULL), "%s: %s", row->name,
		      ok ? "accepted" : err.text);
		check(ok || strcmp(err.text, row->problem) == 0, "%s: %s", row->name, err.text);
		check(ok || !config.tree, "%s: output touched", row->name);
	}
}

static void parse(const char *text, struct config *ret)
{
	struct err err = { 0 };

	check(config_parse(span_of(text), ret, &err), "%s", err.text);
}

static void reads_all_fields(void **state)
{
	CLEANUP(config_done) struct config config = { 0 };
	char mac[MAC_TEXT_SIZE];

	(void)state;
	parse("{" BASE ",\"arch\":\"amd64\",\"displayRefit\":false,\"diskFormat\":\"asif\","
	      "\"display\":{\"width\":1920,\"height\":1080,\"unit\":\"pt\"}}",
	      &config);
	assert_int_equal(config.version, 1);
	assert_int_equal(config.os, OS_LINUX);
	assert_int_equal(config.arch, ARCH_AMD64);
	assert_int_equal(config.cpu_count_min, 2);
	assert_int_equal(config.cpu_count, 3);
	assert_int_equal(config.memory_min_bytes, 1073741824);
	assert_true(config.memory_bytes == UINT64_MAX);
	mac_print(&config.mac, mac);
	assert_string_equal(mac, "7a:65:e4:3f:b2:02");
	assert_int_equal(config.display.width, 1920);
	assert_int_equal(config.display.height, 1080);
	assert_int_equal(config.display.unit, UNIT_PT);
	assert_int_equal(config.display_refit, OFF);
	assert_int_equal(config.disk_format, DISK_ASIF);
	assert_string_equal(config.disk_format_text, "asif");
}

static void has_defaults(void **state)
{
	CLEANUP(config_done) struct config config = { 0 };

	(void)state;
	parse("{" COUNTS "," MAC ",\"ecid\":\"YQ==\",\"hardwareModel\":\"YQ==\"}", &config);
	assert_int_equal(config.os, OS_DARWIN);
	assert_int_equal(config.arch, ARCH_ARM64);
	assert_int_equal(config.display.width, 1024);
	assert_int_equal(config.display.height, 768);
	assert_int_equal(config.display.unit, UNIT_NONE);
	assert_int_equal(config.display_refit, UNSET);
	assert_int_equal(config.disk_format, DISK_RAW);
	assert_string_equal(config.disk_format_text, "raw");
}

static void keeps_an_unknown_disk_format(void **state)
{
	CLEANUP(config_done) struct config config = { 0 };

	(void)state;
	parse("{" BASE ",\"diskFormat\":\"qcow3\"}", &config);
	assert_int_equal(config.disk_format, DISK_OTHER);
	assert_string_equal(config.disk_format_text, "qcow3");
}

static void expect_print(const struct config *config, const char *expected)
{
	CLEANUP_STR struct str text = { 0 };

	config_print(config, &text);
	assert_string_equal(str_text(&text), expected);
}

/* The vector "ok-unknown-config-keys": numbers that no machine type holds, nulls, escapes. */
static void keeps_what_it_does_not_know(void **state)
{
	CLEANUP(config_done) struct config config = { 0 };
	struct mac mac = { { 2, 0, 0, 0, 0, 1 } };

	(void)state;
	parse("{\"version\":1,\"os\":\"linux\",\"arch\":\"arm64\",\"cpuCountMin\":2,\"cpuCount\":2,"
	      "\"memorySizeMin\":1073741824,\"memorySize\":2147483648,"
	      "\"macAddress\":\"7a:65:e4:3f:b2:02\",\"future\":{\"big\":18446744073709551615,"
	      "\"odd\":9007199254740993,\"tiny\":1.50e-7,\"list\":[null,true,\"\\u00e9\\/\"]},"
	      "\"displayRefit\":true}",
	      &config);
	config_set_cpu_count(&config, 6);
	config_set_mac(&config, &mac);
	expect_print(&config, "{\n"
			      "  \"arch\" : \"arm64\",\n"
			      "  \"cpuCount\" : 6,\n"
			      "  \"cpuCountMin\" : 2,\n"
			      "  \"displayRefit\" : true,\n"
			      "  \"future\" : {\n"
			      "    \"big\" : 18446744073709551615,\n"
			      "    \"list\" : [\n"
			      "      null,\n"
			      "      true,\n"
			      "      \"\xc3\xa9/\"\n"
			      "    ],\n"
			      "    \"odd\" : 9007199254740993,\n"
			      "    \"tiny\" : 1.50e-7\n"
			      "  },\n"
			      "  \"macAddress\" : \"02:00:00:00:00:01\",\n"
			      "  \"memorySize\" : 2147483648,\n"
			      "  \"memorySizeMin\" : 1073741824,\n"
			      "  \"os\" : \"linux\",\n"
			      "  \"version\" : 1\n"
			      "}\n");
}

static void adds_no_defaults(void **state)
{
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	parse("{" COUNTS "," MAC ",\"ecid\":\"YQ==\",\"hardwareModel\":\"YQ==\"}", &config);
	config_set_memory(&config, 1);
	config_print(&config, &text);
	assert_null(strstr(str_text(&text), "arch"));
	assert_null(strstr(str_text(&text), "display"));
	assert_null(strstr(str_text(&text), "diskFormat"));
	/* What was not changed keeps its spelling. */
	assert_non_null(strstr(str_text(&text), "\"7A:65:E4:3F:B2:2\""));
	assert_non_null(strstr(str_text(&text), "\"memorySize\" : 1,"));
}

static void changes_the_display_in_place(void **state)
{
	static const struct display_size with_unit = { 5, 6, UNIT_PX };
	static const struct display_size without = { 7, 8, UNIT_NONE };
	CLEANUP(config_done) struct config config = { 0 };
	const struct json *display;

	(void)state;
	parse("{" BASE ",\"display\":{\"hz\":60.0,\"width\":1,\"height\":2}}", &config);
	config_set_display(&config, &with_unit);
	display = json_member(config.tree, "display");
	assert_string_equal(json_text(json_member(display, "hz")), "60.0");
	assert_string_equal(json_text(json_member(display, "width")), "5");
	assert_string_equal(json_member_text(display, "unit"), "px");
	config_set_display(&config, &without);
	assert_int_equal(config.display.height, 8);
	assert_null(json_member(display, "unit"));
	assert_string_equal(json_text(json_member(display, "hz")), "60.0");
}

static void makes_a_linux_vm(void **state)
{
	CLEANUP(config_done) struct config made = { 0 };
	CLEANUP(config_done) struct config read = { 0 };
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	config_init_linux(&made, ARCH_AMD64);
	config_print(&made, &text);
	parse(str_text(&text), &read);
	assert_int_equal(read.version, 1);
	assert_int_equal(read.os, OS_LINUX);
	assert_int_equal(read.arch, ARCH_AMD64);
	assert_int_equal(read.cpu_count, 4);
	assert_int_equal(read.cpu_count_min, 4);
	assert_int_equal(read.memory_bytes, 4294967296);
	assert_int_equal(read.memory_min_bytes, 4294967296);
	assert_int_equal(read.display.width, 1024);
	assert_int_equal(read.disk_format, DISK_RAW);
	assert_true(mac_equal(&read.mac, &made.mac));
	assert_int_equal(read.mac.octets[0] & 3, 2);
	assert_null(json_member(read.tree, "displayRefit"));
	assert_null(json_member(json_member(read.tree, "display"), "unit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validates),
		cmocka_unit_test(reads_all_fields),
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(keeps_an_unknown_disk_format),
		cmocka_unit_test(keeps_what_it_does_not_know),
		cmocka_unit_test(adds_no_defaults),
		cmocka_unit_test(changes_the_display_in_place),
		cmocka_unit_test(makes_a_linux_vm),
	};

	return unit_main(tests);
}
