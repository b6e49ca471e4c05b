/* SPDX-License-Identifier: Apache-2.0 */
/* Images of Vetu: a kernel, perhaps an initramfs, and disks in parts. image-format.md 10. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fs.h"
#include "image/disk.h"
#include "registry/pull_job.h"
#include "registry/pull_layer.h"
#include "registry/pull_plan.h"
#include "registry/pull_threads.h"
#include "registry/vetu_config.h"
#include "storage/bundle.h"
#include "storage/extras.h"

struct part {
	const struct descriptor *descriptor;
	size_t disk;
	uint64_t offset;
};

struct vetu_disk {
	const char *file; /* in the bundle */
	int fd;
	uint64_t size_bytes;
	size_t n_parts;
	bool is_old;
};

struct vetu {
	const struct pull_job *job;
	struct vetu_config config;
	VEC(struct vetu_disk) disks; /* as config.disks */
	VEC(struct part) parts;
	struct pull_meter meter;
};

static void vetu_done(struct vetu *vetu)
{
	vec_each(&vetu->disks, disk)
		cleanup_close(&disk->fd);
	vec_done(&vetu->disks);
	vec_done(&vetu->parts);
	vetu_config_done(&vetu->config);
}

static bool fetch_config(struct vetu *vetu, struct err *err)
{
	const struct descriptor *layer = manifest_layer(vetu->job->manifest, LAYER_VETU_CONFIG);
	CLEANUP_STR struct str text = { 0 };

	return blob_fetch_text(vetu->job->registry, layer->digest, layer->size_bytes,
			       IMAGE_CONFIG_MAX, &text, err) &&
	       vetu_config_parse(str_span(&text), &vetu->config, err);
}

static struct vetu_disk *find_disk(struct vetu *vetu, const char *name)
{
	for (size_t i = 0; name && i < vetu->disks.n; i++) {
		if (strcmp(vetu->config.disks.v[i], name) == 0)
			return &vetu->disks.v[i];
	}
	return NULL;
}

static bool add_part(struct vetu *vetu, const struct descriptor *layer, struct err *err)
{
	struct vetu_disk *disk = find_disk(vetu, layer->disk_name);
	struct part *part;
	int64_t size;

	if (!disk)
		return err_set(
			err, ERR_GENERAL,
			"the image has a layer of a disk that its configuration does not list");
	part = vec_push(&vetu->parts);
	part->descriptor = layer;
	part->disk = (size_t)(disk - vetu->disks.v);
	part->offset = disk->size_bytes;
	disk->n_parts++;
	if (ckd_add(&disk->size_bytes, disk->size_bytes, layer->data_bytes) ||
	    !to_i64(disk->size_bytes, &size))
		return err_set(err, ERR_GENERAL, "a disk of the image is too large");
	return true;
}

/* Which bytes of which file each layer is. */
static bool plan(struct vetu *vetu, struct err *err)
{
	vec_each(&vetu->config.disks, name) {
		struct vetu_disk *disk = vec_push(&vetu->disks);

		disk->fd = -1;
		disk->file = vetu->disks.n == 1 ? BUNDLE_DISK : *name;
	}
	vec_each(&vetu->job->manifest->layers, layer) {
		if (layer->kind == LAYER_VETU_DISK && !add_part(vetu, layer, err))
			return false;
	}
	vec_each(&vetu->disks, disk) {
		if (disk->n_parts == 0)
			return err_set(err, ERR_GENERAL,
				       "the image has no layer of its disk number %zu",
				       (size_t)(disk - vetu->disks.v) + 1);
	}
	return true;
}

static bool open_disk(int dir_fd, struct vetu_disk *disk, struct err *err)
{
	struct stat st;

	disk->fd = openat(dir_fd, disk->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (disk->fd < 0 || fstat(disk->fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", disk->file);
	disk->is_old = st.st_size > 0;
	if (ftruncate(disk->fd, (off_t)disk->size_bytes) < 0)
		return err_sys(err, errno, "cannot make a disk of %llu bytes",
			       (unsigned long long)disk->size_bytes);
	return true;
}

static bool bring_part(void *ctx, size_t number, struct err *err)
{
	struct vetu *vetu = ctx;
	const struct part *part = &vetu->parts.v[number];
	const struct vetu_disk *disk = &vetu->disks.v[part->disk];
	const struct layer_place place = {
		.fd = disk->fd,
		.offset = part->offset,
		.data_bytes = part->descriptor->data_bytes,
		.hex = descriptor_data_hex(part->descriptor),
		.is_fresh = true,
	};
	bool is_there = false;

	if (disk->is_old && !layer_check(&place, &is_there, err))
		return false;
	if (is_there) {
		vetu->meter.done_bytes += part->descriptor->size_bytes;
		return true;
	}
	return (!disk->is_old || layer_clear(&place, err)) &&
	       (layer_fetch(vetu->job->registry, part->descriptor, LAYER_LZ4_FRAME, &place,
			    &vetu->meter, err) ||
		err_context(err, "part %zu of the disks, %s", number + 1,
			    part->descriptor->digest));
}

static bool bring_disks(struct vetu *vetu, struct err *err)
{
	const struct pull_threads threads = {
		.job = vetu->job, .meter = &vetu->meter, .bring = bring_part, .ctx = vetu
	};
	const struct pull_request *request = vetu->job->request;

	vec_each(&vetu->disks, disk) {
		if (!open_disk(vetu->job->dir_fd, disk, err))
			return false;
	}
	vec_each(&vetu->parts, part)
		vetu->meter.total_bytes += part->descriptor->size_bytes;
	notice_tell(&request->notice, "pulling disk (%.1f GB compressed)...",
		    (double)vetu->meter.total_bytes / 1e9);
	return pull_threads_run(&threads, vetu->parts.n, err);
}

/* QEMU, who is nobody when we are root, opens a kernel by itself. */
static bool make_readable(int dir_fd, const char *name, struct err *err)
{
	return fchmodat(dir_fd, name, 0644, 0) == 0 ||
	       err_sys(err, errno, "cannot make '%s' readable", name);
}

static bool bring_kernel(const struct pull_job *job, const struct descriptor *initramfs,
			 struct err *err)
{
	const struct descriptor *kernel = manifest_layer(job->manifest, LAYER_VETU_KERNEL);

	notice_tell(&job->request->notice, "pulling kernel...");
	return pull_file(job, kernel, BUNDLE_KERNEL, NULL, err) &&
	       make_readable(job->dir_fd, BUNDLE_KERNEL, err) &&
	       (!initramfs || (pull_file(job, initramfs, BUNDLE_INITRAMFS, NULL, err) &&
			       make_readable(job->dir_fd, BUNDLE_INITRAMFS, err)));
}

static bool make_rest(const struct vetu *vetu, bool has_initramfs, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };
	const struct pull_job *job = vetu->job;

	vetu_config_convert(&vetu->config, has_initramfs, &config);
	return pull_generated(job, &config, err);
}

static bool seal(const struct vetu *vetu, bool has_initramfs, struct err *err)
{
	const char *names[4 + EXTRAS_DISKS_MAX + 1] = { BUNDLE_CONFIG, BUNDLE_NVRAM,
							BUNDLE_KERNEL };
	size_t n = 3;

	if (has_initramfs)
		names[n++] = BUNDLE_INITRAMFS;
	vec_each(&vetu->disks, disk)
		names[n++] = disk->file;
	return pull_seal(vetu->job, names, n, err);
}

/* The kernel comes before the disks. */
bool pull_vetu_has_begun(int dir_fd)
{
	return fs_exists(dir_fd, BUNDLE_KERNEL);
}

bool pull_vetu(const struct pull_job *job, struct err *err)
{
	const struct descriptor *initramfs = manifest_layer(job->manifest, LAYER_VETU_INITRAMFS);
	CLEANUP(vetu_done) struct vetu vetu = { .job = job };

	return fetch_config(&vetu, err) && plan(&vetu, err) && bring_kernel(job, initramfs, err) &&
	       bring_disks(&vetu, err) && make_rest(&vetu, initramfs != NULL, err) &&
	       seal(&vetu, initramfs != NULL, err);
}
