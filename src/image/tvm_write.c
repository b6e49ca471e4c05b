/* SPDX-License-Identifier: Apache-2.0 */
/* Writing exports. */
#include "base/cancel.h"
#include "base/mem.h"
#include "image/sum.h"
#include "image/tar.h"
#include "image/tvm.h"
#include "image/tvm_text.h"
#include "image/zstream.h"

#define BUFFER_BYTES ((size_t)1 << 20)

struct writer {
	struct tar_writer *tar;
	struct tvm_manifest manifest;
	char *buf; /* BUFFER_BYTES */
};

static void writer_done(struct writer *writer)
{
	tar_writer_free(writer->tar);
	tvm_manifest_done(&writer->manifest);
	free(writer->buf);
}

static bool add_text(struct writer *writer, const char *name, int64_t mtime, struct span text,
		     struct err *err)
{
	const struct tar_file file = { .name = name, .size_bytes = text.len, .mtime = mtime };

	return tar_writer_begin(writer->tar, &file, err) && tar_writer_data(writer->tar, text, err);
}

static bool add_manifest(struct writer *writer, const struct tvm_source *files, size_t n_files,
			 struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	for (size_t i = 0; i < n_files; i++) {
		struct tvm_file *file = vec_push(&writer->manifest.files);

		file->name = xstrdup(files[i].name);
		file->size_bytes = extent_map_size(files[i].content);
	}
	tvm_manifest_print(&writer->manifest, &text);
	return add_text(writer, TVM_MANIFEST, files[0].mtime, str_span(&text), err);
}

static bool find_runs(struct extent_map *content, struct runs *runs, struct err *err)
{
	const uint64_t size = extent_map_size(content);
	struct extent extent;

	for (uint64_t at = 0; at < size; at = extent.start + extent.len) {
		if (!extent_map_next(content, at, &extent, err) || !cancel_check(err))
			return false;
		if (extent.len == 0)
			break;
		runs_add(runs, extent.start, extent.len);
	}
	return true;
}

static bool add_run(struct writer *writer, struct extent_map *content, struct run run,
		    struct digest *sum, struct err *err)
{
	while (run.len > 0) {
		size_t n = run.len < BUFFER_BYTES ? (size_t)run.len : BUFFER_BYTES;

		if (!extent_map_read(content, run.start, writer->buf, n, err) ||
		    !tar_writer_data(writer->tar, span_make(writer->buf, n), err) ||
		    !cancel_check(err))
			return false;
		digest_add(sum, writer->buf, n);
		run.start += n;
		run.len -= n;
	}
	return true;
}

static bool add_hole(struct writer *writer, uint64_t len, struct digest *sum, struct err *err)
{
	return tar_writer_hole(writer->tar, len, err) && sum_add_zeros(sum, len, err);
}

static bool add_content(struct writer *writer, struct extent_map *content, const struct runs *runs,
			struct digest *sum, struct err *err)
{
	uint64_t at = 0;

	vec_each(&runs->list, run) {
		if (!add_hole(writer, run->start - at, sum, err) ||
		    !add_run(writer, content, *run, sum, err))
			return false;
		at = run->start + run->len;
	}
	return add_hole(writer, extent_map_size(content) - at, sum, err);
}

static bool add_file(struct writer *writer, const struct tvm_source *file, struct tvm_file *entry,
		     struct err *err)
{
	CLEANUP(runs_done) struct runs runs = RUNS_INIT;
	CLEANUP(digest_cleanup) struct digest *sum = digest_new();
	const struct tar_file header = {
		.name = file->name,
		.size_bytes = entry->size_bytes,
		.mtime = file->mtime,
		.runs = &runs,
	};

	if (!find_runs(file->content, &runs, err) || !tar_writer_begin(writer->tar, &header, err) ||
	    !add_content(writer, file->content, &runs, sum, err))
		return err_context(err, "'%s'", file->name);
	digest_finish(sum, entry->digest);
	return true;
}

static bool write_tar(struct byte_sink sink, const struct tvm_source *files, size_t n_files,
		      struct err *err)
{
	CLEANUP_STR struct str sums = { 0 };
	CLEANUP(writer_done)
	struct writer writer = {
		.tar = tar_writer_new(sink),
		.buf = xcalloc(1, BUFFER_BYTES),
	};

	if (!add_manifest(&writer, files, n_files, err))
		return false;
	for (size_t i = 0; i < n_files; i++)
		if (!add_file(&writer, &files[i], &writer.manifest.files.v[i], err))
			return false;
	tvm_sums_print(&writer.manifest, &sums);
	return add_text(&writer, TVM_SUMS, files[0].mtime, str_span(&sums), err) &&
	       tar_writer_finish(writer.tar, err);
}

bool tvm_write(int fd, const struct tvm_source *files, size_t n_files, struct err *err)
{
	CLEANUP(zstream_writer_cleanup) struct zstream_writer *zstd = zstream_writer_new(fd);

	return write_tar(zstream_writer_sink(zstd), files, n_files, err) &&
	       zstream_writer_finish(zstd, err);
}
