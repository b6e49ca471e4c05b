#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The keeper as systemd runs it, with all that its unit takes away: a systemd of its own in namespaces, and its socket.

load ../lib/common

client=$project/tests/lib/netd_client.py

setup() {
	common_setup
	requires_root
	requires_program systemd-sysusers systemd-tmpfiles nsenter setpriv
	local root=$BATS_TEST_TMPDIR/root prefix

	meson install -C "$BUILD" --no-rebuild --quiet --destdir "$root"
	prefix=$(meson introspect --buildoptions "$BUILD" | jq -r '.[] | select(.name == "prefix").value')
	background "$project/tests/lib/systemd_lab.sh" "$BATS_TEST_TMPDIR/pid" "$root" "$prefix" "$BUILD/tart-netd" \
		>"$BATS_TEST_TMPDIR/lab.log" 2>&1
	lab=$background_pid
	wait_until lab_is_decided
	[ -e "$BATS_TEST_TMPDIR/pid" ] || skip "$(tail -n 1 "$BATS_TEST_TMPDIR/lab.log")"
	lab_pid=$(cat "$BATS_TEST_TMPDIR/pid")
	# It has its owner a moment after its name.
	wait_until in_lab systemctl --quiet is-active tart-netd.socket
}

teardown() {
	if kill -TERM "${lab-}" 2>/dev/null; then
		wait "$lab" || true
	fi
	common_teardown
}

lab_is_decided() {
	[ -e "$BATS_TEST_TMPDIR/pid" ] || ! kill -0 "$lab" 2>/dev/null
}

in_lab() {
	timeout --kill-after=5 60 nsenter --target "$lab_pid" --mount --net --ipc --uts --pid --cgroup --wd="$PWD" -- "$@"
}

main_pid() {
	in_lab systemctl show --property MainPID --value tart-netd.service
}

# What went wrong is in the keeper's words.
show_log() {
	in_lab sh -c 'cat /run/lab/log /run/tart/net/keeper.log; systemctl status --no-pager tart-netd.service' >&2 || true
}

# A VM whose connection stays until the test ends; $attached is what the keeper answered, $tap its interface.
attach() { # NAME [REQUEST...]
	local name=$1

	shift
	[ $# -gt 0 ] || set -- attach --vm "$name"
	# A job in the background would have an empty stdin, which is the end.
	mkfifo "$BATS_TEST_TMPDIR/$name.stdin"
	background in_lab sh -c 'exec "$@" <>"$0"' "$BATS_TEST_TMPDIR/$name.stdin" "$client" "$@" >"$BATS_TEST_TMPDIR/$name"
	wait_until test -s "$BATS_TEST_TMPDIR/$name"
	attached=$(cat "$BATS_TEST_TMPDIR/$name")
	if [[ $attached != *r_attached* ]]; then
		show_log
		return 1
	fi
	tap=$(jq -r .tap <<<"$attached")
}

@test 'systemd: it starts the keeper with the first caller, as its user and with its capabilities' {
	run in_lab stat -c '%a %U %G' /run/tart /run/tart/netd.sock
	assert_output $'755 root root\n660 root tart'
	assert_equal "$(main_pid)" 0

	run in_lab "$client" status
	assert_success || show_log
	uid=$(in_lab id -u tart-netd)
	run in_lab grep -E '^(Uid|Cap|NoNewPrivs|Seccomp:)' "/proc/$(main_pid)/status"
	assert_line --regexp "^Uid:.$uid.$uid.$uid.$uid$"
	assert_line --regexp '^CapPrm:.0000000000003000$'
	assert_line --regexp '^CapEff:.0000000000003000$'
	assert_line --regexp '^CapAmb:.0000000000000000$'
	assert_line --regexp '^CapBnd:.0000000000003000$'
	assert_line --regexp '^NoNewPrivs:.1$'
	assert_line --regexp '^Seccomp:.2$'
}

@test 'systemd: a VM gets its network, and only the ones that are asked for may ask' {
	attach vm1
	run in_lab ip -br link show "$tap"
	assert_output --partial UP
	run in_lab ip route show
	assert_output --regexp "192\.168\.64\.[0-9]+ dev $tap "
	# Nobody is not in group tart.
	run in_lab setpriv --reuid=65534 --regid=65534 --clear-groups "$client" status
	assert_failure
	refute_output --partial r_status
	run in_lab setpriv --reuid=65534 --regid=65534 --groups="$(in_lab getent group tart | cut -d : -f 3)" "$client" status
	assert_success
}

@test 'systemd: the one that reads what guests write is nobody' {
	attach vm1
	run in_lab ps -eo user:20,comm:20,args --no-headers
	assert_line --regexp '^nobody +tart-netd-dhcp '
	# One is root, to open what is root's alone, and has no capability.
	run in_lab ps -eo comm,user:20 --no-headers
	assert_equal "$(grep '^tart-netd.* root$' <<<"$output" | tr -s ' ')" 'tart-netd-open root'
	run in_lab sh -c 'grep -h "^Cap[PE]" /proc/$(pgrep -x tart-netd-open)/status'
	assert_output $'CapPrm:\t0000000000000000\nCapEff:\t0000000000000000'
}

@test 'systemd: another keeper takes over the VMs of one that was stopped, restarted or killed' {
	local before tap_before way

	attach vm1
	tap_before=$tap
	for way in 'systemctl restart tart-netd.service' 'systemctl kill --signal=KILL tart-netd.service' \
		'systemctl stop tart-netd.service'; do
		before=$(main_pid)
		in_lab sh -c "$way"
		run in_lab ip -br link show "$tap_before"
		assert_success
		attach "vm1.$RANDOM" reattach "$tap_before"
		assert_equal "$tap" "$tap_before"
		[ "$(main_pid)" != "$before" ]
	done
	run in_lab ip -br link show "$tap_before"
	assert_output --partial UP
}
