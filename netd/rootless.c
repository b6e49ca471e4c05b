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
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/program.h"
#include "netd/forwarder.h"
#include "netd/isolate.h"
#include "netd/log.h"

#define START_MS 15000 /* from pasta's start until its keeper answers */
#define RETRY_MS 20

#define PORT_START_FILE "/proc/sys/net/ipv4/ip_unprivileged_port_start"

enum phase { STARTING, FORWARDING, ENDED };

struct rootless {
	struct loop *loop;
	struct log *log;
	int dirfd;
	int net_fd; /* below it, for the log */
	uint32_t port_start;
	enum phase phase;
	struct child pasta;
	struct loop_source *pasta_source;
	struct loop_source *retry;
	uint64_t give_up_ms;
	struct forwarder *forwarder;
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

static uint32_t read_port_start(void)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	struct span digits;
	uint64_t start;

	if (!fs_read_file(AT_FDCWD, PORT_START_FILE, 16, &text, &ignored))
		return 1024;
	digits = str_span(&text);
	digits = span_first(digits, span_find(digits, '\n'));
	return number_parse_u64(digits, 65536, &start) ? (uint32_t)start : 1024;
}

static void forwarder_on_log(void *ctx, const char *line)
{
	const struct rootless *r = ctx;

	log_line(r->log, "%s", line);
}

/* The keeper has ended, pasta will. */
static void forwarder_on_loss(void *ctx)
{
	struct rootless *r = ctx;

	r->phase = ENDED;
	r->ok = true;
	loop_arm(r->retry, START_MS);
}

static void fail(struct rootless *r)
{
	r->phase = ENDED;
	loop_stop(r->loop);
}

static void rootless_on_pasta_end(void *ctx, int status)
{
	struct rootless *r = ctx;
	CLEANUP_STR struct str how = { 0 };

	child_describe_status(status, &how);
	if (r->phase == STARTING)
		(void)err_set(&r->err, ERR_GENERAL, "pasta %s before the keeper answered (see %s)",
			      str_text(&how), LOG_FILE);
	else if (!r->ok && status != 0)
		(void)err_set(&r->err, ERR_GENERAL, "pasta %s", str_text(&how));
	else
		r->ok = true;
	fail(r);
}

static void rootless_on_retry(void *ctx)
{
	struct rootless *r = ctx;
	const struct forwarder_options options = {
		.dirfd = r->dirfd,
		.unprivileged_start = r->port_start,
		.log = forwarder_on_log,
		.lost = forwarder_on_loss,
		.ctx = r,
	};

	if (r->phase == ENDED) {
		loop_stop(r->loop); /* pasta stays without a keeper: it is killed */
		return;
	}
	err_clear(&r->err);
	if (forwarder_new(r->loop, &options, &r->forwarder, &r->err)) {
		r->phase = FORWARDING;
		return;
	}
	if (loop_now_ms(r->loop) < r->give_up_ms) {
		loop_arm(r->retry, RETRY_MS);
		return;
	}
	(void)err_context(&r->err, "the keeper does not answer");
	fail(r);
}

/* No port is passed on by pasta itself, and the gateway is not the host: what listens on the host's loopback for the host
 * alone is not for guests. */
static bool start_pasta(struct rootless *r, const struct rootless_options *options, struct err *err)
{
	CLEANUP_FREE char *pasta = executable_find("pasta", getenv("PATH"));
	CLEANUP_FREE char *self = realpath("/proc/self/exe", NULL);
	const char *argv[24] = { pasta, "-q",   "--config-net", "--no-map-gw", "-t", "none",
				 "-u",  "none", "-T",           "none",        "-U", "none",
				 "--",  self,   "--dir",        options->dir };
	size_t n = 16;
	const struct child_spec spec = {
		.argv = argv,
		.stdin_fd = -1,
		.stdout_fd = STDERR_FILENO,
		.stderr_fd = STDERR_FILENO,
		.cwd_fd = -1,
		.own_group = true,
		.may_gain_privs = true, /* root of the namespace that it makes */
	};

	if (!self)
		return err_sys(err, errno, "cannot find this program");
	if (options->conf) {
		argv[n++] = "--conf";
		argv[n++] = options->conf;
	}
	if (options->linger) {
		argv[n++] = "--linger";
		argv[n++] = options->linger;
	}
	return child_start(&spec, &r->pasta, err) &&
	       loop_add_child(r->loop, &r->pasta, rootless_on_pasta_end, r, &r->pasta_source, err);
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

static bool shut_in(const struct rootless *r, const char *dir, struct err *err)
{
	CLEANUP_FREE char *net_dir = xasprintf("%s/net", dir);
	const struct isolate_path keep[] = { { net_dir, true }, { NULL, false } };

	return isolate_calls(ISOLATE_FORWARDER, keep, r->pasta.pid, err);
}

static bool run(struct rootless *r, const struct rootless_options *options, struct err *err)
{
	if (!open_dir(r, options->dir, err) || !loop_new(&r->loop, err))
		return false;
	r->retry = loop_add_deadline(r->loop, rootless_on_retry, r);
	r->port_start = read_port_start();
	if (!start_pasta(r, options, err) || !isolate_from_gains(err) ||
	    !isolate_identity(ISOLATE_FORWARDER, err) || !shut_in(r, options->dir, err))
		return false;
	r->give_up_ms = loop_now_ms(r->loop) + START_MS;
	loop_arm(r->retry, 0);
	if (!loop_run(r->loop, err))
		return false;
	if (!r->ok)
		*err = r->err;
	return r->ok;
}

bool rootless_main(const struct rootless_options *options, struct err *err)
{
	struct rootless r = { .dirfd = -1, .net_fd = -1, .pasta = CHILD_INIT };
	bool ok = rootless_check(getenv("PATH"), err) && run(&r, options, err);

	forwarder_free(r.forwarder);
	loop_remove(&r.pasta_source);
	child_kill(&r.pasta);
	loop_free(r.loop);
	log_close(r.log);
	cleanup_close(&r.net_fd);
	cleanup_close(&r.dirfd);
	return ok;
}
