#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What depends on the file system of the home: clones by reflink, full disks, room made by clone, a home that is spread
# over several file systems. Each test mounts small ones of its own.

load ../lib/common
load ../lib/store
load ../lib/mount
load ../lib/registry

teardown() {
	unmount_all
	common_teardown
}

use_file_system() { # TYPE MIB
	make_file_system "$@"
	export TART_HOME=$BATS_TEST_TMPDIR/mnt/home
}

used_kib() {
	df --output=used -k "$BATS_TEST_TMPDIR/mnt" | tail -n 1
}

assert_shares_nothing_but_blocks() { # VM VM
	cmp "$TART_HOME/vms/$1/disk.img" "$TART_HOME/vms/$2/disk.img"
	assert_not_equal "$(stat -c %i "$TART_HOME/vms/$1/disk.img")" "$(stat -c %i "$TART_HOME/vms/$2/disk.img")"
	assert_not_exist "$TART_HOME/vms/$2/overlay.qcow2"
	[ -w "$TART_HOME/vms/$1/disk.img" ]
}

clones_by_reflink() { # TYPE
	use_file_system "$1" 512
	make_vm a
	tr '\0' x </dev/zero | dd of="$TART_HOME/vms/a/disk.img" bs=1M count=200 iflag=fullblock conv=notrunc status=none
	sync -f "$TART_HOME"
	before=$(used_kib)
	for name in b c d; do
		tart clone a "$name"
		assert_success
		assert_shares_nothing_but_blocks a "$name"
	done
	sync -f "$TART_HOME"
	# Three times 200 MiB would not even fit.
	[ $(($(used_kib) - before)) -lt 20000 ]
	TART_CLONE=reflink tart clone a e
	assert_success
}

@test 'btrfs: clones share blocks' {
	clones_by_reflink btrfs
}

@test 'xfs: clones share blocks' {
	clones_by_reflink xfs
}

@test 'btrfs: a running VM and an image are cloned by reflink, too' {
	use_file_system btrfs 256
	make_vm a
	hold_vm a
	make_image h/ns 1 t
	TART_CLONE=reflink tart clone a b
	assert_success
	TART_CLONE=reflink tart clone h/ns:t c
	assert_success
	assert_equal "$(stat -c %h "$(image_folder h/ns 1)/disk.img")" 1
}

@test 'ext4: reflinks on demand are refused, with the reason' {
	use_file_system ext4 64
	make_vm a
	TART_CLONE=reflink tart clone a b
	assert_failure 1
	assert_regex "$stderr" '^Error: .*reflink'
	assert_equal "${#stderr_lines[@]}" 1
	assert_vms a
	assert_tmp_empty
}

# A full disk: one line on stderr, nothing left, what was there still is.
assert_full() {
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" 'No space left on device'
	assert_tmp_empty
}

@test 'full disk: clone by copy' {
	use_file_system ext4 200
	make_vm a
	head -c 120000000 /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" conv=notrunc status=none
	before=$(used_kib)
	TART_CLONE=copy tart clone a b
	assert_full
	assert_vms a
	[ $(($(used_kib) - before)) -lt 1000 ]
	tart clone a b
	assert_success
}

@test 'full disk: set --disk' {
	use_file_system ext4 200
	make_vm a
	head -c 250000000 /dev/urandom >"$BATS_TEST_TMPDIR/disk"
	tart set a --disk "$BATS_TEST_TMPDIR/disk"
	assert_full
	assert_equal "$(stat -c %s "$TART_HOME/vms/a/disk.img")" 1000000000
	assert_vms a
}

fill_up() {
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/mnt/filler" bs=1M status=none 2>/dev/null || true
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/mnt/filler2" bs=1k status=none 2>/dev/null || true
	sync -f "$BATS_TEST_TMPDIR/mnt"
}

@test 'full disk: create, clone, set, and what still works' {
	for type in ext4 btrfs xfs; do
		use_file_system "$type" 350
		make_vm a
		make_vm old
		fill_up
		tart create --linux --disk-size 1 b
		assert_failure 1
		assert_equal "${#stderr_lines[@]}" 1
		assert_regex "$stderr" 'No space left on device'
		# It may fit, where a clone needs next to nothing: then it is whole.
		tart clone a c
		[ "$status" -eq 0 ] || assert_equal "${#stderr_lines[@]}" 1
		tart set a --cpu 2 --display 123456x123456px
		[ "$status" -eq 0 ] || assert_equal "${#stderr_lines[@]}" 1
		tart get a
		assert_success
		tart delete old
		assert_success
		tart list
		assert_success
		assert_tmp_empty
		for name in $("$TART" list --quiet); do
			tart get "$name"
			assert_success
		done
		unmount_all
	done
}

@test 'clone makes room: the image used longest ago goes, the source stays' {
	use_file_system ext4 300
	for digit in 1 2 3; do
		make_image h/ns "$digit" "t$digit"
		head -c 60000000 /dev/urandom >"$(image_folder h/ns "$digit")/disk.img"
		age "$(image_folder h/ns "$digit")" "$digit"
	done
	sync -f "$TART_HOME"
	# 30 MB more than are free could be written to a clone of this one.
	available=$(df --output=avail -B1 "$TART_HOME" | tail -n 1)
	truncate -s $((60000000 + available + 30000000)) "$(image_folder h/ns 3)/disk.img"
	TART_NO_AUTO_PRUNE='' tart clone h/ns:t3 vm
	assert_success
	tart list --quiet --source oci
	assert_equal "${#lines[@]}" 6

	tart delete vm
	tart clone h/ns:t3 vm --prune-limit 0
	assert_success
	tart list --quiet --source oci
	assert_equal "${#lines[@]}" 6

	tart delete vm
	age "$(image_folder h/ns 3)" 30
	tart clone h/ns:t3 vm
	assert_success
	assert_equal "$output$stderr" ''
	tart list --quiet --source oci
	assert_output "$(printf 'h/ns:t1\nh/ns:t3\nh/ns@sha256:%s\nh/ns@sha256:%s' "$(hex_of 1)" "$(hex_of 3)")"
}

@test 'clone makes no room when everything together would not do' {
	use_file_system ext4 300
	make_image h/ns 1 t1
	head -c 60000000 /dev/urandom >"$(image_folder h/ns 1)/disk.img"
	make_vm a
	tart clone a b
	assert_success
	tart list --quiet --source oci
	assert_line h/ns:t1
}

@test 'clone by copy makes room before it copies' {
	use_file_system ext4 300
	make_image h/ns 1 t1
	head -c 100000000 /dev/urandom >"$(image_folder h/ns 1)/disk.img"
	make_bundle "$TART_HOME/vms/a"
	head -c 100000000 /dev/urandom >"$TART_HOME/vms/a/disk.img"
	sync -f "$TART_HOME"
	TART_CLONE=copy tart clone a b
	assert_success
	cmp "$TART_HOME/vms/a/disk.img" "$TART_HOME/vms/b/disk.img"
	tart list --quiet --source oci
	assert_equal "$output" ''
}

# vms and cache on file systems of their own, as links.
spread_home() {
	make_file_system ext4 64 vms_fs
	make_file_system ext4 64 cache_fs
	mkdir -p "$TART_HOME"
	mkdir "$BATS_TEST_TMPDIR/vms_fs/vms" "$BATS_TEST_TMPDIR/cache_fs/cache"
	ln -s "$BATS_TEST_TMPDIR/vms_fs/vms" "$TART_HOME/vms"
	ln -s "$BATS_TEST_TMPDIR/cache_fs/cache" "$TART_HOME/cache"
}

@test 'vms and cache on other file systems' {
	spread_home
	make_vm a
	make_image h/ns 1 t
	tart clone a b
	assert_success
	tart clone h/ns:t c
	assert_success
	tart clone a b
	assert_success
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/disk"
	tart set a --disk "$BATS_TEST_TMPDIR/disk"
	assert_success
	cmp "$BATS_TEST_TMPDIR/disk" "$TART_HOME/vms/a/disk.img"
	assert_vms a b c
	tart rename c d
	assert_success
	tart delete b d h/ns:t
	assert_success
	tart list --quiet
	assert_equal "$output" a
	run ls -A "$TART_HOME/vms/" "$TART_HOME/cache/"
	refute_output --partial .tmp-
}

@test 'vms and cache on other file systems: the collector looks there, too' {
	spread_home
	make_vm a
	for folder in vms cache; do
		mkdir "$TART_HOME/$folder/.tmp-abandoned"
		mkdir "$TART_HOME/$folder/.tmp-held"
		touch "$TART_HOME/$folder/.tmp-abandoned/file"
		hold_lock flock "$TART_HOME/$folder/.tmp-held"
	done
	tart list --quiet
	assert_success
	assert_equal "$output" a
	run ls -A "$TART_HOME/vms/"
	assert_output $'.tmp-held\na'
	assert_not_exist "$TART_HOME/cache/.tmp-abandoned"
	assert_dir_exist "$TART_HOME/cache/.tmp-held"
}

@test 'clone makes room: unfinished pulls go before any image, but for one at work' {
	use_file_system ext4 300
	make_image h/ns 1 t1
	head -c 60000000 /dev/urandom >"$(image_folder h/ns 1)/disk.img"
	for n in 1 2; do
		mkdir -p "$TART_HOME/tmp/pull-$n"
		head -c 40000000 /dev/urandom >"$TART_HOME/tmp/pull-$n/disk.img"
	done
	hold_lock flock "$TART_HOME/tmp/pull-2"
	sync -f "$TART_HOME"
	available=$(df --output=avail -B1 "$TART_HOME" | tail -n 1)
	truncate -s $((60000000 + available + 20000000)) "$(image_folder h/ns 1)/disk.img"
	tart clone h/ns:t1 vm
	assert_success
	assert_not_exist "$TART_HOME/tmp/pull-1"
	assert_exist "$TART_HOME/tmp/pull-2/disk.img"
	tart list --quiet --source oci
	assert_line h/ns:t1
}

@test 'vms and cache on other file systems: an image is pulled where it stays' {
	spread_home
	start_registry --layout "$project/tests/data/oci/layout" images
	fault GET "/blobs/$(jq -r '.layers[2].digest' <(manifest_of ok))" '*' status code=404
	tart pull --insecure --concurrency 1 "$registry/images:ok"
	assert_failure 1
	run ls -A "$TART_HOME/tmp" "$TART_HOME/cache/"
	assert_line --regexp '^\.tmp-pull-[0-9a-f]{32}$'
	no_faults
	tart pull --insecure "$registry/images:ok"
	assert_success
	tart verify "$registry/images:ok"
	assert_success
	tart clone "$registry/images:ok" vm
	assert_success
	run ls -A "$TART_HOME/cache/"
	assert_output OCIs
	assert_tmp_empty
}

manifest_of() { # REF
	jq -r --arg ref "$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $ref).digest' \
		"$project/tests/data/oci/layout/index.json" | tr : / | sed "s|^|$project/tests/data/oci/layout/blobs/|" | xargs cat
}
