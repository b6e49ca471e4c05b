/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of networks as users write them. */
#include "net/policy.h"

#define HOST_WORD "@host"

void policy_done(struct policy *policy)
{
	vec_done(&policy->allow);
	vec_done(&policy->block);
}

static const char *problem_of(struct span item)
{
	if (item.len == 0)
		return "is empty";
	if (span_find(item, ':') < item.len)
		return "is not an IPv4 network: IPv6 is not supported";
	return "is neither an IPv4 network (as 10.0.0.0/8 or 10.1.2.3) nor " HOST_WORD;
}

static bool add_item(struct span item, const char *option, policy_list *list, struct err *err)
{
	struct policy_entry entry = { .host = span_is(item, HOST_WORD) };

	if (!entry.host && !cidr_parse(item, &entry.net))
		return err_set(err, ERR_USAGE, "%s: '%.*s' %s", option, SPAN_ARG(item),
			       problem_of(item));
	if (list->n == POLICY_LIST_MAX)
		return err_set(err, ERR_USAGE, "%s: more than %d networks", option,
			       POLICY_LIST_MAX);
	*vec_push(list) = entry;
	return true;
}

bool policy_list_parse(struct span text, const char *option, policy_list *list, struct err *err)
{
	size_t n = list->n;
	struct span item;

	while (span_next(&text, ',', &item)) {
		if (!add_item(item, option, list, err)) {
			list->n = n;
			return false;
		}
	}
	return true;
}

void policy_list_print(const policy_list *list, struct str *out)
{
	char text[CIDR_TEXT_SIZE];

	vec_each(list, entry) {
		if (entry != list->v)
			str_add_char(out, ',');
		if (!entry->host)
			cidr_print(&entry->net, text);
		str_add(out, entry->host ? HOST_WORD : text);
	}
}

bool policy_makes_peer(const struct policy *policy)
{
	vec_each(&policy->allow, entry) {
		if (!entry->host && entry->net.prefix == 0)
			return true;
	}
	return false;
}
