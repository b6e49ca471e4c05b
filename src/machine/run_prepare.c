/* SPDX-License-Identifier: Apache-2.0 */
/* Preparing a run. */
#include "machine/run_prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "machine/audio.h"
#include "machine/host_memory.h"
#include "machine/io_uring.h"
#include "machine/qemu.h"

#define MIB ((uint64_t)1 << 20)

static bool open_firmware(struct run *run, struct err *err)
{
	if (!run->options->find_firmware(run->config.arch, &run->firmware, err))
		return false;
	run->spec.code_fd = open(run->firmware.code_path, O_RDONLY | O_CLOEXEC);
	if (run->spec.code_fd < 0)
		return err_sys(err, errno, "cannot open firmware '%s'", run->firmware.code_path);
	run->spec.code_qcow2 = run->firmware.code_format == FIRMWARE_QCOW2;
	return true;
}

/* Opens a file that QEMU will open again by its descriptor's name, perhaps as another user: the file must allow that. Who
 * cannot enter the bundle's directory gains nothing by it. */
static bool open_readable(int bundle_fd, const char *name, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = openat(bundle_fd, name,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_GENERAL, "'%s' is not a regular file", name);
	if (!(st.st_mode & S_IROTH) && fchmod(fd, (st.st_mode & 0777) | 0444) < 0)
		return err_sys(err, errno, "cannot make '%s' readable for QEMU", name);
	*ret_fd = TAKE_FD(fd);
	return true;
}

static bool open_kernel(struct run *run, struct err *err)
{
	struct machine_spec *spec = &run->spec;

	spec->cmdline = run->extras.cmdline;
	return open_readable(run->bundle_fd, BUNDLE_KERNEL, &spec->kernel_fd, err) &&
	       (!run->extras.has_initramfs ||
		open_readable(run->bundle_fd, BUNDLE_INITRAMFS, &spec->initramfs_fd, err));
}

static bool find_programs(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;

	if (!qemu_find(run->config.arch, guest_arch_of_host(), o->screen.path, &run->qemu_path,
		       err) ||
	    !extras_read(&run->config, &run->extras, err))
		return false;
	return run->extras.boots_kernel ? open_kernel(run, err) : open_firmware(run, err);
}

void run_use_emulation(struct run *run)
{
	run->spec.accel = ACCEL_TCG;
	identity_drop_kvm(&run->identity);
}

static bool choose_accel(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	struct accel_request request = {
		.wish = o->accel,
		.guest = run->config.arch,
		.host = guest_arch_of_host(),
		.cache_dirfd = o->home->cache_fd,
	};

	if (!identity_choose(run->bundle_fd, o->qemu_user, &run->identity, err))
		return false;
	request.identity = identity_of(&run->identity);
	if (!accel_choose(&request, &run->accel, err))
		return false;
	if (run->accel.notice[0] != '\0')
		run_ui_status(o->ui, "%s", run->accel.notice);
	run->spec.accel = run->accel.kind;
	if (run->spec.accel == ACCEL_TCG)
		run_use_emulation(run);
	return true;
}

static bool open_serial(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	char name[TTY_NAME_SIZE];

	if (o->serial) {
		if (!tty_open_pty(&run->tty, name, err))
			return false;
		run_ui_status(o->ui, "Successfully open pty %s", name);
		return true;
	}
	return !o->serial_path || tty_open_path(o->serial_path, &run->tty, err);
}

/* Those of the bundle come first, as empty places until the VM's lock is held: run.c opens them. */
static bool open_disks(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	size_t n = run->extras.disks.n + o->n_disks;

	if (n > DISKS_MAX)
		return err_set(err, ERR_GENERAL, "a VM can have %d further disks, not %zu",
			       DISKS_MAX, n);
	for (size_t i = 0; i < run->extras.disks.n; i++) {
		struct open_disk disk = OPEN_DISK_INIT;

		*vec_push(&run->disks) = disk;
		*vec_push(&run->spec.disks) = disk.spec;
	}
	for (size_t i = 0; i < o->n_disks; i++) {
		struct open_disk disk = OPEN_DISK_INIT;

		if (!disk_open(&o->disks[i], o->home, o->user_home, &disk, err))
			return false;
		*vec_push(&run->disks) = disk;
		*vec_push(&run->spec.disks) = disk.spec;
	}
	return true;
}

static bool choose_window(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	const char *why = NULL;

	run->view.env = o->screen;
	run->view.grab_keys = o->grab_keys;
	run->view.open_url = o->open_url;
	if (o->vnc) {
		wordlist_password(run->vnc_password);
		run->view.vnc_password = run->vnc_password;
	}
	run->view.window = o->window != WINDOW_NONE && viewer_is_possible(&o->screen, &why);
	run->view.window_required = o->window == WINDOW_REQUIRED;
	if (o->window == WINDOW_NONE || run->view.window)
		return true;
	if (o->window == WINDOW_REQUIRED)
		return err_set(err, ERR_GENERAL, "cannot show a window: %s", why);
	run_ui_status(o->ui, "No window: %s; VNC viewers can connect to %s/vms/%s/%s", why,
		      o->home->path, o->name, BUNDLE_VNC_SOCKET);
	return true;
}

static void check_memory(const struct run *run)
{
	CLEANUP_STR struct str notice = { 0 };
	struct host_memory host;
	struct err ignored = { 0 };

	if (host_memory_read(&host, &ignored) &&
	    host_memory_fit(&host, run->spec.memory_bytes, &notice) != MEMORY_FITS)
		run_ui_status(run->options->ui, "%s", str_text(&notice));
}

static void fill_spec(struct run *run)
{
	const struct run_options *o = run->options;
	const struct config *config = &run->config;
	struct machine_spec *spec = &run->spec;
	bool window = run->view.window;

	spec->vm_name = o->name;
	spec->arch = config->arch;
	spec->host_arch = guest_arch_of_host();
	spec->nested = o->nested;
	spec->cpu_count = config->cpu_count;
	spec->memory_bytes = (config->memory_bytes + MIB - 1) / MIB * MIB;
	spec->mac = config->mac;
	spec->io_uring = io_uring_works();
	spec->display_width = config->display.width;
	spec->display_height = config->display.height;
	spec->no_keyboard = o->no_keyboard;
	spec->no_pointer = o->no_pointer;
	spec->audio = !o->no_audio;
	if (window && spec->audio && !run->identity.changes)
		spec->audio_backend = audio_find_backend(run->qemu_path);
	spec->clipboard = window && !o->no_clipboard;
	spec->vnc_password = run->view.vnc_password != NULL;
	spec->version = o->version;
}

bool run_prepare(struct run *run, struct err *err)
{
	if (!find_programs(run, err) || !choose_accel(run, err) || !open_serial(run, err) ||
	    !open_disks(run, err) || !choose_window(run, err))
		return false;
	fill_spec(run);
	check_memory(run);
	return true;
}

void run_done(struct run *run)
{
	supervisor_free(run->supervisor);
	run_network_done(&run->network);
	lookup_done(&run->guest);
	tty_done(&run->tty);
	vec_each(&run->disks, disk)
		open_disk_done(disk);
	vec_done(&run->disks);
	vec_done(&run->spec.disks);
	vec_done(&run->spec.nics);
	disk_spec_done(&run->spec.root);
	cleanup_close(&run->spec.kernel_fd);
	cleanup_close(&run->spec.initramfs_fd);
	cleanup_close(&run->spec.code_fd);
	cleanup_close(&run->spec.vars_fd);
	firmware_done(&run->firmware);
	extras_done(&run->extras);
	config_done(&run->config);
	free(run->qemu_path);
	explicit_bzero(run->vnc_password, sizeof(run->vnc_password));
	bundle_unlock(&run->lock);
	cleanup_close(&run->bundle_fd);
}
