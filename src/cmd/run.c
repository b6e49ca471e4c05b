/* SPDX-License-Identifier: Apache-2.0 */
/* tart run: a local VM in the foreground, until it powers off. */
#include "machine/run.h"

#include <stdlib.h>

#include "cmd/command.h"
#include "cmd/host_firmware.h"
#include "cmd/net_args.h"
#include "cmd/print.h"
#include "machine/kvm_probe.h"
#include "storage/config.h"
#include "storage/local.h"

struct run_args {
	const char *name;
	bool no_graphics;
	bool graphics;
	bool serial;
	const char *serial_path;
	bool no_audio;
	bool no_clipboard;
	bool recovery;
	bool vnc;
	bool vnc_experimental;
	struct text_list disks;
	const char *rosetta;
	bool nested;
	struct net_args net;
	const char *root_disk_opts;
	bool grab_keys;
	bool no_trackpad;
	bool no_pointer;
	bool no_keyboard;
	enum run_accel { RUN_ACCEL_DEFAULT, RUN_ACCEL_AUTO, RUN_ACCEL_KVM, RUN_ACCEL_TCG } accel;

	struct network_wish network; /* what `net` says; filled by run_validate() */
};

static const struct operand run_operands[] = {
	OPERAND(struct run_args, name, "name", "VM name", .completes = COMPLETES_LOCAL),
	OPERAND_END,
};

static const struct opt_value accels[] = {
	{ "auto", RUN_ACCEL_AUTO },
	{ "kvm", RUN_ACCEL_KVM },
	{ "tcg", RUN_ACCEL_TCG },
	{ NULL, 0 },
};

static const struct opt run_opts[] = {
	OPT_FLAG(struct run_args, no_graphics, 0, "no-graphics", "Open no window"),
	OPT_FLAG(struct run_args, graphics, 0, "graphics", "Open a window even with VNC",
		 .show = SHOW_NEVER),
	OPT_FLAG(struct run_args, serial, 0, "serial",
		 "Put the guest's console hvc0 on a new pseudo-terminal and tell its name"),
	OPT_TEXT(struct run_args, serial_path, 0, "serial-path", "path",
		 "Put the guest's console hvc0 on this terminal; ignored with --serial",
		 .completes = COMPLETES_FILES),
	OPT_FLAG(struct run_args, no_audio, 0, "no-audio", "Give the VM no sound device"),
	OPT_FLAG(struct run_args, no_clipboard, 0, "no-clipboard",
		 "Do not share the clipboard between host and guest"),
	OPT_FLAG(struct run_args, recovery, 0, "recovery",
		 "For macOS VMs, which do not run on Linux hosts"),
	OPT_FLAG(
		struct run_args, vnc, 0, "vnc",
		"Connect to the screen sharing that the guest itself serves",
		.discussion =
			"Waits a minute for the guest's address. The URL is opened, or printed with "
			"--no-graphics or when the environment has CI."),
	OPT_FLAG(struct run_args, vnc_experimental, 0, "vnc-experimental",
		 "Serve the guest's screen by VNC on a port of 127.0.0.1, with a password",
		 .discussion =
			 "The URL with port and password is opened, or printed with --no-graphics "
			 "or when the environment has CI."),
	OPT_TEXTS(struct run_args, disks, 0, "disk", "path[:options]",
		  "Attach a further disk; may be repeated", .completes = COMPLETES_FILES,
		  .discussion =
			  "An image file (raw or ISO), a block device, a network block device "
			  "(nbd://host:port/export, nbd+unix:///export?socket=path), or a cached "
			  "remote image. Options, comma-separated: ro, sync=none|fsync|full, "
			  "caching=automatic|cached|uncached. Examples: --disk data.img, --disk "
			  "ubuntu.iso:ro, --disk scratch.img:sync=none"),
	OPT_TEXT(struct run_args, rosetta, 0, "rosetta", "tag", "Not supported on Linux hosts"),
	OPT_FLAG(struct run_args, nested, 0, "nested", "Let the guest run virtual machines itself"),
	OPT_TEXTS(
		struct run_args, net.bridged, 0, "net-bridged", "interface",
		"Put the guest into the network of this interface of the host",
		.discussion =
			"A bridge of the host, or a wired interface; repeated, the guest has an "
			"interface in each. \"list\" prints those that there are, and runs nothing."),
	OPT_FLAG(struct run_args, net.softnet, 0, "net-softnet",
		 "Let the guest reach the internet, but not the host's networks or other VMs"),
	OPT_TEXT(
		struct run_args, net.allow, 0, "net-softnet-allow", "CIDRs",
		"Networks that the guest may reach besides; implies --net-softnet",
		.discussion =
			"Comma-separated, such as 192.168.0.0/24,10.0.0.7; @host is the host at the "
			"gateway's address. The most specific network decides; when the same one is "
			"blocked, it is blocked. 0.0.0.0/0 also opens the way to other VMs that have it."),
	OPT_TEXT(struct run_args, net.block, 0, "net-softnet-block", "CIDRs",
		 "Networks that the guest may not reach; implies --net-softnet",
		 .discussion =
			 "With 0.0.0.0/0, the guest reaches only what --net-softnet-allow names."),
	OPT_TEXT(
		struct run_args, net.expose, 0, "net-softnet-expose", "specs",
		"Ports of the host that lead to the guest; implies --net-softnet",
		.discussion =
			"Comma-separated EXTERNAL:INTERNAL pairs of TCP ports, such as 2222:22,8080:80."),
	OPT_FLAG(struct run_args, net.host, 0, "net-host",
		 "Let the guest reach this host at the gateway's address, and nothing else"),
	OPT_TEXT(struct run_args, root_disk_opts, 0, "root-disk-opts", "options",
		 "Options of the VM's own disk, as those of --disk", .fallback.text = ""),
	OPT_FLAG(struct run_args, grab_keys, 0, "capture-system-keys",
		 "Send the host's hot keys to the guest while its window has the focus"),
	OPT_FLAG(struct run_args, no_trackpad, 0, "no-trackpad", "For macOS VMs only"),
	OPT_FLAG(struct run_args, no_pointer, 0, "no-pointer", "Give the VM no pointer device"),
	OPT_FLAG(struct run_args, no_keyboard, 0, "no-keyboard", "Give the VM no keyboard"),
	OPT_ENUM(struct run_args, accel, 0, "accel", NULL, accels, RUN_ACCEL_DEFAULT,
		 "How the guest's processor runs: with KVM, by emulation (tcg), or whatever works; "
		 "TART_ACCEL is the default, else auto"),
	OPT_END,
};

static bool accel_wish(const struct run_args *a, enum accel_wish *ret, struct err *err)
{
	switch (a->accel) {
	case RUN_ACCEL_AUTO:
		*ret = ACCEL_AUTO;
		return true;
	case RUN_ACCEL_KVM:
		*ret = ACCEL_FORCE_KVM;
		return true;
	case RUN_ACCEL_TCG:
		*ret = ACCEL_FORCE_TCG;
		return true;
	case RUN_ACCEL_DEFAULT:
		break;
	}
	return accel_wish_from_env(getenv("TART_ACCEL"), ret, err);
}

static bool check_combination(const struct run_args *a, struct err *err)
{
	if (a->recovery)
		return err_set(err, ERR_USAGE,
			       "--recovery is only for macOS VMs, which do not run on Linux hosts");
	if (a->rosetta)
		return err_set(err, ERR_USAGE, "Rosetta is not supported on Linux hosts");
	if (a->vnc && a->vnc_experimental)
		return err_set(err, ERR_USAGE,
			       "--vnc and --vnc-experimental are mutually exclusive");
	if (!net_args_check_mode(&a->net, err))
		return false;
	if (a->graphics && a->no_graphics)
		return err_set(err, ERR_USAGE,
			       "--graphics and --no-graphics are mutually exclusive");
	if (a->grab_keys && (a->no_graphics || a->vnc || a->vnc_experimental))
		return err_set(err, ERR_USAGE,
			       "--captures-system-keys can only be used with the default VM view");
	return true;
}

/* Emulation offers nested machines; KVM only where its module was told so. */
static bool check_nested(const struct run_args *a, const struct home *home, struct err *err)
{
	enum guest_arch host = guest_arch_of_host();
	struct accel_request request = { .guest = host,
					 .host = host,
					 .cache_dirfd = home->cache_fd };
	struct accel_choice choice;

	if (!a->nested)
		return true;
	if (!accel_wish(a, &request.wish, err) || !accel_choose(&request, &choice, err))
		return false;
	if (choice.kind == ACCEL_TCG || kvm_is_nestable())
		return true;
	return err_set(err, ERR_USAGE,
		       "--nested: the KVM of this host does not let guests run virtual machines");
}

/* Where others exit 2, `run` exits 1: it finds out while it checks its arguments. */
static bool peek(const struct home *home, const char *name, int *ret_fd, struct err *err)
{
	struct err why = { 0 };

	if (local_peek(home, name, ret_fd, &why))
		return true;
	return err_set(err, ERR_GENERAL, "%s", why.text);
}

static bool check_vm(const struct run_args *a, const struct config *config, struct err *err)
{
	if (a->no_trackpad && config->os != OS_DARWIN)
		return err_set(err, ERR_USAGE, "--no-trackpad can only be used with macOS VMs");
	vec_each(&a->disks, text) {
		struct disk_arg disk;

		disk_arg_parse(span_of(*text), &disk);
		if (!disk_arg_check_arch(&disk, config->arch, err))
			return false;
	}
	if (config->disk_format != DISK_RAW)
		return err_set(err, ERR_USAGE, "Disk format '%s' is not supported on this system.",
			       config->disk_format_text);
	if (config->os == OS_DARWIN)
		return err_set(
			err, ERR_GENERAL,
			"VM \"%s\" is a macOS VM: it can be stored, cloned, pushed and exported here, "
			"but only run on Apple hardware",
			a->name);
	return true;
}

static bool run_validate(struct tart *tart, void *args, struct err *err)
{
	struct run_args *a = args;
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP_CLOSE int fd = -1;

	if (!check_combination(a, err))
		return false;
	if (net_args_ask_for_list(&a->net))
		return true;
	return net_args_read(&a->net, &a->network, err) && check_nested(a, tart->home, err) &&
	       peek(tart->home, a->name, &fd, err) &&
	       (config_read(fd, &config, err) || err_context(err, "VM \"%s\"", a->name)) &&
	       check_vm(a, &config, err) && net_args_check_interfaces(&a->net, err);
}

static void show_status(void *ctx, const char *line)
{
	(void)ctx;
	print_line("%s", line);
}

static enum run_window wanted_window(const struct run_args *a)
{
	if (a->graphics)
		return WINDOW_REQUIRED;
	return a->no_graphics || a->vnc || a->vnc_experimental ? WINDOW_NONE : WINDOW_IF_POSSIBLE;
}

static bool run_vm(struct tart *tart, struct run_args *a, struct err *err)
{
	const struct run_ui ui = { .status = show_status };
	VEC(struct disk_arg) disks = { 0 };
	struct run_options options = {
		.name = a->name,
		.home = tart->home,
		.ui = &ui,
		.nested = a->nested,
		.window = wanted_window(a),
		.grab_keys = a->grab_keys,
		.vnc = a->vnc_experimental,
		.guest_vnc = a->vnc,
		.open_url = !a->no_graphics && !getenv("CI"),
		.serial = a->serial,
		.serial_path = a->serial_path,
		.no_audio = a->no_audio,
		.no_clipboard = a->no_clipboard,
		.no_keyboard = a->no_keyboard,
		.no_pointer = a->no_pointer,
		.network = &a->network,
		.find_firmware = host_firmware_find,
		.screen = { getenv("DISPLAY"), getenv("WAYLAND_DISPLAY"), getenv("PATH") },
		.user_home = getenv("HOME"),
		.qemu_user = getenv("TART_QEMU_USER"),
		.leases_env = getenv("TART_DHCP_LEASES"),
		.version = tart->program->version,
		.limits = &supervisor_default_limits,
	};
	bool ok;

	vec_each(&a->disks, text)
		disk_arg_parse(span_of(*text), vec_push(&disks));
	options.disks = disks.v;
	options.n_disks = disks.n;
	disk_opts_parse(span_of(a->root_disk_opts), &options.root_disk);
	ok = accel_wish(a, &options.accel, err) &&
	     keeper_wish_from_env(getenv("TART_NETWORK_BACKEND"), &a->network.keeper, err) &&
	     machine_run(&options, err);
	vec_done(&disks);
	return ok;
}

static bool run_run(struct tart *tart, void *args, struct err *err)
{
	struct run_args *a = args;

	return net_args_ask_for_list(&a->net) ? net_args_print_list(err) : run_vm(tart, a, err);
}

static void run_done(void *args)
{
	struct run_args *a = args;

	network_wish_done(&a->network);
}

const struct command cmd_run = {
	.name = "run",
	.summary = "Run a VM",
	.operands = run_operands,
	.opts = run_opts,
	.args_size = sizeof(struct run_args),
	.needs = NEEDS_HOME | NEEDS_HOME_TO_VALIDATE,
	.validate = run_validate,
	.run = run_run,
	.done = run_done,
};
