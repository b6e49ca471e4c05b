#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Commands that meet: the locks of the store, and what happens when VMs come and go.

load ../lib/common
load ../lib/store

# A shell ignores SIGINT in what it runs in the background; an interactive one does not.
run_into() { # FILE ARGUMENT...
	local status=0

	env --default-signal=INT "$TART" "${@:2}" >"$1.out" 2>"$1.err" || status=$?
	echo "$status" >"$1.status.new"
	mv "$1.status.new" "$1.status"
}

# Runs a command in the background; its output and exit code are kept under NAME.
start() { # NAME ARGUMENT...
	background run_into "$BATS_TEST_TMPDIR/$1" "${@:2}"
}

finished() { # NAME
	wait_until test -e "$BATS_TEST_TMPDIR/$1.status"
	status=$(cat "$BATS_TEST_TMPDIR/$1.status")
	stderr=$(cat "$BATS_TEST_TMPDIR/$1.err")
}

# The program behind a `start` is blocked in flock(2).
blocked() { # PID of the shell around it
	local pid

	pid=$(pgrep -P "$1") || return
	grep -q "^[0-9]*: *-> FLOCK .* $pid " /proc/locks
}

@test 'two clones to one name: one VM, whole' {
	make_vm a
	for round in 1 2 3 4 5; do
		start "first$round" clone a b
		start "second$round" clone a b
		finished "first$round"
		assert_equal "$status$stderr" 0
		finished "second$round"
		assert_equal "$status$stderr" 0
	done
	assert_vms a b
	tart get b
	assert_success
	assert_tmp_empty
}

@test 'clones to several names: all there, all MACs different' {
	make_vm a
	names=(b c d e f g h i)
	for name in "${names[@]}"; do
		start "$name" clone a "$name"
	done
	for name in "${names[@]}"; do
		finished "$name"
		assert_equal "$status$stderr" 0
	done
	assert_vms a "${names[@]}"
	run bash -c 'cat "$TART_HOME"/vms/*/config.json | grep macAddress | sort -u | wc -l'
	assert_output 9
	for name in a "${names[@]}"; do
		[ ! -e "$TART_HOME/vms/$name/overlay.qcow2" ] || qemu-img check -q "$TART_HOME/vms/$name/overlay.qcow2"
	done
	assert_tmp_empty
}

@test 'clone while its source is deleted: a whole VM or none' {
	for round in 1 2 3 4 5 6 7 8; do
		make_vm a
		start "clone$round" clone a "b$round"
		start "delete$round" delete a
		finished "delete$round"
		assert_equal "$status$stderr" 0
		finished "clone$round"
		case $status in
		0) tart get "b$round" && assert_success ;;
		2) assert_equal "$stderr" 'the specified VM "a" does not exist' ;;
		*) fail "clone: $status: $stderr" ;;
		esac
		assert_not_exist "$TART_HOME/vms/a"
	done
	assert_tmp_empty
}

@test 'clone of an image while it is pruned: a whole VM or none' {
	for round in 1 2 3 4 5; do
		make_image h/ns 1 t
		start "clone$round" clone h/ns:t "a$round"
		start "prune$round" prune --older-than 0
		finished "prune$round"
		assert_equal "$status$stderr" 0
		finished "clone$round"
		if [ "$status" -eq 0 ]; then
			tart get "a$round"
			assert_success
		else
			assert_not_exist "$TART_HOME/vms/a$round"
		fi
	done
	tart list
	assert_tmp_empty
}

churn() {
	while :; do
		"$TART" clone stays a
		"$TART" rename a b
		"$TART" create --linux --disk-size 1 a
		"$TART" delete a b
	done
}

list_forever() {
	while :; do
		"$TART" list >/dev/null
	done
}

@test 'list while VMs come, change their names and go' {
	make_vm stays
	background churn >"$BATS_TEST_TMPDIR/churn" 2>&1
	for _ in {1..40}; do
		tart list --source local --format json
		assert_success
		assert_equal "$stderr" ''
		jq -e 'any(.Name == "stays")' <<<"$output" >/dev/null
		# At each moment there are these, and no others.
		jq -e 'all(.Name | IN("a", "b", "stays"))' <<<"$output" >/dev/null
	done
	run cat "$BATS_TEST_TMPDIR/churn"
	assert_output ''
}

@test 'create and the collector: nobody takes away what is being made' {
	background list_forever 2>>"$BATS_TEST_TMPDIR/listing"
	background list_forever 2>>"$BATS_TEST_TMPDIR/listing"
	for n in {1..25}; do
		tart create --linux --disk-size 1 "vm$n"
		assert_success
		assert_equal "$stderr" ''
	done
	run cat "$BATS_TEST_TMPDIR/listing"
	assert_output ''
	tart list --quiet --source local
	assert_equal "${#lines[@]}" 25
}

@test 'the collector: takes what nobody holds, of every kind' {
	mkdir -p "$TART_HOME/tmp/dir/inner" "$BATS_TEST_TMPDIR/outside"
	touch "$TART_HOME/tmp/dir/inner/file" "$TART_HOME/tmp/file" "$BATS_TEST_TMPDIR/outside/file"
	mkfifo "$TART_HOME/tmp/fifo"
	ln -s "$BATS_TEST_TMPDIR/outside" "$TART_HOME/tmp/link"
	ln -s "$BATS_TEST_TMPDIR/outside" "$TART_HOME/tmp/dir/link"
	ln -s nowhere "$TART_HOME/tmp/dangling"
	mkdir "$TART_HOME/tmp/held"
	touch "$TART_HOME/tmp/held/file" "$TART_HOME/tmp/held-file"
	hold_lock flock "$TART_HOME/tmp/held"
	hold_lock flock "$TART_HOME/tmp/held-file"
	tart list
	assert_success
	assert_equal "$stderr" ''
	run ls -A "$TART_HOME/tmp"
	assert_output $'held\nheld-file'
	assert_file_exist "$TART_HOME/tmp/held/file"
	assert_file_exist "$BATS_TEST_TMPDIR/outside/file"
}

@test 'the home lock: clone, create, rename and delete wait, list and get do not' {
	make_vm a
	make_vm z
	hold_lock flock "$TART_HOME"
	for command in 'clone a b' 'create --linux --disk-size 1 c' 'rename z y' 'set a --disk-size 2'; do
		# shellcheck disable=SC2086
		start "${command%% *}" $command
		wait_until blocked "$background_pid"
	done
	tart list --quiet
	assert_success
	assert_equal "$output" $'a\nz'
	tart get a
	assert_success
	tart set a --cpu 2
	assert_success
	release_lock
	for command in clone create rename set; do
		finished "$command"
		assert_equal "$status$stderr" 0
	done
	assert_vms a b c y
	assert_equal "$(stat -c %s "$TART_HOME/vms/c/disk.img")" 1000000000
}

@test 'waiting is over with SIGINT, SIGTERM and SIGHUP, and leaves nothing' {
	make_vm a
	hold_lock flock "$TART_HOME"
	for signal in INT TERM HUP; do
		for command in 'clone a b' 'create --linux --disk-size 1 c'; do
			name=$signal${command%% *}
			# shellcheck disable=SC2086
			start "$name" $command
			wait_until blocked "$background_pid"
			kill "-$signal" "$(pgrep -P "$background_pid")"
			finished "$name"
			assert_equal "$status" 1
			assert_equal "$stderr" 'Error: cancelled'
		done
	done
	assert_tmp_empty
	release_lock
	assert_vms a
}

@test 'SIGINT while a disk is copied: nothing is left' {
	make_vm a
	# A copy that takes long enough to be met: 2 GB of data on whatever disk there is.
	[ "$(stat -f -c %a "$BATS_TEST_TMPDIR")" -gt $((6 << 30 >> 12)) ] || skip 'needs 6 GiB of disk space'
	tr '\0' x </dev/zero | dd of="$TART_HOME/vms/a/disk.img" bs=1M count=1500 iflag=fullblock conv=notrunc status=none
	export TART_CLONE=copy
	start copying clone a b
	wait_until copying_has_begun
	kill -TERM "$(pgrep -P "$background_pid")"
	finished copying
	assert_equal "$status" 1
	assert_equal "$stderr" 'Error: cancelled'
	assert_tmp_empty
	assert_vms a
}

copying_has_begun() {
	local disk

	disk=$(echo "$TART_HOME"/tmp/*/disk.img)
	[ -e "$disk" ] && [ "$(stat -c %b "$disk")" -gt 0 ]
}

@test 'record locks: who asks does not disturb them' {
	make_vm a
	hold_vm a
	for _ in 1 2 3; do
		tart list
		tart get a
		tart clone a b
		tart set a --cpu 2
		tart delete a
		assert_failure 1
	done
	tart get a --format json
	assert_equal "$(jq -r .State <<<"$output")" running
}
