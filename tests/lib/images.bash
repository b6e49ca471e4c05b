# SPDX-License-Identifier: Apache-2.0
# Guest images for tests: finds or makes them, and copies tiny with a script that steers it.

# The root of the source tree, wherever the bats file is below tests/.
images_root=$(readlink -f "$BATS_TEST_DIRNAME/../..")

# image_dir NAME ARCH: directory of the cached image; read only, so copy what is to be booted.
# What bats has open is closed: mmdebstrap's shell commands cannot name descriptors beyond 9.
image_dir() (
	for fd in {3..15}; do
		eval "exec $fd>&-"
	done
	"$images_root/images/get" "$@"
)

# tiny_disk FILE ARCH <SCRIPT: a bootable copy of tiny that runs SCRIPT each time it boots, before
# it says TINY-READY (images/README.md). An empty SCRIPT changes nothing.
tiny_disk() {
	local dir

	dir=$(image_dir tiny "$2") || return
	cp --sparse=always --no-preserve=mode "$dir/disk.img" "$1" || return
	tiny_script "$1"
}

# tiny_script FILE <SCRIPT: gives a disk made by tiny_disk another script. Not while it runs.
tiny_script() {
	mcopy -o -i "$1@@1M" - ::/tiny.cmd
}
