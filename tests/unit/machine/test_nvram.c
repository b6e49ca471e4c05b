/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/nvram.h: telling our variable stores from foreign ones, making and opening them. */
#include "machine/nvram.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/fs.h"
#include "base/mem.h"
#include "storage/bundle.h"

#include "unit.h"

#define TEMPLATE_BYTES 540672
#define MIB            ((off_t)1 << 20)

static const unsigned char good_head[NVRAM_HEAD_SIZE] = {
	[16] = 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b,       0x4c, 0xa9, 0x85,
	0x27,        0x47, 0x07, 0x5b, 0x4f, 0x50, [40] = '_', 'F',  'V',  'H',
};
static const unsigned char zero_head[NVRAM_HEAD_SIZE];
static const unsigned char ff_head[NVRAM_HEAD_SIZE] = { 0xff, 0xff, 0xff };
static const unsigned char no_signature[NVRAM_HEAD_SIZE] = {
	[16] = 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
	0xa9,        0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50,
};
static const unsigned char other_guid[NVRAM_HEAD_SIZE] = { [16] = 0x8d, 0x2b, 0xf0, [40] = '_',
							   'F',         'V',  'H' };

static const struct {
	const char *name;
	enum guest_arch arch;
	uint64_t size, template_size;
	const unsigned char *head;
	size_t head_len;
	bool all_zero;
	enum nvram_kind want;
} rows[] = {
	{ "amd64 store", ARCH_AMD64, 540672, 540672, good_head, 64, false, NVRAM_OURS },
	{ "amd64 zeros", ARCH_AMD64, 540672, 540672, zero_head, 64, true, NVRAM_FOREIGN },
	{ "amd64 0xff", ARCH_AMD64, 540672, 540672, ff_head, 64, false, NVRAM_FOREIGN },
	{ "amd64 store of another size", ARCH_AMD64, 131072, 540672, good_head, 64, false,
	  NVRAM_FOREIGN },
	{ "amd64 store larger than the template", ARCH_AMD64, 540672, 131072, good_head, 64, false,
	  NVRAM_FOREIGN },
	{ "amd64, no signature", ARCH_AMD64, 540672, 540672, no_signature, 64, false,
	  NVRAM_FOREIGN },
	{ "amd64, another format", ARCH_AMD64, 540672, 540672, other_guid, 64, false,
	  NVRAM_FOREIGN },
	{ "arm64 template", ARCH_ARM64, 67108864, 67108864, zero_head, 64, true, NVRAM_OURS },
	{ "arm64 after a boot", ARCH_ARM64, 67108864, 67108864, good_head, 64, false, NVRAM_OURS },
	{ "arm64, zeros at the front only", ARCH_ARM64, 67108864, 67108864, zero_head, 64, false,
	  NVRAM_FOREIGN },
	{ "arm64, zeros of another size", ARCH_ARM64, 131072, 67108864, zero_head, 64, true,
	  NVRAM_FOREIGN },
	{ "empty", ARCH_ARM64, 0, 67108864, zero_head, 0, true, NVRAM_FOREIGN },
	{ "signature cut off", ARCH_AMD64, 43, 43, good_head, 43, false, NVRAM_FOREIGN },
	{ "signature just there", ARCH_AMD64, 44, 44, good_head, 44, false, NVRAM_OURS },
};

static void classifies(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct span head = span_make((const char *)row->head, row->head_len);
		enum nvram_kind got = nvram_classify(row->arch, row->size, row->template_size, head,
						     row->all_zero);

		check(got == row->want, "%s: kind %d", row->name, (int)got);
	}
}

/* A bundle's folder and a template beside it. */
struct tree {
	char path[64];
	char template_path[96];
	int fd;
	struct firmware fw;
};

static void put(int dirfd, const char *name, const void *head, size_t len, off_t size)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err err = { 0 };

	check(fd >= 0 && ftruncate(fd, size) == 0 && fs_pwrite_all(fd, head, len, 0, &err),
	      "cannot write %s", name);
}

static int tree_setup(void **state)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));

	(void)snprintf(tree->path, sizeof(tree->path), "/tmp/tart-nvram-XXXXXX");
	if (!mkdtemp(tree->path))
		return -1;
	(void)snprintf(tree->template_path, sizeof(tree->template_path), "%s/template", tree->path);
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree->fw.code_path = tree->template_path;
	tree->fw.vars_path = tree->template_path;
	put(tree->fd, "template", good_head, sizeof(good_head), TEMPLATE_BYTES);
	*state = tree;
	return 0;
}

static int tree_teardown(void **state)
{
	struct tree *tree = *state;
	struct err err = { 0 };
	bool ok = fs_remove_tree(AT_FDCWD, tree->path, &err);

	(void)close(tree->fd);
	free(tree);
	return ok ? 0 : -1;
}

/* Opens the store and says which file it is. */
static void check_opens(const struct tree *tree, enum guest_arch arch, const char *want)
{
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	check(nvram_open(tree->fd, arch, &tree->fw, &fd, &err), "%s", err.text);
	check(fs_is_current(tree->fd, want, fd), "opened another file than %s", want);
	check((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR, "%s is not open for writing", want);
	check(!fs_exists(tree->fd, BUNDLE_EFIVARS ".new"), "something was left behind");
}

static struct stat stat_of(const struct tree *tree, const char *name)
{
	struct stat st;

	check(fstatat(tree->fd, name, &st, 0) == 0, "no %s", name);
	return st;
}

static void creates_a_copy(void **state)
{
	struct tree *tree = *state;
	CLEANUP_STR struct str copy = { 0 };
	CLEANUP_STR struct str want = { 0 };
	struct err err = { 0 };

	check(nvram_create(tree->fd, BUNDLE_NVRAM, &tree->fw, &err), "%s", err.text);
	check(fs_read_file(tree->fd, BUNDLE_NVRAM, 1 << 20, &copy, &err), "%s", err.text);
	check(fs_read_file(tree->fd, "template", 1 << 20, &want, &err), "%s", err.text);
	assert_true(span_equal(str_span(&copy), str_span(&want)));
	assert_int_equal(stat_of(tree, BUNDLE_NVRAM).st_mode & 07777, 0600);
	check_opens(tree, ARCH_AMD64, BUNDLE_NVRAM);
	assert_false(nvram_create(tree->fd, BUNDLE_NVRAM, &tree->fw, &err));
}

static void leaves_nothing_when_it_cannot_copy(void **state)
{
	struct tree *tree = *state;
	struct err err = { 0 };

	assert_int_equal(unlinkat(tree->fd, "template", 0), 0);
	assert_false(nvram_create(tree->fd, BUNDLE_NVRAM, &tree->fw, &err));
	check(strstr(err.text, tree->template_path), "%s", err.text);
	assert_false(fs_exists(tree->fd, BUNDLE_NVRAM));
}

static void keeps_foreign_stores(void **state)
{
	static const char apple[] = "not a store of ours";
	struct tree *tree = *state;
	struct stat before;
	struct stat after;
	struct stat side;

	put(tree->fd, BUNDLE_NVRAM, apple, sizeof(apple), 131072);
	before = stat_of(tree, BUNDLE_NVRAM);
	check_opens(tree, ARCH_AMD64, BUNDLE_EFIVARS);
	side = stat_of(tree, BUNDLE_EFIVARS);
	assert_int_equal(side.st_size, TEMPLATE_BYTES);
	check_opens(tree, ARCH_AMD64, BUNDLE_EFIVARS);
	after = stat_of(tree, BUNDLE_EFIVARS);
	check(fs_same_inode(&side, &after), "the side store was made a second time");
	after = stat_of(tree, BUNDLE_NVRAM);
	check(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
		      before.st_mtim.tv_nsec == after.st_mtim.tv_nsec,
	      "the foreign store was written");
}

static void replaces_a_side_store_that_does_not_fit(void **state)
{
	struct tree *tree = *state;
	struct stat st;

	put(tree->fd, BUNDLE_NVRAM, "x", 1, 100);
	put(tree->fd, BUNDLE_EFIVARS, good_head, sizeof(good_head), 131072);
	put(tree->fd, BUNDLE_EFIVARS ".new", "half", 4, 4);
	check_opens(tree, ARCH_AMD64, BUNDLE_EFIVARS);
	st = stat_of(tree, BUNDLE_EFIVARS);
	assert_int_equal(st.st_size, TEMPLATE_BYTES);
}

static void does_not_follow_links(void **state)
{
	struct tree *tree = *state;
	struct err err = { 0 };
	int fd = -1;

	put(tree->fd, "elsewhere", good_head, sizeof(good_head), TEMPLATE_BYTES);
	assert_int_equal(symlinkat("elsewhere", tree->fd, BUNDLE_NVRAM), 0);
	assert_false(nvram_open(tree->fd, ARCH_AMD64, &tree->fw, &fd, &err));
	assert_int_equal(fd, -1);
}

/* The arm64 template: nothing but zeros, all of them stored. */
static void put_zeros(const struct tree *tree, const char *name, off_t bytes)
{
	CLEANUP_FREE char *zeros = xcalloc(1, (size_t)bytes);

	put(tree->fd, name, zeros, (size_t)bytes, bytes);
	check(stat_of(tree, name).st_blocks * 512 >= bytes, "%s is sparse already", name);
}

static void keeps_zeros_sparse(void **state)
{
	struct tree *tree = *state;
	struct err err = { 0 };

	put_zeros(tree, "template", 4 * MIB);
	check(nvram_create(tree->fd, BUNDLE_NVRAM, &tree->fw, &err), "%s", err.text);
	assert_int_equal(stat_of(tree, BUNDLE_NVRAM).st_size, 4 * MIB);
	assert_int_equal(stat_of(tree, BUNDLE_NVRAM).st_blocks, 0);
	check_opens(tree, ARCH_ARM64, BUNDLE_NVRAM);
}

static void punches_only_zeros(void **state)
{
	struct tree *tree = *state;
	CLEANUP_CLOSE int fd = -1;
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };
	char want = 0;

	put_zeros(tree, "vars", 4 * MIB);
	fd = openat(tree->fd, "vars", O_RDWR | O_CLOEXEC);
	check(fs_pwrite_all(fd, "head", 4, 0, &err) &&
		      fs_pwrite_all(fd, "mid", 3, 2 * 1048576 + 4095, &err) &&
		      fs_pwrite_all(fd, "end", 3, 4 * 1048576 - 3, &err),
	      "%s", err.text);
	check(nvram_punch_zeros(fd, &err), "%s", err.text);
	check(stat_of(tree, "vars").st_blocks * 512 <= 4 * 65536, "%lld blocks remain",
	      (long long)stat_of(tree, "vars").st_blocks);
	check(fs_read_fd(fd, 8 * 1048576, &text, &err), "%s", err.text);
	assert_int_equal(text.len, 4 * MIB);
	assert_memory_equal(text.ptr, "head", 4);
	assert_memory_equal(text.ptr + 2 * 1048576 + 4095, "mid", 3);
	assert_memory_equal(text.ptr + 4 * 1048576 - 3, "end", 3);
	for (size_t i = 4; i < text.len - 3; i++)
		want = (char)(want | (i - (2 * 1048576 + 4095) < 3 ? 0 : text.ptr[i]));
	assert_int_equal(want, 0);
}

static void converts_a_qcow2_template(void **state)
{
	struct tree *tree = *state;
	CLEANUP_FREE char *qcow2 = xasprintf("%s/template.qcow2", tree->path);
	const char *argv[] = { "qemu-img", "convert",           "-f",  "raw", "-O",
			       "qcow2",    tree->template_path, qcow2, NULL };
	CLEANUP_STR struct str copy = { 0 };
	CLEANUP_STR struct str want = { 0 };
	struct err err = { 0 };

	if (!child_run(argv, 1000, NULL, &err))
		skip();
	tree->fw.vars_path = qcow2;
	tree->fw.vars_format = FIRMWARE_QCOW2;
	check(nvram_create(tree->fd, BUNDLE_NVRAM, &tree->fw, &err), "%s", err.text);
	check(fs_read_file(tree->fd, BUNDLE_NVRAM, 1 << 20, &copy, &err), "%s", err.text);
	check(fs_read_file(tree->fd, "template", 1 << 20, &want, &err), "%s", err.text);
	assert_true(span_equal(str_span(&copy), str_span(&want)));
	check_opens(tree, ARCH_AMD64, BUNDLE_NVRAM);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classifies),
		WITH_TREE(creates_a_copy),
		WITH_TREE(leaves_nothing_when_it_cannot_copy),
		WITH_TREE(keeps_foreign_stores),
		WITH_TREE(replaces_a_side_store_that_does_not_fit),
		WITH_TREE(does_not_follow_links),
		WITH_TREE(keeps_zeros_sparse),
		WITH_TREE(punches_only_zeros),
		WITH_TREE(converts_a_qcow2_template),
	};

	return unit_main(tests);
}
