#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the tiny guest: Debian's cloud kernel, busybox and dropbear in an initramfs.
#
# usage: images/tiny/build.sh ARCH DIR [--check]
# Leaves vmlinuz, initrd.zst, disk.img and tiny.iso in the existing directory DIR. Nothing of the
# foreign architecture is run, so either architecture can be made on either. --check only looks
# whether the programs that takes are there.

set -euo pipefail

here=$(dirname -- "$(readlink -f -- "$0")")
# shellcheck source=images/lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=images/lib/archive.sh
. "$here/../lib/archive.sh"
# shellcheck source=images/lib/disk.sh
. "$here/../lib/disk.sh"

# Loaded in this order, each after what it depends on; virtio_pci first, the rest finds its devices.
MODULES='virtio_pci virtio_mmio virtio_blk virtio_net virtio_console virtio-rng virtio_balloon
	virtio_input evdev button pvpanic-pci virtiofs vmw_vsock_virtio_transport isofs vfat nls_cp437 nls_ascii'

ESP_MIB=33
DISK_MIB=$((ESP_MIB + 2 * GPT_MARGIN_MIB))

check() {
	need apt-get=apt dpkg-deb=dpkg depmod=kmod cpio=cpio zstd=zstd objcopy=binutils \
		mkfs.vfat=dosfstools mcopy=mtools sfdisk=fdisk xorriso=xorriso
	need_file "$KEYRING=debian-archive-keyring"
}

fetch() {
	archive_open "$work/apt" "$arch"
	kernel=$(archive_kernel "$arch")
	[ -n "$kernel" ] || die "Debian $SUITE has no cloud kernel for $arch"
	release=${kernel#linux-image-}
	# shellcheck disable=SC2046 # a list of words
	archive_unpack "$work/debian" "$kernel" $(image_packages "$here" "$arch")
}

# Prints the files of the modules named by its arguments, dependencies first, each once. Names that
# the kernel has built in, or does not have on this architecture, print nothing.
module_files() {
	local module

	depmod -b "$work/debian" "$release"
	for module in "$@"; do
		modprobe -d "$work/debian" -S "$release" --show-depends "$module" 2>/dev/null || true
	done | sed -n "s|^insmod $work/debian/||p" | awk '!seen[$1]++ { print $1 }'
}

install_modules() {
	local file

	# shellcheck disable=SC2086 # a list of words
	module_files $MODULES >"$work/modules"
	while read -r file; do
		install -D -m 644 "$work/debian/$file" "$root/lib/modules/${file##*/}"
		echo "/lib/modules/${file##*/}" >>"$root/lib/modules/order"
	done <"$work/modules"
}

# install_program FILE: copies a program of the unpacked packages, and the libraries it names.
install_program() {
	local file=$1 library

	install -D -m 755 "$work/debian/$file" "$root/$file"
	for library in $(readelf -d -l "$work/debian/$file" |
		sed -n -e 's/.*(NEEDED).*\[\(.*\)\]/\1/p' -e 's/.*program interpreter: .*\/\(.*\)\]/\1/p'); do
		[ ! -e "$root/lib/$library" ] || continue
		install_library "$library"
	done
}

install_library() {
	local found

	found=$(find "$work/debian" -name "$1" -print -quit)
	[ -n "$found" ] || die "no package here has the library $1"
	install -D -m 755 "$found" "$root/lib/$1"
	for library in $(readelf -d "$found" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		[ -e "$root/lib/$library" ] || install_library "$library"
	done
}

make_root() {
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,mnt,root,usr/bin,usr/sbin,var/log} \
		"$root"/etc/{acpi/PWRF,dropbear}
	ln -s /run "$root/var/run"
	install -m 755 "$work/debian/bin/busybox" "$root/bin/busybox"
	# The dynamic linker of amd64 is named by a path in lib64.
	ln -s lib "$root/lib64"
	install_program usr/sbin/dropbear
	install_modules

	install -m 755 "$here/rc" "$root/init"
	install -m 755 "$here/report" "$root/bin/report"
	install -m 755 "$here/power-button" "$root/etc/acpi/PWRF/00000080"
	install -m 755 "$here/udhcpc.script" "$root/etc/udhcpc.script"
	echo 'root::0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo '/bin/sh' >"$root/etc/shells"
	echo "PS1='tiny# '" >"$root/etc/profile"
}

make_initrd() {
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) |
		zstd -q -15 >"$out/initrd.zst"
	install -m 644 "$work/debian/boot/vmlinuz-$release" "$out/vmlinuz"
}

# make_uki FILE: kernel, initramfs and command line as one EFI program. The addresses are those of
# systemd's documentation, spread so that a kernel of 32 MiB still fits.
make_uki() {
	printf '%s' "$cmdline" >"$work/cmdline"
	printf 'ID=tiny\nVERSION_ID=%s\n' "$release" >"$work/osrel"
	objcopy \
		--add-section .osrel="$work/osrel" --change-section-vma .osrel=0x20000 \
		--add-section .cmdline="$work/cmdline" --change-section-vma .cmdline=0x30000 \
		--add-section .linux="$out/vmlinuz" --change-section-vma .linux=0x2000000 \
		--add-section .initrd="$out/initrd.zst" --change-section-vma .initrd=0x4000000 \
		"$work/debian/usr/lib/systemd/boot/efi/linuxx64.efi.stub" "$1"
}

# amd64 boots one unified kernel image. binutils cannot write EFI programs of other architectures,
# so arm64 has systemd-boot and a loader entry.
make_esp() {
	local esp=$1 boot

	boot=/EFI/BOOT/$(efi_boot_name "$arch")
	esp_make "$esp" "$ESP_MIB"
	if [ "$arch" = amd64 ]; then
		make_uki "$work/uki.efi"
		esp_put "$esp" "$work/uki.efi" "$boot"
	else
		esp_put "$esp" "$work/debian/usr/lib/systemd/boot/efi/$(efi_loader_name "$arch")" "$boot"
		esp_put "$esp" "$out/vmlinuz" /tiny/linux
		esp_put "$esp" "$out/initrd.zst" /tiny/initrd
		printf 'timeout 0\ndefault tiny.conf\n' | esp_put "$esp" - /loader/loader.conf
		printf 'title tiny\nlinux /tiny/linux\ninitrd /tiny/initrd\noptions %s\n' "$cmdline" |
			esp_put "$esp" - /loader/entries/tiny.conf
	fi
}

make_iso() {
	mkdir "$work/iso"
	ln "$work/esp.img" "$work/iso/efi.img"
	quietly xorriso -as mkisofs -o "$out/tiny.iso" -V TINY -J -r -e efi.img -no-emul-boot \
		"$work/iso" || die "cannot make the ISO"
}

[ $# -ge 2 ] || die "usage: images/tiny/build.sh ARCH DIR [--check]"
arch=$1
out=$2
arch_check "$arch"
check
case ${3-} in
'') ;;
--check) exit 0 ;;
*) die "unknown option '$3'" ;;
esac

work=$out/.work
root=$work/root
mkdir "$work"
trap 'remove_tree "$work"' EXIT
cmdline="console=tty0 console=$(serial_tty "$arch") quiet"

fetch
make_root
make_initrd
make_esp "$work/esp.img"
disk_make "$out/disk.img" "$DISK_MIB" "$ESP_MIB" "$GPT_ESP" esp
disk_put "$out/disk.img" "$GPT_MARGIN_MIB" "$work/esp.img"
make_iso
