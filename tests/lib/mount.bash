# SPDX-License-Identifier: Apache-2.0
# Small file systems for a test: `load ../lib/mount` after ../lib/common. They need root and are gone after the test.

# Mounts a new, empty file system of this type and size at $BATS_TEST_TMPDIR/NAME.
make_file_system() { # TYPE MIB [NAME]
	local image=$BATS_TEST_TMPDIR/$1.$RANDOM.img place=$BATS_TEST_TMPDIR/${3:-mnt} why

	requires_root
	requires_program "mkfs.$1"
	truncate -s "$2M" "$image"
	"mkfs.$1" -q "$image" >/dev/null
	mkdir -p "$place"
	why=$(mount -o loop "$image" "$place" 2>&1) || skip "cannot mount $1: $why"
	mounts+=("$place")
}

mounts=()

# For teardown(), before common_teardown.
unmount_all() {
	local place

	for place in "${mounts[@]}"; do
		umount "$place" 2>/dev/null || umount -l "$place"
	done
	mounts=()
}
