/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for each test: cmocka_unit_test_setup_teardown(test, temp_dir_make, temp_dir_remove). */
#ifndef TART_TESTS_TEMP_DIR_H
#define TART_TESTS_TEMP_DIR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/mem.h"
#include "unit.h"

struct temp_dir {
	char path[256];
	int fd;
};

/* Puts a struct temp_dir * into *state. */
static inline int temp_dir_make(void **state)
{
	struct temp_dir *dir = xcalloc(1, sizeof(*dir));
	const char *below = getenv("TMPDIR");
	struct err err = { 0 };

	(void)snprintf(dir->path, sizeof(dir->path), "%s/tart-unit.XXXXXX", below ? below : "/tmp");
	*state = dir;
	return mkdtemp(dir->path) && fs_open_dir(AT_FDCWD, dir->path, &dir->fd, &err) ? 0 : -1;
}

static inline int temp_dir_remove(void **state)
{
	struct temp_dir *dir = *state;
	struct err err = { 0 };
	bool ok = fs_remove_tree(AT_FDCWD, dir->path, &err);

	(void)close(dir->fd);
	free(dir);
	return ok ? 0 : -1;
}

#define temp_dir_test(test) cmocka_unit_test_setup_teardown(test, temp_dir_make, temp_dir_remove)

#endif
