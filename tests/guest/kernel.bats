#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bundles that bring a kernel: it boots instead of firmware, with the command line and the further disks they name.

load ../lib/common
load ../lib/images

export TART_TIMEOUT=300

# A VM of the tiny guest without anything bootable on its disk: kernel_vm ARCH CMDLINE
kernel_vm() {
	local vm=$TART_HOME/vms/vm dir

	dir=$(image_dir tiny "$1")
	"$TART" create vm --linux --disk-size 1 --arch "$1" 3>&-
	"$TART" set vm --memory 512 --cpu 1 3>&-
	cp "$dir/vmlinuz" "$vm/kernel"
	cp "$dir"/initrd.* "$vm/initramfs"
	# As if nobody else should read them.
	chmod 0600 "$vm/kernel" "$vm/initramfs"
	truncate -s 3M "$vm/data.img"
	jq --arg cmdline "$2" '.tartLinux = {boot: {$cmdline, initramfs: true}, disks: ["data.img"]}' \
		"$vm/config.json" >"$BATS_TEST_TMPDIR/config.json"
	cat "$BATS_TEST_TMPDIR/config.json" >"$vm/config.json"
}

boots_kernel() { # ARCH CONSOLE
	kernel_vm "$1" "console=$2 panic=-1 tiny.poweroff tart.marker=here"
	tart clone vm copy
	assert_success
	"$TART" run copy --no-graphics --accel tcg >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	background_pids+=("$!")
	WAIT_SECONDS=240 wait_until grep -aqs TINY-READY "$TART_HOME/vms/copy/console.log"
	run grep -ac 'tart.marker=here' "$TART_HOME/vms/copy/console.log"
	assert [ "$output" -ge 1 ]
	# The second disk is the bundle's own: 6144 sectors.
	run grep -aE 'vdb.*6144|\[vdb\] 6144' "$TART_HOME/vms/copy/console.log"
	assert_success
	tart stop copy --timeout 60
	assert_success
	assert [ ! -s "$TART_HOME/vms/copy/qemu.log" ]
}

@test 'guest: an amd64 kernel of the bundle boots, with its further disk' {
	boots_kernel amd64 ttyS0
}

@test 'guest: an arm64 kernel of the bundle boots, with its further disk' {
	boots_kernel arm64 ttyAMA0
}

@test 'a kernel that is missing is named, and the VM is not locked afterwards' {
	kernel_vm amd64 quiet
	rm "$TART_HOME/vms/vm/kernel"
	tart run vm --no-graphics
	assert_failure 1
	assert_regex "$stderr" "kernel.*No such file"
	tart delete vm
	assert_success
}

@test 'a further disk that is missing is named' {
	kernel_vm amd64 quiet
	rm "$TART_HOME/vms/vm/data.img"
	tart run vm --no-graphics
	assert_failure 1
	assert_regex "$stderr" "data.img.*No such file"
}
