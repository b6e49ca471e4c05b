/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/layers.h. */
#include "image/layers.h"

#include <time.h>

#include "base/mem.h"
#include "image/disk.h"
#include "place.h"

static void sizes_of_layers(void **state)
{
	static const struct {
		const char *name;
		uint64_t disk_bytes;
		uint64_t want_mib;
	} rows[] = {
		{ "nothing", 0, 8 },
		{ "a byte", 1, 8 },
		{ "20 GB", 20000000000, 8 },
		{ "25 GB", 25000000000, 8 },
		{ "26 GB", 26000000000, 16 },
		{ "50 GB", 50000000000, 16 },
		{ "100 GB", 100000000000, 32 },
		{ "200 GB", 200000000000, 64 },
		{ "1 TB", 1000000000000, 512 },
		{ "10 TB", 10000000000000, 512 },
		{ "all there is", UINT64_MAX, 512 },
	};

	(void)state;
	each_row(rows, row) {
		uint64_t bytes = layer_bytes_for(row->disk_bytes);

		check(bytes == row->want_mib * MIB, "%s: %llu", row->name,
		      (unsigned long long)bytes);
		/* 348 bytes for each in the manifest, and some for the rest. */
		check(bytes == LAYER_BYTES_MAX ||
			      (row->disk_bytes / bytes + 1) * 348 + 4096 < 1 << 20,
		      "%s: the manifest gets too large", row->name);
	}
}

static void digests_of_zeros(void **state)
{
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	ok(zeros_digest(0, hex, &why));
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ok(zeros_digest(8 * MIB, hex, &why));
	assert_string_equal(hex,
			    "2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74");
}

static void set_digest(char hex[DIGEST_HEX_SIZE], uint64_t number)
{
	digest_of(span_make((const char *)&number, sizeof(number)), hex);
}

/* Three layers: one known with its pieces, one not known, one overlaid. */
static void make_layers(struct disk_layers *layers)
{
	*layers = (struct disk_layers){ .disk = { 20 * MIB, "1700000000.000000001" } };
	*vec_push(&layers->origins) = xstrdup("127.0.0.1:5000/a/b");
	*vec_push(&layers->origins) = xstrdup("ghcr.io/c");
	for (uint64_t i = 0; i < 3; i++) {
		struct disk_layer *item = vec_push(&layers->items);
		struct layer_pieces *pieces = vec_push(&layers->index.layers);

		item->data_bytes = i < 2 ? 8 * MIB : 4 * MIB;
		if (i == 1)
			continue;
		set_digest(item->data_digest, i);
		set_digest(item->blob_digest, i + 100);
		for (uint64_t at = 0; at < item->data_bytes; at += MIB)
			layer_pieces_add(pieces, MIB, 5000 + at / MIB,
					 at == 0 ? item->data_digest : NULL);
		item->blob_bytes = pieces->blob_bytes + BV4_END_BYTES;
		item->origins = (uint32_t)i + 1;
		item->is_overlaid = i == 2;
	}
}

static bool same_pieces(const struct layer_pieces *a, const struct layer_pieces *b)
{
	return a->blob_bytes == b->blob_bytes && span_equal(str_span(&a->runs), str_span(&b->runs));
}

static void check_same(const struct disk_layers *a, const struct disk_layers *b)
{
	assert_true(base_id_equal(&a->disk, &b->disk));
	assert_int_equal(a->has_overlay, b->has_overlay);
	assert_true(!a->has_overlay || base_id_equal(&a->overlay, &b->overlay));
	assert_int_equal(a->origins.n, b->origins.n);
	for (size_t i = 0; i < a->origins.n; i++)
		assert_string_equal(a->origins.v[i], b->origins.v[i]);
	assert_int_equal(a->items.n, b->items.n);
	for (size_t i = 0; i < a->items.n; i++)
		assert_memory_equal(&a->items.v[i], &b->items.v[i], sizeof(a->items.v[i]));
	assert_int_equal(a->index.layers.n, b->index.layers.n);
	for (size_t i = 0; i < a->index.layers.n; i++)
		assert_true(same_pieces(&a->index.layers.v[i], &b->index.layers.v[i]));
}

static void prints_what_it_parses(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
		CLEANUP(disk_layers_done) struct disk_layers again = { 0 };
		CLEANUP_STR struct str text = { 0 };

		make_layers(&layers);
		layers.has_overlay = i & 1;
		layers.overlay = (struct base_id){ 4711, "1700000001.5" };
		if (i & 2)
			layer_index_done(&layers.index);
		disk_layers_print(&layers, &text);
		ok(disk_layers_parse(str_span(&text), &again, &why));
		check_same(&layers, &again);
	}
}

/* Pieces that are not those of their layer are left out: better none than wrong ones. */
static void wrong_pieces_are_not_printed(void **state)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	CLEANUP(disk_layers_done) struct disk_layers again = { 0 };
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	make_layers(&layers);
	layers.items.v[0].blob_bytes++;
	disk_layers_print(&layers, &text);
	ok(disk_layers_parse(str_span(&text), &again, &why));
	assert_false(layer_pieces_are_known(&again.index.layers.v[0]));
	assert_false(layer_pieces_are_known(&again.index.layers.v[1]));
	assert_true(layer_pieces_are_known(&again.index.layers.v[2]));
}

static void any_damage_is_seen(void **state)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	make_layers(&layers);
	disk_layers_print(&layers, &text);
	for (size_t i = 0; i < text.len; i++) {
		CLEANUP(disk_layers_done) struct disk_layers again = { 0 };

		text.ptr[i] ^= 4;
		check(!disk_layers_parse(str_span(&text), &again, &err), "byte %zu", i);
		text.ptr[i] ^= 4;
		check(!disk_layers_parse(span_make(text.ptr, i), &again, &err), "cut at %zu", i);
		assert_int_equal(again.items.n, 0);
	}
}

#define D1       "1111111111111111111111111111111111111111111111111111111111111111"
#define D2       "2222222222222222222222222222222222222222222222222222222222222222"
#define NO_INDEX "index 0\n"

/* With the right digest in front. */
static const struct {
	const char *name;
	const char *text;
	bool ok;
} records[] = {
	{ "no layers", "disk 0 1.0\n" NO_INDEX, true },
	{ "a layer", "disk 9 1.0\norigin a/b\nlayer 9 5 " D1 " " D2 " 1 o\n" NO_INDEX, true },
	{ "one not known", "disk 9 1.0\nlayer 9\n" NO_INDEX, true },
	{ "nothing", "", false },
	{ "no index", "disk 9 1.0\n", false },
	{ "no disk", "layer 9\n" NO_INDEX, false },
	{ "two disks", "disk 9 1.0\ndisk 9 1.0\n" NO_INDEX, false },
	{ "two overlays", "disk 9 1.0\noverlay 1 1.0\noverlay 1 1.0\n" NO_INDEX, false },
	{ "other words", "disk 9 1.0\nlawyer 9\n" NO_INDEX, false },
	{ "an empty line", "disk 9 1.0\n\n" NO_INDEX, false },
	{ "a negative size", "disk -9 1.0\n" NO_INDEX, false },
	{ "a size beyond all", "disk 9223372036854775808 1.0\n" NO_INDEX, false },
	{ "no mtime", "disk 9\n" NO_INDEX, false },
	{ "an empty mtime", "disk 9 \n" NO_INDEX, false },
	{ "letters in the mtime", "disk 9 1.x\n" NO_INDEX, false },
	{ "a long mtime", "disk 9 01234567890123456789012345678901\n" NO_INDEX, false },
	{ "more after the mtime", "disk 9 1.0 x\n" NO_INDEX, false },
	{ "a blob of nothing", "disk 9 1.0\nlayer 9 0 " D1 " " D2 " 0 -\n" NO_INDEX, false },
	{ "half a layer", "disk 9 1.0\nlayer 9 5 " D1 "\n" NO_INDEX, false },
	{ "short digest", "disk 9 1.0\nlayer 9 5 " D1 " 22 0 -\n" NO_INDEX, false },
	{ "unknown flag", "disk 9 1.0\nlayer 9 5 " D1 " " D2 " 0 x\n" NO_INDEX, false },
	{ "unknown origin", "disk 9 1.0\nlayer 9 5 " D1 " " D2 " 1 -\n" NO_INDEX, false },
	{ "origin after layers", "disk 9 1.0\nlayer 9\norigin a/b\n" NO_INDEX, false },
	{ "odd origin", "disk 9 1.0\norigin a\x1b/b\n" NO_INDEX, false },
	{ "an index that is not there", "disk 9 1.0\nlayer 9\nindex 20\n", false },
	{ "something after the end", "disk 9 1.0\nlayer 9\nindex 0\nx", false },
	{ "an index that is none", "disk 9 1.0\nlayer 9\nindex 2\nxx", false },
};

static void what_is_no_record_is_refused(void **state)
{
	(void)state;
	each_row(records, row) {
		CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
		CLEANUP_STR struct str text = { 0 };
		char digest[DIGEST_HEX_SIZE];
		struct err err = { 0 };
		bool done;

		digest_of(span_of(row->text), digest);
		str_addf(&text, "tart-layers 1 %s\n%s", digest, row->text);
		done = disk_layers_parse(str_span(&text), &layers, &err);
		check(done == row->ok, "%s: %s", row->name, done ? "accepted" : err.text);
	}
}

static void index_of_other_layers(void **state)
{
	CLEANUP(layer_index_done) struct layer_index index = { 0 };
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	CLEANUP_STR struct str bytes = { 0 };
	CLEANUP_STR struct str body = { 0 };
	CLEANUP_STR struct str text = { 0 };
	char digest[DIGEST_HEX_SIZE];
	struct err err = { 0 };

	(void)state;
	vec_push(&index.layers)->data_bytes = 8;
	layer_index_print(&index, &bytes);
	str_addf(&body, "disk 9 1.0\nlayer 9\nindex %zu\n", bytes.len);
	str_add_span(&body, str_span(&bytes));
	digest_of(str_span(&body), digest);
	str_addf(&text, "tart-layers 1 %s\n", digest);
	str_add_span(&text, str_span(&body));
	assert_false(disk_layers_parse(str_span(&text), &layers, &err));
	assert_non_null(strstr(err.text, "belongs to other layers"));
}

static const struct piece some[] = { { 0, 5000, 1 } };

static enum layers_age age_in(const struct place *place)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	enum layers_age age = LAYERS_NONE;

	ok(disk_layers_recall(place->fd, &layers, &age, &why));
	assert_int_equal(layers.items.n, age == LAYERS_NONE ? 0 : 3);
	return age;
}

static bool is_found(const struct place *place)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	bool found = false;

	ok(disk_layers_read(place->fd, &layers, &found, &why));
	assert_int_equal(layers.items.n, found ? 3 : 0);
	return found;
}

static void store(const struct place *place)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };

	make_layers(&layers);
	ok(disk_layers_store(place->fd, &layers, &why));
	assert_int_equal(layers.disk.size_bytes, stat_at(place->fd, DISK_FILE).st_size);
}

static void touch(const struct place *place, const char *name)
{
	ok(utimensat(place->fd, name, NULL, 0) == 0 || err_sys(&why, 1, "touch"));
}

/* The disk is written just before, as after a pull: the record has to hold all the same, and a write just after it has
 * to be seen. */
static void a_record_ends_with_the_next_write(void **state)
{
	struct place place;

	(void)state;
	place_make(&place);
	for (int i = 0; i < 50; i++) {
		make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
		store(&place);
		assert_int_equal(age_in(&place), LAYERS_TRUE);
		assert_true(is_found(&place));
		make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
		assert_int_equal(age_in(&place), LAYERS_STALE);
		assert_false(is_found(&place));
	}
	place_remove(&place);
}

static void a_record_that_is_not_younger_is_not_believed(void **state)
{
	struct timespec times[2] = { { 0 } };
	struct place place;

	(void)state;
	place_make(&place);
	make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
	store(&place);
	times[0] = times[1] = stat_at(place.fd, DISK_FILE).st_mtim;
	assert_int_equal(utimensat(place.fd, LAYERS_FILE, times, 0), 0);
	assert_int_equal(age_in(&place), LAYERS_STALE);
	touch(&place, LAYERS_FILE);
	assert_int_equal(age_in(&place), LAYERS_TRUE);
	place_remove(&place);
}

/* As on a file system whose times go in long steps. */
static void a_disk_from_the_future_gets_no_record(void **state)
{
	struct timespec times[2] = { { 0 } };
	struct place place;

	(void)state;
	place_make(&place);
	make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
	store(&place);
	times[0].tv_sec = times[1].tv_sec = time(NULL) + 1000;
	assert_int_equal(utimensat(place.fd, DISK_FILE, times, 0), 0);
	store(&place);
	assert_false(fs_exists(place.fd, LAYERS_FILE));
	place_remove(&place);
}

static void an_overlay_changes_only_its_own(void **state)
{
	struct place place;

	(void)state;
	place_make(&place);
	make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
	store(&place);
	make_file(place.fd, DISK_OVERLAY_FILE, MIB, some, 1);
	assert_int_equal(age_in(&place), LAYERS_OF_BASE); /* there was none */
	assert_true(is_found(&place));
	store(&place);
	assert_int_equal(age_in(&place), LAYERS_TRUE);
	make_file(place.fd, DISK_OVERLAY_FILE, MIB, some, 1);
	assert_int_equal(age_in(&place), LAYERS_OF_BASE); /* another */
	store(&place);
	assert_int_equal(unlinkat(place.fd, DISK_OVERLAY_FILE, 0), 0);
	assert_int_equal(age_in(&place), LAYERS_OF_BASE); /* none any more */
	make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
	assert_int_equal(age_in(&place), LAYERS_STALE);
	place_remove(&place);
}

static void no_record_is_no_error(void **state)
{
	struct disk_layers layers;
	enum layers_age age;
	struct place place;
	struct err err = { 0 };

	(void)state;
	place_make(&place);
	assert_false(disk_layers_recall(place.fd, &layers, &age, &err)); /* no disk is one */
	make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
	assert_int_equal(age_in(&place), LAYERS_NONE);
	make_file(place.fd, LAYERS_FILE, 5000, some, 1);
	assert_int_equal(age_in(&place), LAYERS_NONE);
	assert_int_equal(unlinkat(place.fd, LAYERS_FILE, 0), 0);
	assert_int_equal(mkdirat(place.fd, LAYERS_FILE, 0700), 0);
	assert_int_equal(age_in(&place), LAYERS_NONE);
	assert_false(is_found(&place));
	place_remove(&place);
}

/* A disk with a record in `a`, cloned to `b`: both below the place. */
struct pair {
	struct place place, a, b;
};

static void pair_make(struct pair *pair)
{
	static const char *const names[] = { "a", "b" };
	struct place *const places[] = { &pair->a, &pair->b };

	place_make(&pair->place);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(mkdirat(pair->place.fd, names[i], 0700), 0);
		places[i]->fd = open_at(pair->place.fd, names[i], O_RDONLY | O_DIRECTORY);
	}
	make_file(pair->a.fd, DISK_FILE, 20 * MIB, some, 1);
	store(&pair->a);
}

static void pair_remove(struct pair *pair)
{
	(void)close(pair->a.fd);
	(void)close(pair->b.fd);
	place_remove(&pair->place);
}

static void clone_and_pass(const struct pair *pair, enum clone_policy policy)
{
	ok(disk_clone(pair->a.fd, CLONE_SOURCE_STOPPED, pair->b.fd, policy, NULL, NULL, &why));
	ok(disk_layers_pass(pair->a.fd, pair->b.fd, &why));
}

static void a_copy_has_the_record(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair);
	clone_and_pass(&pair, CLONE_COPY);
	assert_int_equal(age_in(&pair.b), LAYERS_TRUE);
	assert_true(is_found(&pair.b));
	assert_int_equal(age_in(&pair.a), LAYERS_TRUE);
	make_file(pair.b.fd, DISK_FILE, 20 * MIB, some, 1);
	assert_int_equal(age_in(&pair.b), LAYERS_STALE);
	assert_int_equal(age_in(&pair.a), LAYERS_TRUE);
	pair_remove(&pair);
}

/* Source and clone get an overlay each, which are not what the record knew, though they are empty. */
static void a_clone_has_the_record_of_its_base(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair);
	clone_and_pass(&pair, CLONE_OVERLAY);
	assert_int_equal(age_in(&pair.a), LAYERS_OF_BASE);
	assert_int_equal(age_in(&pair.b), LAYERS_OF_BASE);
	assert_true(is_found(&pair.b));
	pair_remove(&pair);
}

static void an_image_stays_as_it_is(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair);
	ok(disk_clone(pair.a.fd, CLONE_SOURCE_IMMUTABLE, pair.b.fd, CLONE_OVERLAY, NULL, NULL,
		      &why));
	ok(disk_layers_pass(pair.a.fd, pair.b.fd, &why));
	assert_int_equal(age_in(&pair.a), LAYERS_TRUE);
	assert_int_equal(age_in(&pair.b), LAYERS_TRUE);
	pair_remove(&pair);
}

/* Recorded before an overlay had a part, or with another one: a copy of the overlay must not make it look right. */
static void a_clone_of_a_changed_overlay_knows_its_base_only(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair);
	clone_and_pass(&pair, CLONE_OVERLAY);
	touch(&pair.b, DISK_OVERLAY_FILE);
	assert_int_equal(mkdirat(pair.place.fd, "c", 0700), 0);
	(void)close(pair.a.fd);
	pair.a.fd = open_at(pair.place.fd, "c", O_RDONLY | O_DIRECTORY);
	ok(disk_clone(pair.b.fd, CLONE_SOURCE_STOPPED, pair.a.fd, CLONE_COPY, NULL, NULL, &why));
	ok(disk_layers_pass(pair.b.fd, pair.a.fd, &why));
	assert_int_equal(age_in(&pair.a), LAYERS_OF_BASE);
	store(&pair.b);
	assert_int_equal(age_in(&pair.b), LAYERS_TRUE);
	ok(disk_layers_pass(pair.b.fd, pair.a.fd, &why));
	assert_int_equal(age_in(&pair.a), LAYERS_TRUE);
	pair_remove(&pair);
}

static void a_stale_record_is_not_passed_on(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair);
	make_file(pair.a.fd, DISK_FILE, 20 * MIB, some, 1);
	clone_and_pass(&pair, CLONE_COPY);
	assert_int_equal(age_in(&pair.b), LAYERS_NONE);
	pair_remove(&pair);
}

/* As if the guest had written, and a power cut had lost the new time of the file. */
static void expected_writes_end_a_record(void **state)
{
	struct place place;
	struct stat before;
	struct stat after;

	(void)state;
	place_make(&place);
	make_file(place.fd, DISK_FILE, 20 * MIB, some, 1);
	before = stat_at(place.fd, DISK_FILE);
	ok(disk_layers_expect_writes(place.fd, &why));
	after = stat_at(place.fd, DISK_FILE);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	store(&place);
	ok(disk_layers_expect_writes(place.fd, &why));
	assert_int_equal(age_in(&place), LAYERS_STALE);
	make_file(place.fd, DISK_OVERLAY_FILE, MIB, some, 1);
	store(&place);
	ok(disk_layers_expect_writes(place.fd, &why));
	assert_int_equal(age_in(&place), LAYERS_OF_BASE);
	place_remove(&place);
}

/* The largest of ordinary records: 2990 layers. Printed and parsed, nothing lost. */
static void many_layers(void **state)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { .disk = { 1, "1.0" } };
	CLEANUP(disk_layers_done) struct disk_layers again = { 0 };
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 2990; i++) {
		struct disk_layer *item = vec_push(&layers.items);

		item->data_bytes = 8 * MIB;
		item->blob_bytes = 1 + i;
		set_digest(item->data_digest, i);
		set_digest(item->blob_digest, i);
	}
	disk_layers_print(&layers, &text);
	ok(disk_layers_parse(str_span(&text), &again, &why));
	check_same(&layers, &again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_of_layers),
		cmocka_unit_test(digests_of_zeros),
		cmocka_unit_test(prints_what_it_parses),
		cmocka_unit_test(wrong_pieces_are_not_printed),
		cmocka_unit_test(any_damage_is_seen),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(index_of_other_layers),
		cmocka_unit_test(a_record_ends_with_the_next_write),
		cmocka_unit_test(a_record_that_is_not_younger_is_not_believed),
		cmocka_unit_test(a_disk_from_the_future_gets_no_record),
		cmocka_unit_test(an_overlay_changes_only_its_own),
		cmocka_unit_test(no_record_is_no_error),
		cmocka_unit_test(many_layers),
		cmocka_unit_test(a_copy_has_the_record),
		cmocka_unit_test(a_clone_has_the_record_of_its_base),
		cmocka_unit_test(an_image_stays_as_it_is),
		cmocka_unit_test(a_clone_of_a_changed_overlay_knows_its_base_only),
		cmocka_unit_test(a_stale_record_is_not_passed_on),
		cmocka_unit_test(expected_writes_end_a_record),
	};

	return unit_main(tests);
}
