#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart nc. The guest is a server of this host (tests/lib/port.py), to which the fake keeper connects.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/network

setup() { network_setup; }

# A VM "vm" whose ports all lead to a server that does this: see port.py.
guest() { # WHAT...
	start_keeper
	running_vm vm "${mode:-nat}"
	background python3 "$project/tests/lib/port.py" "$BATS_TEST_TMPDIR/port" "$@"
	guest_pid=$background_pid
	wait_until test -s "$BATS_TEST_TMPDIR/port"
	keeper_also_answers "{\"connect\": {\"to\": $(cat "$BATS_TEST_TMPDIR/port")}}"
}

@test 'nc: asks, gets an answer, and ends with the guest' {
	guest echo
	run_apart "$TART" nc vm 80 <<<'hello'
	assert_success
	assert_equal "$output" hello
	assert_equal "$stderr" ''
	assert_equal "$(keeper_heard 'select(.type == "connect") | [.tap, .port]')" '["tart-00000001",80]'
}

@test 'nc: much both ways, at once' {
	guest echo
	head -c 40000000 /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	timeout 60 "$TART" nc vm 80 <"$BATS_TEST_TMPDIR/sent" >"$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
	# Through pipes, too.
	timeout 60 cat "$BATS_TEST_TMPDIR/sent" | timeout 60 "$TART" nc vm 80 | cmp - "$BATS_TEST_TMPDIR/sent"
}

@test 'nc: who has said all still hears the answer' {
	guest count
	run_apart "$TART" nc vm 80 < <(head -c 1000000 /dev/zero)
	assert_success
	assert_equal "$output" 1000000
}

@test 'nc: the guest has said all and still listens' {
	guest greet
	mkfifo "$BATS_TEST_TMPDIR/in"
	timeout 60 "$TART" nc vm 80 <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/got" 3>&- &
	local nc_pid=$!
	exec 9>"$BATS_TEST_TMPDIR/in"
	# The end of the greeting is an end for who reads it.
	wait_until grep -q welcome "$BATS_TEST_TMPDIR/got"
	head -c 300000 /dev/zero >&9
	exec 9>&-
	wait "$nc_pid"
	wait_until grep -qx 300000 "$BATS_TEST_TMPDIR/port.heard"
}

@test 'nc: its reader sees the end of what the guest says, while its own input is open' {
	guest greet
	mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	exec 9<>"$BATS_TEST_TMPDIR/in"
	"$TART" nc vm 80 <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- 9>&- &
	local nc_pid=$!
	assert_equal "$(timeout 60 cat "$BATS_TEST_TMPDIR/out" 9>&-)" welcome
	kill -0 "$nc_pid"
	exec 9>&-
	wait "$nc_pid"
}

@test 'nc: a connection that breaks' {
	guest reset
	run_apart "$TART" nc vm 80 < <(tail -f /dev/null)
	assert_failure 1
	assert_equal "$stderr" 'Error: the connection has broken: Connection reset by peer'
}

@test 'nc: is cancelled while it waits' {
	guest silent
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 9<>"$BATS_TEST_TMPDIR/in"
	"$TART" nc vm 80 <"$BATS_TEST_TMPDIR/in" 3>&- 9>&- &
	local nc_pid=$!
	wait_until grep -qx opened "$BATS_TEST_TMPDIR/port.heard"
	kill -TERM "$nc_pid"
	local status=0
	wait "$nc_pid" || status=$?
	assert_equal "$status" 1
	exec 9>&-
}

@test 'nc: ports' {
	local port

	for port in 0 65536 -- ssh 22x ''; do
		tart nc vm "$port"
		assert_failure 64
		assert_equal "$output" ''
	done
	tart nc vm 65536
	assert_usage_error nc "'65536' is no port: 1 to 65535"
}

@test 'nc: a VM that is not there, does not run, or is bridged' {
	start_keeper
	tart nc nosuch 22
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	make_bundle "$TART_HOME/vms/stopped"
	tart nc stopped 22
	assert_failure 2
	assert_equal "$stderr" 'VM "stopped" is not running'
	running_vm vm bridged
	tart nc vm 22
	assert_failure 1
	assert_equal "$stderr" "Error: port 22 of VM \"vm\": VM \"vm\" is bridged: it is reached at its address in that network, \
which 'tart ip' shows"
}

@test 'nc: what the keeper refuses' {
	start_keeper
	running_vm vm nat
	keeper_also_answers '{"connect": {"type": "r_error", "code": "kernel", "text": "Connection refused"}}'
	tart nc vm 22
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: port 22 of VM "vm": Connection refused'
	keeper_also_answers '{"connect": {"fds": 0}}'
	tart nc vm 22
	assert_failure 1
	assert_equal "$stderr" 'Error: port 22 of VM "vm": the keeper of the network has sent no connection'
}
