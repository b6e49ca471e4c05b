#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart create.

load ../lib/common
load ../lib/store

@test 'create: a VM with the defaults' {
	tart create --linux debian
	assert_success
	assert_equal "$output$stderr" ''
	assert_vms debian

	tart get debian --format json
	assert_success
	assert_equal "$(jq -c '[.OS, .CPU, .Memory, .Disk, .DiskFormat, .Display, .State]' <<<"$output")" \
		'["linux",4,4096,50,"raw","1024x768","stopped"]'
	assert_equal "$(stat -c %s "$TART_HOME/vms/debian/disk.img")" 50000000000
	assert_equal "$(stat -c %a "$TART_HOME/vms/debian")" 700
	assert_tmp_empty
}

@test 'create: what config.json says' {
	tart create --linux debian
	assert_success
	run jq -cS 'del(.macAddress, .arch)' "$TART_HOME/vms/debian/config.json"
	assert_output '{"cpuCount":4,"cpuCountMin":4,"diskFormat":"raw","display":{"height":768,"width":1024},"memorySize":4294967296,"memorySizeMin":4294967296,"os":"linux","version":1}'
	[[ $(config_of debian macAddress) =~ ^[0-9a-f][26ae](:[0-9a-f]{2}){5}$ ]]
	case $(uname -m) in
	x86_64) assert_equal "$(config_of debian arch)" amd64 ;;
	aarch64) assert_equal "$(config_of debian arch)" arm64 ;;
	esac
	# Two spaces a level, sorted, a blank on each side of the colon.
	assert_equal "$(sed -n 2p "$TART_HOME/vms/debian/config.json")" "  \"arch\" : \"$(config_of debian arch)\","
}

@test 'create: the disk takes no space' {
	tart create --linux debian
	assert_success
	assert_equal "$(stat -c %b "$TART_HOME/vms/debian/disk.img")" 0
}

@test 'create: every VM has another MAC' {
	for name in a b c; do
		make_vm "$name"
	done
	run sort -u <(for name in a b c; do config_of "$name" macAddress; done)
	assert_equal "${#lines[@]}" 3
}

@test 'create: --disk-size is in GB, of any number' {
	tart create --disk-size=7 --linux a
	assert_success
	assert_equal "$(stat -c %s "$TART_HOME/vms/a/disk.img")" 7000000000
	tart create b --linux --disk-size 65536
	assert_usage_error create "The value '65536' is invalid for '--disk-size <disk-size>'"
}

@test 'create: --arch' {
	tart create --linux --disk-size 1 --arch amd64 a
	assert_success
	assert_equal "$(config_of a arch)" amd64
	tart create --linux --disk-size 1 --arch arm64 b
	assert_success
	assert_equal "$(config_of b arch)" arm64
	# The variable store is that architecture's, and 64 MiB of nothing take no space.
	[ "$(stat -c %s "$TART_HOME/vms/a/nvram.bin")" -lt 1000000 ]
	assert_equal "$(stat -c %s "$TART_HOME/vms/b/nvram.bin")" 67108864
	assert_equal "$(stat -c %b "$TART_HOME/vms/b/nvram.bin")" 0
	tart create --linux --arch riscv64 c
	assert_usage_error create "The value 'riscv64' is invalid for '--arch <arch>'. Please provide one of 'arm64' and 'amd64'."
}

@test 'create: neither source given' {
	tart create debian
	assert_usage_error create 'Please specify either a --from-ipsw or --linux option!'
}

@test 'create: no macOS VMs, whatever else is given' {
	for arguments in '--from-ipsw latest' '--from-ipsw x --linux' '--from-ipsw x --disk-format asif'; do
		# shellcheck disable=SC2086
		tart create a/b $arguments
		assert_usage_error create 'macOS VMs cannot be created on Linux hosts'
	done
}

@test 'create: disk formats' {
	tart create --linux --disk-size 1 --disk-format RAW a
	assert_success
	for format in asif ASIF Asif; do
		tart create --linux --disk-format "$format" b
		assert_usage_error create "Disk format 'asif' is not supported on this system."
	done
	tart create --linux --disk-format invalid b
	assert_usage_error create "The value 'invalid' is invalid for '--disk-format <disk-format>'. Please provide one of 'raw' and 'asif'."
	assert_vms a
}

@test 'create: names that are none' {
	tart create --linux a/b
	assert_usage_error create '<name> should be a local name'
	tart create --linux ''
	assert_usage_error create '<name> should be a local name (it is empty)'
	tart create --linux .
	assert_usage_error create '<name> should be a local name (it means a directory)'
	tart create --linux ..
	assert_usage_error create '<name> should be a local name (it means a directory)'
	tart create --linux $'a\nb'
	assert_usage_error create '<name> should be a local name (it contains a control character)'
	tart create --linux "$(printf 'x%.0s' {1..256})"
	assert_usage_error create '<name> should be a local name (it is longer than 255 bytes)'
	tart create --linux .tmp-x
	assert_usage_error create "<name> should be a local name (it starts with '.tmp-', which marks temporary entries)"
	assert_not_exist "$TART_HOME/vms"
}

@test 'create: unusual names' {
	local long

	long=$(printf 'x%.0s' {1..255})
	for name in 'my vm' a:b .hidden touché "$long"; do
		tart create --linux --disk-size 1 "$name"
		assert_success
	done
	assert_vms .hidden a:b 'my vm' touché "$long"
}

@test 'create: no name' {
	tart create --linux
	assert_usage_error create "Missing expected argument '<name>'"
}

@test 'create: replaces a VM of that name, whole' {
	make_vm debian
	make_suspended debian
	echo old >"$TART_HOME/vms/debian/more"
	old=$(config_of debian macAddress)

	tart create --linux --disk-size 2 debian
	assert_success
	assert_vms debian
	assert_not_equal "$(config_of debian macAddress)" "$old"
	assert_equal "$(stat -c %s "$TART_HOME/vms/debian/disk.img")" 2000000000
	run ls -A "$TART_HOME/vms/debian"
	assert_output $'config.json\ndisk.img\nnvram.bin'
	assert_tmp_empty
}

@test 'create: replaces an incomplete VM' {
	make_vm debian
	rm "$TART_HOME/vms/debian/disk.img"
	tart create --linux --disk-size 1 debian
	assert_success
	assert_vms debian
	assert_tmp_empty
}

@test 'create: does not replace a running VM' {
	make_vm debian
	old=$(config_of debian macAddress)
	hold_vm debian

	tart create --linux --disk-size 1 debian
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'VM "debian" is running'
	assert_equal "$(config_of debian macAddress)" "$old"
	assert_tmp_empty
}

@test 'create: without firmware for the guest it says what to install' {
	TART_FIRMWARE_CODE=/nosuch TART_FIRMWARE_VARS=/nosuch tart create --linux --disk-size 1 debian
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "Error: TART_FIRMWARE_CODE: cannot read '/nosuch'"
	assert_tmp_empty
	assert_vms ''
}
