#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tart doctor.

load ../lib/common

setup() {
	common_setup
	case $(uname -m) in
	aarch64) own=arm64 emulator=qemu-system-aarch64 ;;
	*) own=amd64 emulator=qemu-system-x86_64 ;;
	esac
	fakes=$BATS_TEST_TMPDIR/fakes
	mkdir "$fakes"
	touch "$fakes/code.fd" "$fakes/vars.fd"
	export TART_FIRMWARE_CODE=$fakes/code.fd TART_FIRMWARE_VARS=$fakes/vars.fd
}

# An emulator of this host's architecture that says it has this version.
fake_qemu() {
	printf '#!/bin/sh\necho "QEMU emulator version %s (test)"\n' "$1" >"$fakes/$emulator"
	chmod +x "$fakes/$emulator"
}

# tart with no programs to be found but the fakes.
doctor() {
	run_apart env PATH="$fakes" "$(command -v timeout)" 60 "$TART" doctor "$@"
}

line_of() {
	grep -E "^(ok|--|no)  $1  " <<<"$output"
}

json_of() {
	jq -c ".Checks[] | select(.Name == \"$1\")" <<<"$output"
}

@test 'doctor: what there is' {
	fake_qemu 9.1.2
	doctor
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(line_of "QEMU for $own")" "ok  QEMU for $own      9.1.2, $fakes/$emulator"
	assert_equal "$(line_of "firmware for $own")" "ok  firmware for $own  $fakes/code.fd"
	assert_equal "$(line_of 'home directory *')" "ok  home directory      $TART_HOME"
	line_of "$own guests *"
	line_of 'KVM *'
	line_of 'free space *'
	line_of 'reflink *'
	line_of 'network of VMs *'
	line_of '/dev/net/tun *'
	# Nothing but lines that begin with a mark, all of them aligned.
	assert_equal "$(grep -cvE '^(ok|--|no)  .{18}  [^ ]' <<<"$output")" 0
}

@test 'doctor: what is missing but not needed' {
	fake_qemu 7.2.0
	doctor
	assert_success
	assert_equal "$(line_of 'qemu-img *')" '--  qemu-img            not found'
}

@test 'doctor: no QEMU' {
	doctor
	assert_failure 1
	[[ $stderr == "Error: VMs cannot run on this host: QEMU for $own: $emulator not found in PATH, install "* ]]
	line_of "QEMU for $own *" | grep '^no  '
	line_of "$own guests *" | grep 'cannot run: no usable QEMU'
}

@test 'doctor: QEMU too old' {
	fake_qemu 7.1.9
	doctor
	assert_failure 1
	assert_equal "$stderr" \
		"Error: VMs cannot run on this host: QEMU for $own: QEMU 7.1.9 is too old, 7.2 or newer is needed"
}

@test 'doctor: QEMU that does not start' {
	printf '#!/bin/sh\necho no such library >&2\nexit 127\n' >"$fakes/$emulator"
	chmod +x "$fakes/$emulator"
	doctor
	assert_failure 1
	[[ $stderr == *'no such library'* ]]
}

@test 'doctor: no firmware' {
	fake_qemu 7.2.0
	rm "$fakes/vars.fd"
	doctor
	assert_failure 1
	assert_equal "$stderr" "Error: VMs cannot run on this host: firmware for $own: \
TART_FIRMWARE_VARS: cannot read '$fakes/vars.fd'"
}

@test 'doctor: no home directory' {
	fake_qemu 7.2.0
	touch "$BATS_TEST_TMPDIR/file"
	export TART_HOME=$BATS_TEST_TMPDIR/file/home
	doctor
	assert_failure 1
	[[ $stderr == "Error: VMs cannot run on this host: home directory: TART_HOME is invalid: "* ]]
	# The other lines are there all the same.
	line_of "QEMU for $own *" | grep '^ok  '
}

@test 'doctor: JSON' {
	fake_qemu 9.1.2
	doctor --format json
	assert_success
	assert_equal "$(jq .Usable <<<"$output")" true
	assert_equal "$(jq -c .Guests <<<"$output")" "[\"$own\"]"
	assert_equal "$(json_of "qemu-$own")" "{\"Name\":\"qemu-$own\",\"State\":\"ok\",\
\"Detail\":\"9.1.2, $fakes/$emulator\",\"Path\":\"$fakes/$emulator\",\"Version\":\"9.1.2\"}"
	assert_equal "$(json_of qemu-img)" '{"Name":"qemu-img","State":"missing","Detail":"not found"}'
	json_of kvm | jq -e '.Verdict | IN("ok", "emulated", "failed", "none", "denied", "busy")'
	json_of free-space | jq -e '.Bytes > 0'
}

@test 'doctor: JSON when VMs cannot run' {
	doctor --format json
	assert_failure 1
	assert_equal "$(jq .Usable <<<"$output")" false
	assert_equal "$(jq -c .Guests <<<"$output")" '[]'
	assert_equal "$(json_of "qemu-$own" | jq -r .State)" broken
}

@test 'doctor: remembers what the probe found, if that is worth it' {
	fake_qemu 9.1.2
	doctor --format json
	case $(json_of kvm | jq -r .Verdict) in
	ok | emulated) assert_file_exists "$TART_HOME/cache/kvm-probe.json" ;;
	*) assert_file_not_exists "$TART_HOME/cache/kvm-probe.json" ;;
	esac
}

@test 'doctor: takes no operands' {
	doctor now
	assert_failure 64
	[[ $stderr == "Error: Unexpected argument 'now'"* ]]
}
