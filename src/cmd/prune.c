/* SPDX-License-Identifier: Apache-2.0 */
/* tart prune: removing cached images or local VMs by age and space. */
#include <time.h>

#include "base/checked.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "cmd/wait_notice.h"
#include "storage/prune.h"
#include "storage/temp.h"

#define BYTES_PER_GIB   (1ULL << 30)
#define SECONDS_PER_DAY 86400

struct prune_args {
	const char *entries;
	struct maybe_u64 older_than_days;
	struct maybe_u64 space_budget_gib;
	struct maybe_u64 cache_budget_gib;
	bool gc;
};

static const char *const entries_words[] = { "caches", "vms", NULL };
static const char deprecation[] = "--cache-budget is deprecated, please use --space-budget";

static const struct opt prune_opts[] = {
	OPT_TEXT(
		struct prune_args, entries, 0, "entries", NULL,
		"What to remove: \"caches\" are pulled images and macOS restore images, \"vms\" are "
		"local VMs that are not running",
		.choices = entries_words, .fallback.text = "caches"),
	OPT_MAYBE_U64(struct prune_args, older_than_days, 0, "older-than", "n",
		      "Remove what was not used in the last n days"),
	OPT_MAYBE_U64(struct prune_args, space_budget_gib, 0, "space-budget", "n",
		      "Keep what was used last as long as it fits into n GiB, remove the rest"),
	OPT_MAYBE_U64(struct prune_args, cache_budget_gib, 0, "cache-budget", "n",
		      "Deprecated name of --space-budget", .show = SHOW_HIDDEN),
	OPT_FLAG(struct prune_args, gc, 0, "gc",
		 "Remove cached images that no name leads to, names that lead nowhere, and what is "
		 "left of unfinished pulls",
		 .show = SHOW_HIDDEN),
	OPT_END,
};

static bool prunes_vms(const struct prune_args *a)
{
	return strcmp(a->entries, "vms") == 0;
}

static bool prune_validate(struct tart *tart, void *args, struct err *err)
{
	struct prune_args *a = args;

	(void)tart;
	if (!prunes_vms(a) && strcmp(a->entries, "caches") != 0)
		return err_set(err, ERR_USAGE,
			       "unsupported --entries value, please specify either \"caches\" or "
			       "\"vms\"");
	if (a->cache_budget_gib.set && a->space_budget_gib.set)
		return err_set(err, ERR_USAGE, "%s", deprecation);
	if (a->cache_budget_gib.set)
		a->space_budget_gib = a->cache_budget_gib;
	if (!a->older_than_days.set && !a->space_budget_gib.set && !a->gc)
		return err_set(err, ERR_USAGE, "at least one pruning criteria must be specified");
	return true;
}

/* So many days ago; before the first one there is nothing. */
static time_t days_ago(uint64_t days)
{
	time_t now = time(NULL);
	int64_t seconds;

	return ckd_mul(&seconds, days, SECONDS_PER_DAY) || seconds > now ? -1 : now - seconds;
}

static void choose(const struct prune_args *a, struct prune_list *list)
{
	uint64_t budget_bytes;

	if (a->older_than_days.set)
		prune_choose_older(list, days_ago(a->older_than_days.value));
	if (!a->space_budget_gib.set)
		return;
	if (ckd_mul(&budget_bytes, a->space_budget_gib.value, BYTES_PER_GIB))
		budget_bytes = UINT64_MAX;
	prune_choose_over_budget(list, budget_bytes);
}

static bool prune_entries(const struct home *home, const struct prune_args *a, struct err *err)
{
	CLEANUP(prune_list_done) struct prune_list list = { 0 };

	if (prunes_vms(a) ? !prune_list_vms(home, &list, err) :
			    !prune_list_caches(home, &list, err))
		return false;
	choose(a, &list);
	if (!prune_remove_chosen(home, &list, err))
		return false;
	/* Removing images leaves links to them. */
	return prunes_vms(a) || cache_collect(home, &wait_notice_line, err);
}

static bool collect(const struct home *home, struct err *err)
{
	return temp_collect_pulls(home, err) && cache_collect(home, &wait_notice_line, err);
}

static bool prune_run(struct tart *tart, void *args, struct err *err)
{
	const struct prune_args *a = args;

	if ((a->gc && !collect(tart->home, err)) ||
	    ((a->older_than_days.set || a->space_budget_gib.set) &&
	     !prune_entries(tart->home, a, err)))
		return false;
	if (a->cache_budget_gib.set)
		print_warning("%s", deprecation);
	return true;
}

const struct command cmd_prune = {
	.name = "prune",
	.summary = "Remove cached images or local VMs by age or size",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.needs = NEEDS_HOME,
	.validate = prune_validate,
	.run = prune_run,
};
