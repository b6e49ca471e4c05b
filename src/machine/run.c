/* SPDX-License-Identifier: Apache-2.0 */
/* The sequence of `tart run`. */
#include "machine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/mem.h"
#include "image/disk.h"
#include "machine/esp.h"
#include "machine/nvram.h"
#include "machine/run_prepare.h"
#include "storage/local.h"

/* A bundle's socket exists exactly while its QEMU may run: one that is there already tells of an unclean end. */
static bool ended_uncleanly(int bundle_fd)
{
	return faccessat(bundle_fd, BUNDLE_VNC_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reads the configuration anew, so that what a `set` is just writing is neither lost nor missed. */
static bool store_mac(struct run *run, const struct mac *mac, struct err *err)
{
	CLEANUP(config_done) struct config config = { 0 };
	bool ok;

	if (!bundle_edit_lock(run->bundle_fd, err))
		return false;
	ok = config_read(run->bundle_fd, &config, err);
	if (ok) {
		config_set_mac(&config, mac);
		ok = config_store(run->bundle_fd, &config, err);
	}
	bundle_edit_unlock(run->bundle_fd);
	if (!ok)
		return false;
	config_done(&run->config);
	run->config = config;
	config = (struct config){ 0 };
	return true;
}

static bool reset_mac(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	struct mac mac;

	run_ui_status(o->ui, "There is already a running VM with the same MAC address!");
	run_ui_status(o->ui, "Resetting VM to assign a new MAC address...");
	mac_random(&mac);
	if (!store_mac(run, &mac, err))
		return err_context(err, "VM \"%s\"", o->name);
	run->spec.mac = mac;
	/* The saved guest knows itself by the old address. */
	if (unlinkat(run->bundle_fd, BUNDLE_STATE, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot delete '%s'", BUNDLE_STATE);
	return true;
}

static bool clear_mac(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	bool taken = false;

	if (!local_has_mac(o->home, &run->config.mac, o->name, MAC_OF_RUNNING, &taken, err))
		return false;
	return !taken || reset_mac(run, err);
}

/* Before anything is done for it, and not only when the lock cannot be had: else its own NIC would be in the way of a second
 * one, and its address be taken from it. With the global lock held, nobody starts it meanwhile. */
static bool check_not_running(const struct run *run, struct err *err)
{
	return bundle_state(run->bundle_fd, NULL) != VM_RUNNING ||
	       err_vm_already_running(err, run->options->name);
}

/* How the guest's address is found while it runs. Questions come from the event loop, so they may not take long. */
static bool look_for_guest(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	struct lookup *guest = &run->guest;

	if (run->network.nics.n == 0)
		return err_set(
			err, ERR_GENERAL,
			"--vnc needs an address of the guest, and in the user-mode network it has none that "
			"this host can reach; --vnc-experimental shows the screen without one");
	guest->home = o->home;
	guest->wish = run->network.keeper.kind == KEEPER_SYSTEM ? KEEPER_ONLY_SYSTEM :
								  KEEPER_ONLY_ROOTLESS;
	guest->resolver = o->network->mode == NETD_BRIDGED ? LOOKUP_ARP : LOOKUP_DHCP;
	guest->mac = run->spec.mac;
	guest->running = true;
	guest->leases_env = o->leases_env;
	guest->timeout_ms = 1000;
	run->view.guest = guest;
	return true;
}

/* Other users' VMs on this host are not in our home, but the keeper knows them. */
static bool open_network(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	const struct network_request request = {
		.wish = o->network,
		.home = o->home,
		.vm = o->name,
		.mac = &run->spec.mac,
		.ui = o->ui,
	};
	bool mac_in_use = false;

	if (!run_network_open(&request, &run->network, &mac_in_use, err))
		return false;
	if (mac_in_use &&
	    (!reset_mac(run, err) || !run_network_open(&request, &run->network, &mac_in_use, err)))
		return false;
	if (mac_in_use)
		return err_set(
			err, ERR_GENERAL,
			"the keeper of the network says that another VM has any MAC address");
	run_network_fill(&run->network, &run->spec.mac, &run->spec);
	return !o->guest_vnc || look_for_guest(run, err);
}

static bool take_lock(struct run *run, struct err *err)
{
	switch (bundle_lock_try(run->bundle_fd, &run->lock, err)) {
	case BUNDLE_LOCKED:
		return true;
	case BUNDLE_BUSY:
		return err_vm_already_running(err, run->options->name);
	case BUNDLE_LOCK_FAILED:
		break;
	}
	return err_context(err, "VM \"%s\"", run->options->name);
}

/* With the global lock held. */
static bool acquire(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;

	return local_open(o->home, o->name, &run->bundle_fd, err) &&
	       (config_read(run->bundle_fd, &run->config, err) ||
		err_context(err, "VM \"%s\"", o->name)) &&
	       check_not_running(run, err) && clear_mac(run, err) && run_prepare(run, err) &&
	       open_network(run, err) &&
	       supervisor_new(o->ui, &run->view, o->limits, &run->supervisor, err) &&
	       cancel_check(
		       err) /* what came until now; from here on signals are the supervisor's */
	    && take_lock(run, err);
}

/*
 * A QEMU whose tart was killed dies too, but a moment later: until then it holds the locks of the disk. Nothing tells
 * when they are released, so this looks again and again, for some seconds at most; who holds them still is somebody
 * else, and QEMU will say so.
 */
static void await_old_qemu(int bundle_fd)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, BUNDLE_DISK, O_RDONLY | O_CLOEXEC);

	for (int i = 0; i < 500 && fd >= 0; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

		if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static bool check_not_suspended(const struct run *run, struct err *err)
{
	if (!fs_exists(run->bundle_fd, BUNDLE_STATE))
		return true;
	return err_set(
		err, ERR_GENERAL,
		"VM \"%s\" is suspended, which this version of tart cannot resume; \"tart stop %s\" discards "
		"what was saved",
		run->options->name, run->options->name);
}

/* A VM that ends up in the firmware's shell looks like one that hangs. With further disks it may well boot from one of
 * them; what is behind an overlay is not looked at. */
static void hint_at_boot(const struct run *run)
{
	CLEANUP_STR struct str hint = { 0 };
	struct esp_info info;

	if (run->spec.disks.n > 0 || run->spec.root.overlay_fd >= 0)
		return;
	esp_inspect_fd(run->spec.root.fd, &info);
	esp_add_hint(&info, run->config.arch, &hint);
	if (hint.len > 0)
		run_ui_status(run->options->ui, "%s", str_text(&hint));
}

static bool open_further_disks(struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->extras.disks.n; i++) {
		struct disk_spec *spec = &run->disks.v[i].spec;

		if (!disk_open_further(run->bundle_fd, run->extras.disks.v[i], spec, err))
			return false;
		run->spec.disks.v[i] = *spec;
	}
	return true;
}

static bool open_variables(struct run *run, struct err *err)
{
	if (run->extras.boots_kernel)
		return true;
	hint_at_boot(run);
	return nvram_open(run->bundle_fd, run->config.arch, &run->firmware, &run->spec.vars_fd,
			  err);
}

/* Opens what only the holder of the VM's lock may. */
static bool open_bundle(struct run *run, struct err *err)
{
	if (!check_not_suspended(run, err))
		return false;
	if (ended_uncleanly(run->bundle_fd)) {
		await_old_qemu(run->bundle_fd);
		if (!disk_repair(run->bundle_fd, err))
			return err_context(err, "repairing the disk after an unclean end");
	}
	if (!disk_check(run->bundle_fd, err) ||
	    !disk_open_root(run->bundle_fd, &run->options->root_disk, &run->spec.root, err) ||
	    (!run->spec.root.read_only && !disk_layers_expect_writes(run->bundle_fd, err)))
		return false;
	return open_further_disks(run, err) && open_variables(run, err) &&
	       supervisor_open(run->supervisor, run->bundle_fd, &run->tty, err) &&
	       supervisor_watch_network(run->supervisor, &run->network, run->options->home, err);
}

/* Starts QEMU; with KVM not working after all, and nobody having asked for it by name, once more without. */
static bool supervise(struct run *run, struct supervisor_result *result, struct err *err)
{
	const struct run_options *o = run->options;
	char notice[sizeof(run->accel.notice)];

	if (!supervisor_run(run->supervisor, run->qemu_path, &run->spec,
			    identity_of(&run->identity), result, err))
		return false;
	if (result->verdict != VERDICT_FAILED || result->guest_ran ||
	    run->spec.accel != ACCEL_KVM || o->accel != ACCEL_AUTO)
		return true;
	accel_fallback_notice(str_text(&result->detail), notice, sizeof(notice));
	run_ui_status(o->ui, "%s", notice);
	run_use_emulation(run);
	run_network_fill(&run->network, &run->spec.mac, &run->spec);
	str_clear(&result->detail);
	return supervisor_run(run->supervisor, run->qemu_path, &run->spec,
			      identity_of(&run->identity), result, err);
}

/* QEMU names the device in front of what is wrong with it. */
static const char *path_of_busy_disk(const struct run *run, const char *detail, struct str *buf)
{
	const struct run_options *o = run->options;
	const char *device = strstr(detail, "dev-disk");
	size_t i = device ? (size_t)strtoul(device + strlen("dev-disk"), NULL, 10) : 0;
	size_t n_own = run->extras.disks.n;

	if (i > n_own && i <= n_own + o->n_disks)
		str_add_span(buf, o->disks[i - n_own - 1].target);
	else
		str_addf(buf, "%s/vms/%s/%s", o->home->path, o->name,
			 i > 0 && i <= n_own ? run->extras.disks.v[i - 1] : BUNDLE_DISK);
	return str_text(buf);
}

static bool fail(const struct run *run, const struct supervisor_result *result, struct err *err)
{
	const char *detail = str_text(&result->detail);
	CLEANUP_STR struct str path = { 0 };

	if (result->guest_ran) {
		/* On stdout for the tools that search for it there, and as the error. */
		run_ui_status(run->options->ui,
			      "guest has stopped the virtual machine due to error: %s", detail);
		return err_set(err, ERR_GENERAL,
			       "guest has stopped the virtual machine due to error: %s", detail);
	}
	if (strstr(detail, "Failed to get ") && strstr(detail, "\" lock"))
		return err_set(err, ERR_DISK_BUSY, "disk %s seems to be already in use",
			       path_of_busy_disk(run, detail, &path));
	return err_set(err, ERR_GENERAL, "%s", detail);
}

static bool conclude(const struct run *run, const struct supervisor_result *result, struct err *err)
{
	switch (result->verdict) {
	case VERDICT_GUEST_ENDED:
		run_ui_status(run->options->ui, "guest has stopped the virtual machine");
		return true;
	case VERDICT_STOPPED:
		return true;
	case VERDICT_FAILED:
		break;
	}
	return fail(run, result, err);
}

/* With QEMU gone and the VM's lock still held. */
static void tidy_bundle(struct run *run, const struct supervisor_result *result)
{
	struct err ignored = { 0 };

	if (run->spec.vars_fd >= 0)
		(void)nvram_punch_zeros(run->spec.vars_fd, &ignored);
	if (!result->clean)
		(void)disk_repair(run->bundle_fd, &ignored);
}

static bool run_locked(struct run *run, struct err *err)
{
	CLEANUP(supervisor_result_done) struct supervisor_result result = { 0 };

	if (!open_bundle(run, err) || !supervise(run, &result, err))
		return false;
	tidy_bundle(run, &result);
	return conclude(run, &result, err);
}

bool machine_run(const struct run_options *options, struct err *err)
{
	CLEANUP(run_done) struct run run = RUN_INIT(options);
	bool acquired;

	if (!home_lock(options->home, err))
		return false;
	acquired = acquire(&run, err);
	home_unlock(options->home);
	return acquired && run_locked(&run, err);
}
