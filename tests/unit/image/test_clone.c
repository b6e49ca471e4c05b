/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of disk_clone(): layouts, policies, and a kill after each system call. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/child.h"
#include "image/copy.h"
#include "image/disk.h"
#include "place.h"

static struct place src;
static struct place dst;
static struct place third;

static int set_up(void **state)
{
	(void)state;
	place_make(&src);
	place_make(&dst);
	place_make(&third);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&src);
	place_remove(&dst);
	place_remove(&third);
	return 0;
}

static const struct piece data = { MIB, 100000, 5 };

static void make_source(void)
{
	make_file(src.fd, DISK_FILE, 10 * MIB + 512, &data, 1);
	make_file(third.fd, "expected", 10 * MIB + 512, &data, 1);
}

/* More than what is copied without further thought. */
static const struct piece much_data = { MIB, CLONE_SMALL_BYTES + MIB, 5 };

static void make_large_source(void)
{
	make_file(src.fd, DISK_FILE, CLONE_SMALL_BYTES + 10 * MIB + 512, &much_data, 1);
	make_file(third.fd, "expected", CLONE_SMALL_BYTES + 10 * MIB + 512, &much_data, 1);
}

static enum clone_method clone_with(enum clone_source source, enum clone_policy policy)
{
	enum clone_method how = CLONED_BY_COPY;

	ok(disk_clone(src.fd, source, dst.fd, policy, NULL, &how, &why));
	return how;
}

static enum disk_layout layout_of(const struct place *place)
{
	struct disk_info info = { .size_bytes = 0 };

	ok(disk_inspect(place->fd, &info, &why));
	return info.layout;
}

/* The disk is accepted and shows what is expected of it. */
static void check_disk(const struct place *place, const char *expected, const char *name)
{
	struct err err = { 0 };
	int fd = open_at(third.fd, "flat", O_RDWR | O_CREAT | O_TRUNC);

	check(disk_check(place->fd, &err), "%s: %s", name, err.text);
	check(disk_flatten(place->fd, fd, NULL, &err), "%s: %s", name, err.text);
	(void)close(fd);
	check(same_content(third.fd, "flat", third.fd, expected), "%s: content", name);
}

static bool reflinks(void)
{
	bool can = false;

	ok(copy_can_reflink(src.fd, &can, &why));
	return can;
}

static size_t count_entries(const struct place *place)
{
	DIR *dir = opendir(place->path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2; /* . and .. */
}

static void links_a_stopped_source(void **state)
{
	(void)state;
	make_source();
	assert_int_equal(clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY), CLONED_BY_OVERLAY);
	assert_int_equal(layout_of(&src), DISK_LAYOUT_OVERLAY);
	assert_int_equal(layout_of(&dst), DISK_LAYOUT_OVERLAY);
	assert_int_equal(stat_at(src.fd, DISK_FILE).st_ino, stat_at(dst.fd, DISK_FILE).st_ino);
	assert_int_equal(stat_at(src.fd, DISK_FILE).st_mode & 0777, 0444);
	assert_int_not_equal(stat_at(src.fd, DISK_OVERLAY_FILE).st_ino,
			     stat_at(dst.fd, DISK_OVERLAY_FILE).st_ino);
	assert_int_equal(count_entries(&src), 3);
	assert_int_equal(count_entries(&dst), 3);
	check_disk(&src, "expected", "source");
	check_disk(&dst, "expected", "clone");
}

static void keeps_private_disks_private(void **state)
{
	(void)state;
	make_source();
	assert_int_equal(fchmodat(src.fd, DISK_FILE, 0600, 0), 0);
	(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY);
	assert_int_equal(stat_at(src.fd, DISK_FILE).st_mode & 0777, 0400);
}

static void links_an_immutable_source_and_leaves_it_plain(void **state)
{
	(void)state;
	make_source();
	assert_int_equal(clone_with(CLONE_SOURCE_IMMUTABLE, CLONE_OVERLAY), CLONED_BY_OVERLAY);
	assert_int_equal(count_entries(&src), 1);
	assert_int_equal(layout_of(&dst), DISK_LAYOUT_OVERLAY);
	check_disk(&src, "expected", "source");
	check_disk(&dst, "expected", "clone");
}

static void copies_a_running_source(void **state)
{
	enum clone_method how;

	(void)state;
	make_source();
	how = clone_with(CLONE_SOURCE_RUNNING, CLONE_AUTO);
	assert_int_equal(how, reflinks() ? CLONED_BY_REFLINK : CLONED_BY_COPY);
	assert_int_equal(layout_of(&src), DISK_LAYOUT_PLAIN);
	assert_int_equal(layout_of(&dst), DISK_LAYOUT_PLAIN);
	assert_int_equal(stat_at(src.fd, DISK_FILE).st_nlink, 1);
	check_disk(&dst, "expected", "clone");
}

static void auto_is_never_slow_for_a_stopped_source(void **state)
{
	(void)state;
	make_large_source();
	assert_int_equal(clone_with(CLONE_SOURCE_STOPPED, CLONE_AUTO),
			 reflinks() ? CLONED_BY_REFLINK : CLONED_BY_OVERLAY);
	check_disk(&src, "expected", "source");
	check_disk(&dst, "expected", "clone");
}

static void auto_leaves_small_disks_plain(void **state)
{
	(void)state;
	make_source();
	assert_int_equal(clone_with(CLONE_SOURCE_STOPPED, CLONE_AUTO),
			 reflinks() ? CLONED_BY_REFLINK : CLONED_BY_COPY);
	assert_int_equal(layout_of(&src), DISK_LAYOUT_PLAIN);
	assert_int_equal(layout_of(&dst), DISK_LAYOUT_PLAIN);
	assert_int_equal(stat_at(src.fd, DISK_FILE).st_nlink, 1);
	check_disk(&dst, "expected", "clone");
}

static void copy_makes_files_of_their_own(void **state)
{
	(void)state;
	make_source();
	assert_int_equal(clone_with(CLONE_SOURCE_STOPPED, CLONE_COPY), CLONED_BY_COPY);
	assert_int_equal(layout_of(&src), DISK_LAYOUT_PLAIN);
	assert_int_equal(stat_at(dst.fd, DISK_FILE).st_nlink, 1);
	assert_true(stat_at(dst.fd, DISK_FILE).st_blocks * 512 < (off_t)MIB);
	check_disk(&dst, "expected", "clone");
}

static void write_to(const struct place *place, const char *command)
{
	const char *const argv[] = { "qemu-io",         "-f", "qcow2", "-c", command,
				     DISK_OVERLAY_FILE, NULL };
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.cwd_fd = place->fd;
	ok(child_run_spec(&spec, 4096, NULL, &why));
}

static const struct {
	const char *name;
	enum clone_source source;
	enum clone_policy policy;
	bool shares_base;
} chains[] = {
	{ "auto", CLONE_SOURCE_STOPPED, CLONE_AUTO, true },
	{ "overlay", CLONE_SOURCE_STOPPED, CLONE_OVERLAY, true },
	{ "copy", CLONE_SOURCE_STOPPED, CLONE_COPY, false },
	{ "running", CLONE_SOURCE_RUNNING, CLONE_AUTO, true },
	{ "running, copied", CLONE_SOURCE_RUNNING, CLONE_COPY, false },
};

static void a_chain_stays_one_deep(void **state)
{
	(void)state;
	each_row(chains, row) {
		int fd;

		(void)tear_down(NULL);
		(void)set_up(NULL);
		make_source();
		(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY);
		write_to(&src, "write -P 3 1M 300k");
		fd = open_at(third.fd, "changed", O_RDWR | O_CREAT | O_TRUNC);
		ok(disk_flatten(src.fd, fd, NULL, &why));
		(void)close(fd);
		assert_false(same_content(third.fd, "changed", third.fd, "expected"));

		place_remove(&dst);
		place_make(&dst);
		(void)clone_with(row->source, row->policy);
		check_disk(&src, "changed", row->name);
		check_disk(&dst, "changed", row->name);
		check((stat_at(dst.fd, DISK_FILE).st_nlink == 2) == row->shares_base, "%s: base",
		      row->name);
		check((stat_at(dst.fd, DISK_FILE).st_mode & 0222) == 0, "%s: base writable",
		      row->name);

		/* Apart from then on. */
		write_to(&dst, "write -P 4 5M 64k");
		check_disk(&src, "changed", row->name);
	}
}

static void refuses_what_it_cannot_force(void **state)
{
	struct err err = { 0 };
	int fd;

	(void)state;
	make_source();
	assert_false(
		disk_clone(src.fd, CLONE_SOURCE_RUNNING, dst.fd, CLONE_OVERLAY, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "the VM is running"));
	if (!reflinks()) {
		assert_false(disk_clone(src.fd, CLONE_SOURCE_STOPPED, dst.fd, CLONE_REFLINK, NULL,
					NULL, &err));
		assert_non_null(strstr(err.text, "Operation not supported"));
	}
	fd = open_at(src.fd, DISK_FILE, O_WRONLY);
	assert_int_equal(write(fd, "shdw", 4), 4);
	(void)close(fd);
	assert_false(
		disk_clone(src.fd, CLONE_SOURCE_STOPPED, dst.fd, CLONE_OVERLAY, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "Apple's Sparse Image Format"));
	assert_int_equal(count_entries(&src), 1);
	assert_int_equal(count_entries(&dst), 0);
}

static void copies_what_must_not_be_linked(void **state)
{
	int fd;

	(void)state;
	make_large_source();
	/* Apple's format: QEMU would show its bytes, not the disk. */
	fd = open_at(src.fd, DISK_FILE, O_WRONLY);
	assert_int_equal(write(fd, "shdw", 4), 4);
	(void)close(fd);
	(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_AUTO);
	assert_int_equal(layout_of(&src), DISK_LAYOUT_PLAIN);
	assert_true(same_content(src.fd, DISK_FILE, dst.fd, DISK_FILE));
	/* A symbolic link: its target may be written under another name. */
	assert_int_equal(unlinkat(dst.fd, DISK_FILE, 0), 0);
	assert_int_equal(renameat(src.fd, DISK_FILE, third.fd, "elsewhere"), 0);
	make_file(third.fd, "elsewhere", CLONE_SMALL_BYTES + 10 * MIB, &much_data, 1);
	{
		char target[300];

		(void)snprintf(target, sizeof(target), "%s/elsewhere", third.path);
		assert_int_equal(symlinkat(target, src.fd, DISK_FILE), 0);
	}
	(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_AUTO);
	assert_true(S_ISREG(stat_at(dst.fd, DISK_FILE).st_mode));
	assert_int_equal(stat_at(third.fd, "elsewhere").st_nlink, 1);
	assert_true(same_content(third.fd, "elsewhere", dst.fd, DISK_FILE));
}

static void copies_across_file_systems(void **state)
{
	char path[] = "/dev/shm/tart-unit-XXXXXX";
	enum clone_method how = CLONED_BY_OVERLAY;
	struct err err = { 0 };
	struct stat there;
	int fd;

	(void)state;
	make_source();
	if (!mkdtemp(path) || stat(path, &there) < 0 || there.st_dev == stat_at(src.fd, ".").st_dev)
		skip();
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(disk_clone(src.fd, CLONE_SOURCE_STOPPED, fd, CLONE_OVERLAY, NULL, NULL, &err));
	assert_int_equal(err.sys, EXDEV);
	ok(disk_clone(src.fd, CLONE_SOURCE_STOPPED, fd, CLONE_AUTO, NULL, &how, &why));
	assert_int_equal(how, CLONED_BY_COPY);
	assert_true(same_content(src.fd, DISK_FILE, fd, DISK_FILE));
	assert_int_equal(count_entries(&src), 1);
	/* Also of a disk that is an overlay already: the base is copied and keeps its identity. */
	(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY);
	write_to(&src, "write -P 3 1M 300k");
	assert_int_equal(unlinkat(fd, DISK_FILE, 0), 0);
	ok(disk_clone(src.fd, CLONE_SOURCE_STOPPED, fd, CLONE_AUTO, NULL, &how, &why));
	assert_int_equal(how, CLONED_BY_COPY);
	ok(disk_check(fd, &why));
	ok(fs_remove_tree(AT_FDCWD, path, &why));
	(void)close(fd);
}

static void refuses_a_source_whose_base_was_replaced(void **state)
{
	static const enum clone_source sources[] = { CLONE_SOURCE_STOPPED, CLONE_SOURCE_RUNNING };
	struct err err = { 0 };

	(void)state;
	make_source();
	(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY);
	place_remove(&dst);
	place_make(&dst);
	make_file(src.fd, "new", 10 * MIB + 512, &data, 1);
	assert_int_equal(renameat(src.fd, "new", src.fd, DISK_FILE), 0);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		assert_false(disk_clone(src.fd, sources[i], dst.fd, CLONE_AUTO, NULL, NULL, &err));
		assert_non_null(strstr(err.text, "is not the disk that"));
		assert_int_equal(count_entries(&dst), 0);
	}
}

/* A child that runs `work` and is killed at its n-th system call stop (before or after the call). False when it
 * got to its end. */
static bool killed_at(size_t n, void (*work)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		(void)raise(SIGSTOP);
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return false;
		}
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return true;
}

static void clone_or_die(void)
{
	struct err err = { 0 };

	if (!disk_clone(src.fd, CLONE_SOURCE_STOPPED, dst.fd, CLONE_OVERLAY, NULL, NULL, &err))
		_exit(1);
}

static void a_kill_leaves_the_source_whole(void **state)
{
	size_t n = 1;
	size_t plain = 0;
	size_t overlay = 0;
	bool killed = true;

	(void)state;
	for (; killed; n++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "kill at stop %zu", n);
		(void)tear_down(NULL);
		(void)set_up(NULL);
		make_source();
		killed = killed_at(n, clone_or_die);
		plain += layout_of(&src) == DISK_LAYOUT_PLAIN;
		overlay += layout_of(&src) == DISK_LAYOUT_OVERLAY;
		/* A plain disk must still be writable for its owner. */
		check(layout_of(&src) == DISK_LAYOUT_OVERLAY ||
			      (stat_at(src.fd, DISK_FILE).st_mode & 0200),
		      "%s: read-only", name);
		check_disk(&src, "expected", name);
		check(count_entries(&src) == (layout_of(&src) == DISK_LAYOUT_OVERLAY ? 3 : 1),
		      "%s: something is left", name);
		/* And the next clone works. */
		place_remove(&dst);
		place_make(&dst);
		(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY);
		check_disk(&src, "expected", name);
		check_disk(&dst, "expected", name);
	}
	assert_true(plain > 20);
	assert_true(overlay > 5);
}

static void replace_or_die(void)
{
	struct err err = { 0 };

	if (!disk_replace(src.fd, third.fd, "new", &err))
		_exit(1);
}

static void a_kill_leaves_the_old_disk_or_the_new_one(void **state)
{
	const struct piece new_data = { 3 * MIB, 50000, 77 };
	size_t n = 1;
	size_t old = 0;
	size_t new = 0;
	bool killed = true;

	(void)state;
	for (; killed; n++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "kill at stop %zu", n);
		(void)tear_down(NULL);
		(void)set_up(NULL);
		make_source();
		(void)clone_with(CLONE_SOURCE_STOPPED, CLONE_OVERLAY);
		make_file(third.fd, "new", 10 * MIB + 512, &new_data, 1);
		make_file(third.fd, "replaced", 10 * MIB + 512, &new_data, 1);
		killed = killed_at(n, replace_or_die);
		if (layout_of(&src) == DISK_LAYOUT_OVERLAY) {
			old++;
			check_disk(&src, "expected", name);
			check(count_entries(&src) == 3, "%s: files", name);
		} else {
			new ++;
			check_disk(&src, "replaced", name);
			check(count_entries(&src) == 1, "%s: files", name);
		}
	}
	assert_true(old > 10);
	assert_true(new > 3);
}

static void parses_policies(void **state)
{
	static const struct {
		const char *name;
		bool ok;
		enum clone_policy policy;
	} rows[] = {
		{ "auto", true, CLONE_AUTO },       { "copy", true, CLONE_COPY },
		{ "overlay", true, CLONE_OVERLAY }, { "reflink", true, CLONE_REFLINK },
		{ "", false, CLONE_AUTO },          { "Auto", false, CLONE_AUTO },
		{ "auto ", false, CLONE_AUTO },     { "link", false, CLONE_AUTO },
	};

	(void)state;
	each_row(rows, row) {
		enum clone_policy policy = CLONE_AUTO;

		check(clone_policy_parse(span_of(row->name), &policy) == row->ok, "'%s'",
		      row->name);
		check(policy == row->policy, "'%s'", row->name);
	}
}

int main(void)
{
#define case_(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		case_(links_a_stopped_source),
		case_(keeps_private_disks_private),
		case_(links_an_immutable_source_and_leaves_it_plain),
		case_(copies_a_running_source),
		case_(auto_is_never_slow_for_a_stopped_source),
		case_(auto_leaves_small_disks_plain),
		case_(copy_makes_files_of_their_own),
		case_(a_chain_stays_one_deep),
		case_(refuses_what_it_cannot_force),
		case_(copies_what_must_not_be_linked),
		case_(copies_across_file_systems),
		case_(refuses_a_source_whose_base_was_replaced),
		case_(a_kill_leaves_the_source_whole),
		case_(a_kill_leaves_the_old_disk_or_the_new_one),
		case_(parses_policies),
	};

	return unit_main(tests);
}
