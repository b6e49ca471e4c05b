#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a purpose needs; does nothing when they are there, asks nothing.
set -u -o pipefail

purposes='build demo test lint bench'

usage() {
	cat >&2 <<-EOF
		usage: ${0##*/} [--list] PURPOSE...
		Installs what each PURPOSE ($purposes) needs; --list only prints the names.
	EOF
	exit 64
}

# The emulator and firmware for guests of this host's architecture, and the other one's.
case $(dpkg --print-architecture 2>/dev/null || uname -m) in
arm64 | aarch64)
	qemu_native='qemu-system-arm qemu-efi-aarch64'
	qemu_foreign='qemu-system-x86 ovmf'
	;;
*)
	qemu_native='qemu-system-x86 ovmf'
	qemu_foreign='qemu-system-arm qemu-efi-aarch64'
	;;
esac

packages_for() {
	case $1 in
	build)
		echo gcc libc6-dev make meson ninja-build pkg-config libarchive-dev libcurl4-openssl-dev liblz4-dev libprotobuf-c-dev
		echo libcap-dev libmnl-dev libnghttp2-dev libseccomp-dev libsecret-1-dev libssl-dev libzstd-dev
		echo protobuf-c-compiler scdoc
		;;
	demo) # running guests, and making them from Debian packages
		echo "$qemu_native" qemu-utils
		echo binutils cpio debian-archive-keyring dosfstools e2fsprogs fdisk kmod mmdebstrap mtools
		echo uidmap xorriso zstd
		echo dnsmasq-base iproute2 openssh-client passt python3
		;;
	test)
		packages_for demo
		echo "$qemu_foreign"
		echo clang libclang-rt-14-dev libcmocka-dev bats bats-assert bats-file bats-support jq socat
		echo dbus-bin dbus-daemon gnome-keyring libsecret-tools
		echo mandoc zsh fish btrfs-progs nghttp2-server xfsprogs procps python3 openssl
		echo apache2-utils skopeo
		echo busybox-static conntrack isc-dhcp-client netcat-openbsd nftables strace systemd udev udhcpc
		;;
	lint)
		packages_for build
		echo jq libcmocka-dev clang clang-format clang-tidy cppcheck shellcheck codespell mandoc
		;;
	bench)
		packages_for demo
		echo conntrack jq nftables python3 skopeo
		;;
	*) usage ;;
	esac
}

# Names of those of its arguments that are not installed.
missing_of() {
	local installed

	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p')
	for package in "$@"; do
		grep -qxF "$package" <<<"$installed" || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=a LC_ALL=C.UTF-8 \
		apt-get -y -q -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef \
		-o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# The index may be missing (a bare system) or name files that the mirror has replaced since.
install() {
	if compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null &&
		apt install --no-install-recommends "$@"; then
		return 0
	fi
	apt update && apt install --no-install-recommends "$@"
}

list_only=false
if [ "${1-}" = --list ]; then
	list_only=true
	shift
fi
[ $# -gt 0 ] || usage

# No process substitution in this file: it needs /proc, which a bare chroot may lack.
wanted=$(for purpose in "$@"; do packages_for "$purpose" || exit; done) || exit
wanted=$(tr ' ' '\n' <<<"$wanted" | LC_ALL=C sort -u)
if $list_only; then
	echo "$wanted"
	exit 0
fi
wanted=${wanted//$'\n'/ }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "This is not Debian; make sure that your system has what these packages hold: $wanted" >&2
	exit 0
fi

# shellcheck disable=SC2086 # a list of words, here and below
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0
missing=${missing//$'\n'/ }

if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
	echo "Packages are missing; as root, type: apt-get install --no-install-recommends $missing" >&2
	exit 1
fi

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "Installing Debian packages: $missing"
# shellcheck disable=SC2086
if ! install $missing >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	echo "Packages could not be installed: $missing" >&2
	exit 1
fi
