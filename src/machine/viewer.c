/* SPDX-License-Identifier: Apache-2.0 */
/* Viewers. */
#include "machine/viewer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/program.h"
#include "base/str.h"

#define ARGS_MAX 4

/* The known viewers, in order of preference. "%" stands for the socket's path. */
static const struct {
	const char *args[ARGS_MAX];
	const char *grab[2]; /* added without, with --capture-system-keys */
} viewers[] = {
	{ { "vncviewer", "%" },
	  { "-FullscreenSystemKeys=0", "-FullscreenSystemKeys=1" } }, /* TigerVNC */
	{ { "remote-viewer", "vnc+unix://%" }, { NULL, NULL } },
	{ { "gvncviewer", "%" }, { NULL, NULL } },
};

struct viewer {
	struct loop *loop;
	struct loop_source *source;
	struct child child;
	struct viewer_handlers handlers;
	void *ctx;
	char *path; /* $PATH */
	char *socket_path;
	char *url; /* instead of a socket */
	bool grab_keys;
	size_t next; /* of viewers[] */
};

static bool is_set(const char *value)
{
	return value && value[0] != '\0';
}

static bool is_in_path(const char *path_env, const char *program)
{
	CLEANUP_FREE char *found = executable_find(program, path_env);

	return found != NULL;
}

static bool has_display(const struct viewer_env *env)
{
	return is_set(env->display) || is_set(env->wayland_display);
}

bool viewer_is_possible(const struct viewer_env *env, const char **ret_why)
{
	if (!has_display(env)) {
		*ret_why = "there is no display (DISPLAY and WAYLAND_DISPLAY are not set)";
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(viewers); i++)
		if (is_in_path(env->path, viewers[i].args[0]))
			return true;
	*ret_why = "there is no VNC viewer (vncviewer, remote-viewer or gvncviewer)";
	return false;
}

bool viewer_can_open_url(const struct viewer_env *env)
{
	return has_display(env) && is_in_path(env->path, "xdg-open");
}

/* `template` with the socket's path in the place of "%". */
static char *fill_in(const char *template, const char *socket_path)
{
	const char *mark = strchr(template, '%');

	return mark ? xasprintf("%.*s%s%s", (int)(mark - template), template, socket_path,
				mark + 1) :
		      xstrdup(template);
}

static void viewer_on_end(void *ctx, int status);

/* Its output goes nowhere: what tart prints is read by programs. */
static bool start(struct viewer *viewer, const char *const *argv, struct err *err)
{
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.own_group = true;
	if (!child_start(&spec, &viewer->child, err))
		return false;
	if (loop_add_child(viewer->loop, &viewer->child, viewer_on_end, viewer, &viewer->source,
			   err))
		return true;
	child_kill(&viewer->child);
	return false;
}

static bool start_known(struct viewer *viewer, size_t i, struct err *err)
{
	char *owned[ARGS_MAX] = { NULL };
	const char *argv[ARGS_MAX + 2] = { NULL };
	const char *grab = viewers[i].grab[viewer->grab_keys ? 1 : 0];
	size_t n = 0;
	bool ok;

	for (; n < ARGS_MAX && viewers[i].args[n]; n++)
		argv[n] = owned[n] = fill_in(viewers[i].args[n], viewer->socket_path);
	argv[n] = grab;
	ok = start(viewer, argv, err);
	for (size_t k = 0; k < ARGS_MAX; k++)
		free(owned[k]);
	return ok;
}

/* The next viewer that is installed and starts; false when none is left. */
static bool start_next(struct viewer *viewer, struct err *err)
{
	while (viewer->next < ARRAY_LEN(viewers)) {
		size_t i = viewer->next++;

		if (is_in_path(viewer->path, viewers[i].args[0]) && start_known(viewer, i, err))
			return true;
	}
	return err_set(err, ERR_GENERAL, "no VNC viewer could be started");
}

static void viewer_on_end(void *ctx, int status)
{
	struct viewer *viewer = ctx;
	struct err ignored = { 0 };

	viewer->source = NULL;
	if (viewer->url) {
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			viewer->handlers.on_failed(viewer->ctx);
		return;
	}
	if (viewer->handlers.had_client(viewer->ctx))
		viewer->handlers.on_closed(viewer->ctx);
	else if (!start_next(viewer, &ignored))
		viewer->handlers.on_failed(viewer->ctx);
}

static struct viewer *viewer_new(struct loop *loop, const struct viewer_handlers *handlers,
				 void *ctx)
{
	struct viewer *viewer = xcalloc(1, sizeof(*viewer));

	viewer->loop = loop;
	viewer->child = (struct child)CHILD_INIT;
	viewer->handlers = *handlers;
	viewer->ctx = ctx;
	return viewer;
}

bool viewer_start(struct loop *loop, const struct viewer_env *env, const char *socket_path,
		  bool grab_keys, const struct viewer_handlers *handlers, void *ctx,
		  struct viewer **ret, struct err *err)
{
	struct viewer *viewer = viewer_new(loop, handlers, ctx);

	viewer->path = env->path ? xstrdup(env->path) : NULL;
	viewer->socket_path = xstrdup(socket_path);
	viewer->grab_keys = grab_keys;
	if (!start_next(viewer, err)) {
		viewer_free(viewer);
		return false;
	}
	*ret = viewer;
	return true;
}

bool viewer_open_url(struct loop *loop, const char *url, const struct viewer_handlers *handlers,
		     void *ctx, struct viewer **ret, struct err *err)
{
	struct viewer *viewer = viewer_new(loop, handlers, ctx);
	const char *argv[] = { "xdg-open", url, NULL };

	viewer->url = xstrdup(url);
	if (!start(viewer, argv, err)) {
		viewer_free(viewer);
		return false;
	}
	*ret = viewer;
	return true;
}

void viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return;
	loop_remove(&viewer->source);
	child_kill(&viewer->child);
	free(viewer->path);
	free(viewer->socket_path);
	free(viewer->url);
	free(viewer);
}
