/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor of a QEMU process. */
#include "machine/supervisor.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "machine/console.h"
#include "machine/launch.h"
#include "machine/lifecycle.h"
#include "machine/power_button.h"
#include "machine/qemu_log.h"
#include "storage/bundle.h"

const struct supervisor_limits supervisor_default_limits = {
	.qmp = { .greeting_ms = 60 * 1000, .reply_ms = 10 * 1000 },
	.button_ms = 25 * 1000,
	.quit_ms = 5 * 1000,
	.leave_ms = 10 * 1000,
	.retry_ms = 2 * 1000,
	.tty_ms = 1000,
};

struct supervisor {
	const struct run_ui *ui;
	const struct screen_view *view;
	struct supervisor_limits limits;
	struct loop *loop;
	struct loop_source *signals;
	struct console console;
	struct qemu_log log;
	struct tty tty;
	struct screen *screen;
	struct network_watch *network;
	bool stop_wanted; /* by the user; ends further starts, too */

	/* Of one start: */
	const struct machine_spec *machine;
	enum life_state state;
	struct loop_source *deadline; /* of the state */
	struct loop_source *retry;    /* after the host's disk was full */
	struct child child;
	struct loop_source *child_source;
	struct qmp *qmp;
	struct button_query hearing;
	bool guest_ran;
	bool disk_full; /* and the user knows */
	bool halted;    /* QEMU has stopped the guest because of that */
	bool killed;
	enum shutdown_reason shutdown;
	int status;
	uint64_t oom_kills_before;
	struct err problem; /* the first that was found; ERR_NONE = none */
};

static void step(struct supervisor *s, enum life_event event);

static void note_problem(struct supervisor *s, const char *text)
{
	if (s->problem.kind == ERR_NONE)
		(void)err_set(&s->problem, ERR_GENERAL, "%s", text);
}

static void request_stop(struct supervisor *s, enum life_event how)
{
	if (!s->stop_wanted)
		run_ui_status(s->ui, "Stopping VM...");
	s->stop_wanted = true;
	/* A guest that QEMU has stopped hears nothing. */
	step(s, how == LIFE_ASK && s->halted ? LIFE_QUIT : how);
}

static void screen_on_closed(void *ctx)
{
	request_stop(ctx, LIFE_ASK);
}

static void screen_on_failed(void *ctx, const char *why)
{
	struct supervisor *s = ctx;

	note_problem(s, why);
	step(s, LIFE_BREAK);
}

/*
 * A host disk without space makes QEMU stop the guest at the write that failed. Going on repeats that write, which
 * may fail again at once: only when it has not for a while, all is well.
 */
static void disk_on_error(struct supervisor *s, const struct json *data)
{
	const char *action = json_member_text(data, "action");

	if (!action || strcmp(action, "stop") != 0)
		return;
	if (!s->disk_full)
		run_ui_status(
			s->ui,
			"The host cannot store what the VM writes (no space left?): the VM waits");
	s->disk_full = true;
	s->halted = true;
	loop_arm(s->retry, s->limits.retry_ms);
}

static void retry_on_due(void *ctx)
{
	struct supervisor *s = ctx;

	if (s->halted) {
		qmp_send(s->qmp, "cont", NULL, -1, NULL, NULL);
		loop_arm(s->retry, s->limits.retry_ms);
	} else if (s->disk_full) {
		s->disk_full = false;
		run_ui_status(s->ui, "The VM goes on");
	}
}

/* What a state begins with. */

static void button_on_hearing(void *ctx, enum button_hearing hearing)
{
	struct supervisor *s = ctx;

	if (s->state != LIFE_ASKED)
		return;
	if (hearing == BUTTON_DEAF)
		step(s, LIFE_QUIT);
	else
		power_button_press(s->qmp);
}

static void boot_on_reply(void *ctx, const struct json *result, const struct err *why)
{
	struct supervisor *s = ctx;

	if (result) {
		s->guest_ran = true;
		step(s, LIFE_RESUMED);
		return;
	}
	note_problem(s, why->text);
	step(s, LIFE_BREAK);
}

static void password_on_reply(void *ctx, const struct json *result, const struct err *why)
{
	struct supervisor *s = ctx;

	if (result)
		return;
	note_problem(s, why->text);
	step(s, LIFE_BREAK);
}

static void boot(struct supervisor *s)
{
	if (s->view->vnc_password) {
		struct json *arguments = json_object();

		(void)json_set(arguments, "protocol", json_string("vnc"));
		(void)json_set(arguments, "password", json_string(s->view->vnc_password));
		qmp_send(s->qmp, "set_password", arguments, -1, password_on_reply, s);
	}
	qmp_send(s->qmp, "cont", NULL, -1, boot_on_reply, s);
}

static void kill_qemu(struct supervisor *s)
{
	s->killed = true;
	if (s->child.pid > 0)
		(void)kill(s->child.pid, SIGKILL);
}

static void enter(struct supervisor *s)
{
	loop_disarm(s->deadline);
	switch (s->state) {
	case LIFE_BOOTING:
		boot(s);
		break;
	case LIFE_RUNNING:
		screen_show(s->screen, s->qmp);
		break;
	case LIFE_ASKED:
		loop_arm(s->deadline, s->limits.button_ms);
		power_button_query(&s->hearing, s->qmp, s->machine, button_on_hearing, s);
		break;
	case LIFE_QUITTING:
		loop_arm(s->deadline, s->limits.quit_ms);
		qmp_send(s->qmp, "quit", NULL, -1, NULL, NULL);
		break;
	case LIFE_LEAVING:
		loop_arm(s->deadline, s->limits.leave_ms);
		break;
	case LIFE_KILLED:
		kill_qemu(s);
		break;
	case LIFE_ENDED:
		loop_stop(s->loop);
		break;
	case LIFE_STARTING:
	case LIFE_STATE_COUNT:
		break;
	}
}

static void step(struct supervisor *s, enum life_event event)
{
	enum life_state next = life_next(s->state, event);

	if (next == s->state)
		return;
	s->state = next;
	enter(s);
}

static void deadline_on_passed(void *ctx)
{
	struct supervisor *s = ctx;

	if (s->state == LIFE_LEAVING)
		note_problem(s, "QEMU did not end");
	step(s, LIFE_LATE);
}

/* Events from outside. */

static void qmp_on_ready(void *ctx)
{
	step(ctx, LIFE_READY);
}

static void qmp_on_event(void *ctx, const char *name, const struct json *data)
{
	struct supervisor *s = ctx;

	if (strcmp(name, "SHUTDOWN") == 0) {
		s->shutdown = shutdown_reason_of(data);
		step(s, LIFE_LEAVE);
	} else if (strcmp(name, "BLOCK_IO_ERROR") == 0) {
		disk_on_error(s, data);
	} else if (strcmp(name, "RESUME") == 0) {
		s->guest_ran = true;
		s->halted = false;
	}
}

static void qmp_on_closed(void *ctx, enum qmp_end end, const struct err *why)
{
	struct supervisor *s = ctx;

	screen_hide(s->screen);
	note_problem(s, why->text);
	step(s, end == QMP_LEFT ? LIFE_LEAVE : LIFE_BREAK);
}

static void child_on_end(void *ctx, int status)
{
	struct supervisor *s = ctx;

	s->child_source = NULL;
	s->status = status;
	qmp_drain(s->qmp);
	console_drain(&s->console);
	qemu_log_drain(&s->log);
	step(s, LIFE_END);
}

static void signal_on_arrival(void *ctx, int signum)
{
	struct supervisor *s = ctx;

	switch (signum) {
	case SIGINT:
		request_stop(s, LIFE_ASK);
		break;
	case SIGTERM:
	case SIGHUP:
		request_stop(s, LIFE_QUIT);
		break;
	case SIGUSR1:
		run_ui_status(s->ui, "This version of tart cannot suspend VMs, going on");
		break;
	case SIGUSR2:
		run_ui_status(s->ui, "Requesting guest OS to stop...");
		power_button_press(s->qmp);
		break;
	default:
		break;
	}
}

static bool watch_signals(struct supervisor *s, struct err *err)
{
	static const int all[] = { SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP };
	struct sigaction hangup;
	size_t n = ARRAY_LEN(all);

	/* nohup. A SIGINT that is ignored is taken all the same: `sh -c 'tart run x &'` ignores it for us, and
	 * `tart stop` sends it. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		n--;
	return loop_add_signals(s->loop, all, n, signal_on_arrival, s, &s->signals, err);
}

bool supervisor_new(const struct run_ui *ui, const struct screen_view *view,
		    const struct supervisor_limits *limits, struct supervisor **ret,
		    struct err *err)
{
	struct supervisor *s = xcalloc(1, sizeof(*s));

	s->ui = ui;
	s->view = view;
	s->limits = *limits;
	s->console = (struct console)CONSOLE_INIT;
	s->log = (struct qemu_log)QEMU_LOG_INIT;
	s->tty = (struct tty)TTY_INIT;
	s->child = (struct child)CHILD_INIT;
	s->state = LIFE_ENDED;
	if (!loop_new(&s->loop, err) || !watch_signals(s, err)) {
		supervisor_free(s);
		return false;
	}
	s->deadline = loop_add_deadline(s->loop, deadline_on_passed, s);
	s->retry = loop_add_deadline(s->loop, retry_on_due, s);
	*ret = s;
	return true;
}

bool supervisor_open(struct supervisor *s, int bundle_fd, struct tty *tty, struct err *err)
{
	static const struct screen_handlers handlers = { screen_on_closed, screen_on_failed };

	s->tty = *tty;
	*tty = (struct tty)TTY_INIT;
	if (!logfile_open(bundle_fd, BUNDLE_CONSOLE_LOG, CONSOLE_LOG_MAX, &s->console.log, err) ||
	    !logfile_open(bundle_fd, BUNDLE_QEMU_LOG, QEMU_LOG_MAX, &s->log.log, err))
		return false;
	return screen_new(s->loop, s->ui, s->view, bundle_fd, &handlers, s, &s->screen, err);
}

bool supervisor_watch_network(struct supervisor *s, struct run_network *network,
			      const struct home *home, struct err *err)
{
	return network_watch_new(s->loop, network, home, s->ui, &network_watch_default_limits,
				 &s->network, err);
}

static bool attach(struct supervisor *s, struct launch *launch, struct err *err)
{
	static const struct qmp_handlers handlers = { qmp_on_ready, qmp_on_event, qmp_on_closed };

	s->child = launch->child;
	launch->child = (struct child)CHILD_INIT;
	return loop_add_child(s->loop, &s->child, child_on_end, s, &s->child_source, err) &&
	       qmp_new(s->loop, TAKE_FD(launch->qmp_fd), &s->limits.qmp, &handlers, s, &s->qmp,
		       err) &&
	       console_start(&s->console, s->loop, TAKE_FD(launch->con_fd), err) &&
	       tty_start(&s->tty, s->loop, TAKE_FD(launch->hvc_fd), s->limits.tty_ms, err) &&
	       qemu_log_start(&s->log, s->loop, TAKE_FD(launch->output_fd), err);
}

/* Also ends a QEMU that is still there. */
static void detach(struct supervisor *s)
{
	loop_remove(&s->child_source);
	child_kill(&s->child);
	loop_disarm(s->deadline);
	loop_disarm(s->retry);
	screen_hide(s->screen);
	qmp_free(TAKE_PTR(s->qmp));
	console_stop(&s->console);
	tty_stop(&s->tty);
	qemu_log_stop(&s->log);
}

static void forget_last_start(struct supervisor *s, const struct machine_spec *machine)
{
	s->machine = machine;
	s->state = LIFE_STARTING;
	s->guest_ran = false;
	s->disk_full = false;
	s->halted = false;
	s->killed = false;
	s->shutdown = SHUTDOWN_UNTOLD;
	err_clear(&s->problem);
	s->oom_kills_before = oom_kills_of_host();
}

static void judge(const struct supervisor *s, struct supervisor_result *ret)
{
	CLEANUP_STR struct str output = { 0 };
	struct ending ending = {
		.shutdown = s->shutdown,
		.stop_wanted = s->stop_wanted,
		.killed = s->killed,
		.memory_ran_out = oom_kills_of_host() > s->oom_kills_before,
		.status = s->status,
		.problem = s->problem.kind != ERR_NONE ? s->problem.text : NULL,
	};

	qemu_log_add_last_lines(&s->log, &output);
	ending.output = str_text(&output);
	ret->guest_ran = s->guest_ran;
	ret->clean = WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0;
	ret->verdict = verdict_of(&ending, &ret->detail);
}

bool supervisor_run(struct supervisor *s, const char *program, const struct machine_spec *machine,
		    const struct child_identity *identity, struct supervisor_result *ret,
		    struct err *err)
{
	CLEANUP(launch_done) struct launch launch = LAUNCH_INIT;
	bool ok;

	forget_last_start(s, machine);
	ok = launch_qemu(program, machine, identity, &launch, err) && attach(s, &launch, err) &&
	     loop_run(s->loop, err);
	detach(s);
	if (ok)
		judge(s, ret);
	return ok;
}

void supervisor_result_done(struct supervisor_result *result)
{
	str_done(&result->detail);
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	screen_free(s->screen);
	network_watch_free(s->network);
	console_done(&s->console);
	tty_done(&s->tty);
	qemu_log_done(&s->log);
	loop_free(s->loop);
	free(s);
}
