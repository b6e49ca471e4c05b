/* SPDX-License-Identifier: Apache-2.0 */
/* Names of VMs for completion. */
#include "cmd/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/complete.h"
#include "net/network_conf.h"
#include "storage/cache.h"
#include "storage/local.h"

static void add_name(const char *name, struct str *out)
{
	CLEANUP_STR struct str escaped = { 0 };

	str_add_escaped(&escaped, span_of(name));
	if (strcmp(str_text(&escaped), name) != 0)
		return;
	complete_add_replaced(out, name, ':', "\\:");
	str_add_char(out, '\n');
}

static bool is_running(const struct home *home, const char *name)
{
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	return local_peek(home, name, &fd, &err) && bundle_state(fd, NULL) == VM_RUNNING;
}

static void add_local(const struct home *home, bool only_running, struct str *out)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	if (!local_list(home, &list, &err))
		return;
	vec_each(&list.names, name) {
		if (!only_running || is_running(home, *name))
			add_name(*name, out);
	}
}

static bool collect(void *ctx, const struct cache_item *item, struct err *err)
{
	struct name_list *list = ctx;

	(void)err;
	if (item->bundle_fd >= 0)
		*vec_push(&list->names) = xstrdup(item->name);
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_cached(const struct home *home, struct str *out)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	if (!cache_walk(home, collect, &list, &err))
		return;
	if (list.names.n > 0)
		qsort(list.names.v, list.names.n, sizeof(*list.names.v), compare);
	vec_each(&list.names, name)
		add_name(*name, out);
}

static void add_network_keys(struct str *out)
{
	for (const struct network_key *key = network_keys; key->name; key++)
		add_name(key->name, out);
}

void candidates_add(const char *list, struct str *out)
{
	CLEANUP(home_done) struct home home = HOME_INIT;
	struct err err = { 0 };
	bool all = strcmp(list, complete_list(COMPLETES_ALL)) == 0;
	bool running = strcmp(list, complete_list(COMPLETES_RUNNING)) == 0;

	if (strcmp(list, complete_list(COMPLETES_NETWORK_KEYS)) == 0)
		add_network_keys(out);
	if (!all && !running && strcmp(list, complete_list(COMPLETES_LOCAL)) != 0)
		return;
	if (!home_open(getenv("TART_HOME"), getenv("HOME"), &home, &err))
		return;
	add_local(&home, running, out);
	if (all)
		add_cached(&home, out);
}
