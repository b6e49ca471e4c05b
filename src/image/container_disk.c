/* SPDX-License-Identifier: Apache-2.0 */
/* Applying layers as far as disk/ is concerned. */
#include "image/container_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "image/disk_import.h"
#include "image/sparse_writer.h"
#include "image/tar.h"

#define FOLDER   "disk"
#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"

/* What lies directly in disk/. */
struct entry {
	char *name;
	size_t layer;
	bool is_file;
	char file[32]; /* CANDIDATE-N; empty unless is_file */
};

struct container_disk {
	int dirfd;
	size_t layer; /* being applied */
	size_t n_files;
	VEC(struct entry) entries;
};

struct container_disk *container_disk_new(int dirfd)
{
	struct container_disk *disk = xcalloc(1, sizeof(*disk));

	disk->dirfd = dirfd;
	return disk;
}

static void drop(struct container_disk *disk, struct entry *entry)
{
	if (entry->is_file)
		(void)unlinkat(disk->dirfd, entry->file, 0);
	free(entry->name);
	*entry = disk->entries.v[--disk->entries.n];
}

void container_disk_free(struct container_disk *disk)
{
	if (!disk)
		return;
	while (disk->entries.n > 0)
		drop(disk, &disk->entries.v[0]);
	vec_done(&disk->entries);
	free(disk);
}

static struct entry *find(struct container_disk *disk, struct span name)
{
	vec_each(&disk->entries, entry) {
		if (span_is(name, entry->name))
			return entry;
	}
	return NULL;
}

/* Whiteouts act on earlier layers only, wherever in their own layer they stand. */
static void white_out(struct container_disk *disk, struct span name)
{
	struct entry *entry = find(disk, name);

	if (entry && entry->layer < disk->layer)
		drop(disk, entry);
}

static void white_out_all(struct container_disk *disk)
{
	for (size_t i = disk->entries.n; i > 0; i--) {
		if (disk->entries.v[i - 1].layer < disk->layer)
			drop(disk, &disk->entries.v[i - 1]);
	}
}

/* disk/ itself is replaced by something that is no directory. */
static void replace_all(struct container_disk *disk)
{
	while (disk->entries.n > 0)
		drop(disk, &disk->entries.v[0]);
}

/* The first three components of a member's path, "." and empty ones left out. */
struct path {
	struct span parts[3];
	size_t n;
};

static bool split(const char *text, struct path *ret, struct err *err)
{
	struct span rest = span_of(text);
	struct span part;

	*ret = (struct path){ .n = 0 };
	while (span_next(&rest, '/', &part)) {
		if (span_is(part, ".."))
			return err_set(err, ERR_GENERAL,
				       "a layer has a file whose path leads upwards (..)");
		if (part.len > 0 && !span_is(part, ".") && ret->n < ARRAY_LEN(ret->parts))
			ret->parts[ret->n++] = part;
	}
	return true;
}

static bool add_entry(struct container_disk *disk, struct span name, struct entry **ret,
		      struct err *err)
{
	struct entry *entry = find(disk, name);

	if (entry)
		drop(disk, entry);
	if (disk->entries.n == CONTAINER_DISK_ENTRIES_MAX)
		return err_set(err, ERR_GENERAL, "a layer has more than %d files in /%s",
			       CONTAINER_DISK_ENTRIES_MAX, FOLDER);
	entry = vec_push(&disk->entries);
	entry->name = xstrndup(name.ptr, name.len);
	entry->layer = disk->layer;
	*ret = entry;
	return true;
}

static bool write_data(struct tar_reader *reader, int fd, uint64_t size_bytes, struct err *err)
{
	struct sparse_writer writer = { .fd = fd, .end = size_bytes, .is_fresh = true };
	struct span data;
	uint64_t offset;

	for (;;) {
		if (!tar_reader_data(reader, &offset, &data, err))
			return false;
		if (data.len == 0)
			return true;
		if (offset != writer.offset)
			writer = (struct sparse_writer){
				.fd = fd, .offset = offset, .end = size_bytes, .is_fresh = true
			};
		if (!sparse_write(&writer, data, err))
			return false;
	}
}

static bool add_file(struct container_disk *disk, struct span name, struct tar_reader *reader,
		     const struct tar_member *member, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct entry *entry;
	int64_t size;

	if (!add_entry(disk, name, &entry, err))
		return false;
	if (!member->has_size || !to_i64(member->size_bytes, &size))
		return err_set(err, ERR_GENERAL, "a layer has a file without a size in /%s",
			       FOLDER);
	(void)snprintf(entry->file, sizeof(entry->file), "CANDIDATE-%zu", disk->n_files++);
	fd = openat(disk->dirfd, entry->file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", entry->file);
	entry->is_file = true;
	if (ftruncate(fd, size) < 0)
		return err_sys(err, errno, "cannot make a disk of %" PRIu64 " bytes",
			       member->size_bytes);
	return write_data(reader, fd, member->size_bytes, err);
}

static bool in_folder(struct container_disk *disk, const struct path *path,
		      struct tar_reader *reader, const struct tar_member *member, struct err *err)
{
	struct span name = path->parts[1];
	struct entry *entry;

	if (span_is(name, OPAQUE)) {
		white_out_all(disk);
		return true;
	}
	if (span_starts_with(name, WHITEOUT)) {
		white_out(disk, span_from(name, strlen(WHITEOUT)));
		return true;
	}
	if (path->n == 2 && member->is_regular_file)
		return add_file(disk, name, reader, member, err);
	/* A link, a device, or a directory, perhaps known only by what is in it. */
	entry = find(disk, name);
	return (entry && !entry->is_file) || add_entry(disk, name, &entry, err);
}

static bool apply(struct container_disk *disk, struct tar_reader *reader,
		  const struct tar_member *member, struct err *err)
{
	struct path path;

	if (!member->name)
		return err_set(err, ERR_GENERAL, "a layer has a file whose name cannot be read");
	if (!split(member->name, &path, err))
		return false;
	if (path.n == 1 &&
	    (span_is(path.parts[0], OPAQUE) || span_is(path.parts[0], WHITEOUT FOLDER)))
		white_out_all(disk);
	if (path.n == 0 || !span_is(path.parts[0], FOLDER))
		return true;
	if (path.n > 1)
		return in_folder(disk, &path, reader, member, err);
	if (!member->is_directory)
		replace_all(disk);
	return true;
}

/* What nobody wanted of a member. */
static bool skip_data(struct tar_reader *reader, struct err *err)
{
	struct span data;
	uint64_t offset;

	do {
		if (!tar_reader_data(reader, &offset, &data, err))
			return false;
	} while (data.len > 0);
	return true;
}

/* The end of a tar is padded; who hashes it wants the padding, too. */
static bool read_rest(struct byte_source tar, struct err *err)
{
	struct span bytes;

	do {
		if (!tar.next(tar.ctx, &bytes, err))
			return false;
	} while (bytes.len > 0);
	return true;
}

bool container_disk_add_layer(struct container_disk *disk, struct byte_source tar, struct err *err)
{
	struct tar_reader *reader CLEANUP(tar_reader_cleanup) = tar_reader_new(tar);
	struct tar_member member;
	bool found;

	disk->layer++;
	for (;;) {
		if (!tar_reader_next(reader, &member, &found, err))
			return false;
		if (!found)
			return read_rest(tar, err);
		if (!apply(disk, reader, &member, err) || !skip_data(reader, err))
			return false;
	}
}

bool container_disk_finish(struct container_disk *disk, struct err *err)
{
	struct entry *entry = disk->entries.v;

	if (disk->entries.n == 0)
		return err_set(err, ERR_GENERAL,
			       "this is an ordinary container image, not a VM: nothing lies in /%s",
			       FOLDER);
	if (disk->entries.n > 1)
		return err_set(err, ERR_GENERAL,
			       "the image has %zu files in /%s, where exactly one disk belongs",
			       disk->entries.n, FOLDER);
	if (!entry->is_file)
		return err_set(err, ERR_GENERAL, "what lies in /%s is not a regular file", FOLDER);
	if (!disk_import(disk->dirfd, entry->file, err))
		return false;
	entry->is_file = false;
	return true;
}
