/* SPDX-License-Identifier: Apache-2.0 */
/* Exports into local VMs. */
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/tvm.h"
#include "storage/config.h"
#include "storage/export.h"
#include "storage/local.h"
#include "storage/saved_state.h"

/* The largest disk that `create` makes. Some file systems take a hole of any size, but its check
 * sum has to be computed. */
#define DISK_BYTES_MAX  (UINT64_C(65535) * 1000000000)
#define NVRAM_BYTES_MAX ((uint64_t)1 << 30) /* stores have up to 64 MiB */

/* No overlay among them: an export is flat, and a foreign overlay could name any file as its
 * base. */
static const struct tvm_rule rules[] = {
	{ .name = BUNDLE_CONFIG, .is_required = true, .max_bytes = CONFIG_SIZE_MAX },
	{ .name = BUNDLE_NVRAM, .is_required = true, .max_bytes = NVRAM_BYTES_MAX },
	{ .name = BUNDLE_DISK, .is_required = true, .max_bytes = DISK_BYTES_MAX },
	{ .name = BUNDLE_EFIVARS, .max_bytes = NVRAM_BYTES_MAX },
	{ .name = BUNDLE_STATE, .max_bytes = DISK_BYTES_MAX },
};

/* Nothing is installed over a running VM; better said before than after the work. */
static bool check_target(const struct home *home, const char *name, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct err ignored;

	if (local_peek(home, name, &fd, &ignored) && bundle_state(fd, NULL) == VM_RUNNING)
		return err_vm_running(err, name);
	return true;
}

static bool check_state(int bundle_fd, struct err *err)
{
	if (fs_exists(bundle_fd, BUNDLE_STATE) && !saved_state_is_ours(bundle_fd))
		return err_set(err, ERR_GENERAL, "'%s' is not a saved state of this program",
			       BUNDLE_STATE);
	return true;
}

/* Another machine than the saved one, so the state goes. */
static bool change_mac(int bundle_fd, struct config *config, struct err *err)
{
	struct mac mac;

	mac_random(&mac);
	config_set_mac(config, &mac);
	if (unlinkat(bundle_fd, BUNDLE_STATE, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", BUNDLE_STATE);
	return config_store(bundle_fd, config, err);
}

static bool install_locked(const struct home *home, struct temp *temp, struct config *config,
			   const char *name, struct err *err)
{
	bool taken;

	return local_has_mac(home, &config->mac, NULL, MAC_OF_ANY, &taken, err) &&
	       (!taken || change_mac(temp->fd, config, err)) &&
	       local_install(home, temp, name, err);
}

bool import_vm(const struct home *home, int fd, const char *shown_path, const char *name,
	       struct err *err)
{
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	CLEANUP(config_done) struct config config = { 0 };
	bool ok;

	if (!check_target(home, name, err) || !temp_make_bundle(home, &temp, err) ||
	    !tvm_unpack(fd, shown_path, rules, ARRAY_LEN(rules), temp.fd, err) ||
	    !config_read(temp.fd, &config, err) || !check_state(temp.fd, err) ||
	    !home_lock(home, err))
		return false;
	ok = install_locked(home, &temp, &config, name, err);
	home_unlock(home);
	return ok;
}
