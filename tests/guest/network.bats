#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real guests, a real keeper, and an internet of their own (tests/lib/netd_lab.sh): addresses, ways in and out, and the end
# of each of the processes.

load ../lib/common
load ../lib/images
load ../lib/netd
load ../lib/guest_network

setup() {
	guest_network_setup
}

teardown() {
	lab_stop
	common_teardown
}

@test 'guest network: an address, the host and the internet, and the same address again' {
	make_guest vm <<-'EOF'
		echo "SAYS $(nc -w 5 192.168.64.1 8000 </dev/null)"
		echo "SAYS $(nc -w 5 8.8.8.8 80 </dev/null)"
	EOF
	serve in_lab 0.0.0.0 8000 'host at the gateway'
	serve in_net 8.8.8.8 80 'the internet'
	start_run vm
	await_address vm
	assert_equal "$stderr" ''
	wait_until console_says vm "TINY-IP $address eth0"
	wait_until answers "$address" 7777 'I am vm'
	wait_until console_says vm 'SAYS host at the gateway'
	wait_until console_says vm 'SAYS the internet'
	run ! grep -q 'User-mode' "$out"
	lab_tart ip vm --resolver arp
	assert_success
	assert_equal "$output" "$address"
	stop_guest vm
	assert_nothing_left
	lab_tart ip vm
	assert_failure 1
	assert_equal "$stderr" 'no IP address found, is your VM running?'

	local before=$address
	start_run vm
	await_address vm
	assert_equal "$address" "$before"
	stop_guest vm
	assert_nothing_left
	wait_until has_no_keeper
	run in_lab ip -o link show dev tart0
	assert_failure
}

@test 'guest network: kill -9 of the keeper, and of tart run' {
	local before keeper

	make_guest vm </dev/null
	start_run vm
	await_address vm
	before=$address
	for round in 1 2; do
		keeper=$(keeper_pids | head -n 1)
		in_lab kill -KILL "$keeper"
		await_address vm
		assert_equal "$address" "$before"
		wait_until answers "$address" 7777 'I am vm'
		lab_tart network leases --format json
		assert_equal "$(jq -r '.[0].Address' <<<"$output")" "$before"
	done
	run ! grep -q 'The VM has lost its network' "$out"

	kill_run
	wait_until has_no_vm_link
	assert_nothing_left
	# At once, with the same MAC address: nothing of the last run is in the way.
	start_run vm
	await_address vm
	assert_equal "$address" "$before"
	run ! grep -q 'Resetting VM' "$out"
	kill_run
	start_run vm
	await_address vm
	run ! grep -q 'Resetting VM' "$out"
	stop_guest vm
	assert_nothing_left
}

@test 'guest network: Softnet, and what is allowed and exposed' {
	make_guest vm <<-'EOF'
		for target in 8.8.8.8:80 10.1.2.3:80 172.16.5.5:80 192.168.64.1:8000 10.99.0.2:8000; do
			echo "SAYS $target $(nc -w 5 "${target%:*}" "${target#*:}" </dev/null 2>&1 | head -n 1)."
		done
	EOF
	serve in_lab 0.0.0.0 8000 'HOST'
	serve in_net 0.0.0.0 80 'WORLD'
	start_run vm --net-softnet-allow 172.16.0.0/12 --net-softnet-expose 2222:7777
	await_address vm
	wait_until console_says vm 'SAYS 10.99.0.2:8000'
	console_says vm 'SAYS 8.8.8.8:80 WORLD\.'
	console_says vm 'SAYS 172.16.5.5:80 WORLD\.'
	run grep -acE 'SAYS (10\.1\.2\.3|192\.168\.64\.1|10\.99\.0\.2):[0-9]+ .*(WORLD|HOST)' "$TART_HOME/vms/vm/console.log"
	assert_output 0
	wait_until answers "$address" 7777 'I am vm'
	wait_until answers 10.99.0.2 2222 'I am vm'
	wait_until answers_from in_net 10.99.0.2 2222 'I am vm'
	stop_guest vm
	assert_nothing_left
}

@test 'guest network: two clones, two addresses, and no way between them' {
	local first other

	make_guest vm </dev/null
	"$TART" clone vm copy 3>&-
	"$TART" set copy --cpu 1 3>&-
	# As a copy that somebody has made by hand.
	jq --arg mac "$(jq -r .macAddress "$TART_HOME/vms/vm/config.json")" '.macAddress = $mac' \
		"$TART_HOME/vms/copy/config.json" >"$BATS_TEST_TMPDIR/config"
	cat "$BATS_TEST_TMPDIR/config" >"$TART_HOME/vms/copy/config.json"
	start_run vm
	await_address vm
	first=$address
	local first_job=$run_job
	start_run copy
	await_address copy
	other=$address
	assert_not_equal "$other" "$first"
	grep -qx 'Resetting VM to assign a new MAC address...' "$out"
	wait_until answers "$first" 7777 'I am vm'
	wait_until answers "$other" 7777 'I am vm'
	# Of another home, whose VMs this one does not see: the keeper does.
	mkdir -p "$BATS_TEST_TMPDIR/second/vms"
	cp -r --sparse=always "$TART_HOME/vms/vm" "$BATS_TEST_TMPDIR/second/vms/third"
	rm -f "$BATS_TEST_TMPDIR/second/vms/third/vnc.sock"
	TART_HOME=$BATS_TEST_TMPDIR/second
	start_run third
	await_address third
	assert_not_equal "$address" "$first"
	assert_not_equal "$address" "$other"
	grep -qx 'Resetting VM to assign a new MAC address...' "$out"
	stop_guest third
	TART_HOME=$BATS_TEST_TMPDIR/home
	for name in vm copy; do
		lab_tart stop "$name"
		assert_success
	done
	wait "$first_job"
	assert_nothing_left
}

@test 'guest network: bridged, with the lease of that network' {
	requires_root
	local own=$TART_HOME

	make_guest vm </dev/null
	in_lab sh -c 'ip link add br0 type bridge forward_delay 0 && ip addr add 10.77.0.1/24 dev br0 && ip link set br0 up'
	in_lab sh -c 'cat >/run/udhcpd.conf' <<-'EOF'
		interface br0
		start 10.77.0.50
		end 10.77.0.60
		lease_file /run/udhcpd.leases
		option subnet 255.255.255.0
		option lease 600
	EOF
	in_lab touch /run/udhcpd.leases
	background in_lab busybox udhcpd -f /run/udhcpd.conf
	lab_tart run nosuch --net-bridged list
	assert_success
	assert_line 'br0 bridge'
	start_run vm --net-bridged br0
	await_address vm
	[[ $address == 10.77.0.5? ]]
	wait_until answers "$address" 7777 'I am vm'
	lab_tart ip vm --resolver arp
	assert_success
	assert_equal "$output" "$address"
	# The keeper is not what it needs from moment to moment.
	in_lab kill -KILL "$(keeper_pids | head -n 1)"
	await_address vm
	wait_until answers "$address" 7777 'I am vm'
	stop_guest vm
	assert_nothing_left
	assert_equal "$TART_HOME" "$own"
}

# A device that is no bridge: the world reaches the guest, and the host does not, as its user is told.
@test 'guest network: bridged by macvtap, with the lease of that network' {
	requires_root
	[ "$(findmnt --noheadings --output FSTYPE --target /dev)" = devtmpfs ] || skip 'needs /dev to be devtmpfs'
	make_guest vm </dev/null
	in_lab mount -t sysfs sysfs /sys
	in_lab sh -c 'cat >/run/udhcpd.conf && touch /run/udhcpd.leases' <<-'EOF'
		interface lan
		start 10.99.0.50
		end 10.99.0.60
		lease_file /run/udhcpd.leases
		option subnet 255.255.255.0
		option lease 600
	EOF
	background in_net busybox udhcpd -f /run/udhcpd.conf
	start_run vm --net-bridged uplink
	await_address vm
	[[ $address == 10.99.0.5? ]]
	wait_until answers_from in_net "$address" 7777 'I am vm'
	lab_tart stop vm --timeout 30
	assert_success
	finish_run
	assert_success
	assert_nothing_left
}

# A user of the group "tart" by the system's keeper; another one sees nothing of it.
@test 'guest network: users of one host' {
	requires_root
	make_guest vm </dev/null
	let_alice_in
	netd_start
	user=alice
	start_run vm
	await_address vm
	wait_until answers "$address" 7777 'I am vm'
	lab_tart network leases --format json
	assert_equal "$(jq -r '.[].VM' <<<"$output")" vm
	user=bob TART_HOME=/run/bob
	in_lab install -d -o bob /run/bob
	lab_tart network leases --format json
	assert_equal "$(jq length <<<"$output")" 0
	user=alice TART_HOME=$BATS_TEST_TMPDIR/home
	stop_guest vm
	assert_nothing_left
}

# The process of the lab that was given this word, and whose parent was not.
outside_pid() { # WORD
	in_lab pgrep --oldest --full -- " $1 "
}

@test 'guest network: without privileges, by pasta and an address of the loopback' {
	requires_root
	requires_program pasta
	# It says nothing and leaves its half open: Debian 12's pasta loses the answer to who has closed that first.
	make_guest vm <<-'EOF'
		for port in 80 81 82; do
			until said=$(sleep 3 | nc -w 5 8.8.8.8 $port) && [ -n "$said" ]; do :; done
			echo "SAYS $said"
		done
	EOF
	serve in_net 8.8.8.8 80 'the internet'
	let_alice_in
	user=alice
	start_run vm --net-softnet
	await_address vm
	[[ $address =~ ^127\.(6[4-9]|[78][0-9]|9[0-5])\. ]]
	[[ $stderr == 'Ports of the guest below '*' ssh -p 20022'* ]]
	grep -q '^Rootless network: ' "$out"
	dropbear_answers() { in_lab timeout 10 nc -w 5 "$address" 20022 </dev/null | head -n 1 | grep -q '^SSH-2.0-'; }
	wait_until dropbear_answers
	wait_until console_says vm 'SAYS the internet'

	# As ssh's ProxyCommand: at any port, whatever the loopback gives.
	run in_lab_as_user timeout 60 ssh -F none -o "ProxyCommand=$TART nc %h %p" -o StrictHostKeyChecking=no -o BatchMode=yes \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@vm 'cat; echo "port 22 of $(hostname)"' <<<'through the pipe'
	assert_success
	assert_line --index 0 'through the pipe'
	assert_line --index 1 --regexp '^port 22 of '
	lab_tart nc vm 9
	assert_failure 1
	assert_regex "$stderr" '^Error: port 9 of VM "vm": .*refused'

	# Its own settings: what a keeper that runs is told, and what it cannot do now.
	lab_tart network set lease-time 600
	assert_success
	assert_equal "$stderr" ''
	lab_tart network status --format json
	assert_equal "$(jq .LeaseTime <<<"$output")" 600
	assert_equal "$(cat "$TART_HOME/network.conf")" 'lease-time = 600'
	lab_tart network set subnet 192.168.99.1
	assert_failure 1
	assert_equal "$stderr" "Error: subnet: '192.168.99.1': the subnet cannot change while VMs run, stop them first: vm"
	lab_tart network set subnet 10.99.0.1
	assert_failure 1
	lab_tart network stats vm --format json
	assert_success

	# Whoever ends between it and the world comes back, and it stays who it is.
	in_lab kill -KILL "$(outside_pid --config-net)"
	serve in_net 8.8.8.8 81 'the internet, once more'
	wait_until console_says vm 'SAYS the internet, once more'
	in_lab kill -KILL "$(outside_pid --rootless)"
	serve in_net 8.8.8.8 82 'the internet, for good'
	wait_until console_says vm 'SAYS the internet, for good'
	wait_until dropbear_answers
	run ! grep -q 'lost its network' "$out"
	stop_guest vm
	wait_until has_no_keeper
}
