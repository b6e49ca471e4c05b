/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/virtiofsd.h. */
#include "machine/virtiofsd.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	const char *want; /* NULL = not taken */
} rows[] = {
	{ "file system",
	  "{\"description\":\"x\",\"type\":\"fs\",\"binary\":\"/usr/lib/qemu/virtiofsd\"}",
	  "/usr/lib/qemu/virtiofsd" },
	{ "graphics", "{\"type\":\"gpu\",\"binary\":\"/usr/lib/qemu/vhost-user-gpu\"}", NULL },
	{ "relative", "{\"type\":\"fs\",\"binary\":\"virtiofsd\"}", NULL },
	{ "no type", "{\"binary\":\"/usr/lib/qemu/virtiofsd\"}", NULL },
	{ "no program", "{\"type\":\"fs\"}", NULL },
	{ "other types", "{\"type\":1,\"binary\":[]}", NULL },
	{ "an array", "[]", NULL },
	{ "no JSON", "type=fs", NULL },
	{ "empty", "", NULL },
};

static void reads_descriptors(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_FREE char *got = virtiofsd_descriptor_parse(span_of(row->text));

		check(row->want ? got && strcmp(got, row->want) == 0 : !got, "%s: %s", row->name,
		      got ? got : "nothing");
	}
}

static void put(const char *dir, const char *name, const char *text)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	struct err err = { 0 };

	check(fd >= 0 && fs_write_all(fd, span_of(text), &err), "cannot write %s", path);
}

static void takes_the_first_that_is_there(void **state)
{
	char dir[] = "/tmp/tart-virtiofsd-XXXXXX";
	CLEANUP_FREE char *program = NULL;
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *got = NULL;
	struct err err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	program = xasprintf("%s/virtiofsd", dir);
	text = xasprintf("{\"type\":\"fs\",\"binary\":\"%s\"}", program);
	put(dir, "virtiofsd", "#!/bin/sh\n");
	put(dir, "10-gone.json", "{\"type\":\"fs\",\"binary\":\"/nonexistent/virtiofsd\"}");
	put(dir, "50-here.json", text);
	put(dir, "60-later.json", "{\"type\":\"fs\",\"binary\":\"/bin/sh\"}");
	put(dir, "05-other.conf", "{\"type\":\"fs\",\"binary\":\"/bin/sh\"}");
	got = virtiofsd_find(dir, NULL);
	assert_non_null(got);
	assert_string_equal(got, program);
	assert_true(fs_remove_tree(AT_FDCWD, dir, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_descriptors),
		cmocka_unit_test(takes_the_first_that_is_there),
	};

	return unit_main(tests);
}
