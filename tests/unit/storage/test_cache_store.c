/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/cache_store.h. Kills in between are a matter of tests/torture. */
#include "storage/cache_store.h"

#include "cache_place.h"
#include "storage/cache.h"
#include "storage/dir.h"

static bool has(const struct place *place, const char *text, char digit)
{
	CLEANUP(remote_name_done) struct remote_name name = name_of(text);
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };
	bool ret = false;

	check(cache_has(&place->home, &name, digest_text(digit, digest), &ret, &err), "%s",
	      err.text);
	return ret;
}

static bool is_linked(const struct place *place, const char *text, char digit)
{
	CLEANUP(remote_name_done) struct remote_name name = name_of(text);
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };
	bool ret = false;

	check(cache_is_linked(&place->home, &name, digest_text(digit, digest), &ret, &err), "%s",
	      err.text);
	return ret;
}

static void collect(const struct place *place)
{
	CLEANUP(cache_unlock_host) struct cache_lock lock = CACHE_LOCK_INIT;
	struct err err = { 0 };

	check(cache_lock_host(&place->home, "h", NULL, &lock, &err), "%s", err.text);
	check(cache_collect_host(&place->home, &lock, "h", &err), "%s", err.text);
}

static void install_moves_the_bundle_in(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h:5000/a/b:t");
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	CLEANUP_CLOSE int fd = -1;
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_false(has(&place, "h:5000/a/b:t", '1'));
	temp_of(&place, &temp);
	assert_true(fstat(temp.fd, &st) == 0);
	check(cache_install(&place.home, &name, digest_text('1', digest), &temp, &err), "%s",
	      err.text);
	assert_int_equal(temp.dir_fd, -1);
	assert_true(has(&place, "h:5000/a/b:t", '1'));
	assert_false(is_linked(&place, "h:5000/a/b:t", '1'));
	fd = open_image(&place, "h%3A5000/a/b", '1');
	assert_true(fd >= 0 && fs_exists(fd, BUNDLE_DISK));
	assert_true(fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0700);
}

static void install_keeps_what_is_there(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h/a:t");
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	CLEANUP_CLOSE int fd = -1;
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };

	(void)state;
	store_image(&place, "h/a:t", '1');
	fd = open_image(&place, "h/a", '1');
	place_write(fd, "witness", "of the first");
	temp_of(&place, &temp);
	assert_true(cache_install(&place.home, &name, digest_text('1', digest), &temp, &err));
	assert_true(temp.dir_fd >= 0);
	assert_true(fs_exists(fd, "witness") && is_linked(&place, "h/a:t", '1'));
}

static void install_replaces_what_is_incomplete(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP_CLOSE int fd = -1;

	(void)state;
	store_image(&place, "h/a:t", '1');
	fd = open_image(&place, "h/a", '1');
	assert_int_equal(unlinkat(fd, BUNDLE_NVRAM, 0), 0);
	assert_false(has(&place, "h/a:t", '1'));
	assert_false(is_linked(&place, "h/a:t", '1'));
	store_image(&place, "h/a:t", '1');
	assert_true(is_linked(&place, "h/a:t", '1'));
}

static void failed_install_leaves_nothing(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h/a/b/c:t");
	CLEANUP(temp_release) struct temp temp = TEMP_INIT;
	CLEANUP_STR struct str before = { 0 };
	CLEANUP_STR struct str after = { 0 };
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };

	(void)state;
	store_image(&place, "h/a:t", '1');
	temp_of(&place, &temp);
	/* Somebody has removed it. */
	assert_true(fs_remove_tree(temp.dir_fd, temp.name, &err));
	take_picture(&place, &before);
	assert_false(cache_install(&place.home, &name, digest_text('2', digest), &temp, &err));
	take_picture(&place, &after);
	assert_string_equal(str_text(&before), str_text(&after));
}

static void link_by_tag_is_absolute_and_moves(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP_FREE char *want = NULL;
	char digest[NAME_DIGEST_LEN + 1];
	char text[4096] = "";

	(void)state;
	store_image(&place, "h:1/a/b:t", '1');
	store_image(&place, "h:1/a/b:t", '2');
	assert_false(is_linked(&place, "h:1/a/b:t", '1'));
	assert_true(is_linked(&place, "h:1/a/b:t", '2'));
	assert_true(has(&place, "h:1/a/b:t", '1'));
	assert_true(readlinkat(place.home.cache_fd, "OCIs/h%3A1/a/b/t", text, sizeof(text) - 1) >
		    0);
	want = xasprintf("%s/cache/OCIs/h%%3A1/a/b/%s", place.path, digest_text('2', digest));
	assert_string_equal(text, want);
}

static void digest_is_marked(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP_CLOSE int fd = -1;

	(void)state;
	store_image(&place, "h/a:t", '1');
	assert_false(is_linked(&place, "h/a@1", '1'));
	store_image(&place, "h/a@1", '1');
	assert_true(is_linked(&place, "h/a@1", '1'));
	fd = open_image(&place, "h/a", '1');
	assert_true(fs_exists(fd, BUNDLE_PULLED));
	assert_false(is_linked(&place, "h/a@2", '2'));
}

static bool add_name(void *ctx, const struct cache_item *item, struct err *err)
{
	(void)err;
	str_addf(ctx, "%.8s %d\n", strpbrk(item->name, "@:"), item->is_link);
	return true;
}

/* Counted like a tag: the bundle goes with it. */
static void digest_of_an_index_is_a_link(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h/a@9");
	CLEANUP_STR struct str names = { 0 };
	CLEANUP_STR struct str digest = { 0 };
	CLEANUP_CLOSE int fd = -1;
	char chosen[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };

	(void)state;
	store_image(&place, "h/a@9", '1');
	assert_true(is_linked(&place, "h/a@9", '1'));
	collect(&place);
	fd = open_image(&place, "h/a", '1');
	assert_true(fd >= 0 && !fs_exists(fd, BUNDLE_PULLED));
	assert_true(cache_walk(&place.home, add_name, &names, &err));
	assert_string_equal(str_text(&names), "@sha256: 0\n@sha256: 1\n");
	assert_true(cache_resolve(&place.home, &name, &digest, &err));
	assert_string_equal(str_text(&digest), digest_text('1', chosen));
	assert_true(cache_delete(&place.home, &name, "h/a@9", NULL, &err));
	assert_false(has(&place, "h/a@9", '1'));
}

static void link_stamps_the_access_time(void **state)
{
	const struct timespec long_ago = { .tv_sec = 1000 };
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h/a:t");
	CLEANUP(remote_name_done) struct remote_name by_digest = name_of("h/a@1");
	CLEANUP(remote_name_done) struct remote_name absent = name_of("h/a/b:t");
	CLEANUP_CLOSE int fd = -1;
	struct timespec accessed;
	struct err err = { 0 };

	(void)state;
	store_image(&place, "h/a:t", '1');
	fd = open_image(&place, "h/a", '1');
	assert_true(bundle_touch(fd, &long_ago, &err));
	assert_true(cache_fade(&place.home, &by_digest, &err));
	assert_true(cache_fade(&place.home, &absent, &err));
	assert_true(bundle_accessed(fd, &accessed, &err));
	assert_int_equal(accessed.tv_sec, 1000);
	assert_true(cache_fade(&place.home, &name, &err));
	assert_true(bundle_accessed(fd, &accessed, &err));
	assert_int_equal(accessed.tv_sec, 0);
	store_image(&place, "h/a:t", '1');
	assert_true(bundle_accessed(fd, &accessed, &err));
	assert_true(accessed.tv_sec > 1000);
}

static void collection_spares_links_and_marks(void **state)
{
	CLEANUP(place_done) struct place place = place_make();

	(void)state;
	store_image(&place, "h/a:t", '1');
	store_image(&place, "h/a:t", '2');
	store_image(&place, "h/b@3", '3');
	collect(&place);
	assert_false(has(&place, "h/a:t", '1'));
	assert_true(is_linked(&place, "h/a:t", '2'));
	assert_true(is_linked(&place, "h/b@3", '3'));
}

static void link_needs_its_bundle(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h/a/b:t");
	CLEANUP_STR struct str before = { 0 };
	CLEANUP_STR struct str after = { 0 };
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };

	(void)state;
	take_picture(&place, &before);
	assert_false(cache_link(&place.home, &name, digest_text('1', digest), &err));
	assert_non_null(strstr(err.text, "is not in the cache"));
	take_picture(&place, &after);
	assert_string_equal(str_text(&before), str_text(&after));
}

/* What is in the way, as a name to store or as a path below the home where a file is put. */
static const struct {
	const char *name;
	const char *image;
	const char *file;
	const char *wanted;
	const char *error;
} collisions[] = {
	{ "a tag where the namespace belongs", "h/a:b", NULL, "h/a/b:t",
	  "h/a/b:t cannot be cached: the image h/a:b has the place of its namespace; "
	  "delete what is there, or use another name" },
	{ "a tag further up", "h/a:b", NULL, "h/a/b/c/d:t",
	  "h/a/b/c/d:t cannot be cached: the image h/a:b has the place of its namespace; "
	  "delete what is there, or use another name" },
	{ "a tag, by digest", "h:1/a:b", NULL, "h:1/a/b@2", "the image h:1/a:b has the place" },
	{ "a namespace where the tag belongs", "h/a/b:t", NULL, "h/a:b",
	  "h/a:b cannot be cached: images of h/a/b have the place of its tag; "
	  "delete what is there, or use another name" },
	{ "a longer namespace", "h/a/b/c:t", NULL, "h/a:b", "images of h/a/b have the place" },
	{ "a file where the tag belongs", "h/a:x", "cache/OCIs/h/a/b", "h/a:b",
	  "the cache's h/a/b is neither a link nor a directory" },
	{ "a file where the namespace belongs", "h/a:x", "cache/OCIs/h/a/b", "h/a/b:t",
	  "the cache's h/a/b is not a directory of namespaces" },
	{ "a file for a host", "x/a:b", "cache/OCIs/h", "h/a:b",
	  "the cache's h is not a directory of namespaces" },
};

static void check_collision(const struct place *place, const char *row, const char *text,
			    const char *want)
{
	CLEANUP(remote_name_done) struct remote_name name = name_of(text);
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	CLEANUP_STR struct str before = { 0 };
	CLEANUP_STR struct str after = { 0 };
	char digest[NAME_DIGEST_LEN + 1];
	struct err errs[3] = { { 0 } };

	digest_text('1', digest);
	temp_of(place, &temp);
	take_picture(place, &before);
	check(!cache_check_path(&place->home, &name, &errs[0]), "%s: not seen before", row);
	check(!cache_install(&place->home, &name, digest, &temp, &errs[1]), "%s: installed", row);
	check(!cache_link(&place->home, &name, digest, &errs[2]), "%s: linked", row);
	each_row(errs, err) {
		check(err->kind == ERR_OCI, "%s: kind %d, %s", row, (int)err->kind, err->text);
		check(strstr(err->text, want), "%s: %s", row, err->text);
	}
	take_picture(place, &after);
	check(strcmp(str_text(&before), str_text(&after)) == 0, "%s: changed from\n%sto\n%s", row,
	      str_text(&before), str_text(&after));
}

static void collisions_change_nothing(void **state)
{
	(void)state;
	each_row(collisions, row) {
		CLEANUP(place_done) struct place place = place_make();

		store_image(&place, row->image, '1');
		if (row->file)
			place_write(place.home.root_fd, row->file, "in the way");
		check_collision(&place, row->name, row->wanted, row->error);
	}
}

static void names_that_do_not_collide(void **state)
{
	static const char *const names[] = {
		"h/a:b", "h/a:c", "h/b:a", "h/a@1", "g/a/b:t", "h/n:n"
	};
	CLEANUP(place_done) struct place place = place_make();
	struct err err = { 0 };

	(void)state;
	store_image(&place, "h/a:b", '1');
	each_row(names, text) {
		CLEANUP(remote_name_done) struct remote_name name = name_of(*text);

		check(cache_check_path(&place.home, &name, &err), "%s: %s", *text, err.text);
	}
}

static void release_first(void *ctx)
{
	cache_unlock_host(ctx);
}

/* Told before it waits: the other one lets go then, else this would wait for ever. */
static void waiting_for_a_host_is_told(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(cache_unlock_host) struct cache_lock first = CACHE_LOCK_INIT;
	CLEANUP(cache_unlock_host) struct cache_lock other = CACHE_LOCK_INIT;
	CLEANUP(cache_unlock_host) struct cache_lock second = CACHE_LOCK_INIT;
	const struct wait_notice notice = { .tell = release_first, .ctx = &first };
	struct err err = { 0 };

	(void)state;
	check(cache_lock_host(&place.home, "h:1", &notice, &first, &err), "%s", err.text);
	assert_true(first.fd >= 0);
	assert_true(cache_lock_host(&place.home, "h", &notice, &other, &err));
	assert_true(first.fd >= 0);
	assert_true(cache_lock_host(&place.home, "h:1", &notice, &second, &err));
	assert_int_equal(first.fd, -1);
	assert_true(second.fd >= 0);
}

#define ELSEWHERE "/dev/shm"

/* Puts the cache on another file system than tmp, if there is one. */
static bool move_cache_elsewhere(struct place *place, char *path)
{
	CLEANUP_CLOSE int fd = open(ELSEWHERE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = { 0 };

	if (fd < 0 || fs_same_file_system(fd, place->home.tmp_fd) || !mkdtemp(path))
		return false;
	assert_int_equal(unlinkat(place->home.root_fd, "cache", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat(path, place->home.root_fd, "cache"), 0);
	home_done(&place->home);
	check(home_open(place->path, NULL, &place->home, &err), "%s", err.text);
	return true;
}

static void check_copy(const struct place *place, const struct stat *original)
{
	CLEANUP_CLOSE int fd = open_image(place, "h/a", '1');
	struct stat st;

	assert_true(fs_exists(fd, BUNDLE_MANIFEST));
	assert_int_equal(fstatat(fd, BUNDLE_DISK, &st, 0), 0);
	assert_int_equal(st.st_mode, original->st_mode);
	assert_int_equal(st.st_mtim.tv_sec, original->st_mtim.tv_sec);
	assert_int_equal(st.st_mtim.tv_nsec, original->st_mtim.tv_nsec);
}

static size_t count_entries(int dir_fd)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	assert_true(dir_list(dir_fd, &list, &err));
	return list.names.n;
}

static void install_works_across_file_systems(void **state)
{
	char other[] = ELSEWHERE "/tart-unit.XXXXXX";
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(remote_name_done) struct remote_name name = name_of("h/a:t");
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	char digest[NAME_DIGEST_LEN + 1];
	struct err err = { 0 };
	struct stat st;

	(void)state;
	if (!move_cache_elsewhere(&place, other))
		skip();
	check(temp_make_dir(&place.home, "", "", &temp, &err), "%s", err.text);
	place_fill(temp.fd, "disk");
	place_write(temp.fd, BUNDLE_MANIFEST, "{}");
	assert_int_equal(fchmodat(temp.fd, BUNDLE_DISK, 0444, 0), 0);
	assert_int_equal(fstatat(temp.fd, BUNDLE_DISK, &st, 0), 0);
	check(cache_install(&place.home, &name, digest_text('1', digest), &temp, &err), "%s",
	      err.text);
	check(cache_link(&place.home, &name, digest, &err), "%s", err.text);
	assert_true(is_linked(&place, "h/a:t", '1'));
	check_copy(&place, &st);
	assert_int_equal(count_entries(place.home.tmp_fd), 0);
	assert_int_equal(count_entries(place.home.cache_fd), 1);
	check(fs_remove_tree(AT_FDCWD, other, &err), "%s", err.text);
}

/* Where they can be renamed into the cache. */
static void pulls_lie_near_the_cache(void **state)
{
	char other[] = ELSEWHERE "/tart-unit.XXXXXX";
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(temp_release) struct temp temp = TEMP_INIT;
	struct err err = { 0 };

	(void)state;
	if (!move_cache_elsewhere(&place, other))
		skip();
	check(temp_open_pull(&place.home, "key", &temp, &err), "%s", err.text);
	assert_true(fs_same_file_system(temp.fd, place.home.cache_fd));
	temp_release(&temp);
	assert_true(temp_collect(&place.home, &err));
	assert_int_equal(count_entries(place.home.cache_fd), 1);
	assert_true(temp_collect_pulls(&place.home, &err));
	assert_int_equal(count_entries(place.home.cache_fd), 0);
	check(fs_remove_tree(AT_FDCWD, other, &err), "%s", err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(install_moves_the_bundle_in),
		cmocka_unit_test(install_keeps_what_is_there),
		cmocka_unit_test(install_replaces_what_is_incomplete),
		cmocka_unit_test(failed_install_leaves_nothing),
		cmocka_unit_test(link_by_tag_is_absolute_and_moves),
		cmocka_unit_test(digest_is_marked),
		cmocka_unit_test(digest_of_an_index_is_a_link),
		cmocka_unit_test(link_stamps_the_access_time),
		cmocka_unit_test(collection_spares_links_and_marks),
		cmocka_unit_test(link_needs_its_bundle),
		cmocka_unit_test(collisions_change_nothing),
		cmocka_unit_test(names_that_do_not_collide),
		cmocka_unit_test(waiting_for_a_host_is_told),
		cmocka_unit_test(install_works_across_file_systems),
		cmocka_unit_test(pulls_lie_near_the_cache),
	};

	return unit_main(tests);
}
