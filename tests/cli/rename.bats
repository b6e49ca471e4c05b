#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart rename.

load ../lib/common
load ../lib/store

@test 'rename: a VM' {
	make_vm debian
	tart rename debian ubuntu
	assert_success
	assert_equal "$output$stderr" ''
	assert_vms ubuntu
	assert_tmp_empty
}

@test 'rename: a running VM stays locked' {
	make_vm debian
	hold_vm debian
	tart rename debian ubuntu
	assert_success
	tart get ubuntu --format json
	assert_equal "$(jq -r .State <<<"$output")" running
}

@test 'rename: what is refused' {
	make_vm a
	make_vm b
	tart rename nosuch c
	assert_failure 64
	assert_equal "$output" ''
	assert_equal "${stderr_lines[0]}" 'Error: failed to rename a non-existent local VM: nosuch'
	assert_equal "${stderr_lines[1]}" 'Usage: tart <subcommand>'
	assert_equal "${stderr_lines[2]}" "  See 'tart --help' for more information."

	tart rename a b
	assert_failure 64
	assert_equal "${stderr_lines[0]}" \
		'Error: failed to rename VM a, target VM b already exists, delete it first!'
	tart rename a a
	assert_failure 64
	assert_equal "${stderr_lines[0]}" \
		'Error: failed to rename VM a, target VM a already exists, delete it first!'

	tart rename a x/y
	assert_usage_error rename '<new-name> should be a local name'
	tart rename a ..
	assert_usage_error rename '<new-name> should be a local name (it means a directory)'
	tart rename a
	assert_usage_error rename "Missing expected argument '<new-name>'"
	assert_vms a b
}

@test 'rename: an incomplete VM is no source, and no target that could be lost' {
	make_vm a
	make_vm half
	rm "$TART_HOME/vms/half/nvram.bin"
	tart rename half c
	assert_failure 64
	assert_equal "${stderr_lines[0]}" 'Error: failed to rename a non-existent local VM: half'
	tart rename a half
	assert_failure 64
	assert_vms a
	assert_file_exist "$TART_HOME/vms/half/disk.img"
}

@test 'rename: names do not lead out of the home' {
	make_bundle "$BATS_TEST_TMPDIR/outside"
	mkdir -p "$TART_HOME/vms"
	tart rename ../../outside inside
	assert_failure 64
	assert_file_exist "$BATS_TEST_TMPDIR/outside/config.json"
}
