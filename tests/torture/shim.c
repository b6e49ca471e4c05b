/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into tart by torture.c: counts the calls that change the disk, and at the n-th kills the process or makes
 * that call fail.
 *
 *	TORTURE_KILL_AT=n    SIGKILL right after the n-th call
 *	TORTURE_FAIL_AT=n    the n-th call does nothing and fails as on a full disk, if a full disk can make it fail
 *	TORTURE_NO_EXCHANGE  renameat2(RENAME_EXCHANGE) is not supported, as on NFS
 *
 * Every call goes to the kernel by syscall(2), so that which libc function calls which does not matter. Only the
 * programs named "tart" and "store_image" are tortured, not what they start.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long kill_at;
static long fail_at;
static bool no_exchange;

static long number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void start(void)
{
	if (strcmp(program_invocation_short_name, "tart") != 0 &&
	    strcmp(program_invocation_short_name, "store_image") != 0)
		return;
	kill_at = number("TORTURE_KILL_AT");
	fail_at = number("TORTURE_FAIL_AT");
	no_exchange = getenv("TORTURE_NO_EXCHANGE") != NULL;
}

/* A full disk fails what needs room; removing always works. */
enum needs { NEEDS_ROOM, NEEDS_NOTHING };

struct call {
	long number;
	bool refused;
};

static struct call begin(enum needs needs)
{
	struct call call = { .number = atomic_fetch_add(&calls, 1) + 1 };

	call.refused = needs == NEEDS_ROOM && call.number == fail_at;
	if (call.refused)
		errno = ENOSPC;
	return call;
}

static void end(const struct call *call)
{
	if (call->number == kill_at)
		(void)syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

#define COUNTED(type, needs, ...)                     \
	do {                                          \
		struct call call_ = begin(needs);     \
		type result_;                         \
                                                      \
		if (call_.refused)                    \
			return -1;                    \
		result_ = (type)syscall(__VA_ARGS__); \
		end(&call_);                          \
		return result_;                       \
	} while (0)

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	if (!(flags & (O_CREAT | O_TRUNC)))
		return (int)syscall(SYS_openat, dirfd, path, flags, mode);
	COUNTED(int, NEEDS_ROOM, SYS_openat, dirfd, path, flags, mode);
}

#define OPEN_AT(dirfd, path, flags)                        \
	do {                                               \
		mode_t mode_ = 0;                          \
                                                           \
		if ((flags) & (O_CREAT | __O_TMPFILE)) {   \
			va_list ap_;                       \
                                                           \
			va_start(ap_, flags);              \
			mode_ = (mode_t)va_arg(ap_, int);  \
			va_end(ap_);                       \
		}                                          \
		return open_at(dirfd, path, flags, mode_); \
	} while (0)

/* The headers make one name of each pair an alias of the other, or hide it: both are what programs may call. */
int torture_open(const char *path, int flags, ...) __asm__("open");
int torture_open64(const char *path, int flags, ...) __asm__("open64");
int torture_openat(int dirfd, const char *path, int flags, ...) __asm__("openat");
int torture_openat64(int dirfd, const char *path, int flags, ...) __asm__("openat64");
ssize_t torture_write(int fd, const void *data, size_t len) __asm__("write");
ssize_t torture_writev(int fd, const struct iovec *iov, int n) __asm__("writev");
ssize_t torture_pwrite(int fd, const void *data, size_t len, off_t at) __asm__("pwrite");
ssize_t torture_pwrite64(int fd, const void *data, size_t len, off_t at) __asm__("pwrite64");
int torture_rename(const char *from, const char *to) __asm__("rename");
int torture_renameat(int from_fd, const char *from, int to_fd, const char *to) __asm__("renameat");
int torture_renameat2(int from_fd, const char *from, int to_fd, const char *to,
		      unsigned flags) __asm__("renameat2");
int torture_link(const char *from, const char *to) __asm__("link");
int torture_linkat(int from_fd, const char *from, int to_fd, const char *to,
		   int flags) __asm__("linkat");
int torture_symlink(const char *target, const char *path) __asm__("symlink");
int torture_symlinkat(const char *target, int dirfd, const char *path) __asm__("symlinkat");
int torture_unlink(const char *path) __asm__("unlink");
int torture_unlinkat(int dirfd, const char *path, int flags) __asm__("unlinkat");
int torture_rmdir(const char *path) __asm__("rmdir");
int torture_mkdir(const char *path, mode_t mode) __asm__("mkdir");
int torture_mkdirat(int dirfd, const char *path, mode_t mode) __asm__("mkdirat");
int torture_ftruncate(int fd, off_t len) __asm__("ftruncate");
int torture_ftruncate64(int fd, off_t len) __asm__("ftruncate64");
int torture_fallocate(int fd, int mode, off_t at, off_t len) __asm__("fallocate");
int torture_fallocate64(int fd, int mode, off_t at, off_t len) __asm__("fallocate64");
ssize_t torture_copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t len,
				unsigned flags) __asm__("copy_file_range");
int torture_ioctl(int fd, unsigned long request, ...) __asm__("ioctl");
int torture_fsync(int fd) __asm__("fsync");
int torture_fdatasync(int fd) __asm__("fdatasync");
int torture_fchmod(int fd, mode_t mode) __asm__("fchmod");
int torture_fchmodat(int dirfd, const char *path, mode_t mode, int flags) __asm__("fchmodat");
int torture_futimens(int fd, const struct timespec times[2]) __asm__("futimens");
int torture_utimensat(int dirfd, const char *path, const struct timespec times[2],
		      int flags) __asm__("utimensat");

int torture_open(const char *path, int flags, ...)
{
	OPEN_AT(AT_FDCWD, path, flags);
}

int torture_open64(const char *path, int flags, ...)
{
	OPEN_AT(AT_FDCWD, path, flags);
}

int torture_openat(int dirfd, const char *path, int flags, ...)
{
	OPEN_AT(dirfd, path, flags);
}

int torture_openat64(int dirfd, const char *path, int flags, ...)
{
	OPEN_AT(dirfd, path, flags);
}

ssize_t torture_write(int fd, const void *data, size_t len)
{
	if (!is_file(fd))
		return syscall(SYS_write, fd, data, len);
	COUNTED(ssize_t, NEEDS_ROOM, SYS_write, fd, data, len);
}

ssize_t torture_writev(int fd, const struct iovec *iov, int n)
{
	if (!is_file(fd))
		return syscall(SYS_writev, fd, iov, n);
	COUNTED(ssize_t, NEEDS_ROOM, SYS_writev, fd, iov, n);
}

ssize_t torture_pwrite(int fd, const void *data, size_t len, off_t at)
{
	COUNTED(ssize_t, NEEDS_ROOM, SYS_pwrite64, fd, data, len, at);
}

ssize_t torture_pwrite64(int fd, const void *data, size_t len, off_t at)
{
	COUNTED(ssize_t, NEEDS_ROOM, SYS_pwrite64, fd, data, len, at);
}

int torture_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	if (no_exchange && flags != 0) {
		errno = EINVAL;
		return -1;
	}
	COUNTED(int, NEEDS_ROOM, SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int torture_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return torture_renameat2(from_fd, from, to_fd, to, 0);
}

int torture_rename(const char *from, const char *to)
{
	return torture_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int torture_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	COUNTED(int, NEEDS_ROOM, SYS_linkat, from_fd, from, to_fd, to, flags);
}

int torture_link(const char *from, const char *to)
{
	return torture_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int torture_symlinkat(const char *target, int dirfd, const char *path)
{
	COUNTED(int, NEEDS_ROOM, SYS_symlinkat, target, dirfd, path);
}

int torture_symlink(const char *target, const char *path)
{
	return torture_symlinkat(target, AT_FDCWD, path);
}

int torture_unlinkat(int dirfd, const char *path, int flags)
{
	COUNTED(int, NEEDS_NOTHING, SYS_unlinkat, dirfd, path, flags);
}

int torture_unlink(const char *path)
{
	return torture_unlinkat(AT_FDCWD, path, 0);
}

int torture_rmdir(const char *path)
{
	return torture_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int torture_mkdirat(int dirfd, const char *path, mode_t mode)
{
	COUNTED(int, NEEDS_ROOM, SYS_mkdirat, dirfd, path, mode);
}

int torture_mkdir(const char *path, mode_t mode)
{
	return torture_mkdirat(AT_FDCWD, path, mode);
}

int torture_ftruncate(int fd, off_t len)
{
	COUNTED(int, NEEDS_ROOM, SYS_ftruncate, fd, len);
}

int torture_ftruncate64(int fd, off_t len)
{
	return torture_ftruncate(fd, len);
}

int torture_fallocate(int fd, int mode, off_t at, off_t len)
{
	COUNTED(int, NEEDS_ROOM, SYS_fallocate, fd, mode, at, len);
}

int torture_fallocate64(int fd, int mode, off_t at, off_t len)
{
	return torture_fallocate(fd, mode, at, len);
}

ssize_t torture_copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t len,
				unsigned flags)
{
	COUNTED(ssize_t, NEEDS_ROOM, SYS_copy_file_range, in, in_at, out, out_at, len, flags);
}

int torture_ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list ap;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (request != FICLONE && request != FICLONERANGE)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	COUNTED(int, NEEDS_ROOM, SYS_ioctl, fd, request, argument);
}

int torture_fsync(int fd)
{
	COUNTED(int, NEEDS_ROOM, SYS_fsync, fd);
}

int torture_fdatasync(int fd)
{
	COUNTED(int, NEEDS_ROOM, SYS_fdatasync, fd);
}

int torture_fchmod(int fd, mode_t mode)
{
	COUNTED(int, NEEDS_NOTHING, SYS_fchmod, fd, mode);
}

int torture_fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	(void)flags;
	COUNTED(int, NEEDS_NOTHING, SYS_fchmodat, dirfd, path, mode);
}

int torture_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
	COUNTED(int, NEEDS_NOTHING, SYS_utimensat, dirfd, path, times, flags);
}

int torture_futimens(int fd, const struct timespec times[2])
{
	return torture_utimensat(fd, NULL, times, 0);
}
