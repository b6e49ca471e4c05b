#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart list.

load ../lib/common
load ../lib/store

@test 'list: nothing there' {
	tart list
	assert_success
	assert_equal "$output$stderr" ''
	run bash -c '"$TART" list | od -An -c'
	assert_output '  \n'
	tart list --quiet
	assert_success
	run bash -c '"$TART" list --quiet | wc -c'
	assert_output 0
	tart list --format json
	assert_equal "$output" $'[\n\n]'
	# Looking creates nothing but what every command does.
	run ls -A "$TART_HOME"
	assert_output $'cache\ntmp'
}

@test 'list: local VMs, then images, each sorted by bytes' {
	for name in b B a10 a9; do
		make_bundle "$TART_HOME/vms/$name"
	done
	make_image ghcr.io/z/y 1 latest 1.0
	make_image 127.0.0.1:5000/org/img 2 main
	tart list --quiet
	assert_success
	assert_equal "$output" "$(
		cat <<-EOF
			B
			a10
			a9
			b
			127.0.0.1:5000/org/img:main
			127.0.0.1:5000/org/img@sha256:$(hex_of 2)
			ghcr.io/z/y:1.0
			ghcr.io/z/y:latest
			ghcr.io/z/y@sha256:$(hex_of 1)
		EOF
	)"
	tart list --quiet --source local
	assert_equal "${#lines[@]}" 4
	tart list -q --source oci --format json
	assert_equal "${#lines[@]}" 5
}

@test 'list: the table and JSON' {
	make_bundle "$TART_HOME/vms/vm"
	touch -a -d '3 hours ago' "$TART_HOME/vms/vm"
	tart list
	assert_success
	assert_equal "${lines[0]}" 'Source Name Disk Size Accessed    State  '
	assert_equal "${lines[1]}" 'local  vm   0    0    3 hours ago stopped'

	touch -a -d 2026-05-12T21:45:18Z "$TART_HOME/vms/vm"
	make_image h/ns 1 t
	truncate -s 50000000000 "$(image_folder h/ns 1)/disk.img"
	touch -a -d 2024-02-29T00:00:00Z "$(image_folder h/ns 1)"
	tart list --format json
	assert_success
	assert_equal "$output" "$(
		cat <<-EOF
			[
			  {
			    "Source" : "local",
			    "Name" : "vm",
			    "Disk" : 0,
			    "Size" : 0,
			    "Accessed" : "2026-05-12T21:45:18Z",
			    "Running" : false,
			    "State" : "stopped"
			  },
			  {
			    "Source" : "OCI",
			    "Name" : "h/ns:t",
			    "Disk" : 50,
			    "Size" : 0,
			    "Accessed" : "2024-02-29T00:00:00Z",
			    "Running" : false,
			    "State" : "stopped"
			  },
			  {
			    "Source" : "OCI",
			    "Name" : "h/ns@sha256:$(hex_of 1)",
			    "Disk" : 50,
			    "Size" : 0,
			    "Accessed" : "2024-02-29T00:00:00Z",
			    "Running" : false,
			    "State" : "stopped"
			  }
			]
		EOF
	)"
}

@test 'list: states' {
	for name in off on asleep; do
		make_bundle "$TART_HOME/vms/$name"
	done
	make_suspended asleep
	hold_vm on
	tart list --format json
	assert_equal "$(jq -c '[.[] | [.Name, .State, .Running]]' <<<"$output")" \
		'[["asleep","suspended",false],["off","stopped",false],["on","running",true]]'
}

@test 'list: --source' {
	tart list --source remote
	assert_usage_error list "'remote' is not a valid <source>"
	tart list --source LOCAL
	assert_usage_error list "'LOCAL' is not a valid <source>"
}

@test 'list: does not disturb access times' {
	make_bundle "$TART_HOME/vms/vm"
	make_image h/ns 1 t
	touch -a -d 2008-09-28T23:15:00Z "$TART_HOME/vms/vm" "$(image_folder h/ns 1)" "$TART_HOME/vms" \
		"$TART_HOME/cache/OCIs/h/ns" "$TART_HOME/cache/OCIs/h"
	tart list
	assert_success
	for folder in vms/vm vms cache/OCIs/h/ns cache/OCIs/h "cache/OCIs/h/ns/sha256:$(hex_of 1)"; do
		assert_equal "$(accessed "$TART_HOME/$folder")" "$(date -d 2008-09-28T23:15:00Z +%s)"
	done
}

@test 'list: skips what is no VM' {
	make_bundle "$TART_HOME/vms/good"
	make_bundle "$TART_HOME/vms/half"
	rm "$TART_HOME/vms/half/nvram.bin"
	mkdir "$TART_HOME/vms/empty"
	touch "$TART_HOME/vms/file"
	ln -s nowhere "$TART_HOME/vms/dangling"
	make_bundle "$TART_HOME/vms/"$'bad\nname'
	tart list
	assert_success
	assert_equal "$stderr" ''
	assert_equal "${#lines[@]}" 2
	assert_vms good
}

@test 'list: a VM whose config.json is broken is listed all the same' {
	make_bundle "$TART_HOME/vms/bad"
	make_bundle "$TART_HOME/vms/good"
	echo '{' >"$TART_HOME/vms/bad/config.json"
	tart list --format json
	assert_success
	assert_equal "$(jq -r '[.[].Name] | join(" ")' <<<"$output")" 'bad good'
}

@test 'list: a disk that cannot be measured hides its VM, not the others' {
	make_bundle "$TART_HOME/vms/bad"
	make_bundle "$TART_HOME/vms/good"
	echo 'not a qcow2 file' >"$TART_HOME/vms/bad/overlay.qcow2"
	tart list --format json
	assert_success
	assert_equal "$(jq -r '[.[].Name] | join(" ")' <<<"$output")" good
}

@test 'list: does not look into images or through links' {
	make_image h/ns 1 t
	make_bundle "$(image_folder h/ns 1)/inner"
	make_bundle "$BATS_TEST_TMPDIR/outside/x/sha256:$(hex_of 2)"
	ln -s "$BATS_TEST_TMPDIR/outside" "$TART_HOME/cache/OCIs/outside"
	ln -s "$BATS_TEST_TMPDIR/outside/x" "$TART_HOME/cache/OCIs/h/x"
	tart list --quiet
	assert_equal "$output" "$(printf 'h/ns:t\nh/ns@sha256:%s' "$(hex_of 1)")"
}

@test 'list: a tag whose image is gone' {
	make_image h/ns 1 t
	rm -r "$(image_folder h/ns 1)"
	tart list --quiet
	assert_success
	assert_equal "$output" ''
}

@test 'list: an image with a relative link, and one below a deep namespace' {
	make_image h/a/b/c/d 1
	ln -s "sha256:$(hex_of 1)" "$TART_HOME/cache/OCIs/h/a/b/c/d/v1"
	tart list --quiet
	assert_equal "$output" "$(printf 'h/a/b/c/d:v1\nh/a/b/c/d@sha256:%s' "$(hex_of 1)")"
}

@test 'list: the size of a disk shared with other VMs counts for none of them' {
	make_vm base
	head -c 20000000 /dev/urandom >"$TART_HOME/vms/base/disk.img"
	truncate -s 1000000000 "$TART_HOME/vms/base/disk.img"
	tart get base --format json
	assert_equal "$(jq -r '.Size | tonumber > 0.02' <<<"$output")" true
	TART_CLONE=overlay tart clone base copy
	assert_success
	for name in base copy; do
		tart get "$name" --format json
		assert_equal "$(jq -r '.Size | tonumber < 0.002' <<<"$output")" true
	done
	tart delete base
	tart get copy --format json
	assert_equal "$(jq -r '.Size | tonumber > 0.02' <<<"$output")" true
}

@test 'list, fqn, delete: an image chosen from an index, by the digest of the index' {
	make_image h/ns 1 "sha256:$(hex_of 9)"
	tart list --quiet
	assert_output "$(printf 'h/ns@sha256:%s\nh/ns@sha256:%s' "$(hex_of 1)" "$(hex_of 9)")"
	tart fqn "h/ns@sha256:$(hex_of 9)"
	assert_output "h/ns@sha256:$(hex_of 1)"
	tart clone "h/ns@sha256:$(hex_of 9)" vm
	assert_success
	tart prune --gc
	assert_success
	tart list --quiet --source oci
	assert_output --partial "$(hex_of 1)"
	tart delete "h/ns@sha256:$(hex_of 9)"
	assert_success
	tart list --quiet
	assert_output vm
}
