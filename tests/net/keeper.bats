#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart-netd as a process: its options, one at a time, its way into the background, and its end.

load ../lib/common
load ../lib/netd

setup() {
	common_setup
	lab_start
}

teardown() {
	lab_stop
	common_teardown
}

run_netd() {
	run --separate-stderr in_lab timeout 60 "$netd" "$@"
}

ask() { # DIR REQUEST...
	local dir=$1

	shift
	in_lab "$netd_client" --socket "$dir/netd.sock" "$@"
}

keeper_is_gone() { # DIR
	in_lab test ! -e "$1/netd.sock"
}

@test 'options: what is none is a usage error' {
	for options in '--nosuch' 'operand' '--linger x' '--linger -1' '--linger 86401' '--die-at link' '--dir'; do
		# shellcheck disable=SC2086 # words
		run_netd $options
		assert_failure 64
		assert_equal "$output" ''
	done
	run_netd --help
	assert_success
	assert_output --partial '--background'
	run_netd --version
	assert_success
}

@test 'check: a file that is right, one that is wrong, one that collides' {
	in_lab sh -c 'echo "subnet = 192.168.77.1/24" >/run/good; echo "subnet = 8.8.8.8/24" >/run/wrong;
		echo "subnet = 10.99.0.1/24" >/run/collides'
	run_netd --check /run/good
	assert_success
	run_netd --check /run/nosuch
	assert_success
	for file in wrong collides; do
		run_netd --check /run/$file
		assert_failure 1
		assert_equal "${#stderr_lines[@]}" 1
		assert_regex "$stderr" "/run/$file.*subnet"
	done
}

@test 'background: it answers when the command returns, and the second one finds it' {
	run_netd --dir /run/k --background --linger 0
	assert_success
	run ask /run/k status
	assert_success
	pid=$(jq .pid <<<"$output")
	run_netd --dir /run/k --background
	assert_success
	run ask /run/k status
	assert_equal "$(jq .pid <<<"$output")" "$pid"
	run_netd --dir /run/k
	assert_failure 1
	assert_equal "$stderr" 'tart-netd: there is a keeper already'
}

@test 'background: ten at once are one keeper' {
	in_lab sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do "$1" --dir /run/k --background --linger 0 || echo failed & done; wait' \
		sh "$netd" >"$BATS_TEST_TMPDIR/said" 2>&1
	assert_equal "$(cat "$BATS_TEST_TMPDIR/said")" ''
	run ask /run/k status
	assert_success
}

@test 'background: why it cannot start is told' {
	in_lab sh -c 'mkdir /run/k; echo >/run/k/netd.sock'
	run_netd --dir /run/k --background
	assert_failure 1
	assert_regex "$stderr" "netd.sock.*in the way"
}

@test 'linger: without VMs and callers nothing is left but files' {
	run_netd --dir /run/k --background --linger 1
	assert_success
	run ask /run/k attach --vm a --mode softnet --once
	assert_success
	wait_until keeper_is_gone /run/k
	run in_lab ls /run/k/net/vms
	assert_equal "$output" ''
	run in_lab ip -brief link
	refute_output --partial tart
	run in_lab nft list tables
	assert_equal "$output" ''
}

@test 'die-at: whatever step a keeper dies at, the next one ends with nothing left' {
	for step in address state rules link dhcp down-dhcp down-link down-rules down-state; do
		background in_lab "$netd" --dir /run/k --linger 0 --die-at $step >/dev/null 2>&1
		dying=$background_pid
		wait_until ask /run/k status >/dev/null 2>&1
		ask /run/k attach --vm a --mode softnet --once >/dev/null 2>&1 || true
		wait "$dying" || true
		run_netd --dir /run/k --background --linger 1
		assert_success
		wait_until keeper_is_gone /run/k
		# Its lock goes last: a keeper that finds it held leaves the work to the one that is just ending.
		wait_until in_lab flock --nonblock /run/k/net/keeper.lock true
		run in_lab sh -c 'ls /run/k/net/vms; ip -brief link | grep tart; nft list tables'
		assert_equal "$step: $output" "$step: "
	done
}
