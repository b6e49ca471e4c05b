/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/container_disk.h and disk_import.h, with tars made here byte by byte. */
#include "image/container_disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "image/disk.h"
#include "image/qcow2.h"
#include "temp_dir.h"
#include "unit.h"

struct member {
	const char *path;
	char type; /* of ustar: '0' file, '1' hard link, '2' symbolic link, '5' directory, '3' device */
	const char *content; /* or the link's target */
};

#define LAYERS_MAX  3
#define MEMBERS_MAX 5

static const struct {
	const char *name;
	struct member layers[LAYERS_MAX][MEMBERS_MAX];
	const char *disk;  /* the content, before it is padded; NULL = refused */
	const char *error; /* in the text */
} rows[] = {
	{ "one file", { { { "disk/a.img", '0', "one" } } }, "one", NULL },
	{ "absolute", { { { "/disk/a.img", '0', "one" } } }, "one", NULL },
	{ "dot", { { { "./disk//./a.img", '0', "one" } } }, "one", NULL },
	{ "with its directory, and others beside it",
	  { { { "disk/", '5', "" },
	      { "disk/a", '0', "one" },
	      { "etc/passwd", '0', "root" },
	      { "diskette/b", '0', "no" } } },
	  "one",
	  NULL },
	{ "a later layer wins",
	  { { { "disk/a", '0', "one" } }, { { "disk/a", '0', "two" } } },
	  "two",
	  NULL },
	{ "the later of one layer wins",
	  { { { "disk/a", '0', "one" }, { "disk/a", '0', "two" } } },
	  "two",
	  NULL },
	{ "a whiteout",
	  { { { "disk/a", '0', "one" } }, { { "disk/.wh.a", '0', "" }, { "disk/b", '0', "two" } } },
	  "two",
	  NULL },
	{ "a whiteout behind what it does not concern",
	  { { { "disk/a", '0', "one" } }, { { "disk/b", '0', "two" }, { "disk/.wh.a", '0', "" } } },
	  "two",
	  NULL },
	{ "a whiteout acts on earlier layers only",
	  { { { "disk/a", '0', "one" }, { "disk/.wh.a", '0', "" } } },
	  "one",
	  NULL },
	{ "an opaque directory",
	  { { { "disk/a", '0', "one" }, { "disk/b", '0', "two" } },
	    { { "disk/c", '0', "three" }, { "disk/.wh..wh..opq", '0', "" } } },
	  "three",
	  NULL },
	{ "a whiteout of the directory",
	  { { { "disk/a", '0', "one" } },
	    { { ".wh.disk", '0', "" } },
	    { { "disk/b", '0', "two" } } },
	  "two",
	  NULL },
	{ "a file in place of the directory",
	  { { { "disk/a", '0', "one" } }, { { "disk", '0', "file" } } },
	  NULL,
	  "ordinary container image" },
	{ "nothing", { { { "etc/passwd", '0', "root" } } }, NULL, "ordinary container image" },
	{ "two files",
	  { { { "disk/a", '0', "one" }, { "disk/b", '0', "two" } } },
	  NULL,
	  "2 files" },
	{ "a symbolic link", { { { "disk/a", '2', "/etc/passwd" } } }, NULL, "not a regular file" },
	{ "a hard link", { { { "disk/a", '1', "etc/passwd" } } }, NULL, "not a regular file" },
	{ "a device", { { { "disk/a", '3', "" } } }, NULL, "not a regular file" },
	{ "a directory", { { { "disk/a/", '5', "" } } }, NULL, "not a regular file" },
	{ "only something deeper", { { { "disk/a/b", '0', "one" } } }, NULL, "not a regular file" },
	{ "a file, then a directory of its name",
	  { { { "disk/a", '0', "one" } }, { { "disk/a/b", '0', "two" } } },
	  NULL,
	  "not a regular file" },
	{ "upwards", { { { "disk/../a", '0', "one" } } }, NULL, "upwards" },
	{ "upwards at once", { { { "../a", '0', "one" } } }, NULL, "upwards" },
	{ "an empty file", { { { "disk/a", '0', "" } } }, NULL, "the disk is empty" },
};

static void add_member(struct str *tar, const struct member *member)
{
	bool is_file = member->type == '0';
	size_t size = is_file ? strlen(member->content) : 0;
	char head[512] = { 0 };
	unsigned sum = 0;

	(void)snprintf(head, 100, "%s", member->path);
	(void)snprintf(head + 100, 8, "0000644");
	(void)snprintf(head + 108, 8, "0000000");
	(void)snprintf(head + 116, 8, "0000000");
	(void)snprintf(head + 124, 12, "%011o", (unsigned)size);
	(void)snprintf(head + 136, 12, "00000000000");
	memset(head + 148, ' ', 8);
	head[156] = member->type;
	if (!is_file)
		(void)snprintf(head + 157, 100, "%s", member->content);
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	(void)snprintf(head + 148, 8, "%06o", sum);
	str_add_span(tar, span_make(head, sizeof(head)));
	if (size > 0) {
		str_add(tar, member->content);
		memset(head, 0, sizeof(head));
		str_add_span(tar,
			     span_make(head, (sizeof(head) - size % sizeof(head)) % sizeof(head)));
	}
}

static void end_tar(struct str *tar)
{
	char zeros[1024] = { 0 };

	str_add_span(tar, span_make(zeros, sizeof(zeros)));
}

/* Gives the bytes in pieces of 100. */
static bool next(void *ctx, struct span *ret, struct err *err)
{
	struct span *rest = ctx;
	size_t n = rest->len < 100 ? rest->len : 100;

	(void)err;
	*ret = span_first(*rest, n);
	*rest = span_from(*rest, n);
	return true;
}

static bool add_layer(struct container_disk *disk, const struct str *tar, struct err *err)
{
	struct span rest = str_span(tar);

	return container_disk_add_layer(disk, (struct byte_source){ .next = next, .ctx = &rest },
					err) &&
	       rest.len == 0;
}

static size_t count_files(int dirfd)
{
	size_t n = 0;

	for (int i = 0; i < 10; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "CANDIDATE-%d", i);
		n += fs_exists(dirfd, name);
	}
	return n;
}

static void finds_the_disk(void **state)
{
	const struct temp_dir *dir = *state;

	each_row(rows, row) {
		struct container_disk *disk = container_disk_new(dir->fd);
		CLEANUP_STR struct str got = { 0 };
		struct err err = { 0 };
		bool ok = true;

		for (size_t i = 0; ok && i < LAYERS_MAX && row->layers[i][0].path; i++) {
			CLEANUP_STR struct str tar = { 0 };

			for (size_t j = 0; j < MEMBERS_MAX && row->layers[i][j].path; j++)
				add_member(&tar, &row->layers[i][j]);
			end_tar(&tar);
			ok = add_layer(disk, &tar, &err);
		}
		ok = ok && container_disk_finish(disk, &err);
		container_disk_free(disk);
		check(ok == (row->disk != NULL), "%s: %s", row->name, ok ? "accepted" : err.text);
		check(ok || strstr(err.text, row->error), "%s: %s", row->name, err.text);
		check(count_files(dir->fd) == 0, "%s: left something", row->name);
		check(fs_exists(dir->fd, DISK_FILE) == ok, "%s: %s", row->name, DISK_FILE);
		if (!ok)
			continue;
		check(fs_read_file(dir->fd, DISK_FILE, 4096, &got, &err), "%s", err.text);
		check(got.len == 512, "%s: %zu bytes", row->name, got.len);
		check(strcmp(str_text(&got), row->disk) == 0, "%s: %s", row->name, str_text(&got));
		check(fs_remove_tree(dir->fd, DISK_FILE, &err), "%s", err.text);
	}
}

static void too_many_entries_are_refused(void **state)
{
	const struct temp_dir *dir = *state;
	struct container_disk *disk CLEANUP(container_disk_cleanup) = container_disk_new(dir->fd);
	CLEANUP_STR struct str tar = { 0 };
	struct err err = { 0 };
	char path[32];

	for (int i = 0; i <= CONTAINER_DISK_ENTRIES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "disk/%d", i);
		add_member(&tar, &(struct member){ path, '2', "x" });
	}
	end_tar(&tar);
	assert_false(add_layer(disk, &tar, &err));
	assert_non_null(strstr(err.text, "more than 256"));
}

static void a_cut_tar_is_refused(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_STR struct str tar = { 0 };
	struct err err = { 0 };

	add_member(&tar, &(struct member){ "disk/a", '0', "one" });
	for (size_t len = 1; len < 1024; len += 73) {
		struct container_disk *disk CLEANUP(container_disk_cleanup) =
			container_disk_new(dir->fd);
		CLEANUP_STR struct str cut = { 0 };

		str_add_span(&cut, span_first(str_span(&tar), len));
		check(!(add_layer(disk, &cut, &err) && container_disk_finish(disk, &err)) ||
			      len > 515,
		      "%zu bytes are enough", len);
		(void)fs_remove_tree(dir->fd, DISK_FILE, &err);
	}
}

/* A big member that nobody wants is no header that is too long. */
static void large_members_are_passed_over(void **state)
{
	const struct temp_dir *dir = *state;
	struct container_disk *disk CLEANUP(container_disk_cleanup) = container_disk_new(dir->fd);
	CLEANUP_FREE char *large = xcalloc(1, (6 << 20) + 1);
	CLEANUP_STR struct str tar = { 0 };
	struct err err = { 0 };

	memset(large, 'x', 6 << 20);
	add_member(&tar, &(struct member){ "usr/large", '0', large });
	add_member(&tar, &(struct member){ "disk/a", '0', "one" });
	end_tar(&tar);
	check(add_layer(disk, &tar, &err) && container_disk_finish(disk, &err), "%s", err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(finds_the_disk),
		temp_dir_test(too_many_entries_are_refused),
		temp_dir_test(a_cut_tar_is_refused),
		temp_dir_test(large_members_are_passed_over),
	};

	return unit_main(tests);
}
