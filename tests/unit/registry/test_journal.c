/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/journal.h. */
#include "registry/journal.h"

#include <string.h>
#include <unistd.h>

#include "temp_dir.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define FIRST "tart-pull-journal 1 7 1000 5"

/* Lines get their checks; "!" in front keeps a line as it is, without a newline. */
static void add_line(struct str *out, const char *line)
{
	char hex[DIGEST_HEX_SIZE];

	if (line[0] == '!') {
		str_add(out, line + 1);
		return;
	}
	digest_of(span_of(line), hex);
	str_addf(out, "%s %.16s\n", line, hex);
}

static const struct {
	const char *name;
	const char *lines[4];
	int want; /* entries, -1 = no journal */
} texts[] = {
	{ "whole", { FIRST, "0 10 " HEX_A, "10 990 " HEX_B }, 2 },
	{ "no entries", { FIRST }, 0 },
	{ "nothing", { "" }, -1 },
	{ "no newline at all", { "!" FIRST }, -1 },
	{ "another version", { "tart-pull-journal 2 7 1000 5" }, -1 },
	{ "another file", { "tart-push-journal 1 7 1000 5" }, -1 },
	{ "a number is missing", { "tart-pull-journal 1 7 1000" }, -1 },
	{ "a number too much", { FIRST " 5" }, -1 },
	{ "a sign", { "tart-pull-journal 1 7 +1000 5" }, -1 },
	{ "torn", { FIRST, "0 10 " HEX_A, "!10 990 " }, 1 },
	{ "torn before its newline", { FIRST, "!0 10 " HEX_A " 0123456789abcdef" }, 0 },
	{ "wrong check", { FIRST, "!0 10 " HEX_A " 0123456789abcdef\n", "10 990 " HEX_B }, 0 },
	{ "wrong check in front", { "!" FIRST " 0123456789abcdef\n", "0 10 " HEX_A }, -1 },
	{ "what follows a bad line does not count", { FIRST, "0 x " HEX_A, "0 10 " HEX_A }, 0 },
	{ "past the end", { FIRST, "1 1000 " HEX_A }, 0 },
	{ "so far that it wraps", { FIRST, "18446744073709551615 2 " HEX_A }, 0 },
	{ "short digest", { FIRST, "0 10 aa" }, 0 },
	{ "upper case digest", { FIRST, "0 10 A" HEX_A }, 0 },
	{ "a word too much", { FIRST, "0 10 " HEX_A " 1" }, 0 },
	{ "a blank at the end", { FIRST, "0 10 " HEX_A " " }, 0 },
};

static void reads_what_can_be_relied_on(void **state)
{
	(void)state;
	each_row(texts, row) {
		CLEANUP_STR struct str text = { 0 };
		CLEANUP(journal_text_done) struct journal_text got = { .disk = { 0 } };
		int n;

		for (size_t i = 0; i < ARRAY_LEN(row->lines) && row->lines[i]; i++)
			add_line(&text, row->lines[i]);
		n = journal_parse(str_span(&text), &got) ? (int)got.entries.n : -1;
		check(n == row->want, "%s: got %d", row->name, n);
	}
}

static void reads_the_numbers(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP(journal_text_done) struct journal_text got = { .disk = { 0 } };

	(void)state;
	add_line(&text, FIRST);
	add_line(&text, "10 990 " HEX_B);
	assert_true(journal_parse(str_span(&text), &got));
	assert_int_equal(got.disk.inode, 7);
	assert_int_equal(got.disk.size_bytes, 1000);
	assert_int_equal(got.disk.born_ns, 5);
	assert_int_equal(got.entries.v[0].offset, 10);
	assert_int_equal(got.entries.v[0].data_bytes, 990);
	assert_string_equal(got.entries.v[0].data_digest, HEX_B);
}

static void is_cut_off_at_any_byte(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	size_t first_end;
	size_t second_end;

	(void)state;
	add_line(&text, FIRST);
	first_end = text.len;
	add_line(&text, "0 10 " HEX_A);
	second_end = text.len;
	add_line(&text, "10 990 " HEX_B);
	for (size_t len = 0; len <= text.len; len++) {
		CLEANUP(journal_text_done) struct journal_text got = { .disk = { 0 } };
		bool ok = journal_parse(span_first(str_span(&text), len), &got);
		size_t want = (len >= second_end ? 1U : 0) + (len == text.len ? 1U : 0);

		check(ok == (len >= first_end) && got.entries.n == want, "%zu bytes", len);
	}
}

static int make_disk(const struct temp_dir *dir, const char *name, off_t size)
{
	int fd = openat(dir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static struct journal_entry entry_at(uint64_t offset)
{
	struct journal_entry entry = { .offset = offset, .data_bytes = 10 };

	memcpy(entry.data_digest, HEX_A, sizeof(HEX_A));
	return entry;
}

static size_t count(const struct temp_dir *dir, int disk_fd)
{
	CLEANUP(journal_text_done) struct journal_text got = { .disk = { 0 } };

	journal_read(dir->fd, JOURNAL_FILE, disk_fd, &got);
	return got.entries.n;
}

static void is_about_one_file(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int disk_fd = make_disk(dir, "disk.img", 1000);
	CLEANUP_CLOSE int other_fd = make_disk(dir, "other.img", 1000);
	CLEANUP(journal_text_done) struct journal_text entries = { .disk = { 0 } };
	CLEANUP(journal_cleanup) struct journal *journal = NULL;
	struct err err = { 0 };

	*vec_push(&entries.entries) = entry_at(0);
	*vec_push(&entries.entries) = entry_at(500);
	assert_true(journal_begin(dir->fd, disk_fd, &entries, &journal, &err));
	assert_int_equal(count(dir, disk_fd), 2);
	assert_int_equal(count(dir, other_fd), 0);
	assert_int_equal(ftruncate(disk_fd, 2000), 0);
	assert_int_equal(count(dir, disk_fd), 0);
}

static void replaces_an_older_one(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int disk_fd = make_disk(dir, "disk.img", 1000);
	CLEANUP(journal_text_done) struct journal_text entries = { .disk = { 0 } };
	CLEANUP(journal_cleanup) struct journal *first = NULL;
	CLEANUP(journal_cleanup) struct journal *second = NULL;
	struct err err = { 0 };

	*vec_push(&entries.entries) = entry_at(0);
	assert_true(journal_begin(dir->fd, disk_fd, &entries, &first, &err));
	entries.entries.n = 0;
	assert_true(journal_begin(dir->fd, disk_fd, &entries, &second, &err));
	assert_int_equal(count(dir, disk_fd), 0);
}

/* More than one sync's worth, and what is left at the end. */
static void keeps_what_is_added(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int disk_fd = make_disk(dir, "disk.img", 1000);
	CLEANUP(journal_text_done) struct journal_text entries = { .disk = { 0 } };
	CLEANUP(journal_cleanup) struct journal *journal = NULL;
	struct err err = { 0 };

	*vec_push(&entries.entries) = entry_at(990);
	assert_true(journal_begin(dir->fd, disk_fd, &entries, &journal, &err));
	for (uint64_t i = 0; i < 50; i++) {
		struct journal_entry entry = entry_at(i * 10);

		assert_true(journal_add(journal, &entry, &err));
		if (i == 20) /* seen without being ended */
			while (count(dir, disk_fd) < 2)
				(void)usleep(1000);
	}
	assert_true(journal_end(journal, &err));
	assert_int_equal(count(dir, disk_fd), 51);
}

static void syncs_when_it_is_freed(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int disk_fd = make_disk(dir, "disk.img", 1000);
	const struct journal_text none = { .disk = { 0 } };
	struct journal_entry entry = entry_at(0);
	struct journal *journal = NULL;
	struct err err = { 0 };

	assert_true(journal_begin(dir->fd, disk_fd, &none, &journal, &err));
	assert_true(journal_add(journal, &entry, &err));
	journal_free(journal);
	assert_int_equal(count(dir, disk_fd), 1);
}

/* What cannot be synced, a pipe here, fails where the next stretch is added, and in the end. */
static void says_what_cannot_be_synced(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(journal_cleanup) struct journal *journal = NULL;
	const struct journal_text none = { .disk = { 0 } };
	struct journal_entry entry = entry_at(0);
	struct err err = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(journal_begin(dir->fd, ends[1], &none, &journal, &err));
	while (journal_add(journal, &entry, &err))
		(void)usleep(1000);
	assert_non_null(strstr(err.text, "cannot sync the disk"));
	assert_false(journal_end(journal, &err));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_can_be_relied_on),
		cmocka_unit_test(reads_the_numbers),
		cmocka_unit_test(is_cut_off_at_any_byte),
		temp_dir_test(is_about_one_file),
		temp_dir_test(replaces_an_older_one),
		temp_dir_test(keeps_what_is_added),
		temp_dir_test(syncs_when_it_is_freed),
		temp_dir_test(says_what_cannot_be_synced),
	};

	return unit_main(tests);
}
