/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's command line for a machine. */
#include "machine/qemu_argv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

/* PCI slots; see the table in the header. */
enum slot {
	SLOT_DISPLAY = 0x1,
	SLOT_NIC = 0x2,
	SLOT_KEYBOARD = 0x6,
	SLOT_TABLET = 0x7,
	SLOT_RNG = 0x8,
	SLOT_BALLOON = 0x9,
	SLOT_SERIAL = 0xa,
	SLOT_SOUND = 0xb,
	SLOT_PANIC = 0xc,
	SLOT_VSOCK_PORT = 0xd,
	SLOT_ROOT_DISK = 0x10,
	SLOT_DISK = 0x11,
};

/* Numbers of the fdsets: one per file that a block node opens. */
enum fdset { FDSET_CODE = 1, FDSET_VARS, FDSET_DISKS };

static void add(struct qemu_argv *argv, const char *text)
{
	*vec_push(&argv->args) = xstrdup(text);
}

static void opt(struct qemu_argv *argv, const char *option, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void opt(struct qemu_argv *argv, const char *option, const char *fmt, ...)
{
	struct str value = { 0 };
	va_list ap;

	add(argv, option);
	va_start(ap, fmt);
	str_vaddf(&value, fmt, ap);
	va_end(ap);
	*vec_push(&argv->args) = str_take(&value);
}

/* In QEMU's option lists a comma ends a value unless it is doubled. */
static void add_value(struct str *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == ',')
			str_add_char(out, ',');
		str_add_char(out, *text);
	}
}

static int inherit(struct qemu_argv *argv, int fd)
{
	*vec_push(&argv->fds) = fd;
	return fd;
}

/* -add-fd: block nodes open /dev/fdset/N, which hands them copies of this descriptor. */
static void add_fdset(struct qemu_argv *argv, int set, int fd)
{
	opt(argv, "-add-fd", "fd=%d,set=%d", inherit(argv, fd), set);
}

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

void machine_uuid(const struct mac *mac, char ret[MACHINE_UUID_SIZE])
{
	const uint8_t *o = mac->octets;

	/* Version 8 (RFC 9562: contents are ours), first word "tart". */
	(void)snprintf(ret, MACHINE_UUID_SIZE, "74617274-0000-8000-8000-%02x%02x%02x%02x%02x%02x",
		       o[0], o[1], o[2], o[3], o[4], o[5]);
}

static void add_identity(struct qemu_argv *argv, const struct machine_spec *spec)
{
	CLEANUP_STR struct str name = { 0 };
	char uuid[MACHINE_UUID_SIZE];

	add_value(&name, spec->vm_name);
	opt(argv, "-name", "guest=%s,debug-threads=on", str_text(&name));
	machine_uuid(&spec->mac, uuid);
	opt(argv, "-uuid", "%s", uuid);
	opt(argv, "-smbios", "type=1,manufacturer=Tart,product=VM");
}

static void add_accel_amd64(struct qemu_argv *argv, const struct machine_spec *spec)
{
	/* Without the flag the guest does not see the CPU's virtualisation either way. */
	const char *mask = spec->nested ? "" : ",-vmx,-svm";

	if (spec->accel == ACCEL_KVM) {
		opt(argv, "-accel", "kvm");
		opt(argv, "-cpu", "host,migratable=on%s", mask);
		return;
	}
	/* An x86 guest expects a stronger memory order than an arm64 host keeps between threads. */
	opt(argv, "-accel", "tcg,thread=%s,tb-size=256",
	    spec->host_arch == ARCH_AMD64 ? "multi" : "single");
	/* No five-level page tables: with them, and without SVM, QEMU 7.2 mixes up the memory of Linux processes. */
	opt(argv, "-cpu", "max,-la57%s", mask);
}

static void add_accel_arm64(struct qemu_argv *argv, const struct machine_spec *spec)
{
	if (spec->accel == ACCEL_KVM) {
		opt(argv, "-accel", "kvm");
		opt(argv, "-cpu", "host");
		return;
	}
	opt(argv, "-accel", "tcg,thread=multi,tb-size=256");
	opt(argv, "-cpu", "max,pauth-impdef=on");
}

static bool has_firmware(const struct machine_spec *spec)
{
	return spec->kernel_fd < 0;
}

static void add_board(struct qemu_argv *argv, const struct machine_spec *spec)
{
	const char *flash = has_firmware(spec) ? "pflash0=code,pflash1=vars," : "";

	if (spec->arch == ARCH_AMD64) {
		opt(argv, "-machine",
		    "q35,memory-backend=ram,%ssmm=off,vmport=off,hpet=off,dump-guest-core=off",
		    flash);
		add_accel_amd64(argv, spec);
		opt(argv, "-global", "ICH9-LPC.disable_s3=1");
		opt(argv, "-global", "ICH9-LPC.disable_s4=1");
		return;
	}
	opt(argv, "-machine", "virt,gic-version=%s%s,memory-backend=ram,%sdump-guest-core=off",
	    spec->accel == ACCEL_KVM ? "host" : "3", spec->nested ? ",virtualization=on" : "",
	    flash);
	add_accel_arm64(argv, spec);
}

static void add_processors(struct qemu_argv *argv, const struct machine_spec *spec)
{
	uint64_t mib = spec->memory_bytes >> 20;

	opt(argv, "-object",
	    "memory-backend-file,id=ram,size=%" PRIu64 "M,mem-path=/proc/self/fd/%d,share=on", mib,
	    inherit(argv, spec->ram_fd));
	opt(argv, "-m", "%" PRIu64 "M", mib);
	opt(argv, "-smp", "%" PRIu64 ",sockets=1,cores=%" PRIu64 ",threads=1", spec->cpu_count,
	    spec->cpu_count);
}

static void add_policy(struct qemu_argv *argv)
{
	opt(argv, "-rtc", "base=utc");
	opt(argv, "-boot", "strict=on");
	opt(argv, "-action", "reboot=reset,shutdown=poweroff,panic=shutdown");
	add(argv, "-S"); /* nothing of the guest runs before its supervisor says so */
	opt(argv, "-sandbox",
	    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

static void add_control(struct qemu_argv *argv, const struct machine_spec *spec)
{
	opt(argv, "-chardev", "socket,id=qmp,fd=%d", inherit(argv, spec->qmp_fd));
	opt(argv, "-mon", "chardev=qmp,mode=control");
	opt(argv, "-chardev", "socket,id=con,fd=%d", inherit(argv, spec->con_fd));
	opt(argv, "-serial", "chardev:con");
}

static void add_firmware(struct qemu_argv *argv, const struct machine_spec *spec)
{
	add_fdset(argv, FDSET_CODE, spec->code_fd);
	opt(argv, "-blockdev",
	    "driver=file,node-name=code-f,filename=/dev/fdset/%d,read-only=on,auto-read-only=off",
	    FDSET_CODE);
	opt(argv, "-blockdev", "driver=%s,node-name=code,file=code-f,read-only=on",
	    spec->code_qcow2 ? "qcow2" : "raw");
	add_fdset(argv, FDSET_VARS, spec->vars_fd);
	opt(argv, "-blockdev", "driver=file,node-name=vars-f,filename=/dev/fdset/%d", FDSET_VARS);
	opt(argv, "-blockdev", "driver=raw,node-name=vars,file=vars-f");
}

/* QEMU has no fdsets for these: it opens the descriptor's own name. */
static void add_kernel(struct qemu_argv *argv, const struct machine_spec *spec)
{
	opt(argv, "-kernel", "/proc/self/fd/%d", inherit(argv, spec->kernel_fd));
	if (spec->initramfs_fd >= 0)
		opt(argv, "-initrd", "/proc/self/fd/%d", inherit(argv, spec->initramfs_fd));
	opt(argv, "-append", "%s", spec->cmdline);
}

/* How one disk is wired: names of its nodes and its place in the machine. */
struct disk_place {
	char id[32]; /* of the node the device uses, and the stem of those below */
	int fdset;   /* and fdset + 1 for an overlay */
	unsigned int slot;
	int boot_index;
};

static void add_local_node(struct qemu_argv *argv, const struct machine_spec *spec,
			   const struct disk_spec *disk, const struct disk_place *place)
{
	const char *aio = spec->io_uring ? "io_uring" : "threads";
	const char *driver = disk->source == DISK_SOURCE_BLOCK ? "host_device" : "file";
	const char *direct = on_off(disk->caching == CACHING_DIRECT);
	int fdset = place->fdset;

	add_fdset(argv, fdset, disk->fd);
	if (disk->overlay_fd >= 0) {
		opt(argv, "-blockdev",
		    "driver=%s,node-name=%s-base-f,filename=/dev/fdset/%d,aio=%s,cache.direct=%s,"
		    "read-only=on,auto-read-only=off",
		    driver, place->id, fdset, aio, direct);
		opt(argv, "-blockdev", "driver=raw,node-name=%s-base,file=%s-base-f,read-only=on",
		    place->id, place->id);
		add_fdset(argv, ++fdset, disk->overlay_fd);
		driver = "file";
	}
	opt(argv, "-blockdev",
	    "driver=%s,node-name=%s-f,filename=/dev/fdset/%d,aio=%s,cache.direct=%s,cache.no-flush=%s,"
	    "discard=unmap%s",
	    driver, place->id, fdset, aio, direct, on_off(disk->sync == SYNC_NONE),
	    disk->read_only ? ",read-only=on,auto-read-only=off" : "");
}

static void add_nbd_node(struct qemu_argv *argv, const struct disk_spec *disk,
			 const struct disk_place *place)
{
	const struct nbd_target *nbd = &disk->nbd;
	CLEANUP_STR struct str value = { 0 };

	if (nbd->tls) {
		str_addf(&value,
			 "tls-creds-x509,id=%s-tls,endpoint=client,verify-peer=on,dir=", place->id);
		add_value(&value, nbd->tls_dir);
		opt(argv, "-object", "%s", str_text(&value));
		str_clear(&value);
	}
	str_addf(&value, "driver=nbd,node-name=%s-f,", place->id);
	if (nbd->unix_path) {
		str_add(&value, "server.type=unix,server.path=");
		add_value(&value, nbd->unix_path);
	} else {
		str_add(&value, "server.type=inet,server.host=");
		add_value(&value, nbd->host);
		str_add(&value, ",server.port=");
		add_value(&value, nbd->port);
	}
	str_add(&value, ",export=");
	add_value(&value, nbd->export_name);
	if (nbd->tls)
		str_addf(&value, ",tls-creds=%s-tls", place->id);
	if (nbd->tls && nbd->tls_hostname) {
		str_add(&value, ",tls-hostname=");
		add_value(&value, nbd->tls_hostname);
	}
	str_addf(&value, ",reconnect-delay=30,cache.no-flush=%s,discard=unmap%s",
		 on_off(disk->sync == SYNC_NONE), disk->read_only ? ",read-only=on" : "");
	opt(argv, "-blockdev", "%s", str_text(&value));
}

static void add_disk(struct qemu_argv *argv, const struct machine_spec *spec,
		     const struct disk_spec *disk, const struct disk_place *place)
{
	CLEANUP_STR struct str format = { 0 };

	if (disk->source == DISK_SOURCE_NBD)
		add_nbd_node(argv, disk, place);
	else
		add_local_node(argv, spec, disk, place);
	if (disk->overlay_fd >= 0)
		str_addf(&format, "driver=qcow2,node-name=%s,file=%s-f,backing=%s-base", place->id,
			 place->id, place->id);
	else
		str_addf(&format, "driver=raw,node-name=%s,file=%s-f", place->id, place->id);
	opt(argv, "-blockdev", "%s,%s", str_text(&format),
	    disk->read_only ? "read-only=on" : "discard=unmap,detect-zeroes=unmap");
	opt(argv, "-device",
	    "virtio-blk-pci,id=dev-%s,drive=%s,bus=pcie.0,addr=0x%x,bootindex=%d,iothread=io0",
	    place->id, place->id, place->slot, place->boot_index);
}

static void add_disks(struct qemu_argv *argv, const struct machine_spec *spec)
{
	struct disk_place place = {
		.id = "root", .fdset = FDSET_DISKS, .slot = SLOT_ROOT_DISK, .boot_index = 1
	};

	assert(spec->disks.n <= DISKS_MAX);
	opt(argv, "-object", "iothread,id=io0");
	add_disk(argv, spec, &spec->root, &place);
	for (size_t i = 0; i < spec->disks.n; i++) {
		(void)snprintf(place.id, sizeof(place.id), "disk%zu", i + 1);
		place.fdset += 2;
		place.slot = SLOT_DISK + (unsigned int)i;
		place.boot_index++;
		add_disk(argv, spec, &spec->disks.v[i], &place);
	}
}

/* The addresses of the network that other VMs are in, so that guests find the same gateway; no IPv6 there either. */
#define USER_NET \
	"ipv6=off,net=192.168.64.0/24,host=192.168.64.1,dns=192.168.64.3,dhcpstart=192.168.64.11"

static void add_tap(struct qemu_argv *argv, size_t i, const struct net_spec *nic)
{
	CLEANUP_STR struct str vhost = { 0 };

	if (nic->vhost_fd >= 0)
		str_addf(&vhost, ",vhost=on,vhostfd=%d", inherit(argv, nic->vhost_fd));
	opt(argv, "-netdev", "tap,id=net%zu,fd=%d%s", i, inherit(argv, nic->fd), str_text(&vhost));
}

static void add_nics(struct qemu_argv *argv, const struct machine_spec *spec)
{
	assert(spec->nics.n <= NICS_MAX);
	for (size_t i = 0; i < spec->nics.n; i++) {
		const struct net_spec *nic = &spec->nics.v[i];
		char mac[MAC_TEXT_SIZE];

		mac_print(&nic->mac, mac);
		switch (nic->backend) {
		case NET_USER:
			opt(argv, "-netdev", "user,id=net%zu,%s", i, USER_NET);
			break;
		case NET_TAP:
			add_tap(argv, i, nic);
			break;
		}
		/* No boot ROM: nothing is booted from the network, and the firmware starts sooner. */
		opt(argv, "-device",
		    "virtio-net-pci,id=nic%zu,netdev=net%zu,mac=%s,bus=pcie.0,addr=0x%x,romfile=",
		    i, i, mac, SLOT_NIC + (unsigned int)i);
	}
	if (spec->net_life_fd >= 0)
		(void)inherit(argv, spec->net_life_fd);
}

/* Entropy, memory that goes back to the host when the guest frees it, and a way to learn of a guest's panic. */
static void add_helpers(struct qemu_argv *argv)
{
	opt(argv, "-object", "rng-random,id=rng0,filename=/dev/urandom");
	opt(argv, "-device", "virtio-rng-pci,rng=rng0,bus=pcie.0,addr=0x%x", SLOT_RNG);
	opt(argv, "-device",
	    "virtio-balloon-pci,id=balloon0,bus=pcie.0,addr=0x%x,free-page-reporting=on,deflate-on-oom=on",
	    SLOT_BALLOON);
	opt(argv, "-device", "pvpanic-pci,bus=pcie.0,addr=0x%x", SLOT_PANIC);
}

/*
 * The channel into the guest. Its device blocks saving a machine and dies with its backend: behind a port of its own it can
 * be taken out of a running guest and be put in again.
 */
static void add_vsock(struct qemu_argv *argv, const struct machine_spec *spec)
{
	opt(argv, "-device",
	    "pcie-root-port,id=" VSOCK_ROOT_PORT ",bus=pcie.0,addr=0x%x,chassis=1,slot=1",
	    SLOT_VSOCK_PORT);
	if (spec->vsock_fd < 0)
		return;
	opt(argv, "-chardev", "socket,id=" VSOCK_CHARDEV ",fd=%d", inherit(argv, spec->vsock_fd));
	opt(argv, "-device",
	    VSOCK_DRIVER ",id=" VSOCK_DEVICE ",bus=" VSOCK_ROOT_PORT ",chardev=" VSOCK_CHARDEV);
}

static void add_ports(struct qemu_argv *argv, const struct machine_spec *spec)
{
	CLEANUP_STR struct str version = { 0 };

	opt(argv, "-device", "virtio-serial-pci,id=vser0,bus=pcie.0,addr=0x%x", SLOT_SERIAL);
	opt(argv, "-chardev", "socket,id=hvc,fd=%d", inherit(argv, spec->hvc_fd));
	opt(argv, "-device", "virtconsole,bus=vser0.0,nr=1,chardev=hvc");
	add_value(&version, spec->version);
	opt(argv, "-chardev", "null,id=ver");
	opt(argv, "-device", "virtserialport,bus=vser0.0,nr=2,chardev=ver,name=tart-version-%s",
	    str_text(&version));
	opt(argv, "-chardev", "socket,id=qga,fd=%d", inherit(argv, spec->qga_fd));
	opt(argv, "-device",
	    "virtserialport,bus=vser0.0,nr=4,chardev=qga,name=org.qemu.guest_agent.0");
	if (!spec->clipboard)
		return;
	opt(argv, "-chardev", "qemu-vdagent,id=spice,clipboard=on,mouse=off");
	opt(argv, "-device",
	    "virtserialport,bus=vser0.0,nr=3,chardev=spice,name=com.redhat.spice.0");
}

static void add_display(struct qemu_argv *argv, const struct machine_spec *spec)
{
	opt(argv, "-device", "%s,id=video0,xres=%" PRIu32 ",yres=%" PRIu32 ",bus=pcie.0,addr=0x%x",
	    spec->arch == ARCH_AMD64 ? "virtio-vga" : "virtio-gpu-pci", spec->display_width,
	    spec->display_height, SLOT_DISPLAY);
	opt(argv, "-display", "none");
	/* No listener: clients arrive by add_client over QMP. */
	opt(argv, "-vnc", "none%s", spec->vnc_password ? ",password=on" : "");
}

static void add_input(struct qemu_argv *argv, const struct machine_spec *spec)
{
	if (spec->arch == ARCH_AMD64) {
		if (!spec->no_keyboard)
			opt(argv, "-device", "virtio-keyboard-pci,bus=pcie.0,addr=0x%x",
			    SLOT_KEYBOARD);
		if (!spec->no_pointer)
			opt(argv, "-device", "virtio-tablet-pci,bus=pcie.0,addr=0x%x", SLOT_TABLET);
		return;
	}
	/* No PS/2 there, and the firmware's menus know USB only. */
	if (spec->no_keyboard && spec->no_pointer)
		return;
	opt(argv, "-device", "qemu-xhci,id=usb0,bus=pcie.0,addr=0x%x", SLOT_KEYBOARD);
	if (!spec->no_keyboard)
		opt(argv, "-device", "usb-kbd,bus=usb0.0");
	if (!spec->no_pointer)
		opt(argv, "-device", "usb-tablet,bus=usb0.0");
}

static void add_sound(struct qemu_argv *argv, const struct machine_spec *spec)
{
	if (!spec->audio)
		return;
	opt(argv, "-audiodev", "%s,id=snd0", spec->audio_backend ? spec->audio_backend : "none");
	opt(argv, "-device", "ich9-intel-hda,id=hda0,bus=pcie.0,addr=0x%x", SLOT_SOUND);
	opt(argv, "-device", "hda-duplex,bus=hda0.0,audiodev=snd0");
}

void qemu_argv_build(const char *program, const struct machine_spec *spec, struct qemu_argv *ret)
{
	struct qemu_argv argv = { 0 };

	add(&argv, program);
	add(&argv, "-no-user-config");
	add(&argv, "-nodefaults");
	add_identity(&argv, spec);
	add_policy(&argv);
	add_processors(&argv, spec);
	add_board(&argv, spec);
	add_control(&argv, spec);
	if (has_firmware(spec))
		add_firmware(&argv, spec);
	else
		add_kernel(&argv, spec);
	add_disks(&argv, spec);
	add_nics(&argv, spec);
	add_helpers(&argv);
	add_vsock(&argv, spec);
	add_ports(&argv, spec);
	add_display(&argv, spec);
	add_input(&argv, spec);
	add_sound(&argv, spec);
	*vec_push(&argv.args) = NULL;
	argv.args.n--;
	*ret = argv;
}

void qemu_argv_done(struct qemu_argv *argv)
{
	vec_each(&argv->args, arg)
		free(*arg);
	vec_done(&argv->args);
	vec_done(&argv->fds);
}
