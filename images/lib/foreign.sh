# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Running programs of the other architecture: the emulator qemu-user, registered with the kernel.
#
# If the host has it registered (Debian's qemu-user-static does that on a full system), it is used.
# Otherwise root registers it for as long as the script runs, under a name with the script's pid, so
# that scripts do not take each other's away and what a killed one left behind is recognised.

BINFMT=/proc/sys/fs/binfmt_misc

# foreign_check ARCH: ends with an error if programs of ARCH cannot be made to run here.
foreign_check() {
	foreign_is "$1" || return 0
	! foreign_is_registered "$1" || return 0
	need "qemu-$(foreign_machine "$1")-static=qemu-user-static"
	[ "$(id -u)" -eq 0 ] ||
		die "making a Debian guest of $1 here needs root, or qemu-user-static registered with the kernel"
}

# foreign_start ARCH: programs of ARCH run after this, until foreign_stop.
foreign_start() {
	FOREIGN_ENTRY=
	foreign_is "$1" || return 0
	! foreign_is_registered "$1" || return 0
	FOREIGN_ENTRY=tart-images-$$
	foreign_with_binfmt foreign_register "$1" "$FOREIGN_ENTRY" ||
		die "cannot register the emulator for $1 with the kernel (binfmt_misc)"
}

foreign_stop() {
	[ -z "${FOREIGN_ENTRY-}" ] || foreign_with_binfmt foreign_remove "$FOREIGN_ENTRY"
	FOREIGN_ENTRY=
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

# foreign_with_binfmt FUNCTION ARGUMENT...: with binfmt_misc mounted, in a mount namespace that
# takes the mount along when it ends.
foreign_with_binfmt() {
	export BINFMT
	export -f foreign_register foreign_remove foreign_machine
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount bash -euc '
		[ -e "$BINFMT/register" ] || mount -t binfmt_misc binfmt_misc "$BINFMT"
		"$@"' bash "$@"
}

# The 64-bit ELF header of a program or shared object, from its magic number to its machine.
foreign_register() {
	local machine mask entry

	for entry in "$BINFMT"/tart-images-*; do
		[ ! -e "$entry" ] || kill -0 "${entry##*-}" 2>/dev/null || echo -1 >"$entry"
	done
	case $1 in
	amd64) machine='\x3e\x00' ;;
	arm64) machine='\xb7\x00' ;;
	esac
	mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
	printf '%s' ":$2:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00$machine:$mask:$(command -v "qemu-$(foreign_machine "$1")-static"):F" >"$BINFMT/register"
}

foreign_remove() {
	[ ! -e "$BINFMT/$1" ] || echo -1 >"$BINFMT/$1"
}
