#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# dnsmasq at the gateway, as the keeper's starter runs it: netd_helpers without the keeper. network.md 6.

load ../lib/common
load ../lib/netd
load ../lib/guest_dhcp

setup() {
	common_setup
	requires_program ip nsenter dnsmasq
	lab_start
	in_lab sh -euc '
		ip link add tart0 type bridge
		ip address add 192.168.64.1/24 dev tart0
		ip link set tart0 up
	'
	# A guest with its address, and the host's way to it.
	guest_new 1 52:54:00:aa:00:01
	in_lab ip route add 192.168.64.11/32 dev tart-1 src 192.168.64.1
	in_guest 1 ip address add 192.168.64.11/24 dev eth0
	# The world's resolver, which says that everything is at 33.33.33.33.
	resolver_start in_net 8.8.8.8 33.33.33.33
	helpers_start
}

teardown() {
	lab_stop
	common_teardown
}

# dnsmasq somewhere else: it knows one answer.
resolver_start() { # WHERE ADDRESS ANSWER
	background "$1" dnsmasq --conf-file=/dev/null --keep-in-foreground --bind-interfaces --listen-address="$2" \
		--user= --group= --pid-file= --no-resolv --no-hosts --address="/#/$3"
	resolver_pid=$background_pid
	wait_until is_answered "$1" "$2" "$3"
}

is_answered() { # WHERE SERVER ANSWER [udp|tcp]
	[ "$($1 "$lab/dns_ask.py" "$2" example.com "${4-udp}")" = "$3" ]
}

in_guest_1() {
	in_guest 1 "$@"
}

@test 'guests are answered, by what /etc/resolv.conf says now' {
	order dns 192.168.64.1
	said 'dns started'
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
	is_answered in_guest_1 192.168.64.1 33.33.33.33 tcp
	resolver_start in_net 33.33.33.34 44.44.44.44
	in_lab sh -c 'echo nameserver 33.33.33.34 >/etc/resolv.conf'
	wait_until is_answered in_guest_1 192.168.64.1 44.44.44.44
	# The file replaced, as most programs do it.
	in_lab sh -c 'echo nameserver 8.8.8.8 >/etc/new && mv /etc/new /etc/resolv.conf'
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
}

@test 'servers that are named are asked instead' {
	resolver_start in_net 33.33.33.34 44.44.44.44
	order dns 192.168.64.1 33.33.33.34
	wait_until is_answered in_guest_1 192.168.64.1 44.44.44.44
	# Others replace them.
	order dns 192.168.64.1 8.8.8.8
	said 'dns started' 2
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
	# The same again is nothing new.
	order dns 192.168.64.1 8.8.8.8
	order dns 192.168.64.1
	said 'dns started' 3
	run ! grep '^dns died' "$helpers_log"
}

@test 'it listens at the gateway only' {
	order dns 192.168.64.1
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
	run -0 in_lab sh -c 'ss -Hlntu "sport = 53" | tr -s " " | cut -d " " -f 5 | sort -u'
	assert_output 192.168.64.1:53
}

@test 'names of the host are not for guests' {
	in_lab sh -c 'echo 10.1.2.3 example.com >>/etc/hosts'
	order dns 192.168.64.1
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
}

@test 'a TCP client that says nothing holds up nobody' {
	order dns 192.168.64.1
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
	for _ in 1 2 3; do
		background in_guest 1 nc -d 192.168.64.1 53
	done
	wait_until tcp_clients_are 3
	is_answered in_guest_1 192.168.64.1 33.33.33.33 tcp
	is_answered in_guest_1 192.168.64.1 33.33.33.33
	# They end with it, though they are processes of their own.
	order stop-dns
	wait_until in_lab sh -c '! ps -o args -e | grep "[k]eep-in-foreground --conf-file=-"'
}

tcp_clients_are() { # N
	[ "$(in_lab ss -Hnt state established '( sport = :53 )' | wc -l)" -ge "$1" ]
}

@test 'one that dies is started again' {
	order dns 192.168.64.1
	for n in 1 2 3; do
		said 'dns started' "$n"
		wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
		in_lab pkill -KILL -o -f 'keep-in-foreground --conf-file=-'
		said 'dns died: dnsmasq was killed by signal 9 (Killed)' "$n"
	done
	said 'dns started' 4
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
}

@test 'with its starter killed it is gone' {
	order dns 192.168.64.1
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
	in_lab pkill -KILL -x tart-netd-start
	wait_until in_lab sh -c '! ps -o args -e | grep "[k]eep-in-foreground --conf-file=-"'
}

@test 'stopped it stays stopped' {
	order dns 192.168.64.1
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
	order stop-dns
	wait_until in_lab sh -c '! ps -o args -e | grep "[k]eep-in-foreground --conf-file=-"'
	run ! grep '^dns died' "$helpers_log"
	order dns 192.168.64.1
	said 'dns started' 2
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
}

@test 'another resolver has the port: that is said, and tried again' {
	background in_lab dnsmasq --conf-file=/dev/null --keep-in-foreground --user= --group= --pid-file= --no-resolv \
		--no-hosts --address=/#/55.55.55.55
	wait_until is_answered in_lab 127.0.0.1 55.55.55.55
	order dns 192.168.64.1
	said 'dns port taken: another program listens at port 53' 2
	run ! grep 'dns started' "$helpers_log"
	in_lab pkill -KILL -f -- --address=/#/55.55.55.55
	said 'dns started'
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
}

@test 'a stub at 127.0.0.53 is no obstacle' {
	resolver_start in_lab 127.0.0.53 55.55.55.55
	in_lab sh -c 'echo nameserver 127.0.0.53 >/etc/resolv.conf'
	order dns 192.168.64.1
	wait_until is_answered in_guest_1 192.168.64.1 55.55.55.55
}

@test 'dnsmasq is not there: that is said, until it is' {
	local program

	program=$(readlink -f "$(command -v dnsmasq)")
	in_lab sh -c 'touch /run/none && mount --bind /run/none "$1"' sh "$program"
	order dns 192.168.64.1
	said 'dns missing: dnsmasq is not installed'
	in_lab umount "$program"
	said 'dns started'
	wait_until is_answered in_guest_1 192.168.64.1 33.33.33.33
}

@test 'an address that is not there' {
	order dns 192.168.99.1
	said 'dns died: dnsmasq exited with code 2: it cannot listen at its address' 2
	in_lab ip address add 192.168.99.1/24 dev tart0
	wait_until is_answered in_lab 192.168.99.1 33.33.33.33
}
