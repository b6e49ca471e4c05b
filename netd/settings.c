/* SPDX-License-Identifier: Apache-2.0 */
/* Reading network.conf, and the users it names. */
#include "netd/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fs.h"
#include "base/number.h"
#include "proto/netd.h"

#define GROUPS_MAX 65536 /* supplementary groups of a process, as in the kernel */

void settings_init(struct settings *settings, const char *path)
{
	memset(settings, 0, sizeof(*settings));
	settings->path = path;
	network_conf_init(&settings->conf);
}

void settings_done(struct settings *settings)
{
	network_conf_done(&settings->conf);
	vec_done(&settings->uids);
	vec_done(&settings->gids);
}

static void stat_file(const char *path, struct stat *ret)
{
	if (stat(path, ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

bool settings_have_changed(const struct settings *settings)
{
	const struct stat *was = &settings->as_of;
	struct stat now;

	if (!settings->loaded)
		return true;
	stat_file(settings->path, &now);
	return now.st_ino != was->st_ino || now.st_dev != was->st_dev ||
	       now.st_size != was->st_size || now.st_mtim.tv_sec != was->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != was->st_mtim.tv_nsec ||
	       now.st_ctim.tv_sec != was->st_ctim.tv_sec ||
	       now.st_ctim.tv_nsec != was->st_ctim.tv_nsec;
}

static bool find_uid_in_file(const char *name, uint32_t *ret)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	bool found = false;

	while (file && !found && (entry = fgetpwent(file))) {
		found = strcmp(entry->pw_name, name) == 0;
		if (found)
			*ret = entry->pw_uid;
	}
	if (file)
		(void)fclose(file);
	return found;
}

static bool find_gid_in_file(const char *name, uint32_t *ret)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *entry;
	bool found = false;

	while (file && !found && (entry = fgetgrent(file))) {
		found = strcmp(entry->gr_name, name) == 0;
		if (found)
			*ret = entry->gr_gid;
	}
	if (file)
		(void)fclose(file);
	return found;
}

static bool find_number(const char *name, uint32_t *ret)
{
	uint64_t value;

	if (!number_parse_u64(span_of(name), UINT32_MAX - 1, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool find_uid(const struct settings *settings, const char *name, uint32_t *ret)
{
	const struct passwd *entry = settings->sealed ? NULL : getpwnam(name);

	if (entry)
		*ret = entry->pw_uid;
	return entry || (settings->sealed && find_uid_in_file(name, ret)) || find_number(name, ret);
}

static bool find_gid(const struct settings *settings, const char *name, uint32_t *ret)
{
	const struct group *entry = settings->sealed ? NULL : getgrnam(name);

	if (entry)
		*ret = entry->gr_gid;
	return entry || (settings->sealed && find_gid_in_file(name, ret)) || find_number(name, ret);
}

/* A group that is missing has nobody in it; so has the usual one, on a host where only root uses us. */
static bool resolve_users(struct settings *settings, struct err *err)
{
	uint32_t id;

	if (settings->conf.users.n == 0 && find_gid(settings, NETD_GROUP, &id))
		*vec_push(&settings->gids) = id;
	vec_each(&settings->conf.users, user) {
		bool is_group = user->text[0] == '@';
		bool found = is_group ? find_gid(settings, user->text + 1, &id) :
					find_uid(settings, user->text, &id);

		if (!found)
			return err_set(err, ERR_GENERAL, "%s: users: there is no %s '%s'",
				       settings->path, is_group ? "group" : "user",
				       user->text + is_group);
		if (is_group)
			*vec_push(&settings->gids) = id;
		else
			*vec_push(&settings->uids) = id;
	}
	return true;
}

/* Empty when there is no file. */
static bool read_text(const char *path, struct str *out, struct err *err)
{
	if (fs_read_file(AT_FDCWD, path, NETWORK_CONF_MAX, out, err))
		return true;
	if (err->sys != ENOENT && err->sys != ENOTDIR)
		return false;
	err_clear(err);
	return true;
}

bool settings_read(const struct settings *settings, struct settings *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	struct settings fresh;

	settings_init(&fresh, settings->path);
	fresh.sealed = settings->sealed;
	fresh.loaded = true;
	/* Before the text: what changes in between is read once more. */
	stat_file(settings->path, &fresh.as_of);
	network_conf_done(&fresh.conf);
	if (!read_text(settings->path, &text, err) ||
	    !network_conf_parse(str_span(&text), settings->path, &fresh.conf, err))
		return false;
	if (!resolve_users(&fresh, err)) {
		settings_done(&fresh);
		return false;
	}
	*ret = fresh;
	return true;
}

void settings_replace(struct settings *settings, struct settings *by)
{
	bool sealed = settings->sealed;

	settings_done(settings);
	*settings = *by;
	settings->sealed = sealed;
	memset(by, 0, sizeof(*by));
}

void settings_seal(struct settings *settings)
{
	settings->sealed = true;
}

static bool is_in(const uint32_t *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* The groups that the process had when it connected, the primary one included by the caller. */
static bool has_allowed_group(const struct settings *settings, int fd)
{
	gid_t few[64];
	CLEANUP_FREE gid_t *many = NULL;
	gid_t *groups = few;
	socklen_t len = sizeof(few);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &len) < 0) {
		if (errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t))
			return false;
		many = xcalloc(len / sizeof(gid_t), sizeof(gid_t));
		groups = many;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many, &len) < 0)
			return false;
	}
	for (size_t i = 0; i < len / sizeof(gid_t); i++)
		if (is_in(settings->gids.v, settings->gids.n, groups[i]))
			return true;
	return false;
}

bool settings_judge(const struct settings *settings, int fd, struct caller *ret, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_sys(err, errno, "cannot tell who is at the other end of a socket");
	ret->uid = peer.uid;
	ret->is_admin = peer.uid == 0 || peer.uid == geteuid();
	ret->is_allowed = ret->is_admin || is_in(settings->uids.v, settings->uids.n, peer.uid) ||
			  is_in(settings->gids.v, settings->gids.n, peer.gid) ||
			  has_allowed_group(settings, fd);
	return true;
}
