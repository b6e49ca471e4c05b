/* SPDX-License-Identifier: Apache-2.0 */
/* tart verify: whether a VM's files still are what its image was. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/size.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "cmd/progress.h"
#include "registry/verify.h"

struct verify_args {
	const char *name;
	enum format format;
};

static const struct operand verify_operands[] = {
	OPERAND(struct verify_args, name, "name", "local VM or cached image",
		.completes = COMPLETES_ALL),
	OPERAND_END,
};

static const struct opt verify_opts[] = {
	OPT_FORMAT(struct verify_args, format),
	OPT_END,
};

static uint64_t count_bytes(const struct verify *verify)
{
	uint64_t sum = 0;

	vec_each(&verify->checks, check)
		sum += check->bytes;
	return sum;
}

static const char *or_nothing(const char *digest)
{
	return digest[0] ? digest : "nothing";
}

static void print_difference(const struct verify *verify, const struct verify_check *check)
{
	const char *file = verify->files.v[check->file].name;
	CLEANUP_STR struct str where = { 0 };

	str_add(&where, file);
	if (!check->is_whole)
		str_addf(&where, ", bytes %" PRIu64 " to %" PRIu64, check->start,
			 check->start + check->bytes - 1);
	print_line("%s: should be %s, is %s", str_text(&where), or_nothing(check->expected),
		   or_nothing(check->actual));
}

static void print_basis(const char *name, const struct verify *verify)
{
	if (verify->basis == VERIFY_RECORD)
		print_line("verifying the disk of %s against the record of its layers...", name);
	else if (verify->is_base)
		print_line("verifying the base of %s, which is the disk of %s...", name,
			   verify->image);
	else
		print_line("verifying %s...", verify->image);
}

static void print_verdict(const char *name, const struct verify *verify)
{
	CLEANUP_STR struct str size = { 0 };

	size_add_human(&size, count_bytes(verify));
	print_line("%s: nothing differs (%zu files and layers, %s)", name, verify->checks.n,
		   str_text(&size));
}

static bool verify_as_text(const char *name, struct verify *verify, struct err *err)
{
	struct progress_line line = progress_line_start();
	const struct progress_sink progress = { .update = progress_line_update, .ctx = &line };

	if (verify->basis != VERIFY_NOTHING) {
		print_basis(name, verify);
		if (!verify_run(verify, &progress, err))
			return false;
	}
	vec_each(&verify->checks, check) {
		if (check->differs)
			print_difference(verify, check);
	}
	if (verify->reason)
		print_line("%s", verify->reason);
	if (verify->basis != VERIFY_NOTHING && verify_count_differences(verify) == 0)
		print_verdict(name, verify);
	return true;
}

static struct json *digest_or_null(const char *digest)
{
	return digest[0] ? json_string(digest) : json_null();
}

static struct json *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static struct json *differences(const struct verify *verify)
{
	struct json *list = json_array();

	vec_each(&verify->checks, check) {
		struct json *item;

		if (!check->differs)
			continue;
		item = json_append(list, json_object());
		json_set(item, "File", json_string(verify->files.v[check->file].name));
		json_set(item, "Offset", json_u64(check->start));
		json_set(item, "Length", json_u64(check->bytes));
		json_set(item, "Expected", digest_or_null(check->expected));
		json_set(item, "Actual", digest_or_null(check->actual));
	}
	return list;
}

static void print_json(const char *name, const struct verify *verify)
{
	static const char *const words[] = { "nothing", "manifest", "record" };
	CLEANUP_JSON struct json *tree = json_object();
	CLEANUP_STR struct str text = { 0 };

	json_set(tree, "Name", json_string(name));
	json_set(tree, "Against", json_string(words[verify->basis]));
	json_set(tree, "Image", text_or_null(verify->image));
	json_set(tree, "Checked", json_u64(count_bytes(verify)));
	json_set(tree, "Differences", differences(verify));
	json_set(tree, "Note", text_or_null(verify->reason));
	json_print(tree, JSON_PRETTY, &text);
	(void)puts(str_text(&text));
}

static bool verify_as_json(const char *name, struct verify *verify, struct err *err)
{
	if (verify->basis != VERIFY_NOTHING && !verify_run(verify, NULL, err))
		return false;
	print_json(name, verify);
	return true;
}

static bool command_run(struct tart *tart, void *args, struct err *err)
{
	const struct verify_args *a = args;
	CLEANUP(verify_done) struct verify verify = VERIFY_INIT;
	size_t n;

	if (!verify_plan(tart->home, a->name, &verify, err))
		return false;
	if (a->format == FORMAT_JSON ? !verify_as_json(a->name, &verify, err) :
				       !verify_as_text(a->name, &verify, err))
		return false;
	n = verify_count_differences(&verify);
	return n == 0 || err_set(err, ERR_GENERAL, "%s: %zu of %zu files and layers differ from %s",
				 a->name, n, verify.checks.n,
				 verify.basis == VERIFY_RECORD ? "the record" : "the manifest");
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "Check that a VM still is what its image was",
	.discussion = "Hashes a cached image, or the disk a clone was made from, and names what "
		      "differs from the image's manifest.",
	.operands = verify_operands,
	.opts = verify_opts,
	.args_size = sizeof(struct verify_args),
	.needs = NEEDS_HOME,
	.run = command_run,
};
