/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's variables of a VM. */
#include "machine/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fs.h"
#include "base/reader.h"
#include "image/copy.h"
#include "storage/bundle.h"

#define EFIVARS_NEW  BUNDLE_EFIVARS ".new"
#define BLOCK        (64 * 1024)
#define QCOW2_HEADER 32 /* magic, version, backing file (12 bytes), cluster bits, size */

/* Firmware volume header (UEFI PI 1.8, volume 3, 3.2.1): GUID of the volume's format at 16, signature at 40. */
static const unsigned char nv_guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
					   0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };

static bool has_store_header(struct span head)
{
	return head.len >= 44 && memcmp(head.ptr + 16, nv_guid, sizeof(nv_guid)) == 0 &&
	       memcmp(head.ptr + 40, "_FVH", 4) == 0;
}

enum nvram_kind nvram_classify(enum guest_arch arch, uint64_t size_bytes, uint64_t template_bytes,
			       struct span head, bool all_zero)
{
	if (size_bytes != template_bytes)
		return NVRAM_FOREIGN;
	if (has_store_header(head) || (arch == ARCH_ARM64 && all_zero))
		return NVRAM_OURS;
	return NVRAM_FOREIGN;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* The next run of data at or after *pos; *ret_more is false when there is none. */
static bool next_data(int fd, off_t *pos, off_t *ret_end, bool *ret_more, struct err *err)
{
	off_t start = lseek(fd, *pos, SEEK_DATA);

	*ret_more = start >= 0;
	if (start < 0 && errno == ENXIO)
		return true;
	if (start >= 0)
		*ret_end = lseek(fd, start, SEEK_HOLE);
	if (start < 0 || *ret_end < 0)
		return err_sys(err, errno, "cannot look for holes in the firmware's variables");
	*pos = start;
	return true;
}

/* Calls `visit` for each block of data that holds only zeros (false), or any other (true), until it returns false. */
typedef bool (*visit_block)(int fd, off_t offset, size_t len, bool data, void *ctx);

static bool each_block(int fd, visit_block visit, void *ctx, struct err *err)
{
	unsigned char block[BLOCK];
	off_t pos = 0;
	off_t end = 0;
	bool more = true;

	while (next_data(fd, &pos, &end, &more, err) && more) {
		while (pos < end) {
			/* Blocks are aligned, so that a hole can be made of each. */
			size_t want = BLOCK - (size_t)(pos % BLOCK);
			ssize_t n = pread(fd, block, want, pos);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return err_sys(err, errno, "cannot read the firmware's variables");
			if (n == 0 || !visit(fd, pos, (size_t)n, !is_zero(block, (size_t)n), ctx))
				return true;
			pos += n;
		}
	}
	return !more;
}

static bool note_data(int fd, off_t offset, size_t len, bool data, void *ctx)
{
	bool *found = ctx;

	(void)fd;
	(void)offset;
	(void)len;
	*found = *found || data;
	return !*found;
}

static bool punch(int fd, off_t offset, size_t len, bool data, void *ctx)
{
	int *why = ctx;

	if (data ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, (off_t)len) == 0)
		return true;
	*why = errno;
	return false;
}

bool nvram_punch_zeros(int fd, struct err *err)
{
	int why = 0;

	if (!each_block(fd, punch, &why, err))
		return false;
	if (why != 0 && why != EOPNOTSUPP)
		return err_sys(err, why, "cannot make holes in the firmware's variables");
	return true;
}

/* A qcow2 image's size is its guest's: big-endian at offset 24 of the header. */
static bool qcow2_size(int fd, uint64_t *ret, struct err *err)
{
	char bytes[QCOW2_HEADER];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
	struct reader r = reader_of(span_make(bytes, n < 0 ? 0 : (size_t)n));
	uint64_t magic = 0;

	if (!reader_be(&r, 4, &magic) || magic != 0x514649fb || !reader_skip(&r, 20) ||
	    !reader_be(&r, 8, ret))
		return err_set(err, ERR_GENERAL, "not a qcow2 image");
	return true;
}

static bool template_size(const struct firmware *fw, int fd, uint64_t *ret, struct err *err)
{
	struct stat st;

	if (fw->vars_format == FIRMWARE_QCOW2)
		return qcow2_size(fd, ret, err);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat it");
	*ret = (uint64_t)st.st_size;
	return true;
}

static bool open_template(const struct firmware *fw, int *ret_fd, uint64_t *ret_bytes,
			  struct err *err)
{
	CLEANUP_CLOSE int fd = open(fw->vars_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", fw->vars_path);
	if (!template_size(fw, fd, ret_bytes, err))
		return err_context(err, "%s", fw->vars_path);
	*ret_fd = TAKE_FD(fd);
	return true;
}

/* qemu-img reaches both files by descriptor: their names may mean something to it. */
static bool convert_qcow2(int src_fd, int dst_fd, uint64_t bytes, struct err *err)
{
	char src[32];
	char dst[32];
	const char *argv[] = { "qemu-img", "convert", "-n", "-f", "qcow2",
			       "-O",       "raw",     src,  dst,  NULL };
	const int keep[] = { src_fd, dst_fd };
	struct child_spec spec = CHILD_SPEC_INIT;

	(void)snprintf(src, sizeof(src), "/proc/self/fd/%d", src_fd);
	(void)snprintf(dst, sizeof(dst), "/proc/self/fd/%d", dst_fd);
	spec.argv = argv;
	spec.keep_fds = keep;
	spec.n_keep_fds = ARRAY_LEN(keep);
	if (ftruncate(dst_fd, (off_t)bytes) < 0)
		return err_sys(err, errno, "cannot size the firmware's variables");
	return child_run_spec(&spec, 4096, NULL, err);
}

static bool fill(const struct firmware *fw, int dst_fd, struct err *err)
{
	CLEANUP_CLOSE int src_fd = -1;
	uint64_t bytes = 0;

	if (!open_template(fw, &src_fd, &bytes, err))
		return false;
	if (fw->vars_format == FIRMWARE_QCOW2 ? !convert_qcow2(src_fd, dst_fd, bytes, err) :
						!copy_sparse(src_fd, dst_fd, NULL, err))
		return err_context(err, "cannot copy '%s'", fw->vars_path);
	/* A template may be stored in full though it is all zeros. */
	return nvram_punch_zeros(dst_fd, err) && fs_sync(dst_fd, err);
}

bool nvram_create(int dirfd, const char *name, const struct firmware *fw, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", name);
	if (fill(fw, fd, err))
		return true;
	(void)unlinkat(dirfd, name, 0);
	return false;
}

static bool classify_fd(int fd, enum guest_arch arch, uint64_t template_bytes, enum nvram_kind *ret,
			struct err *err)
{
	char head[NVRAM_HEAD_SIZE];
	struct stat st;
	bool has_data = false;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat it");
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return err_sys(err, errno, "cannot read it");
	if ((uint64_t)st.st_size == template_bytes && !each_block(fd, note_data, &has_data, err))
		return false;
	*ret = nvram_classify(arch, (uint64_t)st.st_size, template_bytes,
			      span_make(head, (size_t)n), !has_data);
	return true;
}

/* Opens `name` for writing when it is a store of ours, else *ret_fd = -1. */
static bool open_if_ours(int dirfd, const char *name, enum guest_arch arch, uint64_t template_bytes,
			 int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum nvram_kind kind = NVRAM_FOREIGN;

	*ret_fd = -1;
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!classify_fd(fd, arch, template_bytes, &kind, err))
		return err_context(err, "%s", name);
	if (kind == NVRAM_FOREIGN)
		return true;
	*ret_fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd >= 0 || err_sys(err, errno, "cannot open '%s' for writing", name);
}

/* Made aside and renamed: a kill never leaves half a store under the name. */
static bool make_side_store(int bundle_fd, const struct firmware *fw, int *ret_fd, struct err *err)
{
	if (!fs_remove_tree(bundle_fd, EFIVARS_NEW, err) ||
	    !nvram_create(bundle_fd, EFIVARS_NEW, fw, err))
		return false;
	if (renameat(bundle_fd, EFIVARS_NEW, bundle_fd, BUNDLE_EFIVARS) < 0)
		return err_sys(err, errno, "cannot create '%s'", BUNDLE_EFIVARS);
	*ret_fd = openat(bundle_fd, BUNDLE_EFIVARS, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd >= 0 || err_sys(err, errno, "cannot open '%s'", BUNDLE_EFIVARS);
}

bool nvram_open(int bundle_fd, enum guest_arch arch, const struct firmware *fw, int *ret_fd,
		struct err *err)
{
	CLEANUP_CLOSE int template_fd = -1;
	uint64_t bytes = 0;
	int fd = -1;

	if (!open_template(fw, &template_fd, &bytes, err) ||
	    !open_if_ours(bundle_fd, BUNDLE_NVRAM, arch, bytes, &fd, err))
		return false;
	if (fd < 0 && !open_if_ours(bundle_fd, BUNDLE_EFIVARS, arch, bytes, &fd, err))
		return false;
	if (fd < 0 && !make_side_store(bundle_fd, fw, &fd, err))
		return false;
	*ret_fd = fd;
	return true;
}
