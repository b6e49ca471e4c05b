/* SPDX-License-Identifier: Apache-2.0 */
/* New VMs. */
#include "storage/create.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "image/disk.h"
#include "storage/local.h"

/* Its size is part of the VM; disk_create() writes nothing else. */
static bool sync_disk(int bundle_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_DISK, O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fs_sync(fd, err) : err_sys(err, errno, "cannot open '%s'", BUNDLE_DISK);
}

static bool fill(int bundle_fd, const struct create_request *request, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };

	config_init_linux(&config, request->arch);
	return request->make_nvram(request->ctx, bundle_fd, err) &&
	       disk_create(bundle_fd, request->disk_bytes, err) && sync_disk(bundle_fd, err) &&
	       config_store(bundle_fd, &config, err);
}

bool create_linux(const struct home *home, const struct create_request *request, struct err *err)
{
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	bool ok;

	if (!temp_make_bundle(home, &temp, err) || !fill(temp.fd, request, err) ||
	    !home_lock(home, err))
		return false;
	ok = local_install(home, &temp, request->name, err);
	home_unlock(home);
	return ok;
}
