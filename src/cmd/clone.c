/* SPDX-License-Identifier: Apache-2.0 */
/* tart clone: a new VM from a local one or a cached image. */
#include <stdlib.h>

#include "base/checked.h"
#include "cmd/command.h"
#include "cmd/new_name.h"
#include "storage/clone.h"

#define BYTES_PER_GIB (1ULL << 30)

struct clone_args {
	const char *source_name;
	const char *new_name;
	bool insecure; /* these three are for the pull of an image that is not cached */
	uint64_t concurrency;
	bool deduplicate;
	uint64_t prune_limit_gib;
};

static const struct operand clone_operands[] = {
	OPERAND(struct clone_args, source_name, "source-name", "local VM or cached image",
		.completes = COMPLETES_ALL),
	OPERAND(struct clone_args, new_name, "new-name", "name of the clone"),
	OPERAND_END,
};

static const struct opt clone_opts[] = {
	OPT_FLAG(struct clone_args, insecure, 0, "insecure",
		 "Talk plain HTTP to the registry of an image that has to be pulled"),
	OPT_U64(struct clone_args, concurrency, 0, "concurrency", NULL, 4,
		"Transfers at a time when an image has to be pulled"),
	OPT_FLAG(struct clone_args, deduplicate, 0, "deduplicate",
		 "Build the disk of a pulled image upon that of a similar cached one",
		 .show = SHOW_HIDDEN),
	OPT_U64(struct clone_args, prune_limit_gib, 0, "prune-limit", "n", 100,
		"Remove at most n GiB of cached images to make room for the clone",
		.discussion =
			"Images that were not used for longest are removed when the clone could "
			"not grow to its full size otherwise. With TART_NO_AUTO_PRUNE in the "
			"environment all stay."),
	OPT_END,
};

static bool clone_validate(struct tart *tart, void *args, struct err *err)
{
	const struct clone_args *a = args;

	(void)tart;
	if (!new_name_check("new-name", a->new_name, err))
		return false;
	if (a->concurrency < 1)
		return err_set(err, ERR_USAGE, "network concurrency cannot be less than 1");
	return true;
}

static bool read_policy(enum clone_policy *ret, struct err *err)
{
	const char *text = getenv("TART_CLONE");

	*ret = CLONE_AUTO;
	if (text && text[0] && !clone_policy_parse(span_of(text), ret))
		return err_set(err, ERR_GENERAL,
			       "TART_CLONE must be auto, copy, overlay or reflink, not '%s'", text);
	return true;
}

static bool clone_run(struct tart *tart, void *args, struct err *err)
{
	const struct clone_args *a = args;
	struct clone_request request = {
		.source = a->source_name,
		.new_name = a->new_name,
		.auto_prune = !getenv("TART_NO_AUTO_PRUNE"),
	};

	if (ckd_mul(&request.prune_limit_bytes, a->prune_limit_gib, BYTES_PER_GIB))
		request.prune_limit_bytes = UINT64_MAX;
	return read_policy(&request.policy, err) && clone_vm(tart->home, &request, err);
}

const struct command cmd_clone = {
	.name = "clone",
	.summary = "Make a VM from another one or from a cached image",
	.discussion =
		"Where the file system can share blocks, or the source is not running, no disk is "
		"copied: the clone and its source share what neither of them has written since. "
		"TART_CLONE=copy in the environment asks for a disk that shares nothing.",
	.operands = clone_operands,
	.opts = clone_opts,
	.args_size = sizeof(struct clone_args),
	.needs = NEEDS_HOME | KEEPS_TMP,
	.validate = clone_validate,
	.run = clone_run,
};
