/* SPDX-License-Identifier: Apache-2.0 */
/* New VMs. */
#include "storage/create.h"

#include "image/disk.h"
#include "storage/local.h"

static bool fill(int bundle_fd, const struct create_request *request, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };

	config_init_linux(&config, request->arch);
	return request->make_nvram(request->ctx, bundle_fd, err) &&
	       disk_create(bundle_fd, request->disk_bytes, err) &&
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
