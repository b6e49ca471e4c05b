/* SPDX-License-Identifier: Apache-2.0 */
/* An empty home below the system's temporary folder, for one test. */
#ifndef TART_TESTS_STORAGE_PLACE_H
#define TART_TESTS_STORAGE_PLACE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "storage/bundle.h"
#include "storage/config.h"
#include "storage/home.h"
#include "unit.h"

struct place {
	char *path;
	struct home home;
	int vms_fd;
};

static inline void place_done(struct place *place)
{
	struct err err = { 0 };

	home_done(&place->home);
	cleanup_close(&place->vms_fd);
	check(fs_remove_tree(AT_FDCWD, place->path, &err), "%s", err.text);
	free(place->path);
}

static inline struct place place_make(void)
{
	const char *tmp = getenv("TMPDIR");
	struct place place = { .home = HOME_INIT, .vms_fd = -1 };
	struct err err = { 0 };

	place.path = xasprintf("%s/tart-unit.XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
	assert_non_null(mkdtemp(place.path));
	check(home_open(place.path, NULL, &place.home, &err), "%s", err.text);
	check(home_open_vms(&place.home, &place.vms_fd, &err), "%s", err.text);
	return place;
}

static inline void place_write(int dir_fd, const char *name, const char *text)
{
	CLEANUP_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct err err = { 0 };

	assert_true(fd >= 0);
	assert_true(fs_write_all(fd, span_of(text), &err));
}

/* Fills a directory with the files of a VM; the disk's text tells VMs apart. */
static inline void place_fill(int dir_fd, const char *disk)
{
	CLEANUP(config_done) struct config config = { 0 };
	struct err err = { 0 };

	config_init_linux(&config, ARCH_AMD64);
	check(config_store(dir_fd, &config, &err), "%s", err.text);
	place_write(dir_fd, BUNDLE_DISK, disk);
	place_write(dir_fd, BUNDLE_NVRAM, "nvram");
}

static inline void place_add_vm(const struct place *place, const char *name, const char *disk)
{
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	assert_int_equal(mkdirat(place->vms_fd, name, 0700), 0);
	assert_true(fs_open_dir(place->vms_fd, name, &fd, &err));
	place_fill(fd, disk);
}

#endif
