/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes: started with exactly the descriptors they are given, dying with us, watched by pidfd.
 *
 * A child never outlives its parent: PR_SET_PDEATHSIG is set after any change of identity (which clears it) and
 * the parent's pid is compared afterwards. The signal fires when the forking *thread* ends, so start long-lived
 * children from the main thread.
 */
#ifndef TART_BASE_CHILD_H
#define TART_BASE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct child_identity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary groups */
	size_t n_groups;
};

struct child_spec {
	const char *const
		*argv; /* NULL-terminated; argv[0] is looked up in PATH unless it has a '/' */
	const char *const *envp; /* NULL = ours */
	int stdin_fd;            /* -1 = /dev/null, for each of the three */
	int stdout_fd;
	int stderr_fd;
	const int *keep_fds; /* further descriptors inherited under their own numbers */
	size_t n_keep_fds;
	int cwd_fd;                            /* directory to start in, -1 = ours */
	const struct child_identity *identity; /* NULL = ours */
	bool may_gain_privs;                   /* else no_new_privs is set, unless it is already */
	bool own_group; /* its own process group: a terminal's Ctrl-C does not reach it */
};

#define CHILD_SPEC_INIT                                                        \
	{                                                                      \
		.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .cwd_fd = -1 \
	}

struct child {
	pid_t pid; /* 0 = none */
	int pidfd; /* readable when it has ended; -1 = none */
};

#define CHILD_INIT          \
	{                   \
		.pidfd = -1 \
	}

/* Starts it; a program that cannot be executed is an error here, with the reason. */
bool child_start(const struct child_spec *spec, struct child *ret, struct err *err);

/* Waits until it ends and reaps it. *ret_status is as waitpid's. Not interrupted by cancellation. */
bool child_wait(struct child *child, int *ret_status, struct err *err);

/* SIGKILL, reap, forget. Accepts an empty child; fits CLEANUP(). */
void child_kill(struct child *child);

/* "exited with code 3", "was killed by signal 9 (Killed)". */
void child_describe_status(int status, struct str *out);

/* Runs to the end with stdin /dev/null. stdout goes to *out (NULL: discarded), at most max_out bytes: more is an
 * error. Anything but exit code 0 is an error that quotes the last line of stderr. Cancellation kills it. */
bool child_run(const char *const *argv, size_t max_out, struct str *out, struct err *err);

/* Same, with descriptors kept and a working directory: see struct child_spec. The std descriptors are ignored. */
bool child_run_spec(const struct child_spec *spec, size_t max_out, struct str *out,
		    struct err *err);

#endif
