#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network status.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/network

setup() { network_setup; }

@test 'network status: no keeper' {
	export TART_NETWORK_BACKEND=rootless
	tart network status
	assert_success
	assert_equal "$output" 'no rootless keeper of the network runs; it starts with the first VM that needs it'
	assert_equal "$stderr" ''
	tart network status --format json
	assert_success
	assert_equal "$(jq -c . <<<"$output")" '{"Running":false,"Reason":"no rootless keeper of the network runs"}'
}

@test 'network status: what the keeper says' {
	start_keeper
	keeper_answers '{"status": {"pid": 4711, "version": "1.2.3", "rootless": true, "nics": 3, "lease_s": 600, "mtu": 1400,
		"isolate_vms": false, "dns": ["1.1.1.1", "9.9.9.9"], "dns_running": false}}'
	tart network status
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(sed -E 's/  +/: /' <<<"$output")" "keeper: rootless
version: 1.2.3
process: 4711
subnet: 192.168.64.0/24
gateway: 192.168.64.1
running network cards: 3
addresses: 253
lease time: 600 s
MTU: 1400
VMs isolated from each other: no
rules survive a flush by others: yes
name servers: 1.1.1.1, 9.9.9.9
own name server runs: no"
	tart network status --format json
	assert_success
	assert_equal "$(jq -c . <<<"$output")" '{"Running":true,"Keeper":"rootless","Version":"1.2.3","Pid":4711,'\
'"Subnet":"192.168.64.0/24","Gateway":"192.168.64.1","InUse":3,"Addresses":253,"LeaseTime":600,"MTU":1400,'\
'"IsolateVMs":false,"PersistentRules":true,"DNS":["1.1.1.1","9.9.9.9"],"DNSRunning":false,"Warnings":[]}'
}

@test 'network status: warnings' {
	start_keeper
	keeper_answers '{"status": {"warnings": "Docker drops it: iptables -I DOCKER-USER\nthe VPN is wider\n"}}'
	tart network status
	assert_success
	assert_line --regexp '^warning +Docker drops it: iptables -I DOCKER-USER$'
	assert_equal "$(sed -E 's/  +/: /' <<<"${lines[-1]}")" 'warning: the VPN is wider'
	tart network status --format json
	assert_equal "$(jq -c .Warnings <<<"$output")" '["Docker drops it: iptables -I DOCKER-USER","the VPN is wider"]'
}

@test 'network status: a keeper that is just ending does not run' {
	start_keeper
	keeper_answers '{"status": {"type": "close"}}'
	tart network status --format json
	assert_success
	assert_equal "$(jq -c .Running <<<"$output")" false
}

@test 'network status: what the keeper refuses' {
	start_keeper
	keeper_answers '{"status": {"type": "r_error", "code": "denied", "text": "not for you"}}'
	tart network status
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: not for you'
}
