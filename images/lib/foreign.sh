# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Running programs of the other architecture: the emulator qemu-user, registered with the kernel.
#
# If the host has it registered (Debian's qemu-user-static does that on a full system), it is used.
# Otherwise root registers it for as long as the script runs, under a name with the script's pid, so
# that scripts do not take each other's away and what a killed one left behind is recognised. The
# script then runs in a mount namespace with binfmt_misc mounted: from Linux 6.7 a registration
# lasts no longer than the mount.

BINFMT=/proc/sys/fs/binfmt_misc

# foreign_check ARCH: ends with an error if programs of ARCH cannot be made to run here.
foreign_check() {
	foreign_is "$1" || return 0
	! foreign_is_registered "$1" || return 0
	need "qemu-$(foreign_machine "$1")-static=qemu-user-static"
	[ "$(id -u)" -eq 0 ] ||
		die "making a Debian guest of $1 here needs root, or qemu-user-static registered with the kernel"
}

# foreign_start ARCH SCRIPT ARGUMENT...: programs of ARCH run after this, until foreign_stop. SCRIPT
# with its ARGUMENTs is the calling script, which may have to start again in another namespace.
foreign_start() {
	local arch=$1

	shift
	foreign_entry=
	foreign_is "$arch" || return 0
	! foreign_is_registered "$arch" || return 0
	[ -n "${IMAGES_NAMESPACE-}" ] || IMAGES_NAMESPACE=$$ exec unshare --mount -- "$@"
	[ -e "$BINFMT/register" ] || mount -t binfmt_misc binfmt_misc "$BINFMT" ||
		die "cannot mount binfmt_misc, which the emulator for $arch is registered with"
	foreign_remove_stale
	foreign_entry=tart-images-$$
	foreign_register "$arch" "$foreign_entry" || die "cannot register the emulator for $arch"
}

foreign_stop() {
	[ -z "${foreign_entry-}" ] || [ ! -e "$BINFMT/$foreign_entry" ] || echo -1 >"$BINFMT/$foreign_entry"
	foreign_entry=
}

foreign_remove_stale() {
	local entry

	for entry in "$BINFMT"/tart-images-*; do
		[ ! -e "$entry" ] || kill -0 "${entry##*-}" 2>/dev/null || echo -1 >"$entry"
	done
}

foreign_is() {
	[ "$1" != "$(dpkg --print-architecture)" ]
}

# The F flag: the kernel holds the emulator open, so that it works inside the new root as well.
foreign_is_registered() {
	grep -qx enabled "$BINFMT/qemu-$(foreign_machine "$1")" 2>/dev/null &&
		grep -q '^flags:.*F' "$BINFMT/qemu-$(foreign_machine "$1")"
}

foreign_machine() {
	case $1 in amd64) echo x86_64 ;; arm64) echo aarch64 ;; esac
}

# foreign_register ARCH NAME: for programs with a 64-bit ELF header, executable or shared object.
foreign_register() {
	local machine mask

	case $1 in
	amd64) machine='\x3e\x00' ;;
	arm64) machine='\xb7\x00' ;;
	esac
	mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
	printf '%s' ":$2:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00$machine:$mask:$(
		command -v "qemu-$(foreign_machine "$1")-static"
	):F" >"$BINFMT/register"
}
