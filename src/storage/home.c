/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the data directory, and its global lock. */
#include "storage/home.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/user_dir.h"

/* Readable by others if the umask says so, as any directory; what is private are the bundles (0700). */
#define DIR_MODE 0777

static bool absolute(const char *path, struct str *out, struct err *err)
{
	CLEANUP_FREE char *cwd = NULL;

	if (path[0] != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_sys(err, errno, "cannot find the current directory");
		str_addf(out, "%s/", cwd);
	}
	str_add(out, path);
	while (out->len > 1 && out->ptr[out->len - 1] == '/')
		str_truncate(out, out->len - 1);
	return true;
}

/* Creates the components of an absolute path that are missing. */
static bool make_parents(const char *path, const char *complaint, struct err *err)
{
	CLEANUP_STR struct str so_far = { 0 };
	struct span rest = span_of(path + 1);
	struct span component;
	struct stat st;

	while (span_next(&rest, '/', &component)) {
		str_add_char(&so_far, '/');
		str_add_span(&so_far, component);
		if (stat(str_text(&so_far), &st) == 0)
			continue;
		if (mkdir(str_text(&so_far), DIR_MODE) < 0 && errno != EEXIST)
			return err_set(err, ERR_GENERAL,
				       "%s%s does not exist, yet we can't create it: %s", complaint,
				       str_text(&so_far), strerror(errno));
	}
	return true;
}

static bool default_path(const char *user_home, struct str *out, struct err *err)
{
	CLEANUP_FREE char *home = user_dir_home(user_home);

	if (!home)
		return err_set(err, ERR_GENERAL,
			       "neither TART_HOME nor HOME says where to keep virtual machines");
	if (!absolute(home, out, err))
		return false;
	str_add(out, out->len > 1 ? "/.tart" : ".tart");
	return true;
}

static bool open_child(int root_fd, const char *name, int *ret_fd, struct err *err)
{
	return fs_make_dir(root_fd, name, DIR_MODE, err) && fs_open_dir(root_fd, name, ret_fd, err);
}

bool home_open(const char *tart_home, const char *user_home, struct home *ret, struct err *err)
{
	CLEANUP(home_done) struct home home = HOME_INIT;
	CLEANUP_STR struct str path = { 0 };
	bool given = tart_home && tart_home[0];

	if (given ? !absolute(tart_home, &path, err) : !default_path(user_home, &path, err))
		return false;
	if (!make_parents(str_text(&path), given ? "TART_HOME is invalid: " : "", err))
		return false;
	home.path = str_take(&path);
	if (!fs_open_dir(AT_FDCWD, home.path, &home.root_fd, err))
		return false;
	if (!open_child(home.root_fd, "cache", &home.cache_fd, err) ||
	    !open_child(home.root_fd, "tmp", &home.tmp_fd, err))
		return err_context(err, "%s", home.path);
	*ret = home;
	home = (struct home)HOME_INIT;
	return true;
}

void home_done(struct home *home)
{
	cleanup_close(&home->root_fd);
	cleanup_close(&home->cache_fd);
	cleanup_close(&home->tmp_fd);
	free(home->path);
	*home = (struct home)HOME_INIT;
}

bool home_open_vms(const struct home *home, int *ret_fd, struct err *err)
{
	return open_child(home->root_fd, "vms", ret_fd, err) || err_context(err, "%s", home->path);
}

bool home_lock(const struct home *home, struct err *err)
{
	return lock_wait(home->root_fd, err) || err_context(err, "%s", home->path);
}

void home_unlock(const struct home *home)
{
	(void)flock(home->root_fd, LOCK_UN);
}
