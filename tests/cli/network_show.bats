#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network show.

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

@test 'network show: everything has its default' {
	tart network show
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 --regexp '^Key +Value +Default +Source *$'
	assert_line --regexp '^subnet +auto +auto +default *$'
	assert_line --regexp '^lease-time +86400 +86400 +default *$'
	assert_equal "${#lines[@]}" 10
}

@test 'network show: where a setting comes from' {
	printf '# ours\nsubnet = 192.168.77.1\n\nlease-time=600 # ten minutes\n' >"$conf"
	tart network show
	assert_success
	assert_line --regexp "^subnet +192.168.77.1/24 +auto +$conf:2 *\$"
	assert_line --regexp "^netmask +255.255.255.0 +255.255.255.0 +default *\$"
	assert_line --regexp "^lease-time +600 +86400 +$conf:4 *\$"
}

@test 'network show: JSON' {
	echo 'mtu = 9000' >"$conf"
	tart network show --format json
	assert_success
	assert_equal "$(jq -c '.[] | select(.Key == "mtu")' <<<"$output")" \
		"{\"Key\":\"mtu\",\"Value\":\"9000\",\"Default\":\"1500\",\"Source\":\"$conf:1\",\"Rule\":\"576 to 9000\"}"
	assert_equal "$(jq -r 'map(.Key) | join(" ")' <<<"$output")" \
		'subnet netmask lease-time isolate-vms dns mtu allow-bridged expose-ports users'
}

@test 'network show: one setting' {
	echo 'dns = 1.1.1.1, 9.9.9.9' >"$conf"
	tart network show dns
	assert_success
	assert_line --index 1 --regexp "^dns +1.1.1.1,9.9.9.9 +gateway +$conf:1\$"
	assert_equal "${#lines[@]}" 2
	tart network show --format=json dns
	assert_success
	assert_equal "$(jq -r .Value <<<"$output")" 1.1.1.1,9.9.9.9
}

@test 'network show: no such setting' {
	tart network show dhcp
	assert_usage_error 'network show' \
		"There is no key 'dhcp'; there are subnet, netmask, lease-time, isolate-vms, dns, mtu, allow-bridged, expose-ports, users"
}

@test 'network show: a file with a mistake names file, line, key, value and reason' {
	printf '\nmtu = 10\n' >"$conf"
	tart network show
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "Error: $conf:2: mtu: '10' is not a number from 576 to 9000"
}

@test 'network show: a file that cannot be read' {
	mkdir "$conf"
	tart network show
	assert_failure 1
	assert_equal "$output" ''
	[[ $stderr == "Error: $conf: "* ]]
}

@test 'network show: a backend that does not exist' {
	TART_NETWORK_BACKEND=bridge tart network show
	assert_failure 1
	[[ $stderr == "Error: TART_NETWORK_BACKEND is 'bridge', "* ]]
}

@test 'network: its man page explains every setting' {
	local key

	[ -e "$BUILD/man/tart-network.1" ] || skip 'needs scdoc'
	requires_program mandoc
	run mandoc -T utf8 "$BUILD/man/tart-network.1"
	output=$(sed 's/.\x08//g; /^COMMANDS/,$d' <<<"$output")
	for key in $("$TART" ---completion network-keys); do
		grep -qx " *$key" <<<"$output" || fail "man tart-network does not explain $key"
	done
}

@test 'network: the names of settings are completed' {
	tart ---completion network-keys
	assert_success
	assert_equal "$(paste -sd ' ' <<<"$output")" \
		'subnet netmask lease-time isolate-vms dns mtu allow-bridged expose-ports users'
}
