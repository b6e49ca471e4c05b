/* SPDX-License-Identifier: Apache-2.0 */
/* Cloning: which MAC the clone gets, what is copied, when room is made. */
#include "storage/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/copy.h"
#include "storage/cache.h"
#include "storage/config.h"
#include "storage/extras.h"
#include "storage/local.h"
#include "storage/prune.h"

struct source {
	int fd;
	bool cached;
	char *image; /* cached: HOST/NAMESPACE@DIGEST, never pruned for its own clone */
	enum vm_state state;
	struct bundle_sizes sizes;
	struct config config; /* of the clone to be */
};

#define SOURCE_INIT      \
	{                \
		.fd = -1 \
	}

static void source_done(struct source *source)
{
	cleanup_close(&source->fd);
	free(source->image);
	config_done(&source->config);
}

static bool open_cached(const struct home *home, const struct remote_name *name,
			struct source *source, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	source->cached = true;
	if (!cache_open(home, name, &source->fd, err))
		return false;
	if (source->fd < 0) {
		remote_name_print(name, &text);
		return err_set(err, ERR_GENERAL, "%s is not in the cache", str_text(&text));
	}
	str_addf(&text, "%s/%s@", name->host, name->repository);
	if (!cache_resolve(home, name, &text, err))
		return false;
	source->image = str_take(&text);
	return true;
}

static bool open_source(const struct home *home, const char *text, struct source *source,
			struct err *err)
{
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	struct err ignored;

	return remote_name_parse(span_of(text), &name, &ignored) ?
		       open_cached(home, &name, source, err) :
		       local_open(home, text, &source->fd, err);
}

/* A suspended VM goes on in its clone as the machine it was: with the MAC its guest knows. */
static bool choose_mac(const struct home *home, struct source *source, bool *ret_new,
		       struct err *err)
{
	struct mac mac;

	*ret_new = false;
	if (source->state != VM_SUSPENDED &&
	    !local_has_mac(home, &source->config.mac, NULL, MAC_OF_ANY, ret_new, err))
		return false;
	if (*ret_new) {
		mac_random(&mac);
		config_set_mac(&source->config, &mac);
	}
	return true;
}

static bool copy_if_there(int from_fd, int to_fd, const char *name, struct err *err)
{
	return !fs_exists(from_fd, name) || copy_file(from_fd, name, to_fd, name, 0600, NULL, err);
}

/* A saved state is never written to, only removed: a link is a copy of it. */
static bool link_state(int from_fd, int to_fd, struct err *err)
{
	if (linkat(from_fd, BUNDLE_STATE, to_fd, BUNDLE_STATE, 0) == 0)
		return true;
	return copy_if_there(from_fd, to_fd, BUNDLE_STATE, err);
}

/* Others may read a kernel, if they get at it: QEMU, who is nobody, opens it by a descriptor that it has inherited. */
static bool copy_extras(const struct source *source, int to_fd, struct err *err)
{
	CLEANUP(extras_done) struct extras extras = { 0 };

	if (!extras_read(&source->config, &extras, err))
		return false;
	if (extras.boots_kernel &&
	    !copy_file(source->fd, BUNDLE_KERNEL, to_fd, BUNDLE_KERNEL, 0644, NULL, err))
		return false;
	if (extras.has_initramfs &&
	    !copy_file(source->fd, BUNDLE_INITRAMFS, to_fd, BUNDLE_INITRAMFS, 0644, NULL, err))
		return false;
	vec_each(&extras.disks, name) {
		if (!copy_file(source->fd, *name, to_fd, *name, 0600, NULL, err))
			return false;
	}
	return true;
}

static bool copy_small_files(const struct source *source, int to_fd, bool new_mac, struct err *err)
{
	return config_store(to_fd, &source->config, err) &&
	       copy_file(source->fd, BUNDLE_NVRAM, to_fd, BUNDLE_NVRAM, 0600, NULL, err) &&
	       copy_if_there(source->fd, to_fd, BUNDLE_EFIVARS, err) &&
	       (new_mac || source->state != VM_SUSPENDED || link_state(source->fd, to_fd, err));
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What the guest of a clone may still write where its source has holes, as far as the user wants room for it. */
static uint64_t growth(const struct source *source, const struct clone_request *request)
{
	const struct bundle_sizes *sizes = &source->sizes;

	if (sizes->allocated_bytes >= sizes->logical_bytes)
		return 0;
	return smaller(sizes->logical_bytes - sizes->allocated_bytes, request->prune_limit_bytes);
}

/* Whatever goes wrong while making room does not concern the clone: it may fit all the same. */
static void reclaim(const struct home *home, const struct source *source,
		    const struct clone_request *request, uint64_t bytes)
{
	struct err ignored;

	if (request->auto_prune && bytes > 0)
		(void)prune_reclaim(home, bytes, source->image, &ignored);
}

static bool is_overlay(int bundle_fd)
{
	return fs_exists(bundle_fd, BUNDLE_OVERLAY);
}

/* Whether cloning the disk will write as many bytes as it holds. */
static bool will_copy(const struct source *source, enum clone_source kind, int to_fd,
		      enum clone_policy policy)
{
	struct err ignored;
	bool can_reflink = false;

	if (policy != CLONE_AUTO)
		return policy == CLONE_COPY;
	if (!fs_same_file_system(source->fd, to_fd))
		return true;
	return kind == CLONE_SOURCE_RUNNING && !is_overlay(source->fd) &&
	       !(copy_can_reflink(to_fd, &can_reflink, &ignored) && can_reflink);
}

/*
 * How the disk may be treated. A lock is taken only where the source may change, because whoever sees it takes the
 * VM for running. The disk of a suspended VM belongs to its saved state: it is not changed either.
 */
static bool lock_source(const struct source *source, enum clone_policy policy,
			struct bundle_lock *lock, enum clone_source *ret, struct err *err)
{
	*ret = source->cached ? CLONE_SOURCE_IMMUTABLE : CLONE_SOURCE_RUNNING;
	if (source->cached || source->state != VM_STOPPED || policy == CLONE_COPY)
		return true;
	switch (bundle_lock_try(source->fd, lock, err)) {
	case BUNDLE_LOCK_FAILED:
		return false;
	case BUNDLE_LOCKED:
		*ret = CLONE_SOURCE_STOPPED;
		break;
	case BUNDLE_BUSY:
		break; /* started meanwhile, by something that does not take the home lock */
	}
	return true;
}

static bool clone_disk(const struct home *home, const struct source *source,
		       const struct clone_request *request, int to_fd, struct err *err)
{
	CLEANUP(bundle_unlock) struct bundle_lock lock = BUNDLE_LOCK_INIT;
	enum clone_source kind;

	if (!lock_source(source, request->policy, &lock, &kind, err))
		return false;
	if (will_copy(source, kind, to_fd, request->policy))
		reclaim(home, source, request,
			source->sizes.allocated_bytes + growth(source, request));
	return disk_clone(source->fd, kind, to_fd, request->policy, NULL, NULL, err);
}

/* A clone that has no record of its layers only costs time when it is pushed. */
static void pass_layers(const struct source *source, int to_fd)
{
	struct err ignored;

	(void)disk_layers_pass(source->fd, to_fd, &ignored);
}

/* Reads config.json before anything takes its record lock, and not again. */
static bool read_source(struct source *source, const char *name, struct err *err)
{
	/* It was opened before the lock was ours. */
	if (!bundle_is_initialized(source->fd))
		return err_vm_missing(err, name);
	source->state = bundle_state(source->fd, NULL);
	return (config_read(source->fd, &source->config, err) &&
		bundle_sizes(source->fd, &source->sizes, err)) ||
	       err_context(err, "VM \"%s\"", name);
}

static bool clone_locked(const struct home *home, struct source *source,
			 const struct clone_request *request, struct temp *temp, struct err *err)
{
	bool new_mac;

	if (!read_source(source, request->source, err) ||
	    !choose_mac(home, source, &new_mac, err) ||
	    !copy_small_files(source, temp->fd, new_mac, err) ||
	    !copy_extras(source, temp->fd, err) ||
	    !clone_disk(home, source, request, temp->fd, err))
		return false;
	pass_layers(source, temp->fd);
	return local_install(home, temp, request->new_name, err);
}

bool clone_vm(const struct home *home, const struct clone_request *request, struct err *err)
{
	CLEANUP(source_done) struct source source = SOURCE_INIT;
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	bool ok;

	if (!open_source(home, request->source, &source, err) ||
	    !temp_make_bundle(home, &temp, err) || !home_lock(home, err))
		return false;
	ok = clone_locked(home, &source, request, &temp, err);
	home_unlock(home);
	if (!ok)
		return false;
	reclaim(home, &source, request, growth(&source, request));
	return true;
}
