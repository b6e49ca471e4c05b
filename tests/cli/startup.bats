#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What happens around every command: the home, old temporary files, whose usage an error shows.

load ../lib/common

# A temporary entry that cannot be removed, not even by root.
break_collection() {
	mkdir -p "$TART_HOME/tmp/stuck/inside"
	if [ "$(id -u)" -eq 0 ]; then
		chattr +i "$TART_HOME/tmp/stuck" 2>/dev/null || skip 'needs a file system with immutable files'
	else
		chmod 0500 "$TART_HOME/tmp/stuck"
	fi
}

teardown() {
	chattr -i "$TART_HOME/tmp/stuck" 2>/dev/null || chmod 0700 "$TART_HOME/tmp/stuck" 2>/dev/null || true
	common_teardown
}

@test 'home: cache and tmp are created, vms only on first use' {
	tart list
	assert_success
	assert_dir_exist "$TART_HOME/cache"
	assert_dir_exist "$TART_HOME/tmp"
	assert_not_exist "$TART_HOME/vms"
}

@test 'home: ~/.tart without TART_HOME, and with an empty one' {
	unset TART_HOME
	tart list
	assert_success
	assert_dir_exist "$HOME/.tart/tmp"
	rm -r "$HOME/.tart"
	TART_HOME='' tart list
	assert_success
	assert_dir_exist "$HOME/.tart/tmp"
	TART_HOME=$BATS_TEST_TMPDIR/home
}

@test 'home: one that cannot be created' {
	TART_HOME=/dev/null/a/b tart list
	assert_failure 1
	assert_equal "$output" ''
	assert_regex "$stderr" "^Error: TART_HOME is invalid: /dev/null/a does not exist, yet we can't create it: "
}

@test 'home: usage errors and help do not create it' {
	tart create
	assert_usage_error create "Missing expected argument '<name>'"
	tart create vm
	assert_usage_error create 'Please specify either a --from-ipsw or --linux option!'
	tart create --help
	assert_success
	assert_not_exist "$TART_HOME"
}

@test 'usage errors at run time show the usage of the program' {
	tart rename nosuch new
	assert_usage_error '' 'failed to rename a non-existent local VM: nosuch'
	assert_equal "${stderr_lines[1]}" 'Usage: tart <subcommand>'
}

@test 'old temporary files go away with the next command' {
	mkdir -p "$TART_HOME/tmp/left/behind"
	touch "$TART_HOME/tmp/file"
	tart list --quiet
	assert_success
	assert_equal "$output$stderr" ''
	run ls -A "$TART_HOME/tmp"
	assert_output ''
}

@test 'old temporary files stay when a transfer could be resumed' {
	mkdir -p "$TART_HOME/tmp/left"
	tart clone nosuch copy
	assert_failure 2
	assert_dir_exist "$TART_HOME/tmp/left"
}

@test 'temporary files that somebody holds stay' {
	mkdir -p "$TART_HOME/tmp/held"
	run_apart flock "$TART_HOME/tmp/held" "$TART" list
	assert_success
	assert_equal "$stderr" ''
	assert_dir_exist "$TART_HOME/tmp/held"
}

@test 'temporary files that cannot be removed are no reason to fail' {
	break_collection
	tart list --quiet
	assert_success
	assert_equal "$output" ''
	assert_regex "$stderr" '^Failed to perform garbage collection: '
}

@test 'the reason of a failure is the first line on stderr' {
	break_collection
	tart get nosuch
	assert_failure 2
	assert_equal "${stderr_lines[0]}" 'the specified VM "nosuch" does not exist'
	assert_regex "${stderr_lines[1]}" '^Failed to perform garbage collection: '
}
