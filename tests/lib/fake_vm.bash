# SPDX-License-Identifier: Apache-2.0
# `tart run` with a scripted QEMU (tests/lib/fake_qemu.c): `load ../lib/fake_vm` after ../lib/common and ../lib/store.

# A VM "vm", and in PATH a QEMU that follows the script on stdin.
fake_setup() {
	common_setup
	make_vm vm --arch amd64
	bundle=$TART_HOME/vms/vm
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$BUILD/tests/lib/fake_qemu" "$BATS_TEST_TMPDIR/bin/qemu-system-x86_64"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	# The folders of bats are closed to others, and this QEMU lives there.
	export TART_QEMU_USER=root TART_ACCEL=tcg
	out=$BATS_TEST_TMPDIR/out
	err=$BATS_TEST_TMPDIR/err
}

# The steps come as arguments.
qemu_script() {
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/bin/qemu-system-x86_64.script"
}

# Starts `tart run vm` in the background; $run_pid, $out and $err.
start_run() { # [OPTION...]
	"$TART" run vm --no-graphics "$@" >"$out" 2>"$err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
}

console_says() {
	grep -qs -- "$1" "$bundle/console.log"
}

start_booted() { # [OPTION...]
	# What an earlier run left there would be taken for this one's.
	rm -f "$bundle/console.log"
	start_run "$@"
	wait_until console_says FAKE-UP
	qemu_pid=$(pgrep -P "$run_pid")
}

# Waits for the end of `tart run`: $status, $output, $stderr as after `tart`.
finish_run() {
	status=0
	wait_until is_gone "$run_pid"
	wait "$run_pid" || status=$?
	output=$(cat "$out")
	stderr=$(cat "$err")
}

# A zombie that waits for us has ended, too.
is_gone() {
	local state

	state=$(ps -o stat= -p "$1") || return 0
	[[ $state == Z* ]]
}

# Nothing of the run is left: no process, no socket, no lock.
assert_tidy() {
	[ -z "${qemu_pid-}" ] || wait_until is_gone "$qemu_pid"
	assert [ ! -e "$bundle/vnc.sock" ]
	run "$TART" list --format json
	assert_equal "$(jq -r '.[0].State' <<<"$output")" stopped
}
