/* SPDX-License-Identifier: Apache-2.0 */
/* What addresses and routes this host has besides ours, for choosing and checking a subnet. */
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netd/links_private.h"
#include "netd/links_taken.h"

struct survey {
	struct cidr
		within; /* a router's table may have a million routes: only those near the question */
	link_infos links;
	taken_list taken;
	size_t n_addresses; /* come first, since they say more than the routes that they make */
};

static void survey_done(struct survey *survey)
{
	vec_done(&survey->links);
	vec_done(&survey->taken);
}

/* False for our own: those do not count. */
static bool name_link(const struct survey *survey, int index, struct taken *taken)
{
	const struct link_info *info = link_by_index(&survey->links, index);

	if (info)
		memcpy(taken->interface, info->name, sizeof(taken->interface));
	return !info || (strcmp(info->name, LINKS_HOST) != 0 && !link_is_tap_name(info->name));
}

static bool survey_addresses(struct links *links, struct survey *survey, struct err *err)
{
	address_infos addresses = { 0 };

	if (!link_dump_addresses(links, &addresses, err))
		return false;
	vec_each(&addresses, info) {
		struct taken taken = {
			.net = { info->local & netmask_of(info->prefix), info->prefix },
			.address = info->local,
		};

		if (name_link(survey, info->index, &taken))
			*vec_push(&survey->taken) = taken;
	}
	survey->n_addresses = survey->taken.n;
	vec_done(&addresses);
	return true;
}

/* Of a policy rule's table, which is asked before the main one as a rule; VPNs have such. */
static bool is_first(uint32_t table)
{
	return table != RT_TABLE_MAIN && table != RT_TABLE_DEFAULT && table != RT_TABLE_LOCAL;
}

static void take_route(void *ctx, const struct netlink_message *message)
{
	struct survey *survey = ctx;
	struct taken taken = { 0 };
	struct route_info info;

	if (!message) {
		survey->taken.n = survey->n_addresses;
		return;
	}
	if (!route_parse(message, &info) || info.type == RTN_THROW || info.type == RTN_MULTICAST ||
	    !cidr_overlaps(&info.to, &survey->within))
		return;
	taken.net = info.to;
	taken.is_first = is_first(info.table);
	if (name_link(survey, info.index, &taken))
		*vec_push(&survey->taken) = taken;
}

static bool survey_routes(struct links *links, struct survey *survey, struct err *err)
{
	const struct rtmsg head = { .rtm_family = AF_INET };
	struct netlink_request request;

	netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, NETLINK_HEAD(head));
	return netlink_ask(links->route, &request, take_route, survey, err) ||
	       err_context(err, "cannot list the routes");
}

static bool survey_host(struct links *links, struct survey *survey, struct err *err)
{
	if (link_dump(links, &survey->links, err) && survey_addresses(links, survey, err) &&
	    survey_routes(links, survey, err))
		return true;
	survey_done(survey);
	return false;
}

static bool refuse(const struct cidr *subnet, const struct taken *taken, struct err *err)
{
	char text[CIDR_TEXT_SIZE];
	struct str what = { 0 };

	cidr_print(subnet, text);
	taken_print(taken, &what);
	(void)err_set(err, ERR_GENERAL, "%s collides with %s", text, str_text(&what));
	str_done(&what);
	return false;
}

bool links_check_subnet(struct links *links, const struct subnet *subnet, struct str *warnings,
			struct err *err)
{
	struct survey survey = { .within = subnet->cidr };
	const struct taken *collision;
	bool done;

	if (!survey_host(links, &survey, err))
		return false;
	collision = taken_collision(&survey.taken, &subnet->cidr);
	done = !collision || refuse(&subnet->cidr, collision, err);
	if (done)
		taken_warnings(&survey.taken, &subnet->cidr, warnings);
	survey_done(&survey);
	return done;
}

bool links_choose_subnet(struct links *links, uint8_t prefix, struct subnet *ret, struct err *err)
{
	struct survey survey = { .within = { .network = 0xc0a80000, .prefix = 16 } };
	bool found;

	if (!survey_host(links, &survey, err))
		return false;
	found = taken_choose(&survey.taken, prefix, ret);
	survey_done(&survey);
	return found || err_set(err, ERR_GENERAL,
				"no /%u from 192.168.64.0 to 192.168.127.255 is free on this host: "
				"set 'subnet' to another network",
				prefix);
}
