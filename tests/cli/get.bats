#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart get.

load ../lib/common
load ../lib/store

@test 'get: the table' {
	make_bundle "$TART_HOME/vms/vm"
	truncate -s 50000000000 "$TART_HOME/vms/vm/disk.img"
	tart get vm
	assert_success
	assert_equal "$stderr" ''
	assert_equal "${#lines[@]}" 2
	assert_equal "${lines[0]}" 'OS    CPU Memory Disk DiskFormat Size  Display  State  '
	[[ ${lines[1]} =~ ^'linux 2   1024   50   raw        0.0'[0-9]{2}' 1024x768 stopped'$ ]]
}

@test 'get: JSON, in the order of the interface' {
	make_bundle "$TART_HOME/vms/vm"
	truncate -s 2999999000 "$TART_HOME/vms/vm/disk.img"
	tart get vm --format json
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" \
		'OS CPU Memory Disk DiskFormat Size Display Running State'
	assert_equal "$(jq -c '[.Disk, .Running, (.Size | type)]' <<<"$output")" '[2,false,"string"]'
	assert_equal "${lines[1]}" '  "OS" : "linux",'
}

@test 'get: Disk counts all three files, Size what they occupy' {
	make_bundle "$TART_HOME/vms/vm"
	cd "$TART_HOME/vms/vm" || return
	# 1 GB in all, to the byte: config, disk and nvram.
	truncate -s "$((1000000000 - $(stat -c %s config.json) - $(stat -c %s nvram.bin)))" disk.img
	tart get vm --format json
	assert_equal "$(jq .Disk <<<"$output")" 1
	truncate -s -1 disk.img
	tart get vm --format json
	assert_equal "$(jq .Disk <<<"$output")" 0

	head -c 12345678 /dev/urandom >disk.img
	tart get vm --format json
	blocks=$(stat -c %b config.json disk.img nvram.bin | awk "{ sum += \$1 } END { print sum }")
	assert_equal "$(jq -r .Size <<<"$output")" "$(awk "BEGIN { printf \"%.3f\", $blocks * 512 / 1e9 }")"
}

@test 'get: displays' {
	make_bundle "$TART_HOME/vms/vm"
	for unit in '' pt px; do
		tart set vm --display "1920x1080$unit"
		assert_success
		tart get vm --format json
		assert_equal "$(jq -r .Display <<<"$output")" "1920x1080$unit"
	done
}

@test 'get: states' {
	make_bundle "$TART_HOME/vms/vm"
	make_suspended vm
	tart get vm --format json
	assert_equal "$(jq -c '[.State, .Running]' <<<"$output")" '["suspended",false]'
	hold_vm vm
	tart get vm --format json
	assert_equal "$(jq -c '[.State, .Running]' <<<"$output")" '["running",true]'
	release_lock
	tart get vm --format json
	assert_equal "$(jq -c '[.State, .Running]' <<<"$output")" '["suspended",false]'
}

@test 'get: a macOS VM' {
	make_bundle "$TART_HOME/vms/mac"
	cat >"$TART_HOME/vms/mac/config.json" <<-'EOF'
		{"version":1,"cpuCountMin":4,"cpuCount":4,"memorySizeMin":4294967296,"memorySize":4294967296,
		"macAddress":"7a:65:e4:3f:b2:03","ecid":"YQ==","hardwareModel":"YQ==","diskFormat":"asif"}
	EOF
	tart get mac --format json
	assert_success
	assert_equal "$(jq -c '[.OS, .DiskFormat]' <<<"$output")" '["darwin","asif"]'
}

@test 'get: an overlay shows the disk that the guest sees' {
	make_vm vm
	TART_CLONE=overlay tart clone vm copy
	assert_success
	tart set copy --disk-size 3
	assert_success
	tart get copy --format json
	assert_equal "$(jq -c '[.Disk, .DiskFormat]' <<<"$output")" '[3,"raw"]'
	tart get vm --format json
	assert_equal "$(jq .Disk <<<"$output")" 1
}

@test 'get: no such VM, an incomplete one, no name' {
	tart get nosuch
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'

	make_bundle "$TART_HOME/vms/vm"
	rm "$TART_HOME/vms/vm/nvram.bin"
	tart get vm
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'

	tart get
	assert_usage_error get "Missing expected argument '<name>'"
	tart get vm --format xml
	assert_usage_error get "The value 'xml' is invalid for '--format <format>'. Please provide one of 'text' and 'json'."
}

@test 'get: names do not lead out of the home' {
	make_bundle "$BATS_TEST_TMPDIR/outside"
	make_bundle "$TART_HOME/vms/vm"
	for name in ../../outside "$BATS_TEST_TMPDIR/outside" vm/../vm . .. '' ./vm; do
		tart get "$name"
		assert_failure 2
		assert_equal "$stderr" "the specified VM \"$name\" does not exist"
	done
}

@test 'get: a remote name is no local VM' {
	make_image ghcr.io/a/b 1 latest
	tart get ghcr.io/a/b
	assert_failure 2
}

@test 'get: a config.json that says nothing sensible' {
	make_bundle "$TART_HOME/vms/vm"
	echo '{"version":1' >"$TART_HOME/vms/vm/config.json"
	tart get vm
	assert_failure 1
	assert_equal "$output" ''
	assert_regex "$stderr" '^Error: .*config.json'
}

@test 'get: marks the VM as used, and only that' {
	make_bundle "$TART_HOME/vms/vm"
	touch -d '2020-02-02T02:02:02Z' "$TART_HOME/vms/vm"
	touch -a -d '2008-09-28T23:15:00Z' "$TART_HOME/vms/vm"
	tart get vm
	assert_success
	assert_equal "$(stat -c %Y "$TART_HOME/vms/vm")" "$(date -d 2020-02-02T02:02:02Z +%s)"
	[ "$(accessed "$TART_HOME/vms/vm")" -ge "$(($(date +%s) - 60))" ]
}

@test 'get: a VM that is a link to a bundle elsewhere' {
	make_bundle "$BATS_TEST_TMPDIR/elsewhere"
	mkdir -p "$TART_HOME/vms"
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$TART_HOME/vms/vm"
	tart get vm
	assert_success
	assert_vms vm
}
