#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The keeper's tables in the kernel's packet filter. Each test is a network namespace of its own, in which
# tests/lib/rules_do.c takes steps; as root each is done twice, the second time in a user's namespace.

load ../lib/common

setup() {
	common_setup
	rules_do=$BUILD/tests/lib/rules_do
	requires_program ip nft unshare
	cd "$BATS_TEST_TMPDIR" || return
	kinds=(user)
	[ "$(id -u)" -ne 0 ] || kinds=(root user)
	in_namespace user nft list tables 2>/dev/null || skip 'needs user namespaces and nf_tables'
}

in_namespace() { # KIND COMMAND...
	local user=()

	[ "$1" = root ] || user=(--user --map-root-user)
	timeout --kill-after=5 120 unshare "${user[@]}" --net -- "${@:2}"
}

# Steps in a fresh namespace. For two processes one after the other: `--` between their steps.
rules_do() {
	run in_namespace "$kind" bash -c '
		program=$1 steps=() status=0
		shift
		ip link set lo up
		for step; do
			if [ "$step" = -- ]; then
				"$program" "${steps[@]}" || status=$?
				steps=()
			else
				steps+=("$step")
			fi
		done
		"$program" "${steps[@]}" || status=$?
		exit "$status"' rules_do "$rules_do" "$@"
}

both() { # FUNCTION
	for kind in "${kinds[@]}"; do
		echo "as $kind:"
		"$@"
	done
}

# Whether tables of this kernel can outlive their owner.
requires_persistence() {
	kind=user rules_do open
	assert_success
	[ "$output" = 'new persistent' ] || skip 'needs Linux 6.9'
}

# --- VMs come and go ---------------------------------------------------------------------------------------------------

come_and_go() {
	rules_do 'open plain' "sh nft list ruleset >before" \
		'add 1 nat' 'add 2 softnet expose 2222:22,8080:80' 'add 3 host' 'add 4 nat peer' \
		'add 5 softnet allow 10.99.0.0/24,@host block 8.8.8.8 expose 99:9' 'add 6 softnet peer allow 0.0.0.0/0 block 10.0.0.0/8' \
		registered 'sh nft list ruleset >during' \
		'remove 1' 'remove 2' 'remove 3' 'remove 4' 'remove 5' 'forget 6' registered \
		'sh nft list ruleset | diff before -' 'remove 1' 'forget 1'
	assert_success
	assert_line --index 1 "registered: $(printf 'tart-0000000%d ' 1 2 3 4 5 6 | sed 's/ $//')"
	assert_line --index 2 'registered:'
	refute_line --index 3 --regexp .
}

@test 'VMs of all kinds come, and nothing of them is left when they have gone' {
	both come_and_go
}

@test 'what a VM comes to' {
	both come_and_go
	run cat during
	assert_line --regexp '"tart-00000001" \. 52:54:00:aa:00:01 \. 192\.168\.64\.2[ ,]'
	assert_line --regexp '"tart-00000001" \. 52:54:00:aa:00:01 \. 52:54:00:aa:00:01 \. 0\.0\.0\.0[ ,]'
	assert_line --regexp '"tart-00000001" : goto nat_fwd'
	assert_line --regexp '"tart-00000002" : goto softnet_in'
	assert_line --regexp '2222 : 192\.168\.64\.3 \. 22'
	assert_line --regexp '"tart-00000005" : goto f_00000005'
	assert_line --regexp 'ip daddr vmap @m_00000005'
	run sed -n '/map m_00000005/,/^$/p' during
	assert_output "$(printf '%s\n' '	map m_00000005 {' '		type ipv4_addr : verdict' '		flags interval' \
		'		elements = { 8.8.8.8 : goto deny, 10.99.0.0/24 : accept,' \
		'			     192.168.64.1 : accept }' '	}')"
	run sed -n '/chain i_00000005/,/}/p' during
	assert_line --index 1 --partial 'ip daddr vmap @m_00000005'
	assert_line --index 2 --partial 'goto softnet_in'
}

accepted_back() {
	both come_and_go
	run in_namespace "$kind" sh -c 'nft -f during && nft list ruleset | diff during -'
	assert_success
}

@test 'nft takes back what it lists' {
	both accepted_back
}

come_again() {
	rules_do 'open' 'add 1 softnet allow 10.0.0.0/8 expose 80:80' 'add 1 nat' 'sh nft list ruleset >now' \
		'add 1 softnet block 1.1.1.1 expose 81:80' 'add 2 softnet expose 81:22' registered 'remove 1' 'add 2 softnet expose 81:22'
	assert_success
	assert_line 'error: port 81 is exposed by another VM already'
	assert_line 'registered: tart-00000001'
	run grep -E 'f_00000001|80 : 192' now
	assert_failure
}

@test 'registering again replaces; a port of another VM is refused, and nothing is half done' {
	both come_again
}

change() {
	rules_do 'open' 'add 1 softnet' 'change 1 softnet allow 0.0.0.0/0 block 1.2.3.4 expose 81:80 peer' \
		'sh nft list ruleset >first' 'change 1 softnet block 10.0.0.0/8 expose 81:80,82:80' 'sh nft list ruleset >second' \
		'add 2 nat' 'change 1 softnet expose 83:80' 'sh nft list ruleset >third' 'forget 1' 'change 1 softnet allow 1.1.1.1' \
		registered
	assert_success
	assert_line 'registered: tart-00000001 tart-00000002'
	run grep -c '"tart-00000001"' first
	assert_output 15
	run sed -n '/map m_00000001/,/^$/p' second
	assert_line --partial 'elements = { 10.0.0.0/8 : goto deny }'
	run grep -E '^.*(f_00000001|m_00000001|81 : )' third
	assert_failure
	run grep -F '83 : 192.168.64.2 . 80' third
	assert_success
}

@test 'policy, ports and peers of a running VM change' {
	both change
}

numbered() { # FIRST
	local i

	for i in {0..1022}; do
		printf '%d.%d.%d.1,' "$1" $((i / 250)) $((i % 250))
	done
}

long_lists() {
	local allow block

	allow=$(numbered 10)11.255.0.0/16
	block=$(numbered 11)10.255.0.0/16
	rules_do open "add 1 softnet allow $allow block $block" "change 1 softnet allow $block block $allow" \
		'sh nft list map inet tart m_00000001 | grep -o " : " | wc -l'
	assert_success
	assert_line --index 1 2049 # and the one of its type
}

@test 'lists of the greatest length fit a transaction' {
	both long_lists
}

many() {
	rules_do open 'many 300 softnet' 'many 300 softnet allow 10.99.0.0/24,@host block 8.8.8.8' 'sh nft list set inet tart vm_id' \
		'sh nft list chains | grep -c "chain f_"'
	assert_success
	# 50 have been removed again.
	[ "$(grep -o '"tart-' <<<"$output" | wc -l)" -eq 250 ]
	assert_line --index -1 250
}

@test '300 VMs, then the same with lists of their own' {
	both many
}

as_text() {
	run in_namespace "$kind" bash -c '
		"$1" "print dns 9.9.9.9 net 10.7.0.0/20" >text
		"$1" "open plain dns 9.9.9.9 net 10.7.0.0/20" "sh nft list table inet tart >ours; nft list table arp tart >>ours" close
		nft -f text && { nft list table inet tart; nft list table arp tart; } >theirs
		# What tells them apart, an empty chain in each, is all that there is more.
		[ "$(grep -c "chain is_" ours)" -eq 2 ] && sed -i "/chain is_/,/}/d" ours
		diff <(grep . theirs) <(grep . ours)' bash "$rules_do"
	assert_success
	assert_output 'new plain'
	[ "$(wc -l <theirs)" -gt 150 ]
}

@test 'the fixed rules are what nft makes of their text' {
	both as_text
}

# --- tables live on ----------------------------------------------------------------------------------------------------

survive() {
	rules_do open 'add 1 softnet' 'sh nft flush ruleset; nft delete table inet tart; nft flush table arp tart; true' registered \
		'add 2 nat' keep 'open' registered 'remove 1' registered -- \
		open registered 'add 3 nat' 'sh nft flush ruleset' registered -- open close -- open registered
	assert_success
	assert_line --index 0 'new persistent'
	refute_line --partial plain
	run grep -E '^(new|adopted|registered)' <<<"$output"
	assert_output "$(printf '%s\n' 'new persistent' 'registered: tart-00000001' \
		'adopted persistent' 'registered: tart-00000001 tart-00000002' 'registered: tart-00000002' \
		'adopted persistent' 'registered: tart-00000002' 'registered: tart-00000002 tart-00000003' \
		'adopted persistent' 'new persistent' 'registered:')"
}

@test 'persistent tables: a flush by others passes them by, the next process adopts them' {
	requires_persistence
	both survive
}

two_at_once() {
	rules_do open "sh '$rules_do' open 'open plain' 'open net 10.0.0.0/24' close" registered
	assert_success
	assert_line --partial "error: the table 'inet tart' belongs to another process (netlink port "
	refute_line --regexp '^new plain'
	assert_equal "$(grep -c 'is another tart-netd running' <<<"$output")" 3
}

@test 'persistent tables: a second process is refused' {
	requires_persistence
	both two_at_once
}

restore() {
	rules_do 'open plain' 'add 1 softnet expose 80:80' 'add 2 nat peer' 'add 3 softnet block 10.0.0.0/8' 'sh nft list ruleset >before' \
		'sh nft add table inet other' check 'sh nft flush ruleset' check restore registered check 'sh nft list ruleset | diff before -' \
		'sh nft flush chain inet tart forward' check 'sh nft delete table arp tart' restore check
	assert_success
	run grep -E '^(there|gone|registered|error)' <<<"$output"
	assert_output "$(printf '%s\n' there gone 'registered: tart-00000001 tart-00000002 tart-00000003' there gone there)"
}

@test 'plain tables: losing them is noticed, and they come back as they were' {
	both restore
}

restore_but_one() {
	rules_do 'open plain' 'add 1 softnet expose 80:80' 'add 2 nat' 'sh nft list ruleset >before; nft flush ruleset' \
		'restore 3 softnet expose 80:81' 'sh nft list ruleset | diff before -' registered
	assert_line 'error: port 80 is exposed by another VM already'
	assert_line --index -1 'registered: tart-00000001 tart-00000002'
	assert_equal "${#lines[@]}" 3
}

@test 'plain tables: one VM that cannot come back does not keep others from it' {
	both restore_but_one
}

adopt_plain() {
	rules_do 'open plain' 'add 1 softnet' -- 'open plain' registered -- 'open plain' 'sh nft flush table arp tart' -- 'open plain' registered
	assert_success
	run grep -E '^(new|adopted|registered|error)' <<<"$output"
	assert_output "$(printf '%s\n' 'new plain' 'adopted plain' 'registered: tart-00000001' 'adopted plain' 'new plain' 'registered:')"
}

@test 'plain tables are adopted, too, unless something of them is missing' {
	both adopt_plain
}

replaced() {
	rules_do 'open' 'add 1 softnet' -- "open $1" registered 'sh nft list tables'
	assert_success
	run grep -vE '^(table|$)' <<<"$output"
	assert_line --index 1 --regexp '^new '
	assert_line --index 2 'registered:'
}

@test 'tables for another subnet, other name servers, of another kind, or of somebody else are replaced' {
	both replaced 'net 192.168.77.0/24'
	both replaced 'dns 9.9.9.9'
	both replaced plain
	for kind in "${kinds[@]}"; do
		rules_do "sh nft add table inet tart; nft add chain inet tart guard" open
		assert_success
		assert_output --regexp '^new '
	done
}

@test 'errors name what is missing' {
	if [ "$(id -u)" -ne 0 ]; then
		run timeout 60 "$rules_do" open
	else
		run timeout 60 unshare --net -- setpriv --reuid=65534 --regid=65534 --clear-groups "$rules_do" open
		[ "$status" -ne 126 ] && [ "$status" -ne 127 ] || skip 'the program is not to be read by nobody'
	fi
	assert_failure 1
	assert_output --partial 'CAP_NET_ADMIN is missing'
}

# --- packets -----------------------------------------------------------------------------------------------------------

# Two guests and an uplink, veth pairs in one namespace; what their other ends are sent comes in as from a TAP.
wires=$(
	cat <<'END'
set -e
for file in /proc/sys/net/ipv4/conf/all/rp_filter /proc/sys/net/ipv4/conf/default/rp_filter; do echo 0 >$file; done
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
for n in 1 2; do
	ip link add tart-0000000$n address 02:74:61:72:74:01 type veth peer name guest$n
	ip link set tart-0000000$n up
	ip link set guest$n up
	ip route add 192.168.64.$((n + 1)) dev tart-0000000$n
	ip neigh add 192.168.64.$((n + 1)) lladdr 52:54:00:aa:00:0$n dev tart-0000000$n
done
ip link add uplink address 02:00:00:00:00:08 type veth peer name world
ip link set uplink up
ip link set world up
ip address add 10.99.0.2/24 dev uplink
ip address add 192.168.64.1/24 dev lo
ip neigh add 10.99.0.1 lladdr 02:00:00:00:00:09 dev uplink
ip route add default via 10.99.0.1
END
)

send() { # INTERFACE EXPRESSION [TIMES]
	echo "sh '$project/tests/lib/send_frame.py' $1 '$2' ${3-}"
}

from_guest() { # DESTINATION PORT [SOURCE]
	echo "eth(GATEWAY_MAC, \"52:54:00:aa:00:01\", ipv4(\"${3-192.168.64.2}\", \"$1\", udp(${4-5000}, $2, b\"x\", \"${3-192.168.64.2}\", \"$1\"), UDP))"
}

counts() { # MODE...
	rules_do "sh $wires" open "add 1 $*" 'add 2 softnet' \
		"$(send guest1 "$(from_guest 8.8.8.8 99)")" 'count 1' \
		"$(send guest1 "$(from_guest 8.8.8.8 99 192.168.64.9)")" 'count 1' \
		"$(send guest1 'arp_request("52:54:00:aa:00:01", "192.168.64.2", "192.168.64.1")')" \
		"$(send guest1 'arp_request("52:54:00:aa:00:01", "192.168.64.2", "192.168.64.2")')" \
		"$(send guest1 'arp_request("52:54:00:aa:00:01", "0.0.0.0", "192.168.64.2")')" 'count 1' \
		"$(send guest1 'arp_request("52:54:00:aa:00:01", "192.168.64.9", "192.168.64.1")')" \
		"$(send guest1 'arp_request("52:54:00:aa:00:01", "192.168.64.2", "192.168.64.3")')" 'count 1' \
		"$(send guest1 "$(from_guest 192.168.64.1 68 192.168.64.2 67)")" 'count 1' \
		"$(send guest1 "$(from_guest 255.255.255.255 67 0.0.0.0 68)")" 'count 1' \
		"$(send guest1 "$(from_guest 10.1.1.1 80)")" 'count 1' \
		"$(send guest1 "$(from_guest 10.1.1.1 80)" 2000)" 'count 1' \
		"$(send guest1 "$(from_guest 192.168.64.3 80)")" 'count 1' \
		"$(send world 'eth("02:00:00:00:00:08", "02:00:00:00:00:09", ipv4("10.99.0.1", "192.168.64.2", udp(1, 2, b"x", "10.99.0.1", "192.168.64.2"), UDP))')" \
		'count 1' 'count 2' \
		"$(send world 'eth("02:00:00:00:00:08", "02:00:00:00:00:09", ipv4("192.168.64.2", "8.8.8.8", udp(1, 2, b"x", "192.168.64.2", "8.8.8.8"), UDP))')" \
		'count 1' 'count 2'
	assert_success
}

softnet_counts() {
	counts softnet
	assert_line --index 0 --regexp '^new '
	assert_line --index 1 'nothing'
	assert_line --index 2 'spoofed 1 '
	assert_line --index 3 'spoofed 1 '
	assert_line --index 4 'spoofed 1 arp 2 '
	assert_line --index 5 'spoofed 1 arp 2 dhcp-server 1 '
	assert_line --index 6 'spoofed 1 arp 2 dhcp-server 1 '
	assert_line --index 7 'spoofed 1 arp 2 dhcp-server 1 refused 1 '
	# 50 at once are refused with an answer, then 50 a second; each is counted once.
	assert_line --index 8 --regexp '^spoofed 1 arp 2 dhcp-server 1 refused [0-9]+ dropped [0-9]+ $'
	[[ ${lines[8]} =~ refused\ ([0-9]+)\ dropped\ ([0-9]+) ]]
	[ "$((BASH_REMATCH[1] + BASH_REMATCH[2]))" -eq 2001 ]
	[ "${BASH_REMATCH[1]}" -ge 51 ]
	assert_line --index 9 "${lines[8]}peer 1 "
	assert_line --index 10 "${lines[8]}peer 1 inbound 1 "
	assert_line --index 11 'nothing'
	assert_line --index 12 "${lines[8]}peer 1 inbound 1 forged 1 "
	assert_line --index 13 'nothing'
}

@test 'what is dropped is counted for the VM that sent it or was to get it, by the reason' {
	requires_program python3
	both softnet_counts
}

unregistered() {
	rules_do "sh $wires" open "$(send guest1 "$(from_guest 8.8.8.8 99)")" 'sh nft add table inet t
		nft "add chain inet t c { type filter hook postrouting priority 0; }"; nft add rule inet t c oifname uplink counter' \
		"$(send guest1 "$(from_guest 8.8.8.8 99)")" 'sh nft list chain inet t c | grep -o "packets [0-9]*"' 'add 1 softnet' \
		"$(send guest1 "$(from_guest 8.8.8.8 99)")" 'sh nft list chain inet t c | grep -o "packets [0-9]*"' 'remove 1' \
		"$(send guest1 "$(from_guest 8.8.8.8 99)")" 'sh nft list chain inet t c | grep -o "packets [0-9]*"'
	assert_success
	assert_line --index 1 'packets 0'
	assert_line --index 2 'packets 1'
	assert_line --index 3 'packets 1'
}

# What an address counts goes with the VM that had it, and is in no other's way, even where something of it was left behind.
reused() {
	rules_do "sh $wires" open 'add 1 nat' "$(send world "$(from_world 192.168.64.2)")" 'count 1' 'remove 1' 'add 1 nat' 'count 1' \
		'remove 1' "$(send world "$(from_world 192.168.64.2)")" 'sh nft list set inet tart forged | grep -c elements; true' close -- \
		'open plain' 'sh nft "add element inet tart forged { 192.168.64.2 }"' 'add 1 nat' 'count 1' registered 'forget 1' \
		'sh nft list set inet tart forged | grep -c elements; true'
	assert_success
	assert_line --index 1 'forged 1 '
	assert_line --index 2 'nothing'
	assert_line --index 3 0
	assert_line --index 4 'new plain'
	assert_line --index 5 'nothing'
	assert_line --index 6 'registered: tart-00000001'
	assert_line --index 7 0
}

from_world() { # SOURCE
	echo "eth(\"02:00:00:00:00:08\", \"02:00:00:00:00:09\", ipv4(\"$1\", \"8.8.8.8\", udp(1, 2, b\"x\", \"$1\", \"8.8.8.8\"), UDP))"
}

@test "what comes from outside with a VM's address is dropped and counted; the next VM with it begins anew" {
	requires_program python3
	both reused
}

@test 'a TAP that is not registered is cut off' {
	requires_program python3
	both unregistered
}

# What a guest gets to see of another one: packets to its TAP, counted behind our own rules.
between() { # of the first VM
	rules_do "sh $wires" open "add 1 $1" "add 2 softnet peer allow 0.0.0.0/0" 'sh nft add table inet t
		nft "add chain inet t c { type filter hook postrouting priority 0; }"; nft add rule inet t c oifname tart-00000002 counter' \
		"$(send guest1 "$(from_guest 192.168.64.3 80)")" 'sh nft list chain inet t c | grep -o "packets [0-9]*"' 'count 1'
	assert_success
}

peers() {
	between 'softnet peer allow 0.0.0.0/0'
	assert_line --index 1 'packets 1'
	assert_line --index 2 'nothing'
	between 'nat peer'
	assert_line --index 1 'packets 1'
	between 'softnet peer allow 0.0.0.0/0 block 192.168.64.2/31'
	assert_line --index 1 'packets 0'
	assert_line --index 2 'refused 1 '
	between 'softnet allow 0.0.0.0/0'
	assert_line --index 1 'packets 0'
	assert_line --index 2 'peer 1 '
	between nat
	assert_line --index 2 'peer 1 '
}

@test 'peers reach each other, unless their lists say no; others do not' {
	requires_program python3
	both peers
}

# --- other people's firewalls ------------------------------------------------------------------------------------------

# Rules as nft reads them; what rules_do says of them.
foreign() { # RULES [RULES THAT COME THEN]
	printf '%s\n' "$1" >first
	printf '%s\n' "${2-}" >second
	kind=user rules_do open 'sh nft -f first' foreign 'sh nft -f second; echo changed' foreign close
	assert_success
	assert_line --index 0 --regexp '^new '
}

@test 'firewalls: one that lets guests through is not told of' {
	foreign 'table inet filter {
		chain input {
			type filter hook input priority 0; policy accept;
			ct state invalid drop
			tcp dport 25 reject
		}
		chain output {
			type filter hook output priority 0; policy drop;
		}
	}
	table ip6 filter {
		chain FORWARD {
			type filter hook forward priority 0; policy drop;
		}
	}'
	assert_equal "${#lines[@]}" 2
}

@test 'firewalls: policy drop, until it has a rule for us' {
	foreign 'table inet filter {
		chain forward {
			type filter hook forward priority 0; policy drop;
		}
	}' 'insert rule inet filter forward iifname "tart-*" accept'
	assert_line --index 1 --partial "chain 'inet filter forward' stops what VMs send to other networks; as root, type: nft insert rule inet filter forward iifname "
	assert_equal "${lines[2]}" changed
	assert_equal "${#lines[@]}" 3
	# The commands are such that work.
	run in_namespace user sh -c "nft -f first; ${lines[1]#*as root, type: } && nft list ruleset"
	assert_success
	assert_output --partial 'oifname "tart-*" ct state established,related accept'
	assert_output --partial 'oifname "tart-*" ct status dnat accept'
}

@test "firewalls: Docker's" {
	foreign 'table ip filter {
		chain DOCKER-USER {
			counter return
		}
		chain FORWARD {
			type filter hook forward priority filter; policy drop;
			counter jump DOCKER-USER
			oifname "docker0" ct state related,established counter accept
		}
	}' 'insert rule ip filter DOCKER-USER iifname "tart-*" oifname != "docker0" counter accept'
	assert_line --index 1 "the firewall chain 'ip filter FORWARD' stops what VMs send to other networks; as root, type: iptables -I DOCKER-USER -i tart-+ ! -o docker0 -j ACCEPT && iptables -I DOCKER-USER -o tart-+ -m conntrack --ctstate ESTABLISHED,RELATED,DNAT -j ACCEPT"
	assert_equal "${lines[2]}" changed
	assert_equal "${#lines[@]}" 3
}

@test "firewalls: firewalld's" {
	foreign 'table inet firewalld {
		chain filter_IN_trusted {
			accept
		}
		chain filter_INPUT_ZONES {
		}
		chain filter_INPUT {
			type filter hook input priority filter + 10; policy accept;
			ct state { established, related } accept
			jump filter_INPUT_ZONES
			log prefix "FINAL_REJECT: " counter reject with icmpx admin-prohibited
		}
	}' 'add rule inet firewalld filter_INPUT_ZONES ip saddr 192.168.64.0/24 goto filter_IN_trusted'
	assert_line --index 1 "the firewall chain 'inet firewalld filter_INPUT' stops what VMs send to this host; as root, type: firewall-cmd --permanent --zone=trusted --add-source=192.168.64.0/24 && firewall-cmd --reload"
	assert_equal "${lines[2]}" changed
	assert_equal "${#lines[@]}" 3
}

@test "firewalls: ufw's" {
	foreign 'table ip filter {
		chain ufw-user-input {
		}
		chain ufw-user-forward {
		}
		chain INPUT {
			type filter hook input priority filter; policy drop;
			jump ufw-user-input
		}
		chain FORWARD {
			type filter hook forward priority filter; policy drop;
			jump ufw-user-forward
		}
	}' 'add rule ip filter ufw-user-forward ip saddr 192.168.64.0/24 accept
	add rule ip filter ufw-user-input ip saddr 192.168.64.0/24 ip daddr 192.168.64.1 udp dport 53 accept'
	assert_line --partial 'ufw allow from 192.168.64.0/24 to 192.168.64.1 port 53'
	assert_line --partial 'ufw route allow from 192.168.64.0/24'
	assert_equal "${lines[3]}" changed
	assert_equal "${#lines[@]}" 4
}

@test 'firewalls: what iptables says helps, helps' {
	requires_program iptables-nft
	run in_namespace user sh -c '
		"$1" open "sh iptables-nft -P FORWARD DROP && iptables-nft -P INPUT DROP" foreign |
			tee said | sed -n "s/.*as root, type: //p" | sed "s/iptables /iptables-nft /g" >help
		iptables-nft -P FORWARD DROP && iptables-nft -P INPUT DROP && sh -e help && "$1" open foreign' sh "$rules_do"
	assert_success
	assert_equal "${#lines[@]}" 1
	run cat said
	assert_equal "${#lines[@]}" 3
}
