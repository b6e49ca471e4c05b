/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of each role, and no others: isolate_calls() of isolate.h. The only file that knows libseccomp.
 *
 * A child's filter comes on top of its parent's, so the starter's allows what dnsmasq and the DHCP child need, which then
 * narrow it. Our own processes die of a call that is not in their list: it means that the list, or the process, is broken.
 * dnsmasq comes in many versions; it gets ENOSYS, like on a kernel that is too old.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "netd/isolate.h"
#include "netd/isolate_files.h"

/* Memory, time, descriptors that are open, ending. */
static const int every_calls[] = {
	SCMP_SYS(read),          SCMP_SYS(readv),           SCMP_SYS(write),
	SCMP_SYS(writev),        SCMP_SYS(close),           SCMP_SYS(close_range),
	SCMP_SYS(dup),           SCMP_SYS(recvfrom),        SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),        SCMP_SYS(sendmsg),         SCMP_SYS(shutdown),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),       SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),   SCMP_SYS(epoll_pwait2),    SCMP_SYS(poll),
	SCMP_SYS(ppoll),         SCMP_SYS(ppoll_time64),    SCMP_SYS(brk),
	SCMP_SYS(munmap),        SCMP_SYS(mremap),          SCMP_SYS(madvise),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday),
	SCMP_SYS(time),          SCMP_SYS(getrandom),       SCMP_SYS(futex),
	SCMP_SYS(futex_time64),  SCMP_SYS(getpid),          SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),  SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),     SCMP_SYS(sigaltstack),     SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),          SCMP_SYS(exit_group),      SCMP_SYS(membarrier),
	SCMP_SYS(rseq),          SCMP_SYS(set_robust_list),
};

/* Opening files and reading them; what may be opened is Landlock's and the user's business. */
static const int file_calls[] = {
	SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(stat),      SCMP_SYS(lstat),
	SCMP_SYS(fstat),      SCMP_SYS(stat64),     SCMP_SYS(lstat64),   SCMP_SYS(fstat64),
	SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),  SCMP_SYS(statx),     SCMP_SYS(statfs),
	SCMP_SYS(statfs64),   SCMP_SYS(fstatfs),    SCMP_SYS(fstatfs64), SCMP_SYS(access),
	SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(readlink),  SCMP_SYS(readlinkat),
	SCMP_SYS(getdents),   SCMP_SYS(getdents64), SCMP_SYS(lseek),     SCMP_SYS(_llseek),
	SCMP_SYS(pread64),    SCMP_SYS(preadv),     SCMP_SYS(getcwd),    SCMP_SYS(mmap),
	SCMP_SYS(mmap2),      SCMP_SYS(mprotect),
};

/* The keeper's state. */
static const int state_calls[] = {
	SCMP_SYS(pwrite64),  SCMP_SYS(pwritev),  SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64),
	SCMP_SYS(fallocate), SCMP_SYS(fsync),    SCMP_SYS(fdatasync), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),   SCMP_SYS(unlink),   SCMP_SYS(unlinkat),  SCMP_SYS(rmdir),
	SCMP_SYS(rename),    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link),
	SCMP_SYS(linkat),    SCMP_SYS(mknod),    SCMP_SYS(mknodat),   SCMP_SYS(chmod),
	SCMP_SYS(fchmod),    SCMP_SYS(fchmodat), SCMP_SYS(chown),     SCMP_SYS(fchown),
	SCMP_SYS(fchownat),  SCMP_SYS(flock),    SCMP_SYS(umask),     SCMP_SYS(utimensat),
};

static const int socket_calls[] = {
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(connect),
	SCMP_SYS(socketpair),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(send),
	SCMP_SYS(recv),
};

static const int process_calls[] = {
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresgid),
	SCMP_SYS(getgroups),
	SCMP_SYS(getppid),
	SCMP_SYS(getpgrp),
	SCMP_SYS(getpgid),
	SCMP_SYS(getsid),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(eventfd2),
	SCMP_SYS(signalfd4),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(sendfile),
	SCMP_SYS(splice),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(capget),
};

/* dnsmasq: its start, a process for each TCP client, and alarms to end that; changes of /etc/resolv.conf. */
static const int dns_calls[] = {
	SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch),
	SCMP_SYS(execve),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(capset),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(alarm),
	SCMP_SYS(setitimer),
	SCMP_SYS(chdir),
	SCMP_SYS(umask),
	SCMP_SYS(setsid),
};

/* The starter's own: processes and who they are; confining them. */
static const int starter_calls[] = {
	SCMP_SYS(kill),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(setgroups),
	SCMP_SYS(setgroups32),
	SCMP_SYS(setresgid),
	SCMP_SYS(setresgid32),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresuid32),
	SCMP_SYS(setpgid),
	SCMP_SYS(memfd_create),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
};

/* The forwarder: connections, their doors, its log, and the end of pasta. */
static const int forwarder_calls[] = {
	SCMP_SYS(bind),      SCMP_SYS(listen),      SCMP_SYS(accept4),    SCMP_SYS(accept),
	SCMP_SYS(connect),   SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(pipe),      SCMP_SYS(pipe2),       SCMP_SYS(splice),     SCMP_SYS(open),
	SCMP_SYS(openat),    SCMP_SYS(fstat),       SCMP_SYS(fstat64),    SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64), SCMP_SYS(statx),       SCMP_SYS(lseek),      SCMP_SYS(_llseek),
	SCMP_SYS(renameat),  SCMP_SYS(renameat2),   SCMP_SYS(wait4),      SCMP_SYS(waitid),
};

/* Looking at device nodes, opening them, making one. */
static const int opener_calls[] = {
	SCMP_SYS(open),    SCMP_SYS(pread64),    SCMP_SYS(openat),    SCMP_SYS(fstat),
	SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx),
	SCMP_SYS(mknod),   SCMP_SYS(mknodat),    SCMP_SYS(unlink),    SCMP_SYS(unlinkat),
};

/* What the reports of sanitizers need, the search for leaks at the end above all. */
#ifdef ISOLATE_SANITIZED
static const int sanitizer_calls[] = {
	SCMP_SYS(clone),
	SCMP_SYS(ptrace),
	SCMP_SYS(personality),
	SCMP_SYS(tgkill),
	SCMP_SYS(mmap),
	SCMP_SYS(mmap2),
	SCMP_SYS(mprotect),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(readlink),
	SCMP_SYS(getdents64),
	SCMP_SYS(prctl),
	SCMP_SYS(wait4),
	SCMP_SYS(sched_yield),
	SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(dup2),
	SCMP_SYS(getppid),
	SCMP_SYS(ioctl),
	SCMP_SYS(lseek),
	SCMP_SYS(stat),
	SCMP_SYS(getuid),
	SCMP_SYS(kill),
};
#endif

struct list {
	const int *calls;
	size_t n;
};
#define LIST(calls)                        \
	{                                  \
		(calls), ARRAY_LEN(calls), \
	}
#define LISTS_MAX 8

/* Calls that are allowed with some arguments only. */
typedef int special_fn(scmp_filter_ctx filter);

struct role {
	uint32_t otherwise;
	struct list lists[LISTS_MAX];
	special_fn *specials[LISTS_MAX];
};

/* Data is not executed. */
static int plain_memory(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
					      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

		if (result < 0)
			return result;
	}
	return 0;
}

static int sockets_of(scmp_filter_ctx filter, const int *domains, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)domains[i]));

		if (result < 0)
			return result;
	}
	return 0;
}

static int keeper_sockets(scmp_filter_ctx filter)
{
	static const int domains[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET };

	return sockets_of(filter, domains, ARRAY_LEN(domains));
}

static int inet_sockets(scmp_filter_ctx filter)
{
	static const int domains[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

	return sockets_of(filter, domains, ARRAY_LEN(domains));
}

static int forwarder_sockets(scmp_filter_ctx filter)
{
	static const int domains[] = { AF_UNIX, AF_INET };

	return sockets_of(filter, domains, ARRAY_LEN(domains));
}

/* Requests about interfaces, those about TAPs, and the two that stdio makes; none that types into a terminal. */
static int ioctls(scmp_filter_ctx filter)
{
	static const scmp_datum_t requests[] = { TUNSETIFF, TUNGETIFF, TCGETS, FIONREAD };
	int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, 0x8900)); /* SIOC… */

	for (size_t i = 0; i < ARRAY_LEN(requests) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					  SCMP_A1(SCMP_CMP_EQ, requests[i]));
	return result;
}

static int look_ioctl(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)TUNGETIFF));
}

/* None that makes a descriptor send signals (F_SETOWN, F_SETSIG), to whomever, or that can be told leases and changes. */
static int plain_fcntl(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(fcntl), SCMP_SYS(fcntl64) };
	static const scmp_datum_t commands[] = {
		F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,     F_GETFL,     F_SETFL,
		F_GETLK,      F_SETLK,         F_SETLKW,    F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
		F_GETPIPE_SZ, F_SETPIPE_SZ,    F_ADD_SEALS, F_GET_SEALS,
	};
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		for (size_t j = 0; j < ARRAY_LEN(commands) && result == 0; j++)
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
						  SCMP_A1(SCMP_CMP_EQ, commands[j]));
	return result;
}

/* A process like this one: no namespaces of its own. clone3() cannot be looked into; libc does without. */
static int forks(scmp_filter_ctx filter)
{
	const scmp_datum_t namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
					CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0));
}

/* A failed assertion is to say so, and to look like one. */
static int aborts(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

/* The starter's children have other ids, and filters of their own that say which. */
static int child_aborts(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0);
}

/* Whose keeper it is makes no difference. */
#define KEEPER_ROLE                                                               \
	{                                                                         \
		SCMP_ACT_KILL_PROCESS,                                            \
			{ LIST(every_calls), LIST(file_calls), LIST(state_calls), \
			  LIST(socket_calls), LIST(process_calls) },              \
			{ keeper_sockets, ioctls, aborts },                       \
	}

static const struct role roles[] = {
	[ISOLATE_KEEPER] = KEEPER_ROLE,
	[ISOLATE_OWN_KEEPER] = KEEPER_ROLE,
	[ISOLATE_STARTER] = { SCMP_ACT_ERRNO(ENOSYS),
			      { LIST(every_calls), LIST(file_calls), LIST(socket_calls),
				LIST(process_calls), LIST(dns_calls), LIST(starter_calls) },
			      { inet_sockets, ioctls, forks, child_aborts } },
	[ISOLATE_DHCP] = { SCMP_ACT_KILL_PROCESS, { LIST(every_calls) }, { plain_memory, aborts } },
	[ISOLATE_DNS] = { SCMP_ACT_ERRNO(ENOSYS),
			  { LIST(every_calls), LIST(file_calls), LIST(socket_calls),
			    LIST(process_calls), LIST(dns_calls) },
			  { inet_sockets, ioctls, forks, aborts } },
	[ISOLATE_FORWARDER] = { SCMP_ACT_KILL_PROCESS,
				{ LIST(every_calls), LIST(forwarder_calls) },
				{ forwarder_sockets, plain_memory, aborts } },
	[ISOLATE_OPENER] = { SCMP_ACT_KILL_PROCESS,
			     { LIST(every_calls), LIST(opener_calls) },
			     { look_ioctl, plain_memory, aborts } },
};
_Static_assert(ARRAY_LEN(roles) == ISOLATE_ROLES, "a role without calls");

static int allow(scmp_filter_ctx filter, const struct list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list->calls[i], 0);

		if (result < 0)
			return result;
	}
	return 0;
}

static int fill(scmp_filter_ctx filter, const struct role *role)
{
	int result = plain_fcntl(filter);

	for (size_t i = 0; i < LISTS_MAX && result == 0; i++)
		result = allow(filter, &role->lists[i]);
#ifdef ISOLATE_SANITIZED
	if (result == 0)
		result = allow(filter, &(const struct list)LIST(sanitizer_calls));
#endif
	for (size_t i = 0; i < LISTS_MAX && result == 0 && role->specials[i]; i++)
		result = role->specials[i](filter);
	return result;
}

bool isolate_calls(enum isolate_role which, const struct isolate_path *keep, struct err *err)
{
	scmp_filter_ctx filter;
	int result;

	if (!isolate_files(which, keep, err))
		return false;
	filter = seccomp_init(roles[which].otherwise);
	if (!filter)
		return err_set(err, ERR_GENERAL, "cannot make a filter for system calls");
	/* Set already (isolate_start), and the starter's children could not do what this would ask for. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	result = fill(filter, &roles[which]);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result == 0 || err_sys(err, -result, "cannot filter system calls");
}
