/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of --disk and --root-disk-opts. */
#include "machine/disk_arg.h"

#include "base/mem.h"
#include "machine/nbd_url.h"
#include "storage/name.h"

/* Reads one item; false when it is none we know. */
static bool read_opt(struct span item, struct disk_opts *opts)
{
	if (span_is(item, "ro"))
		opts->read_only = true;
	else if (span_starts_with(item, "sync="))
		opts->sync = span_from(item, strlen("sync="));
	else if (span_starts_with(item, "caching="))
		opts->caching = span_from(item, strlen("caching="));
	else
		return false;
	return true;
}

/* True when at least one item is known. */
static bool read_opts(struct span list, struct disk_opts *ret)
{
	struct disk_opts opts = { 0 };
	struct span item;
	bool any = false;

	while (span_next(&list, ',', &item))
		any = read_opt(item, &opts) || any;
	*ret = opts;
	return any;
}

void disk_opts_parse(struct span text, struct disk_opts *ret)
{
	(void)read_opts(text, ret);
}

void disk_arg_parse(struct span text, struct disk_arg *ret)
{
	struct disk_arg arg = { .target = text };
	size_t colon = span_rfind(text, ':');

	if (colon < text.len && read_opts(span_from(text, colon + 1), &arg.opts))
		arg.target = span_first(text, colon);
	*ret = arg;
}

static bool is_remote(struct span target)
{
	CLEANUP_FREE char *text = xstrndup(target.ptr, target.len);

	return name_is_remote(text);
}

enum disk_target disk_target_kind(struct span target, enum path_kind at_path)
{
	if (nbd_url_has_scheme(target))
		return DISK_TARGET_NBD;
	if (at_path == PATH_BLOCK)
		return DISK_TARGET_BLOCK;
	if (at_path == PATH_MISSING && is_remote(target))
		return DISK_TARGET_IMAGE;
	return DISK_TARGET_FILE;
}

static bool apply_sync(enum disk_target kind, struct span sync, struct disk_spec *ret,
		       struct err *err)
{
	bool is_file = kind == DISK_TARGET_FILE;

	/* Linux has no flush weaker than fsync that a guest's flush could become: both are full. */
	if (sync.len == 0 || span_is(sync, "full") || (is_file && span_is(sync, "fsync")))
		ret->sync = SYNC_FULL;
	else if (span_is(sync, "none"))
		ret->sync = SYNC_NONE;
	else
		return err_set(err, ERR_GENERAL,
			       "unsupported disk %ssynchronization mode: \"%.*s\"",
			       is_file ? "image " : "", SPAN_ARG(sync));
	return true;
}

static bool apply_caching(struct span caching, struct disk_spec *ret, struct err *err)
{
	if (caching.len == 0 || span_is(caching, "automatic") || span_is(caching, "cached"))
		ret->caching = CACHING_CACHED;
	else if (span_is(caching, "uncached"))
		ret->caching = CACHING_DIRECT;
	else
		return err_set(err, ERR_GENERAL, "unsupported disk image caching mode: \"%.*s\"",
			       SPAN_ARG(caching));
	return true;
}

bool disk_opts_apply(enum disk_target kind, const struct disk_opts *opts, struct disk_spec *ret,
		     struct err *err)
{
	struct disk_spec modes = { .sync = SYNC_FULL, .caching = CACHING_CACHED };

	if (kind != DISK_TARGET_IMAGE && !apply_sync(kind, opts->sync, &modes, err))
		return false;
	if (kind == DISK_TARGET_FILE && !apply_caching(opts->caching, &modes, err))
		return false;
	ret->sync = modes.sync;
	ret->caching = modes.caching;
	ret->read_only = opts->read_only;
	return true;
}

bool disk_arg_check_arch(const struct disk_arg *arg, enum guest_arch arch, struct err *err)
{
	enum guest_arch other = arch == ARCH_AMD64 ? ARCH_ARM64 : ARCH_AMD64;
	const char *suffix = other == ARCH_AMD64 ? "-amd64.iso" : "-arm64.iso";

	if (!span_ends_with(arg->target, suffix))
		return true;
	return err_set(err, ERR_USAGE,
		       "'%.*s' seems to be an image for %s machines, but this VM needs one for %s",
		       SPAN_ARG(arg->target), guest_arch_text(other), guest_arch_text(arch));
}
