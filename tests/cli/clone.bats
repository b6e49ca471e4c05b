#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart clone. tests/cli/file_systems.bats has what depends on the file system.

load ../lib/common
load ../lib/store

# Whatever way the disk came: what the guest of this VM reads.
disk_hash() { # NAME
	local folder=$TART_HOME/vms/$1

	if [ -e "$folder/overlay.qcow2" ]; then
		qemu-img convert -f qcow2 -O raw "$folder/overlay.qcow2" "$BATS_TEST_TMPDIR/flat"
		sha256sum <"$BATS_TEST_TMPDIR/flat"
	else
		sha256sum <"$folder/disk.img"
	fi
}

@test 'clone: a VM' {
	make_vm debian
	echo data >"$TART_HOME/vms/debian/disk.img"
	truncate -s 1000000000 "$TART_HOME/vms/debian/disk.img"
	tart clone debian ubuntu
	assert_success
	assert_equal "$output$stderr" ''
	assert_vms debian ubuntu
	assert_tmp_empty
	assert_not_equal "$(config_of debian macAddress)" "$(config_of ubuntu macAddress)"
	assert_equal "$(disk_hash debian)" "$(disk_hash ubuntu)"
	cmp "$TART_HOME/vms/debian/nvram.bin" "$TART_HOME/vms/ubuntu/nvram.bin"
	assert_equal "$(jq -S 'del(.macAddress)' "$TART_HOME/vms/debian/config.json")" \
		"$(jq -S 'del(.macAddress)' "$TART_HOME/vms/ubuntu/config.json")"
}

@test 'clone: of clones, and what the source was may go' {
	make_vm a
	echo data >"$TART_HOME/vms/a/disk.img"
	truncate -s 1000000000 "$TART_HOME/vms/a/disk.img"
	want=$(disk_hash a)
	tart clone a b
	tart clone b c
	tart clone c d
	assert_success
	tart delete a c
	assert_success
	assert_vms b d
	assert_equal "$(disk_hash b)" "$want"
	assert_equal "$(disk_hash d)" "$want"
}

@test 'clone: 50 GB need neither time nor space' {
	make_vm big
	tart set big --disk-size 50
	assert_success
	before=$(stat -f -c %a "$TART_HOME")
	for policy in auto copy overlay; do
		TART_CLONE=$policy tart clone big "$policy"
		assert_success
		run stat -c %b "$TART_HOME/vms/$policy/"{disk.img,nvram.bin,config.json}
		assert_success
		for blocks in "${lines[@]}"; do
			[ "$blocks" -lt 4000 ]
		done
		tart get "$policy" --format json
		assert_equal "$(jq .Disk <<<"$output")" 50
	done
	[ $((before - $(stat -f -c %a "$TART_HOME"))) -lt 100000 ]
}

@test 'clone: which files go with it' {
	make_bundle "$TART_HOME/vms/a"
	touch "$TART_HOME/vms/a/"{manifest.json,.explicitly-pulled,qemu.log,console.log,own.txt}
	echo vars >"$TART_HOME/vms/a/efivars.fd"
	TART_CLONE=copy tart clone a b
	assert_success
	run ls -A "$TART_HOME/vms/b"
	assert_output $'config.json\ndisk.img\nefivars.fd\nnvram.bin'
	cmp "$TART_HOME/vms/a/disk.img" "$TART_HOME/vms/b/disk.img"
	cmp "$TART_HOME/vms/a/efivars.fd" "$TART_HOME/vms/b/efivars.fd"
	assert_equal "$(stat -c %h "$TART_HOME/vms/b/disk.img")" 1
}

@test 'clone: unknown keys and numbers of config.json come along' {
	make_bundle "$TART_HOME/vms/a"
	cat >"$TART_HOME/vms/a/config.json" <<-'EOF'
		{"version":1,"os":"linux","cpuCountMin":1,"cpuCount":2,"memorySizeMin":1,"memorySize":1073741824,
		"macAddress":"7a:65:e4:3f:b2:01","future":{"big":18446744073709551615,"tiny":1.50e-7}}
	EOF
	tart clone a b
	assert_success
	grep -q '"big" : 18446744073709551615' "$TART_HOME/vms/b/config.json"
	grep -q '"tiny" : 1.50e-7' "$TART_HOME/vms/b/config.json"
	run grep arch "$TART_HOME/vms/b/config.json"
	assert_failure
}

@test 'clone: holes survive a copy, of the disk and of the variables' {
	make_vm a --arch arm64
	for offset in 0 300 700; do
		dd if=/dev/urandom of="$TART_HOME/vms/a/disk.img" bs=1M count=1 seek="$offset" conv=notrunc status=none
	done
	TART_CLONE=copy tart clone a b
	assert_success
	cmp "$TART_HOME/vms/a/disk.img" "$TART_HOME/vms/b/disk.img"
	[ "$(stat -c %b "$TART_HOME/vms/b/disk.img")" -le $((4 * 2048)) ]
	assert_equal "$(stat -c %b "$TART_HOME/vms/b/nvram.bin")" 0
}

@test 'clone: of a cached image keeps its MAC, the second one does not' {
	make_image ghcr.io/a/b 1 latest
	tart clone ghcr.io/a/b first
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(config_of first macAddress)" 7a:65:e4:3f:b2:01
	tart clone "ghcr.io/a/b@sha256:$(hex_of 1)" second
	assert_success
	assert_not_equal "$(config_of second macAddress)" 7a:65:e4:3f:b2:01
	assert_not_exist "$TART_HOME/vms/first/manifest.json"
	# The image is as it was.
	assert_not_exist "$(image_folder ghcr.io/a/b 1)/overlay.qcow2"
	assert_equal "$(disk_hash first)" "$(sha256sum <"$(image_folder ghcr.io/a/b 1)/disk.img")"
	tart delete ghcr.io/a/b "ghcr.io/a/b@sha256:$(hex_of 1)"
	assert_equal "$(disk_hash first)" "$(disk_hash second)"
}

@test 'clone: a MAC written differently is the same MAC' {
	make_bundle "$TART_HOME/vms/a" 0:1:2:A:B:C
	make_image h/ns 1 t
	sed -i s/7a:65:e4:3f:b2:01/00:01:02:0a:0b:0c/ "$(image_folder h/ns 1)/config.json"
	tart clone h/ns:t b
	assert_success
	assert_not_equal "$(config_of b macAddress)" 00:01:02:0a:0b:0c
}

@test 'clone: a broken VM does not stand in the way of the others' {
	make_bundle "$TART_HOME/vms/bad"
	echo '{' >"$TART_HOME/vms/bad/config.json"
	make_vm a
	tart clone a b
	assert_success
	tart clone bad c
	assert_failure 1
	assert_regex "$stderr" '^Error: VM "bad": config.json'
	assert_vms a b bad
	assert_tmp_empty
}

@test 'clone: of a suspended VM is suspended, with the same MAC' {
	make_vm a
	make_suspended a
	tart clone a b
	assert_success
	assert_equal "$(config_of a macAddress)" "$(config_of b macAddress)"
	cmp "$TART_HOME/vms/a/state.vzvmsave" "$TART_HOME/vms/b/state.vzvmsave"
	# The state of the source belongs to the disk it was saved with.
	assert_not_exist "$TART_HOME/vms/a/overlay.qcow2"
	rm "$TART_HOME/vms/b/state.vzvmsave"
	assert_file_exist "$TART_HOME/vms/a/state.vzvmsave"
}

@test 'clone: of a running VM leaves it alone' {
	make_vm a
	hold_vm a
	tart clone a b
	assert_success
	assert_not_exist "$TART_HOME/vms/a/overlay.qcow2"
	assert_not_equal "$(config_of a macAddress)" "$(config_of b macAddress)"
	tart get a --format json
	assert_equal "$(jq -r .State <<<"$output")" running
	TART_CLONE=overlay tart clone a c
	assert_failure 1
	assert_vms a b
	assert_tmp_empty
}

@test 'clone: onto an existing VM replaces it whole' {
	make_vm a
	make_vm b
	make_suspended b
	touch "$TART_HOME/vms/b/more"
	tart clone a b
	assert_success
	assert_vms a b
	assert_not_exist "$TART_HOME/vms/b/more"
	assert_not_exist "$TART_HOME/vms/b/state.vzvmsave"
	assert_tmp_empty
}

@test 'clone: onto itself' {
	make_vm a
	echo data >"$TART_HOME/vms/a/disk.img"
	truncate -s 1024000 "$TART_HOME/vms/a/disk.img"
	old=$(config_of a macAddress)
	want=$(disk_hash a)
	tart clone a a
	assert_success
	assert_vms a
	assert_not_equal "$(config_of a macAddress)" "$old"
	assert_equal "$(disk_hash a)" "$want"
	assert_tmp_empty
}

@test 'clone: not onto a running VM' {
	make_vm a
	make_vm b
	old=$(config_of b macAddress)
	hold_vm b
	tart clone a b
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'VM "b" is running'
	assert_equal "$(config_of b macAddress)" "$old"
	assert_tmp_empty
}

@test 'clone: sources that are not there' {
	tart clone nosuch copy
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	make_bundle "$TART_HOME/vms/half"
	rm "$TART_HOME/vms/half/disk.img"
	tart clone half copy
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'
	tart clone ghcr.io/a/b@md5:ab copy
	assert_failure 2
	assert_tmp_empty
}

@test 'clone: names and options that are refused' {
	make_vm a
	tart clone a b/c
	assert_usage_error clone '<new-name> should be a local name'
	tart clone a ghcr.io/b/c
	assert_usage_error clone '<new-name> should be a local name'
	tart clone a ..
	assert_usage_error clone '<new-name> should be a local name (it means a directory)'
	tart clone a b --concurrency 0
	assert_usage_error clone 'network concurrency cannot be less than 1'
	tart clone a b --concurrency=-1
	assert_usage_error clone "The value '-1' is invalid for '--concurrency <concurrency>'"
	tart clone a
	assert_usage_error clone "Missing expected argument '<new-name>'"
	TART_CLONE=hardlink tart clone a b
	assert_failure 1
	assert_equal "$stderr" "Error: TART_CLONE must be auto, copy, overlay or reflink, not 'hardlink'"
	assert_vms a
	tart clone a b --insecure --concurrency 1 --prune-limit 0 --deduplicate
	assert_success
	assert_vms a b
}

@test 'clone: marks its source as used' {
	make_bundle "$TART_HOME/vms/a"
	make_image h/ns 1 t
	age "$TART_HOME/vms/a" 100
	age "$(image_folder h/ns 1)" 100
	tart clone a b
	tart clone h/ns:t c
	now=$(date +%s)
	[ "$(accessed "$TART_HOME/vms/a")" -ge $((now - 100)) ]
	[ "$(accessed "$(image_folder h/ns 1)")" -ge $((now - 100)) ]
}

@test 'clone: leaves the temporary entries of others alone' {
	make_vm a
	mkdir "$TART_HOME/tmp/half-a-pull"
	tart clone a b
	assert_success
	assert_dir_exist "$TART_HOME/tmp/half-a-pull"
	tart list
	assert_tmp_empty
}

@test 'clone: a disk in a foreign format is copied byte for byte' {
	make_bundle "$TART_HOME/vms/a"
	(
		printf 'shdw'
		head -c 100000 /dev/urandom
	) >"$TART_HOME/vms/a/disk.img"
	sed -i 's/"version":1/"version":1,"diskFormat":"asif"/' "$TART_HOME/vms/a/config.json"
	tart clone a b
	assert_success
	cmp "$TART_HOME/vms/a/disk.img" "$TART_HOME/vms/b/disk.img"
	assert_not_exist "$TART_HOME/vms/b/overlay.qcow2"
	assert_equal "$(config_of b diskFormat)" asif
}
