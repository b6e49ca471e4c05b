/* SPDX-License-Identifier: Apache-2.0 */
/* Starting QEMU. */
#include "machine/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/sock.h"
#include "machine/qemu_argv.h"

#define VMSTAT_MAX ((size_t)64 * 1024) /* bytes of /proc/vmstat; it has some thousand */

/* What QEMU and the sound libraries in it may know of our environment. */
static const char *const passed_variables[] = {
	"PATH",
	"LANG",
	"LC_ALL",
	"LC_MESSAGES",
	"TZ",
	"TMPDIR",
	"HOME",
	"XDG_RUNTIME_DIR",
	"PULSE_SERVER",
	"PULSE_COOKIE",
	"PIPEWIRE_REMOTE",
};

struct environment {
	char *slots[ARRAY_LEN(passed_variables) + 1];
};

static void environment_fill(struct environment *env)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(passed_variables); i++) {
		const char *value = getenv(passed_variables[i]);

		if (value)
			env->slots[n++] = xasprintf("%s=%s", passed_variables[i], value);
	}
}

static void environment_done(struct environment *env)
{
	for (size_t i = 0; env->slots[i]; i++)
		free(env->slots[i]);
}

/*
 * Guest RAM. Its size is sealed: nobody who holds a copy, QEMU included, can make the others fault by cutting it.
 * The kernel gives pages when they are touched, so lack of memory shows later (see oom_kills_of_host()).
 */
static bool make_ram(uint64_t bytes, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = memfd_create("tart-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_sys(err, errno, "cannot create the guest's memory");
	if (ftruncate(fd, (off_t)bytes) < 0)
		return err_sys(err, errno, "cannot get %" PRIu64 " MiB of memory for the guest",
			       bytes >> 20);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_sys(err, errno, "cannot seal the guest's memory");
	*ret_fd = TAKE_FD(fd);
	return true;
}

/* QEMU's ends of the sockets, open only until it has inherited them. */
struct far_ends {
	int ram_fd, qmp_fd, con_fd, hvc_fd, qga_fd, output_fd;
};

#define FAR_ENDS_INIT                  \
	{                              \
		-1, -1, -1, -1, -1, -1 \
	}

static void far_ends_done(const struct far_ends *far)
{
	cleanup_close(&far->ram_fd);
	cleanup_close(&far->qmp_fd);
	cleanup_close(&far->con_fd);
	cleanup_close(&far->hvc_fd);
	cleanup_close(&far->qga_fd);
	cleanup_close(&far->output_fd);
}

static bool make_output(int *ret_read, int *ret_write, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot create a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return true;
}

static bool connect_ends(uint64_t memory_bytes, struct launch *near, struct far_ends *far,
			 struct err *err)
{
	return make_ram(memory_bytes, &far->ram_fd, err) &&
	       sock_pair(&near->qmp_fd, &far->qmp_fd, err) &&
	       sock_pair(&near->con_fd, &far->con_fd, err) &&
	       sock_pair(&near->hvc_fd, &far->hvc_fd, err) &&
	       sock_pair(&near->qga_fd, &far->qga_fd, err) &&
	       make_output(&near->output_fd, &far->output_fd, err);
}

static bool start(const char *program, const struct machine_spec *spec, const struct far_ends *far,
		  const struct child_identity *identity, struct child *ret, struct err *err)
{
	CLEANUP(qemu_argv_done) struct qemu_argv argv = { 0 };
	CLEANUP(environment_done) struct environment env = { 0 };
	CLEANUP_CLOSE int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct machine_spec complete = *spec;
	struct child_spec child = CHILD_SPEC_INIT;

	if (root_fd < 0)
		return err_sys(err, errno, "cannot open /");
	complete.ram_fd = far->ram_fd;
	complete.qmp_fd = far->qmp_fd;
	complete.con_fd = far->con_fd;
	complete.hvc_fd = far->hvc_fd;
	complete.qga_fd = far->qga_fd;
	qemu_argv_build(program, &complete, &argv);
	environment_fill(&env);
	child.argv = (const char *const *)argv.args.v;
	child.envp = (const char *const *)env.slots;
	child.stdout_fd = far->output_fd;
	child.stderr_fd = far->output_fd;
	child.keep_fds = argv.fds.v;
	child.n_keep_fds = argv.fds.n;
	child.cwd_fd = root_fd;
	child.identity = identity;
	child.own_group = true;
	return child_start(&child, ret, err);
}

bool launch_qemu(const char *program, const struct machine_spec *spec,
		 const struct child_identity *identity, struct launch *ret, struct err *err)
{
	CLEANUP(launch_done) struct launch launch = LAUNCH_INIT;
	CLEANUP(far_ends_done) struct far_ends far = FAR_ENDS_INIT;

	if (!connect_ends(spec->memory_bytes, &launch, &far, err) ||
	    !start(program, spec, &far, identity, &launch.child, err))
		return false;
	*ret = launch;
	launch = (struct launch)LAUNCH_INIT;
	return true;
}

void launch_done(struct launch *launch)
{
	child_kill(&launch->child);
	cleanup_close(&launch->qmp_fd);
	cleanup_close(&launch->con_fd);
	cleanup_close(&launch->hvc_fd);
	cleanup_close(&launch->qga_fd);
	cleanup_close(&launch->output_fd);
	*launch = (struct launch)LAUNCH_INIT;
}

uint64_t oom_kills_of_host(void)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	struct span rest;
	struct span line;
	uint64_t n = 0;

	if (!fs_read_file(AT_FDCWD, "/proc/vmstat", VMSTAT_MAX, &text, &ignored))
		return 0;
	rest = str_span(&text);
	while (span_next(&rest, '\n', &line))
		if (span_starts_with(line, "oom_kill ") &&
		    number_parse_u64(span_from(line, strlen("oom_kill ")), UINT64_MAX, &n))
			break;
	return n;
}
