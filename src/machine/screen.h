/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user sees of the guest: vnc.sock, a window on it, a VNC port or the guest's own with its URL. Lives as long as the run, while
 * QEMUs may come and go.
 */
#ifndef TART_MACHINE_SCREEN_H
#define TART_MACHINE_SCREEN_H

#include "machine/qmp.h"
#include "machine/run_ui.h"
#include "machine/viewer.h"
#include "vmnet/lookup.h"

struct screen_view {
	struct viewer_env env;
	bool window;
	bool window_required; /* without one, the VM stops */
	bool grab_keys;
	const char *vnc_password; /* NULL = no port on 127.0.0.1 */
	struct lookup *
		guest; /* the guest serves its screen itself, at this address; NULL = that is not wanted */
	bool open_url; /* show it in a viewer instead of only telling the URL */
};

struct screen_handlers {
	void (*on_closed)(void *ctx);                  /* the user has closed the window */
	void (*on_failed)(void *ctx, const char *why); /* what is required cannot be had */
};

struct screen;

/* Makes vnc.sock; the caller holds the VM's lock. `ui`, `view` and bundle_fd are borrowed for the screen's life. */
bool screen_new(struct loop *loop, const struct run_ui *ui, const struct screen_view *view,
		int bundle_fd, const struct screen_handlers *handlers, void *ctx,
		struct screen **ret, struct err *err);

/* The guest runs, in this QEMU, whose password is set: viewers may connect. The first time, the URL is told and the
 * window opened. */
void screen_show(struct screen *screen, struct qmp *qmp);

/* QEMU has gone. */
void screen_hide(struct screen *screen);

/* Closes the window, removes vnc.sock. Accepts NULL. */
void screen_free(struct screen *screen);

#endif
