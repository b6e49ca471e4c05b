#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real guests that mean harm to another one, one in each mode. network.md 10.1, 10.6.

load ../lib/common
load ../lib/images
load ../lib/netd
load ../lib/guest_network

setup() {
	guest_network_setup
	[ -x "$BUILD/tests/guest/frames" ] || skip 'no static C library to link the program with'
}

teardown() {
	lab_stop
	common_teardown
}

# A guest that sends and tells what tests/lib/attack.py wants, once it has done what comes on standard input. That the gateway's
# MAC address is fixed keeps its kernel's own ARP out of it.
make_puppet() { # NAME
	{
		cat
		echo 'arp -s 192.168.64.1 02:74:61:72:74:01'
		echo 'nc -ll -p 7000 -e /run/disk/frames eth0 7000'
	} | make_guest "$1" "$BUILD/tests/guest/frames"
}

attack() {
	in_lab "$project/tests/lib/attack.py" "$@"
}

start_attackers() {
	local name

	for name in nat softnet host; do
		case $name in
		nat) start_run "$name" ;;
		*) start_run "$name" --net-"$name" ;;
		esac
		jobs_of_guests+=("$run_job")
	done
	for name in nat softnet host; do
		await_address "$name"
	done
}

stop_all() {
	local name job

	for name in nat softnet host victim; do
		lab_tart stop "$name" --timeout 30
		assert_success
	done
	for job in "${jobs_of_guests[@]}"; do
		wait "$job"
	done
	assert_nothing_left
}

bother_is_ready() {
	grep -q ready "$BATS_TEST_TMPDIR/bother" || ! kill -0 "$bothering" 2>/dev/null
}

@test 'attackers: a guest boots beside them, and nothing of theirs gets through' {
	local name

	jobs_of_guests=()
	serve in_lab 0.0.0.0 8000 'HOST'
	serve in_net 0.0.0.0 80 'WORLD'
	make_puppet nat <<-'EOF'
		cat >/run/udhcpd.conf <<-'END'
			interface eth0
			start 192.168.64.66
			end 192.168.64.99
			option router 192.168.64.66
			lease_file /run/udhcpd.leases
		END
		touch /run/udhcpd.leases
		udhcpd -f /run/udhcpd.conf &
	EOF
	# The kernel's own packets with an address that is not its.
	for name in softnet host; do
		make_puppet "$name" <<-'EOF'
			own=$(ip -4 -o address show eth0 | sed 's,.*inet \([0-9.]*\).*,\1,')
			mac=$(cat /sys/class/net/eth0/address)
			try() { # NAME IP MAC
				ifconfig eth0 down
				ifconfig eth0 hw ether "$3"
				ifconfig eth0 "$2" netmask 255.255.255.0 up
				route add default gw 192.168.64.1
				for target in 8.8.8.8:80 192.168.64.1:8000; do
					echo "SAYS $1 $target $(nc -w 3 "${target%:*}" "${target#*:}" </dev/null 2>/dev/null)."
				done
			}
			try first "$own" "$mac"
			try other-ip 192.168.64.77 "$mac"
			try gateway-ip 192.168.64.1 "$mac"
			try other-mac "$own" 52:54:00:66:66:66
			try gateway-mac "$own" 02:74:61:72:74:01
			try again "$own" "$mac"
			route del default
		EOF
	done
	make_puppet victim <<-'EOF'
		echo "SAYS host $(nc -w 30 192.168.64.1 8000 </dev/null)"
		echo "SAYS world $(nc -w 30 8.8.8.8 80 </dev/null)"
		echo "SAYS dns $(grep nameserver /etc/resolv.conf)."
		echo "SAYS route $(ip route show default)"
		echo "SAYS neighbour $(grep '^192.168.64.1 ' /proc/net/arp)"
		echo "SAYS ip6 $(ip -6 address show dev eth0 | grep -v fe80 | grep -c inet6)."
	EOF
	# With rules that can be taken away, for the control; not a child of nsenter, which would stop with it, and not go on.
	in_lab "$netd" --background --linger 0 --never-persist 3>&-
	start_attackers
	for name in softnet host; do
		wait_until console_says "$name" 'SAYS again 192'
		run grep -aohE 'SAYS (other|gateway)-(ip|mac) [0-9.:]+ .+\.' "$TART_HOME/vms/$name/console.log"
		assert_equal "$name: $output" "$name: "
	done
	for name in first again; do
		console_says softnet "SAYS $name 8.8.8.8:80 WORLD\."
		console_says softnet "SAYS $name 192.168.64.1:8000 \."
		console_says host "SAYS $name 8.8.8.8:80 \."
		console_says host "SAYS $name 192.168.64.1:8000 HOST\."
	done

	background in_lab sh -c 'echo $$ >/run/bother.pid; exec "$@"' sh "$project/tests/lib/attack.py" bother \
		"$(jq -r .macAddress "$TART_HOME/vms/victim/config.json")" >"$BATS_TEST_TMPDIR/bother"
	local bothering=$background_pid
	wait_until bother_is_ready
	start_run victim
	jobs_of_guests+=("$run_job")
	await_address victim
	wait_until console_says victim 'SAYS ip6'
	kill -0 "$bothering"
	console_says victim "TINY-IP $address eth0"
	console_says victim 'SAYS host HOST'
	console_says victim 'SAYS world WORLD'
	console_says victim 'SAYS dns nameserver 192.168.64.1.?\.'
	console_says victim 'SAYS route default via 192.168.64.1 dev eth0'
	console_says victim 'SAYS neighbour .* 02:74:61:72:74:01 '
	console_says victim 'SAYS ip6 0\.'
	run grep -ac 'TINY-IP' "$TART_HOME/vms/victim/console.log"
	assert_output 1
	in_lab sh -c 'kill "$(cat /run/bother.pid)"'
	wait "$bothering" || true

	run attack stopped
	assert_success
	run attack control
	assert_success
	stop_all
}
