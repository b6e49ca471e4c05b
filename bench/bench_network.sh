#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the kernel's filter costs, against the same path without one and against a filter in user space; how long the
# keeper takes over a VM. In namespaces that end with it. network.md 9.
#
#	bench/bench_network.sh [--quick]     BUILD=build
# shellcheck disable=SC2016 # expressions of awk
set -eu -o pipefail
cd "$(dirname "$0")/.."

readonly self=$PWD/bench/${0##*/}
BUILD=$(realpath "${BUILD:-build}")
export BUILD
lab=tests/lib/netd_lab.sh

net=192.168.0.0/16 # VM 1 of rules_do
gateway=192.168.0.1
address=192.168.0.2
mac=52:54:00:aa:00:01
tap=tart-00000001

if [ "${1-}" = --quick ]; then
	quick=--quick rounds=3 packets=32000 mib=512 user_mib=64
else
	quick='' rounds=5 packets=128000 mib=1024 user_mib=192
fi

# --- namespaces ---

# The guest's cable stands for its TAP: what it sends runs through the kernel in the sender's context.
make_guest() {
	ip netns add guest
	ip -batch - <<-END
		address add $gateway/32 dev lo
		link add $tap address 02:74:61:72:74:01 type veth peer name eth0 netns guest address $mac
		link set $tap up
		route add $address/32 dev $tap src $gateway
		neighbour replace $address lladdr $mac dev $tap nud permanent
	END
	ip -netns guest -batch - <<-END
		address add $address/16 dev eth0
		link set eth0 up
		route add default via $gateway
		neighbour replace $gateway lladdr 02:74:61:72:74:01 dev eth0 nud permanent
	END
	ip -netns net route add $net via 10.99.0.2
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >"/proc/sys/net/ipv4/conf/$tap/rp_filter"
}

# --- one measurement under one set of rules: its last line ---

# bare: routed, no rule. masquerade: what any guest needs, and no filter. nat, softnet: ours. ten, thousand: Softnet, with so
# many VMs registered; `many` of rules_do takes away the last 50.
under() { # RULES COMMAND
	local rules=(open\ net\ "$net")

	conntrack --flush 2>/dev/null
	case $1 in
	bare)
		sh -c "$2"
		return
		;;
	masquerade)
		nft -f - <<-END
			table ip bench {
				chain masq {
					type nat hook postrouting priority srcnat; policy accept;
					ip saddr $net oifname != "tart-*" masquerade
				}
			}
		END
		sh -c "$2"
		nft delete table ip bench
		return
		;;
	ten) rules+=('many 60 softnet') ;;
	thousand) rules+=('many 1050 softnet') ;;
	*) rules+=("add 1 $1") ;;
	esac
	"$BUILD/tests/lib/rules_do" "${rules[@]}" "sh $2" close >"$work/said" || {
		cat "$work/said" >&2
		return 1
	}
	[[ $1 != t* ]] || sed -n "s/^\(add\|remove\) \([0-9]*\) us.*/\2/;T;w $work/times" "$work/said" >/dev/null
	tail -n 1 "$work/said"
}

arrived() {
	nsenter --net=/run/netns/net sed -n 's/^ *lan: *[0-9]* *\([0-9]*\).*/\1/p' /proc/thread-self/net/dev
}

# The world does not forward, so it throws such packets away at once. A path that loses packets has not been measured.
udp() { # RULES
	local before now

	before=$(arrived)
	under "$1" "nsenter --net=/run/netns/guest $BUILD/bench/bench_packets udp 9.9.9.9 $packets" >>"$work/udp.$1"
	now=$(arrived)
	[ $((now - before)) -ge "$packets" ] || {
		echo "only $((now - before)) of $packets packets came through $1" >&2
		return 1
	}
}

tcp() { # RULES
	under "$1" "nsenter --net=/run/netns/guest $BUILD/bench/bench_packets tcp /run/netns/net 8.8.8.8 $mib 2" >>"$work/tcp.$1"
}

# Its own two namespaces, no routing: all it costs is the filter's copying. CPU time of the filter itself is added.
user_filter() {
	local said

	ip netns add uguest
	ip netns add uworld
	said=$("$BUILD/bench/user_filter" /run/netns/uguest /run/netns/uworld "$mac" 10.98.0.2 \
		"$self" --between-taps "$user_mib")
	ip netns delete uguest
	ip netns delete uworld
	awk -v m="$user_mib" 'NR == 1 { rate = $1; cpu = $2 } NR == 2 { print rate, cpu + $1 * 1e6 / (m * 1.048576) }' \
		<<<"$said" >>"$work/tcp.user"
}

between_taps() { # MIB
	ip -netns uguest -batch - <<-END
		link set eth0 address $mac up
		address add 10.98.0.2/24 dev eth0
	END
	ip -netns uworld -batch - <<-END
		address add 10.98.0.1/24 dev eth0
		link set eth0 up
	END
	nsenter --net=/run/netns/uguest \
		"$BUILD/bench/bench_packets" tcp /run/netns/uworld 10.98.0.1 "$1" 2
}

# --- what came out ---

median() { # FILE [COLUMN]
	awk -v c="${2:-1}" '{ print $c }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

most() { # FILE
	awk '{ print $1 }' "$1" | sort -n | tail -n 1
}

# Columns of both files, as awk names them. Per round against the same round's, so that what else the machine does meets both.
middle_of() { # EXPRESSION FILE FILE
	paste -d ' ' "$2" "$3" | awk "{ print $1 }" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

goal() { # TEXT CONDITION: of awk
	if awk "BEGIN { exit !($2) }"; then
		echo "  goal $1: met"
	else
		echo "  goal $1: MISSED"
	fi
}

measure_packets() {
	local rules more

	for ((i = 0; i < rounds; i++)); do
		for rules in bare masquerade nat softnet; do
			udp "$rules"
		done
	done
	echo "CPU time per packet of 18 bytes, a new flow each, guest to internet (median of $rounds)"
	for rules in bare masquerade nat softnet; do
		printf '  %-34s %6d ns\n' "$rules" "$(median "$work/udp.$rules")"
	done
	for rules in nat softnet; do
		more=$(middle_of '$2 - $1' "$work/udp.masquerade" "$work/udp.$rules")
		printf '  %-34s %6d ns\n' "$rules, more than masquerade" "$more"
		goal '<= 1200' "$more <= 1200"
		printf '  %-34s %6d ns\n' "$rules, more than bare" "$(middle_of '$2 - $1' "$work/udp.bare" "$work/udp.$rules")"
	done
}

measure_many() {
	local ratio

	for ((i = 0; i < rounds; i++)); do
		udp ten
		cat "$work/times" >>"$work/times.ten"
		udp thousand
		cat "$work/times" >>"$work/times.thousand"
	done
	ratio=$(middle_of '$2 / $1' "$work/udp.ten" "$work/udp.thousand")
	echo "the same with more VMs, Softnet (median of $rounds)"
	printf '  %-34s %6d ns\n' '10 VMs' "$(median "$work/udp.ten")"
	printf '  %-34s %6d ns, %.3f of it\n' '1000 VMs' "$(median "$work/udp.thousand")" "$ratio"
	goal '<= 1.05' "$ratio <= 1.05"
	echo "one VM's elements, median of 50, median of $rounds"
	for i in ten thousand; do
		sed -n 1~2p "$work/times.$i" >"$work/add"
		sed -n 2~2p "$work/times.$i" >"$work/remove"
		printf '  %-34s %6d us, removed in %d us\n' "added with $i there" "$(median "$work/add")" "$(median "$work/remove")"
	done
}

measure_tcp() {
	local rules part

	for ((i = 0; i < rounds; i++)); do
		for rules in masquerade nat softnet; do
			tcp "$rules"
		done
		user_filter
	done
	echo "one TCP stream, guest to internet (best rate, median CPU time of sender, receiver and filter; $rounds rounds)"
	for rules in masquerade nat softnet user; do
		printf '  %-34s %6d MB/s %7.0f us/MB\n' "$rules" "$(most "$work/tcp.$rules")" "$(median "$work/tcp.$rules" 2)"
	done
	for rules in nat softnet; do
		part=$(middle_of '$2 / $4' "$work/tcp.masquerade" "$work/tcp.$rules")
		printf '  %-34s %6.2f by CPU time, %.2f by best rate\n' "$rules, of masquerade" "$part" \
			"$(awk -v a="$(most "$work/tcp.$rules")" -v b="$(most "$work/tcp.masquerade")" 'BEGIN { print a / b }')"
		goal '>= 0.95, by CPU time' "$part >= 0.95"
	done
	part=$(middle_of '$2 / $4' "$work/tcp.user" "$work/tcp.softnet")
	printf '  %-34s %6.1f by CPU time, %.1f by best rate\n' 'softnet, of the user-space filter' "$part" \
		"$(awk -v a="$(most "$work/tcp.softnet")" -v b="$(most "$work/tcp.user")" 'BEGIN { print a / b }')"
	goal '>= 7, by CPU time' "$part >= 7"
}

inside() {
	work=$(mktemp -d -p /run)
	make_guest
	measure_packets
	measure_many
	measure_tcp
}

in_lab() { # COMMAND...
	local code=0

	timeout 600 "$lab" "$@" || code=$?
	if [ "$code" -eq 77 ]; then
		echo 'not measured on this machine'
		exit 0
	fi
	return "$code"
}

case ${1-} in
--between-taps)
	between_taps "$2"
	exit
	;;
--inside)
	quick=$2 rounds=$3 packets=$4 mib=$5 user_mib=$6
	inside
	exit
	;;
esac
ninja -C "$BUILD" bench/bench_packets bench/user_filter tests/lib/rules_do >/dev/null
in_lab "$self" --inside "$quick" "$rounds" "$packets" "$mib" "$user_mib"
if [ -x "$BUILD/tart-netd" ]; then
	in_lab bench/keeper_times.py ${quick:+"$quick"}
else
	echo 'the keeper: no tart-netd has been built'
fi
