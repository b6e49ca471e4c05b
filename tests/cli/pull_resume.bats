#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What an unfinished pull leaves, and what the next one makes of it; names that share a path; configurations on their way
# there and back.

load ../lib/common
load ../lib/store
load ../lib/registry
load ../lib/pulled
load ../lib/faults
load ../lib/mount

setup() {
	common_setup
	start_registry --layout "$project/tests/data/oci/layout" images --layout "$project/tests/data/oci/layout" images/ok
	image=$registry/images:ok
	big=$(jq -r '[.layers[] | select(.mediaType | test("disk.v2")).digest][2]' \
		"$project/tests/data/oci/layout/blobs/$(case_of ok manifest | tr : /)")
}

# Ends a pull before its last layer, and says where its work lies.
leave_unfinished() {
	spoil "GET /blobs/$big * drop"
	tart pull --insecure "$image"
	assert_one_error
	no_faults
	forget_requests
	left=$(echo "$TART_HOME"/tmp/pull-*)
	assert_exist "$left/disk.img"
}

assert_resumed() { # BLOBS: as many were asked for
	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
	assert_equal "$(count_requests GET /blobs/)" "$1"
}

# Config and NVRAM may come again: they are small.
assert_disk_resumed() { # LAYERS
	local layers

	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
	layers=$(requests GET /blobs/ | cut -d ' ' -f 2 | grep -c -F -f <(disk_layers))
	assert_equal "$layers" "$1"
}

disk_layers() {
	jq -r '.layers[] | select(.mediaType | test("disk.v2")).digest' \
		"$project/tests/data/oci/layout/blobs/$(case_of ok manifest | tr : /)"
}

teardown() {
	unmount_all
	common_teardown
}

@test 'resume: layers that are there are not fetched' {
	leave_unfinished
	assert_disk_resumed 1
}

@test 'resume: over a foreign disk full of other bytes' {
	leave_unfinished
	head -c 9000000 /dev/zero | tr '\0' '\377' >"$left/foreign"
	mv "$left/foreign" "$left/disk.img"
	assert_disk_resumed 3
}

@test 'resume: over whatever lies there' {
	local rubbish

	for rubbish in 'rm disk.img' 'rm disk.journal' 'echo rubbish >disk.journal' 'truncate -s 20 disk.journal' \
		'truncate -s -3 disk.journal' 'printf x >>disk.journal' 'truncate -s 100 disk.img' 'truncate -s 20000000 disk.img' \
		'rm disk.img && mkdir disk.img' 'rm disk.img && ln -s /etc/passwd disk.img' 'rm disk.img && mkfifo disk.img' \
		'rm disk.journal && mkdir disk.journal' 'rm -f config.json && mkdir config.json' 'echo "{}" >config.json' \
		'echo x >nvram.bin' 'mkdir more && echo x >more/file' 'chmod 000 disk.img'; do
		fresh_home
		leave_unfinished
		(cd "$left" && eval "$rubbish")
		tart pull --insecure "$image"
		assert_success
		assert_image_pulled "$image" ok
		assert_not_exist "$(cached_dir "$image")/more"
	done
}

@test 'resume: other commands leave it alone' {
	leave_unfinished
	tart list
	tart prune --older-than 0
	tart create --linux --disk-size 1 vm
	assert_success
	rm -rf "$TART_HOME/vms"
	assert_disk_resumed 1
}

@test 'resume: a pull that was killed' {
	spoil "GET /blobs/$big * stall at=100000"
	background "$TART" pull --insecure "$image" >"$BATS_TEST_TMPDIR/out" 2>&1
	wait_until is_met stall
	kill -KILL "$background_pid"
	wait "$background_pid" 2>/dev/null || true
	no_faults
	assert_nothing_kept
	tart list --quiet
	assert_equal "$output" ''
	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
}

@test 'resume: where the disk is full' {
	make_file_system ext4 24
	export TART_HOME=$BATS_TEST_TMPDIR/mnt/home
	mkdir -p "$TART_HOME"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/mnt/filler" bs=64k status=none 2>/dev/null || true
	truncate -s -300000 "$BATS_TEST_TMPDIR/mnt/filler"
	tart pull --insecure "$image"
	assert_one_error 'No space left'
	assert_nothing_kept
	rm "$BATS_TEST_TMPDIR/mnt/filler"
	tart pull --insecure "$image"
	assert_success
	assert_image_pulled "$image" ok
}

@test 'pull: a tag and a namespace of the same path' {
	local first=$registry/images:ok second=$registry/images/ok:ok-type-order before

	tart pull --insecure "$first"
	assert_success
	before=$(cd "$TART_HOME/cache" && find . | sort)
	tart pull --insecure "$second"
	assert_one_error
	assert_equal "$(cd "$TART_HOME/cache" && find . | sort)" "$before"
	assert_image_pulled "$first" ok
}

@test 'pull: a namespace where a tag belongs' {
	local folder

	folder=$TART_HOME/cache/OCIs/${registry/:/%3A}/images/ok/sha256:$(hex_of a)
	make_bundle "$folder"
	tart pull --insecure "$image"
	assert_one_error
	assert_exist "$folder/disk.img"
	assert_equal "$(count_requests GET /blobs/)" 0
}

@test 'push: what nobody knows in a configuration comes back as it was' {
	local source=$registry/images:ok-unknown-config-keys target=$registry/mine/vm:v1 dir

	tart clone --insecure "$source" vm
	assert_success
	tart set vm --cpu 3
	assert_success
	tart push --insecure vm "$target"
	assert_success
	fresh_home
	tart pull --insecure "$target"
	assert_success
	dir=$(cached_dir "$target")
	assert_equal "$(jq .cpuCount "$dir/config.json")" 3
	# To the letter: jq itself would round some of these numbers.
	assert_equal "$(future_of "$dir/config.json")" \
		"$(future_of "$project/tests/data/oci/layout/blobs/$(case_of ok-unknown-config-keys config_sha256 | tr : /)")"
}

# The object under "future", without blanks, keys sorted, numbers as they are spelled.
future_of() { # FILE
	python3 -c 'import json, sys
print(json.dumps(json.load(open(sys.argv[1]), parse_int=lambda n: "number " + n, parse_float=lambda n: "number " + n)["future"],
	sort_keys=True))' "$1"
}
