# SPDX-License-Identifier: Apache-2.0
# What the tests of the command line share: `load ../lib/common`.
#
# $TART is the program under test (default: build/tart), $BUILD its build folder. Every test gets an empty TART_HOME
# and HOME below BATS_TEST_TMPDIR, and none of the environment variables that tart reads but TART_NETWORK_BACKEND. A file with a
# setup() or teardown() of its own calls common_setup or common_teardown in it.
#
#	@test 'clone: source missing' {
#		tart clone nosuch copy
#		assert_failure 2
#		assert_equal "$output" ''
#		assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
#	}

bats_require_minimum_version 1.5.0
load ../lib/bats

project=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
: "${BUILD:=$project/build}"
: "${TART:=$BUILD/tart}"
export BUILD TART

# Guest images and downloaded tools are shared by all tests, though each has a HOME of its own.
images_cache=${TART_IMAGES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tart-images}
tools_cache=${TART_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tart-tools}

common_setup() {
	unset "${!TART_@}" CI TERM COLUMNS LINES TRACEPARENT TRACESTATE
	unset XDG_CONFIG_HOME XDG_CACHE_HOME DOCKER_CONFIG DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR
	export LC_ALL=C.UTF-8
	export HOME=$BATS_TEST_TMPDIR/user
	export TART_HOME=$BATS_TEST_TMPDIR/home
	export TART_IMAGES_CACHE=$images_cache TART_TOOLS_CACHE=$tools_cache
	# What a test of the network unsets, in a network namespace of its own.
	export TART_NETWORK_BACKEND=user
	mkdir -p "$HOME"
}

# Ends what a test started with `background`, whatever became of it.
common_teardown() {
	local pid

	for pid in "${background_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

setup() { common_setup; }
teardown() { common_teardown; }

# Runs tart: afterwards $status, $output (stdout) and $stderr, each without its last newlines. Nothing a test asks for
# takes a minute; what does is hanging.
tart() {
	run --separate-stderr timeout --kill-after=5 "${TART_TIMEOUT:-60}" "$TART" "$@" </dev/null
}

# The same where stdin, or another environment, comes from the test: run_apart env A=b "$TART" list
run_apart() {
	run --separate-stderr timeout --kill-after=5 "${TART_TIMEOUT:-60}" "$@"
}

background_pids=()

# Starts a program whose end the test does not wait for; its pid is $! and in $background_pid. File descriptor 3 is
# closed: bats waits until nobody holds it.
background() {
	"$@" 3>&- &
	background_pid=$!
	background_pids+=("$background_pid")
}

# Waits until a condition holds, at most as long as a busy machine needs: wait_until test -S "$socket".
wait_until() {
	local deadline=$((SECONDS + ${WAIT_SECONDS:-60}))

	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo "still not true after ${WAIT_SECONDS:-60} s: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# A usage error: exit 64, nothing on stdout, the message, then the usage of the command.
assert_usage_error() { # COMMAND ("" for the program) MESSAGE
	local command=${1:+ $1}

	assert_failure 64
	assert_equal "$output" ''
	assert_equal "${stderr_lines[0]}" "Error: $2"
	assert_equal "${stderr_lines[-1]}" "  See 'tart$command --help' for more information."
}

requires_root() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
}

requires_user() {
	[ "$(id -u)" -ne 0 ] || skip 'needs an ordinary user, not root'
}

requires_kvm() {
	[ -w /dev/kvm ] || skip 'needs /dev/kvm'
}

requires_program() {
	local program

	for program; do
		command -v "$program" >/dev/null || skip "needs $program"
	done
}
