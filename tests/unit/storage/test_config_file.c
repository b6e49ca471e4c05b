/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/config.h: the file. */
#include "place.h"

static void read_text(int fd, struct str *out)
{
	struct err err = { 0 };

	str_clear(out);
	check(fs_read_file(fd, BUNDLE_CONFIG, CONFIG_SIZE_MAX, out, &err), "%s", err.text);
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstatat(fd, BUNDLE_CONFIG, &st, 0), 0);
	return st.st_ino;
}

/* Longer, shorter and equally long texts: what is in the file is what is printed, on the same inode. */
static void rewrites_in_place(void **state)
{
	static const uint64_t values[] = { 7, UINT64_MAX, 1, 2, 1234567890, 0 };
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };
	ino_t first;

	(void)state;
	config_init_linux(&config, ARCH_ARM64);
	assert_true(config_store(place.home.tmp_fd, &config, &err));
	first = inode(place.home.tmp_fd);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		config_set_memory(&config, values[i]);
		check(config_store(place.home.tmp_fd, &config, &err), "%s", err.text);
		str_clear(&printed);
		config_print(&config, &printed);
		read_text(place.home.tmp_fd, &text);
		assert_string_equal(str_text(&text), str_text(&printed));
		assert_true(inode(place.home.tmp_fd) == first);
	}
}

static void reads_a_padded_file(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(config_done) struct config made = { 0 };
	CLEANUP(config_done) struct config read = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	config_init_linux(&made, ARCH_ARM64);
	config_print(&made, &text);
	str_add(&text, "                                \n  ");
	place_write(place.home.tmp_fd, BUNDLE_CONFIG, str_text(&text));
	check(config_read(place.home.tmp_fd, &read, &err), "%s", err.text);
	assert_true(mac_equal(&made.mac, &read.mac));
}

static void refuses_what_is_too_large(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	struct config config = { .tree = NULL };
	struct err err = { 0 };

	(void)state;
	place_write(place.home.tmp_fd, BUNDLE_CONFIG, "{}");
	{
		CLEANUP_CLOSE int fd = openat(place.home.tmp_fd, BUNDLE_CONFIG,
					      O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, CONFIG_SIZE_MAX + 1), 0);
	}
	assert_false(config_read(place.home.tmp_fd, &config, &err));
	assert_null(config.tree);
	assert_non_null(strstr(err.text, "larger than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewrites_in_place),
		cmocka_unit_test(reads_a_padded_file),
		cmocka_unit_test(refuses_what_is_too_large),
	};

	return unit_main(tests);
}
