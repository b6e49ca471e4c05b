#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart run with real guests: their life and end. Their disks: disks.bats; a QEMU that misbehaves: cli/supervisor.bats.

load ../lib/common
load ../lib/images

export TART_TIMEOUT=300 WAIT_SECONDS=300

setup() {
	common_setup
	out=$BATS_TEST_TMPDIR/out
	err=$BATS_TEST_TMPDIR/err
}

# A VM of the tiny guest; its script comes on standard input.
make_tiny() { # NAME ARCH
	tiny_disk "$BATS_TEST_TMPDIR/$1.img" "$2"
	"$TART" create "$1" --linux --disk-size 1 --arch "$2" 3>&-
	"$TART" set "$1" --memory 512 --cpu 1 --disk "$BATS_TEST_TMPDIR/$1.img" 3>&-
	rm "$BATS_TEST_TMPDIR/$1.img"
}

start_run() { # NAME [OPTION...]
	console=$TART_HOME/vms/$1/console.log
	rm -f "$console"
	"$TART" run "$@" --accel tcg >"$out" 2>"$err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
}

ready_count() {
	grep -ac TINY-READY "$console" || true
}

is_ready() { # HOW-OFTEN
	[ "$(ready_count)" -ge "$1" ]
}

start_ready() { # NAME [OPTION...]
	start_run "$@"
	wait_until is_ready 1
	qemu_pid=$(pgrep -P "$run_pid")
}

is_gone() {
	local state

	state=$(ps -o stat= -p "$1") || return 0
	[[ $state == Z* ]]
}

finish_run() {
	status=0
	wait_until is_gone "$run_pid"
	wait "$run_pid" || status=$?
	output=$(cat "$out")
	stderr=$(cat "$err")
}

# Types a line at the guest's console hvc0 and waits for an answer: type COMMAND PATTERN
type() {
	local line deadline=$((SECONDS + WAIT_SECONDS))

	printf '%s\n' "$1" >"$pty"
	while IFS= read -r -t 60 -u 9 line && [ "$SECONDS" -lt "$deadline" ]; do
		[[ $line != *$2* ]] || return 0
	done
	return 1
}

@test 'guest: console, VNC, reboot inside, power button by SIGUSR2' {
	requires_program openssl
	make_tiny vm amd64 </dev/null
	CI=true start_ready vm --serial --vnc-experimental
	vnc=$(sed -nE 's/^VNC server is running at vnc:\/\/:(.*)@127\.0\.0\.1:([0-9]+)$/\1 \2/p' "$out")
	password=${vnc% *} port=${vnc#* }
	client=$project/tests/lib/vnc_client.py

	# The password, and who needs none.
	run python3 "$client" "$port" wrong-one
	assert_failure 1
	assert_output refused
	run python3 "$client" "$port" "$password"
	assert_success
	[[ $output =~ ^[0-9]+x[0-9]+\ ([0-9]+)\ colours$ ]]
	assert [ "${BASH_REMATCH[1]}" -gt 1 ]
	run python3 "$client" "unix:$TART_HOME/vms/vm/vnc.sock"
	assert_success
	assert_equal "$(stat -c %a "$TART_HOME/vms/vm/vnc.sock")" 600

	pty=$(sed -n 's/^Successfully open pty //p' "$out")
	exec 9<"$pty"
	type 'echo sum $((40 + 2))' 'sum 42'
	printf 'reboot -f\n' >"$pty"
	exec 9<&-
	wait_until is_ready 2
	run ! is_gone "$run_pid"
	assert_equal "$(pgrep -P "$run_pid")" "$qemu_pid"

	kill -USR2 "$run_pid"
	finish_run
	assert_success
	assert_equal "$stderr" ''
	grep -qx 'Requesting guest OS to stop...' "$out"
	assert_equal "$(tail -n 1 "$out")" 'guest has stopped the virtual machine'
	assert [ ! -e "$TART_HOME/vms/vm/vnc.sock" ]
}

@test 'guest: arm64 boots and hears tart stop' {
	make_tiny vm arm64 </dev/null
	start_ready vm --no-graphics
	tart stop vm --timeout 120
	assert_success
	finish_run
	assert_success
	assert_equal "$(tail -n 1 "$out")" 'guest has stopped the virtual machine'
	# Its variables are 64 MiB, nearly all of them nothing.
	assert [ "$(stat -c %b "$TART_HOME/vms/vm/nvram.bin")" -lt 8192 ]
}

@test 'guest: firmware does not hear the button, and nobody waits for it' {
	"$TART" create vm --linux --disk-size 1 --arch arm64
	"$TART" set vm --memory 512
	start_run vm --no-graphics
	wait_until test -s "$console"
	kill -INT "$run_pid"
	finish_run
	assert_success
	assert_equal "$(tail -n 1 "$out")" 'Stopping VM...'
}

@test 'guest: one that ignores the button, tart stop, SIGKILL of tart' {
	make_tiny vm amd64 <<-'EOF'
		touch /run/deaf
	EOF
	start_ready vm --no-graphics
	tart stop vm --timeout 3
	assert_success
	wait_until is_gone "$qemu_pid"
	finish_run
	assert_success

	start_ready vm --no-graphics
	kill -KILL "$run_pid"
	wait "$run_pid" || true
	WAIT_SECONDS=20 wait_until is_gone "$qemu_pid"
	"$TART" list --format json >"$out"
	assert_equal "$(jq -r '.[0].State' "$out")" stopped
}

@test 'guest: a clone and its source both boot, whatever the kind of clone' {
	export TART_CLONE=overlay
	make_tiny vm amd64 <<-'EOF'
		poweroff -f
	EOF
	"$TART" clone vm copy
	tart run copy --no-graphics --accel tcg
	assert_success
	assert_line 'guest has stopped the virtual machine'
	tart run vm --no-graphics --accel tcg
	assert_success
	assert_line 'guest has stopped the virtual machine'
	qemu-img check "$TART_HOME/vms/copy/overlay.qcow2"
}

@test 'guest: an ISO boots while the disk is empty' {
	"$TART" create vm --linux --disk-size 1 --arch amd64
	"$TART" set vm --memory 512 --cpu 1
	start_ready vm --no-graphics --disk "$(image_dir tiny amd64 --iso):ro"
	kill -INT "$run_pid"
	finish_run
	assert_success
}
