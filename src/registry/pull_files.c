/* SPDX-License-Identifier: Apache-2.0 */
/* The small files of a pulled bundle, and sealing it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fs.h"
#include "registry/blob.h"
#include "registry/pull_job.h"
#include "storage/bundle.h"
#include "storage/dir.h"

/* An empty one; whatever had its name is gone. */
static bool make_file(int dir_fd, const char *name, int *ret_fd, struct err *err)
{
	if (!fs_remove_tree(dir_fd, name, err))
		return false;
	*ret_fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd >= 0 || err_sys(err, errno, "cannot create '%s'", name);
}

static bool write_file(int dir_fd, const char *name, struct span text, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;

	return make_file(dir_fd, name, &fd, err) &&
	       (fs_write_all(fd, text, err) || err_context(err, "writing '%s'", name));
}

bool pull_small_file(const struct pull_job *job, const struct descriptor *descriptor, size_t max,
		     const char *name, struct str *out, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!blob_fetch_text(job->registry, descriptor->digest, descriptor->size_bytes, max, &text,
			     err) ||
	    !write_file(job->dir_fd, name, str_span(&text), err))
		return false;
	if (out)
		str_add_span(out, str_span(&text));
	return true;
}

struct file_sink {
	int fd;
	uint64_t offset;
	struct pull_meter *meter; /* NULL = none */
};

static bool append(void *ctx, struct span bytes, struct err *err)
{
	struct file_sink *sink = ctx;

	if (!fs_pwrite_all(sink->fd, bytes.ptr, bytes.len, sink->offset, err))
		return false;
	sink->offset += bytes.len;
	if (sink->meter)
		sink->meter->done_bytes += bytes.len;
	return true;
}

static bool empty(void *ctx, struct err *err)
{
	struct file_sink *sink = ctx;

	if (sink->meter)
		sink->meter->done_bytes -= sink->offset;
	sink->offset = 0;
	return ftruncate(sink->fd, 0) == 0 || err_sys(err, errno, "cannot empty a file");
}

/* From an earlier attempt. */
static bool is_there(int dir_fd, const char *name, const struct descriptor *descriptor, bool *ret,
		     struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char hex[DIGEST_HEX_SIZE];
	struct stat st;

	*ret = false;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != descriptor->size_bytes)
		return true;
	if (!digest_of_range(fd, 0, descriptor->size_bytes, hex, err))
		return err_context(err, "'%s'", name);
	*ret = strcmp(hex, descriptor->digest + sizeof(NAME_DIGEST_PREFIX) - 1) == 0;
	return true;
}

bool pull_file(const struct pull_job *job, const struct descriptor *descriptor, const char *name,
	       struct pull_meter *meter, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct file_sink file = { .fd = -1, .meter = meter };
	const struct blob_sink sink = { .add = append, .reset = empty, .ctx = &file };
	bool have;

	if (!is_there(job->dir_fd, name, descriptor, &have, err))
		return false;
	if (have) {
		if (meter)
			meter->done_bytes += descriptor->size_bytes;
		return true;
	}
	if (!make_file(job->dir_fd, name, &fd, err))
		return false;
	file.fd = fd;
	return blob_fetch(job->registry, descriptor->digest, descriptor->size_bytes, sink, NULL,
			  err) ||
	       err_context(err, "'%s'", name);
}

bool pull_generated(const struct pull_job *job, const struct config *config, struct err *err)
{
	const struct pull_request *request = job->request;

	/* Both may be there from an earlier attempt, perhaps for another machine. */
	return fs_remove_tree(job->dir_fd, BUNDLE_CONFIG, err) &&
	       fs_remove_tree(job->dir_fd, BUNDLE_NVRAM, err) &&
	       config_store(job->dir_fd, config, err) &&
	       request->make_nvram(request->nvram_ctx, job->dir_fd, config->arch, err);
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool sync_file(int dir_fd, const char *name, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	return fs_sync(fd, err) || err_context(err, "'%s'", name);
}

bool pull_seal(const struct pull_job *job, const char *const *names, size_t n, struct err *err)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };

	if (!write_file(job->dir_fd, BUNDLE_MANIFEST, job->manifest_text, err) ||
	    !dir_list(job->dir_fd, &list, err))
		return false;
	vec_each(&list.names, name) {
		bool stays = strcmp(*name, BUNDLE_MANIFEST) == 0 || is_one_of(*name, names, n);

		if (stays ? !sync_file(job->dir_fd, *name, err) :
			    !fs_remove_tree(job->dir_fd, *name, err))
			return false;
	}
	return fs_sync(job->dir_fd, err);
}
