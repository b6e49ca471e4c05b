#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart import: what it makes of good exports, and that nothing is left of bad ones. tests/cli/export.bats has the way there and back.

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

# An export by hand, see there.
make_tvm() { # FILE CASE [TEXT]
	python3 "$BATS_TEST_DIRNAME/../lib/make_tvm.py" "${@:2}" | zstd -q -o "$1" -f
}

assert_imported() {
	assert_success
	assert_equal "$output" importing...
	assert_equal "$stderr" ''
	assert_tmp_empty
}

# Refused for this reason, and nothing is left.
assert_refused() { # PART-OF-MESSAGE
	assert_failure 1
	assert_equal "$output" importing...
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" '^VM import failed: '
	[[ $stderr == *"$1"* ]] || fail "says '$stderr', not '$1'"
	assert_tmp_empty
	assert_not_exist "$TART_HOME/vms/b"
}

@test 'import: an export by hand' {
	make_tvm x good
	tart import x b
	assert_imported
	assert_vms b
	assert_equal "$(config_of b macAddress)" 7a:65:e4:3f:b2:77
	assert_equal "$(stat -c %s "$TART_HOME/vms/b/disk.img")" 4000
}

@test 'import: other ways to compress it' {
	python3 "$BATS_TEST_DIRNAME/../lib/make_tvm.py" good >tar
	for options in -1 -19 --no-check '--long=26'; do
		# shellcheck disable=SC2086
		zstd -q $options <tar >x
		tart import x b
		assert_imported
	done
}

@test 'import: another MAC when a VM has this one' {
	make_tvm x good
	tart import x b
	assert_imported
	tart import x c
	assert_imported
	assert_not_equal "$(config_of b macAddress)" "$(config_of c macAddress)"
	# Also of the VM that it replaces.
	tart import x b
	assert_imported
	assert_not_equal "$(config_of b macAddress)" 7a:65:e4:3f:b2:77
	tart delete b c
	tart import x b
	assert_imported
	assert_equal "$(config_of b macAddress)" 7a:65:e4:3f:b2:77
}

@test 'import: replaces a VM, but not a running one' {
	make_tvm x good
	make_vm b
	touch "$TART_HOME/vms/b/more"
	tart import x b
	assert_imported
	assert_not_exist "$TART_HOME/vms/b/more"
	old=$(cat "$TART_HOME/vms/b/config.json")
	hold_vm b
	tart import x b
	assert_failure 1
	assert_equal "$stderr" 'VM "b" is running'
	assert_equal "$(cat "$TART_HOME/vms/b/config.json")" "$old"
	assert_tmp_empty
}

@test 'import: names that are refused' {
	make_tvm x good
	tart import x a/b
	assert_usage_error import '<name> should be a local name'
	tart import x ..
	assert_failure 64
	tart import x ''
	assert_failure 64
	tart import x
	assert_usage_error import "Missing expected argument '<name>'"
	assert_not_exist "$TART_HOME/vms"
}

@test 'import: files that are not there, or no files' {
	tart import nosuch b
	assert_failure 1
	assert_equal "$output" ''
	assert_equal "$stderr" "VM import failed: cannot open 'nosuch': No such file or directory"
	tart import . b
	assert_refused 'Is a directory'
}

@test 'import: Apple Archives are explained' {
	for magic in pbze pbzx pbz4 pbzz pbzb AA01 YAA1 AEA1; do
		printf '%s and more' "$magic" >x.tvm
		tart import x.tvm b
		assert_refused ''
		assert_equal "$stderr" "VM import failed: x.tvm is an Apple Archive written by Tart on macOS, which cannot be \
read on Linux. On the Mac, push the VM to a registry (tart push) and pull it here."
	done
}

@test 'import: other files are no exports' {
	: >empty
	printf 'x' >short
	echo text | gzip >gz
	head -c 10000 /dev/urandom >random
	printf 'ZZZZ' | dd of=random conv=notrunc status=none
	for file in empty short gz random; do
		tart import "$file" b
		assert_refused "$file is not an export of tart"
	done
	echo text | zstd -q >zst
	tart import zst b
	assert_refused ''
	tar -cf - gz | zstd -q >tar.zst
	tart import tar.zst b
	assert_refused 'does not begin with tvm.json'
	tar -cf - -T /dev/null | zstd -q >empty.tar.zst
	tart import empty.tar.zst b
	assert_refused ''
}

@test 'import: cut-off files' {
	make_vm a
	head -c 3M /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" conv=notrunc status=none
	tart export a whole
	assert_success
	size=$(stat -c %s whole)
	for keep in 4 5 100 1000 30000 100000 2000000 $((size - 1000)) $((size - 5)) $((size - 4)) $((size - 1)); do
		head -c "$keep" whole >x
		tart import x b
		assert_refused 'the file is cut off'
	done
	# Whole as a stream, but without its end.
	make_tvm x no-sums
	tart import x b
	assert_refused 'the file is cut off: tvm.sha256 is missing'
}

@test 'import: damaged files' {
	make_vm a
	head -c 3M /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" conv=notrunc status=none
	tart export a whole
	assert_success
	size=$(stat -c %s whole)
	for at in 4 50 1000 100000 2000000 $((size - 3)); do
		cp whole x
		byte=$(dd if=whole bs=1 skip="$at" count=1 status=none | od -An -tu1)
		# shellcheck disable=SC2059
		printf "\\x$(printf %x $((byte ^ 85)))" | dd of=x bs=1 seek="$at" conv=notrunc status=none
		tart import x b
		assert_refused ''
	done
	cp whole x
	echo >>x
	tart import x b
	assert_refused 'something after the end'
	cat whole whole >x
	tart import x b
	assert_refused 'something after the end'
}

@test 'import: hostile members' {
	while IFS='|' read -r case text want; do
		echo "case: $case $text"
		make_tvm x "$case" "$text"
		tart import x b
		assert_refused "$want"
	done <<-'EOF'
		file|../../evil|a file name that is not allowed
		file|/tmp/evil|a file name that is not allowed
		file|sub/evil|a file name that is not allowed
		file|..|a file name that is not allowed
		file|overlay.qcow2|unexpected file, 'overlay.qcow2'
		file|overlay.json|unexpected file, 'overlay.json'
		file|manifest.json|unexpected file, 'manifest.json'
		file|control.sock|unexpected file, 'control.sock'
		member|evil|not one that was announced
		member|../../evil|not one that was announced
		member|/tmp/evil|not one that was announced
		symlink|/etc/passwd|not a regular file
		symlink|config.json|not a regular file
		hardlink|config.json|not a regular file
		hardlink|/etc/passwd|not a regular file
		fifo||not a regular file
		size|3999|announced size
		size|4001|announced size
		size|9223372036854775807|'disk.img' has 9223372036854775807 bytes
		size|9223372036854775808|tvm.json
		missing|config.json|'config.json' is missing
		missing|nvram.bin|'nvram.bin' is missing
		missing|disk.img|'disk.img' is missing
		twice|config.json|comes twice
		after||comes after the end
		changed||content of 'disk.img' is damaged
		version|2|made by a newer tart: its format has version 2, this tart reads up to 1
		state|saved on a Mac|not a saved state
		config|{}|config.json
		config|no JSON|config.json
		config|{"version":1,"os":"plan9"}|config.json
	EOF
	assert_not_exist /tmp/evil
	assert_not_exist evil
}

@test 'import: more than the disk holds is refused before it is written' {
	make_tvm x large 60000000000000
	tart import x b
	assert_refused 'bytes, but only'
	make_tvm x large 65535000000001
	tart import x b
	assert_refused "'disk.img' has 65535000000001 bytes"
}

@test 'import: zeros that were written out become holes' {
	make_tvm x zeros 300
	[ "$(stat -c %s x)" -lt 200000 ]
	tart import x b
	assert_imported
	assert_equal "$(stat -c %s "$TART_HOME/vms/b/disk.img")" 314572800
	assert_equal "$(stat -c %b "$TART_HOME/vms/b/disk.img")" 0
}

@test 'import: frames that need too much memory are refused' {
	python3 "$BATS_TEST_DIRNAME/../lib/make_tvm.py" good | zstd -q --ultra --long=31 >x
	tart import x b
	assert_refused 'memory'
}

# Runs tart and writes to the file `peak` how many KiB it had in memory at most.
peak_of() {
	python3 -c 'import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open("peak", "w"))
sys.exit(status)' "$TART" "$@"
}

@test 'import: memory stays bounded, and that of export' {
	make_vm a
	head -c 600M /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" bs=1M iflag=fullblock conv=notrunc status=none
	run --separate-stderr peak_of export a x
	assert_success
	echo "export: $(cat peak) KiB"
	[ "$(cat peak)" -lt 400000 ]
	run --separate-stderr peak_of import x b
	assert_success
	echo "import: $(cat peak) KiB"
	[ "$(cat peak)" -lt 200000 ]
}

@test 'import: a small disk takes a large VM if its data fits' {
	make_vm a
	head -c 20M /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" conv=notrunc status=none
	tart export a x
	assert_success
	make_file_system ext4 64
	TART_HOME=$BATS_TEST_TMPDIR/mnt/home
	tart import x b
	assert_imported
	rm -r "$TART_HOME/vms/b"
	make_file_system ext4 24 small
	TART_HOME=$BATS_TEST_TMPDIR/small/home
	tart import x b
	assert_refused 'bytes, but only'
}

# A pipe that gives the first bytes of an export and then nothing, until the test is done with it.
start_stuck_import() { # FILE BYTES
	mkfifo pipe
	background python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$TART" import pipe b >said 2>&1
	import_pid=$background_pid
	exec 7>pipe
	head -c "$2" "$1" >&7
}

disk_has_come() {
	[ -n "$(find "$TART_HOME/tmp" -name disk.img -size +0)" ]
}

@test 'import: signals leave nothing' {
	make_vm a
	head -c 30M /dev/urandom | dd of="$TART_HOME/vms/a/disk.img" conv=notrunc status=none
	tart export a x
	for signal in INT TERM HUP KILL; do
		rm -f pipe
		start_stuck_import x 20000000
		wait_until disk_has_come
		kill "-$signal" "$import_pid"
		status=0
		wait "$import_pid" || status=$?
		exec 7>&-
		if [ "$signal" = KILL ]; then
			assert_equal "$status" 137
			disk_has_come
		else
			assert_equal "$status" 1
			assert_equal "$(cat said)" $'importing...\nError: cancelled'
			assert_tmp_empty
		fi
		assert_vms a
		# The next command has cleared up.
		assert_tmp_empty
	done
}
