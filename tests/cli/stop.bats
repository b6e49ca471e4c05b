#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart stop: which signals whoever runs the VM gets, and what it says.

load ../lib/common
load ../lib/store

# A VM run by something that ends at this signal; $log names the signals it got.
run_vm() { # NAME SIGNAL
	make_vm "$1"
	log=$BATS_TEST_TMPDIR/signals
	background python3 "$project/tests/lib/signalled_vm.py" "$TART_HOME/vms/$1/config.json" "$log" "$2"
	wait_until grep -qs locked "$log"
}

signals() {
	sed -e 1d "$log" | paste -sd ' '
}

@test 'stop: asks, and is silent when that was enough' {
	run_vm vm INT
	tart stop vm
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(signals)" INT
	tart list --format json
	assert_equal "$(jq -r '.[0].State' <<<"$output")" stopped
}

@test 'stop: insists before the time is up' {
	run_vm vm TERM
	tart stop vm -t 1
	assert_success
	assert_equal "$(signals)" 'INT TERM'
}

@test 'stop: kills what hears nothing' {
	run_vm vm KILL
	tart stop --timeout=1 vm
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(signals)" 'INT TERM'
	run ! kill -0 "$background_pid"
}

@test 'stop: kills at once with a timeout of 0' {
	run_vm vm KILL
	tart stop vm -t 0
	assert_success
	run ! kill -0 "$background_pid"
	run ! grep -q TERM "$log"
}

@test 'stop: a stopped, an unknown, an incomplete VM' {
	make_vm vm
	tart stop vm
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'VM "vm" is not running'
	tart stop nosuch
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	rm "$TART_HOME/vms/vm/nvram.bin"
	tart stop vm
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'
}

@test 'stop: a suspended VM loses its state' {
	make_vm vm
	make_suspended vm
	tart stop vm
	assert_success
	assert_equal "$output$stderr" ''
	assert_not_exist "$TART_HOME/vms/vm/state.vzvmsave"
	tart stop vm
	assert_failure 2
}

@test 'stop: gives up when it is cancelled, and the VM may still end' {
	run_vm vm KILL
	background "$TART" stop vm 2>"$BATS_TEST_TMPDIR/said"
	wait_until grep -q INT "$log"
	kill -TERM "$background_pid"
	status=0
	wait "$background_pid" || status=$?
	assert_equal "$status" 1
	assert_equal "$(cat "$BATS_TEST_TMPDIR/said")" 'Error: cancelled'
	tart list --format json
	assert_equal "$(jq -r '.[0].State' <<<"$output")" running
}

@test 'stop: does not stamp the access time' {
	make_vm vm
	age "$TART_HOME/vms/vm" 3
	before=$(accessed "$TART_HOME/vms/vm")
	tart stop vm
	assert_equal "$(accessed "$TART_HOME/vms/vm")" "$before"
}

@test 'stop: usage' {
	tart stop
	assert_usage_error stop "Missing expected argument '<name>'"
	tart stop vm --timeout=-1
	assert_usage_error stop "The value '-1' is invalid for '--timeout <timeout>'"
	tart stop vm --timeout
	assert_usage_error stop "Missing value for '--timeout <timeout>'"
}
