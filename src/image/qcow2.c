/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2 headers: reading any, writing that of an empty overlay. */
#include "image/qcow2.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/reader.h"
#include "base/str.h"

#define MAGIC             0x514649fbu /* "QFI\xfb" */
#define V2_HEADER_BYTES   72
#define V3_HEADER_BYTES   104
#define EXTENSION_END     0
#define EXTENSION_BACKING 0xe2792acau /* format of the backing file */
#define CLUSTER_BITS_MIN  9
#define CLUSTER_BITS_MAX  21

static bool read_u32(struct reader *r, uint32_t *ret)
{
	uint64_t value;

	if (!reader_be(r, 4, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool qcow2_is_magic(struct span head)
{
	struct reader r = reader_of(head);
	uint32_t magic;

	return read_u32(&r, &magic) && magic == MAGIC;
}

struct raw_header {
	uint64_t backing_offset;
	uint32_t backing_len;
	uint32_t header_len;
	struct qcow2_header fields;
};

static bool read_fixed(struct span head, struct raw_header *ret)
{
	struct qcow2_header *h = &ret->fields;
	struct reader r = reader_of(head);
	uint32_t order;

	if (!reader_skip(&r, 4) || !read_u32(&r, &h->version) ||
	    !reader_be(&r, 8, &ret->backing_offset) || !read_u32(&r, &ret->backing_len) ||
	    !read_u32(&r, &h->cluster_bits) || !reader_be(&r, 8, &h->size_bytes) ||
	    !read_u32(&r, &h->crypt_method) || !read_u32(&r, &h->l1_entries) ||
	    !reader_be(&r, 8, &h->l1_offset) || !reader_skip(&r, 12) || /* reference counts */
	    !read_u32(&r, &h->n_snapshots) || !reader_skip(&r, 8))
		return false;
	ret->header_len = V2_HEADER_BYTES;
	if (h->version < 3)
		return true;
	return reader_be(&r, 8, &h->incompatible) && reader_skip(&r, 16) && read_u32(&r, &order) &&
	       read_u32(&r, &ret->header_len);
}

/* A map of the whole disk must fit into the level 1 table that the header declares. */
static bool l1_is_enough(const struct qcow2_header *h)
{
	/* An extended level 2 entry has 16 bytes, any other 8. */
	uint32_t entry_bits = (h->incompatible & QCOW2_INCOMPATIBLE_EXTENDED_L2) ? 4 : 3;
	uint32_t covered_bits = h->cluster_bits + h->cluster_bits - entry_bits;
	uint64_t needed = h->size_bytes >> covered_bits;

	if (h->size_bytes & (((uint64_t)1 << covered_bits) - 1))
		needed++;
	return needed <= h->l1_entries;
}

static bool check_numbers(const struct raw_header *raw, struct err *err)
{
	const struct qcow2_header *h = &raw->fields;
	uint64_t cluster_bytes;

	if (h->cluster_bits < CLUSTER_BITS_MIN || h->cluster_bits > CLUSTER_BITS_MAX)
		return err_set(err, ERR_GENERAL, "qcow2: clusters of 2^%u bytes", h->cluster_bits);
	cluster_bytes = (uint64_t)1 << h->cluster_bits;
	if (h->size_bytes > INT64_MAX)
		return err_set(err, ERR_GENERAL, "qcow2: the disk is larger than 2^63 bytes");
	if (h->l1_entries > QCOW2_L1_ENTRY_MAX || !l1_is_enough(h))
		return err_set(err, ERR_GENERAL, "qcow2: a level 1 table of %u entries",
			       h->l1_entries);
	if (h->l1_entries > 0 && (h->l1_offset % cluster_bytes || h->l1_offset > INT64_MAX))
		return err_set(err, ERR_GENERAL, "qcow2: the level 1 table lies at offset %llu",
			       (unsigned long long)h->l1_offset);
	if (raw->header_len % 8 || raw->header_len > cluster_bytes ||
	    (h->version >= 3 && raw->header_len < V3_HEADER_BYTES))
		return err_set(err, ERR_GENERAL, "qcow2: a header of %u bytes", raw->header_len);
	if (h->incompatible & ~QCOW2_INCOMPATIBLE_KNOWN)
		return err_set(err, ERR_GENERAL, "qcow2: unknown incompatible features 0x%llx",
			       (unsigned long long)(h->incompatible & ~QCOW2_INCOMPATIBLE_KNOWN));
	return true;
}

static bool find_backing_file(struct span first_cluster, struct raw_header *raw, struct err *err)
{
	struct reader r = reader_of(first_cluster);

	if (raw->backing_offset == 0)
		return true;
	if (raw->backing_len > QCOW2_BACKING_MAX || raw->backing_offset < raw->header_len ||
	    raw->backing_offset > first_cluster.len ||
	    !reader_skip(&r, (size_t)raw->backing_offset) ||
	    !reader_take(&r, raw->backing_len, &raw->fields.backing_file))
		return err_set(err, ERR_GENERAL,
			       "qcow2: the backing file's name lies outside of the header");
	return true;
}

/* Extensions go from the end of the header to the backing file's name or the end of the first
 * cluster. */
static bool read_extensions(struct span first_cluster, struct raw_header *raw, struct err *err)
{
	size_t end = raw->backing_offset ? (size_t)raw->backing_offset : first_cluster.len;
	struct reader r = reader_of(span_first(first_cluster, end));
	uint32_t type;
	uint32_t len;

	(void)reader_skip(&r, raw->header_len);
	while (read_u32(&r, &type) && type != EXTENSION_END) {
		struct span data;

		if (!read_u32(&r, &len) || !reader_take(&r, len, &data) ||
		    !reader_skip(&r, -data.len & 7))
			return err_set(err, ERR_GENERAL,
				       "qcow2: an extension ends outside of the header");
		if (type == EXTENSION_BACKING)
			raw->fields.backing_format = data;
	}
	return true;
}

bool qcow2_parse(struct span head, struct qcow2_header *ret, struct err *err)
{
	struct raw_header raw = { .backing_len = 0 };
	size_t cluster_bytes;

	if (!qcow2_is_magic(head))
		return err_set(err, ERR_GENERAL, "not a qcow2 file");
	if (!read_fixed(head, &raw))
		return err_set(err, ERR_GENERAL, "qcow2: the header is cut off");
	if (raw.fields.version < 2 || raw.fields.version > 3)
		return err_set(err, ERR_GENERAL, "qcow2: unknown version %u", raw.fields.version);
	if (!check_numbers(&raw, err))
		return false;
	if (head.len < raw.header_len)
		return err_set(err, ERR_GENERAL, "qcow2: the header is cut off");
	cluster_bytes = (size_t)1 << raw.fields.cluster_bits;
	if (head.len > cluster_bytes)
		head = span_first(head, cluster_bytes);
	if (!find_backing_file(head, &raw, err) || !read_extensions(head, &raw, err))
		return false;
	*ret = raw.fields;
	return true;
}

bool qcow2_read_header(int fd, char *head, struct qcow2_header *ret, struct err *err)
{
	size_t len = 0;

	while (len < QCOW2_HEAD_BYTES) {
		ssize_t n = pread(fd, head + len, QCOW2_HEAD_BYTES - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return qcow2_parse(span_make(head, len), ret, err);
}

/*
 * The empty overlay, in clusters of 64 KiB:
 *
 *	0	header, extension "backing file format", name of the backing file
 *	1	reference count table: one entry, cluster 2
 *	2	reference count block: 1 for each cluster of the file
 *	3 …	level 1 table, all zero: everything is the backing file's
 */
#define OVERLAY_CLUSTER_BITS 16
#define OVERLAY_CLUSTER      ((uint64_t)1 << OVERLAY_CLUSTER_BITS)
#define OVERLAY_L1_CLUSTER   3
/* One level 2 table maps 8192 clusters. */
#define OVERLAY_L1_ENTRY_COVERS (OVERLAY_CLUSTER * (OVERLAY_CLUSTER / 8))

static void add_be(struct str *out, uint64_t value, unsigned int bytes)
{
	while (bytes-- > 0)
		str_add_char(out, (char)(value >> (8 * bytes)));
}

static void add_header(struct str *out, uint64_t size_bytes, uint64_t l1_entries,
		       const char *backing_name)
{
	static const char format[8] = "raw"; /* padded to 8 */
	const uint64_t backing_offset = V3_HEADER_BYTES + 8 + sizeof(format) + 8;

	add_be(out, MAGIC, 4);
	add_be(out, 3, 4);
	add_be(out, backing_offset, 8);
	add_be(out, strlen(backing_name), 4);
	add_be(out, OVERLAY_CLUSTER_BITS, 4);
	add_be(out, size_bytes, 8);
	add_be(out, 0, 4); /* no encryption */
	add_be(out, l1_entries, 4);
	add_be(out, OVERLAY_L1_CLUSTER * OVERLAY_CLUSTER, 8);
	add_be(out, OVERLAY_CLUSTER, 8); /* reference count table */
	add_be(out, 1, 4);               /* … of one cluster */
	add_be(out, 0, 4);               /* no snapshots */
	add_be(out, 0, 8);
	add_be(out, 0, 8); /* no features: incompatible, */
	add_be(out, 0, 8); /* compatible, */
	add_be(out, 0, 8); /* auto-clear */
	add_be(out, 4, 4); /* reference counts of 2^4 bits */
	add_be(out, V3_HEADER_BYTES, 4);
	add_be(out, EXTENSION_BACKING, 4);
	add_be(out, strlen(format), 4);
	str_add_span(out, span_make(format, sizeof(format)));
	add_be(out, EXTENSION_END, 8);
	str_add(out, backing_name);
}

bool qcow2_create_overlay(int fd, uint64_t size_bytes, const char *backing_name, struct err *err)
{
	CLEANUP_STR struct str header = { 0 };
	CLEANUP_STR struct str table = { 0 };
	CLEANUP_STR struct str counts = { 0 };
	uint64_t size = size_bytes + (-size_bytes & 511);
	uint64_t l1_entries = size / OVERLAY_L1_ENTRY_COVERS +
			      (size % OVERLAY_L1_ENTRY_COVERS != 0);
	uint64_t l1_clusters = (l1_entries * 8 + OVERLAY_CLUSTER - 1) / OVERLAY_CLUSTER;
	uint64_t clusters = OVERLAY_L1_CLUSTER + l1_clusters;

	if (size < size_bytes || l1_entries > QCOW2_L1_ENTRY_MAX)
		return err_set(err, ERR_GENERAL, "a disk of %llu bytes is too large for an overlay",
			       (unsigned long long)size_bytes);
	add_header(&header, size, l1_entries, backing_name);
	add_be(&table, 2 * OVERLAY_CLUSTER, 8);
	for (uint64_t i = 0; i < clusters; i++)
		add_be(&counts, 1, 2);
	if (ftruncate(fd, (off_t)(clusters * OVERLAY_CLUSTER)) < 0)
		return err_sys(err, errno, "cannot write an overlay");
	return fs_pwrite_all(fd, header.ptr, header.len, 0, err) &&
	       fs_pwrite_all(fd, table.ptr, table.len, OVERLAY_CLUSTER, err) &&
	       fs_pwrite_all(fd, counts.ptr, counts.len, 2 * OVERLAY_CLUSTER, err);
}
