#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart network leases.

load ../lib/common
load ../lib/store
load ../lib/fake_keeper
load ../lib/netd
load ../lib/network

setup() { network_setup; }

teardown() {
	lab_stop
	common_teardown
}

@test 'network leases: none without a keeper' {
	export TART_NETWORK_BACKEND=rootless
	tart network leases
	assert_success
	assert_equal "$output$stderr" ''
	tart network leases --format json
	assert_success
	assert_equal "$output" $'[\n\n]'
}

@test 'network leases: reserved, bound and bridged ones, sorted' {
	local now

	start_keeper
	now=$(date +%s)
	keeper_answers "{\"list\": {\"nics\": [
		$(nic web 52:54:00:00:00:02 tart-0000000c nat "{\"bound_at_s\": $((now - 7300)), \"expires_s\": $((now + 79000))}"),
		$(nic lan 52:54:00:00:00:03 tart-0000000b bridged '{"address": null, "uid": 4242}'),
		$(nic db 52:54:00:00:00:01 tart-0000000a softnet '{"address": "192.168.64.12", "forward": "127.64.64.12"}')]}}"
	tart network leases
	assert_success
	assert_equal "$stderr" ''
	assert_line --index 0 --regexp '^VM +User +MAC +Address +Mode +Bound +Expires *$'
	assert_line --index 1 --regexp '^db +root +52:54:00:00:00:01 +192.168.64.12 +softnet +- +- *$'
	assert_line --index 2 --regexp '^lan +4242 +52:54:00:00:00:03 +- +bridged +- +- *$'
	assert_line --index 3 --regexp '^web +root +52:54:00:00:00:02 +192.168.64.11 +nat +2 hours ago +in 21 hours *$'
	assert_equal "${#lines[@]}" 4
	tart network leases --format json
	assert_success
	assert_equal "$(jq -c '.[0]' <<<"$output")" '{"VM":"db","User":"root","MAC":"52:54:00:00:00:01","Address":"192.168.64.12",'\
'"Mode":"softnet","Bound":null,"Expires":null,"Interface":"tart-0000000a","Forward":"127.64.64.12"}'
	assert_equal "$(jq -c '.[1] | [.Address, .Forward]' <<<"$output")" '[null,null]'
	assert_equal "$(jq -r '.[2].Bound' <<<"$output")" "$(date -u -d @$((now - 7300)) +%Y-%m-%dT%H:%M:%SZ)"
}

@test 'network leases: more than fit one packet' {
	local nics

	start_keeper
	nics=$(for i in $(seq 1000 1299); do nic "vm$i" 52:54:00:00:00:01 "$(printf 'tart-%08x' "$i")" nat; done | jq -cs .)
	keeper_answers "$(jq -c '{list: [{nics: .[:128]}, {nics: .[128:256]}, {nics: .[256:]}]}' <<<"$nics")"
	tart network leases --format json
	assert_success
	assert_equal "$(jq -c '[length, .[0].VM, .[299].VM]' <<<"$output")" '[300,"vm1000","vm1299"]'
	assert_equal "$(keeper_heard 'select(.type == "list") | .after' | paste -sd ' ')" \
		'"" "tart-00000467" "tart-000004e7"'
}

@test 'network leases: those of every keeper' {
	lab_start
	export TART_HOME=/run/home
	in_lab mkdir -p /run/tart /run/home/net
	mkdir "$BATS_TEST_TMPDIR/system" "$BATS_TEST_TMPDIR/own"
	echo "{\"list\": {\"nics\": [$(nic ours 52:54:00:00:00:01 tart-00000001 nat)]}}" >"$BATS_TEST_TMPDIR/own/answers.json"
	echo "{\"list\": {\"nics\": [$(nic all 52:54:00:00:00:02 tart-00000002 nat)]}}" >"$BATS_TEST_TMPDIR/system/answers.json"
	background in_lab python3 "$project/tests/lib/fake_keeper.py" /run/tart/netd.sock "$BATS_TEST_TMPDIR/system"
	background in_lab python3 "$project/tests/lib/fake_keeper.py" /run/home/net/netd.sock "$BATS_TEST_TMPDIR/own"
	wait_until in_lab test -S /run/tart/netd.sock
	wait_until in_lab test -S /run/home/net/netd.sock
	lab_tart network leases --format json
	assert_equal "$(jq -r 'map(.VM) | join(" ")' <<<"$output")" 'all ours'
	TART_NETWORK_BACKEND=system lab_tart network leases --format json
	assert_equal "$(jq -r 'map(.VM) | join(" ")' <<<"$output")" all
	TART_NETWORK_BACKEND=user lab_tart network leases --format json
	assert_equal "$(jq length <<<"$output")" 0
}

@test 'network leases: a keeper that is just ending has none' {
	start_keeper
	keeper_answers '{"list": {"type": "close"}}'
	tart network leases
	assert_success
	assert_equal "$output$stderr" ''
}

@test 'network leases: what the keeper refuses' {
	start_keeper
	keeper_answers '{"list": {"type": "r_error", "code": "limit", "text": "too many questions"}}'
	tart network leases
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: too many questions'
}
