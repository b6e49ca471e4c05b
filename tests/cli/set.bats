#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart set.

load ../lib/common
load ../lib/store

inode() { # NAME
	stat -c %i "$TART_HOME/vms/$1/config.json"
}

@test 'set: CPUs and memory' {
	make_vm vm
	tart set vm --cpu 2 --memory 1024
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(config_of vm cpuCount)" 2
	assert_equal "$(config_of vm cpuCountMin)" 4
	assert_equal "$(config_of vm memorySize)" 1073741824
	assert_tmp_empty
}

@test 'set: too few resources' {
	make_vm vm
	tart set vm --cpu 0
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'Error: VM should have 1 CPU cores at minimum (requested 0)'
	tart set vm --memory 127
	assert_failure 1
	assert_equal "$stderr" 'Error: VM should have 134217728 bytes of memory at minimum (requested 133169152)'
	tart set vm --memory 18446744073709551615
	assert_failure 1
	tart set vm --memory 128
	assert_success
	tart set vm --cpu 65536
	assert_usage_error set "The value '65536' is invalid for '--cpu <cpu>'"
	assert_equal "$(config_of vm cpuCount)" 4
}

@test 'set: a macOS VM has its own minimum, and no new serial number here' {
	make_bundle "$TART_HOME/vms/mac"
	cat >"$TART_HOME/vms/mac/config.json" <<-'EOF'
		{"version":1,"cpuCountMin":4,"cpuCount":4,"memorySizeMin":4294967296,"memorySize":4294967296,
		"macAddress":"7a:65:e4:3f:b2:03","ecid":"YQ==","hardwareModel":"YQ=="}
	EOF
	tart set mac --cpu 3
	assert_failure 1
	assert_equal "$stderr" 'Error: VM should have 4 CPU cores at minimum (requested 3)'
	tart set mac --memory 4095
	assert_failure 1
	tart set mac --random-serial
	assert_failure 1
	assert_regex "$stderr" '^Error: .*Apple hardware'
	tart set mac --cpu 5
	assert_success
	assert_equal "$(config_of mac ecid)" YQ==
	# Left out means a Mac: it is not filled in.
	assert_equal "$(config_of mac os)" null
}

@test 'set: --random-serial means nothing to others' {
	make_vm vm
	cp "$TART_HOME/vms/vm/config.json" "$BATS_TEST_TMPDIR/before"
	tart set vm --random-serial
	assert_success
	cmp "$BATS_TEST_TMPDIR/before" "$TART_HOME/vms/vm/config.json"
}

@test 'set: --display' {
	make_vm vm
	tart set vm --display 1234x5678px
	assert_success
	assert_equal "$(config_of vm 'display|tojson')" '{"height":5678,"unit":"px","width":1234}'
	tart set vm --display 800
	assert_success
	assert_equal "$(config_of vm 'display|tojson')" '{"height":5678,"width":800}'
	tart set vm --display x600pt
	assert_success
	assert_equal "$(config_of vm 'display|tojson')" '{"height":600,"unit":"pt","width":800}'
	tart set vm --display large
	assert_usage_error set "'large' is no display size, expected WIDTHxHEIGHT[pt|px]"
	assert_equal "$(config_of vm 'display|tojson')" '{"height":600,"unit":"pt","width":800}'
}

@test 'set: --display-refit stays until it is changed' {
	make_vm vm
	assert_equal "$(config_of vm displayRefit)" null
	tart set vm --display-refit
	assert_equal "$(config_of vm displayRefit)" true
	tart set vm --cpu 2
	assert_equal "$(config_of vm displayRefit)" true
	tart set vm --display-refit --no-display-refit
	assert_equal "$(config_of vm displayRefit)" false
	tart set vm
	assert_equal "$(config_of vm displayRefit)" false
}

@test 'set: --random-mac' {
	make_vm vm
	old=$(config_of vm macAddress)
	tart set vm --random-mac
	assert_success
	assert_not_equal "$(config_of vm macAddress)" "$old"
	[[ $(config_of vm macAddress) =~ ^[0-9a-f][26ae](:[0-9a-f]{2}){5}$ ]]
}

@test 'set: keeps what it does not know, and how numbers are spelled' {
	make_bundle "$TART_HOME/vms/vm"
	cat >"$TART_HOME/vms/vm/config.json" <<-'EOF'
		{"version":1,"os":"linux","arch":"arm64","cpuCountMin":2,"cpuCount":2,"memorySizeMin":1073741824,
		"memorySize":2147483648,"macAddress":"7a:65:e4:3f:b2:02","future":{"big":18446744073709551615,
		"odd":9007199254740993,"tiny":1.50e-7,"list":[null,true,"\u00e9\/"]},"displayRefit":true}
	EOF
	tart set vm --cpu 3
	assert_success
	assert_equal "$(cat "$TART_HOME/vms/vm/config.json")" "$(
		cat <<-'EOF'
			{
			  "arch" : "arm64",
			  "cpuCount" : 3,
			  "cpuCountMin" : 2,
			  "displayRefit" : true,
			  "future" : {
			    "big" : 18446744073709551615,
			    "list" : [
			      null,
			      true,
			      "é/"
			    ],
			    "odd" : 9007199254740993,
			    "tiny" : 1.50e-7
			  },
			  "macAddress" : "7a:65:e4:3f:b2:02",
			  "memorySize" : 2147483648,
			  "memorySizeMin" : 1073741824,
			  "os" : "linux",
			  "version" : 1
			}
		EOF
	)"
}

@test 'set: writes on the same inode, longer and shorter' {
	make_vm vm
	before=$(inode vm)
	tart set vm --display 4294967295x4294967295px --display-refit
	assert_success
	assert_equal "$(inode vm)" "$before"
	long=$(stat -c %s "$TART_HOME/vms/vm/config.json")
	tart set vm --display 1x1
	assert_success
	assert_equal "$(inode vm)" "$before"
	[ "$(stat -c %s "$TART_HOME/vms/vm/config.json")" -lt "$long" ]
	jq . "$TART_HOME/vms/vm/config.json"
}

@test 'set: a running VM stays running; its disk is not touched' {
	make_vm vm
	head -c 1000000 /dev/zero >"$BATS_TEST_TMPDIR/disk"
	hold_vm vm
	tart set vm --cpu 2 --memory 1024 --display 1x1 --random-mac --display-refit
	assert_success
	assert_equal "$(config_of vm cpuCount)" 2
	tart get vm --format json
	assert_equal "$(jq -r .State <<<"$output")" running

	for option in --disk="$BATS_TEST_TMPDIR/disk" --disk-size=2; do
		tart set vm --cpu 3 "$option"
		assert_failure 1
		assert_equal "$output" ''
		assert_equal "$stderr" 'VM "vm" is running'
		assert_equal "$(config_of vm cpuCount)" 2
		assert_equal "$(stat -c %s "$TART_HOME/vms/vm/disk.img")" 1000000000
	done
	assert_tmp_empty
}

@test 'set: a suspended VM keeps what its saved state depends on' {
	make_vm vm
	make_suspended vm
	touch "$BATS_TEST_TMPDIR/disk"
	cp "$TART_HOME/vms/vm/config.json" "$BATS_TEST_TMPDIR/before"
	for option in --cpu=2 --memory=1024 --random-mac --disk="$BATS_TEST_TMPDIR/disk" --disk-size=2; do
		tart set vm "$option"
		assert_failure 1
		assert_equal "$output" ''
		assert_equal "$stderr" "Error: VM \"vm\" is suspended, and ${option%%=*} would not fit its saved state: run it, or discard the state with \"tart stop vm\""
	done
	cmp "$TART_HOME/vms/vm/config.json" "$BATS_TEST_TMPDIR/before"
	tart set vm --display 1x1 --display-refit
	assert_success
	assert_file_exist "$TART_HOME/vms/vm/state.vzvmsave"
}

@test 'set: --disk-size' {
	make_vm vm
	echo data | dd of="$TART_HOME/vms/vm/disk.img" conv=notrunc status=none
	tart set vm --disk-size 2
	assert_success
	assert_equal "$(stat -c %s "$TART_HOME/vms/vm/disk.img")" 2000000000
	assert_equal "$(head -c 4 "$TART_HOME/vms/vm/disk.img")" data
	tart set vm --disk-size 2
	assert_success
	tart set vm --disk-size 1 --cpu 2
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'new disk size of 1 GB should be larger than the current disk size of 2 GB'
	# What comes before it is done.
	assert_equal "$(config_of vm cpuCount)" 2
}

@test 'set: --disk-size of an overlay grows the overlay alone' {
	make_vm base
	TART_CLONE=overlay tart clone base vm
	tart set vm --disk-size 3
	assert_success
	assert_equal "$(stat -c %s "$TART_HOME/vms/vm/disk.img")" 1000000000
	assert_equal "$(qemu-img info --output=json "$TART_HOME/vms/vm/overlay.qcow2" | jq '."virtual-size"')" 3000000000
	tart get base --format json
	assert_equal "$(jq .Disk <<<"$output")" 1
	tart set vm --disk-size 2
	assert_failure 1
	assert_equal "$stderr" 'new disk size of 2 GB should be larger than the current disk size of 3 GB'
}

@test 'set: --disk-size of a foreign disk' {
	make_bundle "$TART_HOME/vms/vm"
	sed -i 's/"version":1/"version":1,"diskFormat":"asif"/' "$TART_HOME/vms/vm/config.json"
	tart set vm --disk-size 2
	assert_failure 1
	assert_equal "$stderr" "Error: Disks of format 'asif' cannot be resized on this system."
	assert_equal "$(stat -c %s "$TART_HOME/vms/vm/disk.img")" 1024000
}

@test 'set: --disk puts a copy in place, holes and all' {
	make_vm vm
	(
		head -c 3000000 /dev/urandom
	) >"$BATS_TEST_TMPDIR/disk"
	truncate -s 500000000 "$BATS_TEST_TMPDIR/disk"
	tart set vm --disk "$BATS_TEST_TMPDIR/disk"
	assert_success
	assert_equal "$output$stderr" ''
	cmp "$TART_HOME/vms/vm/disk.img" "$BATS_TEST_TMPDIR/disk"
	[ "$(stat -c %b "$TART_HOME/vms/vm/disk.img")" -lt 20000 ]
	assert_not_equal "$(stat -c %i "$TART_HOME/vms/vm/disk.img")" "$(stat -c %i "$BATS_TEST_TMPDIR/disk")"
	assert_tmp_empty
	tart set vm --disk "$BATS_TEST_TMPDIR/disk" --disk-size 1
	assert_success
	assert_equal "$(stat -c %s "$TART_HOME/vms/vm/disk.img")" 1000000000
}

@test 'set: --disk replaces base and overlay, of this VM alone' {
	make_vm base
	TART_CLONE=overlay tart clone base vm
	before=$(sha256sum <"$TART_HOME/vms/base/disk.img")
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/disk"
	tart set vm --disk "$BATS_TEST_TMPDIR/disk"
	assert_success
	cmp "$TART_HOME/vms/vm/disk.img" "$BATS_TEST_TMPDIR/disk"
	assert_not_exist "$TART_HOME/vms/vm/overlay.qcow2"
	assert_not_exist "$TART_HOME/vms/vm/overlay.json"
	assert_equal "$(sha256sum <"$TART_HOME/vms/base/disk.img")" "$before"
}

@test 'set: --disk with its own disk' {
	make_vm vm
	echo data | dd of="$TART_HOME/vms/vm/disk.img" conv=notrunc status=none
	before=$(sha256sum <"$TART_HOME/vms/vm/disk.img")
	tart set vm --disk "$TART_HOME/vms/vm/disk.img"
	assert_success
	assert_equal "$(sha256sum <"$TART_HOME/vms/vm/disk.img")" "$before"
}

@test 'set: --disk that cannot be read' {
	make_vm vm
	tart set vm --disk "$BATS_TEST_TMPDIR/nosuch"
	assert_failure 1
	assert_equal "$stderr" "Error: cannot open '$BATS_TEST_TMPDIR/nosuch': No such file or directory"
	tart set vm --disk "$BATS_TEST_TMPDIR"
	assert_failure 1
	assert_equal "$stderr" "Error: '$BATS_TEST_TMPDIR' is not a regular file"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	tart set vm --disk "$BATS_TEST_TMPDIR/fifo"
	assert_failure 1
	# No ~ expansion: that is the shell's.
	tart set vm '--disk=~/disk'
	assert_failure 1
	assert_tmp_empty
}

@test 'set: without options rewrites the configuration' {
	make_bundle "$TART_HOME/vms/vm"
	tart set vm
	assert_success
	assert_equal "$(head -n 2 "$TART_HOME/vms/vm/config.json")" $'{\n  "arch" : "amd64",'
}

@test 'set: no such VM, an incomplete one, no name' {
	tart set nosuch --cpu 2
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	make_bundle "$TART_HOME/vms/half"
	rm "$TART_HOME/vms/half/disk.img"
	tart set half --cpu 2
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'
	tart set
	assert_usage_error set "Missing expected argument '<name>'"
}

@test 'set: many at once lose no change' {
	make_vm vm
	pids=()
	for value in 1 2 3 4 5 6 7 8; do
		"$TART" set vm --cpu "$value" 3>&- &
		pids+=($!)
		"$TART" set vm --memory $((value * 1000)) 3>&- &
		pids+=($!)
		"$TART" set vm --display "${value}00x${value}00" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	# Each key has one of the values it was given, and the file is whole.
	assert_not_equal "$(config_of vm memorySize)" 4294967296
	assert_not_equal "$(config_of vm display.width)" 1024
	tart get vm
	assert_success
}
