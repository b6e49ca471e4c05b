#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart run and the keeper of the network: what is asked of it, what comes of its answers, its end and return. The keeper and
# QEMU are scripted; real ones: tests/net.

load ../lib/common
load ../lib/store
load ../lib/fake_vm
load ../lib/fake_keeper

setup() {
	fake_setup
	mac=$(config_of vm macAddress)
	qemu_script boot serve
}

# The words of QEMU's command line behind an option: qemu_words -netdev
qemu_words() {
	tr '\0' '\n' <"/proc/$qemu_pid/cmdline" | grep -Fx -A 1 -e "$1" | grep -vFx -e "$1" -e --
}

# What is behind a descriptor of a process.
fd_of() { # PID FD
	readlink "/proc/$1/fd/$2"
}

attach_requests() {
	keeper_heard 'select(.type == "attach")'
}

stop_run() {
	kill -TERM "$run_pid"
	finish_run
	assert_success
	assert_equal "$stderr" ''
	assert_tidy
	rm "$bundle/console.log"
}

is_closed() { # CONNECTION
	keeper_has_heard "select(.type == \"closed\" and .connection == $1)"
}

assert_refused() { # STATUS MESSAGE
	assert_failure "$1"
	assert_equal "$stderr" "$2"
	! grep -qs FAKE-UP "$bundle/console.log" || fail 'the guest was started'
}

# A copy of tart beside a script in place of its keeper, which is started from there.
private_tart() { # COMMAND
	mkdir -p "$BATS_TEST_TMPDIR/program"
	[ -e "$BATS_TEST_TMPDIR/program/tart" ] || cp "$TART" "$BATS_TEST_TMPDIR/program/tart"
	printf '#!/bin/bash\necho "$*" >>%q\n%s\n' "$BATS_TEST_TMPDIR/started" "$1" >"$BATS_TEST_TMPDIR/program/tart-netd"
	chmod 755 "$BATS_TEST_TMPDIR/program/tart-netd"
	TART=$BATS_TEST_TMPDIR/program/tart
}

# Runs tart where the system's keeper has nothing to do with this host's.
tart_apart() { # ARGUMENT...
	run_apart unshare -m bash -c 'mount -t tmpfs tmpfs /run && exec "$@"' bash "$TART" "$@"
}

@test 'network: QEMU gets the tap, and a copy of the connection that it lives by' {
	start_keeper
	start_booted
	run jq -c 'del(.connection, .type)' <<<"$(attach_requests)"
	assert_output "{\"mode\":\"nat\",\"mac\":\"$mac\",\"vm\":\"vm\",\"interface\":\"\",\"allow\":[],\"block\":[],\"expose\":[]}"
	[[ $(qemu_words -netdev) =~ ^tap,id=net0,fd=([0-9]+)$ ]]
	assert_equal "$(fd_of "$qemu_pid" "${BASH_REMATCH[1]}")" /dev/null
	assert [ "$(readlink "/proc/$run_pid/fd/"* | grep -Fxf <(readlink "/proc/$qemu_pid/fd/"*) | grep -c '^socket:')" -eq 1 ]
	run ! grep -q 'User-mode' "$out"
	grep -q '^Rootless network: ' "$out"
	stop_run
	wait_until is_closed 1
}

@test 'network: vhost, when the keeper has it' {
	start_keeper
	keeper_answers '{"attach": {"vhost": true, "fds": 2}}'
	start_booted
	[[ $(qemu_words -netdev) =~ ^tap,id=net0,fd=([0-9]+),vhost=on,vhostfd=([0-9]+)$ ]]
	assert_equal "$(fd_of "$qemu_pid" "${BASH_REMATCH[2]}")" /dev/null
	stop_run
}

@test 'network: what the options say goes to the keeper' {
	start_keeper
	start_booted --net-softnet-allow=192.168.0.9/24,@host --net-softnet-block=0.0.0.0/0 --net-softnet-expose=2222:22
	run jq -c '[.mode, .allow, .block, .expose]' <<<"$(attach_requests)"
	assert_output '["softnet",["192.168.0.0/24","@host"],["0.0.0.0/0"],["2222:22"]]'
	stop_run
	for option in --net-softnet --net-softnet-allow=1.1.1.1 --net-softnet-block=1.1.1.1 --net-softnet-expose=1:1 --net-host; do
		start_booted "$option"
		local mode=softnet
		[ "$option" != --net-host ] || mode=host
		assert_equal "$(attach_requests | tail -n 1 | jq -r .mode)" "$mode"
		stop_run
	done
}

@test 'network: warnings of the keeper are shown' {
	start_keeper
	keeper_answers '{"attach": {"warning": "The firewall of docker stops guests.\nType this."}}'
	start_booted
	grep -qx 'The firewall of docker stops guests.' "$out"
	grep -qx 'Type this.' "$out"
	stop_run
}

@test 'network: the keeper refuses, and the VM does not start' {
	local full='all 253 addresses of 192.168.64.0/24 are used by running VMs'

	start_keeper
	for code in invalid limit exhausted port-in-use missing config kernel denied; do
		keeper_answers "{\"attach\": {\"type\": \"r_error\", \"code\": \"$code\", \"text\": \"$full\"}}"
		tart run vm --no-graphics --net-softnet
		assert_refused 1 "Softnet failed: $full"
	done
	tart run vm --no-graphics --net-host
	assert_refused 1 "Error: --net-host: $full"
	keeper_answers "{\"attach\": {\"type\": \"r_error\", \"code\": \"exhausted\", \"text\": \"$full\"}}"
	tart run vm --no-graphics
	assert_refused 1 "Error: $full"
	assert_equal "$(config_of vm macAddress)" "$mac"
}

@test 'network: a keeper that says nonsense, or nothing, or goes away' {
	start_keeper
	keeper_answers '{"attach": {"type": "r_done"}}'
	tart run vm --no-graphics
	assert_refused 1 'Error: the keeper of the network has answered with R_DONE, not R_ATTACHED'
	keeper_answers '{"attach": {"fds": 0}}'
	tart run vm --no-graphics
	assert_refused 1 'Error: the keeper of the network has sent other descriptors than it says'
	keeper_answers '{"attach": {"fds": 2}}'
	tart run vm --no-graphics
	assert_refused 1 'Error: the keeper of the network has sent other descriptors than it says'
	keeper_answers '{"attach": {"type": "close"}}'
	tart run vm --no-graphics
	assert_refused 1 'Error: the network: the keeper of the network has closed the connection'
	# The first thing that is asked is whether it answers at all.
	keeper_answers '{"status": {"type": "close"}}'
	tart run vm --no-graphics
	assert_refused 1 'Error: the network: the keeper of the network has closed the connection'
	keeper_answers '{"status": [{"type": "close"}, {"type": "close"}, {}]}'
	start_booted
	stop_run
}

@test 'network: another VM of the host has the MAC address' {
	start_keeper
	keeper_answers '{"attach": [{"type": "r_error", "code": "mac-in-use", "text": "taken"}, {}], "list": {"nics": []}}'
	start_booted
	assert_equal "$(head -n 2 <(grep -i mac "$out"))" 'There is already a running VM with the same MAC address!
Resetting VM to assign a new MAC address...'
	assert_not_equal "$(config_of vm macAddress)" "$mac"
	assert_equal "$(attach_requests | jq -r .mac)" "$mac
$(config_of vm macAddress)"
	qemu_words -device | grep -q "virtio-net-pci,.*mac=$(config_of vm macAddress),"
	stop_run

	mac=$(config_of vm macAddress)
	keeper_answers '{"attach": {"type": "r_error", "code": "mac-in-use", "text": "taken"}, "list": {"nics": []}}'
	tart run vm --no-graphics
	assert_refused 1 'Error: the keeper of the network says that another VM has any MAC address'
	assert_equal "$(grep -c 'Resetting VM' <<<"$output")" 1
}

# QEMU dies a moment after its tart, and the keeper notices that a moment later.
@test 'network: the NIC of the last run has not gone yet' {
	start_keeper
	local nic

	nic=$(jq -n --arg mac "$mac" --argjson uid "$(id -u)" '{vm: "vm", tap: "tart-00000001", uid: $uid, mac: $mac,
		address: "192.168.64.11", forward: null, mode: "nat", bound_at_s: 0, expires_s: 0, seen_arp_s: 0}')
	keeper_answers "$(jq -n --argjson nic "$nic" '{list: {nics: [$nic]},
		attach: [{type: "r_error", code: "mac-in-use", text: "taken"}, {type: "r_error", code: "mac-in-use", text: "taken"}, {}]}')"
	start_booted
	assert_equal "$(config_of vm macAddress)" "$mac"
	assert_equal "$(attach_requests | jq -r .mac)" "$mac
$mac
$mac"
	run ! grep -q 'Resetting' "$out"
	stop_run
}

@test 'network: a VM that runs is not touched by a second start' {
	start_keeper
	start_booted
	tart run vm --no-graphics
	assert_failure 2
	assert_equal "$stderr" 'VM "vm" is already running!'
	assert_equal "$(config_of vm macAddress)" "$mac"
	assert_equal "$(attach_requests | wc -l)" 1
	stop_run
}

@test 'network: the keeper dies and another one comes' {
	private_tart 'exit 1'
	start_keeper
	start_booted
	kill -KILL "$keeper_pid"
	start_keeper
	wait_until keeper_has_heard 'select(.type == "reattach" and .tap == "tart-00000001")'
	run ! is_gone "$run_pid"
	# And once more.
	kill -KILL "$keeper_pid"
	: >"$keeper/log"
	start_keeper
	wait_until keeper_has_heard 'select(.type == "reattach" and .tap == "tart-00000001")'
	stop_run
	wait_until keeper_has_heard 'select(.type == "closed")'
}

@test 'network: the keeper dies, and starting another one works at the second attempt' {
	private_tart "[ \"\$(wc -l <$BATS_TEST_TMPDIR/started)\" -gt 1 ] || exit 1
		setsid python3 $project/tests/lib/fake_keeper.py $TART_HOME/net/netd.sock $BATS_TEST_TMPDIR/keeper \
			</dev/null >$BATS_TEST_TMPDIR/keeper/out 2>&1 3>&- &
		echo \$! >$BATS_TEST_TMPDIR/second
		until [ -S $TART_HOME/net/netd.sock ]; do sleep 0.05; done"
	start_keeper
	start_booted
	: >"$keeper/log"
	rm "$TART_HOME/net/netd.sock"
	kill -KILL "$keeper_pid"
	wait_until keeper_has_heard 'select(.type == "reattach")'
	background_pids+=("$(cat "$BATS_TEST_TMPDIR/second")")
	stop_run
	assert_equal "$(sort -u "$BATS_TEST_TMPDIR/started")" "--rootless $TART_HOME/net --background"
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/started")" 2
}

@test 'network: a keeper that does not come back is told of, and so is its return' {
	private_tart 'exit 1'
	start_keeper
	start_booted
	kill -KILL "$keeper_pid"
	wait_until grep -q '^The keeper of the network does not come back, the VM goes on: ' "$out"
	start_keeper
	wait_until grep -qx 'The keeper of the network is back' "$out"
	stop_run
}

@test 'network: the tap has gone with the keeper' {
	private_tart 'exit 1'
	start_keeper
	start_booted
	kill -KILL "$keeper_pid"
	keeper_answers '{"reattach": {"type": "r_error", "code": "missing", "text": "tart-00000001 has gone"}}'
	start_keeper
	wait_until grep -qx 'The VM has lost its network: tart-00000001 has gone' "$out"
	stop_run
}

@test 'network: a keeper that answers badly is asked again' {
	private_tart 'exit 1'
	start_keeper
	start_booted
	kill -KILL "$keeper_pid"
	keeper_answers '{"reattach": [{"type": "r_error", "code": "kernel", "text": "not now"}, {"type": "r_done"}, {"type": "close"}, {}]}'
	start_keeper
	four_times() { [ "$(keeper_heard 'select(.type == "reattach")' | wc -l)" -eq 4 ]; }
	wait_until four_times
	stop_run
}

@test 'network: starting a keeper, and not being able to' {
	export TART_NETWORK_BACKEND=rootless
	mkdir "$BATS_TEST_TMPDIR/keeper"
	keeper=$BATS_TEST_TMPDIR/keeper
	private_tart "setsid python3 $project/tests/lib/fake_keeper.py $TART_HOME/net/netd.sock $keeper \
			</dev/null >$keeper/out 2>&1 3>&- &
		echo \$! >$BATS_TEST_TMPDIR/first
		until [ -S $TART_HOME/net/netd.sock ]; do sleep 0.05; done"
	start_booted
	background_pids+=("$(cat "$BATS_TEST_TMPDIR/first")")
	stop_run
	assert_equal "$(cat "$BATS_TEST_TMPDIR/started")" "--rootless $TART_HOME/net --background"
	assert_equal "$(stat -c %a "$TART_HOME/net")" 700
	kill "$(cat "$BATS_TEST_TMPDIR/first")"

	private_tart 'echo "pasta is not there: apt-get install passt" >&2; exit 1'
	tart run vm --no-graphics
	assert_refused 1 'Error: the network: pasta is not there: apt-get install passt'
	tart run vm --no-graphics --net-softnet
	assert_refused 1 'Softnet failed: pasta is not there: apt-get install passt'
	rm "$BATS_TEST_TMPDIR/program/tart-netd"
	tart run vm --no-graphics
	assert_refused 1 'Error: the network: tart-netd is not installed'
}

@test 'network: automatic choice as root' {
	requires_root
	unset TART_NETWORK_BACKEND
	private_tart 'echo "no nf_tables in this kernel" >&2; exit 1'
	qemu_script boot 'event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}'
	tart_apart run vm --no-graphics
	assert_success
	assert_equal "$stderr" ''
	rm "$bundle/console.log"
	assert_line 'User-mode network: no nf_tables in this kernel: the guest can reach the network, but this host cannot reach the guest by IP'
	assert_equal "$(cat "$BATS_TEST_TMPDIR/started")" '--background'
	tart_apart run vm --no-graphics --net-softnet-allow=10.0.0.0/8
	assert_refused 1 'Softnet failed: no nf_tables in this kernel'
	tart_apart run vm --no-graphics --net-host
	assert_refused 1 'Error: --net-host: no nf_tables in this kernel'
	tart_apart run vm --no-graphics --vnc
	assert_refused 1 'Error: --vnc needs an address of the guest, and in the user-mode network it has none that this host can reach; --vnc-experimental shows the screen without one'
	export TART_NETWORK_BACKEND=system
	tart_apart run vm --no-graphics
	assert_refused 1 'Error: the network: no nf_tables in this kernel'
}

@test 'network: user mode, because it is asked for' {
	export TART_NETWORK_BACKEND=user
	start_booted
	[[ $(qemu_words -netdev) == user,id=net0,* ]]
	grep -qx 'User-mode network: the guest can reach the network, but this host cannot reach the guest by IP' "$out"
	stop_run
	tart run vm --no-graphics --net-softnet
	assert_refused 1 "Softnet failed: TART_NETWORK_BACKEND is 'user', and QEMU's user-mode network cannot do that"
	tart run vm --no-graphics --net-host
	assert_refused 1 "Error: --net-host: TART_NETWORK_BACKEND is 'user', and QEMU's user-mode network cannot do that"
	export TART_NETWORK_BACKEND=bridge
	tart run vm --no-graphics
	assert_refused 1 "Error: TART_NETWORK_BACKEND is 'bridge', it must be 'auto', 'system', 'rootless' or 'user'"
}

@test 'network: interfaces for --net-bridged' {
	private_tart 'printf "br0 bridge\neth0 device\n"'
	tart run nosuch --net-bridged list
	assert_success
	assert_equal "$output" 'br0 bridge
eth0 device'
	assert_equal "$stderr" ''
	assert_equal "$(cat "$BATS_TEST_TMPDIR/started")" --candidates
	tart run vm --net-bridged eth0 --net-bridged wlan0
	assert_usage_error run 'no bridge interfaces matched "wlan0", available interfaces: br0, eth0'
	private_tart 'exit 0'
	tart run nosuch --net-bridged list
	assert_success
	assert_equal "$output$stderr" ''
	tart run vm --net-bridged eth0
	assert_usage_error run 'no bridge interfaces matched "eth0", available interfaces: none'
	private_tart 'echo "netlink is closed" >&2; exit 1'
	tart run vm --net-bridged eth0
	assert_failure 1
	assert_equal "$stderr" "Error: --net-bridged: $BATS_TEST_TMPDIR/program/tart-netd exited with code 1: netlink is closed"
	private_tart 'printf "br0 bridge\n/etc device\n"'
	tart run vm --net-bridged br0
	assert_failure 1
	assert_equal "$stderr" "Error: --net-bridged: $BATS_TEST_TMPDIR/program/tart-netd: '/etc device' is no interface and its kind"
}

@test 'network: a bridged VM has a NIC in each network, by the keeper of the system' {
	requires_root
	start_keeper
	private_tart 'printf "br0 bridge\neth0 device\n"'
	tart run vm --no-graphics --net-bridged br0
	assert_refused 1 "Error: --net-bridged: a rootless network has none of this host's interfaces, the system's keeper does"
	export TART_NETWORK_BACKEND=system
	qemu_script boot 'event SHUTDOWN {"guest": true, "reason": "guest-shutdown"}'
	run_apart unshare -m bash -c 'mount -t tmpfs tmpfs /run && mkdir /run/tart && mount --bind "$TART_HOME/net" /run/tart && exec "$@"' \
		bash "$TART" run vm --no-graphics --net-bridged br0 --net-bridged eth0
	assert_success
	assert_equal "$(attach_requests | jq -c '[.mode, .interface, .mac, .connection]')" \
		"[\"bridged\",\"br0\",\"$mac\",1]
[\"bridged\",\"eth0\",\"$mac\",1]"
	rm "$bundle/console.log"
	# One of two that cannot be had, and neither is kept.
	keeper_answers '{"attach": [{}, {"type": "r_error", "code": "denied", "text": "eth0 is not in allow-bridged"}]}'
	: >"$keeper/log"
	run_apart unshare -m bash -c 'mount -t tmpfs tmpfs /run && mkdir /run/tart && mount --bind "$TART_HOME/net" /run/tart && exec "$@"' \
		bash "$TART" run vm --no-graphics --net-bridged br0 --net-bridged eth0
	assert_refused 1 'Error: --net-bridged: eth0 is not in allow-bridged'
	wait_until keeper_has_heard 'select(.type == "closed")'
}

@test 'network: --vnc tells where the guest serves its screen' {
	start_keeper
	keeper_answers '{"list": {"nics": []}}'
	start_booted --vnc
	wait_until keeper_has_heard 'select(.type == "list")'
	run ! grep -q vnc: "$out"
	keeper_answers "$(jq -n --arg mac "$mac" --argjson until "$(($(date +%s) + 60))" '{list: {nics: [{vm: "vm",
		tap: "tart-00000001", uid: 0, mac: $mac, address: "192.168.64.11", forward: "127.64.64.11", mode: "nat",
		bound_at_s: 1, expires_s: $until, seen_arp_s: 0}]}}')"
	wait_until grep -qx 'VNC server is running at vnc://127.64.64.11' "$out"
	stop_run
}
