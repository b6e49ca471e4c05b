#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network reset; what it shares with `set` is tested there.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/network

setup() {
	network_setup
	export TART_NETWORK_BACKEND=rootless
	conf=$TART_HOME/network.conf
	mkdir -p "$TART_HOME"
}

@test 'network reset: the default is back, the rest stays' {
	printf '# mine\nsubnet = 192.168.77.1 # because of the VPN\nmtu = 1400\n' >"$conf"
	tart network reset subnet
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(cat "$conf")" $'# mine\n# because of the VPN\nmtu = 1400'
	tart network show subnet --format json
	assert_equal "$(jq -r '.Value + " " + .Source' <<<"$output")" 'auto default'
}

@test 'network reset: what was not set needs no file' {
	tart network reset subnet
	assert_success
	assert_equal "$output$stderr" ''
	assert_file_not_exist "$conf"
	assert_file_not_exist "$checks/seen"
}

@test 'network reset: mends a file with a mistake' {
	printf 'mtu = 1400\nlease-time = soon\n' >"$conf"
	tart network reset mtu
	assert_failure 1
	[[ $stderr == "Error: $conf:1: lease-time: 'soon' "* ]]
	tart network reset lease-time
	assert_success
	assert_equal "$(cat "$conf")" 'mtu = 1400'
}

@test 'network reset: the subnet only when no VM runs' {
	start_keeper
	keeper_answers "{\"list\": {\"nics\": [$(nic web 52:54:00:00:00:01 tart-00000001 nat)]}}"
	echo 'subnet = 192.168.77.1' >"$conf"
	tart network reset subnet
	assert_failure 1
	assert_equal "$stderr" "Error: subnet: 'default': the subnet cannot change while VMs run, stop them first: web"
	assert_equal "$(cat "$conf")" 'subnet = 192.168.77.1'
}

@test 'network reset: no such key' {
	tart network reset dhcp
	assert_usage_error 'network reset' \
		"There is no key 'dhcp'; there are subnet, netmask, lease-time, isolate-vms, dns, mtu, allow-bridged, expose-ports, users"
}
