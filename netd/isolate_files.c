/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock by its three system calls, which libc does not have. Kernels differ in how much of it they know: all that this one
 * knows is taken away, and what we do not know of yet stays. Debian 12's header ends at the second version, so the numbers
 * stand here. Source: Documentation/userspace-api/landlock.rst of the kernel.
 */
#include "netd/isolate_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attrs.h"

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1

#define FS_EXECUTE    (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE  (1ull << 2)
#define FS_READ_DIR   (1ull << 3)
#define FS_TRUNCATE   (1ull << 14)
#define FS_READ       (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define FS_OF_FILES   (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

/* Versions 1, 2 and 3; the fourth is about TCP; ioctl on devices, of the fifth, is the system-call filter's business. */
static const uint64_t fs_by_version[] = { 0, (1ull << 13) - 1, (1ull << 14) - 1, (1ull << 15) - 1 };

#define SCOPE_VERSION       6
#define SCOPE_ABSTRACT_UNIX 1ull
#define SCOPE_SIGNAL        2ull

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/*
 * pasta is not of the forwarder's domain, as it has to have more rights; whom that may end is for the system-call filter to say.
 * The keeper's host may have services at abstract sockets that name a user (nsswitch.conf).
 */
static uint64_t scope_of(enum isolate_role role)
{
	switch (role) {
	case ISOLATE_KEEPER:
	case ISOLATE_OWN_KEEPER:
		return SCOPE_SIGNAL;
	case ISOLATE_FORWARDER:
		return SCOPE_ABSTRACT_UNIX;
	default:
		return SCOPE_SIGNAL | SCOPE_ABSTRACT_UNIX;
	}
}

static uint64_t known_access(long version)
{
	size_t last = ARRAY_LEN(fs_by_version) - 1;

	return fs_by_version[(size_t)version < last ? (size_t)version : last];
}

/*
 * The descriptor stays open for ever: rules belong to inodes, and those of /proc/sys are made anew when nobody uses them, which
 * would shut us out.
 */
static bool add_path(int ruleset_fd, const struct isolate_path *path, uint64_t known,
		     struct err *err)
{
	struct path_beneath_attr rule = { .allowed_access = path->writable ? known :
									     known & FS_READ };
	struct stat st;

	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES ||
		       err_sys(err, errno, "cannot open '%s'", path->path);
	if (fstat(rule.parent_fd, &st) < 0)
		return err_sys(err, errno, "cannot look at '%s'", path->path);
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0u) < 0)
		return err_sys(err, errno, "cannot keep '%s'", path->path);
	return true;
}

static bool restrict_to(int ruleset_fd, const struct isolate_path *keep, uint64_t known,
			struct err *err)
{
#ifdef ISOLATE_SANITIZED
	const struct isolate_path of_reports = { "/proc", false };

	if (!add_path(ruleset_fd, &of_reports, known, err))
		return false;
#endif
	for (; keep && keep->path; keep++)
		if (!add_path(ruleset_fd, keep, known, err))
			return false;
	if (syscall(SYS_landlock_restrict_self, ruleset_fd, 0u) < 0)
		return err_sys(err, errno, "cannot give up the file system");
	return true;
}

bool isolate_files(enum isolate_role role, const struct isolate_path *keep, struct err *err)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			       CREATE_RULESET_VERSION);
	struct ruleset_attr attr = { 0 };
	CLEANUP_CLOSE int ruleset_fd = -1;

	if (version < 1)
		return true; /* not there, or not switched on */
	attr.handled_access_fs = known_access(version);
	if (version >= SCOPE_VERSION)
		attr.scoped = scope_of(role);
	/* An older kernel knows fewer bytes, and takes the others as long as they are zero. */
	ruleset_fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0u);
	if (ruleset_fd < 0)
		return err_sys(err, errno, "cannot make rules for the file system");
	return restrict_to(ruleset_fd, keep, attr.handled_access_fs, err);
}
