/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/push_plan.h: what is known of a disk without reading it. */
#include "registry/push_plan.h"

#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "image/disk.h"
#include "image/note.h"
#include "image/place.h"
#include "image/qcow2.h"
#include "registry/push_layer.h"

static struct place place;

static int set_up(void **state)
{
	const char *const argv[] = { "qemu-img", "--version", NULL };
	struct err err = { 0 };

	(void)state;
	place_make(&place);
	return child_run(argv, 4096, NULL, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

/* Five layers of 8 MiB, the last one short: data, hole, data, hole, data. */
#define SIZE   (34 * MIB + 512)
#define LAYERS 5

static const struct piece data[] = {
	{ MIB, 1000, 1 },
	{ 16 * MIB, 4096, 2 },
	{ 33 * MIB, 512, 3 },
};

static void drop(const char *name)
{
	(void)unlinkat(place.fd, name, 0);
}

static void make_disk(void)
{
	drop(DISK_OVERLAY_FILE);
	drop(DISK_NOTE_FILE);
	drop(LAYERS_FILE);
	make_file(place.fd, DISK_FILE, SIZE, data, ARRAY_LEN(data));
}

/* Puts an overlay upon the disk. `disk_clone` would give the overlay to two bundles; here one is enough. */
static void make_overlay(void)
{
	struct note note = { .has_replacement = false };
	struct stat st = stat_at(place.fd, DISK_FILE);
	CLEANUP_STR struct str text = { 0 };
	int fd = open_at(place.fd, DISK_OVERLAY_FILE, O_RDWR | O_CREAT | O_TRUNC);

	note.base = base_id_of(&st);
	note_print(&note, &text);
	ok(qcow2_create_overlay(fd, SIZE, DISK_FILE, &why));
	(void)close(fd);
	ok(fs_replace_file(place.fd, DISK_NOTE_FILE, str_span(&text), 0644, &why));
}

static void write_overlay(const char *command)
{
	const char *const argv[] = { "qemu-io",         "-f", "qcow2", "-c", command,
				     DISK_OVERLAY_FILE, NULL };
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.cwd_fd = place.fd;
	ok(child_run_spec(&spec, 1 << 20, NULL, &why));
}

static void touch(const char *name)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1000000000 } };

	assert_int_equal(utimensat(place.fd, name, times, 0), 0);
}

static void plan(struct push_plan *ret)
{
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;
	CLEANUP(disk_layers_done) struct disk_layers record = { 0 };
	enum layers_age age;

	ok(disk_layers_recall(place.fd, &record, &age, &why));
	ok(disk_open_extents(place.fd, &map, &why));
	ok(push_plan_make(map, &record, age, ret, &why));
}

/* As a push would do it: what has to be read is. */
static void work(struct push_plan *plan)
{
	const struct push_watch nobody = { .step = NULL };
	struct push_worker worker = { .encoder = bv4_encoder_new(),
				      .piece = malloc(BV4_PIECE_BYTES),
				      .blob_fd = open_at(place.fd, "blob",
							 O_RDWR | O_CREAT | O_TRUNC) };

	ok(disk_open_extents(place.fd, &worker.map, &why));
	vec_each(&plan->layers, layer) {
		if (layer->state == PUSH_KNOWN)
			continue;
		layer_pieces_done(&layer->pieces);
		layer->pieces = (struct layer_pieces){ 0 };
		ok(push_layer_encode(&worker, layer->start, layer->item.data_bytes, &nobody,
				     &layer->item, &layer->pieces, &why));
		layer->state = PUSH_KNOWN;
	}
	push_worker_done(&worker);
}

static void store(struct push_plan *plan)
{
	CLEANUP(disk_layers_done) struct disk_layers record = { 0 };

	assert_true(push_plan_take_record(plan, &record));
	ok(disk_layers_store(place.fd, &record, &why));
}

static char letter_of(const struct push_layer *layer)
{
	if (layer->state == PUSH_READ)
		return 'r';
	if (layer->state == PUSH_GUESS)
		return 'g';
	return layer->is_remembered ? 'k' : 'K';
}

/* One letter for each layer: r to be read, g guess, k known from the record, K known otherwise. */
static void describe(const struct push_plan *plan, char *ret)
{
	vec_each(&plan->layers, layer)
		*ret++ = letter_of(layer);
	*ret = '\0';
}

static void assert_plan(const char *name, const char *want)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };
	char got[64];

	plan(&made);
	assert_true(made.layers.n < sizeof(got));
	describe(&made, got);
	check(strcmp(got, want) == 0, "%s: %s", name, got);
}

static void push_once(void)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };

	plan(&made);
	work(&made);
	store(&made);
}

static void knows_holes_without_a_record(void **state)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };

	(void)state;
	make_disk();
	assert_plan("no record", "rKrKr");
	plan(&made);
	assert_int_equal(made.disk_bytes, SIZE);
	assert_int_equal(made.layers.v[LAYERS - 1].item.data_bytes, SIZE - 32 * MIB);
	assert_string_equal(made.layers.v[1].item.blob_digest, made.layers.v[3].item.blob_digest);
}

static void knows_all_of_what_has_not_changed(void **state)
{
	(void)state;
	make_disk();
	push_once();
	assert_plan("the same file", "kkkkk");
	touch(DISK_FILE);
	assert_plan("another time", "gKgKg");
	push_once();
	assert_plan("pushed again", "kkkkk");
}

static void of_a_grown_disk_guesses_what_lines_up(void **state)
{
	int fd;

	(void)state;
	make_disk();
	push_once();
	fd = open_at(place.fd, DISK_FILE, O_RDWR);
	assert_int_equal(ftruncate(fd, 50 * MIB), 0);
	(void)close(fd);
	assert_plan("grown", "gKgKrKK");
}

static void an_overlay_changes_what_it_covers(void **state)
{
	(void)state;
	make_disk();
	push_once();
	make_overlay();
	assert_plan("empty overlay", "kkkkk");
	write_overlay("write -P 5 17M 64k");
	assert_plan("a layer of data", "kkgkk");
	write_overlay("write -z 8M 64k");
	assert_plan("zeros upon a hole", "kKgkk");
	push_once();
	assert_plan("pushed with its overlay", "kkkkk");
	write_overlay("write -P 6 24M 64k");
	/* What was not overlaid still is; of the others nobody can say. */
	assert_plan("overlay written again", "kKggk");
}

/* A base is not what it was when an overlay is gone that had a part in it. */
static void an_overlay_that_goes_takes_its_layers_along(void **state)
{
	(void)state;
	make_disk();
	make_overlay();
	write_overlay("write -P 5 17M 64k");
	push_once();
	assert_plan("with it", "kkkkk");
	drop(DISK_OVERLAY_FILE);
	drop(DISK_NOTE_FILE);
	assert_plan("without it", "kkgkk");
}

static void a_record_without_pieces_is_of_no_use(void **state)
{
	CLEANUP(disk_layers_done) struct disk_layers record = { 0 };
	bool found;

	(void)state;
	make_disk();
	push_once();
	ok(disk_layers_read(place.fd, &record, &found, &why));
	assert_true(found);
	layer_index_done(&record.index);
	record.index = (struct layer_index){ 0 };
	ok(disk_layers_store(place.fd, &record, &why));
	assert_plan("no index", "rKrKr");
}

static void a_record_of_other_lengths_is_of_no_use(void **state)
{
	CLEANUP(disk_layers_done) struct disk_layers record = { 0 };
	bool found;

	(void)state;
	make_disk();
	push_once();
	ok(disk_layers_read(place.fd, &record, &found, &why));
	assert_true(found);
	layer_index_done(&record.index);
	record.index = (struct layer_index){ 0 };
	record.items.v[0].data_bytes += 4 * MIB;
	record.items.v[1].data_bytes -= 4 * MIB;
	ok(disk_layers_store(place.fd, &record, &why));
	assert_plan("cut elsewhere", "rKrKr");
}

static void an_interrupted_push_is_remembered(void **state)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };

	(void)state;
	make_disk();
	plan(&made);
	/* As if the work had ended before the third layer was encoded. */
	work(&made);
	made.layers.v[2].state = PUSH_READ;
	store(&made);
	assert_plan("all but one", "kkrkk");
}

static void a_record_that_says_less_is_not_stored(void **state)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };
	CLEANUP(disk_layers_done) struct disk_layers record = { 0 };

	(void)state;
	make_disk();
	push_once();
	touch(DISK_FILE);
	plan(&made);
	assert_false(push_plan_take_record(&made, &record));
}

static void forgets_what_it_took_on_trust(void **state)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };
	char got[64];

	(void)state;
	make_disk();
	push_once();
	plan(&made);
	made.layers.v[2].is_remembered = false;
	push_plan_forget(&made);
	describe(&made, got);
	assert_string_equal(got, "ggKgg");
}

static void remembers_where_layers_are(void **state)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };
	uint32_t bit;

	(void)state;
	make_disk();
	plan(&made);
	assert_int_equal(push_plan_origin(&made, "h/a"), 1);
	assert_int_equal(push_plan_origin(&made, "h/b"), 2);
	assert_int_equal(push_plan_origin(&made, "h/a"), 1);
	made.layers.v[0].item.origins = 3;
	for (int i = 2; i < LAYERS_ORIGINS_MAX + 1; i++) {
		CLEANUP_STR struct str name = { 0 };

		str_addf(&name, "h/%d", i);
		(void)push_plan_origin(&made, str_text(&name));
	}
	/* The first one has gone, the others have moved. */
	assert_int_equal(made.origins.n, LAYERS_ORIGINS_MAX);
	assert_string_equal(made.origins.v[0], "h/b");
	assert_int_equal(made.layers.v[0].item.origins, 1);
	bit = push_plan_origin(&made, "h/16");
	made.layers.v[0].item.origins |= bit;
	work(&made);
	store(&made);
	push_plan_done(&made);
	made = (struct push_plan){ 0 };
	plan(&made);
	assert_int_equal(made.layers.v[0].item.origins, bit | 1);
	assert_string_equal(made.origins.v[LAYERS_ORIGINS_MAX - 1], "h/16");
}

static void lends_its_index(void **state)
{
	CLEANUP(push_plan_done) struct push_plan made = { 0 };
	CLEANUP(layer_index_done) struct layer_index read = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct layer_index index;

	(void)state;
	make_disk();
	plan(&made);
	work(&made);
	push_plan_index(&made, &index);
	layer_index_print(&index, &text);
	vec_done(&index.layers);
	ok(layer_index_parse(str_span(&text), &read, &why));
	assert_int_equal(read.layers.n, LAYERS);
	for (size_t i = 0; i < LAYERS; i++)
		assert_true(layer_pieces_fit(&read.layers.v[i], made.layers.v[i].item.data_bytes,
					     made.layers.v[i].item.blob_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_holes_without_a_record),
		cmocka_unit_test(knows_all_of_what_has_not_changed),
		cmocka_unit_test(of_a_grown_disk_guesses_what_lines_up),
		cmocka_unit_test(an_overlay_changes_what_it_covers),
		cmocka_unit_test(an_overlay_that_goes_takes_its_layers_along),
		cmocka_unit_test(a_record_without_pieces_is_of_no_use),
		cmocka_unit_test(a_record_of_other_lengths_is_of_no_use),
		cmocka_unit_test(an_interrupted_push_is_remembered),
		cmocka_unit_test(a_record_that_says_less_is_not_stored),
		cmocka_unit_test(forgets_what_it_took_on_trust),
		cmocka_unit_test(remembers_where_layers_are),
		cmocka_unit_test(lends_its_index),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
