#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real DHCP clients against the keeper's DHCP child, on veth pairs in namespaces: netd_helpers starts it without the
# keeper. network.md 4.2, 10.3.

load ../lib/common
load ../lib/netd
load ../lib/guest_dhcp

mac1=52:54:00:aa:00:01
mac2=52:54:00:aa:00:02

setup() {
	common_setup
	requires_program ip nsenter udhcpc dhclient
	lab_start
	in_lab sh -euc '
		ip link add tart0 type bridge
		ip address add 192.168.64.1/24 dev tart0
		ip link set tart0 up
	'
	helpers_start
}

teardown() {
	lab_stop
	common_teardown
}

served_guest() { # N MAC ADDRESS
	guest_new "$1" "$2"
	order serve "tart-$1" "$2" "$3/24" 192.168.64.1 600
}

# One lease and out; what came is in $report.
udhcpc_once() { # N [OPTION...]
	udhcpc_script
	report=$BATS_TEST_TMPDIR/report.$1
	run in_guest "$1" env REPORT="$report" timeout 60 busybox udhcpc -f -q -n -t 5 -T 1 -A 1 -i eth0 \
		-s "$BATS_TEST_TMPDIR/udhcpc.sh" "${@:2}"
}

# dhclient until it has a lease; its script only writes down what it is told.
dhclient_once() { # N [OPTION...]
	local folder=$BATS_TEST_TMPDIR/dhclient.$1

	mkdir -p "$folder"
	report=$folder/report
	printf '#!/bin/sh\necho "$reason $new_ip_address" >>"%s"\n' "$report" >"$folder/script"
	chmod +x "$folder/script"
	[ -e "$folder/conf" ] || echo 'timeout 30;' >"$folder/conf"
	touch "$folder/leases"
	background in_guest "$1" dhclient -4 -1 -d -cf "$folder/conf" -lf "$folder/leases" -pf "$folder/pid" \
		-sf "$folder/script" "${@:2}" eth0 2>"$folder/log"
	wait_until grep -qsE '^(BOUND|REBOOT|FAIL|TIMEOUT) ' "$report"
	kill -TERM "$background_pid"
	wait "$background_pid" || true
}

@test 'udhcpc gets its address, and all that goes with it' {
	served_guest 1 $mac1 192.168.64.11
	udhcpc_once 1
	assert_success
	run sed -n '/^event=bound/,$p' "$report"
	assert_output "$(printf '%s\n' event=bound broadcast=192.168.64.255 dns=192.168.64.1 ip=192.168.64.11 lease=600 \
		mask=24 mtu=1500 router=192.168.64.1 serverid=192.168.64.1 subnet=255.255.255.0)"
	said 'bound tart-1 600'
}

@test 'udhcpc that wants broadcasts gets them' {
	served_guest 1 $mac1 192.168.64.11
	udhcpc_once 1 -B
	assert_success
	assert_file_contains "$report" '^ip=192.168.64.11$'
}

@test 'a host-only guest has no router' {
	guest_new 1 $mac1
	order host tart-1 $mac1 192.168.64.11/24 192.168.64.1 600
	udhcpc_once 1
	assert_success
	assert_file_contains "$report" '^ip=192.168.64.11$'
	run ! grep '^router=' "$report"
}

@test 'renewal by unicast, then release' {
	served_guest 1 $mac1 192.168.64.11
	udhcpc_script
	report=$BATS_TEST_TMPDIR/report
	background in_guest 1 env REPORT="$report" busybox udhcpc -f -R -i eth0 -p /run/udhcpc.pid \
		-s "$BATS_TEST_TMPDIR/udhcpc.sh" 2>"$BATS_TEST_TMPDIR/udhcpc.log"
	said 'bound tart-1 600'
	wait_until grep -qx event=bound "$report"
	in_lab sh -c 'kill -USR1 $(cat /run/udhcpc.pid)'
	said 'bound tart-1 600' 2
	wait_until grep -qx event=renew "$report"
	assert_file_contains "$BATS_TEST_TMPDIR/udhcpc.log" 'sending renew to server 192.168.64.1'
	in_lab sh -c 'kill -TERM $(cat /run/udhcpc.pid)'
	said 'released tart-1'
}

@test 'dhclient with a DUID' {
	served_guest 1 $mac1 192.168.64.11
	dhclient_once 1 -i
	assert_file_contains "$report" '^BOUND 192.168.64.11$'
	said 'bound tart-1 600'
	assert_file_contains "$BATS_TEST_TMPDIR/dhclient.1/leases" 'default-duid'
}

@test 'a guest that remembers another network is told so, and asks anew' {
	served_guest 1 $mac1 192.168.64.11
	mkdir "$BATS_TEST_TMPDIR/dhclient.1"
	cat >"$BATS_TEST_TMPDIR/dhclient.1/leases" <<-'END'
		lease {
		  interface "eth0";
		  fixed-address 10.0.0.5;
		  option subnet-mask 255.255.255.0;
		  option dhcp-lease-time 86400;
		  option dhcp-message-type 5;
		  option dhcp-server-identifier 10.0.0.1;
		  renew never;
		  rebind never;
		  expire never;
		}
	END
	dhclient_once 1 -i
	assert_file_contains "$report" '^BOUND 192.168.64.11$'
	run -0 cat "$BATS_TEST_TMPDIR/dhclient.1/log"
	assert_output --partial 'DHCPREQUEST for 10.0.0.5'
	assert_output --partial 'DHCPNAK from 192.168.64.1'
}

@test 'a guest that remembers its address gets it by one question' {
	served_guest 1 $mac1 192.168.64.11
	dhclient_once 1
	assert_file_contains "$report" '^BOUND 192.168.64.11$'
	rm "$report"
	dhclient_once 1
	assert_file_contains "$report" '^REBOOT 192.168.64.11$'
	said 'bound tart-1 600' 2
}

@test 'two clones with one DUID have two addresses' {
	served_guest 1 $mac1 192.168.64.11
	served_guest 2 $mac2 192.168.64.12
	mkdir "$BATS_TEST_TMPDIR"/dhclient.{1,2}
	for n in 1 2; do
		printf '%s\n' 'default-duid "\000\001\000\001\054\072\021\042RT\000\252\000\001";' \
			>"$BATS_TEST_TMPDIR/dhclient.$n/leases"
		dhclient_once $n -i
	done
	assert_file_contains "$BATS_TEST_TMPDIR/dhclient.1/report" '^BOUND 192.168.64.11$'
	assert_file_contains "$BATS_TEST_TMPDIR/dhclient.2/report" '^BOUND 192.168.64.12$'
	run -0 sort -u <(grep -h default-duid "$BATS_TEST_TMPDIR"/dhclient.{1,2}/leases)
	assert_equal "${#lines[@]}" 1
}

@test 'a firewall that lets nothing in does not matter' {
	requires_program nft
	served_guest 1 $mac1 192.168.64.11
	in_lab nft -f - <<-'END'
		table inet strict {
		  chain input {
		    type filter hook input priority 0; policy drop;
		    counter name dropped
		  }
		  counter dropped { }
		}
	END
	udhcpc_once 1
	assert_success
	# It was asked about these packets.
	run -0 in_lab nft list counter inet strict dropped
	refute_output --partial 'packets 0 '
}

@test 'another MAC address is not answered' {
	served_guest 1 $mac1 192.168.64.11
	in_guest 1 ip link set eth0 address $mac2
	udhcpc_once 1 -t 2
	assert_failure
	in_guest 1 ip link set eth0 address $mac1
	udhcpc_once 1
	assert_success
}

@test 'frames with VLAN tags and fragments are passed over' {
	served_guest 1 $mac1 192.168.64.11
	run -0 in_guest 1 "$lab/dhcp_ask.py" "$project/fuzz/corpus/dhcp/discover" vlan fragment
	assert_output honest
	# The check can fail.
	run -0 in_guest 1 "$lab/dhcp_ask.py" "$project/fuzz/corpus/dhcp/discover" priority source-port
	assert_output $'priority\nsource-port\nhonest'
}

@test 'what is forgotten is not answered, what is served anew is' {
	served_guest 1 $mac1 192.168.64.11
	udhcpc_once 1
	assert_success
	order forget tart-1
	udhcpc_once 1 -t 2
	assert_failure
	order serve tart-1 $mac1 192.168.64.33/24 192.168.64.1 1200
	udhcpc_once 1
	assert_success
	assert_file_contains "$report" '^ip=192.168.64.33$'
	said 'bound tart-1 1200'
}

@test 'a link that is not there is an error' {
	order serve tart-9 $mac1 192.168.64.11/24 192.168.64.1 600
	wait_until grep -q '^error: cannot open a packet socket' "$helpers_log"
}

@test 'a link that goes and comes back as another' {
	served_guest 1 $mac1 192.168.64.11
	in_lab ip netns delete g1
	wait_until in_lab sh -c '! ip link show tart-1 2>/dev/null'
	served_guest 1 $mac1 192.168.64.11
	udhcpc_once 1
	assert_success
}

# The kernel drops what is not read; a hundred questions a second would be ten thousand here.
@test 'a guest that asks without end is answered slowly, others are not' {
	served_guest 1 $mac1 192.168.64.11
	served_guest 2 $mac2 192.168.64.12
	background in_guest 1 "$lab/dhcp_flood.py" "$project/fuzz/corpus/dhcp/discover" "$BATS_TEST_TMPDIR/flood"
	wait_until test -s "$BATS_TEST_TMPDIR/flood"
	for _ in 1 2 3; do
		udhcpc_once 2
		assert_success
	done
	in_lab pkill -TERM -f dhcp_flood.py
	wait "$background_pid" || true
	run -0 cat "$BATS_TEST_TMPDIR/flood"
	# SENT ANSWERED SECONDS: twenty at once, ten for each second, one more as seconds are cut off.
	read -r sent answered seconds <<<"$output"
	echo "$sent sent, $answered answered in $seconds s"
	((answered > 0 && sent > answered && answered <= 20 + 10 * (seconds + 1)))
}

@test 'a DHCP child that dies is replaced' {
	served_guest 1 $mac1 192.168.64.11
	served_guest 2 $mac2 192.168.64.12
	for n in 1 2 3; do
		in_lab pkill -KILL -x tart-netd-dhcp
		said 'dhcp ended' "$n"
		said 'dhcp started' $((n + 1))
		udhcpc_once 1
		assert_success
		udhcpc_once 2
		assert_success
	done
	run -0 process_named tart-netd-dhcp
	assert_equal "${#lines[@]}" 1
}

@test 'without its starter the DHCP child goes on' {
	served_guest 1 $mac1 192.168.64.11
	in_lab pkill -KILL -x tart-netd-start
	wait_until grep -q '^starter failed: ' "$helpers_log"
	udhcpc_once 1
	assert_success
	order dhcp
	said 'error: the starter has ended'
}

@test 'when the keeper is killed, nothing is left' {
	served_guest 1 $mac1 192.168.64.11
	order dns 192.168.64.1
	said 'dns started'
	wait_until process_named dnsmasq
	in_lab kill -KILL "$helpers_pid"
	wait_until in_lab sh -c '! pgrep "^(tart-netd|dnsmasq)"'
}

@test 'one that is stopped does not hold up the end' {
	requires_program dnsmasq
	in_lab pkill -STOP -x tart-netd-dhcp
	in_lab pkill -STOP -x tart-netd-start
	for _ in $(seq 300); do
		order dns 192.168.64.1
		order dns 192.168.64.2
	done
	wait_until grep -qx 'error: the starter does not listen' "$helpers_log"
	in_lab kill -KILL "$helpers_pid"
	in_lab pkill -CONT -x tart-netd-start
	wait_until in_lab sh -c '! pgrep "^(tart-netd|dnsmasq)"'
}

status_of() { # NAME
	in_lab sed -n -E 's/^(Uid|Gid|Groups|CapPrm|CapEff|CapInh|CapAmb|NoNewPrivs|Seccomp):[[:space:]]*(.*)/\1 \2/p' \
		"/proc/$(process_named "$1")/status" | tr '\t' ' ' | sed 's/ *$//'
}

@test 'who has which rights' {
	order dns 192.168.64.1
	said 'dns started'
	wait_until process_named dnsmasq
	order isolate
	said isolated

	child=65534 dns=5003 groups=' 5003'
	if [ "$(id -u)" -ne 0 ]; then
		child=0 dns=0 groups=
	fi
	run -0 status_of tart-netd-dhcp
	assert_output "$(printf '%s\n' "Uid $child $child $child $child" "Gid $child $child $child $child" Groups \
		'CapInh 0000000000000000' 'CapPrm 0000000000000000' 'CapEff 0000000000000000' 'CapAmb 0000000000000000' \
		'NoNewPrivs 1' 'Seccomp 2')"
	run -0 status_of dnsmasq
	assert_output "$(printf '%s\n' "Uid $dns $dns $dns $dns" "Gid $dns $dns $dns $dns" "Groups$groups" \
		'CapInh 0000000000000400' 'CapPrm 0000000000000400' 'CapEff 0000000000000400' 'CapAmb 0000000000000400' \
		'NoNewPrivs 1' 'Seccomp 2')"
	# SETUID, SETGID, KILL, NET_BIND_SERVICE
	run -0 status_of tart-netd-start
	assert_line 'CapPrm 00000000000004e0'
	assert_line 'Seccomp 2'
	# NET_ADMIN, NET_RAW
	run -0 status_of netd_helpers
	assert_line "Uid $dns $dns $dns $dns"
	assert_line 'CapPrm 0000000000003000'
	assert_line 'CapInh 0000000000000000'
	assert_line 'Seccomp 2'
}

@test 'the DHCP child holds no file but what it was given' {
	served_guest 1 $mac1 192.168.64.11
	udhcpc_once 1
	assert_success
	# As root: its descriptors are nobody's business, not even those of a process of the same user.
	run -0 in_lab sh -c 'for fd in /proc/$1/fd/*; do readlink "$fd"; done | sed "s/:.*//" | sort | uniq -c' \
		sh "$(process_named tart-netd-dhcp)"
	assert_line --regexp '^ *2 socket$'
	assert_line --regexp '^ *1 anon_inode$'
	assert_line --regexp '^ *2 /dev/null$'
}

@test 'the address of a bridged guest is seen' {
	requires_program dnsmasq
	guest_new 1 $mac1
	in_lab sh -euc '
		ip link set tart-1 master tart0
		ip address flush dev tart0
		ip netns add lan
		ip link add lan0 type veth peer name eth0 netns lan
		ip link set lan0 master tart0 up
		ip -netns lan address add 10.77.0.1/24 dev eth0
		ip -netns lan link set eth0 up
	'
	background in_lab nsenter --net=/run/netns/lan dnsmasq --conf-file=/dev/null --keep-in-foreground --port=0 \
		--user= --group= --pid-file= --leasefile-ro --no-ping --dhcp-range=10.77.0.50,10.77.0.50,3600
	order snoop tart-1 $mac1
	udhcpc_once 1 -t 20
	assert_success
	said 'seen tart-1 10.77.0.50 dhcp 3600'
	in_guest 1 ping -c 1 -W 10 10.77.0.1 || true
	said 'seen tart-1 10.77.0.50 arp 0'
	# Others on the same link are others' business.
	in_lab nsenter --net=/run/netns/lan ping -c 1 -W 10 10.77.0.50 || true
	run -0 sort -u "$helpers_log"
	refute_line --partial 10.77.0.1
}
