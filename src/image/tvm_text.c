/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest and check sums of exports. */
#include "image/tvm_text.h"

#include "base/json.h"
#include "base/mem.h"

#define FORMAT  "tart-export"
#define VERSION 1

enum tvm_kind tvm_detect(struct span start)
{
	static const struct {
		char magic[TVM_MAGIC_BYTES + 1];
		enum tvm_kind kind;
	} magics[] = {
		{ "\x28\xb5\x2f\xfd", TVM_OURS },
		{ "pbze", TVM_APPLE }, /* compressed: LZFSE, LZMA, LZ4, zlib, LZBITMAP */
		{ "pbzx", TVM_APPLE },
		{ "pbz4", TVM_APPLE },
		{ "pbzz", TVM_APPLE },
		{ "pbzb", TVM_APPLE },
		{ "AA01", TVM_APPLE }, /* not compressed */
		{ "YAA1", TVM_APPLE },
		{ "AEA1", TVM_APPLE }, /* encrypted */
	};

	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (span_starts_with(start, magics[i].magic))
			return magics[i].kind;
	return TVM_UNKNOWN;
}

void tvm_manifest_done(struct tvm_manifest *manifest)
{
	vec_each(&manifest->files, file)
		free(file->name);
	vec_done(&manifest->files);
}

struct tvm_file *tvm_manifest_find(const struct tvm_manifest *manifest, const char *name)
{
	vec_each(&manifest->files, file)
		if (strcmp(file->name, name) == 0)
			return file;
	return NULL;
}

/* The name of a member is never a path. */
static bool name_is_plain(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > TVM_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] == '/' || name[i] == '\\' || name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return strcmp(name, TVM_MANIFEST) != 0 && strcmp(name, TVM_SUMS) != 0;
}

static bool add_file(const struct json *object, struct tvm_manifest *manifest, struct err *err)
{
	const char *name = json_member_text(object, "name");
	struct tvm_file *file;
	uint64_t size;

	if (!name || !json_get_u64(json_member(object, "size"), &size) || size > INT64_MAX)
		return err_set(err, ERR_GENERAL, "a file without a name or size");
	if (!name_is_plain(name))
		return err_set(err, ERR_GENERAL, "a file name that is not allowed");
	if (tvm_manifest_find(manifest, name))
		return err_set(err, ERR_GENERAL, "'%s' comes twice", name);
	file = vec_push(&manifest->files);
	file->name = xstrdup(name);
	file->size_bytes = size;
	return true;
}

static bool check_version(const struct json *root, struct err *err)
{
	const char *format = json_member_text(root, "format");
	const struct json *version = json_member(root, "version");
	uint64_t number;

	if (!format || strcmp(format, FORMAT) != 0)
		return err_set(err, ERR_GENERAL, "it does not describe an export");
	if (!json_get_u64(version, &number) || number == 0)
		return err_set(err, ERR_GENERAL, "it has no version");
	if (number > VERSION)
		return err_set(err, ERR_GENERAL,
			       "the export was made by a newer tart: its format has version %llu, "
			       "this tart reads up to %d",
			       (unsigned long long)number, VERSION);
	return true;
}

static bool add_files(const struct json *root, struct tvm_manifest *manifest, struct err *err)
{
	const struct json *files = json_member(root, "files");
	size_t n = json_count(files);

	if (json_type(files) != JSON_ARRAY || n > TVM_FILES_MAX)
		return err_set(err, ERR_GENERAL, "it does not list its files");
	for (size_t i = 0; i < n; i++)
		if (!add_file(json_at(files, i), manifest, err))
			return false;
	return true;
}

bool tvm_manifest_parse(struct span text, struct tvm_manifest *ret, struct err *err)
{
	CLEANUP(tvm_manifest_done) struct tvm_manifest manifest = { 0 };
	CLEANUP_JSON struct json *root = NULL;

	if (!json_parse(text, &root, err) || !check_version(root, err) ||
	    !add_files(root, &manifest, err))
		return err_context(err, "%s", TVM_MANIFEST);
	*ret = manifest;
	manifest = (struct tvm_manifest){ 0 };
	return true;
}

void tvm_manifest_print(const struct tvm_manifest *manifest, struct str *out)
{
	CLEANUP_JSON struct json *root = json_object();
	struct json *files = json_array();

	json_set(root, "format", json_string(FORMAT));
	json_set(root, "version", json_u64(VERSION));
	json_set(root, "files", files);
	vec_each(&manifest->files, file) {
		struct json *object = json_append(files, json_object());

		json_set(object, "name", json_string(file->name));
		json_set(object, "size", json_u64(file->size_bytes));
	}
	json_print(root, JSON_COMPACT, out);
	str_add_char(out, '\n');
}

/* "HEX  NAME" */
static bool parse_sum(struct span line, struct span *ret_hex, struct span *ret_name)
{
	const size_t hex_len = DIGEST_HEX_SIZE - 1;

	if (line.len < hex_len + 2)
		return false;
	*ret_hex = span_first(line, hex_len);
	*ret_name = span_from(line, hex_len + 2);
	return digest_is_hex(*ret_hex) && span_starts_with(span_from(line, hex_len), "  ");
}

/* The digest that a line about this name must give; NULL when there is no such file. */
static const char *expected_digest(const struct tvm_manifest *manifest, const char *manifest_digest,
				   struct span name, size_t *ret_index)
{
	*ret_index = manifest->files.n;
	if (span_is(name, TVM_MANIFEST))
		return manifest_digest;
	for (size_t i = 0; i < manifest->files.n; i++) {
		if (span_is(name, manifest->files.v[i].name)) {
			*ret_index = i;
			return manifest->files.v[i].digest;
		}
	}
	return NULL;
}

static bool check_lines(struct span rest, const struct tvm_manifest *manifest,
			const char *manifest_digest, bool *seen, struct err *err)
{
	struct span line;

	while (rest.len > 0 && span_next(&rest, '\n', &line)) {
		const char *expected;
		struct span hex;
		struct span name;
		size_t i;

		if (!parse_sum(line, &hex, &name))
			return err_set(err, ERR_GENERAL, "a line that is no check sum");
		expected = expected_digest(manifest, manifest_digest, name, &i);
		if (!expected || seen[i])
			return err_set(err, ERR_GENERAL, "a check sum of another file");
		if (!span_is(hex, expected))
			return err_set(err, ERR_GENERAL, "the content of '%.*s' is damaged",
				       SPAN_ARG(name));
		seen[i] = true;
	}
	return true;
}

bool tvm_sums_check(struct span text, const struct tvm_manifest *manifest,
		    const char manifest_digest[DIGEST_HEX_SIZE], struct err *err)
{
	bool seen[TVM_FILES_MAX + 1] = { false }; /* the last one for the manifest */

	if (!check_lines(text, manifest, manifest_digest, seen, err))
		return err_context(err, "%s", TVM_SUMS);
	for (size_t i = 0; i < manifest->files.n; i++)
		if (!seen[i])
			return err_set(err, ERR_GENERAL, "%s: the check sum of '%s' is missing",
				       TVM_SUMS, manifest->files.v[i].name);
	return true;
}

void tvm_sums_print(const struct tvm_manifest *manifest, struct str *out)
{
	vec_each(&manifest->files, file)
		str_addf(out, "%s  %s\n", file->digest, file->name);
}
