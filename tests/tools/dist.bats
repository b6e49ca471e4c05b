#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is installed for other programs of a host (dist/), read by these programs where they are there.

bats_require_minimum_version 1.5.0
load ../lib/bats

setup() {
	: "${BUILD:=$BATS_TEST_DIRNAME/../../build}"
	root=$BATS_TEST_TMPDIR/root
	meson install -C "$BUILD" --no-rebuild --quiet --destdir "$root"
	prefix=$(meson introspect --buildoptions "$BUILD" | jq -r '.[] | select(.name == "prefix").value')
	case $prefix in
	/usr | /usr/local) ;;
	*) skip "installed in $prefix, where none of them looks" ;;
	esac
	lib=$root$prefix/lib
}

requires() {
	command -v "$1" >/dev/null || skip "needs $1"
}

# systemd's own units, which ours refer to, beside ours.
verify() {
	local own=/usr/lib/systemd/system

	[ -e "$own/sysinit.target" ] || skip "needs systemd's units"
	mkdir -p "$root/usr/lib/systemd/system" "$root/etc"
	cp -r "$own/." "$root/usr/lib/systemd/system/"
	run systemd-analyze verify --root="$root" --man=no tart-netd.service tart-netd.socket
}

@test "systemd: the units are right" {
	requires systemd-analyze
	verify
	assert_success
	assert_output ''
}

@test "systemd: units that are wrong would be noticed" {
	requires systemd-analyze
	sed -i 's/^KillMode=/KillMood=/' "$lib/systemd/system/tart-netd.service"
	verify
	assert_output --partial "Unknown key 'KillMood'"
	mv "$root$prefix/libexec/tart/tart-netd" "$root$prefix/libexec/tart/other"
	verify
	assert_failure
	assert_output --partial 'tart-netd is not executable'
}

@test "systemd: the keeper can do little but its work" {
	requires systemd-analyze
	run systemd-analyze security --offline=true --root="$root" --threshold=35 --no-pager tart-netd.service
	assert_success
	sed -i '/^CapabilityBoundingSet=/d; /^ProtectSystem=/d' "$lib/systemd/system/tart-netd.service"
	run systemd-analyze security --offline=true --root="$root" --threshold=35 --no-pager tart-netd.service
	assert_failure
}

@test "systemd: the keeper's user, the callers' group, their folders" {
	requires systemd-sysusers
	requires systemd-tmpfiles
	mkdir -p "$root/etc"
	systemd-sysusers --root="$root"
	run cut -d : -f 1,4- "$root/etc/passwd"
	assert_output --regexp "^tart-netd:[0-9]+:Keeper of virtual machines' network:/:/usr/sbin/nologin$"
	run cut -d : -f 1,4 "$root/etc/group"
	assert_line tart:
	run systemd-tmpfiles --root="$root" --create tart.conf
	assert_success
	assert_equal "$(stat -c %a "$root/run/tart" "$root/etc/tart")" $'755\n755'
}

requires_namespaces() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	timeout 20 unshare --net --mount true 2>/dev/null || skip 'needs namespaces'
}

@test "systemd-sysctl: the check of source addresses stays strict" {
	requires_namespaces
	[ -x /lib/systemd/systemd-sysctl ] || skip 'needs systemd-sysctl'
	run timeout 60 unshare --net --mount bash -e -c '
		mount -t tmpfs tmpfs /run
		mkdir /run/sysctl.d
		echo "net.ipv4.conf.*.rp_filter = 2" >/run/sysctl.d/50-default.conf
		cp "$1/sysctl.d/60-tart.conf" /run/sysctl.d/
		ip link add tart-00000001 type bridge
		ip link add eth0 type bridge
		for name in tart-00000001 eth0; do
			/lib/systemd/systemd-sysctl --prefix=/net/ipv4/conf/$name --prefix=/net/ipv4/neigh/$name
			cat /proc/sys/net/ipv4/conf/$name/rp_filter
		done' sh "$lib"
	assert_output $'1\n2'
}

@test "udev: links keep their addresses, and NetworkManager away" {
	requires udevadm
	requires_namespaces
	run timeout 60 unshare --net --mount bash -e -c '
		mount -t sysfs sysfs /sys
		mount -t tmpfs tmpfs /run
		mkdir -p /run/systemd/network /run/udev/rules.d
		cp "$1"/systemd/network/10-tart.link /run/systemd/network/
		cp "$1"/udev/rules.d/60-tart.rules /run/udev/rules.d/
		ip link add eth0 type veth peer name world
		ip link add link eth0 name tart-00000001 type macvtap
		ip link add tart0 type bridge
		for name in tart-00000001 tart0 eth0; do
			udevadm test-builtin net_setup_link /sys/class/net/$name 2>/dev/null | sed "s/^/$name /"
		done
		udevadm test /sys/class/net/tart0 2>/dev/null | grep NM_UNMANAGED' sh "$lib"
	assert_line 'tart-00000001 ID_NET_LINK_FILE=/run/systemd/network/10-tart.link'
	assert_line 'tart0 ID_NET_LINK_FILE=/run/systemd/network/10-tart.link'
	refute_line 'eth0 ID_NET_LINK_FILE=/run/systemd/network/10-tart.link'
	assert_line 'NM_UNMANAGED=1'
}
