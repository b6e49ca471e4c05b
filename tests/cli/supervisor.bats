#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart run: how it supervises a QEMU that behaves, misbehaves or hangs.

load ../lib/common
load ../lib/store
load ../lib/fake_vm

setup() { fake_setup; }

teardown() {
	common_teardown
	[ -z "${public-}" ] || rm -rf "$public"
}

@test 'supervisor: the guest powers off' {
	qemu_script boot 'event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}'
	start_run
	finish_run
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(tail -n 1 "$out")" 'guest has stopped the virtual machine'
	assert_tidy
}

@test 'supervisor: SIGINT presses the button of a guest that listens' {
	qemu_script boot serve
	start_booted
	kill -INT "$run_pid"
	finish_run
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(grep -c 'Stopping VM...' "$out")" 1
	console_says FAKE-BUTTON
	assert_tidy
}

@test 'supervisor: SIGINT ends a guest that cannot hear at once' {
	qemu_script deaf boot serve
	start_booted
	kill -INT "$run_pid"
	finish_run
	assert_success
	assert_equal "$(tail -n 1 "$out")" 'Stopping VM...'
	run ! console_says FAKE-BUTTON
	assert_tidy
}

@test 'supervisor: the second SIGINT ends a guest that ignores the first' {
	qemu_script stubborn boot serve
	start_booted
	kill -INT "$run_pid"
	wait_until console_says FAKE-BUTTON
	kill -INT "$run_pid"
	finish_run
	assert_success
	assert_equal "$(grep -c 'Stopping VM...' "$out")" 1
	assert_tidy
}

@test 'supervisor: SIGTERM and SIGHUP do not ask the guest' {
	for signal in TERM HUP; do
		qemu_script boot serve
		start_booted
		kill -"$signal" "$run_pid"
		finish_run
		assert_success
		run ! console_says FAKE-BUTTON
		assert_tidy
	done
}

@test 'supervisor: SIGUSR2 presses the button and waits for the guest' {
	qemu_script stubborn boot serve
	start_booted
	kill -USR2 "$run_pid"
	wait_until console_says FAKE-BUTTON
	grep -qx 'Requesting guest OS to stop...' "$out"
	kill -TERM "$run_pid"
	finish_run
	assert_success
	assert_tidy
}

@test 'supervisor: SIGUSR1 does not end the VM' {
	qemu_script boot serve
	start_booted
	kill -USR1 "$run_pid"
	wait_until grep -q 'cannot suspend' "$out"
	run ! is_gone "$qemu_pid"
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'supervisor: a QEMU that hangs when told to quit is killed' {
	qemu_script boot hang
	start_booted
	kill -TERM "$run_pid"
	finish_run
	assert_success
	assert_tidy
}

@test 'supervisor: a QEMU that was stopped by SIGSTOP is killed' {
	qemu_script boot serve
	start_booted
	kill -STOP "$qemu_pid"
	kill -TERM "$run_pid"
	finish_run
	assert_success
	assert_tidy
}

@test 'supervisor: SIGINT before the greeting ends it' {
	qemu_script 'con FAKE-STARTED' hang
	start_run
	wait_until console_says FAKE-STARTED
	kill -INT "$run_pid"
	finish_run
	assert_success
	assert_equal "$stderr" ''
	assert_tidy
}

@test 'supervisor: SIGKILL of tart ends QEMU' {
	qemu_script boot hang
	start_booted
	kill -KILL "$run_pid"
	wait "$run_pid" || true
	wait_until is_gone "$qemu_pid"
	# What the killed one has left is no obstacle.
	qemu_script boot 'event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}'
	start_run
	finish_run
	assert_success
	assert_tidy
}

@test 'supervisor: tart stop on a guest that hears nothing and a QEMU that hangs' {
	qemu_script boot hang
	start_booted
	tart stop vm -t 2
	assert_success
	wait_until is_gone "$qemu_pid"
	run "$TART" list --format json
	assert_equal "$(jq -r '.[0].State' <<<"$output")" stopped
}

# What QEMU does | the first line of stderr, exit code 1. Before `cont` nothing of the guest has run.
@test 'supervisor: failures to start' {
	local -A rows=(
		['stderr qemu-system-x86_64: bad -device|exit 1']='Error: QEMU exited with code 1: bad -device'
		['exit 3']='Error: QEMU exited with code 3'
		['close|exit 1']='Error: QEMU exited with code 1'
		['greet|answer qmp_capabilities|signal 6']='Error: QEMU was killed by signal 6 (Aborted)'
		['say hello|hang']='Error: QEMU does not keep to its protocol: invalid JSON at byte 0: not a JSON value'
		['event STOP {}|hang']='Error: QEMU sent an event before its greeting'
		['greet|greet|hang']='Error: QEMU greeted twice'
		['greet|refuse qmp_capabilities no|hang']="Error: QEMU refused 'qmp_capabilities': no"
		['greet|answer qmp_capabilities|refuse cont no|hang']="Error: QEMU refused 'cont': no"
	)
	local steps script

	for steps in "${!rows[@]}"; do
		IFS='|' read -r -a script <<<"$steps"
		qemu_script "${script[@]}"
		start_run
		finish_run
		echo "$steps: $stderr"
		assert_failure 1
		assert_equal "$(head -n 1 "$err")" "${rows[$steps]}"
		assert_tidy
	done
}

# The same once the guest runs: also on stdout, where tools look for it.
@test 'supervisor: QEMU dies under a running guest' {
	local -A rows=(
		['exit 5']='QEMU exited with code 5'
		['signal 11']='QEMU was killed by signal 11 (Segmentation fault)'
		['stderr qemu-system-x86_64: it broke|signal 6']='QEMU was killed by signal 6 (Aborted): it broke'
		['signal 9']='QEMU was killed by signal 9 (Killed) by somebody else'
		['event GUEST_PANICKED {"action": "pause"}|event SHUTDOWN {"guest": true, "reason": "guest-panic"}']="the guest's kernel has panicked"
		['event SHUTDOWN {"guest": false, "reason": "host-signal"}']='QEMU was ended by a signal from outside'
		['say garbage|hang']='QEMU does not keep to its protocol: invalid JSON at byte 0: not a JSON value'
	)
	local steps script

	for steps in "${!rows[@]}"; do
		IFS='|' read -r -a script <<<"$steps"
		qemu_script boot "${script[@]}"
		start_run
		finish_run
		echo "$steps: $stderr"
		assert_failure 1
		assert_equal "$stderr" "Error: guest has stopped the virtual machine due to error: ${rows[$steps]}"
		assert_equal "Error: $(tail -n 1 "$out")" "$stderr"
		assert_tidy
	done
}

@test 'supervisor: floods on all outputs are drained and bounded' {
	qemu_script boot 'flood stderr 3000000' 'flood hvc 3000000' 'flood con 3000000' 'con FAKE-DRAINED' serve
	start_run
	wait_until console_says FAKE-DRAINED
	assert [ "$(stat -c %s "$bundle/console.log")" -le 1048576 ]
	assert [ "$(stat -c %s "$bundle/qemu.log")" -le 262144 ]
	kill -TERM "$run_pid"
	finish_run
	assert_success
	assert_tidy
}

@test 'supervisor: a terminal that nobody reads does not stop the guest' {
	qemu_script boot 'flood hvc 3000000' 'con FAKE-DRAINED' serve
	start_booted --serial
	grep -q '^Successfully open pty /dev/pts/' "$out"
	wait_until console_says FAKE-DRAINED
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'supervisor: a disk of the host that is full makes the VM wait, not fail' {
	qemu_script boot 'event BLOCK_IO_ERROR {"action": "stop", "nospace": true}' 'answer cont' 'event RESUME {}' \
		'con FAKE-RESUMED' serve
	start_booted
	wait_until console_says FAKE-RESUMED
	wait_until grep -qx 'The VM goes on' "$out"
	grep -q 'the VM waits' "$out"
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'supervisor: the VM is locked while it runs' {
	qemu_script boot serve
	start_booted
	tart run vm --no-graphics
	assert_failure 2
	assert_equal "$stderr" 'VM "vm" is already running!'
	tart delete vm
	assert_failure 1
	assert_equal "$stderr" 'VM "vm" is running'
	run ! is_gone "$qemu_pid"
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'supervisor: two running VMs never share a MAC address' {
	local mac

	mac=$(jq -r .macAddress "$bundle/config.json")
	make_vm other --arch amd64
	cp "$bundle/config.json" "$TART_HOME/vms/other/config.json"
	qemu_script boot serve
	start_booted
	"$TART" run other --no-graphics >"$BATS_TEST_TMPDIR/other" 2>&1 </dev/null 3>&- &
	background_pids+=($!)
	other_pid=$!
	wait_until grep -qs FAKE-UP "$TART_HOME/vms/other/console.log"
	grep -qx 'There is already a running VM with the same MAC address!' "$BATS_TEST_TMPDIR/other"
	grep -qx 'Resetting VM to assign a new MAC address...' "$BATS_TEST_TMPDIR/other"
	assert_not_equal "$(jq -r .macAddress "$TART_HOME/vms/other/config.json")" "$mac"
	assert_equal "$(jq -r .macAddress "$bundle/config.json")" "$mac"
	kill -TERM "$other_pid" "$run_pid"
	wait "$other_pid"
	finish_run
	assert_success
}

@test 'supervisor: the lines tools look for' {
	qemu_script boot serve
	CI=true start_booted --vnc-experimental
	wait_until grep -qE '^VNC server is running at vnc://:[a-z]+(-[a-z]+){3}@127\.0\.0\.1:[0-9]{1,5}$' "$out"
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'supervisor: QEMU gets no more rights than it needs' {
	requires_root
	# Where the user it becomes can reach it.
	public=$(mktemp -d /tmp/tart-test.XXXXXX)
	chmod 755 "$public"
	cp "$BUILD/tests/lib/fake_qemu" "$public/qemu-system-x86_64"
	printf '%s\n' boot serve >"$public/qemu-system-x86_64.script"
	chown 65533:65533 "$bundle"
	export TART_REGISTRY_PASSWORD=secret PATH=$public:$PATH
	start_booted
	assert_equal "$(ps -o uid= -p "$qemu_pid" | tr -d ' ')" 65533
	grep -qE '^NoNewPrivs:\s1' "/proc/$qemu_pid/status"
	grep -qE '^CapPrm:\s0+$' "/proc/$qemu_pid/status"
	assert_equal "$(readlink "/proc/$qemu_pid/cwd")" /
	assert_not_equal "$(ps -o pgid= -p "$qemu_pid")" "$(ps -o pgid= -p "$run_pid")"
	run ! grep -qz secret "/proc/$qemu_pid/environ"
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'supervisor: a VM of root runs as the user of TART_QEMU_USER' {
	requires_root
	export TART_QEMU_USER=no-such-user
	tart run vm --no-graphics
	assert_failure 1
	assert_equal "$stderr" "Error: there is no user 'no-such-user' to run QEMU as, set TART_QEMU_USER"
}
