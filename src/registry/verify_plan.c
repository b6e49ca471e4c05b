/* SPDX-License-Identifier: Apache-2.0 */
/* What of a VM can be checked, and against what. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fs.h"
#include "image/layers.h"
#include "registry/verify.h"
#include "storage/bundle.h"
#include "storage/cache.h"
#include "storage/extras.h"
#include "storage/local.h"

#define SECTOR_BYTES 512

static bool open_file(int bundle_fd, const char *name, struct verify_file *ret, struct err *err)
{
	struct stat st;

	ret->fd = openat(bundle_fd, name,
			 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (ret->fd < 0)
		return errno == ENOENT || err_sys(err, errno, "cannot open '%s'", name);
	if (fstat(ret->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", name);
	ret->size_bytes = (uint64_t)st.st_size;
	return true;
}

static bool find_file(struct verify *verify, const char *name, size_t *ret, struct err *err)
{
	struct verify_file *file;

	for (*ret = 0; *ret < verify->files.n; ++*ret)
		if (strcmp(verify->files.v[*ret].name, name) == 0)
			return true;
	file = vec_push(&verify->files);
	*file = (struct verify_file){ .name = xstrdup(name), .fd = -1 };
	return open_file(verify->bundle_fd, name, file, err);
}

/* All of a file. */
static bool add_whole(struct verify *verify, const char *name, const char *digest, struct err *err)
{
	struct verify_check check = { .is_whole = true };

	if (!find_file(verify, name, &check.file, err))
		return false;
	check.bytes = verify->files.v[check.file].size_bytes;
	memcpy(check.expected, digest, sizeof(check.expected));
	*vec_push(&verify->checks) = check;
	return true;
}

/* The next part of a disk; `digest` NULL: of which nothing is known. */
static bool add_part(struct verify *verify, const char *name, uint64_t bytes, const char *digest,
		     struct err *err)
{
	struct verify_check check = { .bytes = bytes };
	struct verify_file *file;

	if (!find_file(verify, name, &check.file, err))
		return false;
	file = &verify->files.v[check.file];
	check.start = file->expected_bytes;
	if (ckd_add(&file->expected_bytes, file->expected_bytes, bytes) ||
	    file->expected_bytes > INT64_MAX)
		return err_set(err, ERR_GENERAL, "the layers of '%s' are larger than any file",
			       name);
	if (!digest)
		return true;
	memcpy(check.expected, digest, sizeof(check.expected));
	*vec_push(&verify->checks) = check;
	return true;
}

/* What is behind the last part: disks are made of whole sectors, nothing more. */
static void add_rest(struct verify *verify, size_t i)
{
	const struct verify_file *file = &verify->files.v[i];
	uint64_t end = (file->expected_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;

	if (file->expected_bytes > 0 && file->size_bytes > end)
		*vec_push(&verify->checks) = (struct verify_check){
			.file = i,
			.start = end,
			.bytes = file->size_bytes - end,
		};
}

/* The file in which a disk of a Vetu image lies: the further ones keep their names. */
static const char *file_of_disk(const struct extras *extras, const char *disk_name)
{
	for (size_t i = 0; i < extras->disks.n; i++) {
		if (strcmp(extras->disks.v[i], disk_name) == 0)
			return extras->disks.v[i];
	}
	return BUNDLE_DISK;
}

static bool add_layer(struct verify *verify, const struct extras *extras,
		      const struct descriptor *layer, struct err *err)
{
	switch (layer->kind) {
	case LAYER_TART_CONFIG:
		return add_whole(verify, BUNDLE_CONFIG, layer->digest, err);
	case LAYER_TART_NVRAM:
		return add_whole(verify, BUNDLE_NVRAM, layer->digest, err);
	case LAYER_TART_DISK:
		return add_part(verify, BUNDLE_DISK, layer->data_bytes, layer->data_digest, err);
	case LAYER_VETU_KERNEL:
		return add_whole(verify, BUNDLE_KERNEL, layer->digest, err);
	case LAYER_VETU_INITRAMFS:
		return add_whole(verify, BUNDLE_INITRAMFS, layer->digest, err);
	case LAYER_VETU_DISK:
		return add_part(verify, file_of_disk(extras, layer->disk_name), layer->data_bytes,
				layer->data_digest, err);
	default:
		return true;
	}
}

static bool is_of_boot_disk(const struct extras *extras, const struct descriptor *layer)
{
	return layer->kind == LAYER_TART_DISK ||
	       (layer->kind == LAYER_VETU_DISK &&
		strcmp(file_of_disk(extras, layer->disk_name), BUNDLE_DISK) == 0);
}

/* Damaged configurations tell nothing; that they are damaged shows elsewhere. */
static void read_extras(int bundle_fd, struct extras *ret)
{
	CLEANUP(config_done) struct config config = { 0 };
	struct err ignored;

	if (config_read(bundle_fd, &config, &ignored))
		(void)extras_read(&config, ret, &ignored);
}

static bool add_layers(struct verify *verify, const struct manifest *manifest, int image_fd,
		       struct err *err)
{
	CLEANUP(extras_done) struct extras extras = { 0 };

	read_extras(image_fd, &extras);
	vec_each(&manifest->layers, layer) {
		if (verify->is_base && !is_of_boot_disk(&extras, layer))
			continue;
		if (!add_layer(verify, &extras, layer, err))
			return false;
	}
	for (size_t i = 0, n = verify->files.n; i < n; i++)
		add_rest(verify, i);
	if (manifest->kind == IMAGE_CONTAINER)
		verify->reason = xstrdup(
			"the disk was made from the files of a container image, "
			"of which the manifest says nothing: only that is checked");
	return true;
}

/* Checks against the manifest in `image_fd`: all of an image, or the disk of a VM that shares it. */
static bool plan_by_manifest(struct verify *verify, int image_fd, const char *image,
			     struct err *err)
{
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct span digest = span_from(span_of(image), span_rfind(span_of(image), '@') + 1);

	struct err why = { 0 };
	bool is_read = fs_read_file(image_fd, BUNDLE_MANIFEST, MANIFEST_MAX, &text, &why) &&
		       manifest_parse(str_span(&text), &manifest, &why);

	if (!is_read && verify->is_base) {
		*err = why;
		return err_context(err, "the manifest of %s", image);
	}
	verify->basis = VERIFY_MANIFEST;
	verify->image = xstrdup(image);
	if (!verify->is_base && !add_whole(verify, BUNDLE_MANIFEST, digest.ptr, err))
		return false;
	if (is_read)
		return add_layers(verify, &manifest, image_fd, err);
	verify->reason = xasprintf(
		"nothing else was checked, since the manifest cannot be read: %s", why.text);
	return true;
}

static bool plan_image(const struct home *home, const struct remote_name *name, const char *text,
		       struct verify *verify, struct err *err)
{
	CLEANUP_STR struct str image = { 0 };

	if (!cache_peek(home, name, &verify->bundle_fd, err))
		return false;
	if (verify->bundle_fd < 0)
		return err_vm_missing(err, text);
	if (!fs_exists(verify->bundle_fd, BUNDLE_MANIFEST)) {
		verify->reason = xasprintf("%s was cached without its manifest: there is nothing "
					   "to verify it against",
					   text);
		return true;
	}
	str_addf(&image, "%s/%s@", name->host, name->repository);
	return cache_resolve(home, name, &image, err) &&
	       plan_by_manifest(verify, verify->bundle_fd, str_text(&image), err);
}

/* The image whose disk this is. */
struct search {
	struct stat disk;
	char *image; /* owned */
	int fd;      /* its bundle */
};

static void search_done(struct search *search)
{
	free(search->image);
	cleanup_close(&search->fd);
}

static bool look_at_image(void *ctx, const struct cache_item *item, struct err *err)
{
	struct search *search = ctx;
	struct stat st;

	(void)err;
	if (search->fd >= 0 || item->is_link || item->bundle_fd < 0 ||
	    fstatat(item->bundle_fd, BUNDLE_DISK, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !fs_same_inode(&st, &search->disk) || !fs_exists(item->bundle_fd, BUNDLE_MANIFEST))
		return true;
	search->fd = fcntl(item->bundle_fd, F_DUPFD_CLOEXEC, 0);
	search->image = xstrdup(item->name);
	return true;
}

/* A stretch that an overlay had a part in is not in disk.img. */
static bool add_record(struct verify *verify, const struct disk_layers *layers, struct err *err)
{
	vec_each(&layers->items, item) {
		blob_digest digest;

		(void)snprintf(digest, sizeof(digest), NAME_DIGEST_PREFIX "%s", item->data_digest);
		if (!add_part(verify, BUNDLE_DISK, item->data_bytes,
			      item->blob_bytes == 0 || item->is_overlaid ? NULL : digest, err))
			return false;
	}
	return true;
}

static bool plan_by_record(struct verify *verify, const char *name, struct err *err)
{
	CLEANUP(disk_layers_done) struct disk_layers layers = { 0 };
	enum layers_age age;

	if (!disk_layers_recall(verify->bundle_fd, &layers, &age, err))
		return false;
	if (age == LAYERS_OF_BASE || age == LAYERS_TRUE) {
		if (!add_record(verify, &layers, err))
			return false;
		verify->basis = verify->checks.n > 0 ? VERIFY_RECORD : VERIFY_NOTHING;
	}
	if (verify->basis == VERIFY_NOTHING)
		verify->reason = xasprintf(
			age == LAYERS_STALE ?
				"the disk of %s has been written to since its layers were known: "
				"there is nothing to verify it against" :
				"%s does not know of an image that its disk was made from: there "
				"is nothing to verify it against",
			name);
	return true;
}

static bool plan_local(const struct home *home, const char *name, struct verify *verify,
		       struct err *err)
{
	CLEANUP(search_done) struct search search = { .fd = -1 };

	if (!local_peek(home, name, &verify->bundle_fd, err))
		return false;
	if (fstatat(verify->bundle_fd, BUNDLE_DISK, &search.disk, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot stat '%s'", BUNDLE_DISK);
	if (!cache_walk(home, look_at_image, &search, err))
		return false;
	if (search.fd < 0)
		return plan_by_record(verify, name, err);
	verify->is_base = true;
	return plan_by_manifest(verify, search.fd, search.image, err);
}

bool verify_plan(const struct home *home, const char *name, struct verify *ret, struct err *err)
{
	CLEANUP(remote_name_done) struct remote_name remote = { 0 };
	CLEANUP(verify_done) struct verify verify = VERIFY_INIT;
	struct err ignored;

	if (remote_name_parse(span_of(name), &remote, &ignored) ?
		    !plan_image(home, &remote, name, &verify, err) :
		    !plan_local(home, name, &verify, err))
		return false;
	*ret = verify;
	verify = (struct verify)VERIFY_INIT;
	return true;
}
