#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The kernel's links, addresses, routes, neighbours, settings and connections as the keeper makes them. Each test is a
# network namespace of its own, in which tests/lib/links_do.c takes steps.

load ../lib/common

mac=52:54:00:aa:00:01
vm="$mac 192.168.64.11"

setup() {
	common_setup
	links_do=$BUILD/tests/lib/links_do
	requires_program ip unshare
	if [ "$(id -u)" -eq 0 ]; then
		namespace=(unshare --net --mount)
	else
		namespace=(unshare --user --map-root-user --net --mount)
	fi
	timeout 20 "${namespace[@]}" sh -c '[ -r /dev/net/tun ] && [ -w /dev/net/tun ]' 2>/dev/null ||
		skip 'needs namespaces and /dev/net/tun'
}

# Steps in a fresh namespace; as links_do_after, behind a shell command that prepares it.
links_do() {
	links_do_after true "$@"
}

links_do_after() { # COMMAND STEP...
	local before=$1

	shift
	run timeout --kill-after=5 60 "${namespace[@]}" sh -c "ip link set lo up && $before"' && exec "$@"' sh "$links_do" "$@"
}

@test 'tart0 carries the gateway, and forwarding is on' {
	links_do 'up 192.168.64.1/24' 'sh ip -br address show tart0; cat /sys/class/net/tart0/ifalias /proc/sys/net/ipv4/ip_forward' \
		'up 192.168.64.1/24' down 'sh ip -br link show tart0 2>&1'
	assert_success
	assert_line --index 0 'net.ipv4.ip_forward was off: turned on'
	assert_line --index 1 --regexp '^tart0 .* 192.168.64.1/24 $'
	assert_line 'Device "tart0" does not exist.'
	assert_line 'status 1'
}

@test 'a TAP has the gateway for its MAC address, a route and a permanent neighbour, and goes with its descriptor' {
	links_do 'up 192.168.64.1/24' 'mtu 1400' "tap tart-00000001 $vm" 'sh ip -br link show tart-00000001' \
		'sh cat /proc/sys/net/ipv4/conf/tart-00000001/rp_filter' \
		'sh ip route show 192.168.64.11; ip neigh; ip link show tart-00000001' \
		list "remove tart-00000001 $vm" 'sh ip route show 192.168.64.11; ip neigh' list
	assert_success
	assert_output --regexp 'tart-00000001 +UNKNOWN +02:74:61:72:74:01 '
	assert_output --partial ' mtu 1400 '
	assert_line '1'
	assert_line '192.168.64.11 dev tart-00000001 proto static scope link src 192.168.64.1 '
	assert_line "192.168.64.11 dev tart-00000001 lladdr $mac PERMANENT "
	assert_equal "${lines[-1]}" 'tart-00000001 tap up carrier'
}
