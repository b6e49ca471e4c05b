/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of isolate_calls(): what each role is refused, and how, tried by processes that become one. */
#include "netd/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "netd/isolate_files.h"
#include "temp_dir.h"
#include "unit.h"

#ifdef ISOLATE_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* What a process of the role does: the errno of it, 0 = it was allowed. */
typedef int doing_fn(const void *ctx);

#define EXIT_UNISOLATED 200

/* Nothing of the parent's is closed or printed: the report is its own. */
static int status_of(enum isolate_role role, const struct isolate_path *keep, doing_fn *fn,
		     const void *ctx)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = { 0 };

		if (!isolate_from_gains(&err) || !isolate_calls(role, keep, &err))
			_exit(EXIT_UNISOLATED);
		_exit(fn(ctx));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	check(!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_UNISOLATED,
	      "role %d: cannot be isolated", (int)role);
	return status;
}

static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

static int do_nothing(const void *ctx)
{
	(void)ctx;
	return 0;
}

static int do_fork(const void *ctx)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	(void)ctx;
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int do_execute(const void *ctx)
{
	char *const argv[] = { NULL };

	(void)ctx;
	return result(execve("/nonexistent", argv, argv)) == ENOENT ? 0 : errno;
}

static int do_namespace(const void *ctx)
{
	(void)ctx;
	return result(unshare(CLONE_NEWUSER));
}

static int do_mount(const void *ctx)
{
	(void)ctx;
	return result(mount("none", "/nonexistent", "tmpfs", 0, NULL));
}

static int do_trace(const void *ctx)
{
	(void)ctx;
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int do_signal_parent(const void *ctx)
{
	(void)ctx;
	return result(kill(getppid(), 0));
}

static int do_own_descriptor(const void *ctx)
{
	(void)ctx;
	return result(fcntl(STDIN_FILENO, F_SETOWN, getpid()));
}

static int do_type(const void *ctx)
{
	(void)ctx;
	return result(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int do_open(const void *ctx)
{
	return result(open(ctx ? ctx : "/", O_RDONLY | O_CLOEXEC));
}

static int do_packet_socket(const void *ctx)
{
	(void)ctx;
	return result(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) == EPERM ? 0 : errno;
}

static int do_inet_socket(const void *ctx)
{
	(void)ctx;
	return result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int do_netlink(const void *ctx)
{
	(void)ctx;
	return result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int do_vsock(const void *ctx)
{
	(void)ctx;
	return result(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int do_execute_memory(const void *ctx)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)ctx;
	return memory == MAP_FAILED ? errno : 0;
}

static int do_become_root(const void *ctx)
{
	(void)ctx;
	return result(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
}

static int do_new_clone(const void *ctx)
{
	(void)ctx;
	return result(syscall(SYS_clone3, NULL, 0));
}

static int do_load_program(const void *ctx)
{
	(void)ctx;
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int do_keys(const void *ctx)
{
	(void)ctx;
	return result(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int do_handle(const void *ctx)
{
	(void)ctx;
	return result(syscall(SYS_open_by_handle_at, -1, NULL, 0));
}

enum verdict {
	KILLED = 1, /* by SIGSYS */
	ABSENT,     /* ENOSYS, as on an older kernel */
	ALLOWED,    /* or refused for another reason than the filter */
};

#define N_ROLES ISOLATE_ROLES

/* In the order of enum isolate_role: keeper, own keeper, starter, DHCP child, dnsmasq, forwarder, opener. */
static const struct row {
	const char *name;
	doing_fn *fn;
	enum verdict verdicts[N_ROLES];
	bool is_of_reports; /* the sanitizers' need it */
} rows[] = {
	{ "nothing",
	  do_nothing,
	  { ALLOWED, ALLOWED, ALLOWED, ALLOWED, ALLOWED, ALLOWED, ALLOWED },
	  false },
	{ "fork", do_fork, { KILLED, KILLED, ALLOWED, KILLED, ALLOWED, KILLED, KILLED }, true },
	{ "execute",
	  do_execute,
	  { KILLED, KILLED, ALLOWED, KILLED, ALLOWED, KILLED, KILLED },
	  false },
	{ "namespace",
	  do_namespace,
	  { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED },
	  false },
	{ "mount", do_mount, { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED }, false },
	{ "trace", do_trace, { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED }, true },
	{ "signal",
	  do_signal_parent,
	  { KILLED, KILLED, ALLOWED, KILLED, ABSENT, KILLED, KILLED },
	  true },
	{ "F_SETOWN",
	  do_own_descriptor,
	  { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED },
	  false },
	{ "TIOCSTI", do_type, { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED }, true },
	{ "open", do_open, { ALLOWED, ALLOWED, ALLOWED, KILLED, ALLOWED, ALLOWED, ALLOWED }, true },
	{ "packets",
	  do_packet_socket,
	  { ALLOWED, ALLOWED, ABSENT, KILLED, ABSENT, KILLED, KILLED },
	  false },
	{ "inet",
	  do_inet_socket,
	  { ALLOWED, ALLOWED, ALLOWED, KILLED, ALLOWED, ALLOWED, KILLED },
	  false },
	{ "netlink",
	  do_netlink,
	  { ALLOWED, ALLOWED, ALLOWED, KILLED, ALLOWED, KILLED, KILLED },
	  false },
	{ "vsock", do_vsock, { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED }, false },
	{ "code",
	  do_execute_memory,
	  { ALLOWED, ALLOWED, ALLOWED, KILLED, ALLOWED, KILLED, KILLED },
	  true },
	{ "user",
	  do_become_root,
	  { KILLED, KILLED, ALLOWED, KILLED, ABSENT, KILLED, KILLED },
	  false },
	{ "clone3",
	  do_new_clone,
	  { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED },
	  false },
	{ "bpf",
	  do_load_program,
	  { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED },
	  false },
	{ "keyctl", do_keys, { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED }, false },
	{ "handle", do_handle, { KILLED, KILLED, ABSENT, KILLED, ABSENT, KILLED, KILLED }, false },
};

static enum verdict verdict_of(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : 0;
	return WEXITSTATUS(status) == ENOSYS ? ABSENT : ALLOWED;
}

static void test_calls(void **state)
{
	(void)state;
	each_row(rows, row) {
		if (SANITIZED && row->is_of_reports)
			continue;
		for (int role = 0; role < N_ROLES; role++) {
			int status = status_of((enum isolate_role)role, NULL, row->fn, NULL);

			check(verdict_of(status) == row->verdicts[role],
			      "%s: role %d ended with status %#x", row->name, role,
			      (unsigned int)status);
		}
	}
}

struct victim {
	pid_t pid;
	int signum;
};

static int do_kill(const void *ctx)
{
	const struct victim *victim = ctx;

	return result(kill(victim->pid, victim->signum));
}

static pid_t start_victim(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

/* Nobody but the starter ends others. */
static void test_signals(void **state)
{
	static const enum isolate_role roles[] = { ISOLATE_KEEPER, ISOLATE_DHCP,
						   ISOLATE_FORWARDER };
	pid_t other = start_victim();
	int status;

	(void)state;
	/* The sanitizers' reports send signals, too. */
	for (size_t i = 0; !SANITIZED && i < ARRAY_LEN(roles); i++) {
		const struct victim ways[] = { { other, SIGKILL }, { other, SIGTERM } };

		each_row(ways, way) {
			status = status_of(roles[i], NULL, do_kill, way);
			check(verdict_of(status) == KILLED,
			      "role %d, pid %d, signal %d ended with %#x", (int)roles[i],
			      (int)way->pid, way->signum, (unsigned int)status);
		}
	}
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, &status, 0), other);
}

/* Files. */

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u) >= 1;
}

struct place {
	const char *path;
	int flags;
};

static int do_place(const void *ctx)
{
	const struct place *place = ctx;

	return result(open(place->path, place->flags | O_CLOEXEC, 0600));
}

static int do_remove(const void *ctx)
{
	return result(unlink(ctx));
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void test_files(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_FREE char *ours = xasprintf("%s/ours", dir->path);
	CLEANUP_FREE char *read_only = xasprintf("%s/read", dir->path);
	CLEANUP_FREE char *outside = xasprintf("%s/outside", dir->path);
	CLEANUP_FREE char *new_one = xasprintf("%s/ours/new", dir->path);
	CLEANUP_FREE char *file = xasprintf("%s/read/file", dir->path);
	CLEANUP_FREE char *new_there = xasprintf("%s/read/new", dir->path);
	CLEANUP_FREE char *missing = xasprintf("%s/missing", dir->path);
	const struct isolate_path keep[] = {
		{ ours, true }, { missing, true }, { read_only, false }, { NULL, false }
	};
	const struct {
		const char *name;
		struct place place;
		int want;
	} tries[] = {
		{ "a new file in ours", { new_one, O_WRONLY | O_CREAT }, 0 },
		{ "a file to read", { file, O_RDONLY }, 0 },
		{ "a file to write", { file, O_WRONLY }, EACCES },
		{ "a new file where we read", { new_there, O_WRONLY | O_CREAT }, EACCES },
		{ "a file outside", { outside, O_RDONLY }, EACCES },
		{ "a new file outside", { missing, O_WRONLY | O_CREAT }, EACCES },
		{ "users", { "/etc/passwd", O_RDONLY }, EACCES },
	};
	static const enum isolate_role roles[] = { ISOLATE_KEEPER,    ISOLATE_OWN_KEEPER,
						   ISOLATE_STARTER,   ISOLATE_DNS,
						   ISOLATE_FORWARDER, ISOLATE_OPENER };

	if (!has_landlock())
		skip();
	assert_int_equal(mkdir(ours, 0700), 0);
	assert_int_equal(mkdir(read_only, 0700), 0);
	make_file(file);
	make_file(outside);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		each_row(tries, one) {
			int status = status_of(roles[i], keep, do_place, &one->place);

			check(WIFEXITED(status) && WEXITSTATUS(status) == one->want,
			      "%s: role %d ended with status %#x", one->name, (int)roles[i],
			      (unsigned int)status);
		}
	assert_int_equal(WEXITSTATUS(status_of(ISOLATE_KEEPER, keep, do_remove, file)), EACCES);
	assert_int_equal(status_of(ISOLATE_KEEPER, keep, do_remove, new_one), 0);
}

/* Nothing that was not named: also no paths at all. */
static void test_no_files(void **state)
{
	(void)state;
	if (!has_landlock())
		skip();
	assert_int_equal(WEXITSTATUS(status_of(ISOLATE_KEEPER, NULL, do_open, "/etc/passwd")),
			 EACCES);
	assert_int_equal(WEXITSTATUS(status_of(ISOLATE_FORWARDER, NULL, do_open, "/etc/passwd")),
			 EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_signals),
		cmocka_unit_test_setup_teardown(test_files, temp_dir_make, temp_dir_remove),
		cmocka_unit_test(test_no_files),
	};

	return unit_main(tests);
}
