/* SPDX-License-Identifier: Apache-2.0 */
/* The text of --dir. */
#include "machine/share_arg.h"

static bool is_url(struct span text)
{
	return span_starts_with(text, "http:") || span_starts_with(text, "https:");
}

static bool read_opt(struct span item, struct share_arg *share)
{
	if (span_is(item, "ro"))
		share->read_only = true;
	else if (span_starts_with(item, "tag="))
		share->tag = span_from(item, strlen("tag="));
	else
		return false;
	return true;
}

/* Takes the option part off the end, if there is one. */
static struct span strip_opts(struct span text, struct share_arg *share)
{
	struct share_arg with = *share;
	size_t colon = span_rfind(text, ':');
	struct span list = colon < text.len ? span_from(text, colon + 1) : text;
	struct span item;
	bool any = false;

	while (span_next(&list, ',', &item))
		any = read_opt(item, &with) || any;
	if (!any)
		return text;
	*share = with;
	return span_first(text, colon < text.len ? colon : 0);
}

static void split_name(struct span text, struct share_arg *share)
{
	size_t colon = span_find(text, ':');

	share->path = text;
	if (!is_url(text) && colon < text.len) {
		share->name = span_first(text, colon);
		share->path = span_from(text, colon + 1);
	}
	share->is_url = is_url(share->path);
}

/* The guest will see a directory of that name. */
static bool is_file_name(struct span name)
{
	return name.len > 0 && !span_is(name, ".") && !span_is(name, "..") &&
	       span_find(name, '/') == name.len && span_find(name, '\0') == name.len;
}

bool share_arg_parse(struct span text, struct share_arg *ret, struct err *err)
{
	struct share_arg share = { .tag = span_of(SHARE_DEFAULT_TAG) };

	split_name(strip_opts(text, &share), &share);
	if (share.path.len == 0)
		return err_set(err, ERR_USAGE, "invalid --dir syntax: '%.*s' names no directory",
			       SPAN_ARG(text));
	if (share.name.ptr && !is_file_name(share.name))
		return err_set(err, ERR_USAGE,
			       "invalid --dir syntax: '%.*s' cannot be a directory's name",
			       SPAN_ARG(share.name));
	if (share.tag.len == 0 || share.tag.len > SHARE_TAG_MAX)
		return err_set(err, ERR_USAGE, "invalid --dir syntax: a tag has 1 to %d bytes",
			       SHARE_TAG_MAX);
	*ret = share;
	return true;
}

static struct share_group *find_group(struct share_groups *groups, struct span tag)
{
	struct share_group *group;

	vec_each(&groups->items, item)
		if (span_equal(item->tag, tag))
			return item;
	group = vec_push(&groups->items);
	group->tag = tag;
	return group;
}

static void add_share(struct share_group *group, const struct share_arg *share)
{
	vec_each(&group->shares, other) {
		if (share->name.ptr && other->name.ptr && span_equal(share->name, other->name)) {
			*other = *share;
			return;
		}
	}
	*vec_push(&group->shares) = *share;
}

/* All named, or a single one that is not. */
static bool settle_group(struct share_group *group)
{
	bool unnamed = false;

	vec_each(&group->shares, share)
		unnamed = unnamed || !share->name.ptr;
	group->is_root = unnamed;
	return !unnamed || group->shares.n == 1;
}

bool share_groups_make(const struct share_arg *args, size_t n_args, struct share_groups *ret,
		       struct err *err)
{
	struct share_groups groups = { 0 };

	for (size_t i = 0; i < n_args; i++)
		add_share(find_group(&groups, args[i].tag), &args[i]);
	vec_each(&groups.items, group) {
		if (settle_group(group))
			continue;
		share_groups_done(&groups);
		return err_set(
			err, ERR_USAGE,
			"invalid --dir syntax: for multiple directory shares each one of them "
			"should be named");
	}
	*ret = groups;
	return true;
}

void share_groups_done(struct share_groups *groups)
{
	vec_each(&groups->items, group)
		vec_done(&group->shares);
	vec_done(&groups->items);
}
