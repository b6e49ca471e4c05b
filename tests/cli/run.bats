#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart run: its arguments, and what is refused before QEMU starts. How it supervises: supervisor.bats.

load ../lib/common
load ../lib/store
load ../lib/fake_vm

setup() { fake_setup; }

@test 'run: a VM that is missing or incomplete is an error of another exit code than elsewhere' {
	tart run nosuch
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: the specified VM "nosuch" does not exist'
	rm "$bundle/nvram.bin"
	tart run vm
	assert_failure 1
	assert_equal "$stderr" 'Error: VM is missing some of its files (config.json, disk.img or nvram.bin)'
}

@test 'run: combinations that make no sense, in the order in which they are found' {
	tart run --recovery --graphics --no-graphics nosuch
	assert_usage_error run '--recovery is only for macOS VMs, which do not run on Linux hosts'
	tart run --rosetta tag nosuch
	assert_usage_error run 'Rosetta is not supported on Linux hosts'
	local modes='--net-bridged, --net-softnet and --net-host are mutually exclusive'
	tart run --vnc --vnc-experimental --net-softnet --net-host --graphics --no-graphics nosuch
	assert_usage_error run '--vnc and --vnc-experimental are mutually exclusive'
	for mode in '--net-softnet --net-host' '--net-bridged br0 --net-host' '--net-bridged br0 --net-softnet' \
		'--net-host --net-softnet-allow 1.1.1.1' '--net-host --net-softnet-block x' '--net-bridged br0 --net-softnet-expose x' \
		'--net-bridged list --net-host'; do
		# shellcheck disable=SC2086
		tart run $mode --graphics --no-graphics nosuch
		assert_usage_error run "$modes"
	done
	tart run --graphics --no-graphics --capture-system-keys nosuch
	assert_usage_error run '--graphics and --no-graphics are mutually exclusive'
	tart run --capture-system-keys --no-graphics nosuch
	assert_usage_error run '--captures-system-keys can only be used with the default VM view'
	tart run --capture-system-keys --vnc-experimental nosuch
	assert_usage_error run '--captures-system-keys can only be used with the default VM view'
	tart run --capture-system-keys --vnc nosuch
	assert_usage_error run '--captures-system-keys can only be used with the default VM view'
	tart run --net-softnet-allow=x --capture-system-keys --no-graphics nosuch
	assert_usage_error run '--captures-system-keys can only be used with the default VM view'
	tart run --no-trackpad vm
	assert_usage_error run '--no-trackpad can only be used with macOS VMs'
	tart run --disk debian-12-arm64.iso vm
	assert_failure 64
	tart run --accel fast vm
	assert_usage_error run "The value 'fast' is invalid for '--accel <accel>'. Please provide one of 'auto', 'kvm' or 'tcg'."
}

@test 'run: lists of the network that make no sense, before anything is looked for' {
	for option in allow block; do
		for item in x 1.2.3.4/33 1.2.3 ::1/128 '' 1.1.1.1,,2.2.2.2 '1.1.1.1,' @guest; do
			tart run nosuch "--net-softnet-$option=$item"
			assert_failure 64
			assert_equal "$output" ''
			[[ ${stderr_lines[0]} == "Error: --net-softnet-$option: "* ]] || fail "${stderr_lines[0]}"
		done
	done
	for item in 22 22:x 0:22 22:65536 22:22:22 '' '1:1,' 1:1,1:2; do
		tart run nosuch "--net-softnet-expose=$item"
		assert_failure 64
		[[ ${stderr_lines[0]} == "Error: --net-softnet-expose: "* ]] || fail "${stderr_lines[0]}"
	done
	tart run nosuch --net-bridged br0 --net-bridged br1 --net-bridged br0
	assert_usage_error run '--net-bridged names "br0" more than once'
	tart run nosuch --net-bridged a --net-bridged b --net-bridged c --net-bridged d --net-bridged e
	assert_usage_error run 'a VM can have 4 network interfaces, --net-bridged names 5'
	# What is right is no reason to look no further.
	tart run nosuch --net-softnet-allow=1.2.3.4,@host --net-softnet-block=10.0.0.0/8 --net-softnet-expose=2222:22,80:80
	assert_failure 1
	assert_equal "$stderr" 'Error: the specified VM "nosuch" does not exist'
}

@test 'run: --graphics is in no help text' {
	tart run --help
	assert_success
	[[ $output != *--graphics\ * ]]
	tart run --help-hidden
	[[ $output != *'  --graphics'* ]]
}

@test 'run: macOS VMs and Apple disk formats are only stored' {
	jq '.os = "darwin" | .ecid = "AA==" | .hardwareModel = "AA=="' "$bundle/config.json" >"$BATS_TEST_TMPDIR/config"
	cp "$BATS_TEST_TMPDIR/config" "$bundle/config.json"
	tart run vm
	assert_failure 1
	assert_equal "$stderr" 'Error: VM "vm" is a macOS VM: it can be stored, cloned, pushed and exported here, but only run on Apple hardware'
	jq '.os = "linux" | .diskFormat = "asif"' "$bundle/config.json" >"$BATS_TEST_TMPDIR/config"
	cp "$BATS_TEST_TMPDIR/config" "$bundle/config.json"
	tart run vm
	assert_usage_error run "Disk format 'asif' is not supported on this system."
}

@test 'run: a window that was asked for and cannot be had' {
	tart run --graphics vm
	assert_failure 1
	assert_equal "$stderr" 'Error: cannot show a window: there is no display (DISPLAY and WAYLAND_DISPLAY are not set)'
}

@test 'run: no display is a notice' {
	qemu_script boot 'event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}'
	tart run vm
	assert_success
	assert_line --partial 'No window: there is no display'
	assert_line --partial 'User-mode network: '
	assert_equal "$stderr" ''
}

# A viewer that connects and is closed by its user; one that does not understand what it is given.
make_viewer() { # NAME COMMAND
	printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
	chmod 755 "$BATS_TEST_TMPDIR/bin/$1"
}

@test 'run: closing the window stops the VM' {
	requires_program socat
	qemu_script boot serve
	make_viewer vncviewer "exec socat -u OPEN:/dev/null UNIX-CONNECT:\$1"
	DISPLAY=:9 "$TART" run vm >"$out" 2>"$err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
	finish_run
	assert_success
	assert_equal "$stderr" ''
	grep -qx 'Stopping VM...' "$out"
	assert_tidy
}

@test 'run: a viewer that cannot connect makes room for the next, and the last one for none' {
	qemu_script boot serve
	make_viewer vncviewer 'exit 1'
	make_viewer gvncviewer 'exit 1'
	DISPLAY=:9 "$TART" run vm >"$out" 2>"$err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
	wait_until grep -qx 'No VNC viewer was able to show a window, going on without one' "$out"
	run ! is_gone "$run_pid"
	kill -TERM "$run_pid"
	finish_run
	assert_success
	assert_tidy
}

@test 'run: the URL is opened, or told where it cannot be' {
	qemu_script boot serve
	make_viewer xdg-open "echo \"\$1\" >$BATS_TEST_TMPDIR/opened"
	DISPLAY=:9 "$TART" run vm --vnc-experimental >"$out" 2>"$err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
	wait_until test -s "$BATS_TEST_TMPDIR/opened"
	grep -qx "Opening $(cat "$BATS_TEST_TMPDIR/opened")..." "$out"
	run ! grep -q 'VNC server is running' "$out"
	kill -TERM "$run_pid"
	finish_run
	assert_success
	make_viewer xdg-open 'exit 3'
	DISPLAY=:9 "$TART" run vm --vnc-experimental >"$out" 2>"$err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
	wait_until grep -q '^VNC server is running at vnc://:' "$out"
	kill -TERM "$run_pid"
	finish_run
	assert_success
}

@test 'run: disks that are missing, in use, or too many' {
	tart run vm --disk "$BATS_TEST_TMPDIR/nosuch.img"
	assert_failure 1
	assert_equal "$stderr" "Error: disk '$BATS_TEST_TMPDIR/nosuch.img' does not exist"
	truncate -s 1M "$BATS_TEST_TMPDIR/data.img"
	qemu_script boot serve
	start_booted --disk "$BATS_TEST_TMPDIR/data.img"
	make_vm second --arch amd64
	tart run second --disk "$BATS_TEST_TMPDIR/data.img"
	assert_failure 1
	assert_equal "$stderr" "disk $BATS_TEST_TMPDIR/data.img seems to be already in use"
	kill -TERM "$run_pid"
	finish_run
	local many=()
	for i in {1..13}; do
		many+=(--disk "$BATS_TEST_TMPDIR/data.img:ro")
	done
	tart run vm "${many[@]}"
	assert_failure 1
	assert_equal "$stderr" 'Error: a VM can have 12 further disks, not 13'
}

@test 'run: options of disks' {
	tart run vm --root-disk-opts sync=maybe
	assert_failure 1
	assert_equal "$stderr" 'Error: unsupported disk image synchronization mode: "maybe"'
}

@test 'run: terminals that are none' {
	tart run vm --serial-path /dev/null
	assert_failure 1
	assert_equal "$stderr" 'Error: Failed to open PTY'
}

@test 'run: TART_ACCEL and a QEMU that is missing' {
	export TART_ACCEL=quick
	tart run vm
	assert_failure 1
	assert_equal "$stderr" "Error: TART_ACCEL is 'quick', it must be 'auto', 'kvm' or 'tcg'"
	run_apart env TART_ACCEL=tcg PATH=/nonexistent "$TART" run vm
	assert_failure 1
	[[ $stderr == 'Error: qemu-system-x86_64 not found in PATH, install '* ]]
}

@test 'run: a suspended VM is left as it is' {
	make_suspended vm
	tart run vm --no-graphics
	assert_failure 1
	[[ $stderr == 'Error: VM "vm" is suspended'* ]]
	assert [ -e "$bundle/state.vzvmsave" ]
}
