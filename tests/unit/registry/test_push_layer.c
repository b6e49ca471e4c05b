/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/push_layer.h: what is encoded depends on content only, and decodes to it. */
#include "registry/push_layer.h"

#include <string.h>
#include <unistd.h>

#include "image/disk.h"
#include "image/place.h"
#include "storage/temp.h"

static struct place place;
static struct home home = HOME_INIT;

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	ok(home_open(place.path, NULL, &home, &why));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	home_done(&home);
	place_remove(&place);
	return 0;
}

struct encoded {
	struct disk_layer item;
	struct layer_pieces pieces;
};

static void encoded_done(struct encoded *encoded)
{
	layer_pieces_done(&encoded->pieces);
}

static void open_worker(struct push_worker *ret)
{
	ok(push_worker_open(&home, place.fd, ret, &why));
}

static void encode(uint64_t start, uint64_t len, struct push_worker *worker, struct encoded *ret)
{
	const struct push_watch nobody = { .step = NULL };

	*ret = (struct encoded){ .item.data_bytes = 0 };
	ok(push_layer_encode(worker, start, len, &nobody, &ret->item, &ret->pieces, &why));
}

#define SIZE (5 * MIB + 1000)

static const struct piece some[] = { { 0, 100000, 3 },
				     { 2 * MIB + 5, MIB, 7 },
				     { SIZE - 9, 9, 1 } };

static void make_disk(void)
{
	make_file(place.fd, DISK_FILE, SIZE, some, ARRAY_LEN(some));
}

/* A sink that writes to a file. */
static bool keep(void *ctx, struct span bytes, struct err *err)
{
	const int *fd = ctx;

	return fs_write_all(*fd, bytes, err);
}

static void decodes_to_what_was_there(void **state)
{
	CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
	CLEANUP(encoded_done) struct encoded encoded;
	CLEANUP(bv4_decoder_cleanup) struct bv4_decoder *decoder = NULL;
	CLEANUP_STR struct str blob = { 0 };
	char hex[DIGEST_HEX_SIZE];
	int fd = open_at(place.fd, "decoded", O_RDWR | O_CREAT | O_TRUNC);

	(void)state;
	make_disk();
	open_worker(&worker);
	encode(0, SIZE, &worker, &encoded);
	ok(fs_read_fd(worker.blob_fd, 64 * MIB, &blob, &why));
	assert_int_equal(blob.len, encoded.item.blob_bytes);
	digest_of(str_span(&blob), hex);
	assert_string_equal(hex, encoded.item.blob_digest);
	decoder = bv4_decoder_new(SIZE, (struct byte_sink){ .add = keep, .ctx = &fd });
	ok(bv4_decoder_add(decoder, str_span(&blob), &why));
	ok(bv4_decoder_finish(decoder, &why));
	assert_true(same_content(place.fd, DISK_FILE, place.fd, "decoded"));
	ok(digest_of_range(fd, 0, SIZE, hex, &why));
	assert_string_equal(hex, encoded.item.data_digest);
	assert_int_equal(encoded.item.data_bytes, SIZE);
	(void)close(fd);
}

static void pieces_decode_one_by_one(void **state)
{
	CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
	CLEANUP(encoded_done) struct encoded encoded;
	CLEANUP_FREE char *data = malloc(BV4_PIECE_BYTES);
	CLEANUP_FREE char *want = malloc(BV4_PIECE_BYTES);
	CLEANUP_STR struct str blob = { 0 };
	struct layer_piece piece;
	size_t n = 0;
	int fd;

	(void)state;
	make_disk();
	fd = open_at(place.fd, DISK_FILE, O_RDONLY);
	open_worker(&worker);
	encode(0, SIZE, &worker, &encoded);
	ok(fs_read_fd(worker.blob_fd, 64 * MIB, &blob, &why));
	assert_true(layer_pieces_fit(&encoded.pieces, SIZE, blob.len));
	for (uint64_t at = 0; at < SIZE; at += piece.data_bytes, n++) {
		assert_true(layer_pieces_find(&encoded.pieces, at, &piece));
		ok(layer_piece_decode(&piece,
				      span_make(blob.ptr + piece.blob_start, piece.blob_bytes),
				      data, &why));
		assert_int_equal(pread(fd, want, piece.data_bytes, (off_t)at), piece.data_bytes);
		assert_memory_equal(data, want, piece.data_bytes);
		assert_int_equal(piece.is_zeros, n == 1 || n == 4);
	}
	assert_int_equal(n, 6);
	(void)close(fd);
}

static void assert_same(const struct encoded *a, const struct encoded *b)
{
	assert_string_equal(a->item.blob_digest, b->item.blob_digest);
	assert_string_equal(a->item.data_digest, b->item.data_digest);
	assert_int_equal(a->item.blob_bytes, b->item.blob_bytes);
	assert_true(span_equal(str_span(&a->pieces.runs), str_span(&b->pieces.runs)));
}

static void holes_make_no_difference(void **state)
{
	CLEANUP(encoded_done) struct encoded sparse;
	CLEANUP(encoded_done) struct encoded dense;

	(void)state;
	make_disk();
	{
		CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
		char *all = malloc(SIZE);
		int fd = open_at(place.fd, DISK_FILE, O_RDWR);

		open_worker(&worker);
		encode(0, SIZE, &worker, &sparse);
		assert_int_equal(pread(fd, all, SIZE, 0), SIZE);
		assert_int_equal(pwrite(fd, all, SIZE, 0), SIZE);
		free(all);
		(void)close(fd);
	}
	{
		CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
		CLEANUP(encoded_done) struct encoded other;

		open_worker(&worker);
		/* Nor does what the worker did before. */
		encode(MIB, 3 * MIB, &worker, &other);
		encode(0, SIZE, &worker, &dense);
	}
	assert_same(&sparse, &dense);
}

static void zeros_are_as_if_read(void **state)
{
	CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
	CLEANUP(encoded_done) struct encoded read = { .item.data_bytes = 0 };
	CLEANUP(encoded_done) struct encoded made = { .item.data_bytes = 0 };

	(void)state;
	make_file(place.fd, DISK_FILE, SIZE, NULL, 0);
	open_worker(&worker);
	encode(0, SIZE, &worker, &read);
	ok(push_zeros_encode(SIZE, &made.item, &made.pieces, &why));
	assert_same(&read, &made);
}

static const struct {
	const char *name;
	struct piece change;
	bool want;
} changes[] = {
	{ "nothing", { 0, 0, 0 }, true },
	{ "the first byte", { 0, 1, 99 }, false },
	{ "the last byte", { SIZE - 1, 1, 99 }, false },
	{ "zeros got data", { MIB + 5, 1, 99 }, false },
	{ "zeros written as zeros", { MIB + 5, 1, 0 }, true },
	{ "data got zeros", { 2 * MIB + 5, 1, 0 }, false },
};

static void compares_with_what_was(void **state)
{
	(void)state;
	each_row(changes, row) {
		CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
		CLEANUP(encoded_done) struct encoded encoded;
		bool same = false;
		int fd;

		make_disk();
		open_worker(&worker);
		encode(0, SIZE, &worker, &encoded);
		fd = open_at(place.fd, DISK_FILE, O_RDWR);
		write_piece(fd, &row->change);
		(void)close(fd);
		ok(push_layer_compare(&worker, 0, &encoded.pieces, &same, &why));
		check(same == row->want, "%s: %d", row->name, same);
	}
}

static bool refuse(void *ctx, uint64_t data_bytes, struct err *err)
{
	uint64_t *seen = ctx;

	*seen += data_bytes;
	return *seen < 2 * MIB || err_set(err, ERR_CANCELLED, "enough");
}

static void can_be_stopped(void **state)
{
	CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;
	uint64_t seen = 0;
	const struct push_watch watch = { .step = refuse, .ctx = &seen };
	struct disk_layer item;
	struct layer_pieces pieces;
	struct err err = { 0 };

	(void)state;
	make_disk();
	open_worker(&worker);
	assert_false(push_layer_encode(&worker, 0, SIZE, &watch, &item, &pieces, &err));
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_int_equal(seen, 2 * MIB);
}

static void leaves_nothing_in_tmp(void **state)
{
	CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;

	(void)state;
	make_disk();
	open_worker(&worker);
	assert_int_equal(unlinkat(home.root_fd, "tmp", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_to_what_was_there),
		cmocka_unit_test(pieces_decode_one_by_one),
		cmocka_unit_test(holes_make_no_difference),
		cmocka_unit_test(zeros_are_as_if_read),
		cmocka_unit_test(compares_with_what_was),
		cmocka_unit_test(can_be_stopped),
		cmocka_unit_test(leaves_nothing_in_tmp),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
