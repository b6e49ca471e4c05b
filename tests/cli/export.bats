#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart export. tests/cli/import.bats has what must not be imported.

load ../lib/common
load ../lib/store
load ../lib/mount

setup() {
	common_setup
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
}

teardown() {
	cd /
	unmount_all
	common_teardown
}

# Data at both ends and in the middle.
fill_disk() { # FILE
	local at

	for at in 0 3000 249997; do
		dd if=/dev/urandom of="$1" bs=4000 count=3 seek="$at" conv=notrunc status=none
	done
}

assert_exported() {
	assert_success
	assert_equal "$output" exporting...
	assert_equal "$stderr" ''
}

# Nothing but these in the working directory.
assert_work() { # NAME...
	run ls -A
	assert_output "$(printf '%s\n' "$@")"
}

@test 'export: import gives the same VM' {
	make_vm a
	fill_disk "$TART_HOME/vms/a/disk.img"
	mac=$(config_of a macAddress)
	tart export a
	assert_exported
	assert_work a.tvm
	assert_equal "$(stat -c %a a.tvm)" 644
	mv "$TART_HOME/vms/a" old
	tart import a.tvm b
	assert_success
	assert_equal "$output" importing...
	assert_equal "$stderr" ''
	assert_vms b
	assert_tmp_empty
	for file in config.json nvram.bin disk.img; do
		cmp "old/$file" "$TART_HOME/vms/b/$file"
	done
	assert_equal "$(config_of b macAddress)" "$mac"
	sync -f "$TART_HOME"
	assert_equal "$(stat -c %b "$TART_HOME/vms/b/disk.img")" "$(stat -c %b old/disk.img)"
	assert_equal "$(ls -A "$TART_HOME/vms/b")" "$(ls -A old)"
}

@test 'export: tar and sha256sum read it without us' {
	make_vm a
	fill_disk "$TART_HOME/vms/a/disk.img"
	tart export a
	assert_exported
	run tar --zstd -tf a.tvm
	assert_output $'tvm.json\nconfig.json\nnvram.bin\ndisk.img\ntvm.sha256'
	run tar --zstd --numeric-owner -tvf a.tvm
	assert_equal "$(grep -c '^-rw-r--r-- 0/0 ' <<<"$output")" 5
	mkdir out
	tar --zstd -xSf a.tvm -C out
	(cd out && sha256sum --quiet -c tvm.sha256)
	cmp out/disk.img "$TART_HOME/vms/a/disk.img"
	[ "$(stat -c %b out/disk.img)" -lt 2000 ]
	assert_equal "$(jq -c '[.format,.version,(.files[]|.name,.size)]' out/tvm.json)" \
		"[\"tart-export\",1,\"config.json\",$(stat -c %s out/config.json),\"nvram.bin\",$(stat -c %s out/nvram.bin),\"disk.img\",1000000000]"
	assert_equal "$(wc -l <out/tvm.sha256)" 3
	run zstd -lv a.tvm
	assert_line --partial 'Check: XXH64'
}

@test 'export: names of the file' {
	make_vm a
	make_image ghcr.io/a/b 1 latest
	tart export ghcr.io/a/b:latest
	assert_exported
	tart export a other.tvm
	assert_exported
	mkdir below
	tart export a below/a
	assert_exported
	tart export a "$BATS_TEST_TMPDIR/work/third"
	assert_exported
	tart export "ghcr.io/a/b@sha256:$(hex_of 1)"
	assert_exported
	run ls -A
	assert_output "$(printf '%s\n' below ghcr.io_a_b@sha256_"$(hex_of 1)".tvm ghcr.io_a_b_latest.tvm other.tvm third)"
	tart import ghcr.io_a_b_latest.tvm b
	assert_success
	cmp "$TART_HOME/vms/b/disk.img" "$(image_folder ghcr.io/a/b 1)/disk.img"
}

question='file a.tvm already exists, are you sure you want to overwrite it? (yes, [no])? '

@test 'export: asks before it overwrites the default file' {
	make_vm a
	for answer in no 'y' YES 'yes ' ' yes' yess ''; do
		echo old >a.tvm
		run_apart "$TART" export a <<<"$answer"
		assert_success
		assert_equal "$output" "$question"
		assert_equal "$stderr" ''
		assert_equal "$(cat a.tvm)" old
	done
	tart export a
	assert_success
	assert_equal "$output" "$question"
	assert_equal "$(cat a.tvm)" old
	printf yes >answer
	for input in answer - ; do
		echo old >a.tvm
		if [ "$input" = - ]; then
			run_apart "$TART" export a <<<yes
		else
			run_apart "$TART" export a <answer
		fi
		assert_success
		assert_equal "$output" "${question}exporting..."
		tart import a.tvm b
		assert_success
	done
}

@test 'export: does not ask before it overwrites a file that was named' {
	make_vm a
	echo old >x
	chmod 600 x
	ln x old
	tart export a x
	assert_exported
	assert_equal "$(stat -c %a x)" 644
	assert_equal "$(cat old)" old
	tart import x b
	assert_success
	# Through a link, which stays one.
	ln -s x link
	tart export b link
	assert_exported
	[ -L link ]
	tart import x c
	assert_success
	assert_work link old x
}

@test 'export: into a FIFO and out of one' {
	make_vm a
	fill_disk "$TART_HOME/vms/a/disk.img"
	mkfifo pipe
	background cat pipe >copy
	tart export a pipe
	assert_exported
	wait "$background_pid"
	[ -p pipe ]
	background cp copy pipe
	tart import pipe b
	assert_success
	cmp "$TART_HOME/vms/b/disk.img" "$TART_HOME/vms/a/disk.img"
	run_apart "$TART" import /dev/stdin c < <(cat copy)
	assert_success
	assert_work copy pipe
}

@test 'export: what goes in, and what stays' {
	make_vm a
	folder=$TART_HOME/vms/a
	echo variables >"$folder/efivars.fd"
	touch "$folder/"{manifest.json,.explicitly-pulled,qemu.log,console.log,overlay.json,own.txt}
	make_suspended a
	tart export a
	assert_exported
	run tar --zstd -tf a.tvm
	assert_output $'tvm.json\nconfig.json\nnvram.bin\ndisk.img\nefivars.fd\ntvm.sha256'
	# A state that is ours goes along.
	printf 'TARTSAVE and more' >"$folder/state.vzvmsave"
	tart export a b.tvm
	assert_exported
	rm -r "$folder"
	tart import b.tvm b
	assert_success
	assert_equal "$(cat "$TART_HOME/vms/b/state.vzvmsave")" 'TARTSAVE and more'
	assert_equal "$(cat "$TART_HOME/vms/b/efivars.fd")" variables
	# … unless the VM has to become another machine.
	tart import b.tvm c
	assert_success
	assert_not_exist "$TART_HOME/vms/c/state.vzvmsave"
	assert_not_equal "$(config_of b macAddress)" "$(config_of c macAddress)"
}

@test 'export: an overlay goes out flat' {
	make_vm a
	fill_disk "$TART_HOME/vms/a/disk.img"
	TART_CLONE=overlay tart clone a b
	assert_success
	qemu-io -f qcow2 -c 'write -P 7 100M 1M' -c 'write -z 0 64k' "$TART_HOME/vms/b/overlay.qcow2" >/dev/null
	qemu-img convert -f qcow2 -O raw "$TART_HOME/vms/b/overlay.qcow2" flat
	tart export b
	assert_exported
	# Nothing but tart was needed.
	rm b.tvm
	run_apart env PATH=/nowhere "$TART" export b
	assert_exported
	tart import b.tvm c
	assert_success
	cmp flat "$TART_HOME/vms/c/disk.img"
	run ls -A "$TART_HOME/vms/c"
	assert_output $'config.json\ndisk.img\nnvram.bin'
}

@test 'export: not through a base that was changed' {
	make_vm a
	TART_CLONE=overlay tart clone a b
	assert_success
	truncate -s 1G "$TART_HOME/vms/b/disk.img"
	tart export b
	assert_failure 1
	assert_equal "$output" ''
	assert_regex "$stderr" "^VM export failed: 'disk.img' is not the disk that 'overlay.qcow2' was made on"
	run ls -A
	assert_output ''
}

@test 'export: VMs of macOS go out and come in as they are' {
	make_bundle "$TART_HOME/vms/mac"
	echo '{"version":1,"os":"darwin","arch":"arm64","ecid":"AAEC","hardwareModel":"AwQF","cpuCountMin":4,
		"cpuCount":4,"memorySizeMin":4294967296,"memorySize":18446744073709551615,"diskFormat":"asif",
		"macAddress":"7a:65:e4:3f:b2:09","future":[1.50e-7]}' >"$TART_HOME/vms/mac/config.json"
	printf shdw | dd of="$TART_HOME/vms/mac/disk.img" conv=notrunc status=none
	tart export mac
	assert_exported
	mv "$TART_HOME/vms/mac" old
	tart import mac.tvm mac
	assert_success
	for file in config.json nvram.bin disk.img; do
		cmp "old/$file" "$TART_HOME/vms/mac/$file"
	done
}

@test 'export: a running VM is refused' {
	make_vm a
	hold_vm a
	tart export a
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" 'VM "a" is running'
	run ls -A
	assert_output ''
}

# Exporting 50 GB takes long enough to look at it, if only for the check sum.
start_long_export() { # PATH
	make_vm a
	"$TART" set a --disk-size 50
	background "$TART" export a "$1" >said 2>&1
	wait_until grep -q exporting said
}

@test 'export: the VM counts as running meanwhile' {
	start_long_export x
	tart get a --format json
	assert_equal "$(jq -r .State <<<"$output")" running
	tart export a y
	assert_failure 1
	assert_equal "$stderr" 'VM "a" is running'
	tart set a --disk-size 60
	assert_failure 1
	assert_work said
}

@test 'export: signals leave nothing, and the old file' {
	make_vm a
	"$TART" set a --disk-size 50
	echo old >x
	for signal in INT TERM HUP KILL; do
		: >said
		# bats starts programs in the background with SIGINT ignored.
		background python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$TART" export a x >said 2>&1
		wait_until grep -q exporting said
		kill "-$signal" "$background_pid"
		status=0
		wait "$background_pid" || status=$?
		if [ "$signal" = KILL ]; then
			assert_equal "$status" 137
		else
			assert_equal "$status" 1
			assert_equal "$(cat said)" $'exporting...\nError: cancelled'
		fi
		assert_equal "$(cat x)" old
		assert_work said x
	done
}

# As on FAT and NFS.
without_nameless_files() {
	run_apart "$BUILD/tests/lib/no_tmpfile" "$TART" "$@" </dev/null
}

@test 'export: a file system without nameless files' {
	make_vm a
	without_nameless_files export a
	assert_exported
	assert_work a.tvm
	echo old >x
	"$TART" set a --disk-size 50
	background "$BUILD/tests/lib/no_tmpfile" "$TART" export a x >said 2>&1
	wait_until grep -q exporting said
	assert_equal "$(cat x)" old
	assert_file_exist x.part
	# Not two into one file.
	make_vm b
	without_nameless_files export b x
	assert_failure 1
	assert_equal "$stderr" "VM export failed: 'x.part' is being written by somebody else"
	assert_file_exist x.part
	kill -TERM "$background_pid"
	wait "$background_pid" || true
	assert_work a.tvm said x
	# What a kill leaves, the next export takes away.
	: >said
	background "$BUILD/tests/lib/no_tmpfile" "$TART" export a x >said 2>&1
	wait_until grep -q exporting said
	kill -KILL "$background_pid"
	wait "$background_pid" || true
	assert_work a.tvm said x x.part
	without_nameless_files export b x
	assert_exported
	assert_work a.tvm said x
	tart import x c
	assert_success
	# Or the next one that needs no such name while it works.
	echo stale >x.part
	tart export b x
	assert_exported
	assert_work a.tvm said x
}

@test 'export: a full disk leaves nothing' {
	make_vm a
	head -c 20M /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" conv=notrunc status=none
	make_file_system ext4 16
	cd "$BATS_TEST_TMPDIR/mnt"
	echo old >x
	for run_tart in tart without_nameless_files; do
		$run_tart export a "$BATS_TEST_TMPDIR/mnt/x"
		assert_failure 1
		assert_equal "$output" exporting...
		assert_regex "$stderr" '^VM export failed: .*No space left on device$'
		assert_equal "$(cat x)" old
		assert_work lost+found x
	done
}

@test 'export: VMs that are not there' {
	tart export nosuch
	assert_failure 2
	assert_equal "$output" ''
	assert_equal "$stderr" 'the specified VM "nosuch" does not exist'
	tart export ghcr.io/a/b
	assert_failure 2
	assert_equal "$stderr" 'the specified VM "ghcr.io/a/b:latest" does not exist'
	make_bundle "$TART_HOME/vms/half"
	rm "$TART_HOME/vms/half/nvram.bin"
	tart export half
	assert_failure 1
	assert_equal "$stderr" 'VM is missing some of its files (config.json, disk.img or nvram.bin)'
	run ls -A
	assert_output ''
}

@test 'export: places that cannot be written' {
	make_vm a
	tart export a nosuch/x
	assert_failure 1
	assert_equal "$output" ''
	assert_regex "$stderr" '^VM export failed: .*No such file or directory$'
	tart export a .
	assert_failure 1
	assert_regex "$stderr" '^VM export failed: .*Is a directory$'
	tart export a /dev/full
	assert_failure 1
	assert_equal "$output" exporting...
	assert_regex "$stderr" '^VM export failed: .*No space left on device$'
}

@test 'export: arguments' {
	tart export
	assert_usage_error export "Missing expected argument '<name>'"
	tart export a b c
	assert_usage_error export "Unexpected argument 'c'"
}
