/* SPDX-License-Identifier: Apache-2.0 */
/* tart clone: a new VM from a local one or a cached image. */
#include <stdlib.h>

#include "base/checked.h"
#include "cmd/command.h"
#include "cmd/fetch.h"
#include "cmd/new_name.h"
#include "storage/cache.h"
#include "storage/clone.h"

#define BYTES_PER_GIB (1ULL << 30)
#define PULLS_MAX     5

struct clone_args {
	const char *source_name;
	const char *new_name;
	struct fetch_args fetch; /* of an image that is not cached */
	uint64_t prune_limit_gib;
};

static const struct operand clone_operands[] = {
	OPERAND(struct clone_args, source_name, "source-name",
		"local VM or image; one that is not cached is pulled", .completes = COMPLETES_ALL),
	OPERAND(struct clone_args, new_name, "new-name", "name of the clone"),
	OPERAND_END,
};

static const struct opt clone_opts[] = {
	FETCH_OPTS(struct clone_args, fetch),
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
	return new_name_check("new-name", a->new_name, err) && fetch_validate(&a->fetch, err);
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

static bool clone_local(const struct home *home, const struct clone_args *a,
			enum clone_policy policy, struct err *err)
{
	struct clone_request request = {
		.source = a->source_name,
		.new_name = a->new_name,
		.policy = policy,
		.auto_prune = !getenv("TART_NO_AUTO_PRUNE"),
	};

	if (ckd_mul(&request.prune_limit_bytes, a->prune_limit_gib, BYTES_PER_GIB))
		request.prune_limit_bytes = UINT64_MAX;
	return clone_vm(home, &request, err);
}

static bool is_cached(const struct home *home, const struct remote_name *name)
{
	CLEANUP_CLOSE int fd = -1;
	struct err ignored;

	return !cache_open(home, name, &fd, &ignored) || fd >= 0;
}

/* Whoever prunes or collects meanwhile may remove the image between the pull and the clone. */
static bool clone_image(const struct home *home, const struct remote_name *name,
			const struct clone_args *a, enum clone_policy policy, struct err *err)
{
	for (int left = PULLS_MAX; left > 0; left--) {
		if (!is_cached(home, name) && !fetch_image(home, name, &a->fetch, FETCH_QUIET, err))
			return false;
		if (clone_local(home, a, policy, err))
			return true;
		if (is_cached(home, name))
			return false;
	}
	return false;
}

static bool clone_run(struct tart *tart, void *args, struct err *err)
{
	const struct clone_args *a = args;
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	enum clone_policy policy;
	struct err ignored;

	if (!read_policy(&policy, err))
		return false;
	return remote_name_parse(span_of(a->source_name), &name, &ignored) ?
		       clone_image(tart->home, &name, a, policy, err) :
		       clone_local(tart->home, a, policy, err);
}

const struct command cmd_clone = {
	.name = "clone",
	.summary = "Make a VM from another one or from an image",
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
