# SPDX-License-Identifier: Apache-2.0
# DHCP clients in namespaces, and the keeper's helpers that answer them: `load ../lib/guest_dhcp` after ../lib/netd. A guest is
# a namespace behind a veth pair whose end at the host is named like a TAP.

# netd_helpers takes orders from a FIFO; what it says is in $helpers_log.
helpers_start() {
	helpers_log=$BATS_TEST_TMPDIR/helpers.log
	mkfifo "$BATS_TEST_TMPDIR/orders"
	# Opened for both, so that nobody waits for the other end.
	exec {helpers_orders}<>"$BATS_TEST_TMPDIR/orders"
	background in_lab bash -c 'echo $$ >/run/helpers.pid; exec "$1" <>"$2" >"$3" 2>&1' helpers \
		"$BUILD/tests/lib/netd_helpers" "$BATS_TEST_TMPDIR/orders" "$helpers_log"
	wait_until in_lab test -s /run/helpers.pid
	helpers_pid=$(in_lab cat /run/helpers.pid)
	order dhcp
	said 'dhcp started'
}

order() {
	echo "$*" >&"$helpers_orders"
}

# Waits until a line has been said, at least N times.
said() { # LINE [N]
	wait_until has_said "$1" "${2-1}"
}

has_said() {
	[ "$(grep -cxF -- "$1" "$helpers_log")" -ge "$2" ]
}

process_named() { # NAME
	in_lab pgrep -x "$1"
}

# A guest N: namespace gN with eth0, behind tart-N at the host.
guest_new() { # N MAC
	in_lab sh -euc '
		ip netns add g$1
		ip link add tart-$1 type veth peer name eth0 netns g$1
		ip link set tart-$1 address 02:74:61:72:74:01 up
		ip -netns g$1 link set lo up
		ip -netns g$1 link set eth0 address $2 up
	' sh "$1" "$2"
}

in_guest() { # N COMMAND...
	in_lab nsenter --net="/run/netns/g$1" "${@:2}"
}

# What the client tells its script, one variable a line, for udhcpc; also sets the address, as renewal by unicast needs it.
udhcpc_script() {
	cat >"$BATS_TEST_TMPDIR/udhcpc.sh" <<-'END'
		#!/bin/sh
		{
			echo "event=$1"
			env | grep -E '^(ip|router|dns|mtu|lease|subnet|mask|serverid|broadcast|message)=' | sort
			echo
		} >>"$REPORT"
		case $1 in
		deconfig) ip address flush dev "$interface" ;;
		bound | renew) ip address replace "$ip/$mask" dev "$interface" ;;
		esac
	END
	chmod +x "$BATS_TEST_TMPDIR/udhcpc.sh"
}
