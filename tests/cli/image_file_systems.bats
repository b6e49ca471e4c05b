#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copies, clones and overlays on file systems of their own: the unit tests of src/image there. file_systems.bats has the
# commands.

load ../lib/common
load ../lib/mount

teardown() {
	unmount_all
	common_teardown
}

unit_tests_on() { # TYPE
	local test

	make_file_system "$1" 1000
	for test in copy disk clone extent; do
		echo "$test on $1"
		TMPDIR=$BATS_TEST_TMPDIR/mnt timeout 300 "$BUILD/tests/unit/image/test_$test"
	done
}

@test 'btrfs: the image layer' {
	unit_tests_on btrfs
}

@test 'xfs: the image layer' {
	unit_tests_on xfs
}
