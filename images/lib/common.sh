# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every image script needs: messages, needed programs, architecture names, a working directory.

# The release all images are made from.
# shellcheck disable=SC2034 # for those who source this
SUITE=bookworm

# mke2fs, sfdisk and depmod live where an ordinary user's PATH does not look.
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

note() {
	printf '%s\n' "images: $*" >&2
}

die() {
	note "$*"
	exit 1
}

# quietly COMMAND...: runs it and shows what it said only if it fails. Keeps that in $work.
quietly() {
	local status=0

	"$@" >"${work:?}/log" 2>&1 || status=$?
	[ "$status" -eq 0 ] || tail -n 40 "$work/log" >&2
	return "$status"
}

# need PROGRAM=PACKAGE...: ends with one line that names all missing packages at once.
need() {
	local pair missing=()

	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	need_packages "${missing[@]}"
}

# need_file FILE=PACKAGE...: the same for packages that are known by a file.
need_file() {
	local pair missing=()

	for pair in "$@"; do
		[ -e "${pair%%=*}" ] || missing+=("${pair#*=}")
	done
	need_packages "${missing[@]}"
}

need_packages() {
	[ $# -eq 0 ] || die "missing packages: $*; install them with: tools/packages.sh demo"
}

# arch_check ARCH: the two architectures that images exist for, by their Debian names.
arch_check() {
	case $1 in
	amd64 | arm64) ;;
	*) die "unknown architecture '$1', expected amd64 or arm64" ;;
	esac
}

# The names the UEFI specification and systemd give the fallback boot loader of an architecture.
efi_boot_name() {
	case $1 in amd64) echo BOOTX64.EFI ;; arm64) echo BOOTAA64.EFI ;; esac
}

efi_loader_name() {
	case $1 in amd64) echo systemd-bootx64.efi ;; arm64) echo systemd-bootaa64.efi ;; esac
}

# The first serial port of QEMU's machine for an architecture.
serial_tty() {
	case $1 in amd64) echo ttyS0 ;; arm64) echo ttyAMA0 ;; esac
}

# remove_tree DIR: also when an interrupted build left files of other users of our user namespace.
remove_tree() {
	[ -e "$1" ] || return 0
	rm -rf -- "$1" 2>/dev/null || as_root rm -rf -- "$1"
}

# as_root COMMAND...: runs it as root, of a user namespace with our subordinate ids if need be.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		unshare --map-root-user --map-auto -- "$@"
	fi
}

# image_packages DIR ARCH: the packages that the image of DIR is made from.
image_packages() {
	sed -e '/^#/d' -e "s/@ARCH@/$2/" "$1/packages"
}
