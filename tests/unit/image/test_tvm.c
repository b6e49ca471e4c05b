/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/tvm.h: what goes in comes out, and nothing else comes out. */
#include "image/tvm.h"

#include <errno.h>

#include "image/disk.h"
#include "image/tvm_text.h"
#include "place.h"

static struct place from;
static struct place to;

static int set_up(void **state)
{
	(void)state;
	place_make(&from);
	place_make(&to);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&from);
	place_remove(&to);
	return 0;
}

static void empty(struct place *place)
{
	place_remove(place);
	place_make(place);
}

static const struct tvm_rule rules[] = {
	{ "config.json", true, 1000 },
	{ "disk.img", true, 0 },
	{ "extra", false, 0 },
};

/* Exports the two files of `from` into from/export.tvm. */
static void export_files(void)
{
	CLEANUP(extent_map_cleanup) struct extent_map *config = NULL;
	CLEANUP(extent_map_cleanup) struct extent_map *disk = NULL;
	struct tvm_source files[2] = {
		{ .name = "config.json", .mtime = 1700000000 },
		{ .name = "disk.img", .mtime = 1700000001 },
	};
	int fd = open_at(from.fd, "export.tvm", O_WRONLY | O_CREAT | O_TRUNC);

	config = extent_map_of_file(open_at(from.fd, "config.json", O_RDONLY),
				    (uint64_t)stat_at(from.fd, "config.json").st_size);
	extent_map_adopt_fds(config);
	ok(disk_open_extents(from.fd, &disk, &why));
	files[0].content = config;
	files[1].content = disk;
	ok(tvm_write(fd, files, 2, &why));
	(void)close(fd);
}

static bool import_files(struct err *err)
{
	int fd = open_at(from.fd, "export.tvm", O_RDONLY);
	bool done = tvm_unpack(fd, "export.tvm", rules, ARRAY_LEN(rules), to.fd, err);

	(void)close(fd);
	return done;
}

static const struct piece config_text = { 0, 300, 33 };

static const struct {
	const char *name;
	uint64_t size;
	struct piece pieces[4];
	size_t n;
	const char *holes; /* after the round trip; NULL = as before */
} disks[] = {
	{ "empty", 0, { { 0, 0, 0 } }, 0, NULL },
	{ "one byte", 1, { { 0, 1, 7 } }, 1, NULL },
	{ "all hole", 64 * MIB, { { 0, 0, 0 } }, 0, NULL },
	{ "all hole, not of whole sectors", 1000001, { { 0, 0, 0 } }, 0, NULL },
	{ "all data", 3 * MIB, { { 0, 3 * MIB, 1 } }, 1, NULL },
	{ "data at both ends",
	  100 * MIB,
	  { { 0, 4096, 3 }, { 100 * MIB - 4096, 4096, 9 } },
	  2,
	  NULL },
	{ "hole at the end", 5 * MIB, { { MIB, MIB, 5 } }, 1, NULL },
	{ "last page partial", 1000000512, { { 1000000000, 512, 11 } }, 1, NULL },
	{ "small holes", MIB, { { 0, 4096, 1 }, { 12288, 4096, 2 }, { 40960, 8192, 3 } }, 3, NULL },
};

static void comes_out_as_it_went_in(void **state)
{
	(void)state;
	each_row(disks, row) {
		struct err err = { 0 };
		char before[512];
		char after[512];

		empty(&from);
		empty(&to);
		make_file(from.fd, "config.json", 300, &config_text, 1);
		make_file(from.fd, "disk.img", row->size, row->pieces, row->n);
		export_files();
		check(import_files(&err), "%s: %s", row->name, err.text);
		check(same_content(from.fd, "config.json", to.fd, "config.json"), "%s: config",
		      row->name);
		describe_holes(from.fd, "disk.img", before, sizeof(before));
		describe_holes(to.fd, "disk.img", after, sizeof(after));
		check(strcmp(before, after) == 0, "%s: '%s' became '%s'", row->name, before, after);
		check(same_content(from.fd, "disk.img", to.fd, "disk.img"), "%s: content",
		      row->name);
		check(stat_at(to.fd, "disk.img").st_size == (off_t)row->size, "%s: size",
		      row->name);
	}
}

static void zeros_become_holes(void **state)
{
	char zeros[65536] = { 0 };
	struct err err = { 0 };
	char holes[512];
	int fd;

	(void)state;
	make_file(from.fd, "config.json", 300, &config_text, 1);
	make_file(from.fd, "disk.img", 4 * MIB, &(struct piece){ MIB, 100, 1 }, 1);
	fd = open_at(from.fd, "disk.img", O_WRONLY);
	for (off_t at = 2 * (off_t)MIB; at < 3 * (off_t)MIB; at += (off_t)sizeof(zeros))
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), at), sizeof(zeros));
	(void)close(fd);
	export_files();
	check(import_files(&err), "%s", err.text);
	describe_holes(to.fd, "disk.img", holes, sizeof(holes));
	assert_string_equal(holes, "1048576+4096 ");
}

static void an_overlay_goes_out_flat(void **state)
{
	struct err err = { 0 };
	struct place clone;
	int fd;

	(void)state;
	place_make(&clone);
	make_file(from.fd, "config.json", 300, &config_text, 1);
	make_file(from.fd, "disk.img", 4 * MIB, &(struct piece){ MIB, 1000, 1 }, 1);
	ok(disk_clone(from.fd, CLONE_SOURCE_STOPPED, clone.fd, CLONE_OVERLAY, NULL, NULL, &why));
	/* Cluster 4 holds a level 2 table that maps guest cluster 2 to cluster 5. */
	fd = open_at(from.fd, DISK_OVERLAY_FILE, O_RDWR);
	assert_int_equal(pwrite(fd, "\x80\0\0\0\0\x04\0\0", 8, 0x30000), 8);
	assert_int_equal(pwrite(fd, "\x80\0\0\0\0\x05\0\0", 8, 0x40000 + 16), 8);
	assert_int_equal(ftruncate(fd, 0x60000), 0);
	write_piece(fd, &(struct piece){ 0x50000, 65536, 99 });
	(void)close(fd);
	fd = open_at(from.fd, "flat", O_RDWR | O_CREAT);
	ok(disk_flatten(from.fd, fd, NULL, &why));
	(void)close(fd);
	export_files();
	check(import_files(&err), "%s", err.text);
	assert_true(same_content(from.fd, "flat", to.fd, "disk.img"));
	assert_false(same_content(from.fd, "disk.img", to.fd, "disk.img"));
	place_remove(&clone);
}

static void the_same_files_give_the_same_export(void **state)
{
	(void)state;
	make_file(from.fd, "config.json", 300, &config_text, 1);
	make_file(from.fd, "disk.img", 30 * MIB, &(struct piece){ MIB, 20 * MIB, 1 }, 1);
	export_files();
	assert_int_equal(renameat(from.fd, "export.tvm", from.fd, "first.tvm"), 0);
	export_files();
	assert_true(same_content(from.fd, "export.tvm", from.fd, "first.tvm"));
}

static void make_small_export(void)
{
	make_file(from.fd, "config.json", 300, &config_text, 1);
	make_file(from.fd, "disk.img", 2 * MIB, &(struct piece){ MIB, 3000, 1 }, 1);
	export_files();
}

/* Every byte near both ends and every seventh between: each try syncs two files. */
static bool is_tried(off_t at, off_t size)
{
	return at < 40 || size - at < 40 || at % 7 == 0;
}

static void notices_cuts(void **state)
{
	off_t whole;

	(void)state;
	make_small_export();
	whole = stat_at(from.fd, "export.tvm").st_size;
	assert_in_range(whole, 100, 100000);
	for (off_t size = whole - 1; size >= 0; size--) {
		struct err err = { 0 };
		int fd;

		if (!is_tried(size, whole))
			continue;
		fd = open_at(from.fd, "export.tvm", O_WRONLY);
		assert_int_equal(ftruncate(fd, size), 0);
		(void)close(fd);
		empty(&to);
		check(!import_files(&err), "cut after %lld bytes: accepted", (long long)size);
		check(strstr(err.text, size < 4 ? "not an export" : "cut off"),
		      "cut after %lld bytes: '%s'", (long long)size, err.text);
	}
}

static void notices_flipped_bytes(void **state)
{
	off_t size;
	int fd;

	(void)state;
	make_small_export();
	size = stat_at(from.fd, "export.tvm").st_size;
	fd = open_at(from.fd, "export.tvm", O_RDWR);
	for (off_t at = 0; at < size; at++) {
		struct err err = { 0 };
		char old;
		char new;

		if (!is_tried(at, size))
			continue;
		assert_int_equal(pread(fd, &old, 1, at), 1);
		new = (char)(old ^ 0x55);
		assert_int_equal(pwrite(fd, &new, 1, at), 1);
		empty(&to);
		check(!import_files(&err), "byte %lld flipped: accepted", (long long)at);
		assert_int_equal(pwrite(fd, &old, 1, at), 1);
	}
	(void)close(fd);
	empty(&to);
	ok(import_files(&why));
}

static void notices_what_follows(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
	} tails[] = {
		{ "a zero byte", "", 1 },
		{ "text", "hello", 5 },
		{ "an empty zstd frame", "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9 },
		{ "a skippable zstd frame", "\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9 },
	};

	(void)state;
	each_row(tails, row) {
		struct err err = { 0 };
		int fd;

		empty(&to);
		make_small_export();
		fd = open_at(from.fd, "export.tvm", O_WRONLY | O_APPEND);
		assert_int_equal(write(fd, row->bytes, row->len), row->len);
		(void)close(fd);
		check(!import_files(&err), "%s: accepted", row->name);
		check(strstr(err.text, "after the end"), "%s: '%s'", row->name, err.text);
	}
}

static void never_overwrites(void **state)
{
	struct err err = { 0 };

	(void)state;
	make_small_export();
	make_file(to.fd, "disk.img", 5, NULL, 0);
	assert_false(import_files(&err));
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(stat_at(to.fd, "disk.img").st_size, 5);
}

/* A tar by hand. */
struct member {
	const char *name; /* NULL = the end of the list */
	const char *data;
	char type;               /* 0 = '0', a regular file */
	const char *link;        /* where it points to */
	unsigned long long size; /* 0 = that of data */
};

static void add_padded(struct str *tar, const char *data, size_t len)
{
	str_add_span(tar, span_make(data, len));
	while (tar->len % 512)
		str_add_char(tar, '\0');
}

static void add_member(struct str *tar, const struct member *member)
{
	size_t len = member->data ? strlen(member->data) : 0;
	unsigned char header[512] = { 0 };
	unsigned int sum = 0;

	memcpy(header, member->name, strlen(member->name));
	(void)snprintf((char *)header + 100, 24, "%07o%c%07o%c%07o", 0644, 0, 0, 0, 0);
	(void)snprintf((char *)header + 124, 12, "%011llo", member->size ? member->size : len);
	(void)snprintf((char *)header + 136, 12, "%011o", 0);
	memset(header + 148, ' ', 8);
	header[156] = (unsigned char)(member->type ? member->type : '0');
	if (member->link)
		memcpy(header + 157, member->link, strlen(member->link));
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += header[i];
	(void)snprintf((char *)header + 148, 8, "%06o", sum);
	str_add_span(tar, span_make((char *)header, sizeof(header)));
	add_padded(tar, member->data ? member->data : "", len);
}

static void add_end(struct str *tar)
{
	const char zeros[1024] = { 0 };

	str_add_span(tar, span_make(zeros, sizeof(zeros)));
}

/* Gives the bytes in small pieces, so that they end everywhere. */
struct memory {
	struct span rest;
	size_t piece;
};

static bool memory_next(void *ctx, struct span *ret, struct err *err)
{
	struct memory *memory = ctx;
	size_t n = memory->rest.len < memory->piece ? memory->rest.len : memory->piece;

	(void)err;
	*ret = span_first(memory->rest, n);
	memory->rest = span_from(memory->rest, n);
	return true;
}

struct received {
	struct str names;
	uint64_t size;
	uint64_t at;
	bool is_open;
};

static bool received_begin(void *ctx, const char *name, uint64_t size, uint64_t data_bytes,
			   struct err *err)
{
	struct received *received = ctx;

	(void)err;
	assert_false(received->is_open);
	assert_true(data_bytes <= size);
	str_addf(&received->names, "%s ", name);
	received->size = size;
	received->at = 0;
	received->is_open = true;
	return true;
}

static bool received_data(void *ctx, uint64_t offset, struct span data, struct err *err)
{
	struct received *received = ctx;

	(void)err;
	assert_true(received->is_open);
	assert_true(data.len > 0 && offset >= received->at);
	assert_true(offset + data.len <= received->size);
	received->at = offset + data.len;
	return true;
}

static bool received_end(void *ctx, struct err *err)
{
	struct received *received = ctx;

	(void)err;
	received->is_open = false;
	return true;
}

static bool read_tar(const struct str *tar, size_t piece, struct received *received,
		     struct err *err)
{
	struct memory memory = { .rest = str_span(tar), .piece = piece };
	const struct byte_source source = { .next = memory_next, .ctx = &memory };
	const struct tvm_receiver receiver = {
		.begin = received_begin,
		.data = received_data,
		.end = received_end,
		.ctx = received,
	};

	return tvm_read_tar(source, rules, ARRAY_LEN(rules), receiver, err);
}

#define MANIFEST(files)   "{\"format\":\"tart-export\",\"version\":1,\"files\":[" files "]}"
#define FILE_(name, size) "{\"name\":\"" name "\",\"size\":" #size "}"
#define BOTH              MANIFEST(FILE_("config.json", 2) "," FILE_("disk.img", 5))
#define SUM_CONFIG        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define SUM_DISK          "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SUMS              SUM_CONFIG "  config.json\n" SUM_DISK "  disk.img\n"

static const struct member good[] = {
	{ .name = "tvm.json", .data = BOTH },
	{ .name = "config.json", .data = "{}" },
	{ .name = "disk.img", .data = "hello" },
	{ .name = "tvm.sha256", .data = SUMS },
};

/* The good tar with members replaced or added. */
static const struct {
	const char *name;
	size_t at; /* of `good` */
	size_t removed;
	struct member added[3];
	const char *want; /* NULL = accepted */
} hostile[] = {
	{ "nothing wrong", 0, 0, { { 0 } }, NULL },
	{ "another order",
	  1,
	  2,
	  { { .name = "disk.img", .data = "hello" }, { .name = "config.json", .data = "{}" } },
	  NULL },
	{ "no manifest", 0, 1, { { 0 } }, "does not begin with tvm.json" },
	{ "empty", 0, 4, { { 0 } }, "" },
	{ "manifest is a link",
	  0,
	  1,
	  { { .name = "tvm.json", .type = '2', .link = "/etc/passwd" } },
	  "no file" },
	{ "manifest is a directory", 0, 1, { { .name = "tvm.json", .type = '5' } }, "no file" },
	{ "manifest of 1 GiB",
	  0,
	  1,
	  { { .name = "tvm.json", .data = BOTH, .size = 1 << 30 } },
	  "too large" },
	{ "manifest again",
	  1,
	  0,
	  { { .name = "tvm.json", .data = BOTH } },
	  "not one that was announced" },
	{ "config missing", 1, 1, { { 0 } }, "'config.json' is missing" },
	{ "disk missing", 2, 1, { { 0 } }, "'disk.img' is missing" },
	{ "disk not announced",
	  0,
	  1,
	  { { .name = "tvm.json", .data = MANIFEST(FILE_("config.json", 2)) } },
	  "'disk.img' is missing" },
	{ "config twice", 2, 0, { { .name = "config.json", .data = "{}" } }, "comes twice" },
	{ "config as a link",
	  1,
	  1,
	  { { .name = "config.json", .type = '2', .link = "/etc/passwd" } },
	  "not a regular file" },
	{ "config as a hard link",
	  1,
	  1,
	  { { .name = "config.json", .type = '1', .link = "disk.img" } },
	  "not a regular file" },
	{ "config as a directory", 1, 1, { { .name = "config.json", .type = '5' } }, "" },
	{ "config as a FIFO",
	  1,
	  1,
	  { { .name = "config.json", .type = '6' } },
	  "not a regular file" },
	{ "config as a device",
	  1,
	  1,
	  { { .name = "config.json", .type = '4' } },
	  "not a regular file" },
	{ "config longer than announced",
	  1,
	  1,
	  { { .name = "config.json", .data = "{ }" } },
	  "does not have the announced size" },
	{ "config shorter than announced",
	  1,
	  1,
	  { { .name = "config.json", .data = "{" } },
	  "does not have the announced size" },
	{ "config larger than allowed",
	  0,
	  1,
	  { { .name = "tvm.json",
	      .data = MANIFEST(FILE_("config.json", 1001) "," FILE_("disk.img", 5)) } },
	  "'config.json' has 1001 bytes" },
	{ "config changed",
	  1,
	  1,
	  { { .name = "config.json", .data = "[]" } },
	  "content of 'config.json' is damaged" },
	{ "file that is not allowed",
	  0,
	  1,
	  { { .name = "tvm.json",
	      .data = MANIFEST(FILE_("config.json",
				     2) "," FILE_("disk.img", 5) "," FILE_("overlay.qcow2", 1)) } },
	  "unexpected file, 'overlay.qcow2'" },
	{ "allowed file that does not come",
	  0,
	  1,
	  { { .name = "tvm.json",
	      .data = MANIFEST(
		      FILE_("config.json", 2) "," FILE_("disk.img", 5) "," FILE_("extra", 1)) } },
	  "'extra' is missing" },
	{ "extra member",
	  2,
	  0,
	  { { .name = "extra", .data = "x" } },
	  "not one that was announced" },
	{ "member with a path",
	  2,
	  0,
	  { { .name = "../../etc/cron.d/x", .data = "x" } },
	  "not one that was announced" },
	{ "member with an absolute path",
	  2,
	  0,
	  { { .name = "/etc/cron.d/x", .data = "x" } },
	  "not one that was announced" },
	{ "our name below a folder",
	  1,
	  1,
	  { { .name = "./config.json", .data = "{}" } },
	  "not one that was announced" },
	{ "member with control characters",
	  2,
	  0,
	  { { .name = "a\033[2Jb", .data = "x" } },
	  "a\\x1b[2Jb" },
	{ "sums missing", 3, 1, { { 0 } }, "cut off: tvm.sha256 is missing" },
	{ "sums too early",
	  2,
	  0,
	  { { .name = "tvm.sha256", .data = SUMS } },
	  "'disk.img' is missing" },
	{ "sums twice", 4, 0, { { .name = "tvm.sha256", .data = SUMS } }, "comes after the end" },
	{ "member after the sums",
	  4,
	  0,
	  { { .name = "extra", .data = "x" } },
	  "comes after the end" },
	{ "sums as a link",
	  3,
	  1,
	  { { .name = "tvm.sha256", .type = '2', .link = "config.json" } },
	  "no file" },
	{ "sum wrong",
	  3,
	  1,
	  { { .name = "tvm.sha256",
	      .data = SUM_CONFIG "  config.json\n" SUM_CONFIG "  disk.img\n" } },
	  "content of 'disk.img' is damaged" },
};

static void build(struct str *tar, size_t at, size_t removed, const struct member *added, size_t n)
{
	for (size_t i = 0; i <= ARRAY_LEN(good); i++) {
		for (size_t j = 0; i == at && j < n && added[j].name; j++)
			add_member(tar, &added[j]);
		if (i < ARRAY_LEN(good) && (i < at || i >= at + removed))
			add_member(tar, &good[i]);
	}
	add_end(tar);
}

static void refuses_hostile_tars(void **state)
{
	static const size_t pieces[] = { 1 << 20, 512, 7 };

	(void)state;
	each_row(hostile, row) {
		CLEANUP_STR struct str tar = { 0 };

		build(&tar, row->at, row->removed, row->added, ARRAY_LEN(row->added));
		for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
			struct received received = { .size = 0 };
			struct err err = { 0 };
			bool done = read_tar(&tar, pieces[i], &received, &err);

			check(done == !row->want, "%s: %s", row->name,
			      done ? "accepted" : err.text);
			check(done || strstr(err.text, row->want), "%s: says '%s'", row->name,
			      err.text);
			str_done(&received.names);
		}
	}
}

/* A pax header in front of a member: "LEN KEY=VALUE\n" each. */
static void add_pax(struct str *tar, const char *const *records, size_t n)
{
	CLEANUP_STR struct str body = { 0 };
	const struct member header = { .name = "PaxHeader", .type = 'x' };
	struct member with_data = header;

	for (size_t i = 0; i < n && records[i]; i++) {
		size_t len = strlen(records[i]) + 2; /* blank, line feed */

		len += len < 9 ? 1 : len < 98 ? 2 : 3;
		str_addf(&body, "%zu %s\n", len, records[i]);
	}
	with_data.data = str_text(&body);
	add_member(tar, &with_data);
}

static const struct {
	const char *name;
	const char *realsize;
	const char *map;  /* GNU 1.0, in front of the data */
	const char *want; /* NULL = accepted, as "hello" in one piece or more */
} sparse[] = {
	{ "one run", "5", "1\n0\n5\n", NULL },
	{ "two runs", "5", "2\n0\n2\n2\n3\n", NULL },
	{ "empty run at the end", "5", "2\n0\n5\n5\n0\n", NULL },
	{ "another size than announced", "6", "1\n0\n5\n", "announced size" },
	{ "run past the end", "5", "1\n3\n5\n", "data where there should be none" },
	{ "run far past the end", "5", "1\n9223372036854775000\n5\n", "" },
	{ "runs out of order", "5", "2\n3\n2\n0\n3\n", "data where there should be none" },
	{ "runs overlap", "5", "2\n0\n3\n2\n2\n", "data where there should be none" },
	{ "a hole instead of data", "5", "1\n0\n0\n", "" },
	{ "negative", "5", "1\n-1\n5\n", "" },
	{ "no map", "5", "", "" },
	{ "more entries than lines", "5", "1000000\n0\n5\n", "" },
};

static void refuses_hostile_sparse_maps(void **state)
{
	(void)state;
	each_row(sparse, row) {
		CLEANUP_STR struct str tar = { 0 };
		CLEANUP_STR struct str data = { 0 };
		CLEANUP_STR struct str realsize = { 0 };
		struct received received = { .size = 0 };
		struct err err = { 0 };
		struct member disk = { .name = "GNUSparseFile.0/disk.img" };
		const char *records[] = { "GNU.sparse.major=1", "GNU.sparse.minor=0",
					  "GNU.sparse.name=disk.img", NULL };
		bool done;

		str_addf(&realsize, "GNU.sparse.realsize=%s", row->realsize);
		records[3] = str_text(&realsize);
		add_member(&tar, &good[0]);
		add_member(&tar, &good[1]);
		add_pax(&tar, records, ARRAY_LEN(records));
		str_add(&data, row->map);
		disk.size = 512 + 5;
		add_member(&tar, &disk);
		/* The map fills a block of its own. */
		str_add_span(&tar, str_span(&data));
		while (tar.len % 512)
			str_add_char(&tar, '\0');
		if (data.len == 0)
			for (size_t i = 0; i < 512; i++)
				str_add_char(&tar, '\0');
		add_padded(&tar, "hello", 5);
		add_member(&tar, &good[3]);
		add_end(&tar);
		done = read_tar(&tar, 1 << 20, &received, &err);
		check(done == !row->want, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->want), "%s: says '%s'", row->name, err.text);
		str_done(&received.names);
	}
}

/* Each line of the map would be kept in memory. */
static void a_sparse_map_is_bounded(void **state)
{
	CLEANUP_STR struct str tar = { 0 };
	CLEANUP_STR struct str map = { 0 };
	struct received received = { .size = 0 };
	struct err err = { 0 };
	struct member disk = { .name = "GNUSparseFile.0/disk.img" };
	const char *records[] = { "GNU.sparse.major=1", "GNU.sparse.minor=0",
				  "GNU.sparse.name=disk.img", "GNU.sparse.realsize=5" };

	(void)state;
	str_add(&map, "3000000\n");
	while (map.len < 12000008)
		str_add(&map, "0\n0\n");
	disk.size = map.len + 504 + 5;
	add_member(&tar, &good[0]);
	add_member(&tar, &good[1]);
	add_pax(&tar, records, ARRAY_LEN(records));
	add_member(&tar, &disk);
	add_padded(&tar, map.ptr, map.len);
	add_padded(&tar, "hello", 5);
	add_member(&tar, &good[3]);
	add_end(&tar);
	assert_false(read_tar(&tar, 65536, &received, &err));
	assert_non_null(strstr(err.text, "header of a member is too long"));
	str_done(&received.names);
}

static void data_after_the_tar_is_noticed(void **state)
{
	CLEANUP_STR struct str tar = { 0 };
	struct received received = { .size = 0 };
	struct err err = { 0 };

	(void)state;
	build(&tar, 0, 0, NULL, 0);
	add_end(&tar); /* more padding is fine */
	assert_true(read_tar(&tar, 512, &received, &err));
	str_add(&tar, "x");
	assert_false(read_tar(&tar, 512, &received, &err));
	assert_non_null(strstr(err.text, "after the end"));
	str_done(&received.names);
}

static void a_cut_tar_is_noticed(void **state)
{
	CLEANUP_STR struct str tar = { 0 };

	(void)state;
	build(&tar, 0, 0, NULL, 0);
	/* Of the 1024 zeros at the end none are needed. */
	for (size_t len = 0; len < tar.len - 1024; len += 37) {
		struct received received = { .size = 0 };
		struct str cut = { .ptr = tar.ptr, .len = len };
		struct err err = { 0 };

		check(!read_tar(&cut, 512, &received, &err), "cut after %zu", len);
		str_done(&received.names);
	}
}

static void says_what_apple_archives_are(void **state)
{
	struct err err = { 0 };
	int fd = open_at(from.fd, "export.tvm", O_RDWR | O_CREAT);

	(void)state;
	assert_int_equal(write(fd, "pbze\0\0\0\0", 8), 8);
	(void)close(fd);
	assert_false(import_files(&err));
	assert_string_equal(
		err.text,
		"export.tvm is an Apple Archive written by Tart on macOS, which cannot be "
		"read on Linux. On the Mac, push the VM to a registry (tart push) and pull "
		"it here.");
}

int main(void)
{
#define case_(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		case_(comes_out_as_it_went_in),
		case_(zeros_become_holes),
		case_(an_overlay_goes_out_flat),
		case_(the_same_files_give_the_same_export),
		case_(notices_cuts),
		case_(notices_flipped_bytes),
		case_(notices_what_follows),
		case_(never_overwrites),
		case_(refuses_hostile_tars),
		case_(refuses_hostile_sparse_maps),
		case_(a_sparse_map_is_bounded),
		case_(data_after_the_tar_is_noticed),
		case_(a_cut_tar_is_noticed),
		case_(says_what_apple_archives_are),
	};

	return unit_main(tests);
}
