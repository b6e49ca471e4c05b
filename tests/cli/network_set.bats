#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network set, as a user with networks of his own, and as root of a host.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/netd
load ../lib/network

setup() {
	network_setup
	conf=$TART_HOME/network.conf
	mkdir -p "$TART_HOME"
}

teardown() {
	lab_stop
	common_teardown
}

# Nothing but the file itself: what was written aside is gone.
assert_no_remains() { # FOLDER
	assert_equal "$(find "$1" -maxdepth 1 -name '*network.conf*' -not -name network.conf)" ''
}

as_user() {
	export TART_NETWORK_BACKEND=rootless
}

@test "network set: the three recipes, into a user's own file" {
	as_user
	tart network set subnet 192.168.77.1
	assert_success
	assert_equal "$output$stderr" ''
	tart network set netmask 255.255.0.0
	assert_success
	tart network set lease-time 600
	assert_success
	assert_equal "$(cat "$conf")" $'subnet = 192.168.77.1\nnetmask = 255.255.0.0\nlease-time = 600'
	assert_equal "$(stat -c %a "$conf")" 644
	assert_no_remains "$TART_HOME"
	tart network show --format json
	assert_equal "$(jq -r '.[:3] | map(.Value) | join(" ")' <<<"$output")" '192.168.77.1/16 255.255.0.0 600'
}

@test 'network set: comments and the rest of the file stay' {
	as_user
	printf '# my network\n\nmtu=1400   # the VPN\nlease-time = 700' >"$conf"
	tart network set mtu 1300
	assert_success
	assert_equal "$(cat "$conf")" $'# my network\n\nmtu=1300   # the VPN\nlease-time = 700'
}

@test 'network set: the keeper program sees the whole new file before it is in place' {
	as_user
	echo 'mtu = 1400' >"$conf"
	tart network set lease-time 600
	assert_success
	assert_equal "$(cat "$checks/seen")" $'mtu = 1400\nlease-time = 600'
}

@test 'network set: values that make no sense' {
	as_user
	echo 'mtu = 1400' >"$conf"
	local bad=('mtu 100' 'lease-time 119' 'lease-time 2147483648' 'subnet 8.8.8.0/24' 'subnet 192.168.1.0/8'
		'netmask 255.0.255.0' 'isolate-vms maybe' 'dns example.com' 'expose-ports 0' 'expose-ports 70000')
	for pair in "${bad[@]}"; do
		# shellcheck disable=SC2086
		tart network set $pair
		assert_failure 1
		assert_equal "$output" ''
		[[ $stderr == "Error: $conf:"*": ${pair% *}: '${pair#* }' "* ]] || fail "$pair: $stderr"
		assert_equal "$(cat "$conf")" 'mtu = 1400'
		assert_no_remains "$TART_HOME"
	done
	tart network set mtu $'1400\nsubnet = 1.2.3.4'
	assert_failure 1
	assert_equal "$(cat "$conf")" 'mtu = 1400'
}

@test 'network set: no such key' {
	as_user
	tart network set dhcp on
	assert_usage_error 'network set' \
		"There is no key 'dhcp'; there are subnet, netmask, lease-time, isolate-vms, dns, mtu, allow-bridged, expose-ports, users"
	tart network set subnet
	assert_usage_error 'network set' "Missing expected argument '<value>'"
}

@test 'network set: a file that was wrong before is not written' {
	as_user
	echo 'color = blue' >"$conf"
	tart network set mtu 1400
	assert_failure 1
	[[ $stderr == "Error: $conf:1: "*color* ]]
	assert_equal "$(cat "$conf")" 'color = blue'
}

@test 'network set: what this host does not allow' {
	as_user
	check_says 'FILE: subnet 10.99.0.0/24 overlaps 10.99.0.2/24 of eth0'
	tart network set subnet 10.99.0.1/24
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "Error: subnet: '10.99.0.1/24': $conf: subnet 10.99.0.0/24 overlaps 10.99.0.2/24 of eth0"
	assert_file_not_exist "$conf"
	assert_no_remains "$TART_HOME"
}

@test 'network set: a keeper that runs reads it' {
	start_keeper
	tart network set lease-time 600
	assert_success
	keeper_has_heard 'select(.type == "reload")'
}

@test 'network set: what the keeper refuses is put back' {
	start_keeper
	keeper_answers '{"reload": {"type": "r_error", "code": "config", "text": "not with me"}}'
	tart network set lease-time 600
	assert_failure 1
	assert_equal "$stderr" "Error: lease-time: '600': not with me"
	assert_file_not_exist "$conf"
	echo 'mtu = 1400' >"$conf"
	tart network set lease-time 600
	assert_failure 1
	assert_equal "$(cat "$conf")" 'mtu = 1400'
	assert_no_remains "$TART_HOME"
}

@test 'network set: a keeper that is just ending is no hindrance' {
	start_keeper
	keeper_answers '{"reload": {"type": "close"}}'
	tart network set lease-time 600
	assert_success
	assert_equal "$(cat "$conf")" 'lease-time = 600'
}

@test 'network set: a keeper that does not answer is told of, once its time is over' {
	start_keeper
	keeper_answers '{"reload": {"type": "silence"}}'
	tart network set lease-time 600
	assert_success
	assert_equal "$stderr" \
		'The keeper of the network does not answer: lease-time takes effect when it does, or the next one starts'
	assert_equal "$(cat "$conf")" 'lease-time = 600'
}

@test 'network set: users, while a keeper of the host runs' {
	requires_root
	unset TART_NETWORK_BACKEND
	lab_start
	netd_start
	lab_tart network set users bob
	assert_success
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" '^Whom the mode of /run/tart/netd.sock keeps out, .* tart-netd is started again'
	lab_tart network set mtu 1400
	assert_success
	assert_equal "$stderr" ''
}

@test 'network set: another subnet only when no VM runs; other settings at any time' {
	start_keeper
	keeper_answers "{\"list\": {\"nics\": [$(nic web 52:54:00:00:00:01 tart-00000001 nat),
		$(nic web 52:54:00:00:00:01 tart-00000002 nat), $(nic db 52:54:00:00:00:02 tart-00000003 host)]}}"
	echo 'subnet = 192.168.77.1' >"$conf"
	for pair in 'subnet 192.168.78.1' 'subnet auto' 'netmask 255.255.0.0'; do
		# shellcheck disable=SC2086
		tart network set $pair
		assert_failure 1
		assert_equal "$stderr" "Error: ${pair% *}: '${pair#* }': the subnet cannot change while VMs run, stop them first: web, db"
		assert_equal "$(cat "$conf")" 'subnet = 192.168.77.1'
	done
	tart network set subnet 192.168.77.0/24
	assert_success
	tart network set lease-time 600
	assert_success
	assert_equal "$(cat "$conf")" $'subnet = 192.168.77.0/24\nlease-time = 600'
}

@test 'network set: several at once lose nothing' {
	as_user
	local pids=() pid n

	for n in $(seq 8); do
		timeout 60 "$TART" network set mtu $((1000 + n)) 3>&- &
		pids+=($!)
		timeout 60 "$TART" network set lease-time $((600 + n)) 3>&- &
		pids+=($!)
	done
	timeout 60 "$TART" network set dns 9.9.9.9
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	assert_equal "$(sort "$conf" | sed -E 's/ (100|60)[1-8]$/ N/')" $'dns = 9.9.9.9\nlease-time = N\nmtu = N'
	assert_no_remains "$TART_HOME"
}

@test 'network set: killed, it leaves the old file or the new one' {
	as_user
	local n pid

	echo 'mtu = 1400' >"$conf"
	# At most here, in the middle of it, somebody waits: the keeper's program.
	mkfifo "$checks/gate"
	sed -i "2i cat '$checks/gate' >/dev/null" "$BATS_TEST_TMPDIR/bin/tart-netd"
	"$TART" network set mtu 1500 3>&- &
	pid=$!
	wait_until test -e "$TART_HOME/.network.conf.new"
	kill -KILL "$pid"
	wait "$pid" || true
	assert_equal "$(cat "$conf")" 'mtu = 1400'
	sed -i 2d "$BATS_TEST_TMPDIR/bin/tart-netd"
	tart network set mtu 1300
	assert_success
	assert_equal "$(cat "$conf")" 'mtu = 1300'
	assert_no_remains "$TART_HOME"
}

@test 'network set: root of a host writes /etc/tart/network.conf' {
	lab_start
	in_lab rm -rf /etc/tart
	lab_tart network set subnet 192.168.77.1
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(in_lab cat /etc/tart/network.conf)" 'subnet = 192.168.77.1'
	assert_equal "$(in_lab stat -c %a /etc/tart /etc/tart/network.conf | paste -sd ' ')" '755 644'
	assert_file_not_exist "$conf"
	lab_tart network show subnet --format json
	assert_equal "$(jq -r .Source <<<"$output")" /etc/tart/network.conf:1
	lab_tart network reset subnet
	assert_success
	assert_equal "$(in_lab cat /etc/tart/network.conf)" ''
}

# A fake keeper for the whole host of the lab.
start_system_keeper() {
	keeper=$BATS_TEST_TMPDIR/keeper
	mkdir -p "$keeper"
	in_lab mkdir -p /run/tart
	background in_lab python3 "$project/tests/lib/fake_keeper.py" /run/tart/netd.sock "$keeper"
	wait_until in_lab test -S /run/tart/netd.sock
	in_lab chmod 666 /run/tart/netd.sock
}

@test 'network set: on a host with a keeper, users are told that root has to do it' {
	requires_root
	lab_start
	start_system_keeper
	export TART_HOME=/run/alice
	in_lab install -d -o alice /run/alice
	for backend in '' auto system; do
		TART_NETWORK_BACKEND=$backend lab_tart_as alice network set subnet 192.168.77.1
		assert_failure 1
		assert_equal "$output" ''
		assert_equal "$stderr" "Error: /etc/tart/network.conf is for all users of this host, so that root has to change it: \
sudo tart network set subnet '192.168.77.1'"
	done
	lab_tart_as alice network reset mtu
	assert_failure 1
	assert_equal "$stderr" "Error: /etc/tart/network.conf is for all users of this host, so that root has to change it: \
sudo tart network reset mtu"
	assert_equal "$(keeper_heard 'select(.type == "reload")')" ''
	# What it says, everybody may read.
	in_lab sh -c 'mkdir -p /etc/tart && echo mtu = 1400 >/etc/tart/network.conf'
	lab_tart_as alice network show mtu --format json
	assert_equal "$(jq -r '.Value + " " + .Source' <<<"$output")" '1400 /etc/tart/network.conf:1'
	# His own network is his own all the same.
	TART_NETWORK_BACKEND=rootless lab_tart_as alice network set mtu 1300
	assert_success
	assert_equal "$(in_lab cat /run/alice/network.conf)" 'mtu = 1300'
}

@test 'network set: without one, a user has a file of his own' {
	requires_root
	lab_start
	export TART_HOME=/run/alice
	in_lab install -d -o alice /run/alice
	lab_tart_as alice network set mtu 1300
	assert_success
	assert_equal "$(in_lab cat /run/alice/network.conf)" 'mtu = 1300'
	TART_NETWORK_BACKEND=system lab_tart_as alice network set mtu 1300
	assert_failure 1
}

@test "network set: root's change reaches the keeper of the host" {
	lab_start
	start_system_keeper
	lab_tart network set subnet 192.168.77.1
	assert_success
	keeper_has_heard 'select(.type == "reload")'
	keeper_answers "{\"list\": {\"nics\": [$(nic web 52:54:00:00:00:01 tart-00000001 nat)]}}"
	lab_tart network set subnet 192.168.78.1
	assert_failure 1
	assert_equal "$stderr" "Error: subnet: '192.168.78.1': the subnet cannot change while VMs run, stop them first: web"
}
