/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing what verify_plan.c has found. */
#include "registry/verify.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/parallel.h"
#include "image/extent.h"
#include "image/layers.h"
#include "image/sum.h"
#include "storage/bundle.h"

#define THREADS_MAX  16
#define BUFFER_BYTES ((size_t)1 << 20)

struct work {
	struct verify *verify;
	const struct progress_sink *progress;
	uint64_t total_bytes;
	atomic_uint_fast64_t done_bytes;
	/* The digest of so many zeros: most holes are as long as each other. */
	pthread_mutex_t zeros_lock;
	uint64_t zeros_bytes;
	char zeros_hex[DIGEST_HEX_SIZE];
};

static bool hole_digest(struct work *work, uint64_t bytes, char ret_hex[DIGEST_HEX_SIZE],
			struct err *err)
{
	bool ok = true;

	(void)pthread_mutex_lock(&work->zeros_lock);
	if (work->zeros_bytes != bytes || !work->zeros_hex[0]) {
		work->zeros_hex[0] = '\0';
		ok = zeros_digest(bytes, work->zeros_hex, err);
		work->zeros_bytes = bytes;
	}
	memcpy(ret_hex, work->zeros_hex, DIGEST_HEX_SIZE);
	(void)pthread_mutex_unlock(&work->zeros_lock);
	return ok;
}

static bool add_data(struct work *work, struct digest *digest, const struct extent *extent,
		     struct err *err)
{
	CLEANUP_FREE char *buffer = xcalloc(1, BUFFER_BYTES);

	for (uint64_t done = 0; done < extent->len;) {
		uint64_t left = extent->len - done;
		ssize_t n = pread(extent->fd, buffer,
				  left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES,
				  (off_t)(extent->fd_offset + done));

		if (!cancel_check(err))
			return false;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO, "cannot read");
		digest_add(digest, buffer, (size_t)n);
		done += (uint64_t)n;
		work->done_bytes += (uint64_t)n;
	}
	return true;
}

/* Holes are hashed, not read. */
static bool add_stretch(struct work *work, struct digest *digest, int fd, uint64_t start,
			uint64_t end, struct err *err)
{
	struct extent extent = { .len = 0 };

	for (uint64_t at = start; at < end;) {
		uint64_t data_at;

		if (!extent_find(fd, at, end, &extent, err))
			return false;
		data_at = extent.len > 0 ? extent.start : end;
		if (!sum_add_zeros(digest, data_at - at, err) ||
		    (extent.len > 0 && !add_data(work, digest, &extent, err)))
			return false;
		work->done_bytes += data_at - at;
		at = data_at + extent.len;
	}
	return true;
}

static bool is_hole(int fd, const struct verify_check *check, bool *ret, struct err *err)
{
	struct extent extent;

	if (!extent_find(fd, check->start, check->start + check->bytes, &extent, err))
		return false;
	*ret = check->bytes > 0 && extent.len == 0;
	return true;
}

static bool hash(struct work *work, int fd, const struct verify_check *check,
		 char ret_hex[DIGEST_HEX_SIZE], struct err *err)
{
	CLEANUP(digest_cleanup) struct digest *digest = digest_new();
	bool hole;

	if (!is_hole(fd, check, &hole, err))
		return false;
	if (hole) {
		work->done_bytes += check->bytes;
		return hole_digest(work, check->bytes, ret_hex, err);
	}
	if (!add_stretch(work, digest, fd, check->start, check->start + check->bytes, err))
		return false;
	digest_finish(digest, ret_hex);
	return true;
}

/* A configuration may be kept in another form than it travels in, which is sorted and compact. */
static bool same_when_compact(const struct verify_file *file, const struct verify_check *check)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str compact = { 0 };
	CLEANUP_JSON struct json *tree = NULL;
	char hex[DIGEST_HEX_SIZE];
	struct err ignored;

	if (strcmp(file->name, BUNDLE_CONFIG) != 0 ||
	    !fs_read_fd(file->fd, CONFIG_SIZE_MAX, &text, &ignored) ||
	    !json_parse(str_span(&text), &tree, &ignored))
		return false;
	json_sort(tree);
	json_print(tree, JSON_COMPACT, &compact);
	digest_of(str_span(&compact), hex);
	return strcmp(hex, check->expected + strlen(NAME_DIGEST_PREFIX)) == 0;
}

static bool check_one(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct work *work = ctx;
	struct verify_check *check = &work->verify->checks.v[job];
	const struct verify_file *file = &work->verify->files.v[check->file];
	char hex[DIGEST_HEX_SIZE];

	(void)worker;
	check->differs = true;
	if (file->fd < 0 || check->start + check->bytes > file->size_bytes)
		return true;
	if (!hash(work, file->fd, check, hex, err))
		return err_context(err, "'%s'", file->name);
	(void)snprintf(check->actual, sizeof(check->actual), NAME_DIGEST_PREFIX "%s", hex);
	check->differs = strcmp(check->actual, check->expected) != 0 &&
			 !same_when_compact(file, check);
	return true;
}

static void tick(void *ctx)
{
	const struct work *work = ctx;

	progress_report(work->progress, work->done_bytes, work->total_bytes);
}

static size_t thread_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

/* Somebody may have started the VM, and its guest written: then the differences say nothing. */
static bool recheck_record(struct verify *verify, struct err *err)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	bool found;

	if (verify->basis != VERIFY_RECORD || verify_count_differences(verify) == 0)
		return true;
	if (!disk_layers_read(verify->bundle_fd, &layers, &found, err))
		return false;
	if (found)
		return true;
	vec_done(&verify->checks);
	verify->basis = VERIFY_NOTHING;
	verify->reason = xstrdup("the disk was written to while it was checked");
	return true;
}

bool verify_run(struct verify *verify, const struct progress_sink *progress, struct err *err)
{
	struct work work = { .verify = verify, .progress = progress };
	const struct parallel parallel = { .job = check_one, .tick = tick, .ctx = &work };
	bool ok;

	vec_each(&verify->checks, check)
		work.total_bytes += check->bytes;
	progress_report(progress, 0, work.total_bytes);
	(void)pthread_mutex_init(&work.zeros_lock, NULL);
	ok = parallel_run(&parallel, thread_count(), verify->checks.n, err);
	(void)pthread_mutex_destroy(&work.zeros_lock);
	return ok && recheck_record(verify, err);
}

size_t verify_count_differences(const struct verify *verify)
{
	size_t n = 0;

	vec_each(&verify->checks, check)
		n += check->differs;
	return n;
}

void verify_done(struct verify *verify)
{
	vec_each(&verify->files, file) {
		free(file->name);
		cleanup_close(&file->fd);
	}
	vec_done(&verify->files);
	vec_done(&verify->checks);
	cleanup_close(&verify->bundle_fd);
	free(verify->image);
	free(verify->reason);
	*verify = (struct verify)VERIFY_INIT;
}
