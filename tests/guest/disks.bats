#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a guest sees of the disks and the firmware variables that `tart run` gives it. Each boot does several things.

load ../lib/common
load ../lib/images

# Of tart() in common.bash.
export TART_TIMEOUT=300

setup() {
	common_setup
	work=$BATS_TEST_TMPDIR/work
	mkdir "$work"
	bundle=$TART_HOME/vms/vm
	"$TART" create vm --linux --disk-size 1 --arch amd64
	"$TART" set vm --memory 512 --cpu 1
}

# The VM's disk: tiny with the script on standard input.
boot_with() {
	tiny_disk "$work/tiny.img" amd64
	"$TART" set vm --disk "$work/tiny.img"
}

make_file() {
	truncate -s "$2" "$work/$1"
}

console_has() {
	grep -qaF -- "$1" "$bundle/console.log"
}

# A server on a free port: $nbd_port. As root the emulator runs as nobody, who reaches no socket below $work.
serve_nbd() {
	local file=$1

	for nbd_port in $(shuf -i 20000-40000 -n 20); do
		background qemu-nbd --format=raw --bind=127.0.0.1 --port="$nbd_port" --persistent \
			--export-name='my,disk=1' "$file"
		wait_until nbd_answers_or_ended "$background_pid"
		! kill -0 "$background_pid" 2>/dev/null || return 0
	done
	return 1
}

nbd_answers_or_ended() {
	! kill -0 "$1" 2>/dev/null ||
		qemu-img info --output=json "nbd://127.0.0.1:$nbd_port/my,disk=1" >/dev/null 2>&1
}

@test 'disks: kinds, modes and order, and a foreign variable store' {
	make_file rw.img 3M
	make_file ro.img 5M
	make_file nbd.img 7M
	serve_nbd "$work/nbd.img"
	# A store made on a Mac: neither its size nor its content says anything to our firmware.
	head -c 131072 /dev/urandom >"$bundle/nvram.bin"
	cp "$bundle/nvram.bin" "$work/nvram.bin"
	boot_with <<-'EOF'
		report
		echo written to file >/dev/vdb
		echo written to ro 2>/dev/null >/dev/vdc && echo RO-WRITTEN
		echo written to NBD >/dev/vdd
		sync
		poweroff -f
	EOF

	tart run vm --no-graphics --accel tcg --disk "$work/rw.img:sync=none" --disk "$work/ro.img:ro" \
		--disk "nbd://127.0.0.1:$nbd_port/my%2cdisk=1"
	assert_success
	assert_equal "$stderr" ''
	console_has 'TINY-FIRMWARE uefi'
	console_has 'TINY-BLOCK vda 36700160 rw 0000:00:10.0'
	console_has 'TINY-BLOCK vdb 3145728 rw 0000:00:11.0'
	console_has 'TINY-BLOCK vdc 5242880 ro 0000:00:12.0'
	console_has 'TINY-BLOCK vdd 7340032 rw 0000:00:13.0'
	run ! console_has RO-WRITTEN
	assert_equal "$(head -c 15 "$work/rw.img")" 'written to file'
	assert_equal "$(head -c 14 "$work/nbd.img")" 'written to NBD'
	assert_equal "$(tr -d '\0' <"$work/ro.img" | wc -c)" 0

	cmp "$bundle/nvram.bin" "$work/nvram.bin"
	assert_equal "$(stat -c %s "$bundle/efivars.fd")" "$(stat -c %s /usr/share/OVMF/OVMF_VARS_4M.fd)"
	# The firmware has made boot entries in it.
	run ! cmp -s "$bundle/efivars.fd" /usr/share/OVMF/OVMF_VARS_4M.fd
}

@test 'disks: the root disk read-only' {
	boot_with <<-'EOF'
		report
		poweroff -f
	EOF
	before=$(sha256sum <"$bundle/disk.img")
	tart run vm --no-graphics --accel tcg --root-disk-opts ro
	assert_success
	console_has 'TINY-BLOCK vda 36700160 ro 0000:00:10.0'
	assert_equal "$(sha256sum <"$bundle/disk.img")" "$before"
}

@test 'disks: one writer, or readers' {
	make_file shared.img 3M
	boot_with </dev/null
	background "$TART" run vm --no-graphics --accel tcg --disk "$work/shared.img"
	wait_until test -S "$bundle/vnc.sock"
	"$TART" create other --linux --disk-size 1 --arch amd64

	# A second writer meets our lock before its QEMU starts.
	tart run other --no-graphics --accel tcg --disk "$work/shared.img"
	assert_failure 1
	assert_equal "$stderr" "disk $work/shared.img seems to be already in use"
	# A reader meets QEMU's.
	wait_until console_has TINY-READY
	tart run other --no-graphics --accel tcg --disk "$work/shared.img:ro"
	assert_failure 1
	assert_equal "$stderr" "disk $work/shared.img seems to be already in use"
	tart list --format json
	assert_equal "$(jq -r '.[] | select(.Name == "other") | .State' <<<"$output")" stopped
	"$TART" stop vm --timeout 20
	wait "$background_pid"
}

@test 'disks: a block device' {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	make_file device.img 3M
	device=$(losetup --show --find "$work/device.img" 2>/dev/null) || skip 'no loop devices here'
	boot_with <<-'EOF'
		report
		echo written to device >/dev/vdb
		sync
		poweroff -f
	EOF
	tart run vm --no-graphics --accel tcg --disk "$device"
	losetup --detach "$device"
	assert_success
	console_has 'TINY-BLOCK vdb 3145728 rw 0000:00:11.0'
	assert_equal "$(head -c 17 "$work/device.img")" 'written to device'
}

@test 'disks: what will not boot is said at the start' {
	tiny_disk "$work/tiny.img" amd64 </dev/null
	mdel -i "$work/tiny.img@@1M" ::/EFI/BOOT/BOOTX64.EFI
	"$TART" set vm --disk "$work/tiny.img"
	background "$TART" run vm --no-graphics --accel tcg >"$work/out"
	wait_until grep -qF 'The disk has no \EFI\BOOT\BOOTX64.EFI' "$work/out"
	wait_until test -S "$bundle/vnc.sock"
	"$TART" stop vm --timeout 10
	wait "$background_pid"

	# With a further disk it may boot from that one.
	make_file other.img 1M
	background "$TART" run vm --no-graphics --accel tcg --disk "$work/other.img" >"$work/out"
	wait_until test -S "$bundle/vnc.sock"
	run ! grep -F 'The disk has no' "$work/out"
	"$TART" stop vm --timeout 10
	wait "$background_pid"
}

@test 'disks: a medium for the other architecture' {
	make_file debian-12-arm64.iso 1M
	tart run vm --no-graphics --disk "$work/debian-12-arm64.iso:ro"
	assert_failure 64
	assert_equal "${stderr_lines[0]}" "Error: '$work/debian-12-arm64.iso' seems to be an image for arm64 \
machines, but this VM needs one for amd64"
}

@test 'disks: the variable store of arm64 stays sparse' {
	"$TART" create arm --linux --disk-size 1 --arch arm64
	"$TART" set arm --memory 512 --cpu 1
	bundle=$TART_HOME/vms/arm
	assert_equal "$(stat -c '%s %b' "$bundle/nvram.bin")" '67108864 0'
	tiny_disk "$work/tiny.img" arm64 <<-'EOF'
		report
		poweroff -f
	EOF
	"$TART" set arm --disk "$work/tiny.img"
	tart run arm --no-graphics --accel tcg
	assert_success
	console_has 'TINY-FIRMWARE uefi'
	assert_file_not_exists "$bundle/efivars.fd"
	# The firmware has made its store in what was empty, and nothing else takes up space.
	assert_equal "$(dd if="$bundle/nvram.bin" bs=1 skip=40 count=4 status=none)" _FVH
	assert_equal "$(stat -c %s "$bundle/nvram.bin")" 67108864
	[ "$(stat -c %b "$bundle/nvram.bin")" -le $((1024 * 1024 / 512)) ]
	tart run arm --no-graphics --accel tcg
	assert_success
	assert_file_not_exists "$bundle/efivars.fd"
}
