#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A real distribution: the Debian image of images/ boots through tart, is logged into on its console, and stops.

load ../lib/common
load ../lib/images

export TART_TIMEOUT=300 WAIT_SECONDS=900

setup() { common_setup; }

transcript_has() {
	grep -qaE -- "$1" "$BATS_TEST_TMPDIR/transcript"
}

@test 'debian: boots, works and stops' {
	dir=$(image_dir debian amd64)
	"$TART" create vm --linux --disk-size 10 --arch amd64
	"$TART" set vm --memory 1024 --cpu 2 --disk "$dir/disk.img"
	out=$BATS_TEST_TMPDIR/out
	"$TART" run vm --no-graphics --serial --accel tcg >"$out" 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- &
	run_pid=$!
	background_pids+=("$run_pid")
	wait_until grep -q '^Successfully open pty' "$out"
	pty=$(sed -n 's/^Successfully open pty //p' "$out")
	background cat "$pty" >"$BATS_TEST_TMPDIR/transcript" 2>&1

	wait_until transcript_has 'login: *$'
	printf 'admin\n' >"$pty"
	wait_until transcript_has 'Password: *$'
	printf 'admin\n' >"$pty"
	wait_until transcript_has '\$ *$'
	printf 'uname -sm; . /etc/os-release; echo "$ID-$VERSION_CODENAME"; echo "ssh is $(systemctl is-active ssh)"\n' >"$pty"
	wait_until transcript_has 'Linux x86_64'
	wait_until transcript_has 'debian-bookworm'
	wait_until transcript_has 'ssh is active'

	tart stop vm --timeout 200
	assert_success
	status=0
	wait "$run_pid" || status=$?
	assert_success
	assert_equal "$(tail -n 1 "$out")" 'guest has stopped the virtual machine'
	assert_equal "$(cat "$BATS_TEST_TMPDIR/err")" ''
}
