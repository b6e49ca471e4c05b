/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/firmware.h: which descriptor fits, and which of several is taken. */
#include "machine/firmware.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

#include "unit.h"

#define TARGET(arch, machine) "[{\"architecture\":\"" arch "\",\"machines\":[" machine "]}]"
#define X86                   TARGET("x86_64", "\"pc-i440fx-*\",\"pc-q35-*\"")
#define ARM                   TARGET("aarch64", "\"virt-*\"")
#define FILE_OF(path, format) "{\"filename\":\"" path "\",\"format\":\"" format "\"}"
#define MAPPING(code, vars) \
	"{\"device\":\"flash\",\"executable\":" code ",\"nvram-template\":" vars "}"
#define RAW_MAPPING MAPPING(FILE_OF("/code", "raw"), FILE_OF("/vars", "raw"))
#define DESCRIPTOR(types, mapping, targets, features)                                    \
	"{\"description\":\"test\",\"interface-types\":[" types "],\"mapping\":" mapping \
	",\"targets\":" targets ",\"features\":[" features "],\"tags\":[]}"

static const struct {
	const char *name;
	const char *text;
	enum guest_arch arch;
	bool fits;
	enum firmware_format vars_format;
} descriptors[] = {
	{ "amd64", DESCRIPTOR("\"uefi\"", RAW_MAPPING, X86, "\"acpi-s3\""), ARCH_AMD64, true,
	  FIRMWARE_RAW },
	{ "arm64", DESCRIPTOR("\"uefi\"", RAW_MAPPING, ARM, ""), ARCH_ARM64, true, FIRMWARE_RAW },
	{ "other architecture", DESCRIPTOR("\"uefi\"", RAW_MAPPING, ARM, ""), ARCH_AMD64, false,
	  0 },
	{ "other machine",
	  DESCRIPTOR("\"uefi\"", RAW_MAPPING, TARGET("x86_64", "\"pc-i440fx-*\""), ""), ARCH_AMD64,
	  false, 0 },
	{ "second target",
	  DESCRIPTOR("\"bios\",\"uefi\"", RAW_MAPPING,
		     "[{\"architecture\":\"i386\",\"machines\":[\"pc-q35-*\"]},"
		     "{\"architecture\":\"x86_64\",\"machines\":[\"pc-q35-*\"]}]",
		     ""),
	  ARCH_AMD64, true, FIRMWARE_RAW },
	{ "BIOS", DESCRIPTOR("\"bios\"", RAW_MAPPING, X86, ""), ARCH_AMD64, false, 0 },
	{ "needs SMM", DESCRIPTOR("\"uefi\"", RAW_MAPPING, X86, "\"requires-smm\""), ARCH_AMD64,
	  false, 0 },
	{ "enrolled keys",
	  DESCRIPTOR("\"uefi\"", RAW_MAPPING, X86, "\"secure-boot\",\"enrolled-keys\""), ARCH_AMD64,
	  false, 0 },
	{ "secure boot without keys", DESCRIPTOR("\"uefi\"", RAW_MAPPING, X86, "\"secure-boot\""),
	  ARCH_AMD64, true, FIRMWARE_RAW },
	{ "qcow2 variables",
	  DESCRIPTOR("\"uefi\"", MAPPING(FILE_OF("/c", "raw"), FILE_OF("/v", "qcow2")), X86, ""),
	  ARCH_AMD64, true, FIRMWARE_QCOW2 },
	{ "unknown format",
	  DESCRIPTOR("\"uefi\"", MAPPING(FILE_OF("/c", "raw"), FILE_OF("/v", "vmdk")), X86, ""),
	  ARCH_AMD64, false, 0 },
	{ "relative path",
	  DESCRIPTOR("\"uefi\"", MAPPING(FILE_OF("c", "raw"), FILE_OF("/v", "raw")), X86, ""),
	  ARCH_AMD64, false, 0 },
	{ "memory device",
	  DESCRIPTOR("\"uefi\"", "{\"device\":\"memory\",\"filename\":\"/c\"}", X86, ""),
	  ARCH_AMD64, false, 0 },
	{ "split flash said aloud",
	  DESCRIPTOR("\"uefi\"",
		     "{\"device\":\"flash\",\"mode\":\"split\",\"executable\":" FILE_OF(
			     "/c", "raw") ",\"nvram-template\":" FILE_OF("/v", "raw") "}",
		     X86, ""),
	  ARCH_AMD64, true, FIRMWARE_RAW },
	{ "stateless flash",
	  DESCRIPTOR("\"uefi\"",
		     "{\"device\":\"flash\",\"mode\":\"stateless\",\"executable\":" FILE_OF(
			     "/c", "raw") "}",
		     X86, ""),
	  ARCH_AMD64, false, 0 },
	{ "members of other types",
	  "{\"interface-types\":\"uefi\",\"mapping\":[],\"targets\":{},\"features\":1}", ARCH_AMD64,
	  false, 0 },
	{ "members missing", "{}", ARCH_AMD64, false, 0 },
};

static void tells_what_fits(void **state)
{
	(void)state;
	each_row(descriptors, row) {
		CLEANUP(firmware_done) struct firmware fw = { 0 };
		struct err err = { 0 };
		bool fits = !row->fits;

		check(firmware_descriptor_parse(span_of(row->text), row->arch, &fits, &fw, &err),
		      "%s: %s", row->name, err.text);
		check(fits == row->fits, "%s: %s", row->name, fits ? "fits" : "does not fit");
		check(!fits || (fw.code_path && fw.vars_path), "%s: paths", row->name);
		check(!fits || fw.vars_format == row->vars_format, "%s: format", row->name);
		check(fits || !fw.code_path, "%s: output changed", row->name);
	}
}

static void refuses_what_is_no_descriptor(void **state)
{
	static const struct {
		const char *name;
		const char *text;
	} rows[] = {
		{ "empty", "" }, { "cut off", "{\"a\":" }, { "array", "[]" }, { "text", "\"x\"" }
	};

	(void)state;
	each_row(rows, row) {
		struct firmware fw = { 0 };
		struct err err = { 0 };
		bool fits = false;

		check(!firmware_descriptor_parse(span_of(row->text), ARCH_AMD64, &fits, &fw, &err),
		      "%s: accepted", row->name);
	}
}

/* A folder with three folders of descriptors and firmware files. */
struct tree {
	char path[64];
	struct firmware_search search;
	char dirs[3][96];
};

static int tree_setup(void **state)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));

	(void)snprintf(tree->path, sizeof(tree->path), "/tmp/tart-firmware-XXXXXX");
	if (!mkdtemp(tree->path))
		return -1;
	for (int i = 0; i < 3; i++) {
		(void)snprintf(tree->dirs[i], sizeof(tree->dirs[i]), "%s/%d", tree->path, i);
		tree->search.dirs[i] = tree->dirs[i];
		if (mkdir(tree->dirs[i], 0700) < 0)
			return -1;
	}
	*state = tree;
	return 0;
}

static int tree_teardown(void **state)
{
	struct tree *tree = *state;
	struct err err = { 0 };
	bool ok = fs_remove_tree(AT_FDCWD, tree->path, &err);

	free(tree);
	return ok ? 0 : -1;
}

static void put(const struct tree *tree, const char *name, const char *text)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", tree->path, name);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err err = { 0 };

	check(fd >= 0 && fs_write_all(fd, span_of(text), &err), "cannot write %s", path);
}

/* Descriptor N names the files STEM.code and STEM.vars of the tree. */
static void put_descriptor(const struct tree *tree, const char *name, const char *stem,
			   const char *format)
{
	CLEANUP_FREE char *text =
		xasprintf(DESCRIPTOR("\"uefi\"",
				     MAPPING("{\"filename\":\"%s/%s.code\",\"format\":\"%s\"}",
					     "{\"filename\":\"%s/%s.vars\",\"format\":\"%s\"}"),
				     X86, ""),
			  tree->path, stem, format, tree->path, stem, format);

	put(tree, name, text);
}

static void put_files(const struct tree *tree, const char *stem)
{
	CLEANUP_FREE char *code = xasprintf("%s.code", stem);
	CLEANUP_FREE char *vars = xasprintf("%s.vars", stem);

	put(tree, code, "c");
	put(tree, vars, "v");
}

/* What was found, by the stem of its files; "" when nothing was. */
static void check_found(const struct tree *tree, const char *want)
{
	CLEANUP(firmware_done) struct firmware fw = { 0 };
	CLEANUP_FREE char *path = xasprintf("%s/%s.code", tree->path, want);
	struct err err = { 0 };
	bool found = firmware_find(&tree->search, ARCH_AMD64, &fw, &err);

	if (want[0] == '\0') {
		check(!found, "found %s", fw.code_path);
		check(strstr(err.text, "ovmf") && strstr(err.text, "amd64"), "%s", err.text);
		return;
	}
	check(found, "%s", err.text);
	check(strcmp(fw.code_path, path) == 0, "found %s instead of %s", fw.code_path, want);
}

static void takes_the_lowest_name(void **state)
{
	struct tree *tree = *state;

	put_files(tree, "a");
	put_files(tree, "b");
	put_descriptor(tree, "0/60-b.json", "b", "raw");
	put_descriptor(tree, "1/50-a.json", "a", "raw");
	put_descriptor(tree, "2/70-b.json", "b", "raw");
	check_found(tree, "a");
}

static void lets_a_stronger_folder_replace(void **state)
{
	struct tree *tree = *state;

	put_files(tree, "a");
	put_files(tree, "b");
	put_files(tree, "c");
	put_descriptor(tree, "0/50-x.json", "a", "raw");
	put_descriptor(tree, "1/50-x.json", "b", "raw");
	check_found(tree, "b");
	put_descriptor(tree, "2/50-x.json", "c", "raw");
	check_found(tree, "c");
}

static void lets_an_empty_file_hide(void **state)
{
	struct tree *tree = *state;

	put_files(tree, "a");
	put_files(tree, "b");
	put_descriptor(tree, "0/50-x.json", "a", "raw");
	put_descriptor(tree, "0/60-x.json", "b", "raw");
	put(tree, "2/50-x.json", "");
	check_found(tree, "b");
}

static void passes_over_missing_files(void **state)
{
	struct tree *tree = *state;

	put_files(tree, "b");
	put_descriptor(tree, "0/50-x.json", "a", "raw");
	put(tree, "0/51-y.json", "not JSON");
	put_descriptor(tree, "0/52-y.txt", "a", "raw");
	put_descriptor(tree, "0/60-x.json", "b", "raw");
	check_found(tree, "b");
}

static void prefers_raw(void **state)
{
	struct tree *tree = *state;

	put_files(tree, "a");
	put_descriptor(tree, "0/50-x.json", "a", "qcow2");
	check_found(tree, "a");
	put_files(tree, "b");
	put_descriptor(tree, "0/60-x.json", "b", "raw");
	check_found(tree, "b");
}

static void says_what_to_install(void **state)
{
	struct tree *tree = *state;

	tree->search.dirs[1] = NULL;
	check_found(tree, "");
}

static void obeys_the_environment(void **state)
{
	struct tree *tree = *state;
	CLEANUP_FREE char *code = xasprintf("%s/a.code", tree->path);
	CLEANUP_FREE char *vars = xasprintf("%s/a.vars", tree->path);
	struct firmware fw = { 0 };
	struct err err = { 0 };

	put_files(tree, "a");
	put_files(tree, "b");
	put_descriptor(tree, "0/50-x.json", "b", "raw");
	tree->search.code = "";
	tree->search.vars = "";
	check_found(tree, "b");
	tree->search.code = code;
	assert_false(firmware_find(&tree->search, ARCH_AMD64, &fw, &err));
	check(strstr(err.text, "TART_FIRMWARE_VARS"), "%s", err.text);
	tree->search.vars = vars;
	check_found(tree, "a");
	tree->search.vars = "/nonexistent/vars";
	assert_false(firmware_find(&tree->search, ARCH_AMD64, &fw, &err));
	check(strstr(err.text, "/nonexistent/vars"), "%s", err.text);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_fits),
		cmocka_unit_test(refuses_what_is_no_descriptor),
		WITH_TREE(takes_the_lowest_name),
		WITH_TREE(lets_a_stronger_folder_replace),
		WITH_TREE(lets_an_empty_file_hide),
		WITH_TREE(passes_over_missing_files),
		WITH_TREE(prefers_raw),
		WITH_TREE(says_what_to_install),
		WITH_TREE(obeys_the_environment),
	};

	return unit_main(tests);
}
