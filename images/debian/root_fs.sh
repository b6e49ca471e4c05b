#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Turns the archive of a fresh Debian into the guest's root file system. Runs as root, maybe only
# of a user namespace, with programs of the guest's architecture able to run.
#
# usage: root_fs.sh ROOT.TAR WORK_DIR OUT_DIR DISK OFFSET_MIB SIZE_MIB FILES...
# Unpacks to WORK_DIR/root, lays the trees FILES over it, writes an ext4 file system into DISK at
# the offset, and copies the kernel, its initramfs and the EFI boot loader to OUT_DIR.

set -euo pipefail

archive=$1
root=$2/root
out=$3
disk=$4
offset_mib=$5
size_mib=$6
shift 6
trap 'rm -rf -- "$root"' EXIT

# lay_files TREE: owned by root and readable by all, whatever the checkout looks like.
lay_files() {
	local file

	(cd "$1" && find . -type f -print) | while IFS= read -r file; do
		install -D -o root -g root -m 644 "$1/$file" "$root/$file"
	done
}

# Every copy of the image makes its own identity when it first boots, and nothing of the host that
# made it stays but what build.sh chose: mmdebstrap wrote down its proxies, its options for dpkg.
forget_origin() {
	: >"$root/etc/machine-id"
	rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/lib/dbus/machine-id \
		"$root"/var/lib/systemd/random-seed
	rm -f "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap \
		"$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
}

add_user() {
	chroot "$root" useradd --create-home --shell /bin/bash --groups sudo admin
	echo admin:admin | chroot "$root" chpasswd --crypt-method SHA512
	chmod 440 "$root/etc/sudoers.d/admin"
}

# Nothing may delay the login, or wake the disk of an idle guest.
set_services() {
	chroot "$root" systemctl --quiet enable systemd-networkd.service systemd-resolved.service \
		ssh.service ssh-host-key.service
	chroot "$root" systemctl --quiet mask systemd-networkd-wait-online.service \
		systemd-boot-update.service apt-daily.timer apt-daily-upgrade.timer \
		dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
}

mkdir "$root"
tar -C "$root" -xf "$archive" --numeric-owner --exclude='./dev/*'
forget_origin
for files in "$@"; do
	lay_files "$files"
done
add_user
set_services
mkdir -p "$root/efi"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

cp --no-preserve=mode "$root"/boot/vmlinuz-* "$root"/boot/initrd.img-* \
	"$root"/usr/lib/systemd/boot/efi/systemd-boot*.efi "$out/"
mke2fs -q -F -t ext4 -L root -m 1 -E "offset=$((offset_mib * 1048576))" -d "$root" "$disk" "${size_mib}M"
