/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/disk_open.h: what can be found out about a disk before the machine starts. */
#include "machine/disk_open.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/loop.h>

#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"
#include "storage/bundle.h"

#include "unit.h"

#define IMAGE       "example.com/images/debian:12"
#define IMAGE_TAG   "cache/OCIs/example.com/images/debian/12"
#define DIGEST_NAME "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define IMAGE_DIR   "cache/OCIs/example.com/images/debian/" DIGEST_NAME

/* A home directory; the test works inside it. */
struct tree {
	char path[64];
	struct home home;
	int cwd_fd;
};

static int tree_setup(void **state)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));
	struct err err = { 0 };

	(void)snprintf(tree->path, sizeof(tree->path), "/tmp/tart-disk-open-XXXXXX");
	tree->home = (struct home)HOME_INIT;
	tree->cwd_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = tree;
	return mkdtemp(tree->path) && chdir(tree->path) == 0 &&
			       home_open(tree->path, NULL, &tree->home, &err) ?
		       0 :
		       -1;
}

static int tree_teardown(void **state)
{
	struct tree *tree = *state;
	struct err err = { 0 };
	bool ok = fchdir(tree->cwd_fd) == 0;

	home_done(&tree->home);
	(void)close(tree->cwd_fd);
	ok = fs_remove_tree(AT_FDCWD, tree->path, &err) && ok;
	free(tree);
	return ok ? 0 : -1;
}

static void put(const char *name, const char *text, mode_t mode)
{
	CLEANUP_CLOSE int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	struct err err = { 0 };

	check(fd >= 0 && fs_write_all(fd, span_of(text), &err), "cannot write %s", name);
}

static bool open_arg(const struct tree *tree, const char *text, struct open_disk *ret,
		     struct err *err)
{
	struct disk_arg arg;

	disk_arg_parse(span_of(text), &arg);
	return disk_open(&arg, &tree->home, tree->path, ret, err);
}

static const struct {
	const char *name;
	const char *text;
	int mode;
	enum disk_sync sync;
} files[] = {
	{ "plain", "disk.img", O_RDWR, SYNC_FULL },
	{ "read-only", "disk.img:ro", O_RDONLY, SYNC_FULL },
	{ "options", "disk.img:sync=none", O_RDWR, SYNC_NONE },
	{ "in the home directory", "~/disk.img", O_RDWR, SYNC_FULL },
	{ "looks like a remote name", "images/disk.img", O_RDWR, SYNC_FULL },
	{ "through a link", "link.img", O_RDWR, SYNC_FULL },
};

static void opens_files(void **state)
{
	struct tree *tree = *state;

	put("disk.img", "disk", 0600);
	assert_int_equal(mkdir("images", 0700), 0);
	put("images/disk.img", "disk", 0600);
	assert_int_equal(symlink("disk.img", "link.img"), 0);
	each_row(files, row) {
		CLEANUP(open_disk_done) struct open_disk disk = OPEN_DISK_INIT;
		struct err err = { 0 };

		check(open_arg(tree, row->text, &disk, &err), "%s: %s", row->name, err.text);
		check(disk.spec.source == DISK_SOURCE_FILE, "%s: source", row->name);
		check((fcntl(disk.spec.fd, F_GETFL) & O_ACCMODE) == row->mode, "%s: access mode",
		      row->name);
		check(disk.spec.read_only == (row->mode == O_RDONLY), "%s: read-only", row->name);
		check(disk.spec.sync == row->sync, "%s: sync", row->name);
		check(disk.copy.fd < 0, "%s: copied", row->name);
	}
}

static const struct {
	const char *name;
	const char *text;
	enum err_kind kind;
	const char *error;
} refused[] = {
	{ "missing", "none.img", ERR_GENERAL, "disk 'none.img' does not exist" },
	{ "missing absolute", "/nonexistent/none.img:ro", ERR_GENERAL,
	  "disk '/nonexistent/none.img' does not exist" },
	{ "folder", "folder", ERR_GENERAL, "cannot open disk 'folder': Is a directory" },
	{ "folder, read-only", "folder:ro", ERR_GENERAL,
	  "disk 'folder' is neither a file nor a block device" },
	{ "FIFO", "fifo", ERR_GENERAL, "disk 'fifo' is neither a file nor a block device" },
	{ "sync", "disk.img:sync=maybe", ERR_GENERAL,
	  "unsupported disk image synchronization mode: \"maybe\"" },
	{ "image not cached", "ghcr.io/a/b:latest", ERR_VM_MISSING,
	  "the specified VM \"ghcr.io/a/b:latest\" does not exist" },
	{ "bad NBD URL", "nbd://", ERR_GENERAL, "'nbd://' is not a valid NBD URL" },
	{ "nothing", "", ERR_GENERAL, "disk '' does not exist" },
};

static void refuses(void **state)
{
	struct tree *tree = *state;

	put("disk.img", "disk", 0600);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	each_row(refused, row) {
		struct open_disk disk = { .spec.fd = 77 };
		struct err err = { 0 };

		check(!open_arg(tree, row->text, &disk, &err), "%s: accepted", row->name);
		check(strcmp(err.text, row->error) == 0, "%s: %s", row->name, err.text);
		check(err.kind == row->kind, "%s: kind %d", row->name, (int)err.kind);
		check(disk.spec.fd == 77, "%s: output changed", row->name);
	}
}

static void sees_that_a_file_is_in_use(void **state)
{
	struct tree *tree = *state;
	CLEANUP(open_disk_done) struct open_disk first = OPEN_DISK_INIT;
	struct open_disk second = OPEN_DISK_INIT;
	struct err err = { 0 };

	put("disk.img", "disk", 0600);
	check(open_arg(tree, "disk.img", &first, &err), "%s", err.text);
	assert_false(open_arg(tree, "./disk.img", &second, &err));
	assert_string_equal(err.text, "disk ./disk.img seems to be already in use");
	assert_int_equal(err.kind, ERR_DISK_BUSY);
	open_disk_done(&first);
	err_clear(&err);
	check(open_arg(tree, "disk.img", &second, &err), "%s", err.text);
	open_disk_done(&second);
}

/* Reading needs no lock of ours: QEMU's own keep a writer and readers apart. */
static void reads_beside_a_lock(void **state)
{
	struct tree *tree = *state;
	CLEANUP(open_disk_done) struct open_disk first = OPEN_DISK_INIT;
	CLEANUP(open_disk_done) struct open_disk second = OPEN_DISK_INIT;
	struct err err = { 0 };

	put("disk.img", "disk", 0600);
	check(open_arg(tree, "disk.img", &first, &err), "%s", err.text);
	check(open_arg(tree, "disk.img:ro", &second, &err), "%s", err.text);
}

static void makes_socket_paths_absolute(void **state)
{
	struct tree *tree = *state;
	CLEANUP(open_disk_done) struct open_disk disk = OPEN_DISK_INIT;
	CLEANUP_FREE char *cwd = getcwd(NULL, 0);
	CLEANUP_FREE char *want = xasprintf("%s/s.sock", cwd);
	struct err err = { 0 };

	check(open_arg(tree, "nbd+unix:///x?socket=s.sock:ro", &disk, &err), "%s", err.text);
	assert_string_equal(disk.spec.nbd.unix_path, want);
	assert_int_equal(disk.spec.source, DISK_SOURCE_NBD);
	assert_int_equal(disk.spec.fd, -1);
	assert_true(disk.spec.read_only);
}

static void make_dirs(const char *path)
{
	CLEANUP_FREE char *text = xstrdup(path);

	for (char *slash = strchr(text, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(text, 0700);
		*slash = '/';
	}
	check(mkdir(text, 0700) == 0, "cannot make %s", path);
}

static void copies_cached_images(void **state)
{
	struct tree *tree = *state;
	CLEANUP_FREE char *target = xasprintf("%s/%s", tree->path, IMAGE_DIR);
	CLEANUP_STR struct str text = { 0 };
	struct open_disk disk = OPEN_DISK_INIT;
	char name[sizeof(disk.copy.name)];
	struct err err = { 0 };
	int lock_fd;

	make_dirs(IMAGE_DIR);
	put(IMAGE_DIR "/" BUNDLE_CONFIG, "{}", 0600);
	put(IMAGE_DIR "/" BUNDLE_NVRAM, "", 0600);
	put(IMAGE_DIR "/" BUNDLE_DISK, "cached disk", 0400);
	assert_int_equal(symlink(target, IMAGE_TAG), 0);

	/* Modes that are unknown elsewhere do not matter for a copy. */
	check(open_arg(tree, IMAGE ":sync=maybe", &disk, &err), "%s", err.text);
	assert_int_equal(disk.spec.source, DISK_SOURCE_FILE);
	check(fs_read_fd(disk.spec.fd, 100, &text, &err), "%s", err.text);
	assert_string_equal(text.ptr, "cached disk");
	check(fs_pwrite_all(disk.spec.fd, "CACHED", 6, 0, &err), "%s", err.text);
	str_clear(&text);
	check(fs_read_file(AT_FDCWD, IMAGE_DIR "/" BUNDLE_DISK, 100, &text, &err), "%s", err.text);
	assert_string_equal(text.ptr, "cached disk");

	memcpy(name, disk.copy.name, sizeof(name));
	assert_true(strncmp(name, "run-disk-", 9) == 0);
	lock_fd = openat(tree->home.tmp_fd, name, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lock_try(lock_fd, &err), LOCK_BUSY);
	(void)close(lock_fd);
	open_disk_done(&disk);
	assert_false(fs_exists(tree->home.tmp_fd, name));
}

static void opens_the_root_disk(void **state)
{
	struct tree *tree = *state;
	CLEANUP(disk_spec_done) struct disk_spec plain = DISK_SPEC_INIT;
	CLEANUP(disk_spec_done) struct disk_spec layered = DISK_SPEC_INIT;
	CLEANUP(disk_spec_done) struct disk_spec read_only = DISK_SPEC_INIT;
	CLEANUP(disk_spec_done) struct disk_spec none = DISK_SPEC_INIT;
	struct disk_opts opts = { 0 };
	struct err err = { 0 };

	assert_false(disk_open_root(tree->home.root_fd, &opts, &none, &err));
	assert_int_equal(err.kind, ERR_VM_INCOMPLETE);
	put("disk.img", "disk", 0600);
	disk_opts_parse(span_of("sync=none"), &opts);
	check(disk_open_root(tree->home.root_fd, &opts, &plain, &err), "%s", err.text);
	assert_int_equal(plain.overlay_fd, -1);
	assert_int_equal(plain.sync, SYNC_NONE);
	assert_int_equal(fcntl(plain.fd, F_GETFL) & O_ACCMODE, O_RDWR);

	put("overlay.qcow2", "overlay", 0600);
	check(disk_open_root(tree->home.root_fd, &opts, &layered, &err), "%s", err.text);
	assert_int_equal(fcntl(layered.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(layered.overlay_fd, F_GETFL) & O_ACCMODE, O_RDWR);

	disk_opts_parse(span_of("ro"), &opts);
	check(disk_open_root(tree->home.root_fd, &opts, &read_only, &err), "%s", err.text);
	assert_int_equal(fcntl(read_only.overlay_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(read_only.read_only);

	disk_opts_parse(span_of("caching=maybe"), &opts);
	assert_false(disk_open_root(tree->home.root_fd, &opts, &none, &err));
	assert_int_equal(none.fd, -1);
}

/* A loop device over a file, or skips. */
static int make_loop(char *ret_path, size_t size)
{
	CLEANUP_CLOSE int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	CLEANUP_CLOSE int file = open("backing", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	int fd;

	(void)snprintf(ret_path, size, "/dev/loop%d", number);
	fd = number < 0 ? -1 : open(ret_path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ftruncate(file, 1 << 20) != 0 || ioctl(fd, LOOP_SET_FD, file) != 0)
		skip();
	return fd;
}

static void claims_block_devices(void **state)
{
	struct tree *tree = *state;
	CLEANUP(open_disk_done) struct open_disk first = OPEN_DISK_INIT;
	CLEANUP(open_disk_done) struct open_disk reader = OPEN_DISK_INIT;
	struct open_disk second = OPEN_DISK_INIT;
	struct err err = { 0 };
	struct err busy = { 0 };
	char path[32];
	char text[64];
	int loop_fd = make_loop(path, sizeof(path));
	bool ok;
	bool again;
	bool reads;

	(void)snprintf(text, sizeof(text), "%s:ro", path);
	ok = open_arg(tree, path, &first, &err);
	again = open_arg(tree, path, &second, &busy);
	reads = open_arg(tree, text, &reader, &err);
	/* Before any check can end the test. */
	(void)ioctl(loop_fd, LOOP_CLR_FD, 0);
	(void)close(loop_fd);
	check(ok && reads, "%s", err.text);
	assert_int_equal(first.spec.source, DISK_SOURCE_BLOCK);
	assert_true(reader.spec.read_only);
	assert_false(again);
	assert_int_equal(busy.kind, ERR_BLOCK_DEVICE);
	check(strstr(busy.text, path) && strstr(busy.text, "in use"), "%s", busy.text);
}

static const struct {
	const char *name;
	const char *path;
	const char *home;
	const char *want;
} tildes[] = {
	{ "alone", "~", "/home/me", "/home/me" },
	{ "with a path", "~/a/b", "/home/me", "/home/me/a/b" },
	{ "another user", "~you/a", "/home/me", "~you/a" },
	{ "in the middle", "a/~/b", "/home/me", "a/~/b" },
	{ "no home", "~/a", NULL, "~/a" },
	{ "none", "a", "/home/me", "a" },
	{ "empty", "", "/home/me", "" },
};

static void expands_tildes(void **state)
{
	(void)state;
	each_row(tildes, row) {
		CLEANUP_FREE char *got = path_expand_home(span_of(row->path), row->home);

		check(strcmp(got, row->want) == 0, "%s: %s", row->name, got);
	}
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TREE(opens_files),
		WITH_TREE(refuses),
		WITH_TREE(sees_that_a_file_is_in_use),
		WITH_TREE(reads_beside_a_lock),
		WITH_TREE(makes_socket_paths_absolute),
		WITH_TREE(copies_cached_images),
		WITH_TREE(opens_the_root_disk),
		WITH_TREE(claims_block_devices),
		cmocka_unit_test(expands_tildes),
	};

	return unit_main(tests);
}
