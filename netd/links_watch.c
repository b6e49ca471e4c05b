/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Noticing that a tart-* link has gone. The kernel tells of changes, and drops what it cannot deliver when many come at
 * once; so that nothing is missed, what was there is remembered, and compared with what there is after such a loss.
 */
#include <linux/rtnetlink.h>

#include "netd/links_private.h"

struct known_link {
	int index;
	char name[NETD_IF_SIZE];
};

typedef VEC(struct known_link) known_links;

struct links_watched {
	struct netlink *events;
	struct loop_source *source;
	links_gone_fn *fn;
	void *ctx;
	known_links known;
	known_links gone; /* of this turn */
};

static struct known_link *find_known(struct links_watched *watched, int index)
{
	vec_each(&watched->known, known) {
		if (known->index == index)
			return known;
	}
	return NULL;
}

static void learn(struct links_watched *watched, int index, const char *name)
{
	struct known_link *known = vec_push(&watched->known);

	known->index = index;
	memcpy(known->name, name, sizeof(known->name));
}

static void note_gone(struct links_watched *watched, struct known_link *known)
{
	*vec_push(&watched->gone) = *known;
	*known = watched->known.v[--watched->known.n];
}

/* A link that was renamed has gone, too: rules are by name. */
static void take_event(void *ctx, const struct netlink_message *message)
{
	struct links_watched *watched = ctx;
	struct known_link *known;
	struct link_info info;
	bool is_there;

	if (!message || !link_parse(message, &info))
		return;
	known = find_known(watched, info.index);
	is_there = message->type == RTM_NEWLINK && link_is_tap_name(info.name);
	if (known && is_there && strcmp(known->name, info.name) == 0)
		return;
	if (known)
		note_gone(watched, known);
	if (is_there)
		learn(watched, info.index, info.name);
}

static bool is_listed(const found_links *found, const struct known_link *known)
{
	vec_each(found, link) {
		if (link->index == known->index && strcmp(link->tap, known->name) == 0)
			return true;
	}
	return false;
}

/* What is known becomes what there is. */
static bool compare(struct links *links, struct err *err)
{
	struct links_watched *watched = links->watched;
	found_links found = { 0 };

	if (!links_list(links, &found, err))
		return false;
	for (size_t i = watched->known.n; i > 0; i--) {
		if (!is_listed(&found, &watched->known.v[i - 1]))
			note_gone(watched, &watched->known.v[i - 1]);
	}
	watched->known.n = 0;
	vec_each(&found, link)
		learn(watched, link->index, link->tap);
	vec_done(&found);
	return true;
}

static void links_on_event(void *ctx, uint32_t events)
{
	struct links *links = ctx;
	struct links_watched *watched = links->watched;
	known_links gone;
	struct err ignored = { 0 };
	bool is_lost = false;

	(void)events;
	if (!netlink_events(watched->events, take_event, watched, &is_lost, &ignored) || is_lost)
		(void)compare(links, &ignored);
	gone = watched->gone;
	watched->gone = (known_links){ 0 };
	vec_each(&gone, link)
		watched->fn(watched->ctx, link->name);
	vec_done(&gone);
}

bool links_watch(struct links *links, struct loop *loop, links_gone_fn *fn, void *ctx,
		 struct err *err)
{
	struct links_watched *watched = xcalloc(1, sizeof(*watched));

	assert(!links->watched);
	links->watched = watched;
	watched->fn = fn;
	watched->ctx = ctx;
	/* First the events, then the list: what changes in between is in both. */
	if (netlink_open(NETLINK_ROUTE, &watched->events, err) &&
	    netlink_join(watched->events, RTNLGRP_LINK, err) && compare(links, err) &&
	    loop_add_fd(loop, netlink_fd(watched->events), EPOLLIN, links_on_event, links,
			&watched->source, err))
		return true;
	links_watch_end(links);
	return false;
}

void links_watch_end(struct links *links)
{
	struct links_watched *watched = links->watched;

	if (!watched)
		return;
	loop_remove(&watched->source);
	netlink_close(watched->events);
	vec_done(&watched->known);
	vec_done(&watched->gone);
	free(watched);
	links->watched = NULL;
}
