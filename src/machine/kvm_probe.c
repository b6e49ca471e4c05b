/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether KVM works.
 *
 * Parent: fork, wait for one struct report on a pipe under a deadline, kill. Child: default signals, open,
 * the identity asked for, then create, run. A timer interrupts KVM_RUN every few milliseconds so that the limits are
 * looked at; the limit that counts is the processor time of the thread, which includes the guest's: on a loaded
 * host the test takes longer but does not fail.
 */
#include "machine/kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "machine/kvm_guest.h"

#define API_VERSION     12 /* the only one there ever was */
#define TICK_US         3000
#define CPU_LIMIT_NS    (30 * 1000 * 1000)
#define WALL_LIMIT_NS   (500 * 1000 * 1000)
#define PARENT_LIMIT_MS 2000 /* beyond every limit of the child: the kernel hangs */
#define REAP_LIMIT_MS   100
#define EMULATED_MAX \
	1000 /* emulated instructions that are no sign of emulation: the port write is one */
#define STATS_MAX 1024 /* counters of one processor that we look through */

enum step { STEP_OPEN, STEP_IDENTITY, STEP_API, STEP_CREATE, STEP_PREPARE, STEP_RUN, STEP_COUNT };

static const char *const step_names[STEP_COUNT] = {
	[STEP_OPEN] = "opening /dev/kvm",
	[STEP_IDENTITY] = "changing identity",
	[STEP_API] = "its version",
	[STEP_CREATE] = "creating a virtual machine",
	[STEP_PREPARE] = "preparing a virtual processor",
	[STEP_RUN] = "running guest code",
};

/* What the child tells. */
struct report {
	enum step step; /* the last one reached */
	int sys;        /* errno when it failed */
	bool wrote, ended, strayed;
	bool barred; /* the identity asked for may not open /dev/kvm */
	uint32_t exit_reason;
	uint64_t emulated;
	uint64_t loops_done;
	uint64_t cpu_ns;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void on_tick(int signum)
{
	(void)signum;
}

static bool start_ticks(void)
{
	struct sigaction action = { .sa_handler =
					    on_tick }; /* no SA_RESTART: it is there to interrupt */
	struct itimerval every = { { 0, TICK_US }, { 0, TICK_US } };

	return sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0;
}

/* Reads the counter `insn_emulation`; kernels before 5.14 have none, which counts as 0. */
static uint64_t read_emulated(int stats_fd)
{
	struct kvm_stats_header header;
	uint64_t value = 0;

	if (stats_fd < 0 || pread(stats_fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return 0;
	for (uint32_t i = 0; i < header.num_desc && i < STATS_MAX; i++) {
		struct kvm_stats_desc desc;
		char name[sizeof("insn_emulation")];
		size_t stride = sizeof(desc) + header.name_size;
		off_t at = (off_t)(header.desc_offset + i * stride);

		if (pread(stats_fd, &desc, sizeof(desc), at) != (ssize_t)sizeof(desc) ||
		    pread(stats_fd, name, sizeof(name), at + (off_t)sizeof(desc)) <
			    (ssize_t)sizeof(name))
			return 0;
		if (memcmp(name, "insn_emulation", sizeof(name)) != 0)
			continue;
		at = (off_t)header.data_offset + desc.offset;
		return pread(stats_fd, &value, sizeof(value), at) == (ssize_t)sizeof(value) ?
			       value :
			       0;
	}
	return 0;
}

static bool create(int kvm_fd, struct kvm_guest *guest, struct kvm_run **ret_run)
{
	struct kvm_userspace_memory_region region = { .memory_size = KVM_GUEST_MEMORY_BYTES };
	int run_bytes = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *mapped;

	guest->vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (guest->vm_fd < 0)
		return false;
	mapped = mmap(NULL, KVM_GUEST_MEMORY_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		return false;
	guest->memory = mapped;
	region.userspace_addr = (uint64_t)(uintptr_t)mapped;
	if (ioctl(guest->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ||
	    !kvm_guest_prepare_vm(guest))
		return false;
	guest->vcpu_fd = ioctl(guest->vm_fd, KVM_CREATE_VCPU, 0);
	if (guest->vcpu_fd < 0 || run_bytes < (int)sizeof(struct kvm_run))
		return false;
	mapped = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, guest->vcpu_fd,
		      0);
	if (mapped == MAP_FAILED)
		return false;
	*ret_run = mapped;
	return true;
}

static void note_event(const struct kvm_run *run, struct report *report)
{
	switch (kvm_guest_event(run)) {
	case KVM_GUEST_GOES_ON:
		break;
	case KVM_GUEST_WROTE:
		report->wrote = true;
		break;
	case KVM_GUEST_ENDED:
		report->ended = true;
		break;
	case KVM_GUEST_STRAYED:
		report->strayed = true;
		report->exit_reason = run->exit_reason;
		break;
	}
}

static bool run_guest(const struct kvm_guest *guest, const struct kvm_run *run,
		      struct report *report)
{
	int stats_fd = ioctl(guest->vcpu_fd, KVM_GET_STATS_FD, NULL);
	uint64_t wall_start = now_ns(CLOCK_MONOTONIC);
	uint64_t cpu_start = now_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t left = KVM_GUEST_LOOPS;

	do {
		if (ioctl(guest->vcpu_fd, KVM_RUN, 0) == 0)
			note_event(run, report);
		else if (errno != EINTR && errno != EAGAIN)
			return false;
		report->cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
		report->emulated = read_emulated(stats_fd);
	} while (!report->ended && !report->strayed && report->emulated <= EMULATED_MAX &&
		 report->cpu_ns < CPU_LIMIT_NS &&
		 now_ns(CLOCK_MONOTONIC) - wall_start < WALL_LIMIT_NS);
	if (kvm_guest_loops_left(guest, &left) && left <= KVM_GUEST_LOOPS)
		report->loops_done = KVM_GUEST_LOOPS - left;
	return true;
}

static bool take_identity(const struct child_identity *identity)
{
	return !identity || (setgroups(identity->n_groups, identity->groups) == 0 &&
			     setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
			     setresuid(identity->uid, identity->uid, identity->uid) == 0);
}

static bool run_test(const struct child_identity *identity, struct report *report)
{
	struct kvm_guest guest = { .vm_fd = -1, .vcpu_fd = -1 };
	struct kvm_run *run = NULL;
	int kvm_fd;

	/* As we are: a KVM that does not work is the better answer than one that another user may not open. */
	report->step = STEP_OPEN;
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		return false;
	report->step = STEP_IDENTITY;
	if (!take_identity(identity) || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return false;
	report->barred = identity && access("/dev/kvm", R_OK | W_OK) < 0;
	report->step = STEP_API;
	errno = ENOTTY;
	if (ioctl(kvm_fd, KVM_GET_API_VERSION, 0) != API_VERSION)
		return false;
	report->step = STEP_CREATE;
	if (!create(kvm_fd, &guest, &run))
		return false;
	report->step = STEP_PREPARE;
	if (!kvm_guest_prepare_vcpu(&guest) || !start_ticks())
		return false;
	report->step = STEP_RUN;
	return run_guest(&guest, run, report);
}

_Noreturn static void be_child(const struct child_identity *identity, int report_fd)
{
	struct report report = { 0 };
	sigset_t none;

	for (int signum = 1; signum < NSIG; signum++)
		(void)signal(signum, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* A Ctrl-C is for the parent, which then kills us. */
	(void)setpgid(0, 0);
	if (!run_test(identity, &report))
		report.sys = errno;
	(void)!write(report_fd, &report, sizeof(report));
	_exit(0);
}

/* True when the child has told, within the deadline. */
static bool wait_report(int fd, struct report *ret)
{
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) / 1000000 + PARENT_LIMIT_MS;

	for (;;) {
		uint64_t now = now_ns(CLOCK_MONOTONIC) / 1000000;
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int n = poll(&ready, 1, now < deadline ? (int)(deadline - now) : 0);

		if (n > 0)
			return read(fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
		if (n == 0 || errno != EINTR || now >= deadline)
			return false;
	}
}

/* A process inside a call that never returns cannot be reaped: it is left to init. */
static void put_away(pid_t pid)
{
	CLEANUP_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	(void)kill(pid, SIGKILL);
	if (pidfd >= 0)
		(void)poll(&ended, 1, REAP_LIMIT_MS);
	(void)waitpid(pid, NULL, pidfd >= 0 ? WNOHANG : 0);
}

static enum kvm_verdict verdict_of_errno(int sys)
{
	switch (sys) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return KVM_NONE;
	case EACCES:
	case EPERM:
		return KVM_DENIED;
	case EBUSY:
		return KVM_BUSY;
	default:
		return KVM_FAILED;
	}
}

static void judge(const struct report *report, struct kvm_probe *ret)
{
	ret->sys = report->sys;
	if (report->sys != 0) {
		(void)snprintf(ret->detail, sizeof(ret->detail), "%s: %s", step_names[report->step],
			       strerror(report->sys));
		if (report->step == STEP_OPEN || report->step == STEP_CREATE)
			ret->verdict = verdict_of_errno(report->sys);
		return;
	}
	if (report->strayed || (report->ended && !report->wrote)) {
		(void)snprintf(ret->detail, sizeof(ret->detail),
			       "unexpected exit %u from guest code", report->exit_reason);
		return;
	}
	if (!report->ended || report->emulated > EMULATED_MAX)
		ret->verdict = KVM_EMULATED;
	else
		ret->verdict = report->barred ? KVM_DENIED : KVM_OK;
	/* Two instructions a round. */
	if (ret->verdict == KVM_EMULATED && report->cpu_ns > 0)
		ret->rate = report->loops_done * 2 * 1000000000 / report->cpu_ns;
}

void kvm_probe(const struct child_identity *identity, struct kvm_probe *ret)
{
	CLEANUP_CLOSE int read_fd = -1;
	CLEANUP_CLOSE int write_fd = -1;
	struct report report = { 0 };
	int fds[2];
	pid_t pid;

	*ret = (struct kvm_probe){ .verdict = KVM_FAILED,
				   .detail = "the test could not be started" };
	if (identity && identity->uid != geteuid()) {
		ret->foreign_user = true;
		ret->uid = identity->uid;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	read_fd = fds[0];
	write_fd = fds[1];
	pid = fork();
	if (pid < 0)
		return;
	if (pid == 0)
		be_child(identity, write_fd);
	(void)close(TAKE_FD(write_fd));
	if (wait_report(read_fd, &report))
		judge(&report, ret);
	else
		(void)snprintf(ret->detail, sizeof(ret->detail), "the test did not come to an end");
	put_away(pid);
}

static const char *const verdict_names[KVM_VERDICT_COUNT] = {
	[KVM_OK] = "ok",     [KVM_EMULATED] = "emulated", [KVM_FAILED] = "failed",
	[KVM_NONE] = "none", [KVM_DENIED] = "denied",     [KVM_BUSY] = "busy",
};

const char *kvm_verdict_name(enum kvm_verdict verdict)
{
	return verdict_names[verdict];
}

bool kvm_verdict_parse(struct span name, enum kvm_verdict *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(verdict_names); i++) {
		if (!span_is(name, verdict_names[i]))
			continue;
		*ret = (enum kvm_verdict)i;
		return true;
	}
	return false;
}

static void explain_rate(uint64_t rate, struct str *out)
{
	str_add(out, "kernel-mode guest code runs at ");
	if (rate >= 1000000)
		str_addf(out, "%.1f M", (double)rate / 1e6);
	else
		str_addf(out, "%.1f k", (double)rate / 1e3);
	str_add(out, " instructions/s");
}

void kvm_probe_explain(const struct kvm_probe *probe, struct str *out)
{
	switch (probe->verdict) {
	case KVM_OK:
		str_add(out, "guest code runs at full speed");
		break;
	case KVM_EMULATED:
		explain_rate(probe->rate, out);
		break;
	case KVM_NONE:
		str_add(out, "this host has no /dev/kvm");
		break;
	case KVM_DENIED:
		if (probe->foreign_user)
			str_addf(
				out,
				"user %u, as whom QEMU would run, may not open /dev/kvm (see TART_QEMU_USER)",
				probe->uid);
		else
			str_add(out, "no permission to open /dev/kvm, add yourself to group kvm");
		break;
	case KVM_BUSY:
		str_add(out, "another hypervisor is using the processor");
		break;
	case KVM_FAILED:
	case KVM_VERDICT_COUNT:
		str_addf(out, "its self-test failed: %s", probe->detail);
		break;
	}
}

static bool parameter_is_on(const char *path)
{
	char c = '\0';
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &c, 1) == 1 && (c == 'Y' || c == '1');
}

bool kvm_is_nestable(void)
{
	return parameter_is_on("/sys/module/kvm_intel/parameters/nested") ||
	       parameter_is_on("/sys/module/kvm_amd/parameters/nested");
}
