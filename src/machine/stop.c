/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a VM from outside. */
#include "machine/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/checked.h"
#include "base/fs.h"
#include "storage/bundle.h"

#define POLL_MS          100
#define TERM_BEFORE_MS   2000 /* what `tart run` gets for ending QEMU, before it is killed too */
#define KILL_PATIENCE_MS 5000

/* The process that runs a VM, by a handle that no other process can come to bear. */
struct runner {
	int bundle_fd;
	pid_t pid;
	int pidfd;
};

static void runner_done(const struct runner *runner)
{
	cleanup_close(&runner->pidfd);
}

static bool is_held(const struct runner *runner)
{
	pid_t pid = 0;

	return bundle_state(runner->bundle_fd, &pid) == VM_RUNNING && pid == runner->pid;
}

static uint64_t now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* *ret_pidfd = -1: the lock was let go meanwhile. */
static bool find_runner(int bundle_fd, pid_t pid, const char *name, struct runner *ret,
			struct err *err)
{
	if (pid == 0)
		return err_set(err, ERR_GENERAL,
			       "VM \"%s\" runs in another container: stop it there", name);
	ret->bundle_fd = bundle_fd;
	ret->pid = pid;
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret->pidfd < 0 && errno != ESRCH)
		return err_sys(err, errno, "cannot watch process %d, which runs VM \"%s\"",
			       (int)pid, name);
	/* The pid may have passed to another process before the handle was ours, but then not the lock. */
	if (ret->pidfd >= 0 && !is_held(ret)) {
		(void)close(ret->pidfd);
		ret->pidfd = -1;
	}
	return true;
}

/* A process that is gone already is no error. */
static bool send(const struct runner *runner, int signum)
{
	return syscall(SYS_pidfd_send_signal, runner->pidfd, signum, NULL, 0) == 0 ||
	       errno == ESRCH;
}

enum wait_end { WAIT_FREE, WAIT_LATE, WAIT_CANCELLED };

/* The end of the process wakes us; it may let the lock go some time before. */
static enum wait_end wait_for_lock(const struct runner *runner, uint64_t deadline_ms,
				   struct err *err)
{
	struct pollfd pollfd = { .fd = runner->pidfd, .events = POLLIN };

	while (is_held(runner)) {
		uint64_t now = now_ms();
		uint64_t left = deadline_ms > now ? deadline_ms - now : 0;

		if (!cancel_check(err))
			return WAIT_CANCELLED;
		if (left == 0)
			return WAIT_LATE;
		(void)poll(&pollfd, 1, left < POLL_MS ? (int)left : POLL_MS);
	}
	return WAIT_FREE;
}

uint64_t stop_term_after_ms(uint64_t timeout_ms)
{
	uint64_t half = timeout_ms / 2;

	return timeout_ms >= 2 * TERM_BEFORE_MS ? timeout_ms - TERM_BEFORE_MS : half;
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return ckd_add(&sum, a, b) ? UINT64_MAX : sum;
}

static bool kill_runner(const struct runner *runner, const char *name, struct err *err)
{
	int why = ETIMEDOUT;

	if (!send(runner, SIGKILL))
		why = errno;
	else if (wait_for_lock(runner, now_ms() + KILL_PATIENCE_MS, err) == WAIT_FREE)
		return true;
	return err_set(err, ERR_STOP, "failed to forcefully terminate the VM \"%s\": %s", name,
		       strerror(why));
}

static bool stop_running(const struct runner *runner, const char *name, uint64_t timeout_s,
			 struct err *err)
{
	uint64_t timeout_ms;
	uint64_t start = now_ms();
	enum wait_end end;

	if (ckd_mul(&timeout_ms, timeout_s, (uint64_t)1000))
		timeout_ms = UINT64_MAX;
	if (!send(runner, SIGINT) && errno == EPERM)
		return err_set(err, ERR_GENERAL, "VM \"%s\" is run by another user: %s", name,
			       strerror(errno));
	end = wait_for_lock(runner, add_saturated(start, stop_term_after_ms(timeout_ms)), err);
	if (end == WAIT_LATE && timeout_ms > 0) {
		(void)send(runner, SIGTERM);
		end = wait_for_lock(runner, add_saturated(start, timeout_ms), err);
	}
	return end == WAIT_FREE || (end == WAIT_LATE && kill_runner(runner, name, err));
}

static bool discard_state(int bundle_fd, const char *name, struct err *err)
{
	if (unlinkat(bundle_fd, BUNDLE_STATE, 0) == 0)
		return fs_sync(bundle_fd, err);
	if (errno == ENOENT)
		return err_vm_not_running(err, name);
	return err_sys(err, errno, "cannot remove the saved state of VM \"%s\"", name);
}

bool stop_vm(int bundle_fd, const char *name, uint64_t timeout_s, struct err *err)
{
	CLEANUP(runner_done) struct runner runner = { .pidfd = -1 };
	pid_t pid = 0;

	switch (bundle_state(bundle_fd, &pid)) {
	case VM_STOPPED:
		return err_vm_not_running(err, name);
	case VM_SUSPENDED:
		return discard_state(bundle_fd, name, err);
	case VM_RUNNING:
		break;
	}
	if (!find_runner(bundle_fd, pid, name, &runner, err))
		return false;
	return runner.pidfd < 0 || stop_running(&runner, name, timeout_s, err);
}
