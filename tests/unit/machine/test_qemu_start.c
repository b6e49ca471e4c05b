/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does QEMU understand our command lines? Each machine that needs nothing but files is started for real, paused,
 * sandboxed and, when the test runs as root, as nobody; it is asked for its devices over QMP and told to quit. No
 * guest code runs. Machines of an architecture whose QEMU or firmware is not installed are skipped by name.
 */
#include "machine/qemu_argv.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/child.h"
#include "machine/firmware.h"
#include "machine/io_uring.h"
#include "machine_rows.h"

#include "unit.h"

#define DEADLINE_MS 30000 /* a loaded machine; an answer takes some 50 ms */
#define DISK_BYTES  ((off_t)16 << 20)
#define INPUT_MAX   65536

/* What a started machine consists of on our side. */
struct bench {
	char dir[64];
	VEC(int) fds; /* all to be closed */
	int qmp_fd;
	struct str input; /* of QMP, not yet read */
};

static int own(struct bench *bench, int fd)
{
	check(fd >= 0, "cannot open a file of the test");
	*vec_push(&bench->fds) = fd;
	return fd;
}

/* QEMU has its copy by now; with ours open we would never see its end. */
static void disown(struct bench *bench, int fd)
{
	vec_each(&bench->fds, item)
		if (*item == fd)
			(void)close(TAKE_FD(*item));
}

static int make_file(struct bench *bench, const char *name, off_t bytes, int mode)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", bench->dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	check(fd >= 0 && ftruncate(fd, bytes) == 0, "cannot make %s", path);
	(void)close(fd);
	fd = own(bench, open(path, mode | O_CLOEXEC));
	(void)unlink(path);
	return fd;
}

static int make_overlay(struct bench *bench, int mode)
{
	char path[128];
	const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, "16M", NULL };
	struct err err = { 0 };
	int fd;

	(void)snprintf(path, sizeof(path), "%s/overlay", bench->dir);
	check(child_run(argv, 1000, NULL, &err), "%s", err.text);
	fd = own(bench, open(path, mode | O_CLOEXEC));
	(void)unlink(path);
	return fd;
}

/* Our end; the other end goes to *ret_theirs. */
static int make_pair(struct bench *bench, int *ret_theirs)
{
	int pair[2];

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "no socket pair");
	*ret_theirs = own(bench, pair[1]);
	return own(bench, pair[0]);
}

static int disk_mode(const struct disk_spec *disk)
{
	return disk->read_only ? O_RDONLY : O_RDWR;
}

static off_t file_bytes(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return lseek(fd, 0, SEEK_END);
}

static void make_files(struct bench *bench, const struct firmware *fw, struct machine_spec *spec)
{
	char name[32];

	spec->ram_fd = own(bench, memfd_create("ram", MFD_CLOEXEC));
	check(ftruncate(spec->ram_fd, (off_t)spec->memory_bytes) == 0, "no memory");
	bench->qmp_fd = make_pair(bench, &spec->qmp_fd);
	(void)make_pair(bench, &spec->con_fd);
	(void)make_pair(bench, &spec->hvc_fd);
	(void)make_pair(bench, &spec->qga_fd);
	spec->code_fd = own(bench, open(fw->code_path, O_RDONLY | O_CLOEXEC));
	spec->vars_fd = make_file(bench, "vars", file_bytes(fw->vars_path), O_RDWR);
	if (spec->root.overlay_fd >= 0)
		spec->root.overlay_fd = make_overlay(bench, disk_mode(&spec->root));
	spec->root.fd = make_file(bench, "root", DISK_BYTES,
				  spec->root.overlay_fd >= 0 ? O_RDONLY : disk_mode(&spec->root));
	for (size_t i = 0; i < spec->disks.n; i++) {
		(void)snprintf(name, sizeof(name), "disk%zu", i);
		spec->disks.v[i].fd = make_file(bench, name, DISK_BYTES,
						disk_mode(&spec->disks.v[i]));
	}
	if (!io_uring_works())
		spec->io_uring = false;
}

static void bench_done(struct bench *bench)
{
	vec_each(&bench->fds, fd)
		if (*fd >= 0)
			(void)close(*fd);
	vec_done(&bench->fds);
	str_done(&bench->input);
	(void)rmdir(bench->dir);
}

/* The next line from QMP; NULL at its end or when it takes too long. */
static char *read_line(struct bench *bench)
{
	for (;;) {
		struct span text = str_span(&bench->input);
		size_t end = span_find(text, '\n');
		struct pollfd ready = { .fd = bench->qmp_fd, .events = POLLIN };
		char buf[4096];
		char *line;
		ssize_t n;

		if (end < text.len) {
			struct str rest = { 0 };

			line = xstrndup(text.ptr, end);
			str_add_span(&rest, span_from(text, end + 1));
			str_done(&bench->input);
			bench->input = rest;
			return line;
		}
		if (poll(&ready, 1, DEADLINE_MS) <= 0)
			return NULL;
		n = read(bench->qmp_fd, buf, sizeof(buf));
		if (n <= 0 || bench->input.len > INPUT_MAX)
			return NULL;
		str_add_span(&bench->input, span_make(buf, (size_t)n));
	}
}

/* Sends a command without arguments; its "return" as text, or NULL. Events in between are dropped. */
static char *ask(struct bench *bench, const char *command)
{
	CLEANUP_FREE char *text = xasprintf("{\"execute\":\"%s\"}\n", command);
	char *line;

	if (write(bench->qmp_fd, text, strlen(text)) != (ssize_t)strlen(text))
		return NULL;
	while ((line = read_line(bench)) != NULL) {
		if (strstr(line, "\"return\"") || strstr(line, "\"error\""))
			return line;
		free(line);
	}
	return NULL;
}

static size_t count_text(const char *haystack, const char *needle)
{
	size_t n = 0;

	for (const char *at = haystack; (at = strstr(at, needle)) != NULL; at += strlen(needle))
		n++;
	return n;
}

static void converse(struct bench *bench, const char *name, const struct machine_spec *spec)
{
	CLEANUP_FREE char *greeting = read_line(bench);
	CLEANUP_FREE char *ready = greeting ? ask(bench, "qmp_capabilities") : NULL;
	CLEANUP_FREE char *status = ready ? ask(bench, "query-status") : NULL;
	CLEANUP_FREE char *disks = status ? ask(bench, "query-block") : NULL;
	CLEANUP_FREE char *bye = disks ? ask(bench, "quit") : NULL;

	check(greeting && strstr(greeting, "\"QMP\""), "%s: no greeting", name);
	check(status && strstr(status, "\"prelaunch\""), "%s: %s", name,
	      status ? status : "no answer");
	check(disks && count_text(disks, "/virtio-backend\"") == 1 + spec->disks.n, "%s: %s", name,
	      disks ? disks : "no answer");
	check(bye && strstr(bye, "\"return\""), "%s: no farewell", name);
}

static void start(const struct machine_row *row, const char *program, const struct firmware *fw)
{
	const struct child_identity nobody = { .uid = 65534, .gid = 65534 };
	CLEANUP(bench_done) struct bench bench = { .dir = "/tmp/tart-qemu-start-XXXXXX" };
	CLEANUP(qemu_argv_done) struct qemu_argv argv = { 0 };
	CLEANUP(machine_row_done) struct machine_spec spec;
	CLEANUP(child_kill) struct child child = CHILD_INIT;
	CLEANUP_CLOSE int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct child_spec how = CHILD_SPEC_INIT;
	struct err err = { 0 };
	int status = -1;

	check(mkdtemp(bench.dir), "no temporary folder");
	machine_row_fill(row, &spec);
	make_files(&bench, fw, &spec);
	qemu_argv_build(program, &spec, &argv);
	*vec_push(&argv.args) = xstrdup("-S");
	*vec_push(&argv.args) = NULL;
	argv.args.n--;
	how.argv = (const char *const *)argv.args.v;
	how.keep_fds = argv.fds.v;
	how.n_keep_fds = argv.fds.n;
	how.cwd_fd = root_fd;
	how.stderr_fd = STDERR_FILENO;
	how.identity = geteuid() == 0 ? &nobody : NULL;
	check(child_start(&how, &child, &err), "%s: %s", row->name, err.text);
	disown(&bench, spec.qmp_fd);
	converse(&bench, row->name, &spec);
	check(child_wait(&child, &status, &err), "%s: %s", row->name, err.text);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x", row->name,
	      (unsigned)status);
}

static void starts(void **state)
{
	const struct machine_row *row = *state;
	const char *program = row->arch == ARCH_AMD64 ? "/usr/bin/qemu-system-x86_64" :
							"/usr/bin/qemu-system-aarch64";
	const struct firmware_search search = FIRMWARE_SEARCH(NULL, NULL, NULL);
	CLEANUP(firmware_done) struct firmware fw = { 0 };
	struct err err = { 0 };

	if (access(program, X_OK) != 0 || !firmware_find(&search, row->arch, &fw, &err) ||
	    fw.code_format != FIRMWARE_RAW || fw.vars_format != FIRMWARE_RAW) {
		skip();
		return;
	}
	start(row, program, &fw);
}

int main(void)
{
	VEC(struct CMUnitTest) tests = { 0 };
	int failed;

	each_machine_row(row)
	{
		union {
			const struct machine_row *in;
			void *out;
		} state = { .in = row };

		if (row->startable)
			*vec_push(&tests) = (struct CMUnitTest){ row->name, starts, NULL, NULL,
								 state.out };
	}
	failed = _cmocka_run_group_tests("test_qemu_start", tests.v, tests.n, NULL, NULL);
	vec_done(&tests);
	return failed;
}
