/* SPDX-License-Identifier: Apache-2.0 */
/* Making, removing and collecting temporary entries. */
#include "storage/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/lock.h"
#include "storage/dir.h"

enum kind { KIND_DIR, KIND_FILE };

/* EAGAIN: it was made and is gone again. */
static int create(int dir_fd, const char *name, enum kind kind)
{
	int fd;

	if (kind == KIND_FILE)
		return openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			      0666);
	if (mkdirat(dir_fd, name, 0700) < 0)
		return -1;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		errno = EAGAIN;
	return fd;
}

enum attempt { MADE, TAKEN_AWAY, FAILED };

/* Creating and locking are two steps. A collector that came between them holds the lock, or has removed the
 * entry already. */
static enum attempt make_locked(int dir_fd, const char *name, enum kind kind, int *ret_fd,
				struct err *err)
{
	CLEANUP_CLOSE int fd = create(dir_fd, name, kind);

	if (fd < 0 && (errno == EAGAIN || errno == EEXIST))
		return TAKEN_AWAY;
	if (fd < 0) {
		(void)err_sys(err, errno, "cannot create a temporary %s",
			      kind == KIND_DIR ? "directory" : "file");
		return FAILED;
	}
	switch (lock_try(fd, err)) {
	case LOCK_FAILED:
		return FAILED;
	case LOCK_BUSY:
		return TAKEN_AWAY;
	case LOCK_TAKEN:
		break;
	}
	if (!fs_is_current(dir_fd, name, fd))
		return TAKEN_AWAY;
	*ret_fd = TAKE_FD(fd);
	return MADE;
}

static void set_name(struct temp *temp, const char *prefix, const char *suffix)
{
	char uuid[RANDOM_UUID_SIZE];

	random_uuid(uuid);
	(void)snprintf(temp->name, sizeof(temp->name), "%s%s%s", prefix, uuid, suffix);
}

static bool dup_fd(int fd, int *ret_fd, struct err *err)
{
	int dup = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (dup < 0)
		return err_sys(err, errno, "cannot duplicate a descriptor");
	*ret_fd = dup;
	return true;
}

static bool make(int dir_fd, const char *prefix, const char *suffix, enum kind kind,
		 struct temp *ret, struct err *err)
{
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	enum attempt attempt;

	do {
		if (!cancel_check(err))
			return false;
		set_name(&temp, prefix, suffix);
		attempt = make_locked(dir_fd, temp.name, kind, &temp.fd, err);
	} while (attempt == TAKEN_AWAY);
	if (attempt == FAILED || !dup_fd(dir_fd, &temp.dir_fd, err))
		return false;
	*ret = temp;
	temp = (struct temp)TEMP_INIT;
	return true;
}

bool temp_make_dir(const struct home *home, const char *prefix, const char *suffix,
		   struct temp *ret, struct err *err)
{
	return make(home->tmp_fd, prefix, suffix, KIND_DIR, ret, err);
}

bool temp_make_file(const struct home *home, const char *prefix, const char *suffix,
		    struct temp *ret, struct err *err)
{
	return make(home->tmp_fd, prefix, suffix, KIND_FILE, ret, err);
}

/* Where a rename into the area (vms or cache) can come from. */
static bool make_near(const struct home *home, int area_fd, const char *prefix, enum kind kind,
		      struct temp *ret, struct err *err)
{
	if (fs_same_file_system(area_fd, home->tmp_fd))
		return make(home->tmp_fd, prefix, "", kind, ret, err);
	return make(area_fd, TEMP_PREFIX, "", kind, ret, err);
}

static bool make_near_vms(const struct home *home, const char *prefix, enum kind kind,
			  struct temp *ret, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = -1;

	return home_open_vms(home, &vms_fd, err) && make_near(home, vms_fd, prefix, kind, ret, err);
}

bool temp_make_bundle(const struct home *home, struct temp *ret, struct err *err)
{
	return make_near_vms(home, "", KIND_DIR, ret, err);
}

bool temp_make_vm_file(const struct home *home, const char *prefix, struct temp *ret,
		       struct err *err)
{
	return make_near_vms(home, prefix, KIND_FILE, ret, err);
}

bool temp_make_image(const struct home *home, struct temp *ret, struct err *err)
{
	return make_near(home, home->cache_fd, "", KIND_DIR, ret, err);
}

static void set_pull_name(struct temp *temp, const char *prefix, const char *key)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(span_of(key), hex);
	(void)snprintf(temp->name, sizeof(temp->name), "%s" TEMP_PULL_PREFIX "%.32s", prefix, hex);
}

/* Unlike make_locked(), it waits: who holds the entry is its owner, or a collector about to let it go or remove it. */
static enum attempt take_over(int dir_fd, const char *name, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;

	if (!fs_make_dir(dir_fd, name, 0700, err))
		return FAILED;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TAKEN_AWAY;
	if (fd < 0) {
		(void)err_sys(err, errno, "cannot open '%s'", name);
		return FAILED;
	}
	if (!lock_wait(fd, err))
		return FAILED;
	if (!fs_is_current(dir_fd, name, fd))
		return TAKEN_AWAY;
	*ret_fd = TAKE_FD(fd);
	return MADE;
}

bool temp_open_pull(const struct home *home, const char *key, struct temp *ret, struct err *err)
{
	bool in_tmp = fs_same_file_system(home->cache_fd, home->tmp_fd);
	CLEANUP(temp_release) struct temp temp = TEMP_INIT;
	enum attempt attempt;

	set_pull_name(&temp, in_tmp ? "" : TEMP_PREFIX, key);
	if (!dup_fd(in_tmp ? home->tmp_fd : home->cache_fd, &temp.dir_fd, err))
		return false;
	do {
		if (!cancel_check(err))
			return false;
		attempt = take_over(temp.dir_fd, temp.name, &temp.fd, err);
	} while (attempt == TAKEN_AWAY);
	if (attempt == FAILED)
		return err_context(err, "cannot use the directory of a pull");
	*ret = temp;
	temp = (struct temp)TEMP_INIT;
	return true;
}

void temp_release(struct temp *temp)
{
	cleanup_close(&temp->fd);
	cleanup_close(&temp->dir_fd);
	*temp = (struct temp)TEMP_INIT;
}

void temp_done(struct temp *temp)
{
	struct err ignored;

	/* What cannot be removed now is left to the collector. */
	if (temp->dir_fd >= 0)
		(void)fs_remove_tree(temp->dir_fd, temp->name, &ignored);
	temp_release(temp);
}

bool temp_hide(const struct home *home, int area_fd, int dir_fd, const char *name, struct temp *ret,
	       struct err *err)
{
	bool in_tmp = fs_same_file_system(area_fd, home->tmp_fd);
	CLEANUP(temp_release) struct temp temp = TEMP_INIT;

	set_name(&temp, in_tmp ? "" : TEMP_PREFIX, "");
	if (!dup_fd(in_tmp ? home->tmp_fd : area_fd, &temp.dir_fd, err))
		return false;
	if (renameat(dir_fd, name, temp.dir_fd, temp.name) < 0)
		return errno == ENOENT || err_sys(err, errno, "cannot remove '%s'", name);
	*ret = temp;
	temp = (struct temp)TEMP_INIT;
	return true;
}

bool temp_remove(struct temp *temp, struct err *err)
{
	bool ok = temp->dir_fd < 0 || fs_remove_tree(temp->dir_fd, temp->name, err);

	temp_release(temp);
	return ok;
}

/* Whether the entry is nobody's: *ret_fd then holds its lock, or is -1 for what cannot be locked at all (links and
 * sockets, which we never put there). */
static bool take_abandoned(int dir_fd, const char *name, int *ret_fd, bool *ret, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not hang. */
	CLEANUP_CLOSE int fd = openat(dir_fd, name,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	*ret = false;
	if (fd < 0) {
		*ret = errno == ELOOP || errno == ENXIO;
		return *ret || errno == ENOENT || err_sys(err, errno, "cannot open '%s'", name);
	}
	switch (lock_try(fd, err)) {
	case LOCK_FAILED:
		return err_context(err, "'%s'", name);
	case LOCK_BUSY:
		return true;
	case LOCK_TAKEN:
		break;
	}
	/* Its owner may have renamed it into place and let go since we opened it. */
	*ret = fs_is_current(dir_fd, name, fd);
	*ret_fd = TAKE_FD(fd);
	return true;
}

/* Which pulls a collection spares. */
enum spare { SPARE_YOUNG, SPARE_NONE };

static bool is_pull(const char *name)
{
	struct span rest = span_of(name);

	if (span_starts_with(rest, TEMP_PREFIX))
		rest = span_from(rest, strlen(TEMP_PREFIX));
	return span_starts_with(rest, TEMP_PULL_PREFIX);
}

static time_t later(time_t a, time_t b)
{
	return a > b ? a : b;
}

/* When something in the directory last changed: what is written to its files does not show in its own times. */
static time_t last_change(int fd)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct stat st;
	struct err ignored;
	time_t last = fstat(fd, &st) == 0 ? st.st_mtim.tv_sec : 0;

	(void)dir_list(fd, &list, &ignored);
	vec_each(&list.names, name) {
		if (fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			last = later(last, st.st_mtim.tv_sec);
	}
	return last;
}

static bool may_be_resumed(const char *name, int fd)
{
	return is_pull(name) && fd >= 0 && last_change(fd) > time(NULL) - TEMP_PULL_KEPT_S;
}

static bool collect_entry(int dir_fd, const char *name, enum spare spare, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	bool abandoned;

	return take_abandoned(dir_fd, name, &fd, &abandoned, err) &&
	       (!abandoned || (spare == SPARE_YOUNG && may_be_resumed(name, fd)) ||
		fs_remove_tree(dir_fd, name, err));
}

static void keep_first(struct err *first, const struct err *next)
{
	if (first->kind == ERR_NONE)
		*first = *next;
}

static void collect_dir(int dir_fd, const char *prefix, enum spare spare, struct err *first)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	if (!dir_list(dir_fd, &list, &err))
		keep_first(first, &err);
	vec_each(&list.names, name) {
		if (strncmp(*name, prefix, strlen(prefix)) == 0 &&
		    !collect_entry(dir_fd, *name, spare, &err))
			keep_first(first, &err);
	}
}

bool temp_collect(const struct home *home, struct err *err)
{
	CLEANUP_CLOSE int vms_fd = openat(home->root_fd, "vms", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err first = { 0 };

	collect_dir(home->tmp_fd, "", SPARE_YOUNG, &first);
	if (vms_fd >= 0 && !fs_same_file_system(vms_fd, home->tmp_fd))
		collect_dir(vms_fd, TEMP_PREFIX, SPARE_YOUNG, &first);
	if (!fs_same_file_system(home->cache_fd, home->tmp_fd))
		collect_dir(home->cache_fd, TEMP_PREFIX, SPARE_YOUNG, &first);
	if (first.kind == ERR_NONE)
		return true;
	*err = first;
	return false;
}

bool temp_collect_pulls(const struct home *home, struct err *err)
{
	struct err first = { 0 };

	collect_dir(home->tmp_fd, TEMP_PULL_PREFIX, SPARE_NONE, &first);
	if (!fs_same_file_system(home->cache_fd, home->tmp_fd))
		collect_dir(home->cache_fd, TEMP_PREFIX TEMP_PULL_PREFIX, SPARE_NONE, &first);
	if (first.kind == ERR_NONE)
		return true;
	*err = first;
	return false;
}
