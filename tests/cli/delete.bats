#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart delete.

load ../lib/common
load ../lib/store

@test 'delete: a VM' {
	make_vm debian
	tart delete debian
	assert_success
	assert_equal "$output$stderr" ''
	tart list --quiet
	assert_equal "$output" ''
	assert_tmp_empty
}

@test 'delete: several, in order; the first failure stops' {
	for name in a b c; do
		make_vm "$name"
	done
	tart delete a nosuch c
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	assert_vms b c
	tart delete b c
	assert_success
	assert_vms ''
	tart delete
	assert_usage_error delete "Missing expected argument '<name> ...'"
}

@test 'delete: not a running VM' {
	make_vm vm
	hold_vm vm
	tart delete vm
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'VM "vm" is running'
	assert_vms vm
	release_lock
	tart delete vm
	assert_success
}

@test 'delete: a suspended VM, with everything in it' {
	make_vm vm
	make_suspended vm
	mkdir -p "$TART_HOME/vms/vm/more/and/more"
	touch "$TART_HOME/vms/vm/more/and/more/file"
	tart delete vm
	assert_success
	assert_not_exist "$TART_HOME/vms/vm"
	assert_tmp_empty
}

@test 'delete: incomplete VMs, if there is a config.json' {
	make_vm vm
	rm "$TART_HOME/vms/vm/"{disk.img,nvram.bin}
	tart delete vm
	assert_success
	assert_not_exist "$TART_HOME/vms/vm"
	mkdir "$TART_HOME/vms/vm"
	tart delete vm
	assert_failure 2
}

@test 'delete: follows no links' {
	make_bundle "$BATS_TEST_TMPDIR/elsewhere"
	mkdir -p "$TART_HOME/vms"
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$TART_HOME/vms/link"
	tart delete link
	assert_success
	assert_file_exist "$BATS_TEST_TMPDIR/elsewhere/config.json"
	assert_not_exist "$TART_HOME/vms/link"

	make_vm vm
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$TART_HOME/vms/vm/inside"
	tart delete vm
	assert_success
	assert_file_exist "$BATS_TEST_TMPDIR/elsewhere/config.json"
}

@test 'delete: names do not lead out of the home' {
	make_bundle "$BATS_TEST_TMPDIR/outside"
	mkdir -p "$TART_HOME/vms"
	for name in ../../outside .. . ''; do
		tart delete "$name"
		assert_failure 2
	done
	assert_file_exist "$BATS_TEST_TMPDIR/outside/config.json"
}

@test 'delete: the last tag takes the image with it' {
	make_image h/ns 1 a b
	tart delete h/ns:a
	assert_success
	assert_equal "$output$stderr" ''
	tart list --quiet
	assert_equal "$output" "$(printf 'h/ns:b\nh/ns@sha256:%s' "$(hex_of 1)")"
	tart delete h/ns:b
	assert_success
	tart list --quiet
	assert_equal "$output" ''
	assert_not_exist "$TART_HOME/cache/OCIs/h/ns"
	assert_tmp_empty
}

@test 'delete: no tag means latest' {
	make_image h/ns 1 latest
	tart delete h/ns
	assert_success
	tart list --quiet
	assert_equal "$output" ''
}

@test 'delete: an image pulled by digest stays when its last tag goes' {
	make_image h/ns 1 t
	touch "$(image_folder h/ns 1)/.explicitly-pulled"
	tart delete h/ns:t
	assert_success
	tart list --quiet
	assert_equal "$output" "h/ns@sha256:$(hex_of 1)"
	tart delete "h/ns@sha256:$(hex_of 1)"
	assert_success
	tart list --quiet
	assert_equal "$output" ''
}

@test 'delete: a digest takes the tags that lead to it' {
	make_image h/ns 1 a b
	make_image h/ns 2 c
	tart delete "h/ns@sha256:$(hex_of 1)"
	assert_success
	tart list --quiet
	assert_equal "$output" "$(printf 'h/ns:c\nh/ns@sha256:%s' "$(hex_of 2)")"
	run find "$TART_HOME/cache" -xtype l
	assert_output ''
}

@test 'delete: remote names that are not cached' {
	tart delete h/ns:t
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "h/ns:t" does not exist'
	make_image h/ns 1 a
	tart delete h/ns
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "h/ns" does not exist'
	tart delete "h/ns@sha256:$(hex_of 2)"
	assert_failure 2
	assert_equal "$stderr" "the specified VM \"h/ns@sha256:$(hex_of 2)\" does not exist"
	# The tag b of h/ns and the namespace h/ns/b share a path: one is not the other.
	make_image h/ns/b 3 latest
	tart delete h/ns:b
	assert_failure 2
	tart list --quiet
	assert_line h/ns/b:latest
}

@test 'delete: an image in use' {
	make_image h/ns 1 t
	hold_lock record "$(image_folder h/ns 1)/config.json"
	tart delete h/ns:t
	assert_failure 1
	assert_equal "$stderr" 'VM "h/ns:t" is running'
	tart delete "h/ns@sha256:$(hex_of 1)"
	assert_failure 1
	assert_equal "$stderr" "VM \"h/ns@sha256:$(hex_of 1)\" is running"
	tart list --quiet
	assert_line h/ns:t
}

@test 'delete: a link that leads nowhere' {
	make_image h/ns 1 t
	rm -r "$(image_folder h/ns 1)"
	tart delete h/ns:t
	assert_success
	run find "$TART_HOME/cache/OCIs" -type l
	assert_output ''
}

@test 'delete: waits for whoever holds the host, and says so' {
	make_image h/ns 1 t
	hold_lock flock "$TART_HOME/cache/OCIs/h"
	background "$TART" delete h/ns:t >"$BATS_TEST_TMPDIR/out"
	deleting=$background_pid
	wait_until grep -qx 'waiting for lock...' "$BATS_TEST_TMPDIR/out"
	assert_file_exist "$(image_folder h/ns 1)/config.json"
	release_lock
	wait "$deleting"
	assert_not_exist "$(image_folder h/ns 1)"
}

@test 'delete: a local VM whose name looks almost remote' {
	make_vm debian:latest
	tart delete debian:latest
	assert_success
	assert_vms ''
}
