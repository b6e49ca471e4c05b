#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart ip: whose word counts, how long it waits, what it says when there is nothing. Real guests: tests/net/guest.bats.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper

setup() {
	common_setup
	make_vm vm --arch amd64
	mac=$(config_of vm macAddress)
	leases=$BATS_TEST_TMPDIR/leases
	export TART_DHCP_LEASES=$leases
}

in_an_hour() {
	echo $(($(date +%s) + 3600))
}

# What the keeper says of this VM's NIC; fields that the test names replace these.
keeper_has() { # JSON
	keeper_answers "$(jq -n --arg mac "$mac" --argjson fields "$1" --argjson until "$(in_an_hour)" '{list: {nics: [{
		vm: "vm", tap: "tart-00000001", uid: 0, mac: $mac, address: "192.168.64.11", forward: "127.64.64.11",
		mode: "nat", bound_at_s: 1, expires_s: $until, seen_arp_s: 0} + $fields]}}')"
}

# Ports below this one are at another number: then a line says so.
assert_success_with_address() { # ADDRESS
	assert_success
	assert_equal "$output" "$1"
	if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 22 ]; then
		[[ $stderr == 'Ports of the guest below '*'ssh -p 20022. '* ]]
		assert_equal "${#stderr_lines[@]}" 1
	else
		assert_equal "$stderr" ''
	fi
}

@test 'ip: arguments' {
	tart ip
	assert_usage_error ip "Missing expected argument '<name>'"
	tart ip vm --wait soon
	assert_usage_error ip "The value 'soon' is invalid for '--wait <wait>'"
	tart ip vm --wait 65536
	assert_usage_error ip "The value '65536' is invalid for '--wait <wait>'"
	tart ip vm --resolver dns
	assert_usage_error ip "The value 'dns' is invalid for '--resolver <resolver>'. Please provide one of 'dhcp', 'arp' or 'agent'."
	tart ip nosuch --wait 60
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	TART_NETWORK_BACKEND=bridge tart ip vm
	assert_failure 1
	assert_equal "$stderr" "Error: TART_NETWORK_BACKEND is 'bridge', it must be 'auto', 'system', 'rootless' or 'user'"
}

# MESSAGE OPTION...
assert_no_address() {
	tart ip vm "${@:2}"
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "$1"
}

@test 'ip: what it says of a VM that does not run' {
	local asked='no IP address found, is your VM running?'

	assert_no_address "$asked"
	assert_no_address "$asked" --wait 1
	assert_no_address "$asked (not all Linux distributions are compatible with the ARP resolver)" --resolver arp
	assert_no_address "$asked (also make sure that Guest agent for Tart is running inside of a VM)" --resolver agent
	jq '.os = "darwin" | .ecid = "AA==" | .hardwareModel = "AA=="' "$TART_HOME/vms/vm/config.json" >"$leases.config"
	cp "$leases.config" "$TART_HOME/vms/vm/config.json"
	assert_no_address "$asked" --resolver arp
}

@test 'ip: what it says of a VM that runs' {
	local user="no IP address found (its network is QEMU's user mode, where this host cannot reach the guest: \"tart exec\" works without an address, and ports are exposed by --net-softnet-expose where \"tart run\" has another network)"

	hold_vm vm
	assert_no_address "$user"
	assert_no_address 'no IP address found (not all Linux distributions are compatible with the ARP resolver)' --resolver arp
	assert_no_address 'no IP address found (also make sure that Guest agent for Tart is running inside of a VM)' --resolver agent
	start_keeper
	assert_no_address "$user"
	keeper_has '{"bound_at_s": 0, "expires_s": 0}'
	assert_no_address 'no IP address found'
}

@test 'ip: leases of other DHCP servers, whether or not the VM runs' {
	printf '%s %s 10.0.0.5 debian *\n' "$(in_an_hour)" "${mac^^}" >"$leases"
	tart ip vm
	assert_success
	assert_equal "$output" 10.0.0.5
	assert_equal "$stderr" ''
	hold_vm vm
	tart ip vm --wait 60
	assert_success
	assert_equal "$output" 10.0.0.5
	printf '1 %s 10.0.0.5 debian *\n' "$mac" >"$leases"
	tart ip vm
	assert_failure 1
	# Those of the home, where no list says otherwise.
	unset TART_DHCP_LEASES
	printf '0 %s 10.0.0.6 * *\n' "$mac" >"$TART_HOME/dhcp.leases"
	tart ip vm
	assert_success
	assert_equal "$output" 10.0.0.6
}

@test 'ip: a lease database that is damaged' {
	export TART_DHCP_LEASES=$leases.status
	echo '[{' >"$TART_DHCP_LEASES"
	tart ip vm --wait 60
	assert_failure 1
	[[ $stderr == "Error: $TART_DHCP_LEASES: "* ]]
}

@test 'ip: an address only after the guest has its lease, in this run' {
	hold_vm vm
	start_keeper
	printf '%s %s 10.0.0.5 * *\n' "$(in_an_hour)" "$mac" >"$leases"
	keeper_has '{"bound_at_s": 0, "expires_s": 0}'
	tart ip vm
	assert_failure 1
	assert_equal "$stderr" 'no IP address found'
	keeper_has '{"expires_s": 5}'
	tart ip vm
	assert_failure 1
	keeper_has '{"forward": null}'
	tart ip vm
	assert_failure 1
	keeper_has '{}'
	tart ip vm
	assert_success_with_address 127.64.64.11
	tart ip vm --resolver arp
	assert_success_with_address 127.64.64.11
	release_lock
	tart ip vm
	assert_failure 1
	assert_equal "$stderr" 'no IP address found, is your VM running?'
}

@test 'ip: waits from before the VM, the keeper and the lease are there' {
	start_keeper
	keeper_answers '{"list": {"nics": []}}'
	kill "$keeper_pid"
	"$TART" ip vm --wait 300 >"$leases.out" 2>"$leases.err" 3>&- &
	local waiting=$!
	background_pids+=("$waiting")
	hold_vm vm
	start_keeper
	wait_until keeper_has_heard 'select(.type == "list" and .has_mac)'
	# A VM whose address was taken gets another MAC address when it starts.
	"$TART" set vm --random-mac 3>&- || true
	mac=$(config_of vm macAddress)
	keeper_has '{}'
	wait "$waiting"
	assert_equal "$(cat "$leases.out")" 127.64.64.11
	assert_equal "$(keeper_heard 'select(.type == "list") | .mac' | tail -n 1)" "\"$mac\""
	# One connection for all the questions.
	assert_equal "$(keeper_heard 'select(.type == "opened")' | wc -l)" 1
}

@test 'ip: a signal ends the wait' {
	"$TART" ip vm --wait 300 >"$leases.out" 2>"$leases.err" 3>&- &
	local waiting=$! status=0
	background_pids+=("$waiting")
	# Nothing tells from outside that it waits; before, a signal ends it, too.
	kill -TERM "$waiting"
	wait "$waiting" || status=$?
	assert [ "$status" -eq 1 ] || assert [ "$status" -eq 143 ]
	assert_equal "$(cat "$leases.out")" ''

	# And while a keeper is asked that does not answer.
	hold_vm vm
	start_keeper
	keeper_answers '{"list": {"type": "silence"}}'
	"$TART" ip vm --wait 300 >"$leases.out" 2>"$leases.err" 3>&- &
	waiting=$! status=0
	background_pids+=("$waiting")
	wait_until keeper_has_heard 'select(.type == "list")'
	kill -TERM "$waiting"
	wait "$waiting" || status=$?
	assert_equal "$status" 1
	assert_equal "$(cat "$leases.err")" 'Error: cancelled'
}

@test 'ip: a keeper that closes, or sends nonsense, is as good as none' {
	hold_vm vm
	start_keeper
	printf '%s %s 10.0.0.5 * *\n' "$(in_an_hour)" "$mac" >"$leases"
	for answer in close r_done r_error; do
		keeper_answers "{\"list\": {\"type\": \"$answer\", \"code\": \"denied\", \"text\": \"no\"}}"
		tart ip vm
		assert_success
		assert_equal "$output" 10.0.0.5
		assert_equal "$stderr" ''
	done
}

@test 'ip: the neighbours of the host' {
	requires_root
	requires_program ip unshare
	local make='ip link add br0 type bridge && ip link set br0 up && ip addr add 10.9.8.1/24 dev br0'

	run_apart unshare -n bash -c "$make && ip neigh add 10.9.8.7 lladdr $mac dev br0 nud stale && \
		ip neigh add 10.9.8.6 lladdr $mac dev br0 nud failed && '$TART' ip vm --resolver arp"
	assert_success
	assert_equal "$output" 10.9.8.7
	assert_equal "$stderr" ''
	run_apart unshare -n bash -c "$make && ip neigh add 10.9.8.7 lladdr $mac dev br0 nud noarp && \
		'$TART' ip vm --resolver arp"
	assert_failure 1
}
