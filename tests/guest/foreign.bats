#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images that others have made come through a registry and boot: Vetu's by their kernel, containerDisks by firmware.

load ../lib/common
load ../lib/images
load ../lib/registry

export TART_TIMEOUT=300

setup() {
	common_setup
	layout=$BATS_TEST_TMPDIR/layout
}

make_foreign() { # vetu|container ...
	python3 "$project/tests/lib/make_foreign.py" "$layout" "$@"
}

pull_and_clone() {
	start_registry --layout "$layout" team/vm
	tart pull --insecure "$registry/team/vm:image"
	assert_success
	tart clone "$registry/team/vm:image" vm
	assert_success
	console=$TART_HOME/vms/vm/console.log
}

# Runs it until it is ready, then stops it.
boots() {
	"$TART" run vm --no-graphics --accel tcg >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	background_pids+=("$!")
	WAIT_SECONDS=240 wait_until grep -aqs TINY-READY "$console"
	tart stop vm --timeout 60
	assert_success
}

@test 'guest: an image of Vetu boots its own kernel and sees its further disk' {
	requires_program lz4
	dir=$(image_dir tiny amd64)
	truncate -s 2M "$BATS_TEST_TMPDIR/root.img"
	head -c 3145728 /dev/urandom >"$BATS_TEST_TMPDIR/data.img"
	make_foreign vetu amd64 'console=ttyS0 panic=-1 tart.marker=vetu' "$dir/vmlinuz" "$dir"/initrd.* \
		"$BATS_TEST_TMPDIR/root.img" "$BATS_TEST_TMPDIR/data.img"
	pull_and_clone
	cmp "$BATS_TEST_TMPDIR/data.img" "$TART_HOME/vms/vm/data.img"
	tart get vm --format json
	assert_equal "$(jq -c '[.OS, .CPU, .Memory]' <<<"$output")" '["linux",1,512]'
	boots
	grep -aq 'tart.marker=vetu' "$console"
	grep -aqE 'vdb.*6144|\[vdb\] 6144' "$console"
}

@test 'guest: the qcow2 disk of a containerDisk boots by firmware' {
	tiny_disk "$BATS_TEST_TMPDIR/tiny.img" amd64 </dev/null
	qemu-img convert -f raw -O qcow2 -c "$BATS_TEST_TMPDIR/tiny.img" "$BATS_TEST_TMPDIR/tiny.qcow2"
	make_foreign container amd64 "$BATS_TEST_TMPDIR/tiny.qcow2"
	pull_and_clone
	qemu-img compare -f raw -F raw "$BATS_TEST_TMPDIR/tiny.img" "$TART_HOME/cache/OCIs/${registry/:/%3A}/team/vm/image/disk.img"
	"$TART" set vm --memory 512 --cpu 1 3>&-
	boots
}
