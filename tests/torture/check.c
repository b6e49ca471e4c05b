/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints of VMs, and the rules that hold after a kill. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "image/disk.h"
#include "image/extent.h"
#include "storage/cache.h"
#include "storage/config.h"
#include "storage/local.h"

#define BLOCK_BYTES 65536

static bool add_file(struct digest *digest, int dir_fd, const char *name, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!fs_read_file(dir_fd, name, 256 << 20, &text, err))
		return false;
	digest_add(digest, str_text(&text), text.len);
	return true;
}

/* Without the MAC address, which a clone may have got anew. */
static bool add_config(struct digest *digest, int dir_fd, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP_STR struct str text = { 0 };

	if (!config_read(dir_fd, &config, err))
		return false;
	json_remove(config.tree, "macAddress");
	config_print(&config, &text);
	digest_add(digest, str_text(&text), text.len);
	return true;
}

static bool is_zero(const char *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

/* Blocks of zeros count as holes: the same disk may be stored in several ways. */
static bool add_block(struct digest *digest, const struct extent *extent, uint64_t at,
		      struct err *err)
{
	char block[BLOCK_BYTES] = { 0 };
	uint64_t left = extent->start + extent->len - at;
	size_t len = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
	ssize_t n = pread(extent->fd, block, len, (off_t)(extent->fd_offset + at - extent->start));

	if (n < 0)
		return err_sys(err, errno, "cannot read the disk");
	if (!is_zero(block, sizeof(block))) {
		digest_add(digest, &at, sizeof(at));
		digest_add(digest, block, sizeof(block));
	}
	return true;
}

static bool add_disk(struct digest *digest, int dir_fd, struct err *err)
{
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;
	struct extent extent = { .len = 0 };
	uint64_t size;

	if (!disk_check(dir_fd, err) || !disk_open_extents(dir_fd, &map, err))
		return false;
	size = extent_map_size(map);
	digest_add(digest, &size, sizeof(size));
	for (uint64_t at = 0; at < size; at = extent.start + extent.len) {
		if (!extent_map_next(map, at, &extent, err))
			return false;
		if (extent.len == 0)
			break;
		for (uint64_t block = extent.start; block < extent.start + extent.len;
		     block += BLOCK_BYTES)
			if (!add_block(digest, &extent, block, err))
				return false;
	}
	return true;
}

static bool fingerprint(int fd, char ret[DIGEST_HEX_SIZE], struct err *err)
{
	CLEANUP(digest_cleanup) struct digest *digest = digest_new();

	if (!add_config(digest, fd, err) || !add_disk(digest, fd, err) ||
	    !add_file(digest, fd, BUNDLE_NVRAM, err) ||
	    (fs_exists(fd, BUNDLE_STATE) && !add_file(digest, fd, BUNDLE_STATE, err)))
		return false;
	digest_finish(digest, ret);
	return true;
}

struct taking {
	struct snapshot *snapshot;
	struct str *problem;
};

static void take_one(const struct taking *taking, const char *name, int fd)
{
	struct print print = { .name = NULL };
	struct err err = { 0 };

	if (!fingerprint(fd, print.hex, &err)) {
		str_addf(taking->problem, "%s: %s\n", name, err.text);
		return;
	}
	print.name = xstrdup(name);
	*vec_push(&taking->snapshot->prints) = print;
}

static bool take_image(void *ctx, const struct cache_item *item, struct err *err)
{
	(void)err;
	if (item->bundle_fd >= 0)
		take_one(ctx, item->name, item->bundle_fd);
	return true;
}

/* Whole or absent: there is nothing in vms but initialized bundles. */
static void take_vms(const struct home *home, const struct taking *taking)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	CLEANUP_CLOSE int vms_fd = -1;
	struct err err = { 0 };

	if (!home_open_vms(home, &vms_fd, &err) || !dir_list(vms_fd, &list, &err)) {
		str_addf(taking->problem, "%s\n", err.text);
		return;
	}
	vec_each(&list.names, name) {
		CLEANUP_CLOSE int fd = -1;

		if (local_peek(home, *name, &fd, &err))
			take_one(taking, *name, fd);
		else
			str_addf(taking->problem, "vms/%s: %s\n", *name, err.text);
	}
}

void snapshot_take(const char *home_path, struct snapshot *ret, struct str *problem)
{
	CLEANUP(home_done) struct home home = HOME_INIT;
	struct taking taking = { .snapshot = ret, .problem = problem };
	struct err err = { 0 };

	if (!home_open(home_path, NULL, &home, &err)) {
		str_addf(problem, "%s\n", err.text);
		return;
	}
	take_vms(&home, &taking);
	if (!cache_walk(&home, take_image, &taking, &err))
		str_addf(problem, "%s\n", err.text);
}

void snapshot_done(struct snapshot *snapshot)
{
	vec_each(&snapshot->prints, print)
		free(print->name);
	vec_done(&snapshot->prints);
}

const char *snapshot_find(const struct snapshot *snapshot, const char *name)
{
	vec_each(&snapshot->prints, print) {
		if (strcmp(print->name, name) == 0)
			return print->hex;
	}
	return NULL;
}

bool snapshot_has(const struct snapshot *snapshot, const char *hex)
{
	vec_each(&snapshot->prints, print) {
		if (strcmp(print->hex, hex) == 0)
			return true;
	}
	return false;
}

static bool is_one_of(const char *hex, const char *a, const char *b)
{
	return (a && strcmp(hex, a) == 0) || (b && strcmp(hex, b) == 0);
}

static bool is_aside(const struct print *print, const struct snapshot *aside)
{
	return aside && span_starts_with(span_of(print->name), "replaced-") &&
	       snapshot_has(aside, print->hex);
}

/* Nothing is there but what was there, or is to be. */
static void check_content(const struct snapshot *before, const struct snapshot *after,
			  const struct snapshot *now, const struct snapshot *aside,
			  struct str *problem)
{
	vec_each(&now->prints, print) {
		if (!is_one_of(print->hex, snapshot_find(before, print->name),
			       snapshot_find(after, print->name)) &&
		    !is_aside(print, aside))
			str_addf(problem, "%s is neither as it was nor as it is to be\n",
				 print->name);
	}
}

/* What is there before and after is there in between: under its name, and some name if it is renamed. */
static void check_presence(const struct snapshot *before, const struct snapshot *after,
			   const struct snapshot *now, const struct snapshot *aside,
			   struct str *problem)
{
	vec_each(&before->prints, print) {
		if (snapshot_find(after, print->name) && !snapshot_find(now, print->name) &&
		    !(aside && snapshot_has(now, print->hex)))
			str_addf(problem, "%s has vanished\n", print->name);
		if (snapshot_has(after, print->hex) && !snapshot_has(now, print->hex))
			str_addf(problem, "what was in %s has vanished\n", print->name);
	}
}

void snapshot_compare(const struct snapshot *before, const struct snapshot *after,
		      const struct snapshot *now, const struct snapshot *aside, struct str *problem)
{
	check_content(before, after, now, aside, problem);
	check_presence(before, after, now, aside, problem);
}

/* nftw() passes no context on. */
static struct str *leftovers;

static int note_leftover(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct span name = span_of(path + ftw->base);

	(void)st;
	(void)type;
	if (ftw->level > 0 && ((name.ptr[0] == '.' && !span_is(name, BUNDLE_PULLED)) ||
			       span_ends_with(name, ".part") || span_ends_with(name, ".tmp")))
		str_addf(leftovers, "left over: %s\n", path);
	return 0;
}

static int note_anything(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (ftw->level > 0)
		str_addf(leftovers, "left over: %s\n", path);
	return 0;
}

void leftovers_find(const char *home_path, const char *also_below, struct str *problem)
{
	CLEANUP_FREE char *tmp = xasprintf("%s/tmp", home_path);

	leftovers = problem;
	(void)nftw(tmp, note_anything, 16, FTW_PHYS);
	(void)nftw(home_path, note_leftover, 16, FTW_PHYS);
	(void)nftw(also_below, note_leftover, 16, FTW_PHYS);
}
