/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/err.h. */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static void macros_end_in_false(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(err_set(&err, ERR_GENERAL, "x"));
	assert_false(err_sys(&err, EIO, "x"));
	assert_false(err_context(&err, "x"));
	assert_false(err_reclass(&err, ERR_IMPORT));
}

static void set_replaces_everything(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_sys(&err, ENOSPC, "cannot write '%s'", "disk.img");
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_int_equal(err.sys, ENOSPC);
	assert_string_equal(err.text, "cannot write 'disk.img': No space left on device");
	(void)err_set(&err, ERR_OCI, "%d links", 3);
	assert_int_equal(err.kind, ERR_OCI);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.text, "3 links");
	err_clear(&err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.text, "");
}

static void context_goes_in_front_and_keeps_class_and_errno(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_sys(&err, ENOENT, "cannot open 'a'");
	(void)err_reclass(&err, ERR_EXPORT);
	(void)err_context(&err, "VM '%s'", "x");
	(void)err_context(&err, "list");
	assert_string_equal(err.text, "list: VM 'x': cannot open 'a': No such file or directory");
	assert_int_equal(err.kind, ERR_EXPORT);
	assert_int_equal(err.sys, ENOENT);
}

static void detail_stays_until_the_next_error(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_set(&err, ERR_GENERAL, "HTTP 500");
	err_set_detail(&err, span_of("<html>"));
	(void)err_context(&err, "pulling");
	(void)err_reclass(&err, ERR_IMPORT);
	assert_string_equal(err.text, "pulling: HTTP 500");
	assert_string_equal(err.detail, "<html>");
	(void)err_set(&err, ERR_GENERAL, "other");
	assert_string_equal(err.detail, "");
	err_set_detail(&err, span_of("more"));
	(void)err_sys(&err, EIO, "other");
	assert_string_equal(err.detail, "");
	err_set_detail(&err, span_of("more"));
	err_clear(&err);
	assert_string_equal(err.detail, "");
	err_set_detail(&err, span_make(NULL, 0));
	assert_string_equal(err.detail, "");
}

static void detail_ends_with_a_whole_character(void **state)
{
	struct err err = { 0 };
	char text[sizeof(err.detail) + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	/* Four bytes, of which two would fit. */
	memcpy(text + sizeof(err.detail) - 3, "\xf0\x9f\x98\x80", 4);
	err_set_detail(&err, span_make(text, sizeof(text)));
	assert_int_equal(strlen(err.detail), sizeof(err.detail) - 3);
}

/* What the interface promises about each class: exit code, prefix, and whether context may change the text. */
static const struct {
	const char *name;
	enum err_kind kind;
	int exit_code;
	const char *prefix;
	bool fixed;
} classes[] = {
	{ "general", ERR_GENERAL, 1, "Error: ", false },
	{ "usage", ERR_USAGE, 64, "Error: ", true },
	{ "cancelled", ERR_CANCELLED, 1, "Error: ", true },
	{ "VM missing", ERR_VM_MISSING, 2, "", true },
	{ "VM incomplete", ERR_VM_INCOMPLETE, 1, "", true },
	{ "VM running", ERR_VM_RUNNING, 1, "", true },
	{ "VM not running", ERR_VM_NOT_RUNNING, 2, "", true },
	{ "VM already running", ERR_VM_ALREADY_RUNNING, 2, "", true },
	{ "remote name", ERR_REMOTE_NAME, 1, "", true },
	{ "disk size", ERR_DISK_SIZE, 1, "", true },
	{ "disk busy", ERR_DISK_BUSY, 1, "", true },
	{ "block device", ERR_BLOCK_DEVICE, 1, "", true },
	{ "resources", ERR_RESOURCES, 1, "Error: ", true },
	{ "OCI", ERR_OCI, 1, "OCI storage error: ", false },
	{ "import", ERR_IMPORT, 1, "VM import failed: ", false },
	{ "export", ERR_EXPORT, 1, "VM export failed: ", false },
	{ "stop", ERR_STOP, 1, "", true },
	{ "target exists", ERR_EXISTS, 1, "", true },
	{ "transport", ERR_TRANSPORT, 1, "Error: ", false },
	{ "credentials", ERR_CREDENTIALS, 1, "invalid credentials: ", false },
	{ "host", ERR_HOST, 1, "", true },
	{ "corrupt", ERR_CORRUPT, 1, "Error: ", false },
	{ "softnet", ERR_SOFTNET, 1, "Softnet failed: ", false },
	{ "no ip", ERR_NO_IP, 1, "", true },
};

static void each_class_keeps_its_promise(void **state)
{
	(void)state;
	/* ERR_NONE has no row: a new class without one fails here. */
	assert_int_equal(ARRAY_LEN(classes), ERR_KIND_COUNT - 1);
	each_row(classes, row) {
		struct err err = { 0 };

		(void)err_set(&err, row->kind, "text");
		(void)err_context(&err, "more");
		check(strcmp(err.text, row->fixed ? "text" : "more: text") == 0, "%s: '%s'",
		      row->name, err.text);
		check(err_exit_code(row->kind) == row->exit_code, "%s: exit %d", row->name,
		      err_exit_code(row->kind));
		check(strcmp(err_prefix(row->kind), row->prefix) == 0, "%s: prefix '%s'", row->name,
		      err_prefix(row->kind));
		(void)err_reclass(&err, ERR_GENERAL);
		check(err.kind == (row->fixed ? row->kind : ERR_GENERAL), "%s: class %d", row->name,
		      (int)err.kind);
	}
}

static void too_long_texts_are_cut_with_dots(void **state)
{
	const size_t room = sizeof(((struct err *)NULL)->text) - 1;
	char fits[sizeof(((struct err *)NULL)->text)];
	char longer[sizeof(fits) + 1];
	struct err err = { 0 };

	(void)state;
	memset(fits, 'x', room);
	fits[room] = '\0';
	memset(longer, 'x', room + 1);
	longer[room + 1] = '\0';

	(void)err_set(&err, ERR_GENERAL, "%s", fits);
	assert_string_equal(err.text, fits);
	(void)err_set(&err, ERR_GENERAL, "%s", longer);
	assert_int_equal(strlen(err.text), room);
	assert_string_equal(err.text + room - 4, "x...");
	(void)err_set(&err, ERR_GENERAL, "%s", fits);
	(void)err_context(&err, "context");
	assert_int_equal(strlen(err.text), room);
	assert_memory_equal(err.text, "context: x", 10);
	assert_string_equal(err.text + room - 4, "x...");
	(void)err_sys(&err, EIO, "%s", fits);
	assert_string_equal(err.text + room - 4, "x...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macros_end_in_false),
		cmocka_unit_test(set_replaces_everything),
		cmocka_unit_test(context_goes_in_front_and_keeps_class_and_errno),
		cmocka_unit_test(detail_stays_until_the_next_error),
		cmocka_unit_test(detail_ends_with_a_whole_character),
		cmocka_unit_test(each_class_keeps_its_promise),
		cmocka_unit_test(too_long_texts_are_cut_with_dots),
	};

	return unit_main(tests);
}
