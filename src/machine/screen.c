/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's screen for the user. */
#include "machine/screen.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/mem.h"
#include "machine/vnc.h"
#include "storage/bundle.h"

/* The guest's own screen sharing: how long its address is waited for, and how often looked for. */
#define GUEST_PATIENCE_MS 60000
#define GUEST_PAUSE_MS    250

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
	struct str url;            /* once there is one */
	struct loop_source *guest; /* when to look for the guest's address again */
	uint64_t guest_until_ms;
	bool shown;
};

/* Tools search for this line. */
static void tell_url(void *ctx)
{
	const struct screen *screen = ctx;

	run_ui_status(screen->ui, "VNC server is running at %s", str_text(&screen->url));
}

static void open_url(struct screen *screen)
{
	static const struct viewer_handlers handlers = { .on_failed = tell_url };
	struct err ignored = { 0 };

	run_ui_status(screen->ui, "Opening %s...", str_text(&screen->url));
	if (!viewer_open_url(screen->loop, str_text(&screen->url), &handlers, screen,
			     &screen->url_opener, &ignored))
		tell_url(screen);
}

static void show_url(struct screen *screen)
{
	if (screen->view->open_url && viewer_can_open_url(&screen->view->env))
		open_url(screen);
	else
		tell_url(screen);
}

static void guest_on_due(void *ctx)
{
	struct screen *screen = ctx;
	struct lookup_result found = { 0 };
	struct err ignored = { 0 };
	char address[IPV4_TEXT_SIZE];

	if (lookup_once(screen->view->guest, &found, &ignored) && found.address != 0) {
		ipv4_print(found.address, address);
		str_addf(&screen->url, "vnc://%s", address);
		show_url(screen);
	} else if (loop_now_ms(screen->loop) < screen->guest_until_ms) {
		loop_arm(screen->guest, GUEST_PAUSE_MS);
	} else {
		screen->handlers.on_failed(screen->ctx, "no IP address found, which --vnc needs");
	}
}

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
	screen->guest = loop_add_deadline(loop, guest_on_due, screen);
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
		screen->handlers.on_failed(screen->ctx, "no VNC viewer was able to show a window");
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

void screen_show(struct screen *screen, struct qmp *qmp)
{
	vnc_open(screen->vnc, qmp);
	if (screen->shown)
		return;
	screen->shown = true;
	if (screen->view->vnc_password) {
		str_addf(&screen->url, "vnc://:%s@127.0.0.1:%" PRIu16, screen->view->vnc_password,
			 vnc_port(screen->vnc));
		show_url(screen);
	}
	if (screen->view->guest) {
		screen->guest_until_ms = loop_now_ms(screen->loop) + GUEST_PATIENCE_MS;
		loop_arm(screen->guest, 0);
	}
	if (screen->view->window)
		open_window(screen);
}

void screen_hide(struct screen *screen)
{
	loop_disarm(screen->guest);
	vnc_shut(screen->vnc);
}

void screen_free(struct screen *screen)
{
	if (!screen)
		return;
	loop_remove(&screen->guest);
	viewer_free(screen->window);
	viewer_free(screen->url_opener);
	(void)unlinkat(screen->bundle_fd, BUNDLE_VNC_SOCKET, 0);
	vnc_free(screen->vnc);
	str_done(&screen->url);
	free(screen);
}
