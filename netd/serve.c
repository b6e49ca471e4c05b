/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of the keeper's life, each giving up what the next ones do not need (isolate.h):
 *
 *	1 folders, lock, socket, log	as who started us
 *	2 the starter, the opener	forked; they keep what it takes to make other users' processes, and to open devices
 *	3 identity			user tart-netd where there is one; CAP_NET_ADMIN and CAP_NET_RAW
 *	4 adoption			what an earlier keeper has left
 *	5 calls				the system calls and files of the loop, no others
 *	6 the loop			callers
 */
#include "netd/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "netd/client.h"
#include "netd/isolate.h"
#include "netd/listener.h"

struct server {
	struct state state;
	struct settings settings;
	struct log *log;
	struct listener listener;
	struct starter *starter;
	struct opener *opener;
	struct loop *loop;
	struct loop_source *signals;
	struct keeper *keeper;
	struct clients *clients;
};

static void server_done(struct server *server)
{
	clients_free(server->clients);
	/* First the name, so that who comes now starts a keeper of his own, which waits for the lock. */
	listener_close(&server->listener, &server->state);
	keeper_free(server->keeper);
	starter_free(server->starter);
	opener_free(server->opener);
	loop_free(server->loop);
	settings_done(&server->settings);
	log_line(server->log, "the keeper has ended");
	log_close(server->log);
	state_close(&server->state);
}

/* A file that is wrong stops new VMs (keeper_attach), not the keeper: those that run need it. */
static void read_settings(struct server *server)
{
	struct settings fresh;
	struct err err = { 0 };

	if (settings_read(&server->settings, &fresh, &err))
		settings_replace(&server->settings, &fresh);
	else
		log_line(server->log, "%s", err.text);
}

/* The user whom the keeper is to be owns what it writes. */
static bool give_folders(const struct server *server, struct err *err)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(NETD_USER) : NULL;

	return !user || state_give(&server->state, user->pw_uid, user->pw_gid, err);
}

static void server_on_signal(void *ctx, int signum)
{
	struct server *server = ctx;

	log_line(server->log, "ends by signal %d", signum);
	loop_stop(server->loop);
}

static void keeper_on_change(void *ctx)
{
	const struct server *server = ctx;

	clients_on_change(server->clients);
}

static bool open_folders(const struct serve_options *options, struct server *server,
			 struct err *err)
{
	if (!log_open(server->state.net_fd, !options->in_background, &server->log, err))
		return false;
	settings_init(&server->settings, options->conf ? options->conf : server->state.conf_path);
	read_settings(server);
	return listener_open(&server->state, &server->settings, !options->dir, &server->listener,
			     err) &&
	       (options->dir || give_folders(server, err));
}

/* user_namespaces(7): the first one's map is the whole range. */
static bool is_in_user_namespace(void)
{
	static const char whole[] = "         0          0 4294967295\n";
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };

	return fs_read_file(AT_FDCWD, "/proc/self/uid_map", 4096, &text, &ignored) &&
	       !span_is(str_span(&text), whole);
}

static bool is_rootless(const struct serve_options *options)
{
	return options->dir && is_in_user_namespace();
}

static bool start_keeper(const struct serve_options *options, struct server *server,
			 struct err *err)
{
	static const int signums[] = { SIGTERM, SIGINT };
	struct keeper_parts parts = {
		.state = &server->state,
		.settings = &server->settings,
		.starter = server->starter,
		.opener = server->opener,
		.log = server->log,
		.is_rootless = is_rootless(options),
		.never_persist = options->never_persist,
		.die_at = options->die_at,
		.changed = keeper_on_change,
		.ctx = server,
	};

	if (!loop_new(&server->loop, err) ||
	    !loop_add_signals(server->loop, signums, ARRAY_LEN(signums), server_on_signal, server,
			      &server->signals, err))
		return false;
	parts.loop = server->loop;
	return keeper_new(&parts, &server->keeper, err) && keeper_adopt(server->keeper, err);
}

static bool start_clients(const struct serve_options *options, struct server *server,
			  struct err *err)
{
	const struct clients_options wish = {
		.loop = server->loop,
		.keeper = server->keeper,
		.settings = &server->settings,
		.log = server->log,
		.listen_fd = server->listener.fd,
		.linger_ms = options->linger_ms,
		.needs_forwarder = is_rootless(options),
	};

	return clients_new(&wish, &server->clients, err);
}

/* Of a file that may come later. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash > path ? xstrndup(path, (size_t)(slash - path)) :
				       xstrdup(slash ? "/" : ".");
}

/* What the loop's files are: isolate.h. Paths that a host does not have are left out there. */
static bool shut_in(const struct server *server, enum isolate_role role, struct err *err)
{
	CLEANUP_FREE char *conf_dir = folder_of(server->settings.path);
	const struct isolate_path keep[] = {
		{ server->state.runtime_path, true },
		{ conf_dir, false },
		{ NETD_STATE_DIR, true },
		{ "/etc", false },
		{ "/run/systemd/resolve", false },
		{ "/dev/net/tun", true }, /* should the opener have ended */
		{ "/dev/vhost-net", true },
		{ "/proc/sys/net", true },
		{ "/proc", false },
		{ "/sys", false },
		{ NULL, false },
	};

	return isolate_calls(role, keep, err);
}

static bool run(const struct serve_options *options, struct server *server, struct err *err)
{
	const enum isolate_role role = options->dir ? ISOLATE_OWN_KEEPER : ISOLATE_KEEPER;

	if (!open_folders(options, server, err) || !starter_fork(&server->starter, err) ||
	    !opener_fork(&server->opener, err) || !isolate_identity(role, err))
		return false;
	settings_seal(&server->settings);
	if (!start_keeper(options, server, err) || !start_clients(options, server, err) ||
	    !shut_in(server, role, err))
		return false;
	log_line(server->log, "the keeper is there");
	return loop_run(server->loop, err);
}

enum serve_result serve(const struct serve_options *options, struct err *err)
{
	CLEANUP(server_done)
	struct server server = { .state = STATE_INIT, .listener = { .fd = -1 } };

	if (!state_open(options->dir, &server.state, err))
		return SERVE_FAILED;
	switch (state_lock(&server.state, err)) {
	case LOCK_TAKEN:
		break;
	case LOCK_BUSY:
		return SERVE_BUSY;
	case LOCK_FAILED:
		return SERVE_FAILED;
	}
	if (run(options, &server, err))
		return SERVE_ENDED;
	log_line(server.log, "%s", err->text);
	return SERVE_FAILED;
}
