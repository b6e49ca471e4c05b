/* SPDX-License-Identifier: Apache-2.0 */
/* Registering with another keeper when ours has gone. */
#include "machine/network_watch.h"

#include "base/mem.h"

/* Attempts that fail before the user hears of it. */
#define QUIET_ATTEMPTS 5

const struct network_watch_limits network_watch_default_limits = {
	.pause_ms = 50,
	.pause_max_ms = 30 * 1000,
	.answer_ms = 10 * 1000,
};

struct network_watch {
	struct loop *loop;
	struct run_network *network;
	const struct home *home;
	const struct run_ui *ui;
	struct network_watch_limits limits;
	struct loop_source *connection; /* of network->keeper; NULL while there is none */
	struct loop_source *deadline;   /* of the pause, or of the answers */
	struct child starter;           /* ends when there is a keeper */
	struct loop_source *starter_source;
	bool registered;
	bool start_first; /* before looking whether there is one */
	size_t n_answers;
	uint64_t pause_ms;
	unsigned int n_failures;
};

static void retry_later(struct network_watch *watch, const char *why)
{
	watch->n_failures++;
	if (watch->n_failures == QUIET_ATTEMPTS)
		run_ui_status(watch->ui,
			      "The keeper of the network does not come back, the VM goes on: %s",
			      why);
	loop_arm(watch->deadline, watch->pause_ms);
	watch->pause_ms *= 2;
	if (watch->pause_ms > watch->limits.pause_max_ms)
		watch->pause_ms = watch->limits.pause_max_ms;
}

static void drop_connection(struct network_watch *watch)
{
	struct keeper *keeper = &watch->network->keeper;
	enum keeper_kind kind = keeper->kind;

	loop_remove(&watch->connection);
	keeper_close(keeper);
	keeper->kind = kind;
	watch->registered = false;
	/* A rootless one that is there may have lost its way out, which the same program restores. */
	watch->start_first = kind == KEEPER_ROOTLESS;
}

static void lose(struct network_watch *watch, const char *why)
{
	drop_connection(watch);
	retry_later(watch, why);
}

static void succeed(struct network_watch *watch)
{
	loop_disarm(watch->deadline);
	/* From now on only its end matters. */
	loop_want(watch->connection, 0);
	watch->registered = true;
	watch->pause_ms = watch->limits.pause_ms;
	if (watch->n_failures >= QUIET_ATTEMPTS)
		run_ui_status(watch->ui, "The keeper of the network is back");
	watch->n_failures = 0;
}

static void give_up(struct network_watch *watch, const char *why)
{
	loop_disarm(watch->deadline);
	drop_connection(watch);
	run_ui_status(watch->ui, "The VM has lost its network: %s", why);
}

static void hear(struct network_watch *watch, const struct netd_message *answer)
{
	if (answer->type == NETD_R_ATTACHED) {
		watch->n_answers++;
		if (watch->n_answers == watch->network->nics.n)
			succeed(watch);
	} else if (answer->type == NETD_R_ERROR && answer->failure.code == NETD_E_MISSING) {
		give_up(watch, answer->failure.text);
	} else if (answer->type == NETD_R_ERROR) {
		lose(watch, answer->failure.text);
	} else {
		lose(watch, "it has sent nonsense");
	}
}

static void connection_on_event(void *ctx, uint32_t events)
{
	struct network_watch *watch = ctx;
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	struct err err = { 0 };

	(void)events;
	if (watch->registered) {
		lose(watch, "it has ended");
		return;
	}
	switch (keeper_receive(&watch->network->keeper, &answer, NULL, &err)) {
	case SOCK_DONE:
		hear(watch, &answer);
		break;
	case SOCK_LATER:
		break;
	case SOCK_CLOSED:
	case SOCK_FAILED:
		lose(watch, err.text);
		break;
	}
}

static bool send_all(struct network_watch *watch, struct err *err)
{
	vec_each(&watch->network->nics, nic) {
		CLEANUP_STR struct str request = { 0 };
		enum sock_result result;

		netd_put_reattach(nic->attached.tap, &request);
		result = keeper_send(&watch->network->keeper, &request, err);
		if (result == SOCK_LATER)
			return err_set(err, ERR_GENERAL, "it does not listen");
		if (result != SOCK_DONE)
			return false;
	}
	return true;
}

static bool start_registering(struct network_watch *watch, struct err *err)
{
	struct run_network *network = watch->network;

	watch->n_answers = 0;
	loop_arm(watch->deadline, watch->limits.answer_ms);
	return loop_add_fd(watch->loop, network->keeper.fd, EPOLLIN, connection_on_event, watch,
			   &watch->connection, err) &&
	       send_all(watch, err);
}

static enum keeper_wish wish_for(enum keeper_kind kind)
{
	return kind == KEEPER_SYSTEM ? KEEPER_ONLY_SYSTEM : KEEPER_ONLY_ROOTLESS;
}

static bool connect_to_one(struct network_watch *watch, struct err *err)
{
	struct keeper *keeper = &watch->network->keeper;
	bool found = false;

	/* It does not fail: there is one, or *err says why not. */
	(void)keeper_connect(watch->home, wish_for(keeper->kind), keeper, &found, err);
	return found;
}

static void starter_on_end(void *ctx, int status)
{
	struct network_watch *watch = ctx;

	watch->starter_source = NULL;
	if (status == 0)
		loop_arm(watch->deadline, 0);
	else
		retry_later(watch, "another one cannot be started");
}

/* False: it is not ours to start, or cannot be. */
static bool start_one(struct network_watch *watch, struct err *err)
{
	enum keeper_kind kind = watch->network->keeper.kind;

	return keeper_may_start(kind) && keeper_spawn(watch->home, kind, &watch->starter, err) &&
	       loop_add_child(watch->loop, &watch->starter, starter_on_end, watch,
			      &watch->starter_source, err);
}

/* False: *err says why not, if it was tried. */
static bool start_at_first(struct network_watch *watch, struct err *err)
{
	bool wanted = watch->start_first;

	watch->start_first = false;
	return wanted && start_one(watch, err);
}

static void deadline_on_passed(void *ctx)
{
	struct network_watch *watch = ctx;
	struct err err = { 0 };

	if (watch->connection) {
		lose(watch, "it does not answer");
		return;
	}
	if (start_at_first(watch, &err))
		return;
	err_clear(&err);
	if (connect_to_one(watch, &err)) {
		if (!start_registering(watch, &err))
			lose(watch, err.text);
	} else if (!start_one(watch, &err)) {
		retry_later(watch, err.text);
	}
}

bool network_watch_new(struct loop *loop, struct run_network *network, const struct home *home,
		       const struct run_ui *ui, const struct network_watch_limits *limits,
		       struct network_watch **ret, struct err *err)
{
	struct network_watch *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->network = network;
	watch->home = home;
	watch->ui = ui;
	watch->limits = *limits;
	watch->starter = (struct child)CHILD_INIT;
	watch->pause_ms = limits->pause_ms;
	watch->registered = true;
	if (network->nics.n > 0 && !loop_add_fd(loop, network->keeper.fd, 0, connection_on_event,
						watch, &watch->connection, err)) {
		free(watch);
		return false;
	}
	watch->deadline = loop_add_deadline(loop, deadline_on_passed, watch);
	*ret = watch;
	return true;
}

void network_watch_free(struct network_watch *watch)
{
	if (!watch)
		return;
	loop_remove(&watch->connection);
	loop_remove(&watch->deadline);
	loop_remove(&watch->starter_source);
	child_kill(&watch->starter);
	free(watch);
}
