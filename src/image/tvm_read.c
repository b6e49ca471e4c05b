/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the tar of an export. Its first member says what is to come; every member after it is
 * checked against that, and against the caller's rules, before any of its data is passed on.
 */
#include "base/cancel.h"
#include "base/mem.h"
#include "image/sum.h"
#include "image/tar.h"
#include "image/tvm.h"
#include "image/tvm_text.h"

struct reader {
	struct tar_reader *tar;
	const struct tvm_rule *rules;
	size_t n_rules;
	struct tvm_receiver receiver;
	struct tvm_manifest manifest;
	char manifest_digest[DIGEST_HEX_SIZE];
	bool seen[TVM_FILES_MAX];
};

static void reader_done(struct reader *reader)
{
	tar_reader_free(reader->tar);
	tvm_manifest_done(&reader->manifest);
}

static bool name_is(const struct tar_member *member, const char *name)
{
	return member->name && strcmp(member->name, name) == 0;
}

static bool err_member(const struct tar_member *member, const char *what, struct err *err)
{
	CLEANUP_STR struct str name = STR_CAPPED(300);

	str_add_escaped(&name, span_of(member->name ? member->name : "?"));
	return err_set(err, ERR_GENERAL, "member '%s' %s", str_text(&name), what);
}

/* One of the two text members, whole. */
static bool read_text(struct reader *reader, const struct tar_member *member, struct str *out,
		      struct err *err)
{
	struct span data = { .len = 1 };
	uint64_t offset;

	if (!member->is_regular_file || !member->has_size || member->size_bytes > TVM_TEXT_MAX)
		return err_member(member, "is too large or no file", err);
	while (data.len > 0) {
		if (!tar_reader_data(reader->tar, &offset, &data, err))
			return false;
		/* A sparse text is not something we make. */
		if (data.len > 0 && offset != out->len)
			return err_member(member, "has holes", err);
		str_add_span(out, data);
		if (out->len > TVM_TEXT_MAX)
			return err_member(member, "is larger than it says", err);
	}
	if (out->len != member->size_bytes)
		return err_member(member, "is shorter than it says", err);
	return true;
}

static const struct tvm_rule *find_rule(const struct reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->n_rules; i++)
		if (strcmp(reader->rules[i].name, name) == 0)
			return &reader->rules[i];
	return NULL;
}

static bool check_rules(const struct reader *reader, struct err *err)
{
	vec_each(&reader->manifest.files, file) {
		const struct tvm_rule *rule = find_rule(reader, file->name);

		if (!rule)
			return err_set(err, ERR_GENERAL, "it holds an unexpected file, '%s'",
				       file->name);
		if (rule->max_bytes > 0 && file->size_bytes > rule->max_bytes)
			return err_set(err, ERR_GENERAL, "'%s' has %llu bytes", file->name,
				       (unsigned long long)file->size_bytes);
	}
	for (size_t i = 0; i < reader->n_rules; i++)
		if (reader->rules[i].is_required &&
		    !tvm_manifest_find(&reader->manifest, reader->rules[i].name))
			return err_set(err, ERR_GENERAL, "'%s' is missing", reader->rules[i].name);
	return true;
}

static bool read_manifest(struct reader *reader, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	struct tar_member member;
	bool found;

	if (!tar_reader_next(reader->tar, &member, &found, err))
		return false;
	if (!found || !name_is(&member, TVM_MANIFEST))
		return err_set(err, ERR_GENERAL, "it does not begin with %s", TVM_MANIFEST);
	if (!read_text(reader, &member, &text, err) ||
	    !tvm_manifest_parse(str_span(&text), &reader->manifest, err))
		return false;
	digest_of(str_span(&text), reader->manifest_digest);
	return check_rules(reader, err);
}

/* Passes on one file; *at ends at its size. */
static bool read_data(struct reader *reader, const struct tar_member *member, struct digest *digest,
		      struct err *err)
{
	const uint64_t size = member->size_bytes;
	struct span data = { .len = 1 };
	uint64_t at = 0;
	uint64_t offset;

	while (data.len > 0) {
		if (!cancel_check(err) || !tar_reader_data(reader->tar, &offset, &data, err))
			return false;
		if (data.len == 0)
			break;
		if (offset < at || offset > size || data.len > size - offset)
			return err_member(member, "has data where there should be none", err);
		if (!sum_add_zeros(digest, offset - at, err) ||
		    !reader->receiver.data(reader->receiver.ctx, offset, data, err))
			return false;
		digest_add(digest, data.ptr, data.len);
		at = offset + data.len;
	}
	return sum_add_zeros(digest, size - at, err);
}

static bool read_file(struct reader *reader, const struct tar_member *member, struct err *err)
{
	CLEANUP(digest_cleanup) struct digest *digest = digest_new();
	struct tvm_file *file = member->name ? tvm_manifest_find(&reader->manifest, member->name) :
					       NULL;
	size_t i = file ? (size_t)(file - reader->manifest.files.v) : 0;

	if (!file)
		return err_member(member, "is not one that was announced", err);
	if (reader->seen[i])
		return err_member(member, "comes twice", err);
	reader->seen[i] = true;
	if (!member->is_regular_file)
		return err_member(member, "is not a regular file", err);
	if (!member->has_size || member->size_bytes != file->size_bytes)
		return err_member(member, "does not have the announced size", err);
	/* file->name, not the member's: that one lives in the library's buffers. */
	if (!reader->receiver.begin(reader->receiver.ctx, file->name, file->size_bytes,
				    member->data_bytes, err) ||
	    !read_data(reader, member, digest, err) ||
	    !reader->receiver.end(reader->receiver.ctx, err))
		return err_context(err, "'%s'", file->name);
	digest_finish(digest, file->digest);
	return true;
}

static bool read_sums(struct reader *reader, const struct tar_member *member, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	for (size_t i = 0; i < reader->manifest.files.n; i++)
		if (!reader->seen[i])
			return err_set(err, ERR_GENERAL, "'%s' is missing",
				       reader->manifest.files.v[i].name);
	return read_text(reader, member, &text, err) &&
	       tvm_sums_check(str_span(&text), &reader->manifest, reader->manifest_digest, err);
}

static bool read_members(struct reader *reader, struct err *err)
{
	struct tar_member member;
	bool found;

	for (;;) {
		if (!tar_reader_next(reader->tar, &member, &found, err))
			return false;
		if (!found)
			return err_set(err, ERR_GENERAL, "the file is cut off: %s is missing",
				       TVM_SUMS);
		if (name_is(&member, TVM_SUMS))
			break;
		if (!read_file(reader, &member, err))
			return false;
	}
	if (!read_sums(reader, &member, err) || !tar_reader_next(reader->tar, &member, &found, err))
		return false;
	return !found || err_member(&member, "comes after the end", err);
}

/* What follows the end of a tar is padding. Reading it also makes the decoder check what it has
 * to check. */
static bool read_padding(struct byte_source source, struct err *err)
{
	struct span bytes;

	do {
		if (!cancel_check(err) || !source.next(source.ctx, &bytes, err))
			return false;
		for (size_t i = 0; i < bytes.len; i++)
			if (bytes.ptr[i] != 0)
				return err_set(err, ERR_GENERAL,
					       "there is something after the end of the export");
	} while (bytes.len > 0);
	return true;
}

bool tvm_read_tar(struct byte_source tar, const struct tvm_rule *rules, size_t n_rules,
		  struct tvm_receiver receiver, struct err *err)
{
	CLEANUP(reader_done)
	struct reader reader = {
		.tar = tar_reader_new(tar),
		.rules = rules,
		.n_rules = n_rules,
		.receiver = receiver,
	};

	return read_manifest(&reader, err) && read_members(&reader, err) && read_padding(tar, err);
}
