/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/credential_file.h. */
#include "registry/credential_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "temp_dir.h"

static void use(const struct temp_dir *dir)
{
	(void)setenv("HOME", dir->path, 1);
	(void)unsetenv("XDG_CONFIG_HOME");
}

static bool store(const char *host, const char *user, const char *password)
{
	CLEANUP(credentials_done) struct credentials c = { xstrdup(user), xstrdup(password) };
	struct err err = { 0 };

	check(credential_file_store(host, &c, &err), "%s", err.text);
	return true;
}

static void expect(const char *host, const char *user, const char *password)
{
	CLEANUP(credentials_done) struct credentials got = { 0 };
	struct err err = { 0 };
	bool found = false;

	check(credential_file_find(host, &got, &found, &err), "%s: %s", host, err.text);
	check(found == !!user, "%s: found %d", host, found);
	check(!user || (strcmp(got.user, user) == 0 && strcmp(got.password, password) == 0),
	      "%s: %s", host, got.user);
}

static unsigned mode_of(const struct temp_dir *dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777U;
}

static void put(const struct temp_dir *dir, const char *text)
{
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	(void)fs_make_dir(dir->fd, ".config", 0700, &err);
	(void)fs_make_dir(dir->fd, ".config/tart", 0700, &err);
	assert_true(fs_open_dir(dir->fd, ".config/tart", &fd, &err));
	assert_true(fs_replace_file(fd, "auth.json", span_of(text), 0600, &err));
}

static void assert_file(const struct temp_dir *dir, const char *want)
{
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	assert_true(fs_read_file(dir->fd, ".config/tart/auth.json", 4096, &text, &err));
	assert_string_equal(str_text(&text), want);
}

static void finds_what_it_stores(void **state)
{
	struct temp_dir *dir = *state;
	struct err err = { 0 };

	use(dir);
	(void)umask(0);
	expect("h:5000", NULL, NULL);
	check(credential_file_erase("h:5000", &err), "%s", err.text);
	assert_false(fs_exists(dir->fd, ".config"));
	store("h:5000", "me", "a:b");
	expect("h:5000", "me", "a:b");
	expect("h", NULL, NULL);
	assert_int_equal(mode_of(dir, ".config/tart"), 0700);
	assert_int_equal(mode_of(dir, ".config/tart/auth.json"), 0600);
	assert_int_equal(mode_of(dir, ".config/tart/auth.lock"), 0600);
	assert_file(
		dir,
		"{\n  \"auths\" : {\n    \"h:5000\" : {\n      \"auth\" : \"bWU6YTpi\"\n    }\n  }\n}\n");
	store("i", "you", "");
	store("h:5000", "me", "new");
	expect("h:5000", "me", "new");
	expect("i", "you", "");
	check(credential_file_erase("h:5000", &err), "%s", err.text);
	expect("h:5000", NULL, NULL);
	expect("i", "you", "");
	check(credential_file_erase("h:5000", &err), "%s", err.text);
}

static void lies_where_settings_are(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP_FREE char *elsewhere = xasprintf("%s/a/b", dir->path);
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE char *other = NULL;
	CLEANUP_FREE char *third = NULL;

	use(dir);
	path = credential_file_shown_path();
	assert_string_equal(path, "~/.config/tart/auth.json");
	(void)setenv("XDG_CONFIG_HOME", elsewhere, 1);
	other = credential_file_shown_path();
	assert_string_equal(other, "~/a/b/tart/auth.json");
	store("h", "u", "p");
	assert_true(fs_exists(dir->fd, "a/b/tart/auth.json"));
	expect("h", "u", "p");
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	third = credential_file_shown_path();
	assert_string_equal(third, "/nonexistent/tart/auth.json");
	expect("h", NULL, NULL);
}

static void keeps_what_it_does_not_know(void **state)
{
	struct temp_dir *dir = *state;

	use(dir);
	put(dir, "{\"x\":1.50,\"auths\":{\"h\":{\"auth\":\"dTpw\",\"y\":[]},\"i\":7}}");
	expect("h", "u", "p");
	expect("i", NULL, NULL);
	store("j", "a", "b");
	assert_file(
		dir,
		"{\n  \"x\" : 1.50,\n  \"auths\" : {\n    \"h\" : {\n      \"auth\" : \"dTpw\",\n"
		"      \"y\" : [\n\n      ]\n    },\n    \"i\" : 7,\n    \"j\" : {\n"
		"      \"auth\" : \"YTpi\"\n    }\n  }\n}\n");
}

static const struct {
	const char *name;
	const char *text;
} broken[] = {
	{ "empty", "" },
	{ "cut off", "{\"auths\":{" },
	{ "no object", "[]" },
	{ "auths is none", "{\"auths\":[]}" },
	{ "twice", "{\"auths\":{\"h\":{},\"h\":{}}}" },
};

static void leaves_alone_what_it_cannot_read(void **state)
{
	struct temp_dir *dir = *state;

	use(dir);
	each_row(broken, row) {
		CLEANUP(credentials_done) struct credentials c = { xstrdup("u"), xstrdup("p") };
		CLEANUP(credentials_done) struct credentials got = { 0 };
		struct err err = { 0 };
		bool found;

		put(dir, row->text);
		check(!credential_file_find("h", &got, &found, &err), "%s: found", row->name);
		check(span_starts_with(span_of(err.text), "~/.config/tart/auth.json: "), "%s: %s",
		      row->name, err.text);
		check(!credential_file_store("h", &c, &err), "%s: stored", row->name);
		check(!credential_file_erase("h", &err), "%s: erased", row->name);
		assert_file(dir, row->text);
	}
}

static void does_not_use_what_others_can_read(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0666, 0610 };
	struct temp_dir *dir = *state;

	use(dir);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		CLEANUP(credentials_done) struct credentials got = { 0 };
		struct err err = { 0 };
		bool found = false;

		put(dir, "{\"auths\":{\"h\":{\"auth\":\"dTpw\"}}}");
		assert_int_equal(fchmodat(dir->fd, ".config/tart/auth.json", modes[i], 0), 0);
		check(!credential_file_find("h", &got, &found, &err), "%o: used", modes[i]);
		check(strstr(err.text, "others can get at its passwords"), "%s", err.text);
		check(!found && !got.user, "%o: output", modes[i]);
		store("i", "a", "b");
		assert_int_equal(mode_of(dir, ".config/tart/auth.json"), 0600);
		expect("h", "u", "p");
		expect("i", "a", "b");
	}
}

static void *store_many(void *ctx)
{
	for (int i = 0; i < 20; i++) {
		CLEANUP_FREE char *host = xasprintf("%s%d", (const char *)ctx, i);

		store(host, "u", host);
	}
	return NULL;
}

static void none_is_lost_to_another(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	pthread_t threads[4];

	use(*state);
	for (size_t t = 0; t < ARRAY_LEN(threads); t++)
		assert_int_equal(pthread_create(&threads[t], NULL, store_many, names[t]), 0);
	for (size_t t = 0; t < ARRAY_LEN(threads); t++)
		assert_int_equal(pthread_join(threads[t], NULL), 0);
	for (size_t t = 0; t < ARRAY_LEN(threads); t++)
		for (int i = 0; i < 20; i++) {
			CLEANUP_FREE char *host = xasprintf("%s%d", names[t], i);

			expect(host, "u", host);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(finds_what_it_stores),
		temp_dir_test(lies_where_settings_are),
		temp_dir_test(keeps_what_it_does_not_know),
		temp_dir_test(leaves_alone_what_it_cannot_read),
		temp_dir_test(does_not_use_what_others_can_read),
		temp_dir_test(none_is_lost_to_another),
	};

	return unit_main(tests);
}
