#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian guest: a disk with an EFI system partition and an ext4 root file system.
#
# usage: images/debian/build.sh ARCH DIR [--cloud-init] [--check]
# Leaves disk.img, and vmlinuz and initrd.img for booting without firmware, in the existing
# directory DIR. Needs root, or subordinate user ids; a foreign ARCH needs its emulator as well
# (lib/foreign.sh). --check only looks whether what that takes is there.

set -euo pipefail

here=$(dirname -- "$(readlink -f -- "$0")")
# shellcheck source=images/lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=images/lib/archive.sh
. "$here/../lib/archive.sh"
# shellcheck source=images/lib/disk.sh
. "$here/../lib/disk.sh"
# shellcheck source=images/lib/foreign.sh
. "$here/../lib/foreign.sh"

# The system takes some 400 MB; its partition and file system grow with the disk at boot.
DISK_MIB=4096
ESP_MIB=128
ROOT_MIB=$((DISK_MIB - ESP_MIB - 2 * GPT_MARGIN_MIB))
ROOT_AT_MIB=$((GPT_MARGIN_MIB + ESP_MIB))

parse() {
	cloud_init=
	check_only=
	[ $# -ge 2 ] || die "usage: images/debian/build.sh ARCH DIR [--cloud-init] [--check]"
	arch=$1
	out=$2
	shift 2
	for option in "$@"; do
		case $option in
		--cloud-init) cloud_init=y ;;
		--check) check_only=y ;;
		*) die "unknown option '$option'" ;;
		esac
	done
	arch_check "$arch"
}

check() {
	need apt-get=apt mmdebstrap=mmdebstrap mke2fs=e2fsprogs mkfs.vfat=dosfstools mcopy=mtools \
		sfdisk=fdisk
	need_file "$KEYRING=debian-archive-keyring"
	if [ "$(id -u)" -ne 0 ]; then
		need newuidmap=uidmap
		as_root true 2>/dev/null ||
			die "making a Debian guest needs root, or subordinate ids of $(id -un) in /etc/subuid and /etc/subgid"
	fi
	foreign_check "$arch"
}

# The host's settings for fetching (proxies and such), which mmdebstrap's apt does not read.
apt_settings() {
	apt-config dump --no-empty Acquire | grep -v '^Acquire::\(Languages\|IndexTargets\|GzipIndexes\)'
	echo 'Acquire::Languages "none";'
	echo "Acquire::Retries \"$FETCH_RETRIES\";"
}

# The settings of the initramfs are laid down before the kernel package makes one.
bootstrap() {
	local packages options=() initramfs=(
		etc/initramfs-tools/conf.d/tart
		usr/share/initramfs-tools/modules.d/tart
	)

	packages=$(image_packages "$here" "$arch" | paste -sd ,)
	[ -z "$cloud_init" ] || packages+=,cloud-init,cloud-guest-utils
	apt_settings >"$work/apt.conf"
	archive_sources >"$work/sources.list"
	for dir in man locale doc info; do
		options+=(--dpkgopt="path-exclude=/usr/share/$dir/*")
	done
	for file in "${initramfs[@]}"; do
		options+=(--essential-hook="mkdir -p \"\$1/${file%/*}\"")
		options+=(--essential-hook="upload $file $file")
	done
	(cd "$here/files" && quietly mmdebstrap --variant=minbase --skip=check/qemu \
		--architectures="$arch" --include="$packages" --aptopt="$work/apt.conf" \
		--dpkgopt=force-unsafe-io "${options[@]}" \
		"$SUITE" "$work/root.tar" "$work/sources.list") || die "mmdebstrap failed"
}

# The kernel's command line is a file in the guest, too, for its later kernels. The guest's apt uses the mirrors of
# the host that made it, unless their addresses hold a password.
make_root() {
	local trees=("$here/files" "$work/files")

	mkdir -p "$work/files/etc/kernel" "$work/files/etc/apt"
	grep -v '://[^/]*@' "$work/sources.list" >"$work/files/etc/apt/sources.list"
	echo "$cmdline" >"$work/files/etc/kernel/cmdline"
	[ -z "$cloud_init" ] || trees+=("$here/cloud-init")
	as_root "$here/root_fs.sh" "$work/root.tar" "$work" "$work" "$out/disk.img" \
		"$ROOT_AT_MIB" "$ROOT_MIB" "${trees[@]}"
	rm "$work/root.tar"
}

# Names and places are those of kernel-install, which takes over when the guest gets a new kernel.
make_esp() {
	local esp=$1 release loader

	release=$(basename "$work"/vmlinuz-*)
	release=${release#vmlinuz-}
	loader=$(efi_loader_name "$arch")
	esp_make "$esp" "$ESP_MIB"
	esp_put "$esp" "$work/$loader" "/EFI/BOOT/$(efi_boot_name "$arch")"
	esp_put "$esp" "$work/$loader" "/EFI/systemd/$loader"
	esp_put "$esp" "$work/vmlinuz-$release" "/debian/$release/linux"
	esp_put "$esp" "$work/initrd.img-$release" "/debian/$release/initrd.img-$release"
	printf 'timeout 0\ndefault debian-*\n' | esp_put "$esp" - /loader/loader.conf
	printf 'type1\n' | esp_put "$esp" - /loader/entries.srel
	esp_put "$esp" - "/loader/entries/debian-$release.conf" <<-END
		title      Debian GNU/Linux
		version    $release
		sort-key   debian
		options    $cmdline
		linux      /debian/$release/linux
		initrd     /debian/$release/initrd.img-$release
	END
	mv "$work/vmlinuz-$release" "$out/vmlinuz"
	mv "$work/initrd.img-$release" "$out/initrd.img"
}

root_type() {
	case $arch in amd64) echo "$GPT_ROOT_AMD64" ;; arm64) echo "$GPT_ROOT_ARM64" ;; esac
}

parse "$@"
check
[ -z "$check_only" ] || exit 0

work=$out/.work
foreign_start "$arch" "$here/build.sh" "$@"
trap 'foreign_stop; remove_tree "$work"' EXIT
cmdline="root=LABEL=root ro console=tty0 console=$(serial_tty "$arch") quiet"

mkdir "$work"
bootstrap
disk_make "$out/disk.img" "$DISK_MIB" "$ESP_MIB" "$GPT_ESP" ESP "$ROOT_MIB" "$(root_type)" root
make_root
make_esp "$work/esp.img"
disk_put "$out/disk.img" "$GPT_MARGIN_MIB" "$work/esp.img"
