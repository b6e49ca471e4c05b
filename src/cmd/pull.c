/* SPDX-License-Identifier: Apache-2.0 */
/* tart pull: an image of a registry into the cache. */
#include "registry/pull.h"

#include "cmd/command.h"
#include "cmd/fetch.h"
#include "cmd/print.h"
#include "storage/local.h"

struct pull_args {
	const char *name;
	struct fetch_args fetch;
};

static const struct operand pull_operands[] = {
	OPERAND(struct pull_args, name, "remote-name", "image: HOST/NAMESPACE:TAG or @sha256:..."),
	OPERAND_END,
};

static const struct opt pull_opts[] = {
	FETCH_OPTS(struct pull_args, fetch),
	OPT_END,
};

static bool pull_validate(struct tart *tart, void *args, struct err *err)
{
	const struct pull_args *a = args;

	(void)tart;
	return fetch_validate(&a->fetch, err);
}

static bool pull_run(struct tart *tart, void *args, struct err *err)
{
	const struct pull_args *a = args;
	CLEANUP(remote_name_done) struct remote_name name = { 0 };

	if (local_exists(tart->home, a->name)) {
		print_line("\"%s\" is a local image, nothing to pull here!", a->name);
		return true;
	}
	return remote_name_parse(span_of(a->name), &name, err) &&
	       fetch_image(tart->home, &name, &a->fetch, FETCH_LOUD, err);
}

const struct command cmd_pull = {
	.name = "pull",
	.summary = "Fetch an image from a registry",
	.discussion = "The image is stored in the cache, where clone finds it. What is interrupted "
		      "goes on with the next pull of the same name, and what cached images have "
		      "already is taken from there.",
	.operands = pull_operands,
	.opts = pull_opts,
	.args_size = sizeof(struct pull_args),
	.needs = NEEDS_HOME | KEEPS_TMP,
	.validate = pull_validate,
	.run = pull_run,
};
