/* SPDX-License-Identifier: Apache-2.0 */
/* The machines of the tests: each row changes one thing of a plain one. */
#include "machine_rows.h"

static struct disk_spec *add_disk(struct machine_spec *spec)
{
	struct disk_spec *disk = vec_push(&spec->disks);

	*disk = (struct disk_spec)DISK_SPEC_INIT;
	disk->fd = FD_DISK + (int)spec->disks.n - 1;
	return disk;
}

static void with_kvm(struct machine_spec *spec)
{
	spec->accel = ACCEL_KVM;
}

static void with_kvm_nested(struct machine_spec *spec)
{
	spec->accel = ACCEL_KVM;
	spec->nested = true;
}

static void with_nested(struct machine_spec *spec)
{
	spec->nested = true;
}

static void on_the_other_host(struct machine_spec *spec)
{
	spec->host_arch = spec->arch == ARCH_AMD64 ? ARCH_ARM64 : ARCH_AMD64;
}

static void with_overlay(struct machine_spec *spec)
{
	spec->root.overlay_fd = FD_OVERLAY;
}

static void with_overlay_read_only(struct machine_spec *spec)
{
	spec->root.overlay_fd = FD_OVERLAY;
	spec->root.read_only = true;
}

static void with_root_read_only(struct machine_spec *spec)
{
	spec->root.read_only = true;
}

static void with_root_unsafe(struct machine_spec *spec)
{
	spec->root.sync = SYNC_NONE;
	spec->root.caching = CACHING_DIRECT;
}

static void with_threads(struct machine_spec *spec)
{
	spec->io_uring = false;
}

static void with_iso(struct machine_spec *spec)
{
	add_disk(spec)->read_only = true;
}

static void with_three_disks(struct machine_spec *spec)
{
	(void)add_disk(spec);
	add_disk(spec)->sync = SYNC_NONE;
	add_disk(spec)->caching = CACHING_DIRECT;
}

static void with_all_disks(struct machine_spec *spec)
{
	for (int i = 0; i < DISKS_MAX; i++)
		(void)add_disk(spec);
}

static void with_device(struct machine_spec *spec)
{
	add_disk(spec)->source = DISK_SOURCE_BLOCK;
	spec->disks.v[0].read_only = true;
}

static struct nbd_target *add_nbd(struct machine_spec *spec)
{
	struct disk_spec *disk = add_disk(spec);

	disk->source = DISK_SOURCE_NBD;
	disk->fd = -1;
	return &disk->nbd;
}

static void with_nbd(struct machine_spec *spec)
{
	*add_nbd(spec) = (struct nbd_target){ .host = xstrdup("::1"),
					      .port = xstrdup("10809"),
					      .export_name = xstrdup("my,disk=1") };
}

static void with_nbd_socket(struct machine_spec *spec)
{
	*add_nbd(spec) = (struct nbd_target){ .unix_path = xstrdup("/run/a, b.sock"),
					      .export_name = xstrdup("") };
	spec->disks.v[0].read_only = true;
	spec->disks.v[0].sync = SYNC_NONE;
}

static void with_nbd_tls(struct machine_spec *spec)
{
	*add_nbd(spec) = (struct nbd_target){
		.tls = true,
		.host = xstrdup("10.0.0.1"),
		.port = xstrdup("99"),
		.export_name = xstrdup("x"),
		.tls_dir = xstrdup("/etc/keys, mine"),
		.tls_hostname = xstrdup("disks.example.com"),
	};
}

static void with_hostile_name(struct machine_spec *spec)
{
	spec->vm_name = "a,process=evil debug-threads=off\xc3\xa9";
	spec->version = "1.0,name=x";
}

static void with_two_nics(struct machine_spec *spec)
{
	*vec_push(&spec->nics) = spec->nics.v[0];
}

static void use_tap(struct machine_spec *spec, size_t i, bool vhost)
{
	struct net_spec *nic = &spec->nics.v[i];

	nic->backend = NET_TAP;
	nic->fd = FD_TAP + 2 * (int)i;
	nic->vhost_fd = vhost ? nic->fd + 1 : -1;
	spec->net_life_fd = FD_NET_LIFE;
}

static void with_tap(struct machine_spec *spec)
{
	use_tap(spec, 0, false);
}

static void with_vhost(struct machine_spec *spec)
{
	use_tap(spec, 0, true);
}

static void with_all_taps(struct machine_spec *spec)
{
	while (spec->nics.n < NICS_MAX)
		*vec_push(&spec->nics) = spec->nics.v[0];
	for (size_t i = 0; i < NICS_MAX; i++)
		use_tap(spec, i, i % 2 == 1);
}

static void without_nic(struct machine_spec *spec)
{
	spec->nics.n = 0;
}

static void without_input(struct machine_spec *spec)
{
	spec->no_keyboard = spec->no_pointer = true;
}

static void without_keyboard(struct machine_spec *spec)
{
	spec->no_keyboard = true;
}

static void without_pointer(struct machine_spec *spec)
{
	spec->no_pointer = true;
}

static void with_sound(struct machine_spec *spec)
{
	spec->audio = true;
}

static void with_sound_of_the_host(struct machine_spec *spec)
{
	spec->audio = true;
	spec->audio_backend = "pa";
}

static void with_window(struct machine_spec *spec)
{
	spec->clipboard = true;
	spec->vnc_password = true;
	spec->display_width = 2560;
	spec->display_height = 1440;
}

static void with_large_figures(struct machine_spec *spec)
{
	spec->cpu_count = 200;
	spec->memory_bytes = (uint64_t)3 << 40;
	spec->mac = (struct mac){ { 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54 } };
	spec->nics.v[0].mac = spec->mac;
}

static void with_qcow2_firmware(struct machine_spec *spec)
{
	spec->code_qcow2 = true;
}

static void with_kernel(struct machine_spec *spec)
{
	spec->kernel_fd = FD_KERNEL;
	spec->initramfs_fd = FD_INITRAMFS;
	spec->cmdline = "console=ttyS0,115200 root=/dev/vda1 note=\"a, b\"";
	spec->code_fd = -1;
	spec->vars_fd = -1;
}

static void with_kernel_alone(struct machine_spec *spec)
{
	with_kernel(spec);
	spec->initramfs_fd = -1;
	spec->cmdline = "";
}

static void with_vsock(struct machine_spec *spec)
{
	spec->vsock_fd = FD_VSOCK;
}

#define AMD64 ARCH_AMD64
#define ARM64 ARCH_ARM64

const struct machine_row machine_rows[] = {
	{ "amd64", AMD64, NULL, true },
	{ "amd64-kvm", AMD64, with_kvm, false },
	{ "amd64-kvm-nested", AMD64, with_kvm_nested, false },
	{ "amd64-nested", AMD64, with_nested, true },
	{ "amd64-on-arm64", AMD64, on_the_other_host, true },
	{ "amd64-overlay", AMD64, with_overlay, true },
	{ "amd64-overlay-read-only", AMD64, with_overlay_read_only, true },
	{ "amd64-root-read-only", AMD64, with_root_read_only, true },
	{ "amd64-root-unsafe", AMD64, with_root_unsafe, true },
	{ "amd64-threads", AMD64, with_threads, true },
	{ "amd64-iso", AMD64, with_iso, true },
	{ "amd64-three-disks", AMD64, with_three_disks, true },
	{ "amd64-all-disks", AMD64, with_all_disks, true },
	{ "amd64-device", AMD64, with_device, false },
	{ "amd64-nbd", AMD64, with_nbd, false },
	{ "amd64-nbd-socket", AMD64, with_nbd_socket, false },
	{ "amd64-nbd-tls", AMD64, with_nbd_tls, false },
	{ "amd64-hostile-name", AMD64, with_hostile_name, true },
	{ "amd64-two-nics", AMD64, with_two_nics, true },
	{ "amd64-tap", AMD64, with_tap, false },
	{ "amd64-tap-vhost", AMD64, with_vhost, false },
	{ "amd64-all-taps", AMD64, with_all_taps, false },
	{ "amd64-no-nic", AMD64, without_nic, true },
	{ "amd64-no-input", AMD64, without_input, true },
	{ "amd64-sound", AMD64, with_sound, true },
	{ "amd64-sound-of-the-host", AMD64, with_sound_of_the_host, false },
	{ "amd64-window", AMD64, with_window, true },
	{ "amd64-large", AMD64, with_large_figures, false },
	{ "amd64-qcow2-firmware", AMD64, with_qcow2_firmware, false },
	{ "amd64-kernel", AMD64, with_kernel, false },
	{ "amd64-kernel-alone", AMD64, with_kernel_alone, false },
	{ "amd64-vsock", AMD64, with_vsock, false },
	{ "arm64", ARM64, NULL, true },
	{ "arm64-kernel", ARM64, with_kernel, false },
	{ "arm64-kvm", ARM64, with_kvm, false },
	{ "arm64-kvm-nested", ARM64, with_kvm_nested, false },
	{ "arm64-nested", ARM64, with_nested, true },
	{ "arm64-on-amd64", ARM64, on_the_other_host, true },
	{ "arm64-overlay", ARM64, with_overlay, true },
	{ "arm64-three-disks", ARM64, with_three_disks, true },
	{ "arm64-no-input", ARM64, without_input, true },
	{ "arm64-no-keyboard", ARM64, without_keyboard, true },
	{ "arm64-no-pointer", ARM64, without_pointer, true },
	{ "arm64-sound", ARM64, with_sound, true },
	{ "arm64-window", ARM64, with_window, true },
	{ "arm64-vsock", ARM64, with_vsock, false },
};

const size_t n_machine_rows = ARRAY_LEN(machine_rows);

void machine_row_fill(const struct machine_row *row, struct machine_spec *ret)
{
	struct machine_spec spec = {
		.vm_name = "debian",
		.arch = row->arch,
		.host_arch = row->arch,
		.accel = ACCEL_TCG,
		.cpu_count = 4,
		.memory_bytes = ROW_MEMORY_BYTES,
		.mac = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 } },
		.ram_fd = FD_RAM,
		.qmp_fd = FD_QMP,
		.con_fd = FD_CON,
		.hvc_fd = FD_HVC,
		.qga_fd = FD_QGA,
		.vsock_fd = -1,
		.kernel_fd = -1,
		.initramfs_fd = -1,
		.code_fd = FD_CODE,
		.vars_fd = FD_VARS,
		.net_life_fd = -1,
		.root = { .fd = FD_ROOT, .overlay_fd = -1 },
		.io_uring = true,
		.display_width = 1024,
		.display_height = 768,
		.version = "SNAPSHOT",
	};
	struct net_spec nic = { .backend = NET_USER, .mac = spec.mac };

	*vec_push(&spec.nics) = nic;
	if (row->change)
		row->change(&spec);
	*ret = spec;
}

void machine_row_done(struct machine_spec *spec)
{
	vec_each(&spec->disks, disk)
		nbd_target_done(&disk->nbd);
	vec_done(&spec->disks);
	vec_done(&spec->nics);
}
