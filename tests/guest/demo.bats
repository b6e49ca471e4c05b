#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `make run` shows: the Debian guest boots, gets an address, answers by ssh, reaches the host, and powers off when asked.

bats_require_minimum_version 1.5.0

setup() {
	load ../lib/bats.bash
	demo=$BATS_TEST_DIRNAME/../../tools/demo.sh
	TART=${TART:-$BATS_TEST_DIRNAME/../../build/tart}
	# The demo puts its VM below BUILD; a folder of our own shows whether it cleans up.
	export TART BUILD=$BATS_TEST_TMPDIR
	# The network as users have it, not what the other suites make do with.
	unset TART_NETWORK_BACKEND
}

# The keeper of the network that the demo has started goes by itself, some seconds after the last VM.
teardown_file() {
	local keeper=${TART:-$BATS_TEST_DIRNAME/../../build/tart}-netd

	for _ in {1..300}; do
		pgrep -f "^$keeper " >/dev/null || return 0
		sleep 0.1
	done
	echo "the network's keeper is still there: $(pgrep -af "^$keeper ")" >&2
	return 1
}

@test "the Debian guest says what it is, stops, and leaves nothing" {
	run --separate-stderr "$demo"
	assert_success
	assert_line --regexp '^  192\.168\.[0-9]+\.[0-9]+, after [0-9]+ seconds$'
	assert_line --regexp '^\$ ssh admin@192\.168\.[0-9.]+ uname -a$'
	assert_line --regexp '^  Linux debian [0-9.]+-[0-9]+-cloud-(amd64|arm64) .* GNU/Linux$'
	assert_line '  PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'
	assert_line --regexp '^  a registry at 127\.0\.0\.1:[0-9]+$'
	assert_line --regexp '^pushing source to 127\.0\.0\.1:[0-9]+/demo/debian:12\.\.\.$'
	assert_line --regexp '^OCI +127\.0\.0\.1:[0-9]+/demo/debian:12 '
	assert_line '  Greetings from the host.'
	assert_line '  guest has stopped the virtual machine'
	assert_line --regexp '^  tart run ended with exit code 0 after [0-9]+ seconds$'
	assert_line --regexp '^That was a Debian guest'
	run find "$BUILD" -mindepth 1 -name 'demo*'
	assert_output ''
}

@test "a guest that cannot start is an error with its reason, and leaves nothing" {
	TART_ACCEL=none run --separate-stderr "$demo"
	assert_failure 1
	assert_regex "$stderr" 'demo: tart run did not start the guest'
	assert_regex "$stderr" 'none'
	run find "$BUILD" -mindepth 1 -name 'demo*'
	assert_output ''
}

@test "without a built program the demo says how to build it" {
	TART=$BATS_TEST_TMPDIR/tart run --separate-stderr "$demo"
	assert_failure 1
	assert_output ''
	assert_equal "$stderr" "demo: $BATS_TEST_TMPDIR/tart is not built; type: make"
}
