/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and checking what is pushed. */
#include "registry/push_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"
#include "storage/cache.h"
#include "storage/extras.h"
#include "storage/local.h"

void push_source_done(struct push_source *source)
{
	remote_name_done(&source->image);
	config_done(&source->config);
	str_done(&source->config_text);
	cleanup_close(&source->nvram_fd);
	bundle_unlock(&source->lock);
	cleanup_close(&source->bundle_fd);
	*source = (struct push_source)PUSH_SOURCE_INIT;
}

static bool open_cached(const struct home *home, struct push_source *source, struct err *err)
{
	CLEANUP_STR struct str digest = { 0 };
	CLEANUP_STR struct str text = { 0 };

	if (!cache_open(home, &source->image, &source->bundle_fd, err))
		return false;
	if (source->bundle_fd < 0) {
		remote_name_print(&source->image, &text);
		return err_vm_missing(err, str_text(&text));
	}
	if (!cache_resolve(home, &source->image, &digest, err))
		return false;
	if (digest.len != NAME_DIGEST_LEN)
		return err_set(err, ERR_OCI, "'%s' is no digest", str_text(&digest));
	memcpy(source->digest, str_text(&digest), sizeof(source->digest));
	return true;
}

static bool open_bundle(const struct home *home, struct push_source *source, struct err *err)
{
	struct err ignored;

	source->is_cached = remote_name_parse(span_of(source->name), &source->image, &ignored);
	return source->is_cached ? open_cached(home, source, err) :
				   local_open(home, source->name, &source->bundle_fd, err);
}

static bool lock(struct push_source *source, struct err *err)
{
	switch (bundle_lock_try(source->bundle_fd, &source->lock, err)) {
	case BUNDLE_LOCKED:
		return true;
	case BUNDLE_BUSY:
		return err_vm_running(err, source->name);
	case BUNDLE_LOCK_FAILED:
		break;
	}
	return false;
}

static bool read_config(struct push_source *source, struct err *err)
{
	str_clear(&source->config_text);
	return (fs_read_fd(source->lock.fd, CONFIG_SIZE_MAX, &source->config_text, err) ||
		err_context(err, "'%s'", BUNDLE_CONFIG)) &&
	       config_parse(str_span(&source->config_text), &source->config, err);
}

/* Somebody may be writing it in place, lock or not. */
static bool read_config_patiently(struct push_source *source, struct err *err)
{
	struct err first;

	return read_config(source, &first) || read_config(source, err);
}

static bool open_nvram(struct push_source *source, struct err *err)
{
	int fd = openat(source->bundle_fd, BUNDLE_NVRAM, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", BUNDLE_NVRAM);
	source->nvram_fd = fd;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot stat '%s'", BUNDLE_NVRAM);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", BUNDLE_NVRAM);
	if (st.st_size == 0)
		return err_set(err, ERR_GENERAL,
			       "'%s' is empty: no other Tart could use such an image",
			       BUNDLE_NVRAM);
	if ((uint64_t)st.st_size > NVRAM_MAX)
		return err_set(err, ERR_GENERAL, "'%s' is larger than %llu MiB", BUNDLE_NVRAM,
			       (unsigned long long)(NVRAM_MAX >> 20));
	source->nvram_bytes = (uint64_t)st.st_size;
	return true;
}

static bool look_at_disk(int bundle_fd, struct disk_look *ret, struct err *err)
{
	struct disk_look look = { .overlay.size_bytes = 0 };
	struct stat st;

	if (fstatat(bundle_fd, DISK_FILE, &st, 0) < 0)
		return err_sys(err, errno, "cannot stat '%s'", DISK_FILE);
	look.image = base_id_of(&st);
	if (fstatat(bundle_fd, DISK_OVERLAY_FILE, &st, 0) == 0)
		look.overlay = base_id_of(&st);
	else if (errno != ENOENT)
		return err_sys(err, errno, "cannot stat '%s'", DISK_OVERLAY_FILE);
	*ret = look;
	return true;
}

static bool check_disk(struct push_source *source, struct err *err)
{
	struct disk_info info;

	if (!disk_check(source->bundle_fd, err) || !disk_inspect(source->bundle_fd, &info, err) ||
	    !look_at_disk(source->bundle_fd, &source->disk, err))
		return false;
	if (info.size_bytes == 0)
		return err_set(err, ERR_GENERAL, "the disk is empty: there is nothing to push");
	return true;
}

bool push_check_bundle(const struct config *config, struct err *err)
{
	CLEANUP(extras_done) struct extras extras = { 0 };

	if (!extras_read(config, &extras, err))
		return false;
	if (extras.boots_kernel)
		return err_set(
			err, ERR_GENERAL,
			"it boots a kernel of its own, which an image has no place for: only "
			"VMs that boot from their disk can be pushed");
	if (extras.disks.n > 0)
		return err_set(err, ERR_GENERAL,
			       "it has further disks ('%s'), which an image has no place for",
			       extras.disks.v[0]);
	return true;
}

static bool open_source(const struct home *home, struct push_source *source, struct err *err)
{
	if (!open_bundle(home, source, err) || !lock(source, err))
		return false;
	return (read_config_patiently(source, err) &&
		(source->is_cached || push_check_bundle(&source->config, err)) &&
		open_nvram(source, err) && check_disk(source, err)) ||
	       err_context(err, "VM \"%s\"", source->name);
}

bool push_source_open(const struct home *home, const char *name, struct push_source *ret,
		      struct err *err)
{
	CLEANUP(push_source_done) struct push_source source = PUSH_SOURCE_INIT;

	source.name = name;
	if (!open_source(home, &source, err))
		return false;
	*ret = source;
	source = (struct push_source)PUSH_SOURCE_INIT;
	return true;
}

bool push_source_check_disk(const struct push_source *source, struct err *err)
{
	struct disk_look now;

	if (!look_at_disk(source->bundle_fd, &now, err))
		return false;
	if (base_id_equal(&now.image, &source->disk.image) &&
	    base_id_equal(&now.overlay, &source->disk.overlay))
		return true;
	return err_set(err, ERR_GENERAL, "the disk of VM \"%s\" was changed while it was pushed",
		       source->name);
}

static void set_if_absent(struct json *object, const char *key, const char *text)
{
	if (json_type(json_member(object, key)) == JSON_NULL)
		json_set(object, key, json_string(text));
}

void push_source_print_config(const struct push_source *source, struct str *out)
{
	CLEANUP_JSON struct json *tree = json_dup(source->config.tree);

	set_if_absent(tree, "os", guest_os_text(source->config.os));
	set_if_absent(tree, "arch", guest_arch_text(source->config.arch));
	json_sort(tree);
	json_print(tree, JSON_COMPACT, out);
}
