/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/note.h. */
#include "image/note.h"

#include "unit.h"

#define BASE "{\"mtime\":\"1700000000.000000001\",\"size\":50000000000}"

static const struct {
	const char *name;
	const char *text;
	bool ok;
	bool has_replacement;
} notes[] = {
	{ "ours", "{\"base\":" BASE ",\"version\":1}", true, false },
	{ "white space and other members",
	  " {\"version\":1, \"digest\":\"sha256:00\", \"base\":{\"size\":50000000000, \"inode\":7,"
	  " \"mtime\":\"1700000000.000000001\"}}\n\n\n",
	  true, false },
	{ "being replaced", "{\"base\":" BASE ",\"replacement\":" BASE ",\"version\":1}", true,
	  true },
	{ "empty", "", false, false },
	{ "no object", "[]", false, false },
	{ "no version", "{\"base\":" BASE "}", false, false },
	{ "version 2", "{\"base\":" BASE ",\"version\":2}", false, false },
	{ "version as text", "{\"base\":" BASE ",\"version\":\"1\"}", false, false },
	{ "no base", "{\"version\":1}", false, false },
	{ "no size", "{\"base\":{\"mtime\":\"1.0\"},\"version\":1}", false, false },
	{ "size as text", "{\"base\":{\"mtime\":\"1.0\",\"size\":\"1\"},\"version\":1}", false,
	  false },
	{ "size negative", "{\"base\":{\"mtime\":\"1.0\",\"size\":-1},\"version\":1}", false,
	  false },
	{ "mtime as number", "{\"base\":{\"mtime\":1.0,\"size\":1},\"version\":1}", false, false },
	{ "mtime too long",
	  "{\"base\":{\"mtime\":\"01234567890123456789012345678901\",\"size\":1},\"version\":1}",
	  false, false },
	{ "replacement without size",
	  "{\"base\":" BASE ",\"replacement\":{\"mtime\":\"1.0\"},\"version\":1}", false, false },
};

static void parses(void **state)
{
	(void)state;
	each_row(notes, row) {
		struct note note = { .base = { .size_bytes = 4711 } };
		struct err err = { 0 };
		bool done = note_parse(span_of(row->text), &note, &err);

		check(done == row->ok, "%s: %s", row->name, done ? "accepted" : err.text);
		check(note.base.size_bytes == (row->ok ? 50000000000 : 4711), "%s: size",
		      row->name);
		if (!row->ok)
			continue;
		check(strcmp(note.base.mtime, "1700000000.000000001") == 0, "%s: mtime", row->name);
		check(note.has_replacement == row->has_replacement, "%s: replacement", row->name);
	}
}

static void prints_what_it_parses(void **state)
{
	(void)state;
	each_row(notes, row) {
		CLEANUP_STR struct str text = { 0 };
		struct err err = { 0 };
		struct note note;
		struct note again;

		if (!row->ok)
			continue;
		assert_true(note_parse(span_of(row->text), &note, &err));
		note_print(&note, &text);
		check(note_parse(str_span(&text), &again, &err), "%s: %s", row->name, err.text);
		check(base_id_equal(&note.base, &again.base), "%s", row->name);
		check(note.has_replacement == again.has_replacement, "%s", row->name);
	}
}

static void a_nanosecond_or_a_byte_makes_another_base(void **state)
{
	struct stat st = { .st_size = 1000, .st_mtim = { .tv_sec = 5, .tv_nsec = 7 } };
	struct base_id id = base_id_of(&st);
	struct base_id other = base_id_of(&st);

	(void)state;
	assert_string_equal(id.mtime, "5.000000007");
	assert_true(base_id_equal(&id, &other));
	st.st_mtim.tv_nsec++;
	other = base_id_of(&st);
	assert_false(base_id_equal(&id, &other));
	st.st_mtim.tv_nsec--;
	st.st_size++;
	other = base_id_of(&st);
	assert_false(base_id_equal(&id, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(prints_what_it_parses),
		cmocka_unit_test(a_nanosecond_or_a_byte_makes_another_base),
	};

	return unit_main(tests);
}
