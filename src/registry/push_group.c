/* SPDX-License-Identifier: Apache-2.0 */
/* Grouping targets by repository. */
#include "registry/push_group.h"

#include <string.h>

static struct push_group *find_or_add(struct push_groups *groups, const struct remote_name *name)
{
	struct push_group *group;

	vec_each(&groups->list, known) {
		if (strcmp(known->host, name->host) == 0 &&
		    strcmp(known->repository, name->repository) == 0)
			return known;
	}
	group = vec_push(&groups->list);
	group->host = name->host;
	group->repository = name->repository;
	return group;
}

static bool has_name(const struct push_group *group, const struct remote_name *name)
{
	vec_each(&group->names, known) {
		if (strcmp((*known)->reference, name->reference) == 0)
			return true;
	}
	return false;
}

void push_groups_make(const struct remote_name *targets, size_t n, struct push_groups *ret)
{
	*ret = (struct push_groups){ 0 };
	for (size_t i = 0; i < n; i++) {
		struct push_group *group = find_or_add(ret, &targets[i]);

		if (!has_name(group, &targets[i]))
			*vec_push(&group->names) = &targets[i];
	}
}

void push_groups_done(struct push_groups *groups)
{
	vec_each(&groups->list, group) {
		vec_done(&group->names);
		str_done(&group->manifest);
	}
	vec_done(&groups->list);
}

void push_group_print(const struct push_group *group, struct str *out)
{
	str_addf(out, "%s/%s", group->host, group->repository);
	if (group->names.n > 1)
		str_add_char(out, '{');
	vec_each(&group->names, name)
		str_addf(out, "%s:%s", name > group->names.v ? "," : "", (*name)->reference);
	if (group->names.n > 1)
		str_add_char(out, '}');
}
