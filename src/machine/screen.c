/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's screen for the user. */
#include "machine/screen.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/mem.h"
#include "machine/vnc.h"
#include "storage/bundle.h"

struct screen {
	struct loop *loop;
	const struct run_ui *ui;
	const struct screen_view *view;
	int bundle_fd;
	struct screen_handlers handlers;
	void *ctx;
	struct vnc *vnc;
	struct viewer *window;
	struct viewer *url_opener;
	bool shown;
};

bool screen_new(struct loop *loop, const struct run_ui *ui, const struct screen_view *view,
		int bundle_fd, const struct screen_handlers *handlers, void *ctx,
		struct screen **ret, struct err *err)
{
	struct screen *screen = xcalloc(1, sizeof(*screen));

	screen->loop = loop;
	screen->ui = ui;
	screen->view = view;
	screen->bundle_fd = bundle_fd;
	screen->handlers = *handlers;
	screen->ctx = ctx;
	if (!vnc_new(loop, bundle_fd, view->vnc_password != NULL, &screen->vnc, err)) {
		free(screen);
		return false;
	}
	*ret = screen;
	return true;
}

static bool window_had_client(void *ctx)
{
	const struct screen *screen = ctx;

	return vnc_had_client(screen->vnc);
}

static void window_on_closed(void *ctx)
{
	const struct screen *screen = ctx;

	screen->handlers.on_closed(screen->ctx);
}

static void window_on_failed(void *ctx)
{
	const struct screen *screen = ctx;

	if (screen->view->window_required)
		screen->handlers.on_failed(screen->ctx);
	else
		run_ui_status(screen->ui,
			      "No VNC viewer was able to show a window, going on without one");
}

static void open_window(struct screen *screen)
{
	static const struct viewer_handlers handlers = {
		.had_client = window_had_client,
		.on_closed = window_on_closed,
		.on_failed = window_on_failed,
	};
	/* By descriptor: the bundle's own path may be longer than a socket address. */
	CLEANUP_FREE char *path = xasprintf("/proc/%d/fd/%d/" BUNDLE_VNC_SOCKET, (int)getpid(),
					    screen->bundle_fd);
	struct err ignored = { 0 };

	if (!viewer_start(screen->loop, &screen->view->env, path, screen->view->grab_keys,
			  &handlers, screen, &screen->window, &ignored))
		window_on_failed(screen);
}

static void add_url(const struct screen *screen, struct str *out)
{
	str_addf(out, "vnc://:%s@127.0.0.1:%" PRIu16, screen->view->vnc_password,
		 vnc_port(screen->vnc));
}

/* Tools search for this line. */
static void tell_url(void *ctx)
{
	const struct screen *screen = ctx;
	CLEANUP_STR struct str url = { 0 };

	add_url(screen, &url);
	run_ui_status(screen->ui, "VNC server is running at %s", str_text(&url));
}

static void open_url(struct screen *screen)
{
	static const struct viewer_handlers handlers = { .on_failed = tell_url };
	CLEANUP_STR struct str url = { 0 };
	struct err ignored = { 0 };

	add_url(screen, &url);
	run_ui_status(screen->ui, "Opening %s...", str_text(&url));
	if (!viewer_open_url(screen->loop, str_text(&url), &handlers, screen, &screen->url_opener,
			     &ignored))
		tell_url(screen);
}

void screen_show(struct screen *screen, struct qmp *qmp)
{
	vnc_open(screen->vnc, qmp);
	if (screen->shown)
		return;
	screen->shown = true;
	if (screen->view->vnc_password && screen->view->open_url &&
	    viewer_can_open_url(&screen->view->env))
		open_url(screen);
	else if (screen->view->vnc_password)
		tell_url(screen);
	if (screen->view->window)
		open_window(screen);
}

void screen_hide(struct screen *screen)
{
	vnc_shut(screen->vnc);
}

void screen_free(struct screen *screen)
{
	if (!screen)
		return;
	viewer_free(screen->window);
	viewer_free(screen->url_opener);
	(void)unlinkat(screen->bundle_fd, BUNDLE_VNC_SOCKET, 0);
	vnc_free(screen->vnc);
	free(screen);
}
