/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of an export, as it comes out of the decoder: headers, manifest, sparse maps, check sums. */
#include "image/tvm.h"

#include <string.h>

#include "base/reader.h"
#include "fuzz.h"
#include "image/tvm_text.h"

static const struct tvm_rule rules[] = {
	{ "config.json", true, 4096 },
	{ "disk.img", false, (uint64_t)1 << 22 }, /* its holes are hashed, too */
};

struct received {
	uint64_t size;
	uint64_t at;
	bool is_open;
};

static bool next(void *ctx, struct span *ret, struct err *err)
{
	struct reader *reader = ctx;
	size_t left = reader_rest(reader).len;

	(void)err;
	return reader_take(reader, left < 700 ? left : 700, ret);
}

static bool begin(void *ctx, const char *name, uint64_t size_bytes, uint64_t data_bytes,
		  struct err *err)
{
	struct received *received = ctx;

	(void)err;
	fuzz_check(!received->is_open && data_bytes <= size_bytes);
	fuzz_check(strcmp(name, rules[0].name) == 0 || strcmp(name, rules[1].name) == 0);
	fuzz_check(size_bytes <= rules[1].max_bytes);
	*received = (struct received){ .size = size_bytes, .is_open = true };
	return true;
}

static bool data(void *ctx, uint64_t offset, struct span bytes, struct err *err)
{
	struct received *received = ctx;

	(void)err;
	fuzz_check(received->is_open && bytes.len > 0 && offset >= received->at);
	fuzz_check(offset <= received->size && bytes.len <= received->size - offset);
	received->at = offset + bytes.len;
	return true;
}

static bool end(void *ctx, struct err *err)
{
	struct received *received = ctx;

	(void)err;
	fuzz_check(received->is_open);
	received->is_open = false;
	return true;
}

/* A manifest that is accepted prints as one that is accepted and says the same. */
static void check_manifest(struct span text)
{
	CLEANUP(tvm_manifest_done) struct tvm_manifest manifest = { 0 };
	CLEANUP(tvm_manifest_done) struct tvm_manifest again = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	CLEANUP_STR struct str sums = { 0 };
	char digest[DIGEST_HEX_SIZE] = "";
	struct err err = { 0 };

	if (!tvm_manifest_parse(text, &manifest, &err))
		return;
	tvm_manifest_print(&manifest, &printed);
	fuzz_check(tvm_manifest_parse(str_span(&printed), &again, &err));
	fuzz_check(again.files.n == manifest.files.n);
	vec_each(&manifest.files, file) {
		fuzz_check(!strchr(file->name, '/') && file->name[0]);
		digest_of(span_of(file->name), file->digest);
	}
	tvm_sums_print(&manifest, &sums);
	fuzz_check(tvm_sums_check(str_span(&sums), &manifest, digest, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span input = { (const char *)bytes, size };
	struct reader reader = reader_of(input);
	struct received received = { 0 };
	const struct byte_source source = { .next = next, .ctx = &reader };
	const struct tvm_receiver receiver = { begin, data, end, &received };
	struct err err = { 0 };

	(void)tvm_detect(input);
	check_manifest(input);
	if (!tvm_read_tar(source, rules, ARRAY_LEN(rules), receiver, &err))
		fuzz_check(err.kind != ERR_NONE && err.text[0]);
	return 0;
}
