/* SPDX-License-Identifier: Apache-2.0 */
/* Exports into files: recognising them, free space, holes. */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/cancel.h"
#include "base/checked.h"
#include "base/fs.h"
#include "base/mem.h"
#include "image/tvm.h"
#include "image/tvm_text.h"
#include "image/zstream.h"

/* Zeros of this size and alignment become holes: what file systems have for a block. */
#define BLOCK_BYTES ((size_t)4096)

struct unpacker {
	int dirfd;
	int fd; /* of the present file, -1 = none */
};

static void unpacker_done(struct unpacker *unpacker)
{
	cleanup_close(&unpacker->fd);
}

static bool check_space(int dirfd, uint64_t data_bytes, struct err *err)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(dirfd, &fs) < 0)
		return err_sys(err, errno, "cannot tell how much space is free");
	if (ckd_mul(&free_bytes, (uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize))
		free_bytes = UINT64_MAX;
	if (data_bytes > free_bytes)
		return err_set(err, ERR_GENERAL,
			       "it takes %llu bytes, but only %llu are free on the file system",
			       (unsigned long long)data_bytes, (unsigned long long)free_bytes);
	return true;
}

static bool begin(void *ctx, const char *name, uint64_t size_bytes, uint64_t data_bytes,
		  struct err *err)
{
	struct unpacker *unpacker = ctx;

	if (!check_space(unpacker->dirfd, data_bytes, err))
		return false;
	unpacker->fd = openat(unpacker->dirfd, name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (unpacker->fd < 0)
		return err_sys(err, errno, "cannot create it");
	if (ftruncate(unpacker->fd, (off_t)size_bytes) < 0)
		return err_sys(err, errno, "cannot make it %llu bytes long",
			       (unsigned long long)size_bytes);
	return true;
}

static bool is_zero(struct span block)
{
	return block.ptr[0] == 0 && memcmp(block.ptr, block.ptr + 1, block.len - 1) == 0;
}

/* Up to the next block boundary of the file. */
static struct span first_block(uint64_t offset, struct span data)
{
	size_t len = BLOCK_BYTES - (size_t)(offset % BLOCK_BYTES);

	return span_first(data, len < data.len ? len : data.len);
}

/* The length of the leading blocks that are all zero, or all not. */
static size_t run_length(uint64_t offset, struct span data, bool zero)
{
	size_t len = 0;

	while (len < data.len) {
		struct span block = first_block(offset + len, span_from(data, len));

		if (is_zero(block) != zero)
			break;
		len += block.len;
	}
	return len;
}

static bool write_data(void *ctx, uint64_t offset, struct span data, struct err *err)
{
	const struct unpacker *unpacker = ctx;

	while (data.len > 0) {
		size_t zeros = run_length(offset, data, true);
		size_t len = run_length(offset + zeros, span_from(data, zeros), false);

		if (!fs_pwrite_all(unpacker->fd, data.ptr + zeros, len, offset + zeros, err))
			return false;
		offset += zeros + len;
		data = span_from(data, zeros + len);
	}
	return true;
}

static bool end(void *ctx, struct err *err)
{
	struct unpacker *unpacker = ctx;
	bool ok = fs_sync(unpacker->fd, err);

	(void)close(TAKE_FD(unpacker->fd));
	return ok;
}

static bool read_start(int fd, char start[TVM_MAGIC_BYTES], size_t *ret_len, struct err *err)
{
	size_t len = 0;

	while (len < TVM_MAGIC_BYTES) {
		ssize_t n = read(fd, start + len, TVM_MAGIC_BYTES - len);

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read");
		if (!cancel_check(err))
			return false;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return true;
}

static bool check_kind(struct span start, const char *shown_name, struct err *err)
{
	switch (tvm_detect(start)) {
	case TVM_OURS:
		return true;
	case TVM_APPLE:
		return err_set(err, ERR_GENERAL,
			       "%s is an Apple Archive written by Tart on macOS, which cannot be "
			       "read on Linux. On the Mac, push the VM to a registry (tart push) "
			       "and pull it here.",
			       shown_name);
	case TVM_UNKNOWN:
		break;
	}
	return err_set(err, ERR_GENERAL, "%s is not an export of tart", shown_name);
}

bool tvm_unpack(int fd, const char *shown_name, const struct tvm_rule *rules, size_t n_rules,
		int dirfd, struct err *err)
{
	CLEANUP(unpacker_done) struct unpacker unpacker = { .dirfd = dirfd, .fd = -1 };
	CLEANUP(zstream_reader_cleanup) struct zstream_reader *zstd = NULL;
	const struct tvm_receiver receiver = {
		.begin = begin, .data = write_data, .end = end, .ctx = &unpacker
	};
	char start[TVM_MAGIC_BYTES];
	size_t len;

	if (!read_start(fd, start, &len, err) ||
	    !check_kind(span_make(start, len), shown_name, err))
		return false;
	zstd = zstream_reader_new(fd, span_make(start, len));
	return tvm_read_tar(zstream_reader_source(zstd), rules, n_rules, receiver, err);
}
