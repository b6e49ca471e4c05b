/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting pasta and the keeper in it, and forwarding until both have ended, in stages (isolate.h):
 *
 *	1 folder, log, pasta	as who started us; pasta's keeper is root of a namespace because it is executed
 *	2 gains, identity	no rights by executing something, no capability
 *	3 calls			those of connections, the log's folder, and one signal to one process: SIGKILL to pasta
 *	4 the loop		bytes of guests and of their callers
 *
 * Should it be this process that is killed, the kernel takes pasta along (child.h), and pasta's end is the keeper's.
 */
#include "netd/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/program.h"
#include "base/sock.h"
#include "netd/isolate.h"
#include "netd/log.h"
#include "proto/netd.h"

#define START_MS 15000 /* from pasta's start until its keeper answers */
#define RETRY_MS 20
#define PAUSE_MS \
	50 /* before another pasta or forwarder; doubled each time that one does not live */
#define PAUSE_MAX_MS 30000
#define LIVED_MS     10000 /* one that has ended after so long has lived */

enum phase { STARTING, RUNNING, ENDING };

/* pasta, or the forwarder. */
struct helper {
	struct child child;
	struct loop_source *source; /* NULL: it does not run */
	uint64_t since_ms;
};

struct rootless {
	const struct rootless_options *options;
	struct loop *loop;
	struct log *log;
	int dirfd;
	int net_fd; /* below it, for the log */
	enum phase phase;
	struct helper pasta, forwarder;
	bool pasta_has_keeper; /* it is the first one, whose child the keeper is */
	char *pasta_path, *self;
	struct loop_source *turn;
	uint64_t pause_ms, give_up_ms;
	bool ok;
	struct err err;
};

/* pasta waits for ever when it cannot open this. */
static bool check_tun(struct err *err)
{
	CLEANUP_CLOSE int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return true;
	return err_sys(
		err, errno,
		"cannot open /dev/net/tun, which a network without root needs (usual: chmod 666 /dev/net/tun)");
}

/* Tried, since no setting tells: kernel options, sysctls, AppArmor's and containers' filters all have a say. */
static bool check_namespaces(struct err *err)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(err, errno, "cannot start a process");
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : errno);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return err_sys(
		err, WIFEXITED(status) ? WEXITSTATUS(status) : EPERM,
		"this user cannot make user namespaces (see kernel.unprivileged_userns_clone, user.max_user_namespaces, "
		"kernel.apparmor_restrict_unprivileged_userns)");
}

bool rootless_check(const char *path_env, struct err *err)
{
	CLEANUP_FREE char *pasta = executable_find("pasta", path_env);

	if (geteuid() == 0)
		return err_set(err, ERR_GENERAL,
			       "root does not need a rootless network: start the keeper itself");
	if (!pasta)
		return err_set(err, ERR_GENERAL, "pasta not found in PATH, install passt");
	/* What pasta starts is root of its namespace by being executed, which this forbids. */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return err_set(
			err, ERR_GENERAL,
			"this process may not gain privileges (no_new_privs), as pasta's must");
	return check_tun(err) && check_namespaces(err);
}

/* Whether the keeper answers, and its process id. */
static bool find_keeper(const struct rootless *r, pid_t *ret, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (!sock_connect_packets(r->dirfd, NETD_SOCKET, &fd, err))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 0)
		return err_set(err, ERR_GENERAL, "cannot tell which process the keeper is");
	*ret = peer.pid;
	return true;
}

static void finish(struct rootless *r, bool ok)
{
	r->phase = ENDING;
	r->ok = ok;
	loop_stop(r->loop);
}

/* The next turn comes after a pause, unless what has ended had lived. */
static void helper_has_ended(struct rootless *r, struct helper *helper, const char *name,
			     int status)
{
	CLEANUP_STR struct str how = { 0 };

	helper->source = NULL;
	child_describe_status(status, &how);
	if (loop_now_ms(r->loop) - helper->since_ms > LIVED_MS)
		r->pause_ms = PAUSE_MS;
	if (r->phase != RUNNING) {
		loop_arm(r->turn, 0);
		return;
	}
	if (r->pause_ms < PAUSE_MAX_MS)
		log_line(r->log, "%s %s", name, str_text(&how));
	loop_arm(r->turn, r->pause_ms);
	if (r->pause_ms < PAUSE_MAX_MS)
		r->pause_ms *= 2;
}

static void rootless_on_pasta_end(void *ctx, int status)
{
	struct rootless *r = ctx;
	CLEANUP_STR struct str how = { 0 };

	child_describe_status(status, &how);
	if (status != 0 || r->phase == STARTING)
		(void)err_set(&r->err, ERR_GENERAL, "pasta %s%s (see %s)", str_text(&how),
			      r->phase == STARTING ? " before the keeper answered" : "", LOG_FILE);
	helper_has_ended(r, &r->pasta, "pasta", status);
}

static void rootless_on_forwarder_end(void *ctx, int status)
{
	struct rootless *r = ctx;

	helper_has_ended(r, &r->forwarder, "the forwarder", status);
}

static bool start_helper(struct rootless *r, struct helper *helper, const char *const *argv,
			 loop_child_fn *on_end, struct err *err)
{
	const struct child_spec spec = {
		.argv = argv,
		.stdin_fd = -1,
		.stdout_fd = STDERR_FILENO,
		.stderr_fd = STDERR_FILENO,
		.cwd_fd = -1,
		.own_group = true,
		.may_gain_privs = true, /* pasta's command: root of the namespace that it makes */
	};

	helper->since_ms = loop_now_ms(r->loop);
	return child_start(&spec, &helper->child, err) &&
	       loop_add_child(r->loop, &helper->child, on_end, r, &helper->source, err);
}

/* No port is passed on by pasta itself, and the gateway is not the host: what listens on the host's loopback for the host
 * alone is not for guests. */
#define PASTA_OPTIONS \
	"-q", "--config-net", "--no-map-gw", "-t", "none", "-u", "none", "-T", "none", "-U", "none"

static bool start_first_pasta(struct rootless *r, struct err *err)
{
	const struct rootless_options *options = r->options;
	const char *argv[24] = {
		r->pasta_path, PASTA_OPTIONS, "--", r->self, "--dir", options->dir
	};
	size_t n = 16;

	if (options->conf) {
		argv[n++] = "--conf";
		argv[n++] = options->conf;
	}
	if (options->linger) {
		argv[n++] = "--linger";
		argv[n++] = options->linger;
	}
	r->pasta_has_keeper = true;
	return start_helper(r, &r->pasta, argv, rootless_on_pasta_end, err);
}

static bool start_next_pasta(struct rootless *r, pid_t keeper, struct err *err)
{
	CLEANUP_FREE char *pid = xasprintf("%ld", (long)keeper);
	const char *const argv[] = { r->pasta_path, "-f", PASTA_OPTIONS, pid, NULL };

	r->pasta_has_keeper = false;
	log_line(r->log, "another pasta is started");
	return start_helper(r, &r->pasta, argv, rootless_on_pasta_end, err);
}

static bool start_forwarder(struct rootless *r, struct err *err)
{
	const char *const argv[] = { r->self, "--forwarder", r->options->dir, NULL };

	return start_helper(r, &r->forwarder, argv, rootless_on_forwarder_end, err);
}

static void tend(struct rootless *r, pid_t keeper)
{
	struct err err = { 0 };

	r->phase = RUNNING;
	if (!r->pasta.source && !start_next_pasta(r, keeper, &err))
		log_line(r->log, "pasta: %s", err.text);
	if (!r->forwarder.source && !start_forwarder(r, &err))
		log_line(r->log, "the forwarder: %s", err.text);
	if (!r->pasta.source || !r->forwarder.source)
		loop_arm(r->turn, PAUSE_MAX_MS);
}

static void await_keeper(struct rootless *r, const struct err *why)
{
	if (!r->pasta.source) {
		finish(r, false);
	} else if (loop_now_ms(r->loop) < r->give_up_ms) {
		loop_arm(r->turn, RETRY_MS);
	} else {
		r->err = *why;
		(void)err_context(&r->err, "the keeper does not answer");
		finish(r, false);
	}
}

/* The pasta whose child it was ends with the same code; any other has no reason to. */
static void follow_keeper(struct rootless *r)
{
	if (r->pasta.source && r->pasta_has_keeper && r->phase == RUNNING) {
		r->phase = ENDING;
		loop_arm(r->turn, START_MS);
		return;
	}
	finish(r, !r->pasta_has_keeper || r->pasta.source || r->err.kind == ERR_NONE);
}

static void rootless_on_turn(void *ctx)
{
	struct rootless *r = ctx;
	struct err why = { 0 };
	pid_t keeper = 0;

	if (r->phase != ENDING && find_keeper(r, &keeper, &why))
		tend(r, keeper);
	else if (r->phase == STARTING)
		await_keeper(r, &why);
	else
		follow_keeper(r);
}

static bool open_dir(struct rootless *r, const char *dir, struct err *err)
{
	r->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dirfd < 0)
		return err_sys(err, errno, "cannot open '%s'", dir);
	if (mkdirat(r->dirfd, "net", 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make '%s/net'", dir);
	r->net_fd = openat(r->dirfd, "net", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->net_fd < 0)
		return err_sys(err, errno, "cannot open '%s/net'", dir);
	return log_open(r->net_fd, true, &r->log, err);
}

static bool find_programs(struct rootless *r, struct err *err)
{
	r->pasta_path = executable_find("pasta", getenv("PATH"));
	r->self = realpath("/proc/self/exe", NULL);
	if (!r->pasta_path || !r->self)
		return err_sys(err, errno, "cannot find pasta, or this program");
	return true;
}

/* A keeper that is there already had another one like us. */
static bool start(struct rootless *r, struct err *err)
{
	struct err ignored = { 0 };
	pid_t keeper;

	return find_keeper(r, &keeper, &ignored) || start_first_pasta(r, err);
}

static bool run(struct rootless *r, struct err *err)
{
	if (!open_dir(r, r->options->dir, err) || !find_programs(r, err) ||
	    !loop_new(&r->loop, err))
		return false;
	r->turn = loop_add_deadline(r->loop, rootless_on_turn, r);
	/* A later pasta joins namespaces that are its user's, which gives it what it needs there. */
	if (!start(r, err) || !isolate_from_gains(err))
		return false;
	r->pause_ms = PAUSE_MS;
	r->give_up_ms = loop_now_ms(r->loop) + START_MS;
	loop_arm(r->turn, 0);
	if (!loop_run(r->loop, err))
		return false;
	if (!r->ok)
		*err = r->err;
	return r->ok;
}

static void helper_end(struct helper *helper)
{
	loop_remove(&helper->source);
	child_kill(&helper->child);
}

bool rootless_main(const struct rootless_options *options, struct err *err)
{
	struct rootless r = { .options = options,
			      .dirfd = -1,
			      .net_fd = -1,
			      .pasta.child = CHILD_INIT,
			      .forwarder.child = CHILD_INIT };
	bool ok = rootless_check(getenv("PATH"), err) && run(&r, err);

	helper_end(&r.forwarder);
	helper_end(&r.pasta);
	loop_free(r.loop);
	log_close(r.log);
	cleanup_close(&r.net_fd);
	cleanup_close(&r.dirfd);
	free(r.pasta_path);
	free(r.self);
	return ok;
}
