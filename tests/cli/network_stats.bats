#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network stats.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/network

setup() { network_setup; }

counts='{"stats": {"counts": [{"packets": 1, "bytes": 60}, {"packets": 2, "bytes": 120}, {"packets": 3, "bytes": 1000},
	{"packets": 9007199254740992, "bytes": 5}, {"packets": 0, "bytes": 0}, {"packets": 6, "bytes": 7},
	{"packets": 8, "bytes": 9}, {"packets": 10, "bytes": 11}]}}'

@test 'network stats: packets and bytes by rule' {
	start_keeper
	running_vm vm nat
	keeper_also_answers "$counts"
	tart network stats vm
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 --regexp '^Interface +Rule +Packets +Bytes +Meaning *$'
	assert_equal "$(sed -E '1d; s/ +/ /g' <<<"$output" | cut -d ' ' -f 1-4)" 'tart-00000001 spoofed 1 60
tart-00000001 arp 2 120
tart-00000001 dhcp-server 3 1000
tart-00000001 refused 9007199254740992 5
tart-00000001 dropped 0 0
tart-00000001 peer 6 7
tart-00000001 inbound 8 9
tart-00000001 forged 10 11'
	tart network stats vm --format json
	assert_success
	assert_equal "$(jq -c '.[1]' <<<"$output")" '{"Interface":"tart-00000001","Rule":"arp","Packets":2,"Bytes":120,'\
'"Meaning":"ARP in the name of others, or for others"}'
	assert_equal "$(jq -c 'map(.Rule)' <<<"$output")" \
		'["spoofed","arp","dhcp-server","refused","dropped","peer","inbound","forged"]'
	grep -q 9007199254740992 <<<"$output"
}

@test 'network stats: a bridged VM is not filtered' {
	start_keeper
	running_vm vm bridged
	tart network stats vm
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: VM "vm" is bridged: nothing of its traffic is filtered or counted'
}

@test 'network stats: a VM that is not there or does not run' {
	start_keeper
	tart network stats nosuch
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	make_bundle "$TART_HOME/vms/vm"
	tart network stats vm
	assert_failure 2
	assert_equal "$stderr" 'VM "vm" is not running'
	tart network stats
	assert_usage_error 'network stats' "Missing expected argument '<name>'"
}

@test 'network stats: what the keeper refuses' {
	start_keeper
	running_vm vm nat
	keeper_also_answers '{"stats": {"type": "r_error", "code": "missing", "text": "there is no tart-00000001"}}'
	tart network stats vm
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: there is no tart-00000001'
}
