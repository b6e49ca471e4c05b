#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The kernel's links, addresses, routes, neighbours, settings and connections as the keeper makes them. Each test is a
# network namespace of its own, in which tests/lib/links_do.c takes steps; as root, or as a user with a namespace of his.

load ../lib/common

mac=52:54:00:aa:00:01
vm="$mac 192.168.64.11"

setup() {
	common_setup
	requires_program ip unshare
	# Also for those who may not read the folder of the build.
	links_folder=$(mktemp -d /tmp/links.XXXXXX)
	chmod 755 "$links_folder"
	cp "$BUILD/tests/lib/links_do" "$links_folder/"
	# What the machine's administrator has set is passed on to new namespaces.
	prepare='mount -t sysfs sysfs /sys; ip link set lo up; echo 0 >/proc/sys/net/ipv4/ip_forward
		echo 0 | tee /proc/sys/net/ipv4/conf/all/rp_filter >/proc/sys/net/ipv4/conf/default/rp_filter; '
	if [ "$(id -u)" -eq 0 ]; then
		namespace=(unshare --net --mount)
		mknod -m 666 "$links_folder/tun" c 10 200
		prepare+="mount --bind $links_folder/tun /dev/net/tun; "
	else
		namespace=(unshare --user --map-root-user --net --mount)
	fi
	as=()
	timeout 20 "${namespace[@]}" sh -c "$prepare exec 3<>/dev/net/tun" 2>/dev/null ||
		skip 'needs namespaces and /dev/net/tun'
}

teardown() {
	common_teardown
	rm -rf "${links_folder:?}"
}

# Steps in a fresh namespace, behind shell commands that prepare it.
links_do_after() { # COMMANDS STEP...
	local before=$1

	shift
	run timeout --kill-after=5 60 "${namespace[@]}" sh -c "$prepare $before"'
		exec "$@"' sh "${as[@]}" "$links_folder/links_do" "$@"
}

links_do() { # STEP...
	links_do_after '' "$@"
}

# Lines of the output in a row, somewhere in it.
assert_lines() { # LINE...
	local expected

	expected=$(printf '%s\n' "$@")
	[[ $'\n'$output$'\n' == *$'\n'$expected$'\n'* ]] || {
		printf 'not in a row:\n%s\n\nthe output:\n%s\n' "$expected" "$output" >&2
		return 1
	}
}

show_all='sh ip -br link show type tun; ip route; ip neigh; echo end'

@test 'tart0 carries the gateway, and forwarding is on' {
	links_do 'up 192.168.64.1/24' 'sh ip -br address show tart0; ip link show tart0; cat /proc/sys/net/ipv4/ip_forward' \
		'up 192.168.64.1/24' down down 'sh ip -br link show tart0 2>&1'
	assert_success
	assert_line --index 0 'net.ipv4.ip_forward was off: turned on'
	assert_line --index 1 --regexp '^tart0 .* 192.168.64.1/24 $'
	assert_lines '    alias tart' 1 'Device "tart0" does not exist.' 'status 1'
}

@test 'tart0: one of somebody else is left alone' {
	links_do_after 'ip link add tart0 type bridge; ip link set tart0 alias mine' \
		'up 192.168.64.1/24' down 'sh ip link show tart0 | grep alias'
	assert_success
	assert_line --index 0 "error: there is an interface 'tart0' that is not tart's: rename or remove it"
	assert_line --index 1 '    alias mine'
}

@test 'tart0: another address only without VMs' {
	links_do 'up 192.168.64.1/24' "tap tart-00000001 $vm" 'up 192.168.77.1/24' 'sh ip -br address show tart0' \
		'delete tart-00000001' 'up 192.168.77.1/24' 'sh ip -br address show tart0' 'up 192.168.77.1/16' \
		'sh ip -br address show tart0'
	assert_success
	assert_line --index 1 \
		'error: the network is in use with 192.168.64.1/24; it can become 192.168.77.1/24 when no VM runs'
	assert_line --index 2 --regexp ' 192.168.64.1/24 $'
	assert_line --index 3 --regexp ' 192.168.77.1/24 $'
	assert_line --index 4 --regexp ' 192.168.77.1/16 $'
}

@test 'tart0: what a killed keeper left half made is finished' {
	local state

	for state in '' 'ip link set tart0 alias tart' 'ip link set tart0 alias tart; ip address add 192.168.64.1/24 dev tart0' \
		'ip link set tart0 alias tart; ip link set tart0 up'; do
		links_do_after "ip link add tart0 address 02:74:61:72:74:01 type bridge; $state" \
			'up 192.168.64.1/24' 'sh ip -br address show tart0; ip link show up dev tart0'
		assert_success
		assert_line --index 1 --regexp '^tart0 .* 192.168.64.1/24 $'
		assert_line '    alias tart'
	done
}

@test 'forwarding that cannot be turned on is said, and no error' {
	links_do_after 'mount --bind /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_forward
		mount -o remount,bind,ro /proc/sys/net/ipv4/ip_forward' 'up 192.168.64.1/24' "tap tart-00000001 $vm" list
	assert_success
	assert_output $'forwarding is denied\ntart-00000001 tap up carrier'
}

@test 'settings that cannot be written stop a TAP, unless they are right already' {
	links_do_after 'mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys' \
		'up 192.168.64.1/24' "tap tart-00000001 $vm" "$show_all"
	assert_success
	assert_line --index 0 'forwarding is denied'
	assert_line --index 1 --regexp "^error: TAP 'tart-00000001': cannot open /proc/sys/net/.*: Read-only file system"
	assert_line --index 2 --regexp '^192.168.64.0/24 dev tart0'
	assert_line --index 3 end

	links_do_after 'cd /proc/sys/net
		echo 1 >ipv4/ip_forward; echo 0 >ipv4/conf/default/accept_redirects
		for key in send_redirects accept_source_route; do echo 0 >ipv4/conf/default/$key; done
		echo 1 >ipv4/conf/default/rp_filter; echo 1 >ipv6/conf/default/disable_ipv6
		mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys' \
		'up 192.168.64.1/24' "tap tart-00000001 $vm" list
	assert_success
	assert_output 'tart-00000001 tap up carrier'
}

@test 'a loose reverse path filter of the host is mentioned' {
	links_do_after 'echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter' 'up 192.168.64.1/24'
	assert_success
	assert_line --partial 'net.ipv4.conf.all.rp_filter is 2: '
}

@test 'a TAP: MAC address of the gateway, settings, route, permanent neighbour' {
	links_do 'up 192.168.64.1/24' 'mtu 1400' "tap tart-00000001 $vm" 'sh ip -br link show tart-00000001' \
		'sh ip link show tart-00000001' \
		'sh cd /proc/sys/net/ipv4/conf/tart-00000001 && cat forwarding rp_filter accept_redirects send_redirects accept_source_route proxy_arp ../../../ipv6/conf/tart-00000001/disable_ipv6' \
		'sh ip route show 192.168.64.11; ip neigh' list
	assert_success
	assert_output --regexp 'tart-00000001 +UNKNOWN +02:74:61:72:74:01 '
	assert_output --partial ' mtu 1400 '
	assert_lines 1 1 0 0 0 0 1 '192.168.64.11 dev tart-00000001 proto static scope link src 192.168.64.1 ' \
		"192.168.64.11 dev tart-00000001 lladdr $mac PERMANENT " 'tart-00000001 tap up carrier'
}

@test 'a TAP goes with its descriptor, and with it all of its traces' {
	links_do 'up 192.168.64.1/24' "tap tart-00000001 $vm" "remove tart-00000001 $vm" "$show_all" \
		"remove tart-00000001 $vm" "delete tart-00000001"
	assert_success
	assert_line --index 1 --regexp '^192.168.64.0/24 dev tart0'
	assert_line --index 2 end
	assert_equal "${#lines[@]}" 3

	# The process ends instead.
	run timeout 60 "${namespace[@]}" sh -c "$prepare "'"$@"; ip -br link show type tun; ip route; ip neigh' sh \
		"$links_folder/links_do" 'up 192.168.64.1/24' "tap tart-00000001 $vm"
	assert_line --index 1 --regexp '^192.168.64.0/24 dev tart0'
	assert_equal "${#lines[@]}" 2
}

# What is in the way stays as it is, and of the TAP nothing is left.
@test 'a TAP that fails leaves nothing' {
	local cases=(
		'ip link add other type bridge; ip link set other up; ip route add 192.168.64.11/32 dev other'
		'cannot make a route to 192.168.64.11: File exists'

		'ip link add tart-00000001 type bridge'
		'cannot make the interface: Device or resource busy'

		'ip link add other type bridge; ip address add 192.168.64.11/24 dev other'
		'192.168.64.11 is an address of this host'

		'mount -t tmpfs tmpfs /proc/sys/net/ipv4/conf'
		'cannot open /proc/sys/net/ipv4/conf/tart-00000001/forwarding: No such file or directory'

		'mount --bind /dev/null /dev/net/tun'
		'cannot make the interface: Inappropriate ioctl for device'

		'mount -t tmpfs tmpfs /dev/net'
		'cannot open /dev/net/tun: No such file or directory'
	)
	local i before after

	for ((i = 0; i < ${#cases[@]}; i += 2)); do
		links_do_after "${cases[i]}" 'up 192.168.64.1/24' 'sh ip link; ip route; ip neigh' 'sh echo middle' \
			"tap tart-00000001 $vm" 'sh ip link; ip route; ip neigh'
		assert_line "error: TAP 'tart-00000001': ${cases[i + 1]}"
		before=${output%%$'\n'middle*}
		after=${output#*error:*$'\n'}
		assert_equal "$(sed '/^net.ipv4/d' <<<"$before")" "$after"
	done
}

@test 'a TAP with an MTU that the kernel refuses leaves nothing' {
	links_do 'up 192.168.64.1/24' 'mtu 60' "tap tart-00000001 $vm" list
	assert_success
	assert_line --index 1 "error: TAP 'tart-00000001': mtu less than device minimum"
	assert_equal "${#lines[@]}" 2
}

@test 'a TAP that was taken down comes up with route and neighbour' {
	links_do 'up 192.168.64.1/24' "tap tart-00000001 $vm" "set-down tart-00000001 $vm" "$show_all" \
		"set-up tart-00000001 $vm" "$show_all" 'sh ip address flush dev tart0; ip address add 192.168.64.1/24 dev tart0' \
		"$show_all" "set-up tart-00000001 $vm" "$show_all" "set-up tart-00000002 $vm"
	assert_failure 1
	assert_equal "$(grep -c '^tart-00000001 .*[<,]UP[,>]' <<<"$output")" 3
	assert_equal "$(grep -c '^192.168.64.11 dev tart-00000001 proto static' <<<"$output")" 2
	assert_equal "$(grep -c PERMANENT <<<"$output")" 3
	assert_line "error: interface 'tart-00000002': No such device"
}

@test 'peers: the host answers ARP for them at once' {
	local show='sh cd /proc/sys/net/ipv4 && echo $(cat conf/tart-00000001/proxy_arp neigh/tart-00000001/proxy_delay)'

	links_do 'up 192.168.64.1/24' "tap tart-00000001 $vm peer" "$show" 'peer tart-00000001 off' "$show"
	assert_success
	assert_lines '1 0' '0 0'
}

@test 'a TAP that its holder made persistent is seen to be nobody'\''s, and can be removed' {
	links_do 'up 192.168.64.1/24' "persist tart-00000001 $vm" list 'delete tart-00000001' list
	assert_success
	assert_line --index 1 'tart-00000001 tap up'
	assert_equal "${#lines[@]}" 2
}

@test 'connections of an address are forgotten, on both sides and after translation' {
	requires_program conntrack
	local at='conntrack -I -t 600 -p udp'

	# In turn: from the VM and translated; to it, exposed; to it from the host; of others; in another zone; ping.
	links_do_after "
		$at -s 192.168.64.11 -d 8.8.8.8 --sport 1 --dport 2 -r 8.8.8.8 -q 10.0.0.5 --reply-port-src 2 --reply-port-dst 1
		$at -s 10.0.0.7 -d 10.0.0.5 --sport 3 --dport 4 -r 192.168.64.11 -q 10.0.0.7 --reply-port-src 22 --reply-port-dst 3
		$at -s 192.168.64.1 -d 192.168.64.11 --sport 5 --dport 6 -r 192.168.64.11 -q 192.168.64.1 --reply-port-src 6 --reply-port-dst 5
		$at -s 192.168.64.12 -d 192.168.64.1 --sport 7 --dport 8 -r 192.168.64.1 -q 192.168.64.12 --reply-port-src 8 --reply-port-dst 7
		$at -w 5 -s 192.168.64.11 -d 8.8.8.8 --sport 1 --dport 2 -r 8.8.8.8 -q 10.0.0.5 --reply-port-src 2 --reply-port-dst 1
		conntrack -I -t 600 -p icmp -s 192.168.64.11 -d 8.8.4.4 --icmp-type 8 --icmp-code 0 --icmp-id 9
		conntrack -L" "remove tart-00000001 $vm" 'sh echo after; conntrack -L'
	assert_success
	assert_output --partial '6 flow entries have been shown'
	assert_output --partial 'sport=7'
	output=${output#*after}
	assert_output --partial '1 flow entries have been shown'
	assert_output --partial 'sport=7'
}

@test 'a policy that got narrower ends what the VM has started, or what came to it from outside' {
	requires_program conntrack
	local at='conntrack -I -t 600 -p udp' count='sh conntrack -L 2>/dev/null | grep -o "sport=[135]" | sort -u | tr -d "\n"; echo'

	# In turn: from the VM; exposed; from the host.
	links_do_after "
		$at -s 192.168.64.11 -d 8.8.8.8 --sport 1 --dport 2 -r 8.8.8.8 -q 10.0.0.5 --reply-port-src 2 --reply-port-dst 1
		$at -s 10.0.0.7 -d 10.0.0.5 --sport 3 --dport 4 -r 192.168.64.11 -q 10.0.0.7 --reply-port-src 22 --reply-port-dst 3
		$at -s 192.168.64.1 -d 192.168.64.11 --sport 5 --dport 6 -r 192.168.64.11 -q 192.168.64.1 --reply-port-src 6 --reply-port-dst 5" \
		"$count" "end-outgoing tart-00000001 $mac 192.168.64.12" "$count" "end-outgoing tart-00000001 $vm" "$count" \
		"end-exposed tart-00000001 $vm" "$count"
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]:3}")" $'sport=1sport=3sport=5\nsport=1sport=3sport=5\nsport=3sport=5\nsport=5'
}

# At a VM's start, too, unless its address is known to be clean.
@test 'connections of an address are forgotten before a VM gets it' {
	requires_program conntrack
	local at='conntrack -I -t 600 -p udp -d 8.8.8.8 --dport 2 --reply-port-src 2' nat='-r 8.8.8.8 -q 10.0.0.5'

	links_do_after "$at -s 192.168.64.11 --sport 1 --reply-port-dst 1 $nat; $at -s 192.168.64.12 --sport 2 --reply-port-dst 2 $nat" \
		'up 192.168.64.1/24' "tap tart-00000001 $vm" 'sh conntrack -C' "remove tart-00000001 $vm" \
		"tap tart-00000002 $vm" "tap tart-00000003 $mac 192.168.64.12" 'sh conntrack -C' \
		"sh $at -s 192.168.64.12 --sport 2 --reply-port-dst 2 $nat 2>/dev/null" "remove tart-00000003 $mac 192.168.64.12" \
		'sh conntrack -C' list
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]:3}")" \
		$'1\n0\n0\ntart-00000002 tap up carrier'
}

# More than are noted at once.
@test 'connections of an address are forgotten however many they are' {
	requires_program conntrack
	local at='-I -t 600 -p udp -d 8.8.8.8 --dport 2 -r 8.8.8.8 -q 10.0.0.5 --reply-port-src 2'

	links_do_after "seq 1 20000 | sed 's/.*/$at -s 192.168.64.11 --sport & --reply-port-dst &/' >$links_folder/flows
		conntrack -R $links_folder/flows >/dev/null 2>&1; conntrack -C" "remove tart-00000001 $vm" 'sh conntrack -C'
	assert_success
	[ "${lines[0]}" -gt 16384 ] || skip "the host tracks no more than ${lines[0]} connections"
	assert_line --index 1 0
}

@test 'a subnet that collides is refused, and the next free one chosen' {
	links_do_after 'ip link add eth0 type bridge; ip link set eth0 up; ip address add 192.168.64.9/24 dev eth0
		ip address add 192.168.66.129/25 dev eth0; ip route add blackhole 10.5.0.0/16; ip route add 10.0.0.0/8 dev eth0
		ip route add 100.64.0.0/16 dev eth0 table 52; ip route add 100.64.1.0/24 dev eth0 table 52
		ip route add 172.16.0.0/12 dev eth0 table 52; ip route add default dev eth0' \
		'check 192.168.64.1/24' 'check 192.168.64.1/28' 'check 192.168.64.130/25' 'check 192.168.66.1/24' \
		'check 192.168.67.1/24' 'check 192.168.0.1/16' 'check 10.5.1.1/16' 'check 10.5.1.1/24' 'check 172.16.1.1/24' \
		'check 100.64.1.1/24' 'choose 24' 'choose 25' 'choose 16' 'sh ip address flush dev eth0' 'choose 16' 'choose 29' \
		'up 192.168.64.1/24' "tap tart-00000001 $vm" 'check 192.168.64.1/24' 'choose 24'
	assert_success
	cat >"$BATS_TEST_TMPDIR/expected" <<-EOF
		error: 192.168.64.0/24 collides with address 192.168.64.9/24 of 'eth0'
		error: 192.168.64.0/28 collides with address 192.168.64.9/24 of 'eth0'
		error: 192.168.64.128/25 collides with route 192.168.64.255/32 of 'eth0'
		error: 192.168.66.0/24 collides with address 192.168.66.129/25 of 'eth0'
		error: 192.168.0.0/16 collides with address 192.168.64.9/24 of 'eth0'
		error: 10.5.0.0/16 collides with route 10.5.0.0/16, which leads nowhere
		10.5.1.0/24 lies within route 10.0.0.0/8 of 'eth0': its hosts at these addresses are out of reach
		10.5.1.0/24 lies within route 10.5.0.0/16, which leads nowhere: its hosts at these addresses are out of reach
		172.16.1.0/24 lies within route 172.16.0.0/12 of 'eth0', in a table that is asked first: guests may be out of reach
		error: 100.64.1.0/24 collides with route 100.64.1.0/24 of 'eth0'
		192.168.65.0/24 192.168.65.1
		192.168.65.0/25 192.168.65.1
		error: no /16 from 192.168.64.0 to 192.168.127.255 is free on this host: set 'subnet' to another network
		192.168.0.0/16 192.168.0.1
		192.168.64.0/29 192.168.64.1
		net.ipv4.ip_forward was off: turned on
		192.168.64.0/24 192.168.64.1
	EOF
	assert_output - <"$BATS_TEST_TMPDIR/expected"
}

bridged='ip link add br0 type bridge; ip link add world mtu 1400 type veth peer name eth0 mtu 1400; ip link set eth0 up; ip link set world up
	ip link set br0 up; ip tuntap add tun0 mode tun'

@test 'bridged: what each interface of the host is good for' {
	links_do_after "$bridged; ip link set world master br0" 'classify br0' 'classify eth0' 'classify world' \
		'classify lo' 'classify tun0' 'classify tart0' 'classify nosuch' candidates
	assert_success
	assert_line --index 0 bridge
	assert_line --index 1 device
	assert_line --index 2 "error: interface 'world' is part of 'br0' already: use --net-bridged=br0"
	assert_line --index 3 "error: interface 'lo' is the loopback: use one that is connected"
	assert_line --index 4 "error: interface 'tun0' is not an Ethernet device: use one that is"
	assert_line --index 5 'error: no bridge interfaces matched "tart0", available interfaces: br0, eth0'
	assert_line --index 6 'error: no bridge interfaces matched "nosuch", available interfaces: br0, eth0'
	assert_line --index 7 'br0 bridge'
	assert_line --index 8 'eth0 device'
	assert_equal "${#lines[@]}" 9
	links_do 'up 192.168.64.1/24' 'classify tart0' 'classify nosuch' candidates
	assert_line "error: interface 'tart0' is tart's own: use another one"
	assert_line --index 2 'error: no bridge interfaces matched "nosuch", available interfaces: none'
	assert_equal "${#lines[@]}" 3
}

@test 'bridged: a wireless interface is refused' {
	local fake='mount -t tmpfs tmpfs /sys/class/net; cd /sys/class/net; mkdir -p eth0/phy80211 world/wireless'

	links_do_after "$bridged; index=\$(cat /sys/class/net/eth0/ifindex); world=\$(cat /sys/class/net/world/ifindex)
		$fake; echo \$index >eth0/ifindex; echo \$world >world/ifindex" 'classify eth0' 'classify world' candidates
	assert_success
	assert_line --index 0 "error: interface 'eth0' is wireless, and access points ignore guests behind it: use a wired one, or NAT"
	assert_line --index 1 --partial "'world' is wireless"
	assert_equal "${lines[*]:2}" 'br0 bridge'
	# The /sys of another network namespace says nothing about ours.
	links_do_after "$bridged; $fake; echo 999 >eth0/ifindex" 'classify eth0'
	assert_output device
}

@test 'bridged: a port of a bridge, which changes neither its address nor its MTU' {
	links_do_after "$bridged; ip link set world master br0; ip link set br0 address 52:00:00:00:00:01" 'sh ip link show br0' \
		"bridged tart-00000001 $mac br0" 'sh ip link show br0' 'sh ip link show tart-00000001' list \
		'sh cat /proc/sys/net/ipv6/conf/tart-00000001/disable_ipv6' "remove tart-00000001 $mac -" list
	assert_success
	assert_equal "${lines[0]} ${lines[1]}" "${lines[2]} ${lines[3]}"
	assert_line --index 4 --regexp 'UP.* mtu 1400 .* master br0 '
	assert_line --index 5 --partial ' fe:54:00:aa:00:01 '
	assert_line --index 6 'tart-00000001 tap up carrier'
	assert_line --index 7 1
	assert_equal "${#lines[@]}" 8
}

@test 'bridged: what fails leaves nothing' {
	links_do_after "$bridged; ip link add tart-00000002 type bridge" "bridged tart-00000001 $mac eth0" \
		"bridged tart-00000001 $mac br0 macvtap" "bridged tart-00000001 $mac nosuch" "bridged tart-00000002 $mac br0" \
		"bridged tart-00000002 $mac eth0 macvtap" list
	assert_success
	assert_line --index 0 "error: interface 'eth0' has just become another one"
	assert_line --index 1 "error: interface 'br0' has just become another one"
	assert_line --index 2 'error: no bridge interfaces matched "nosuch", available interfaces: br0, eth0, world'
	assert_line --index 3 "error: NIC 'tart-00000002' on 'br0': cannot make the interface: Device or resource busy"
	assert_line --index 4 "error: NIC 'tart-00000002' on 'eth0': cannot make a macvtap interface: File exists"
	assert_line --index 5 'tart-00000002 tap carrier'
	assert_equal "${#lines[@]}" 6
}

macvtap_works() {
	requires_root
	[ "$(findmnt --noheadings --output FSTYPE --target /dev)" = devtmpfs ] || skip 'needs /dev to be devtmpfs'
}

@test 'bridged: macvtap beside a device, all multicast let in, with a node that is its own' {
	macvtap_works
	links_do_after "$bridged" "bridged tart-00000001 $mac eth0 macvtap" 'sh ip link show tart-00000001' list \
		"remove tart-00000001 $mac -" list
	assert_success
	assert_line --index 0 --regexp 'tart-00000001@eth0: <.*ALLMULTI,UP.* mtu 1400 '
	assert_line --index 1 --partial " $mac "
	assert_line --index 2 'tart-00000001 macvtap up carrier'
	assert_equal "${#lines[@]}" 3
}

# Links of two namespaces with one index: /dev/tapN is that of the first.
@test 'bridged: the node of another namespace is not opened' {
	macvtap_works
	local make="ip link add eth0 type veth peer name world; ip link set eth0 up; ip link set world up"
	local index before

	# What the next link's index will be.
	index=$(timeout 20 "${namespace[@]}" sh -c "$prepare $make; ip link add next type bridge; cat /sys/class/net/next/ifindex")
	background "${namespace[@]}" sh -c "$prepare $make; ip link add link eth0 name tap index $index type macvtap
		touch $links_folder/ready; exec sleep infinity"
	wait_until test -e "$links_folder/ready"
	before="$make; stat -c %t:%T /dev/tap$index"

	# A private node: it is gone again.
	links_do_after "$before" "bridged tart-00000001 $mac eth0 macvtap" list "sh cat /sys/class/net/tart-00000001/tap$index/dev; ls -A /dev | grep tart-"
	assert_success
	assert_line --index 1 'tart-00000001 macvtap up carrier'
	assert_line --index 2 --regexp '^[0-9]+:[0-9]+$'
	assert_equal "${lines[-1]}" 'status 1'
	[ "$(printf '%x:%x' "${lines[2]%:*}" "${lines[2]#*:}")" != "${lines[0]}" ]

	as=(setpriv --bounding-set=-mknod --inh-caps=-mknod)
	links_do_after "$before" "bridged tart-00000001 $mac eth0 macvtap" list
	assert_line --index 1 "error: NIC 'tart-00000001' on 'eth0': /dev/tap$index is missing, or of another network namespace: cannot make a device node: Operation not permitted"
	assert_equal "${#lines[@]}" 2
}

# The opener's business, where there is one.
@test 'bridged: a node that may not be opened' {
	macvtap_works
	requires_program setpriv
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups '--bounding-set=-all,+net_admin' '--inh-caps=-all,+net_admin'
		'--ambient-caps=-all,+net_admin')
	# All network namespaces share the nodes of /dev: that of a test beside this one may have the number.
	links_do_after "$bridged" "bridged tart-00000001 $mac eth0 macvtap" list
	assert_line --index 0 --regexp "^error: NIC 'tart-00000001' on 'eth0': (cannot open /dev/tap[0-9]*|/dev/tap[0-9]* is missing, or of another network namespace: cannot make a device node): Permission denied$"
	assert_equal "${#lines[@]}" 1
}

@test 'bridged: without the /sys of this namespace there is no macvtap' {
	links_do_after "$bridged; mount -t tmpfs tmpfs /sys" "bridged tart-00000001 $mac eth0 macvtap" list
	assert_line --index 0 --regexp "^error: NIC 'tart-00000001' on 'eth0': /sys is not that of this network namespace: cannot open '/sys/"
	assert_equal "${#lines[@]}" 1
}

@test 'links that go are told, by whatever way' {
	links_do_after 'ip link add br0 type bridge' 'up 192.168.64.1/24' "tap tart-00000001 $vm" watch \
		"tap tart-00000002 $mac 192.168.64.12" "tap tart-00000003 $mac 192.168.64.13" "bridged tart-00000004 $mac br0" \
		'sh ip link set tart-00000004 nomaster; ip link delete tart-00000001; ip link set tart-00000002 down
		 ip link set tart-00000002 name other' 'gone 2' 'delete tart-00000004' 'delete tart-00000003' 'gone 2'
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]:1}")" \
		$'gone tart-00000001\ngone tart-00000002\ngone tart-00000004\ngone tart-00000003'
}

@test 'links that go are told when the kernel has dropped its messages' {
	links_do_after 'ip link add br0 type bridge' 'up 192.168.64.1/24' watch "tap tart-00000001 $vm" \
		"tap tart-00000002 $mac 192.168.64.12" \
		'sh yes "link set br0 mtu 1000
link set br0 mtu 1001" | head -n 2000 | ip -batch -; ip link delete tart-00000002' 'gone 1' list
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]:1}")" $'gone tart-00000002\ntart-00000001 tap up carrier'
}

@test 'ports that somebody listens on' {
	requires_program python3
	local listen='import os, socket
for family, place in ((socket.AF_INET, ("127.0.0.1", 7001)), (socket.AF_INET6, ("::", 7002)), (socket.AF_INET, ("0.0.0.0", 7003))):
    s = socket.socket(family); s.bind(place); s.listen()
    os.set_inheritable(s.fileno(), True); os.dup2(s.fileno(), 10 + s.fileno()); s.detach()
c = socket.create_connection(("127.0.0.1", 7001)); os.set_inheritable(c.fileno(), True)
print(c.getsockname()[1], flush=True)
os.execvp("sh", ["sh", "-c", "exec \"$@\" \"port $(ss -Htn state established dport = :7001 | sed -n \"s/.*127.0.0.1:\\([0-9]*\\) *127.*/\\1/p\")\"", "sh"] + os.sys.argv[1:])'

	run timeout 60 "${namespace[@]}" sh -c "$prepare"'exec python3 -c "$@"' sh "$listen" "$links_folder/links_do" 'port 7001' \
		'port 7002' 'port 7003' 'port 7004'
	assert_success
	assert_equal "$(printf '%s\n' "${lines[@]:1}")" $'listening\nlistening\nlistening\nfree\nfree'
}

# As the keeper is: nobody, with that one capability.
@test 'CAP_NET_ADMIN is enough, without being root' {
	requires_root
	requires_program setpriv conntrack
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups '--bounding-set=-all,+net_admin' '--inh-caps=-all,+net_admin'
		'--ambient-caps=-all,+net_admin' --no-new-privs)
	links_do_after 'conntrack -I -t 600 -p udp -s 192.168.64.11 -d 8.8.8.8 --sport 1 --dport 2 -r 8.8.8.8 -q 10.0.0.5 \
		--reply-port-src 2 --reply-port-dst 1' \
		'sh id -u; grep Cap /proc/self/status' 'up 192.168.64.1/24' "tap tart-00000001 $vm peer" 'sh conntrack -C' \
		"set-down tart-00000001 $vm" "set-up tart-00000001 $vm" list 'sh ip route show 192.168.64.11; ip neigh' \
		"remove tart-00000001 $vm" 'port 80' 'check 192.168.77.1/24' down list
	assert_success
	assert_line 65534
	assert_line --regexp '^CapEff:.0000000000001000$'
	assert_line --regexp '^CapBnd:.0000000000001000$'
	assert_lines 'net.ipv4.ip_forward was off: turned on' 0 'tart-00000001 tap up carrier' \
		'192.168.64.11 dev tart-00000001 proto static scope link src 192.168.64.1 ' \
		"192.168.64.11 dev tart-00000001 lladdr $mac PERMANENT " free
	refute_line --partial error:
}

@test 'without CAP_NET_ADMIN each step says what is missing, and candidates can be listed' {
	requires_root
	requires_program setpriv
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)
	links_do_after "$bridged" 'up 192.168.64.1/24' "tap tart-00000001 $vm" candidates list
	assert_success
	assert_line --index 0 "error: cannot make the interface 'tart0': Operation not permitted"
	assert_line --index 1 --partial "error: TAP 'tart-00000001': "
	assert_line --index 2 'br0 bridge'
}

@test 'in the namespaces of an ordinary user' {
	requires_root
	requires_program setpriv
	namespace=(setpriv --reuid=65534 --regid=65534 --clear-groups unshare --user --map-root-user --net --mount)
	prepare='ip link set lo up; echo 0 >/proc/sys/net/ipv4/ip_forward; '
	run timeout 60 unshare --mount sh -c "mount --bind $links_folder/tun /dev/net/tun"'; exec "$@"' sh "${namespace[@]}" sh -c \
		"$prepare"'exec "$@"' sh "$links_folder/links_do" 'up 192.168.64.1/24' "tap tart-00000001 $vm" list \
		"remove tart-00000001 $vm" list down
	assert_success
	assert_output $'net.ipv4.ip_forward was off: turned on\ntart-00000001 tap up carrier'
}
