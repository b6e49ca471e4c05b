#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs systemd as the init of a host of its own, in namespaces that end with it, with just the units of an installation of
# tart (DESTDIR, made by `meson install`) and the programs of a build. Does not return until it is killed.
#
#	tests/lib/systemd_lab.sh PID_FILE DESTDIR PREFIX TART_NETD
#
# PID_FILE gets the process id of that init, for nsenter. End this script by SIGTERM, so that it can tidy up.
# Exit code 77, with the reason on stderr: this machine cannot do that.
set -u

readonly self=$0

cannot() {
	echo "$*" >&2
	exit 77
}

# systemd makes control groups for its units below the one that it starts in, which shall not be the machine's root.
outside() {
	local groups group

	[ "$(id -u)" -eq 0 ] || cannot 'needs root'
	[ -x /lib/systemd/systemd ] || cannot 'needs systemd'
	groups=$(findmnt --noheadings --first-only --output TARGET --types cgroup2) || cannot 'needs cgroup2'
	group=$groups/tart-lab.$$
	mkdir "$group" 2>/dev/null || cannot 'needs control groups to write to'
	# Waits to tidy up, whatever ends the other.
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --net --uts --ipc --cgroup "$self" --inside "$@"
	) &
	inside=$!
	trap 'kill -KILL "$inside" 2>/dev/null' TERM INT
	wait "$inside"
	code=$?
	wait "$inside" 2>/dev/null
	until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do
		sleep 0.05
	done
	exit "$code"
}

# Nothing that systemd sets up at boot may reach the machine: its settings are read-only but for those of our namespace.
own_files() {
	mount -t proc proc /proc &&
		mount -t sysfs sysfs /sys &&
		mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
		mount --bind /proc/sys /proc/sys &&
		mount --bind /proc/sys/net /proc/sys/net &&
		mount -o remount,bind,ro /proc/sys &&
		mount -t tmpfs -o mode=755 tmpfs /run &&
		mount -t tmpfs -o mode=755 tmpfs /var/lib &&
		mkdir -p /run/lab/etc /run/lab/units &&
		cp -rL /etc/. /run/lab/etc/ 2>/dev/null
	rm -rf /run/lab/etc/{systemd,tart,resolv.conf}
	sed -i -E '/^(tart|tart-netd):/d' /run/lab/etc/{passwd,group,shadow,gshadow}
	mount --bind /run/lab/etc /etc &&
		mount -t tmpfs tmpfs /lib/systemd/system-generators &&
		mknod -m 666 /run/lab/tun c 10 200 &&
		mount --bind /run/lab/tun /dev/net/tun
}

# What our units ask for, and nothing of the machine's own.
own_units() { # DESTDIR PREFIX TART_NETD
	local units=/run/lab/units target

	for target in sysinit basic shutdown sockets; do
		printf '[Unit]\nDefaultDependencies=no\n' >"$units/$target.target"
	done
	printf '[Unit]\nDefaultDependencies=no\nRequires=tart-netd.socket\n' >"$units/lab.target"
	cp "$1$2"/lib/systemd/system/tart-netd.* "$units/"
	sed -i "s,^ExecStart=$2/libexec/tart/tart-netd,ExecStart=/run/lab/tart-netd," "$units/tart-netd.service"
	cp "$3" /run/lab/tart-netd
	mkdir "$units/tart-netd.service.d"
	# The search for leaks of a sanitized program, at its end, needs ptrace(), which the unit forbids.
	cat >"$units/tart-netd.service.d/lab.conf" <<-'END'
		[Service]
		StandardOutput=append:/run/lab/log
		StandardError=append:/run/lab/log
		Environment=ASAN_OPTIONS=detect_leaks=0
	END
	systemd-sysusers "$1$2/lib/sysusers.d/tart.conf" &&
		systemd-tmpfiles --create "$1$2/lib/tmpfiles.d/tart.conf"
}

inside() {
	local pid_file=$1 pid rest

	# /proc is still that of outside.
	read -r pid rest </proc/self/stat
	shift
	own_files || cannot 'cannot make a host of its own'
	own_units "$@" >&2 || cannot 'cannot set up the units'
	ip link set lo up
	echo "$pid" >"$pid_file.new" && mv "$pid_file.new" "$pid_file"
	export container=tart-lab SYSTEMD_UNIT_PATH=/run/lab/units
	exec /lib/systemd/systemd --system --unit=lab.target --log-target=console --log-level=notice --show-status=no
}

if [ "$1" = --inside ]; then
	shift
	inside "$@"
else
	outside "$@"
fi
