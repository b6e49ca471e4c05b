#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network policy.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/network

setup() { network_setup; }

@test 'network policy: shows the lists' {
	start_keeper
	running_vm vm softnet
	keeper_also_answers '{"policy": {"allow": ["10.0.0.0/8", "@host"], "block": [], "expose": ["2222:22", "8080:80"]}}'
	tart network policy vm
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 --regexp '^VM +Interface +Allow +Block +Expose *$'
	assert_line --index 1 --regexp '^vm +tart-00000001 +10.0.0.0/8,@host +2222:22,8080:80$'
	assert_equal "$(keeper_heard 'select(.type == "policy") | del(.connection)')" \
		'{"type":"policy","tap":"tart-00000001","allow":null,"block":null,"expose":null}'
	tart network policy vm --format json
	assert_success
	assert_equal "$(jq -c . <<<"$output")" \
		'{"VM":"vm","Interface":"tart-00000001","Allow":"10.0.0.0/8,@host","Block":"","Expose":"2222:22,8080:80"}'
	assert_equal "$(keeper_heard 'select(.type == "list") | .mac' | sort -u)" '"52:54:00:00:00:01"'
}

@test 'network policy: changes what is given, and nothing else' {
	start_keeper
	running_vm vm softnet
	tart network policy vm --allow 10.1.2.3/8,@host --expose=2222:22
	assert_success
	assert_equal "$(keeper_heard 'select(.type == "policy") | [.allow, .block, .expose]')" \
		'[["10.0.0.0/8","@host"],null,["2222:22"]]'
	tart network policy vm --block 1.1.1.1 --format json
	assert_success
	assert_equal "$(keeper_heard 'select(.type == "policy") | [.allow, .block, .expose]' | tail -n 1)" \
		'[null,["1.1.1.1/32"],null]'
}

@test 'network policy: an empty list is a list' {
	start_keeper
	running_vm vm softnet
	tart network policy vm --allow '' --block= --expose=
	assert_success
	assert_equal "$(keeper_heard 'select(.type == "policy") | [.allow, .block, .expose]')" '[[],[],[]]'
}

@test 'network policy: lists that make no sense' {
	local option value

	for option in --allow --block; do
		for value in 10.0.0.0/33 ::1 '1.2.3.4,,' host; do
			tart network policy vm $option "$value"
			assert_failure 64
			assert_equal "$output" ''
			[[ ${stderr_lines[0]} == "Error: "*"$option"* ]] || fail "$stderr"
			assert_equal "${stderr_lines[-1]}" "  See 'tart network policy --help' for more information."
		done
	done
	for value in 22 0:22 22:65536 22:22,22:80 a:b; do
		tart network policy vm --expose "$value"
		assert_failure 64
		[[ ${stderr_lines[0]} == "Error: "*"--expose"* ]] || fail "$stderr"
	done
}

@test 'network policy: a VM that is not there, does not run, has no keeper, or is not under Softnet' {
	start_keeper
	tart network policy nosuch
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	make_bundle "$TART_HOME/vms/vm" 52:54:00:00:00:01
	tart network policy vm
	assert_failure 2
	assert_equal "$stderr" 'VM "vm" is not running'
	hold_vm vm
	tart network policy vm
	assert_failure 1
	assert_equal "$stderr" 'Error: VM "vm" has no network with a keeper: the rootless keeper of the network does not know it'
	TART_NETWORK_BACKEND=user tart network policy vm
	assert_failure 1
	assert_equal "$stderr" "Error: VM \"vm\" has no network with a keeper: TART_NETWORK_BACKEND is 'user'"
	keeper_answers "{\"list\": {\"nics\": [$(nic vm 52:54:00:00:00:01 tart-00000001 host)]}}"
	tart network policy vm --allow 10.0.0.0/8
	assert_failure 1
	assert_equal "$stderr" \
		"Error: VM \"vm\" has no lists, since it runs without --net-softnet: its network is 'host'"
	assert_equal "$(keeper_heard 'select(.type == "policy")')" ''
}

@test 'network policy: without a keeper' {
	export TART_NETWORK_BACKEND=rootless
	make_bundle "$TART_HOME/vms/vm"
	hold_vm vm
	tart network policy vm
	assert_failure 1
	assert_equal "$stderr" 'Error: VM "vm" has no network with a keeper: no rootless keeper of the network runs'
}

@test 'network policy: what the keeper refuses' {
	start_keeper
	running_vm vm softnet
	keeper_also_answers '{"policy": {"type": "r_error", "code": "port-in-use", "text": "port 22 is in use"}}'
	tart network policy vm --expose 22:22
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: port 22 is in use'
}
