# SPDX-License-Identifier: Apache-2.0
# A host with a keeper of its own, for bats: `load ../lib/netd` after ../lib/common. netd_lab.sh draws it. As root it has
# several users, otherwise it is this user's; where neither works, the test is skipped with the reason.
#
#	setup()    { common_setup; lab_start; }
#	teardown() { lab_stop; common_teardown; }
#
#	@test 'status: the pool is that of network.conf' {
#		in_lab sh -c 'echo subnet = 192.168.77.0/24 >/etc/tart/network.conf'
#		netd_start
#		in_lab "$netd_client" attach --vm vm1 --mode softnet --allow @host --once
#		...
#	}

lab=$project/tests/lib
netd=$BUILD/tart-netd
netd_client=$lab/netd_client.py

lab_start() {
	local ready=$BATS_TEST_TMPDIR/lab.pid

	background "$lab/netd_lab.sh" bash -c 'echo "$LAB_PID" >"$1.new" && mv "$1.new" "$1" && exec sleep infinity' lab "$ready" \
		2>"$BATS_TEST_TMPDIR/lab.stderr"
	lab_background=$background_pid
	wait_until lab_is_decided "$ready"
	if ! lab_pid=$(cat "$ready"); then
		skip "$(cat "$BATS_TEST_TMPDIR/lab.stderr")"
	fi
}

lab_is_decided() { # FILE
	[ -e "$1" ] || ! kill -0 "$lab_background" 2>/dev/null
}

# With it ends everything that runs in it. Safe to call when there is none.
lab_stop() {
	if [ -n "${lab_background-}" ]; then
		kill -KILL "$lab_background" 2>/dev/null || true
		wait "$lab_background" 2>/dev/null || true
		wait_until lab_is_empty
	fi
	lab_background=
}

lab_is_empty() {
	[ ! -e "/proc/${lab_pid:-none}" ]
}

# A command on the lab's host; in_net: in the world outside it; in_lab_as USER: as alice or bob (as root only).
in_lab() {
	local as_ours=()

	[ "$(id -u)" -eq 0 ] || as_ours=(--user --preserve-credentials)
	nsenter --target "$lab_pid" "${as_ours[@]}" --mount --net --ipc --pid --wd="$PWD" -- "$@"
}

in_net() {
	in_lab nsenter --net=/run/netns/net "$@"
}

in_lab_as() { # USER COMMAND...
	local user=$1

	shift
	requires_root
	in_lab setpriv --reuid="$user" --regid="$user" --init-groups "$@"
}

# The keeper, until the lab ends or netd_stop. What it says is in $netd_log; $netd_pid is its process id in the lab.
netd_start() { # [OPTION...]
	netd_log=$BATS_TEST_TMPDIR/netd.log
	in_lab rm -f /run/netd.pid
	background in_lab bash -c 'echo $$ >/run/netd.pid; exec "$@"' netd "$netd" --linger 0 "$@" >"$netd_log" 2>&1
	netd_background=$background_pid
	wait_until netd_is_decided
	netd_pid=$(in_lab cat /run/netd.pid)
	if ! kill -0 "$netd_background" 2>/dev/null; then
		cat "$netd_log" >&2
		return 1
	fi
}

netd_is_decided() {
	in_lab "$netd_client" status >/dev/null 2>&1 || ! kill -0 "$netd_background" 2>/dev/null
}

netd_stop() { # [SIGNAL]
	in_lab kill "-${1:-TERM}" "$netd_pid"
	wait "$netd_background" || true
}

# A NIC that stays until its process is killed, $netd_vm_pid in the lab, or the lab ends. What the keeper answered, as JSON,
# is $netd_attached; see netd_client.py.
netd_attach() { # NAME [OPTION...]
	local files=$BATS_TEST_TMPDIR/attach.$1 said=$BATS_TEST_TMPDIR/attached.$1 name=$1

	shift
	mkfifo "$files.stdin"
	# Opened there: what runs in the background has no standard input of ours.
	background in_lab sh -c 'echo $$ >"$0.pid" && exec "$@" <>"$0.stdin"' "$files" \
		"$netd_client" attach --vm "$name" "$@" >"$said"
	wait_until netd_has_answered "$said" "$background_pid"
	netd_vm_pid=$(cat "$files.pid")
	netd_attached=$(cat "$said")
	[[ $netd_attached == *r_attached* ]]
}

netd_has_answered() { # FILE PID
	[ -s "$1" ] || ! kill -0 "$2" 2>/dev/null
}
