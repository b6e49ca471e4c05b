#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network doctor. What it makes of each fact is in tests/unit/machine/test_network_report.c.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/netd
load ../lib/network

setup() { network_setup; }

teardown() {
	lab_stop
	common_teardown
}

json_of() {
	jq -c ".Checks[] | select(.Name == \"$1\")" <<<"$output"
}

@test 'network doctor: a keeper that runs is enough' {
	start_keeper
	tart network doctor --format json
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(jq -c '[.Usable, .Backend]' <<<"$output")" '[true,"rootless"]'
	assert_equal "$(json_of keeper-rootless)" '{"Name":"keeper-rootless","State":"ok",'\
'"Detail":"runs: 192.168.64.0/24, 0 in use","Subnet":"192.168.64.0/24"}'
	tart network doctor
	assert_success
	assert_equal "$(grep -cvE '^(ok|--)  .{14,18}  [^ ]' <<<"$output")" 0
	assert_line --regexp "^ok  network of VMs +this user's own"
}

@test 'network doctor: without anything, it says so and how to mend it' {
	TART_NETWORK_BACKEND=user tart network doctor
	assert_failure 1
	assert_equal "$stderr" \
		"Error: VMs have no address and no isolation on this host: QEMU's user mode network only"
	assert_line --regexp "^--  network of VMs +QEMU's user mode network only"
	run_apart env TART_NETWORK_BACKEND=user PATH=/nowhere "$(command -v timeout)" 60 "$TART" network doctor --format json
	assert_failure 1
	assert_equal "$(jq -c '[.Usable, .Backend]' <<<"$output")" '[false,"user"]'
}

@test 'network doctor: a mistake in network.conf' {
	export TART_NETWORK_BACKEND=rootless
	mkdir -p "$TART_HOME"
	echo 'mtu = 1' >"$TART_HOME/network.conf"
	tart network doctor --format json
	assert_equal "$(json_of network-conf)" "{\"Name\":\"network-conf\",\"State\":\"missing\",\
\"Detail\":\"$TART_HOME/network.conf:1: mtu: '1' is not a number from 576 to 9000\",\
\"Remedy\":\"tart network set or reset that key\",\"Path\":\"$TART_HOME/network.conf\"}"
	echo 'mtu = 1400' >"$TART_HOME/network.conf"
	check_says 'tart-netd: the subnet overlaps eth0'
	tart network doctor --format json
	assert_equal "$(json_of network-conf | jq -r .Detail)" 'the subnet overlaps eth0'
}

# The real tart-netd looks at the lab's host.
@test 'network doctor: root of a host, and its firewalls' {
	lab_start
	TART=$BUILD/tart
	lab_tart network doctor --format json
	assert_success
	assert_equal "$(jq -c '[.Usable, .Backend]' <<<"$output")" '[true,"system"]'
	assert_equal "$(json_of firewall | jq -r .State)" ok
	assert_equal "$(json_of tun | jq -r .State) $(json_of nft | jq -r .State)" 'ok ok'
	in_lab nft 'add table ip filter'
	in_lab nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
	lab_tart network doctor --format json
	assert_success
	assert_equal "$(json_of firewall | jq -r .State)" missing
	# It has made nothing itself.
	run in_lab ip -o link show tart0
	assert_failure
}

@test 'network doctor: is part of doctor' {
	start_keeper
	tart doctor --format json
	json_of network | jq -e '.Backend == "rootless"'
	json_of keeper-rootless | jq -e '.State == "ok"'
}
