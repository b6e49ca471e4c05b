#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# images/get: the cache, with a stand-in for the build that tells when it runs and waits when told,
# and one for the package lists.

bats_require_minimum_version 1.5.0

setup() {
	load ../lib/bats.bash
	cp -R "$BATS_TEST_DIRNAME/../../images" "$BATS_TEST_TMPDIR/images"
	export TART_IMAGES_CACHE=$BATS_TEST_TMPDIR/cache
	export BUILDS=$BATS_TEST_TMPDIR/builds
	: >"$BUILDS"
	get=$BATS_TEST_TMPDIR/images/get
	cat >"$BATS_TEST_TMPDIR/images/tiny/build.sh" <<-'END'
		#!/bin/bash
		set -eu
		[ "${3-}" != --check ] || exit 0
		echo "$1 $2" >>"$BUILDS"
		echo begun >"$2/disk.img"
		[ ! -e "$BUILDS.fail" ] || exit 3
		[ ! -p "$BUILDS.begun" ] || echo begun >"$BUILDS.begun"
		[ ! -p "$BUILDS.go" ] || read -r _ <"$BUILDS.go"
		echo whole >"$2/disk.img"
	END
	mkdir "$BATS_TEST_TMPDIR/bin"
	packages_are 1.0
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

packages_are() { # VERSION
	cat >"$BATS_TEST_TMPDIR/bin/apt-cache" <<-END
		#!/bin/sh
		printf 'linux-image-cloud-amd64:\n  Candidate: $1\n'
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/apt-cache"
}

# From now on a build says on the one pipe that it runs and goes on when it reads from the other.
hold_builds() {
	mkfifo "$BUILDS.begun" "$BUILDS.go"
}

release_builds() {
	mv "$BUILDS.go" "$BUILDS.released"
	rm "$BUILDS.begun"
	echo go >"$BUILDS.released"
}

# Starts `get` in a process group of its own; its pid is $pid, its output in $1.out, and what it says
# comes from descriptor $said.
start_get() {
	mkfifo "$1.err"
	exec {said}<>"$1.err"
	set -m
	"$get" tiny amd64 >"$1.out" 2>"$1.err" 3>&- &
	pid=$!
	set +m
}

wait_until_said() { # TEXT
	local line

	while read -r -t 60 -u "$said" line; do
		[[ $line != *"$1"* ]] || return 0
	done
	echo "did not say '$1'"
	return 1
}

assert_no_leftovers() {
	run find "$TART_IMAGES_CACHE" -name '*.tmp'
	assert_output ''
}

@test "an image is made once and then found" {
	run --separate-stderr "$get" tiny amd64
	assert_success
	assert_regex "$output" "^$TART_IMAGES_CACHE/tiny-amd64-[0-9a-f]{16}\$"
	assert_equal "$(cat "$output/disk.img")" whole
	assert_regex "$stderr" 'making tiny-amd64'
	first=$output

	run --separate-stderr "$get" tiny amd64
	assert_success
	assert_output "$first"
	assert_equal "$stderr" ''
	assert_equal "$(wc -l <"$BUILDS")" 1
	assert_no_leftovers
}

@test "the files of an image are not for writing" {
	dir=$("$get" tiny amd64 2>/dev/null)
	assert_equal "$(stat -c %a "$dir/disk.img")" 444
}

@test "architectures are images of their own" {
	run --separate-stderr "$get" tiny arm64
	assert_success
	assert_regex "$output" '/tiny-arm64-'
	run --separate-stderr "$get" tiny amd64
	assert_equal "$(cut -d ' ' -f 1 "$BUILDS" | paste -sd ' ')" 'arm64 amd64'
}

@test "a changed script makes another image" {
	first=$("$get" tiny amd64 2>/dev/null)
	echo '# changed' >>"$BATS_TEST_TMPDIR/images/tiny/rc"
	second=$("$get" tiny amd64 2>/dev/null)
	assert_not_equal "$first" "$second"
	assert_equal "$(wc -l <"$BUILDS")" 2
	assert_dir_exists "$first"
}

@test "new versions of the packages make another image" {
	first=$("$get" tiny amd64 2>/dev/null)
	packages_are 1.1
	second=$("$get" tiny amd64 2>/dev/null)
	assert_not_equal "$first" "$second"
}

@test "--iso prints the path of the ISO" {
	run --separate-stderr "$get" --iso tiny amd64
	assert_success
	assert_regex "$output" '/tiny-amd64-[0-9a-f]{16}/tiny\.iso$'
}

@test "two at once build once" {
	hold_builds
	start_get "$BATS_TEST_TMPDIR/a"
	first=$pid
	read -r _ <"$BUILDS.begun"
	start_get "$BATS_TEST_TMPDIR/b"
	second=$pid
	wait_until_said 'waiting for another'
	release_builds
	wait "$first"
	wait "$second"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/a.out")" "$(cat "$BATS_TEST_TMPDIR/b.out")"
	assert_equal "$(wc -l <"$BUILDS")" 1
}

@test "a build that was killed is not taken for an image" {
	hold_builds
	start_get "$BATS_TEST_TMPDIR/a"
	read -r _ <"$BUILDS.begun"
	kill -KILL -- "-$pid"
	wait "$pid" || true
	rm "$BUILDS.begun" "$BUILDS.go"

	run --separate-stderr "$get" tiny amd64
	assert_success
	assert_equal "$(cat "$output/disk.img")" whole
	assert_equal "$(wc -l <"$BUILDS")" 2
	assert_no_leftovers
}

@test "a build that lost its parent is waited for, not trusted" {
	hold_builds
	start_get "$BATS_TEST_TMPDIR/a"
	read -r _ <"$BUILDS.begun"
	kill -KILL "$pid"
	wait "$pid" || true
	start_get "$BATS_TEST_TMPDIR/b"
	wait_until_said 'waiting for another'
	release_builds
	wait "$pid"
	assert_equal "$(cat "$(cat "$BATS_TEST_TMPDIR/b.out")/disk.img")" whole
	assert_equal "$(wc -l <"$BUILDS")" 2
	assert_no_leftovers
}

@test "a build that fails leaves nothing" {
	touch "$BUILDS.fail"
	run --separate-stderr "$get" tiny amd64
	assert_failure 1
	assert_output ''
	assert_regex "$stderr" 'images: making tiny-amd64 failed$'
	assert_equal "$(find "$TART_IMAGES_CACHE" -mindepth 1 -type d)" ''
}

@test "only images unused for a day make room" {
	mkdir -p "$TART_IMAGES_CACHE"/{tiny-amd64-00000000000000{00,01},tiny-arm64-0000000000000000}
	touch -d '2 days ago' "$TART_IMAGES_CACHE"/tiny-{amd64,arm64}-0000000000000000
	run --separate-stderr "$get" tiny amd64
	assert_success
	assert_dir_not_exists "$TART_IMAGES_CACHE/tiny-amd64-0000000000000000"
	assert_dir_exists "$TART_IMAGES_CACHE/tiny-amd64-0000000000000001"
	assert_dir_exists "$TART_IMAGES_CACHE/tiny-arm64-0000000000000000"
}

@test "without TART_IMAGES_CACHE the cache is in the user's cache directory" {
	unset TART_IMAGES_CACHE
	XDG_CACHE_HOME=$BATS_TEST_TMPDIR/xdg run --separate-stderr "$get" tiny amd64
	assert_regex "$output" "^$BATS_TEST_TMPDIR/xdg/tart-images/tiny-amd64-"
	HOME=$BATS_TEST_TMPDIR/home XDG_CACHE_HOME='' run --separate-stderr "$get" tiny amd64
	assert_regex "$output" "^$BATS_TEST_TMPDIR/home/.cache/tart-images/tiny-amd64-"
}

@test "errors in the arguments are one line" {
	local arguments message

	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$get" $arguments
		assert_failure 1
		assert_output ''
		assert_equal "$stderr" "images: $message"
	done <<-'END'
		huge amd64|unknown image 'huge', expected tiny or debian
		tiny mips|unknown architecture 'mips', expected amd64 or arm64
		tiny amd64 --fast|unknown option '--fast'
		tiny amd64 --cloud-init|--cloud-init is for the image 'debian'
		debian amd64 --iso|only the image 'tiny' has an ISO
	END
	assert_equal "$(cat "$BUILDS")" ''
}

@test "without both operands the usage is shown" {
	run --separate-stderr "$get" tiny
	assert_failure 1
	assert_output ''
	assert_regex "$stderr" '^usage: images/get NAME ARCH'
	run --separate-stderr "$get" --help
	assert_success
	assert_regex "$output" '^usage: images/get NAME ARCH'
}
