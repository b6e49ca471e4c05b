/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Supervises one QEMU: from its start to its end, with everything that happens in between. One thread, one loop.
 *
 * Theory of operation. A supervisor is made first: from then on SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are
 * events of its loop instead of deaths, so that whoever learns our pid from the VM's lock may signal at once. Then
 * supervisor_run() starts a QEMU, stopped; negotiates QMP; sets the VNC password; lets the guest go; and returns when
 * the process was reaped, whatever led to it. It may be called again: for a second try with other hardware.
 *
 * What QEMU may be doing, and which event leads where, is lifecycle.h's table. The events come from
 *
 *	QMP		ready, replies, SHUTDOWN and other events, end of the connection
 *	the process	its end (pidfd); only that counts as the end of the run
 *	signals		SIGINT asks the guest (at once hard if it cannot hear), SIGTERM and SIGHUP do not ask,
 *			SIGUSR2 presses the power button
 *	the window	closing it is a SIGINT
 *	the keeper	its end: network_watch.h
 *	the deadline	of the state
 *
 * Consoles and QEMU's output are drained all the time and, once more, when the process has ended; verdict.h judges
 * from what was seen.
 */
#ifndef TART_MACHINE_SUPERVISOR_H
#define TART_MACHINE_SUPERVISOR_H

#include "base/child.h"
#include "machine/network_watch.h"
#include "machine/qmp.h"
#include "machine/screen.h"
#include "machine/spec.h"
#include "machine/tty.h"
#include "machine/verdict.h"

struct supervisor;

struct supervisor_limits {
	struct qmp_limits qmp;
	uint64_t button_ms; /* from SIGINT to `quit` */
	uint64_t quit_ms;   /* from `quit` to SIGKILL */
	uint64_t leave_ms;  /* from the guest's end to SIGKILL */
	uint64_t retry_ms;  /* between attempts to go on after the host's disk was full */
	uint64_t tty_ms;    /* patience with a terminal nobody reads */
};

extern const struct supervisor_limits supervisor_default_limits;

/* `ui` and `view` are borrowed for the supervisor's life. */
bool supervisor_new(const struct run_ui *ui, const struct screen_view *view,
		    const struct supervisor_limits *limits, struct supervisor **ret,
		    struct err *err);

/* Puts the logs and vnc.sock into the bundle, whose lock the caller holds, and adopts *tty (emptied). */
bool supervisor_open(struct supervisor *s, int bundle_fd, struct tty *tty, struct err *err);

/* Sees to it that the NICs stay registered with a keeper while the guest runs; both are borrowed. */
bool supervisor_watch_network(struct supervisor *s, struct run_network *network,
			      const struct home *home, struct err *err);

struct supervisor_result {
	enum verdict verdict;
	bool guest_ran;    /* false: QEMU ended before the guest's first instruction */
	bool clean;        /* QEMU ended by itself, its files closed in order */
	struct str detail; /* of VERDICT_FAILED */
};
void supervisor_result_done(struct supervisor_result *result);

/* `program` is QEMU's path. False only if supervising itself failed; QEMU is gone then, too. */
bool supervisor_run(struct supervisor *s, const char *program, const struct machine_spec *machine,
		    const struct child_identity *identity, struct supervisor_result *ret,
		    struct err *err);

/* Closes all, removes vnc.sock; accepts NULL. */
void supervisor_free(struct supervisor *s);

#endif
