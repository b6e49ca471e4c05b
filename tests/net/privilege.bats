#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What each process of the keeper may do, as the kernel says it of those that run: the table of docs/ARCHITECTURE.md, "The
# network of VMs". Unit tests try what they are refused (tests/unit/netd/test_isolate_calls.c).

load ../lib/common
load ../lib/netd

setup() {
	common_setup
	lab_start
	in_lab mount -t sysfs sysfs /sys 2>/dev/null || true
}

teardown() {
	lab_stop
	common_teardown
}

# Capabilities, as the kernel numbers them.
readonly kill=0x20 gid=0x40 uid=0x80 bind=0x400 admin=0x1000 raw=0x2000 mknod=0x8000000

hex() { # NUMBER
	printf '%016x' "$1"
}

status_of() { # NAME FIELD
	in_lab sh -c 'sed -n "s/^$2:[[:space:]]*//p" "/proc/$(pgrep -x "$1")/status"' sh "$1" "$2"
}

# User, capabilities that it has, and that it could have; no new ones, and a filter of system calls.
assert_process() { # NAME USER HAS COULD_HAVE [HANDS_ON]
	assert_equal "$1 $(status_of "$1" Uid)" "$1 $(printf '%s\t%s\t%s\t%s' "$2" "$2" "$2" "$2")"
	assert_equal "$1 $(status_of "$1" CapPrm)" "$1 $(hex "$3")"
	assert_equal "$1 $(status_of "$1" CapEff)" "$1 $(hex "$3")"
	assert_equal "$1 $(status_of "$1" CapBnd)" "$1 $(hex "$4")"
	assert_equal "$1 $(status_of "$1" CapInh)" "$1 $(hex "${5:-0}")"
	assert_equal "$1 $(status_of "$1" NoNewPrivs)" "$1 1"
	assert_equal "$1 $(status_of "$1" Seccomp)" "$1 2"
}

# Every process of the keeper is one of the table.
assert_no_others() {
	run in_lab ps -eo comm --no-headers
	assert_equal "$(grep -E '^(tart|dnsmasq)' <<<"$output" | sort)" \
		"$(printf '%s\n' dnsmasq tart-netd tart-netd-dhcp tart-netd-open tart-netd-start)"
}

has_dns() {
	in_lab pgrep -x dnsmasq >/dev/null
}

@test 'privilege: processes of the keeper of a host' {
	requires_root
	requires_program dnsmasq
	netd_start
	netd_attach a
	wait_until has_dns
	assert_no_others
	assert_process tart-netd 5003 $((admin | raw)) $((admin | raw))
	assert_process tart-netd-start 0 $((uid | gid | kill | bind)) $((uid | gid | kill | bind)) $((uid | gid | kill | bind))
	assert_process tart-netd-open 0 $mknod $mknod
	assert_process tart-netd-dhcp 65534 0 $((uid | gid | kill | bind))
	assert_process dnsmasq 5003 $bind $((uid | gid | kill | bind)) $bind
	for name in tart-netd tart-netd-start tart-netd-open tart-netd-dhcp; do
		assert_equal "$name $(status_of "$name" CapAmb)" "$name $(hex 0)"
	done
	assert_equal "$(status_of tart-netd Groups)" '5003 '
	assert_equal "$(status_of tart-netd-open Groups)" ''
	assert_equal "$(status_of tart-netd-dhcp Groups)" ''
}

@test 'privilege: without the user tart-netd, and with a folder of its own' {
	requires_root
	requires_program dnsmasq
	in_lab sed -i '/^tart-netd:/d' /etc/passwd
	netd_start
	netd_attach a
	wait_until has_dns
	assert_process tart-netd 0 $((admin | raw)) $((admin | raw))
	assert_process dnsmasq 65534 $bind $((uid | gid | kill | bind)) $bind
	netd_stop
	run in_lab "$netd" --dir /run/own --background
	assert_success
	assert_process tart-netd 0 $((admin | raw)) $((admin | raw))
	assert_process tart-netd-open 0 $mknod $mknod
}

# The forwarder outside, the rest in pasta's namespace, whose root is alice.
@test 'privilege: processes of a user without privileges' {
	requires_root
	requires_program pasta dnsmasq
	local keeper forwarder folder=$BATS_TEST_TMPDIR

	# Where alice can execute it.
	in_lab install -m 755 "$netd" /run/tart-netd
	in_lab install -d -o alice -g alice /run/alice
	run in_lab_as alice /run/tart-netd --rootless /run/alice/netd --background
	assert_success
	in_lab_as alice mkfifo /run/alice/stdin
	background in_lab_as alice sh -c 'exec "$@" <>/run/alice/stdin' sh \
		"$netd_client" --socket /run/alice/netd/netd.sock attach --vm a >"$folder/attached"
	wait_until grep -q r_attached "$folder/attached"
	wait_until has_dns
	run in_lab ps -eo user:20,comm --no-headers
	refute_output --regexp '(root|nobody|tart-netd) +(tart-netd|dnsmasq)'
	keeper=$(in_lab pgrep -x -f '/run/tart-netd --dir .*')
	# It has no name of its own among those of the keeper's namespace: its children have the keeper's command line.
	keeper=${keeper%%$'\n'*}
	assert_equal "$(in_lab sed -n 's/^CapEff:.//p' "/proc/$keeper/status")" "$(hex $((admin | raw)))"
	assert_equal "$(in_lab sed -n 's/^CapBnd:.//p' "/proc/$keeper/status")" "$(hex $((admin | raw)))"
	assert_equal "$(status_of tart-netd-start CapEff)" "$(hex $((uid | gid | kill | bind)))"
	assert_equal "$(status_of tart-netd-open CapBnd)" "$(hex $mknod)"
	assert_equal "$(status_of tart-netd-dhcp CapEff)" "$(hex 0)"
	assert_equal "$(status_of dnsmasq CapEff)" "$(hex $bind)"
	forwarder=$(in_lab pgrep -f 'tart-netd --forwarder' || in_lab pgrep -f 'tart-netd --rootless')
	for pid in $keeper $forwarder $(in_lab pgrep '^(tart-netd-|dnsmasq)'); do
		assert_equal "$(in_lab sed -n 's/^\(Uid\|NoNewPrivs\|Seccomp\):.//p' "/proc/$pid/status")" \
			"$(printf '5001\t5001\t5001\t5001\n1\n2')"
	done
	assert_equal "$(in_lab sed -n '/^CapBnd/d; s/^Cap...:.//p' "/proc/$forwarder/status")" \
		"$(printf '%016x\n%016x\n%016x\n%016x' 0 0 0 0)"
}

@test 'privilege: /dev/net/tun may be root'\''s alone' {
	requires_root
	in_lab chmod 600 /dev/net/tun
	netd_start
	netd_attach a
	# As itself the keeper may not, and says so.
	in_lab pkill -KILL -x tart-netd-open
	wait_until grep -q 'the opener was killed' "$netd_log"
	run in_lab "$netd_client" attach --vm b --once
	assert_failure
	assert_output --partial 'cannot open /dev/net/tun: Permission denied'
	in_lab chmod 666 /dev/net/tun
	netd_attach c
	run in_lab ip -br link show "$(jq -r .tap <<<"$netd_attached")"
	assert_success
}

macvtap_works() {
	requires_root
	[ "$(findmnt --noheadings --output FSTYPE --target /dev)" = devtmpfs ] || skip 'needs /dev to be devtmpfs'
}

@test 'privilege: a macvtap whose node is root'\''s, and nothing waits for udev' {
	macvtap_works
	in_lab sh -c 'echo allow-bridged = uplink >/etc/tart/network.conf'
	netd_start
	assert_equal "$(status_of tart-netd Uid | cut -f 1)" 5003
	netd_attach a --mode bridged --interface uplink
	assert_equal "$(jq -c '[.macvtap, .fds >= 1]' <<<"$netd_attached")" '[true,true]'
	run in_lab ip -d link show "$(jq -r .tap <<<"$netd_attached")"
	assert_output --partial 'macvtap mode bridge'
	in_lab kill "$netd_vm_pid"
	wait_until in_lab sh -c '! ip -o link | grep -q " tart-........@"'
}

# As in a container, where the kernel does not fill /dev.
@test 'privilege: a macvtap without a node, in a /dev of its own' {
	macvtap_works
	in_lab sh -c 'echo allow-bridged = uplink >/etc/tart/network.conf
		mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/net && mknod -m 666 /mnt/net/tun c 10 200 &&
		mknod -m 666 /mnt/null c 1 3 && mknod -m 666 /mnt/urandom c 1 9 && mount --bind /mnt /dev'
	netd_start
	netd_attach a --mode bridged --interface uplink
	assert_equal "$(jq .macvtap <<<"$netd_attached")" true
	run in_lab ip -br link show "$(jq -r .tap <<<"$netd_attached")"
	assert_success
	run in_lab ls -A /dev
	assert_output $'net\nnull\nurandom'
}

# One user's namespace: whoever runs this. There is nobody else to become.
@test 'privilege: in a namespace of one user' {
	requires_program dnsmasq
	[ "$(id -u)" -ne 0 ] || skip 'is for users: the lab of root has several'
	netd_start
	netd_attach a
	wait_until has_dns
	assert_no_others
	assert_process tart-netd 0 $((admin | raw)) $((admin | raw))
	assert_process tart-netd-start 0 $((uid | gid | kill | bind)) $((uid | gid | kill | bind)) $((uid | gid | kill | bind))
	assert_process tart-netd-open 0 $mknod $mknod
	assert_process tart-netd-dhcp 0 0 $((uid | gid | kill | bind))
	assert_process dnsmasq 0 $bind $((uid | gid | kill | bind)) $bind
}
