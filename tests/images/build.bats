#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The images themselves: what is in them, and that tiny comes up under a plain QEMU.

bats_require_minimum_version 1.5.0

setup() {
	load ../lib/bats.bash
	load ../lib/images.bash
}

# Makes PATH a folder with everything of /usr/bin but its arguments.
hide_programs() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s /usr/bin/* "$BATS_TEST_TMPDIR/bin/"
	for program in "$@"; do
		rm "$BATS_TEST_TMPDIR/bin/$program"
	done
	PATH=$BATS_TEST_TMPDIR/bin
}

# Boots tiny without firmware, so in 3 seconds, until it powers itself off.
boot_tiny() { # ARCH DISK [QEMU ARGUMENT...]
	local arch=$1 dir machine tty

	dir=$(image_dir tiny "$1")
	case $arch in
	amd64) machine='x86_64 -machine q35 -cpu max' tty=ttyS0 ;;
	arm64) machine='aarch64 -machine virt,gic-version=3 -cpu cortex-a72' tty=ttyAMA0 ;;
	esac
	set -- "$dir" "$2" "${@:3}"
	# shellcheck disable=SC2086 # words
	timeout 120 qemu-system-$machine -nodefaults -no-user-config -accel tcg,thread=multi \
		-m 512 -kernel "$1/vmlinuz" -initrd "$1/initrd.zst" -append "console=$tty quiet" \
		-blockdev "driver=file,node-name=disk,filename=$2" -device virtio-blk-pci,drive=disk \
		-netdev user,id=net0 -device virtio-net-pci,netdev=net0,romfile= \
		-display none -serial stdio -no-reboot "${@:3}" </dev/null | tr -d '\r'
}

assert_partition() { # DISK NUMBER FIELD VALUE
	run sfdisk --json "$1"
	assert_equal "$(jq -r ".partitiontable.partitions[$2 - 1].$3" <<<"$output")" "$4"
}

@test "tiny: the disk of either architecture is a GPT with a bootable system partition" {
	local arch boot dir

	while read -r arch boot; do
		dir=$(image_dir tiny "$arch")
		assert_partition "$dir/disk.img" 1 type C12A7328-F81F-11D2-BA4B-00A0C93EC93B
		assert_partition "$dir/disk.img" 1 start 2048
		run -0 mdir -b -i "$dir/disk.img@@1M" ::/EFI/BOOT
		assert_output "::/EFI/BOOT/$boot"
	done <<-'END'
		amd64 BOOTX64.EFI
		arm64 BOOTAA64.EFI
	END
}

@test "tiny: the ISO boots by UEFI" {
	run -0 xorriso -indev "$(image_dir tiny amd64)/tiny.iso" -report_el_torito plain
	assert_line --regexp 'El Torito boot img.*UEFI'
}

@test "tiny amd64: runs the script of its disk, gets an address and a prompt, powers off" {
	tiny_disk "$BATS_TEST_TMPDIR/disk.img" amd64 <<-'END'
		report
		(until grep -q nameserver /etc/resolv.conf; do usleep 10000; done; poweroff -f) &
	END
	run -0 boot_tiny amd64 "$BATS_TEST_TMPDIR/disk.img"
	assert_line --regexp '^TINY-UNAME Linux tiny .* x86_64 '
	assert_line "TINY-BLOCK vda $((35 * 1024 * 1024)) rw 0000:00:01.0"
	assert_line --regexp '^TINY-READY [0-9]+\.[0-9]+$'
	assert_line --regexp 'TINY-IP 10\.0\.2\.15 eth0$'
	assert_line --partial 'tiny# '
}

@test "tiny arm64: runs the script of its disk" {
	tiny_disk "$BATS_TEST_TMPDIR/disk.img" arm64 <<-'END'
		report
		poweroff -f
	END
	run -0 boot_tiny arm64 "$BATS_TEST_TMPDIR/disk.img"
	assert_line --regexp '^TINY-UNAME Linux tiny .* aarch64 '
	refute_line --regexp '^TINY-READY'
}

@test "missing programs are named by package, all at once, and nothing is made" {
	hide_programs xorriso mcopy
	TART_IMAGES_CACHE=$BATS_TEST_TMPDIR/cache run --separate-stderr "$images_root/images/get" tiny amd64
	assert_failure 1
	assert_output ''
	assert_equal "$stderr" \
		'images: missing packages: mtools xorriso; install them with: tools/packages.sh demo'
	assert_not_exists "$BATS_TEST_TMPDIR/cache"
}
