#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command on a host of its own, beside an internet of its own: namespaces that end with the command, and with them
# every process, link, rule and file that it left. Nothing of it touches or leaves the machine. network.md 10.
#
#	tests/lib/netd_lab.sh [--tap] [--user] COMMAND...
#
#	  namespace "host": the command    uplink 10.99.0.2/24 ─veth─ lan 10.99.0.1/24    namespace "net": the world
#	  lo 44.44.44.44, a public address of its own          lo 8.8.8.8, 33.33.33.33 and .34, and private ones:
#	  tests start tart-netd here                           10.1.2.3 172.16.5.5 100.64.1.1 169.254.169.254
#
# The host has its own process ids, an empty /run and /var/lib, an /etc to write to with the users tart-netd, and alice and
# bob of the group tart, and a /dev/net/tun for everybody, as udev makes it. The world is /run/netns/net.
#
# As root it is a host with several users. Otherwise, and with --user as nobody, it is one user's namespace, whose only
# user is root. $LAB_KIND tells: root, user. Exit code 77, with the reason on stderr: this machine cannot do that; with
# --tap that is a test plan that skips.
set -u

readonly self=$0

cannot() {
	if [ -n "${LAB_TAP-}" ]; then
		echo "1..0 # SKIP $*"
		exit 0
	fi
	echo "$*" >&2
	exit 77
}

# Only root can make the node; a user needs one that was made for him.
share_tun() {
	mount -t tmpfs -o mode=755 tmpfs /mnt &&
		mknod -m 666 /mnt/tun c 10 200 &&
		mount --bind /mnt/tun /dev/net/tun &&
		umount -l /mnt
}

# An overlay keeps all that programs look for there. Where that is refused (in some containers), copies do.
own_etc() {
	mkdir -p /run/lab/{upper,work}
	if ! mount -t overlay -o lowerdir=/etc,upperdir=/run/lab/upper,workdir=/run/lab/work lab /etc 2>/dev/null; then
		cp -rL /etc/. /run/lab/upper/ 2>/dev/null
		mount --bind /run/lab/upper /etc || return
	fi
	rm -f /etc/resolv.conf
	echo 'nameserver 8.8.8.8' >/etc/resolv.conf
	mkdir /etc/tart
}

own_users() {
	sed -i -E '/^(tart|tart-netd|alice|bob):/d' /etc/passwd /etc/group
	cat >>/etc/group <<-'END'
		tart:x:5000:alice,bob
		tart-netd:x:5003:
		alice:x:5001:
		bob:x:5002:
	END
	cat >>/etc/passwd <<-'END'
		alice:x:5001:5001::/run:/bin/sh
		bob:x:5002:5002::/run:/bin/sh
		tart-netd:x:5003:5003::/:/usr/sbin/nologin
	END
}

own_files() {
	mount -t proc proc /proc &&
		mount -t tmpfs -o mode=755 tmpfs /run &&
		mount -t tmpfs -o mode=755 tmpfs /var/lib &&
		mkdir -p /var/lib/{dhcp,misc,tart} &&
		own_etc || return
	[ "$LAB_KIND" = user ] || own_users
}

# What the machine's administrator has set may not count here.
plain_sysctls() {
	local file

	for file in /proc/sys/net/ipv4/conf/{all,default}/{rp_filter,forwarding}; do
		echo 0 >"$file"
	done
}

# Addresses of IPv6 go without duplicate detection, which takes seconds.
own_network() {
	plain_sysctls
	ip netns add net &&
		nsenter --net=/run/netns/net "$self" --in-net &&
		ip -batch - <<-'END' || return
			link add uplink type veth peer name lan netns net
			link set lo up
			address add 44.44.44.44/32 dev lo
			address add 10.99.0.2/24 dev uplink
			address add fd99::2/64 dev uplink nodad
			link set uplink up
		END
	nsenter --net=/run/netns/net ip -batch - <<-'END' || return
		address add 10.99.0.1/24 dev lan
		address add fd99::1/64 dev lan nodad
		link set lan up
	END
	ip route add default via 10.99.0.1
}

world() {
	local address

	plain_sysctls
	ip link set lo up
	for address in 8.8.8.8 33.33.33.33 33.33.33.34 10.1.2.3 172.16.5.5 100.64.1.1 169.254.169.254; do
		ip address add "$address/32" dev lo || return
	done
}

# $LAB_PID is our process id outside, for nsenter: /proc is still that of before.
inside() { # KIND COMMAND...
	export LAB_KIND=$1
	shift
	read -r LAB_PID _ </proc/self/stat
	export LAB_PID
	if [ "$LAB_KIND" = root ]; then
		share_tun || cannot 'cannot make a /dev/net/tun of its own'
	fi
	own_files || cannot 'cannot make files of its own'
	own_network || cannot 'cannot make networks of its own'
	"$@"
}

start() { # COMMAND...
	[ -c /dev/net/tun ] || cannot 'this machine has no /dev/net/tun'
	if [ "$(id -u)" -eq 0 ]; then
		exec unshare --mount --net --ipc --pid --fork --kill-child "$self" --inside root "$@"
	fi
	# Opened, not tested: what may be opened is not only for the mode to say.
	: 2>/dev/null <>/dev/net/tun || cannot '/dev/net/tun is not for this user'
	unshare --user --map-root-user --net true 2>/dev/null || cannot 'no user namespaces for this user'
	exec unshare --user --map-root-user --mount --net --ipc --pid --fork --kill-child "$self" --inside user "$@"
}

if [ "${1-}" = --tap ]; then
	shift
	export LAB_TAP=yes
fi
case ${1-} in
--inside)
	shift
	inside "$@"
	;;
--in-net)
	world
	;;
--as-nobody)
	shift
	share_tun || cannot 'cannot make a /dev/net/tun for everybody'
	# Not only the command: its folder holds what else it needs.
	setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$self" || cannot 'nobody may not read these files'
	exec setpriv --reuid=65534 --regid=65534 --clear-groups "$self" "$@"
	;;
--user)
	shift
	if [ "$(id -u)" -eq 0 ]; then
		exec unshare --mount "$self" --as-nobody "$@"
	fi
	start "$@"
	;;
'' | -*)
	echo "usage: ${0##*/} [--tap] [--user] COMMAND..." >&2
	exit 64
	;;
*)
	start "$@"
	;;
esac
