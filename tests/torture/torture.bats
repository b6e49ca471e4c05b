#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kill -9 and a full disk at each call that changes the disk: torture.c does it, scenarios.c says to what.

load ../lib/common
load ../lib/mount

setup() {
	common_setup
	# A preloaded library and the address sanitizer do not go together.
	! ldd "$TART" | grep -q 'lib[at]san' || skip 'needs a build without sanitizers'
	export TORTURE_SHIM=$BUILD/tests/torture/libtorture_shim.so
	export TORTURE_STORE=$BUILD/tests/torture/store_image
	# Where syncing costs nothing, if there is such a place.
	folder=$(mktemp -d -p /dev/shm tart-torture.XXXXXX) || folder=$(mktemp -d -p "$BATS_TEST_TMPDIR")
}

teardown() {
	rm -rf "$folder"
	unmount_all
	common_teardown
}

torture() { # SCENARIO
	run timeout 300 "$BUILD/tests/torture/torture" "$1" "$folder"
	assert_success
}

@test 'torture: every scenario is run by a test' {
	run "$BUILD/tests/torture/torture" --list
	assert_success
	for scenario in "${lines[@]}"; do
		grep -qxF "	torture '$scenario'" "$BATS_TEST_FILENAME" || fail "no test runs: $scenario"
	done
}

@test 'torture: create' {
	torture 'create'
}

@test 'torture: create onto an existing name' {
	torture 'create onto an existing name'
}

@test 'torture: create onto an existing name, without exchange' {
	torture 'create onto an existing name, without exchange'
}

@test 'torture: clone by copy' {
	torture 'clone by copy'
}

@test 'torture: clone by overlay' {
	torture 'clone by overlay'
}

@test 'torture: clone of an overlay' {
	torture 'clone of an overlay'
}

@test 'torture: clone of a suspended VM' {
	torture 'clone of a suspended VM'
}

@test 'torture: clone of an image' {
	torture 'clone of an image'
}

@test 'torture: clone onto an existing name' {
	torture 'clone onto an existing name'
}

@test 'torture: clone onto an existing name, without exchange' {
	torture 'clone onto an existing name, without exchange'
}

@test 'torture: clone onto itself' {
	torture 'clone onto itself'
}

@test 'torture: set to a longer configuration' {
	torture 'set to a longer configuration'
}

@test 'torture: set to a shorter configuration' {
	torture 'set to a shorter configuration'
}

@test 'torture: set --disk' {
	torture 'set --disk'
}

@test 'torture: set --disk of an overlay' {
	torture 'set --disk of an overlay'
}

@test 'torture: set --disk-size' {
	torture 'set --disk-size'
}

@test 'torture: set --disk-size of an overlay' {
	torture 'set --disk-size of an overlay'
}

@test 'torture: rename' {
	torture 'rename'
}

@test 'torture: delete' {
	torture 'delete'
}

@test 'torture: delete the base of an overlay' {
	torture 'delete the base of an overlay'
}

@test 'torture: delete the last tag of an image' {
	torture 'delete the last tag of an image'
}

@test 'torture: prune' {
	torture 'prune'
}

@test 'torture: export' {
	torture 'export'
}

@test 'torture: import' {
	torture 'import'
}

@test 'torture: import onto an existing name' {
	torture 'import onto an existing name'
}

@test 'torture: store an image' {
	torture 'store an image'
}

@test 'torture: store an image under a tag that moves' {
	torture 'store an image under a tag that moves'
}

@test 'torture: store an image under a second tag' {
	torture 'store an image under a second tag'
}

@test 'torture: store an image by digest' {
	torture 'store an image by digest'
}

@test 'torture: store an image by the digest of an index' {
	torture 'store an image by the digest of an index'
}

@test 'torture: clone by reflink' {
	make_file_system btrfs 200
	rm -rf "$folder"
	folder=$BATS_TEST_TMPDIR/mnt/torture
	mkdir "$folder"
	torture 'clone by reflink'
}

@test 'torture: clone by overlay, on a disk' {
	rm -rf "$folder"
	folder=$BATS_TEST_TMPDIR/torture
	mkdir "$folder"
	torture 'clone by overlay'
}
