/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/tvm_text.h. */
#include "image/tvm_text.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *start;
	size_t len;
	enum tvm_kind want;
} magics[] = {
	{ "LZFSE", "pbze\0\0\0\0", 8, TVM_APPLE },
	{ "LZMA", "pbzx", 4, TVM_APPLE },
	{ "LZ4", "pbz4", 4, TVM_APPLE },
	{ "zlib", "pbzz", 4, TVM_APPLE },
	{ "LZBITMAP", "pbzb", 4, TVM_APPLE },
	{ "an algorithm nobody knows", "pbza", 4, TVM_UNKNOWN },
	{ "uncompressed", "AA01", 4, TVM_APPLE },
	{ "uncompressed, older", "YAA1", 4, TVM_APPLE },
	{ "encrypted", "AEA1", 4, TVM_APPLE },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, TVM_OURS },
	{ "zstd skippable frame", "\x50\x2a\x4d\x18", 4, TVM_UNKNOWN },
	{ "zstd, cut", "\x28\xb5\x2f", 3, TVM_UNKNOWN },
	{ "gzip", "\x1f\x8b\x08\x00", 4, TVM_UNKNOWN },
	{ "ZIP", "PK\x03\x04", 4, TVM_UNKNOWN },
	{ "nothing", "", 0, TVM_UNKNOWN },
};

static void tells_exports_from_others(void **state)
{
	(void)state;
	each_row(magics, row)
		check(tvm_detect(span_make(row->start, row->len)) == row->want, "%s", row->name);
}

#define HEAD   "{\"format\":\"tart-export\",\"version\":1,\"files\":["
#define CONFIG "{\"name\":\"config.json\",\"size\":100}"
#define DISK   "{\"name\":\"disk.img\",\"size\":50000000000}"

static const struct {
	const char *name;
	const char *text;
	const char *want; /* part of the message; NULL = accepted */
} manifests[] = {
	{ "two files", HEAD CONFIG "," DISK "]}\n", NULL },
	{ "no files", HEAD "]}", NULL },
	{ "members in another order, and unknown ones",
	  "{\"files\":[{\"size\":1,\"mode\":7,\"name\":\"a\"}],\"made by\":\"x\",\"version\":1,"
	  "\"format\":\"tart-export\"}",
	  NULL },
	{ "not JSON", "tart-export", "tvm.json: " },
	{ "cut", HEAD CONFIG, "tvm.json: " },
	{ "no object", "[1]", "does not describe an export" },
	{ "other format", "{\"format\":\"tar\",\"version\":1,\"files\":[]}",
	  "does not describe an export" },
	{ "no format", "{\"version\":1,\"files\":[]}", "does not describe an export" },
	{ "newer version", "{\"format\":\"tart-export\",\"version\":2,\"files\":[]}",
	  "newer tart" },
	{ "newer version, another layout", "{\"format\":\"tart-export\",\"version\":3}",
	  "newer tart" },
	{ "version 0", "{\"format\":\"tart-export\",\"version\":0,\"files\":[]}", "no version" },
	{ "version as text", "{\"format\":\"tart-export\",\"version\":\"1\",\"files\":[]}",
	  "no version" },
	{ "files as object", "{\"format\":\"tart-export\",\"version\":1,\"files\":{}}",
	  "list its files" },
	{ "no list of files", "{\"format\":\"tart-export\",\"version\":1}", "list its files" },
	{ "file as text", HEAD "\"disk.img\"]}", "without a name or size" },
	{ "file without a size", HEAD "{\"name\":\"a\"}]}", "without a name or size" },
	{ "file without a name", HEAD "{\"size\":1}]}", "without a name or size" },
	{ "size negative", HEAD "{\"name\":\"a\",\"size\":-1}]}", "without a name or size" },
	{ "size with a fraction", HEAD "{\"name\":\"a\",\"size\":1.5}]}",
	  "without a name or size" },
	{ "size 2^63", HEAD "{\"name\":\"a\",\"size\":9223372036854775808}]}",
	  "without a name or size" },
	{ "size 2^64", HEAD "{\"name\":\"a\",\"size\":18446744073709551616}]}",
	  "without a name or size" },
	{ "name twice", HEAD CONFIG "," CONFIG "]}", "'config.json' comes twice" },
	{ "empty name", HEAD "{\"name\":\"\",\"size\":1}]}", "not allowed" },
	{ "dot", HEAD "{\"name\":\".\",\"size\":1}]}", "not allowed" },
	{ "two dots", HEAD "{\"name\":\"..\",\"size\":1}]}", "not allowed" },
	{ "path", HEAD "{\"name\":\"a/b\",\"size\":1}]}", "not allowed" },
	{ "absolute path", HEAD "{\"name\":\"/etc/passwd\",\"size\":1}]}", "not allowed" },
	{ "backslash", HEAD "{\"name\":\"a\\\\b\",\"size\":1}]}", "not allowed" },
	{ "line break", HEAD "{\"name\":\"a\\nb\",\"size\":1}]}", "not allowed" },
	{ "the manifest itself", HEAD "{\"name\":\"tvm.json\",\"size\":1}]}", "not allowed" },
	{ "the check sums", HEAD "{\"name\":\"tvm.sha256\",\"size\":1}]}", "not allowed" },
	{ "key twice", "{\"format\":\"tart-export\",\"version\":2,\"version\":1,\"files\":[]}",
	  "tvm.json: " },
};

static void refuses_what_is_no_manifest(void **state)
{
	(void)state;
	each_row(manifests, row) {
		CLEANUP(tvm_manifest_done) struct tvm_manifest manifest = { 0 };
		struct err err = { 0 };
		bool done = tvm_manifest_parse(span_of(row->text), &manifest, &err);

		check(done == !row->want, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->want), "%s: says '%s'", row->name, err.text);
		check(done || manifest.files.n == 0, "%s: output touched", row->name);
	}
}

static void caps_the_number_of_files(void **state)
{
	(void)state;
	for (size_t n = TVM_FILES_MAX; n <= TVM_FILES_MAX + 1; n++) {
		CLEANUP(tvm_manifest_done) struct tvm_manifest manifest = { 0 };
		CLEANUP_STR struct str text = { 0 };
		struct err err = { 0 };

		str_add(&text, HEAD);
		for (size_t i = 0; i < n; i++)
			str_addf(&text, "%s{\"name\":\"f%zu\",\"size\":%zu}", i ? "," : "", i, i);
		str_add(&text, "]}");
		assert_int_equal(tvm_manifest_parse(str_span(&text), &manifest, &err),
				 n == TVM_FILES_MAX);
	}
}

static void prints_what_it_parses(void **state)
{
	CLEANUP(tvm_manifest_done) struct tvm_manifest manifest = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(tvm_manifest_parse(span_of(manifests[0].text), &manifest, &err));
	assert_int_equal(manifest.files.n, 2);
	assert_string_equal(manifest.files.v[1].name, "disk.img");
	assert_int_equal(manifest.files.v[1].size_bytes, UINT64_C(50000000000));
	tvm_manifest_print(&manifest, &text);
	assert_string_equal(str_text(&text), manifests[0].text);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const struct {
	const char *name;
	const char *text; /* config.json has A, disk.img B, tvm.json C */
	const char *want;
} sums[] = {
	{ "ours", A "  config.json\n" B "  disk.img\n", NULL },
	{ "another order", B "  disk.img\n" A "  config.json\n", NULL },
	{ "with the manifest", C "  tvm.json\n" A "  config.json\n" B "  disk.img\n", NULL },
	{ "without the last line feed", A "  config.json\n" B "  disk.img", NULL },
	{ "nothing", "", "of 'config.json' is missing" },
	{ "one missing", A "  config.json\n", "of 'disk.img' is missing" },
	{ "one twice", A "  config.json\n" A "  config.json\n" B "  disk.img\n",
	  "of another file" },
	{ "manifest twice", C "  tvm.json\n" C "  tvm.json\n" A "  config.json\n" B "  disk.img\n",
	  "of another file" },
	{ "one too many", A "  config.json\n" B "  disk.img\n" C "  other\n", "of another file" },
	{ "other content", A "  config.json\n" A "  disk.img\n",
	  "content of 'disk.img' is damaged" },
	{ "other manifest", B "  tvm.json\n" A "  config.json\n" B "  disk.img\n",
	  "content of 'tvm.json' is damaged" },
	{ "one space", A " config.json\n" B "  disk.img\n", "no check sum" },
	{ "binary mark", A " *config.json\n" B "  disk.img\n", "no check sum" },
	{ "upper case",
	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  config.json\n",
	  "no check sum" },
	{ "short", "aaaa  config.json\n", "no check sum" },
	{ "empty line", A "  config.json\n\n" B "  disk.img\n", "no check sum" },
	{ "no name", A "  \n", "of another file" },
};

static void compares_sums(void **state)
{
	CLEANUP(tvm_manifest_done) struct tvm_manifest manifest = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(tvm_manifest_parse(span_of(manifests[0].text), &manifest, &err));
	memcpy(manifest.files.v[0].digest, A, sizeof(A));
	memcpy(manifest.files.v[1].digest, B, sizeof(B));
	each_row(sums, row) {
		bool done = tvm_sums_check(span_of(row->text), &manifest, C, &err);

		check(done == !row->want, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->want), "%s: says '%s'", row->name, err.text);
	}
	tvm_sums_print(&manifest, &printed);
	assert_string_equal(str_text(&printed), sums[0].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_exports_from_others),
		cmocka_unit_test(refuses_what_is_no_manifest),
		cmocka_unit_test(caps_the_number_of_files),
		cmocka_unit_test(prints_what_it_parses),
		cmocka_unit_test(compares_sums),
	};

	return unit_main(tests);
}
