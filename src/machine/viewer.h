/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's window: a VNC viewer of the host as a child process, connected to vnc.sock. And the program that
 * opens a vnc:// URL. Which of the known viewers understand the path of a socket depends on their make, so one that
 * ends without having connected makes room for the next.
 */
#ifndef TART_MACHINE_VIEWER_H
#define TART_MACHINE_VIEWER_H

#include "base/child.h"
#include "base/loop.h"

/* What of the environment matters here; strings are borrowed, NULL = unset. */
struct viewer_env {
	const char *display, *wayland_display;
	const char *path;
};

/* Whether a window could be shown; if not, *ret_why is a clause: "no display", "no VNC viewer in PATH (…)". */
bool viewer_is_possible(const struct viewer_env *env, const char **ret_why);

struct viewer;

struct viewer_handlers {
	bool (*had_client)(void *ctx); /* whether anybody connected so far */
	void (*on_closed)(void *ctx);  /* the user has closed the window */
	void (*on_failed)(void *ctx);  /* no viewer was able to show one */
};

/* Starts the first viewer. `socket_path` is copied; `grab_keys` as --capture-system-keys. */
bool viewer_start(struct loop *loop, const struct viewer_env *env, const char *socket_path,
		  bool grab_keys, const struct viewer_handlers *handlers, void *ctx,
		  struct viewer **ret, struct err *err);

/* Closes the window. Accepts NULL. */
void viewer_free(struct viewer *viewer);

/* Opens a URL with xdg-open; on_failed as above, on_closed is never called. */
bool viewer_open_url(struct loop *loop, const char *url, const struct viewer_handlers *handlers,
		     void *ctx, struct viewer **ret, struct err *err);

/* Whether viewer_open_url() has a chance. */
bool viewer_can_open_url(const struct viewer_env *env);

#endif
