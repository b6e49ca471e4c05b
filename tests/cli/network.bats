#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network, the group; its verbs have files of their own.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/netd
load ../lib/network

setup() {
	common_setup
	unset TART_NETWORK_BACKEND
}

teardown() {
	lab_stop
	common_teardown
}

@test 'network: alone, it explains itself' {
	local text

	tart network
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 'OVERVIEW: Set up and look at the network of VMs'
	assert_line 'USAGE: tart network <subcommand>'
	assert_equal "${lines[-1]}" "  See 'tart help network <subcommand>' for detailed help."
	text=$output
	for arguments in 'network --help' 'network -h' 'help network' 'help network nosuch' 'network nosuch --help'; do
		# shellcheck disable=SC2086
		tart $arguments
		assert_success
		assert_equal "$output$stderr" "$text"
	done
}

@test 'network: help of a verb, in three ways' {
	tart network show --help
	assert_success
	assert_line --index 1 'USAGE: tart network show [<key>] [--format <format>]'
	local text=$output
	tart help network show
	assert_equal "$output$stderr" "$text"
}

@test 'network: no such verb' {
	tart network nosuch
	assert_usage_error network "Unexpected argument 'nosuch'"
	assert_equal "${stderr_lines[1]}" 'Usage: tart network <subcommand>'
	tart network --format json show
	assert_usage_error network "Unknown option '--format'"
}

@test 'network: its description has the verbs' {
	tart network --experimental-dump-help
	assert_success
	assert_equal "$(jq -r '.command.subcommands | map(.commandName) | join(" ")' <<<"$output")" \
		'show set reset leases status doctor policy stats'
	assert_equal "$(jq -c '.command.subcommands[0].superCommands' <<<"$output")" '["tart","network"]'
}

# The commands against the real keeper, on a host of its own.

# A VM "vm" with a guest that can talk; `guest_says` has it do things.
lab_vm() { # [OPTION of lab_vm.py]...
	local said=$BATS_TEST_TMPDIR/guest

	rm -f "$said" "$said.in"
	make_bundle "$TART_HOME/vms/vm" 52:54:00:00:00:01
	hold_vm vm
	mkfifo "$said.in"
	background in_lab python3 "$project/tests/lib/lab_vm.py" "$said.in" vm 52:54:00:00:00:01 "$@" >"$said"
	wait_until grep -q ready "$said"
}

stop_lab_vm() {
	echo stop >"$BATS_TEST_TMPDIR/guest.in"
	wait_until no_vm_runs
	in_lab ip netns delete guest1
	release_lock
}

guest_connects() { # ADDRESS PORT WANTED
	local lines

	lines=$(wc -l <"$BATS_TEST_TMPDIR/guest")
	echo "connect $1 $2" >"$BATS_TEST_TMPDIR/guest.in"
	wait_until guest_has_said $((lines + 1))
	assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/guest")" "$3"
}

guest_has_said() { # LINES
	[ "$(wc -l <"$BATS_TEST_TMPDIR/guest")" -ge "$1" ]
}

status_of() { # MEMBER
	lab_tart network status --format json
	jq -r ".$1" <<<"$output"
}

no_vm_runs() {
	[ "$(status_of InUse)" = 0 ]
}

@test 'network: settings hold after a restart of everything' {
	lab_start
	for pair in 'subnet 192.168.77.1' 'netmask 255.255.0.0' 'lease-time 600'; do
		# shellcheck disable=SC2086
		lab_tart network set $pair
		assert_success
	done
	netd_start
	assert_equal "$(status_of Subnet) $(status_of Gateway) $(status_of LeaseTime)" '192.168.0.0/16 192.168.77.1 600'
	lab_vm
	assert_equal "$(in_lab ip -br -4 address show tart0 | awk '{ print $3 }')" 192.168.77.1/16
	stop_lab_vm
	netd_stop
	# What a reboot leaves: the files of /etc and /var/lib, and nothing of /run or of the kernel's.
	in_lab sh -c 'rm -rf /run/tart; ip link delete tart0 2>/dev/null; nft flush ruleset'
	netd_start
	assert_equal "$(status_of Subnet) $(status_of Gateway) $(status_of LeaseTime)" '192.168.0.0/16 192.168.77.1 600'
	lab_vm
	assert_equal "$(in_lab ip -br -4 address show tart0 | awk '{ print $3 }')" 192.168.77.1/16
	stop_lab_vm
	# Nobody uses it: it may change while the keeper runs.
	lab_tart network reset subnet
	assert_success
	lab_tart network reset netmask
	assert_success
	lab_tart network set lease-time 700
	assert_success
	assert_equal "$(status_of LeaseTime)" 700
}

@test 'network: what the host has is refused, and named' {
	lab_start
	in_lab ip address add 192.168.77.9/24 dev uplink
	lab_tart network set subnet 192.168.77.1
	assert_failure 1
	[[ $stderr == "Error: subnet: '192.168.77.1': "*192.168.77.*uplink* ]] || fail "$stderr"
	run ! in_lab test -s /etc/tart/network.conf
	netd_start
	lab_tart network set subnet 192.168.88.1
	assert_success
	# Our own tart0 is not in its own way.
	lab_tart network set subnet 192.168.88.1/24
	assert_success
	assert_equal "$(status_of Subnet)" 192.168.88.0/24
}

@test 'network: leases, nc, policy and stats of a running VM' {
	lab_start
	netd_start
	lab_vm --mode softnet
	lab_tart network leases --format json
	assert_success
	assert_equal "$(jq -r '.[] | [.VM, .MAC, .Mode, .User] | join(" ")' <<<"$output")" 'vm 52:54:00:00:00:01 softnet root'
	lab_tart network set subnet 192.168.99.1
	assert_failure 1
	assert_equal "$stderr" "Error: subnet: '192.168.99.1': the subnet cannot change while VMs run, stop them first: vm"
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	in_lab timeout 60 "$TART" nc vm 7 <"$BATS_TEST_TMPDIR/sent" >"$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
	lab_tart nc vm 9
	assert_failure 1
	[[ $stderr == 'Error: port 9 of VM "vm": '*refused* ]] || fail "$stderr"

	background in_net python3 -m http.server --bind 10.1.2.3 80 --directory "$BATS_TEST_TMPDIR" >/dev/null 2>&1
	wait_until in_net bash -c ': </dev/tcp/10.1.2.3/80'
	guest_connects 10.1.2.3 80 'No route to host'
	lab_tart network stats vm --format json
	assert_success
	jq -e '.[] | select(.Rule == "refused") | .Packets > 0' <<<"$output"
	lab_tart network policy vm --allow 10.1.2.0/24,@host --format json
	assert_success
	assert_equal "$(jq -r .Allow <<<"$output")" '10.1.2.0/24,@host'
	guest_connects 10.1.2.3 80 yes
	lab_tart network policy vm --block 10.1.2.3 --expose 2222:7
	assert_success
	guest_connects 10.1.2.3 80 'No route to host'
	assert_equal "$(in_net bash -c 'exec 5<>/dev/tcp/10.99.0.2/2222 && echo hello >&5 && head -n 1 <&5')" hello
	lab_tart network policy vm --expose 22:7
	assert_failure 1
	[[ $stderr == *22* ]] || fail "$stderr"
}
