/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up what a forwarder does not need, and forwarding. */
#include "netd/forwarding.h"

#include <fcntl.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/number.h"
#include "netd/forwarder.h"
#include "netd/isolate.h"
#include "netd/log.h"

#define PORT_START_FILE "/proc/sys/net/ipv4/ip_unprivileged_port_start"

struct forwarding {
	struct loop *loop;
	struct log *log;
	int dirfd;
	int net_fd; /* below it, for the log */
	struct forwarder *forwarder;
};

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
	const struct forwarding *f = ctx;

	log_line(f->log, "%s", line);
}

static void forwarder_on_loss(void *ctx)
{
	const struct forwarding *f = ctx;

	loop_stop(f->loop);
}

static bool open_dir(struct forwarding *f, const char *dir, struct err *err)
{
	return fs_open_dir(AT_FDCWD, dir, &f->dirfd, err) &&
	       fs_open_dir(f->dirfd, "net", &f->net_fd, err) &&
	       log_open(f->net_fd, true, &f->log, err);
}

static bool shut_in(const char *dir, struct err *err)
{
	CLEANUP_FREE char *net_dir = xasprintf("%s/net", dir);
	const struct isolate_path keep[] = { { net_dir, true }, { NULL, false } };

	return isolate_identity(ISOLATE_FORWARDER, err) &&
	       isolate_calls(ISOLATE_FORWARDER, keep, err);
}

static bool run(struct forwarding *f, const char *dir, struct err *err)
{
	struct forwarder_options options = {
		.unprivileged_start = read_port_start(),
		.log = forwarder_on_log,
		.lost = forwarder_on_loss,
		.ctx = f,
	};

	if (!open_dir(f, dir, err) || !loop_new(&f->loop, err) || !shut_in(dir, err))
		return false;
	options.dirfd = f->dirfd;
	return forwarder_new(f->loop, &options, &f->forwarder, err) && loop_run(f->loop, err);
}

bool forwarding_main(const char *dir, struct err *err)
{
	struct forwarding f = { .dirfd = -1, .net_fd = -1 };
	bool ok = run(&f, dir, err);

	forwarder_free(f.forwarder);
	loop_free(f.loop);
	log_close(f.log);
	cleanup_close(&f.net_fd);
	cleanup_close(&f.dirfd);
	return ok;
}
