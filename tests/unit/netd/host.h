/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper on fakes, in a folder of its own: cmocka_unit_test_setup_teardown(test, host_make, host_remove). */
#ifndef TART_TESTS_NETD_HOST_H
#define TART_TESTS_NETD_HOST_H

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "fakes.h"
#include "netd/keeper.h"
#include "temp_dir.h"

struct host {
	struct temp_dir *dir;
	struct state state;
	struct settings settings;
	struct loop *loop;
	struct keeper *keeper;
	unsigned n_changes;
	const char *die_at;
};

static const struct caller host_root = { .uid = 0, .is_admin = true, .is_allowed = true };
static const struct caller host_alice = { .uid = 1000, .is_allowed = true };
static const struct caller host_bob = { .uid = 1001, .is_allowed = true };

static inline void host_on_change(void *ctx)
{
	struct host *host = ctx;

	host->n_changes++;
}

static inline void host_start(struct host *host)
{
	const struct keeper_parts parts = { .loop = host->loop,
					    .state = &host->state,
					    .settings = &host->settings,
					    .die_at = host->die_at,
					    .changed = host_on_change,
					    .ctx = host };
	struct err err = { 0 };

	check(keeper_new(&parts, &host->keeper, &err), "%s", err.text);
	check(keeper_adopt(host->keeper, &err), "%s", err.text);
}

/* The keeper's death: nothing is taken down. */
static inline void host_restart(struct host *host)
{
	(void)fakes_calls();
	keeper_free(host->keeper);
	host->keeper = NULL;
	(void)fakes_calls();
	host_start(host);
}

static inline void host_write_conf(const struct host *host, const char *text)
{
	struct err err = { 0 };

	check(fs_replace_file(host->dir->fd, "network.conf", span_of(text), 0600, &err), "%s",
	      err.text);
}

static inline int host_make(void **state)
{
	struct host *host = xcalloc(1, sizeof(*host));
	struct err err = { 0 };
	void *dir;

	fakes_reset();
	if (temp_dir_make(&dir) != 0 || !loop_new(&host->loop, &err))
		return -1;
	host->dir = dir;
	host->state = (struct state)STATE_INIT;
	if (!state_open(host->dir->path, &host->state, &err))
		return -1;
	settings_init(&host->settings, host->state.conf_path);
	host_start(host);
	(void)fakes_calls();
	*state = host;
	return 0;
}

static inline int host_remove(void **state)
{
	struct host *host = *state;
	void *dir = host->dir;

	keeper_free(host->keeper);
	loop_free(host->loop);
	settings_done(&host->settings);
	state_close(&host->state);
	free(host);
	fakes_reset();
	return temp_dir_remove(&dir);
}

#define host_test(test) cmocka_unit_test_setup_teardown(test, host_make, host_remove)

static inline struct netd_attach host_wish(const char *vm, unsigned mac, enum netd_mode mode)
{
	struct netd_attach wish = { .mode = mode,
				    .mac = { { 2, 0, 0, 0, (uint8_t)(mac >> 8), (uint8_t)mac } } };

	(void)snprintf(wish.vm, sizeof(wish.vm), "%s", vm);
	return wish;
}

/* 0, or the code of the refusal. */
static inline enum netd_error host_attach(struct host *host, const void *owner,
					  const struct caller *caller,
					  const struct netd_attach *wish, struct netd_attached *ret,
					  struct netd_failure *failure)
{
	int fds[NETD_FDS_MAX] = { -1, -1 };

	memset(failure, 0, sizeof(*failure));
	if (!keeper_attach(host->keeper, owner, caller, wish, ret, fds, failure)) {
		assert_int_equal(fds[0], -1);
		assert_int_equal(fds[1], -1);
		return failure->code;
	}
	assert_true(fds[0] >= 0);
	(void)close(fds[0]);
	return 0;
}

#endif
