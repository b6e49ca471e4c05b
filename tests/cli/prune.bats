#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart prune. What clone removes by itself is in file_systems.bats: it takes a file system that is full.

load ../lib/common
load ../lib/store

# Gives a bundle this many MiB of data.
fill() { # FOLDER MIB
	head -c "$(($2 << 20))" /dev/zero | tr '\0' x >"$1/disk.img"
}

listed() {
	"$TART" list --quiet | paste -sd' '
}

image() { # DIGIT
	echo "h/ns@sha256:$(hex_of "$1")"
}

@test 'prune: no criterion' {
	tart prune
	assert_usage_error prune 'at least one pruning criteria must be specified'
	tart prune --entries vms
	assert_usage_error prune 'at least one pruning criteria must be specified'
}

@test 'prune: bad values' {
	tart prune --entries everything --older-than 1
	assert_usage_error prune 'unsupported --entries value, please specify either "caches" or "vms"'
	tart prune --older-than=-1
	assert_usage_error prune "The value '-1' is invalid for '--older-than <n>'"
	tart prune --space-budget 1 --cache-budget 1
	assert_usage_error prune '--cache-budget is deprecated, please use --space-budget'
}

@test 'prune: nothing there' {
	for arguments in '--gc' '--older-than 0' '--space-budget 0' '--entries vms --older-than 0'; do
		# shellcheck disable=SC2086
		tart prune $arguments
		assert_success
		assert_equal "$output$stderr" ''
	done
}

@test 'prune --older-than: cached images by access time, with their tags' {
	make_image h/ns 1 old
	make_image h/ns 2 new
	make_bundle "$TART_HOME/vms/vm"
	age "$(image_folder h/ns 1)" 8
	age "$(image_folder h/ns 2)" 6
	age "$TART_HOME/vms/vm" 100
	tart prune --older-than 7
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(listed)" "vm h/ns:new $(image 2)"
	run find "$TART_HOME/cache/OCIs" -type l -name old
	assert_output ''
	assert_tmp_empty
	tart prune --older-than 0
	assert_equal "$(listed)" vm
}

@test 'prune --older-than: more days than there were' {
	make_image h/ns 1 t
	age "$(image_folder h/ns 1)" 1000
	for days in 30000 200000000000000 18446744073709551615; do
		tart prune --older-than "$days"
		assert_success
	done
	assert_equal "$(listed)" "h/ns:t $(image 1)"
}

@test 'prune --entries vms: those that are not running' {
	for name in old running new; do
		make_bundle "$TART_HOME/vms/$name"
	done
	make_image h/ns 1 t
	age "$TART_HOME/vms/old" 8
	age "$TART_HOME/vms/running" 8
	age "$(image_folder h/ns 1)" 8
	hold_vm running
	tart prune --entries vms --older-than 7
	assert_success
	assert_equal "$(listed)" "new running h/ns:t $(image 1)"
	tart prune --entries=vms --space-budget=0
	assert_success
	assert_equal "$(listed)" "running h/ns:t $(image 1)"
}

@test 'prune --space-budget: the last used ones stay, and older ones that still fit' {
	# The limit is counted in GiB; what is counted are blocks, so that a sparse GiB is cheap to make.
	for digit in 1 2 3 4; do
		make_image h/ns "$digit" "t$digit"
		age "$(image_folder h/ns "$digit")" "$digit"
	done
	requires_blocks
	fallocate -l 600M "$(image_folder h/ns 1)/disk.img"
	fallocate -l 500M "$(image_folder h/ns 2)/disk.img"
	fallocate -l 300M "$(image_folder h/ns 3)/disk.img"
	fallocate -l 200M "$(image_folder h/ns 4)/disk.img"
	tart prune --space-budget 1
	assert_success
	assert_equal "$output$stderr" ''
	# 600 stays, 500 does not fit, 300 does, 200 no more.
	assert_equal "$(listed)" "h/ns:t1 h/ns:t3 $(image 1) $(image 3)"
}

@test 'prune: age first, then space' {
	for digit in 1 2 3; do
		make_image h/ns "$digit" "t$digit"
		age "$(image_folder h/ns "$digit")" "$digit"
	done
	requires_blocks
	fallocate -l 100M "$(image_folder h/ns 1)/disk.img"
	fallocate -l 1000M "$(image_folder h/ns 2)/disk.img"
	fallocate -l 100M "$(image_folder h/ns 3)/disk.img"
	tart prune --older-than 3 --space-budget 1
	assert_success
	assert_equal "$(listed)" "h/ns:t1 $(image 1)"
}

requires_blocks() {
	[ "$(stat -f -c %a "$BATS_TEST_TMPDIR")" -gt $((3 << 30 >> 12)) ] || skip 'needs 3 GiB of disk space'
}

@test 'prune --cache-budget: an old name, with a note when all is done' {
	make_image h/ns 1 t
	tart prune --cache-budget 0
	assert_success
	assert_equal "$output" ''
	assert_equal "$stderr" '--cache-budget is deprecated, please use --space-budget'
	assert_equal "$(listed)" ''
	tart prune --help
	refute_output --partial cache-budget
	refute_output --partial -- --gc
	tart prune --help-hidden
	assert_output --partial -- --cache-budget
	assert_output --partial -- --gc
}

@test 'prune: macOS restore images' {
	mkdir -p "$TART_HOME/cache/IPSWs"
	touch -a -d '10 days ago' "$TART_HOME/cache/IPSWs/"{a.ipsw,other.txt}
	touch "$TART_HOME/cache/IPSWs/b.ipsw"
	tart prune --older-than 7
	assert_success
	run ls "$TART_HOME/cache/IPSWs"
	assert_output $'b.ipsw\nother.txt'
	echo more >"$TART_HOME/cache/IPSWs/b.ipsw"
	tart prune --space-budget 0
	assert_success
	run ls "$TART_HOME/cache/IPSWs"
	assert_output other.txt
}

@test 'prune: what is in use is skipped, the rest goes' {
	make_image h/ns 1 a
	make_image h/ns 2 b
	hold_lock record "$(image_folder h/ns 1)/config.json"
	tart prune --older-than 0
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(listed)" "h/ns:a $(image 1)"
}

@test 'prune --gc: links to nowhere, images without a link' {
	make_image h/ns 1 kept moved
	make_image h/ns 2 lonely
	make_image h/ns 3
	make_image h/ns 4
	make_image g/deep/ns 5
	touch "$(image_folder h/ns 4)/.explicitly-pulled"
	rm "$TART_HOME/cache/OCIs/h/ns/lonely"
	ln -sfn "$(image_folder h/ns 9)" "$TART_HOME/cache/OCIs/h/ns/moved"
	tart prune --gc
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(listed)" "h/ns:kept $(image 1) $(image 4)"
	run find "$TART_HOME/cache/OCIs" -mindepth 2 -printf '%P\n'
	refute_line --partial deep
	refute_line --partial moved
	assert_tmp_empty
}

@test 'prune --gc: relative links count; an image in use stays' {
	make_image h/ns 1
	ln -s "sha256:$(hex_of 1)" "$TART_HOME/cache/OCIs/h/ns/t"
	make_image h/ns 2
	hold_lock record "$(image_folder h/ns 2)/config.json"
	tart prune --gc
	assert_success
	assert_equal "$(listed)" "h/ns:t $(image 1) $(image 2)"
}

@test 'prune --gc: nothing outside is removed' {
	make_bundle "$BATS_TEST_TMPDIR/outside/sha256:$(hex_of 1)"
	mkdir -p "$TART_HOME/cache/OCIs/h"
	ln -s "$BATS_TEST_TMPDIR/outside" "$TART_HOME/cache/OCIs/h/ns"
	ln -s "$BATS_TEST_TMPDIR/outside" "$TART_HOME/cache/OCIs/g"
	tart prune --gc
	assert_success
	assert_file_exist "$BATS_TEST_TMPDIR/outside/sha256:$(hex_of 1)/config.json"
	tart prune --older-than 0
	assert_success
	assert_file_exist "$BATS_TEST_TMPDIR/outside/sha256:$(hex_of 1)/config.json"
}

@test 'prune: a cache that is a link to somewhere else' {
	mkdir -p "$BATS_TEST_TMPDIR/elsewhere" "$TART_HOME"
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$TART_HOME/cache"
	make_image h/ns 1 t
	tart list --quiet --source oci
	assert_line "$(image 1)"
	tart fqn h/ns:t
	assert_output "$(image 1)"
	tart prune --older-than 0
	assert_success
	assert_equal "$(listed)" ''
	assert_tmp_empty
}

@test 'prune --gc: unfinished pulls, but for those at work' {
	pull=$TART_HOME/tmp/pull-$(hex_of 1 | cut -c-32)
	mkdir -p "$pull" "${pull%1}2"
	echo 'so far' >"$pull/disk.img"
	hold_lock flock "${pull%1}2"
	tart list
	assert_success
	assert_file_exist "$pull/disk.img"
	tart prune --older-than 0
	assert_success
	assert_file_exist "$pull/disk.img"
	tart prune --gc
	assert_success
	assert_equal "$output$stderr" ''
	run ls "$TART_HOME/tmp"
	assert_output "$(basename "${pull%1}2")"
}

@test 'unfinished pulls of yesterday are collected' {
	pull=$TART_HOME/tmp/pull-$(hex_of 1 | cut -c-32)
	mkdir -p "$pull"
	echo 'so far' >"$pull/disk.img"
	touch -d '25 hours ago' "$pull/disk.img" "$pull"
	tart list
	assert_success
	assert_tmp_empty
}
